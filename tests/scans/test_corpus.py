"""Reports that others published, over the versions of Trivy: counts are those of their index."""

import csv
from pathlib import Path

import pytest

from helpers.errors import ReportInvalid
from helpers.frames import SEVERITIES
from helpers.scans import summary
from helpers.studies.load import load_reports


def index(shared: Path) -> list[dict[str, str]]:
    with (shared / "corpus" / "index.tsv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_report_loads_with_the_counts_of_the_index(shared: Path) -> None:
    loaded = 0
    for row in index(shared):
        path = shared / "corpus" / row["file"]
        if row["schema"] == "none":
            with pytest.raises(ReportInvalid, match=path.name):
                load_reports([path])
            continue
        frames = load_reports([path])
        counts = frames.findings["severity"].value_counts().to_dict()
        wanted = {severity: int(row[severity]) for severity in SEVERITIES}
        assert len(frames.images) == 1, path
        assert (len(frames.findings), counts) == (int(row["findings"]), wanted), path
        assert frames.findings["vulnerability_id"].nunique() == int(row["distinct_ids"]), path
        loaded += 1
    assert loaded >= 25


def test_all_of_them_load_as_one_mix(shared: Path) -> None:
    rows = [row for row in index(shared) if row["schema"] != "none"]
    frames = load_reports(shared / "corpus" / row["file"] for row in rows)
    assert frames.images["variant"].is_unique
    assert len(frames.images) == len(rows)
    assert len(frames.findings) == sum(int(row["findings"]) for row in rows)


def test_the_summary_counts_the_same(shared: Path) -> None:
    for row in index(shared):
        if row["schema"] != "none":
            told = summary.row(shared / "corpus" / row["file"])
            assert told["findings"] == int(row["findings"])
            assert told["vulnerabilities"] == int(row["distinct_ids"])
            assert told["critical"] == int(row["CRITICAL"])
            assert told["unknown"] == int(row["UNKNOWN"])


def test_every_file_of_another_kind_is_refused_with_its_name(shared: Path) -> None:
    others = {
        "not-trivy/cyclonedx.json": "CycloneDX",
        "not-trivy/spdx.json": "SPDX",
        "not-trivy/harbor.json": "Harbor",
        "not-trivy/trivy-operator.json": "operator",
        "django-DefectDojo/kubernetes.json": "Kubernetes",
    }
    for name, kind in others.items():
        with pytest.raises(ReportInvalid, match=kind):
            load_reports([shared / "corpus" / name])
