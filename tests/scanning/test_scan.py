"""Scans with the real Trivy: reports equal the recorded ones, whatever surrounds the scan."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import paths
from helpers.capture import session
from helpers.errors import CaptureFailed, ScanFailed, StudyInvalid
from helpers.scanning import scan, trivy_program
from helpers.studies.load import load_reports, load_study
from tests.conftest import STUDY

SOURCES = paths.ROOT / "data/studies/blog-2022/sources"
SBOM = SOURCES / "node-8-alpine.cdx.json"
RECORDED = {
    version: paths.ROOT / f"tests/data/node-8-alpine.trivy-{version}.json.gz"
    for version in ("0.67.2", "0.70.0", "0.73.0", "0.76.0")
}
DBS = {"2022-02": "evidence/blog-2022/asof-2022-02", "2026-11": "vulndb"}

pytestmark = pytest.mark.usefixtures("trivy_on_path")


def scan_sbom(sbom: Path, report: Path, db: Path) -> list[str]:
    return scan.scan(trivy_program.find(), "sbom", sbom, report, db)


def comparable(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what differs from one scan to the next."""
    return {key: value for key, value in report.items() if key not in ("ReportID", "CreatedAt")}


@pytest.mark.parametrize("name", DBS)
def test_scanning_again_gives_the_recorded_evidence(shared: Path, data: Path, name: str) -> None:
    recorded = paths.capture(STUDY, name)
    again = session.capture(STUDY, f"{name}-again", shared / DBS[name], fresh=True).folder
    variants = [path.parent.name for path in sorted(recorded.glob("*/trivy.json"))]
    assert variants == ["nodejs-alpine", "nodejs-distroless"]
    for variant in variants:
        report = json.loads(gzip.decompress((again / variant / paths.REPORT).read_bytes()))
        assert comparable(report) == comparable(
            json.loads((recorded / variant / "trivy.json").read_text())
        ), variant
    facts, before = (
        json.loads((folder / "capture.json").read_text()) for folder in (again, recorded)
    )
    assert facts["scanner_version"] == before["scanner_version"]
    for variant in facts["variants"].values():
        assert variant["command"][:-1] == before["command"][:-1]
    assert facts["db"]["sha256"] == before["db"]["sha256"]


def test_settings_around_a_scan_do_not_reach_it(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbom = shutil.copy(SBOM, tmp_path / SBOM.name)
    (tmp_path / ".trivyignore").write_text("CVE-2021-36159\n")
    (tmp_path / "trivy.yaml").write_text("severity: [LOW]\n")
    monkeypatch.setenv("TRIVY_SEVERITY", "LOW")
    scan_sbom(sbom, tmp_path / "report.json", shared / DBS["2022-02"])
    assert len(load_reports([tmp_path / "report.json"]).findings) == 48


def test_a_failed_scan_is_reported_and_leaves_no_report(db: Path, tmp_path: Path) -> None:
    sbom = tmp_path / "broken.json"
    sbom.write_text("{}")
    with pytest.raises(ScanFailed, match=r"trivy failed on broken\.json"):
        scan_sbom(sbom, tmp_path / "report.json", db)
    assert not (tmp_path / "report.json").exists()


def test_without_a_db_or_a_scanner_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: Path
) -> None:
    with pytest.raises(ScanFailed, match="no vulnerability DB"):
        scan_sbom(SBOM, tmp_path / "report.json", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScanFailed, match=r"not on the PATH, .*\. Install it: brew"):
        scan_sbom(SBOM, tmp_path / "report.json", db)


def test_a_capture_is_never_overwritten_and_a_failed_one_leaves_none(db: Path, data: Path) -> None:
    with pytest.raises(StudyInvalid, match="exists, and evidence is never overwritten"):
        session.capture(STUDY, "2022-02", db)
    for name in ("../escaped", "x/y", ".x", "newest", "2030-1"):
        with pytest.raises(StudyInvalid, match="name it by its date"):
            session.capture(STUDY, name, db)
    for sbom in (data / "studies/blog-2022/sources").glob("*.cdx.json"):
        sbom.write_text("{}")
    with pytest.raises(CaptureFailed, match=r"nodejs-distroless: trivy failed on distroless"):
        session.capture(STUDY, "2030-01", db)
    folders = {path.name for path in (data / "studies/blog-2022").iterdir() if path.is_dir()}
    assert folders == {"sources", "2022-02", "2026-11"}
    assert load_study(STUDY, "all").images["capture"].unique().tolist() == ["2022-02", "2026-11"]


def assert_equal_frames(reports: dict[str, Path]) -> None:
    """Assert that the reports of several Trivy versions give the same frames."""
    first, *others = (load_reports([path]) for path in reports.values())
    assert len(first.findings) == 48
    for other in others:
        for frame, same in zip(first, other, strict=True):
            differ = frame.columns.intersection(
                ["variant", "report", "scanner_version", "scanned_at"]
            )
            pd.testing.assert_frame_equal(frame.drop(columns=differ), same.drop(columns=differ))


def test_reports_of_four_trivy_versions_give_equal_frames() -> None:
    for version, path in RECORDED.items():
        report = json.loads(gzip.decompress(path.read_bytes()))
        assert report.get("Trivy", {"Version": version})["Version"] == version, "real output of it"
    assert_equal_frames(RECORDED)
