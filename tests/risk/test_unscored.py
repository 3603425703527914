"""What has no score, and why."""

from helpers.risk import unscored
from helpers.vulnerabilities.lenses import PLAIN
from tests.conftest import finding, trivy


def test_each_is_told_with_its_reason(scored) -> None:
    report = trivy(
        finding(1),
        finding(2, PublishedDate="2026-08-16T00:00:00Z"),
        finding(3, VulnerabilityID="TEMP-0000001-abc"),
        finding(4, PublishedDate="2020-01-01T00:00:00Z"),
    )
    loaded = scored({"CVE-2024-0001": 0.0}, app=report)
    table = unscored.unscored(loaded.findings, PLAIN).set_index("vulnerability_id")["why"]
    assert table.to_dict() == {
        "CVE-2024-0002": unscored.TOO_NEW,
        "TEMP-0000001-abc": unscored.NO_CVE,
        "CVE-2024-0004": unscored.NOT_THERE,
    }
    answer = unscored.answer(loaded.findings, loaded.images, PLAIN)
    assert "app 3 of 4" in answer.text.plain


def test_without_scores_of_any_day_nothing_is_called_unscored(frames_of) -> None:
    loaded = frames_of(app=trivy(finding(1)))
    assert unscored.answer(loaded.findings, loaded.images, PLAIN).lacks
    assert unscored.unscored(loaded.findings, PLAIN).empty
