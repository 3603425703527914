"""Published reports of many versions of Trivy and Grype have the counts of their index."""

import csv
from pathlib import Path

import pytest

from helpers.errors import ReportInvalid
from helpers.frames import SEVERITIES
from helpers.scans import summary
from helpers.studies.load import load_reports
from helpers.vulnerabilities import lenses


def index(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "corpus" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_trivy_reports_have_the_counts_of_the_index(shared: Path) -> None:
    loaded = []
    for row in index(shared, "index.tsv"):
        path = shared / "corpus" / row["file"]
        if row["schema"] == "none":
            with pytest.raises(ReportInvalid, match=path.name):
                load_reports([path])
            continue
        frames = load_reports([path])
        levels = {severity: int(row[severity]) for severity in SEVERITIES}
        findings, ids = int(row["findings"]), int(row["distinct_ids"])
        assert len(frames.images) == 1, path
        standing = lenses.standing(frames.findings)
        assert len(standing) == findings, path
        assert standing["severity"].value_counts().to_dict() == levels, path
        assert standing["vulnerability_id"].nunique() == ids, path
        counts = summary.row(path)
        loaded.append((path, findings))
        if frames.images["status"].tolist() == ["not-looked"]:
            assert {findings, counts["findings"], counts["suppressed"]} == {0, None}, path
            continue
        assert counts["suppressed"] == len(frames.findings) - findings, path
        assert (counts["findings"], counts["vulnerabilities"]) == (findings, ids), path
        assert {level: counts[level.lower()] for level in SEVERITIES} == levels, path
    assert len(loaded) >= 25
    together = load_reports(path for path, _ in loaded)
    assert together.images["variant"].is_unique
    assert len(together.images) == len(loaded)
    assert len(lenses.standing(together.findings)) == sum(findings for _, findings in loaded)
    assert len(together.findings) == len(lenses.standing(together.findings)) + 1


def test_grype_reports_have_the_counts_of_the_index(shared: Path) -> None:
    rows = index(shared, "grype/index.tsv")
    assert len(rows) >= 6
    for row in rows:
        path, findings = shared / "corpus" / row["file"], int(row["findings"])
        loaded = load_reports(path)
        levels = {level.upper(): int(row[level]) for level in ("Low", "Medium", "High", "Critical")}
        # Negligible is LOW, as in Trivy's reports; other findings have no severity.
        levels["LOW"] += int(row["Negligible"])
        levels["UNKNOWN"] = findings - sum(levels.values())
        assert loaded.findings["severity"].value_counts().to_dict() == levels, path
        assert len(loaded.findings) == findings
        assert loaded.findings["vulnerability_id"].nunique() == int(row["distinct_ids"])
        image = loaded.images.iloc[0]
        assert (image["scanner"], image["scanner_version"]) == ("grype", row["tool_version"])
        assert f"{image['os_family']} {image['os_version']}" == row["os"]
        assert (image["status"], image["source"]) == ("scanned", "image")
        counts = summary.row(path)
        assert (counts["findings"], counts["os"]) == (findings, row["os"])
        assert counts["low"] == levels["LOW"]
