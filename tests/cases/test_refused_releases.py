"""Releases of Trivy that were not its project's are not run to capture, and mark evidence."""

import json
from pathlib import Path

import pytest

from helpers import Comparison
from helpers.comparability import scanner_releases
from helpers.errors import ScanFailed
from helpers.scanning import trivy_program
from helpers.verdict import cautions
from helpers.verdict.decision import decide
from tests.cases.made import finding, report, study


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a Trivy on the PATH that does no more than say a version."""

    def make(version: str) -> None:
        program = tmp_path / "trivy"
        program.write_text(f"#!/bin/sh\necho '{json.dumps({'Version': version})}'\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return make


@pytest.mark.parametrize("version", ["0.69.4", "0.69.5", "0.69.6", "v0.69.4", "0.69.6+dirty"])
def test_a_release_that_was_not_the_projects_captures_nothing(says, version: str) -> None:
    says(version)
    with pytest.raises(ScanFailed) as raised:
        trivy_program.find()
    assert raised.value.reason == "scanner-compromised"


@pytest.mark.parametrize("version", ["0.69.3", "0.69.40", "0.70.0", "0.76.0"])
def test_releases_of_the_project_capture(says, version: str) -> None:
    says(version)
    assert trivy_program.find().version == version


def test_images_that_were_scanned_with_one_are_named(empty_data) -> None:
    held = {
        "2026-03-20": {
            "a": report(finding(1, fix="3.0.2"), scanner="0.69.4"),
            "b": report(scanner="0.69.4", packages=["openssl 3.0.2"]),
        },
        "2026-11-01": {"a": report(finding(1, fix="3.0.2"), scanner="0.70.0")},
    }
    name = study(empty_data, held)
    bad = Comparison(name, "2026-03-20")
    good = Comparison(name, "2026-11-01", mixed=True)
    assert scanner_releases.scanned_with(bad.images) == ["a", "b"]
    assert scanner_releases.scanned_with(good.images) == []
    assert scanner_releases.mark(bad.images)
    assert not scanner_releases.mark(good.images)
    assert scanner_releases.text(bad.images)
    assert not scanner_releases.text(good.images)
    for c, variants in ((bad, ("a", "b")), (good, ())):
        found = decide(c.frames, c.published_numbers, "", c.lens, c.weights)
        caution = found.caution(cautions.SCANNER_COMPROMISED)
        assert (caution.variants if caution else ()) == variants
