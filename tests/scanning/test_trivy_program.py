"""Trivy's program: what it may answer, and what is said of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from helpers import paths
from helpers.capture.session import capture
from helpers.errors import CaptureFailed, ScanFailed
from helpers.scanning import trivy_program
from tests.scanning.test_scan import SBOM
from tests.support.studies import write_study


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
    with pytest.raises(ScanFailed, match=r"bin/trivy: printed .* instead of its version"):
        trivy_program.find()


def test_a_program_that_cannot_be_started_is_named(program: Path) -> None:
    program.write_bytes(b"\0\1\2")
    with pytest.raises(ScanFailed, match="bin/trivy: cannot be started"):
        trivy_program.find()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_scan_that_hangs_ends_with_the_capture(
    program: Path, empty_data: Path, tmp_path: Path, number: int
) -> None:
    program.write_text(
        '#!/bin/sh\ncase $1 in version) echo \'{"Version": "1"}\';; *) sleep 999; esac\n'
    )
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "trivy.db").touch()
    (tmp_path / "db" / "metadata.json").write_text(
        '{"Version": 2, "UpdatedAt": "2026-01-01T00:00:00Z"}'
    )
    (tmp_path / "app.json").write_text(json.dumps({"bomFormat": "CycloneDX"}))
    write_study(empty_data, app=f'sbom = "{tmp_path / "app.json"}"')
    command = [sys.executable, "-m", "helpers", "capture", "mine", "--db", str(tmp_path)]
    running = psutil.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ})
    end = time.monotonic() + 30
    while not (scans := [*running.children(recursive=True)]) or "sleep" not in scans[-1].name():
        assert time.monotonic() < end
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(number)
    assert running.wait(10) == 128 + number
    _, alive = psutil.wait_procs(scans, 5)
    assert alive == []
    assert "Traceback" not in running.stderr.read()
    assert [path.name for path in paths.study("mine").iterdir()] == ["study.toml"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: bytes(2**13) + whole[2**13 :],
        lambda whole: whole.replace(b'"FixedVersion"', b'"FixedVersion\x1d'),
    ],
)
@pytest.mark.usefixtures("trivy_on_path")
def test_a_damaged_database_is_named(
    db: Path, empty_data: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "db" / "db"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_bytes((db / "db" / "metadata.json").read_bytes())
    (folder / "trivy.db").write_bytes(spoil((db / "db" / "trivy.db").read_bytes()))
    write_study(empty_data, app=f'sbom = "{SBOM}"')
    with pytest.raises(CaptureFailed, match="vulnerability DB is missing or damaged") as raised:
        capture("mine", db=folder.parent)
    assert "main.go" not in str(raised.value)
