"""Trivy's program: what it may answer, and what is said of it."""

from pathlib import Path

import pytest

from helpers.capture import trivy_program
from helpers.errors import ScanFailed


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called trivy."""
    path = tmp_path / "bin" / "trivy"
    path.parent.mkdir()
    path.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    return path


@pytest.mark.parametrize(
    "answer", ["", "Version: 0.76.0", "null", "[1]", '{"Version": 1}', "[" * 10**4, "\\033[31m"]
)
def test_a_program_that_says_no_version_is_named(program: Path, answer: str) -> None:
    program.write_text(f"#!/bin/sh\nprintf '%s' '{answer}'\n")
    with pytest.raises(ScanFailed, match="bin/trivy: it does not say its version"):
        trivy_program.find()


def test_a_program_that_cannot_be_started_is_named(program: Path) -> None:
    program.write_bytes(b"\0\1\2")
    with pytest.raises(ScanFailed, match="bin/trivy: cannot be started"):
        trivy_program.find()
