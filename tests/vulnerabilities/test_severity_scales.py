"""Severity scales: whose severities the scanner took, and what NVD's are instead."""

import pandas as pd
import pytest

from helpers.answers.chart_data import Bars
from helpers.frames import SEVERITIES, Frames
from helpers.vulnerabilities import counting, severity_scales
from helpers.vulnerabilities.lenses import PLAIN, Lens
from tests.conftest import finding, missing_image, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"


def rated(number: int, severity: str, nvd: float | None, source: str = "debian") -> dict:
    """A finding with the scanner's severity and NVD's score, if NVD has one."""
    score = {"CVSS": {"nvd": {"V3Score": nvd}}} if nvd is not None else {}
    return finding(number, Severity=severity, SeveritySource=source, **score)


@pytest.fixture
def app(frames_of) -> Frames:
    return frames_of(
        app=trivy(
            rated(1, "LOW", 9.8),
            rated(2, "LOW", 7.5, "nvd"),
            rated(3, "HIGH", 5.0),
            rated(4, "HIGH", 7.5),
            rated(5, "HIGH", None, ""),
        ),
        clean=trivy(),
    )


def test_one_scale_against_the_other_level_by_level(app: Frames) -> None:
    answer = severity_scales.crosstab_answer(app.findings, PLAIN)
    table = answer.table.set_index(["variant", "severity"])
    assert list(table) == [*(f"NVD_{level}" for level in SEVERITIES), "no rating"]
    assert table.loc[("app", "LOW")].tolist() == [0, 0, 0, 1, 1, 0]
    assert table.loc[("app", "HIGH")].tolist() == [0, 0, 1, 1, 0, 1]
    assert table.loc[("app", "CRITICAL")].tolist() == [0] * 6
    assert table.index.get_level_values("severity").tolist() == list(SEVERITIES)


def test_how_nvd_rates_each_image(app: Frames) -> None:
    images = missing_image(app.images, "lost")
    table = severity_scales.rerated(app.findings, images).set_index("variant")
    assert table.loc["app"].to_dict() == {
        "findings": 5,
        "higher": 2,
        "lower": 1,
        "same": 1,
        "unrated": 1,
    }
    assert table.loc["clean"].tolist() == [0] * 5
    assert table.loc["lost"].isna().all()
    answer = severity_scales.answer(app.findings, images, Lens(rated_by="nvd"))
    assert answer.title == "NVD rates 2 of 5 findings higher, 1 lower, 1 not at all"


def test_both_scales_count_the_same_findings_at_other_levels(blog: Frames) -> None:
    answer = severity_scales.answer(blog.findings, blog.images, Lens(rated_by="nvd"))
    table = answer.table
    scanner = table[table["scale"].eq("as the scanner chose")].drop(columns="scale")
    pd.testing.assert_frame_equal(scanner, counting.severity_counts(blog.findings, blog.images))
    distroless = table[table["variant"].eq(DISTROLESS)].groupby("scale", sort=False)["count"]
    assert {scale: counts.tolist() for scale, counts in distroless} == {
        "as the scanner chose": [0, 12, 3, 1, 3],
        "NVD's": [4, 0, 7, 4, 4],
    }
    assert isinstance(answer.chart, Bars)
    assert answer.chart.totals == [48, 48, 19, 19]
    assert answer.chart.rows[:2] == [(ALPINE, "as the scanner chose"), (ALPINE, "NVD's")]
