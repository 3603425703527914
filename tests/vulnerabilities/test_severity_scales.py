"""Severity scales: whose severities the scanner took, and what NVD's say instead."""

import pandas as pd
import pytest

from helpers.frames import SEVERITIES, Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.vulnerabilities import counting, severity_scales
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"


def rated(number: int, ours: str, nvd: float | None, source: str = "debian") -> dict:
    """A finding with the scanner's severity and NVD's score, if NVD has one."""
    score = {"CVSS": {"nvd": {"V3Score": nvd}}} if nvd is not None else {}
    return finding(number, Severity=ours, SeveritySource=source, **score)


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


def test_whose_severities_the_posts_images_have(blog: Frames) -> None:
    table = severity_scales.sources(blog.findings).set_index(["variant", "severity_source"])
    assert list(table) == [*SEVERITIES, "total"]
    assert table["total"].to_dict() == {
        (ALPINE, "nvd"): 48,
        (DISTROLESS, "debian"): 12,
        (DISTROLESS, "nvd"): 5,
        (DISTROLESS, "several (precomputed)"): 2,
    }
    assert table.loc[(DISTROLESS, "nvd")].tolist() == [0, 0, 2, 0, 3, 5]


def test_one_side_against_the_other_level_by_level(app: Frames) -> None:
    table = severity_scales.crosstab(app.findings).set_index(["variant", "severity"])
    assert list(table) == [*(f"NVD_{level}" for level in SEVERITIES), "no rating"]
    assert table.loc[("app", "LOW")].tolist() == [0, 0, 0, 1, 1, 0]
    assert table.loc[("app", "HIGH")].tolist() == [0, 0, 1, 1, 0, 1]
    assert table.loc[("app", "CRITICAL")].tolist() == [0] * 6
    assert table.index.get_level_values("severity").tolist() == list(SEVERITIES)


def test_a_crosstab_has_every_finding_once(blog: Frames) -> None:
    table = severity_scales.crosstab(blog.findings)
    counted = table.groupby("variant")[list(table)[2:]].sum().sum(axis=1)
    assert counted.to_dict() == {ALPINE: 48, DISTROLESS: 19}


def test_how_nvd_rates_each_image(app: Frames) -> None:
    lost = missing_image(app.images, "lost")
    table = severity_scales.rerated(app.findings, lost).set_index("variant")
    assert table.loc["app"].to_dict() == {
        "findings": 5,
        "higher": 2,
        "lower": 1,
        "same": 1,
        "unrated": 1,
    }
    assert table.loc["clean"].tolist() == [0] * 5
    assert table.loc["lost"].isna().all()


def test_nvd_rates_debians_packages_higher_and_alpines_the_same(blog: Frames) -> None:
    table = severity_scales.rerated(blog.findings, blog.images).set_index("variant")
    assert table.loc[ALPINE].tolist() == [48, 0, 0, 48, 0]
    assert table.loc[DISTROLESS].tolist() == [19, 10, 0, 5, 4]


def test_headline(blog: Frames, app: Frames) -> None:
    table = severity_scales.rerated(blog.findings, blog.images)
    assert severity_scales.headline(table, Lens(severity="nvd")) == (
        "NVD rates 10 of 67 findings higher, 0 lower; of 4 the reports have no rating of NVD's"
    )
    clean = severity_scales.rerated(app.findings.iloc[:0], app.images)
    assert severity_scales.headline(clean, Lens()) == "By NVD's scale: nothing to rate"


def test_sentence_tells_a_clean_image_from_one_that_was_not_measured(app: Frames) -> None:
    table = severity_scales.rerated(app.findings, missing_image(app.images, "lost"))
    assert severity_scales.sentence(table).splitlines()[:3] == [
        "- **app**: of 5 findings, NVD has 2 rated higher, 1 lower, 1 the same, "
        "1 not rated in these reports",
        "- **clean**: nothing found, so nothing to rate",
        "- **lost**: not measured",
    ]


def test_both_scales_count_the_same_findings_at_other_levels(blog: Frames) -> None:
    table = severity_scales.both_scales(blog.findings, blog.images, Lens())
    assert table["scale"].unique().tolist() == ["as the scanner chose", "NVD's"]
    totals = table.groupby(["variant", "scale"])["count"].sum().unstack()
    assert totals.loc[ALPINE].tolist() == [48, 48]
    assert totals.loc[DISTROLESS].tolist() == [19, 19]
    distroless = table[table["variant"].eq(DISTROLESS)].groupby("scale", sort=False)["count"]
    assert {scale: counts.tolist() for scale, counts in distroless} == {
        "as the scanner chose": [0, 12, 3, 1, 3],
        "NVD's": [4, 0, 7, 4, 4],
    }


def test_a_scale_of_the_lens_itself_gives_way_to_both(blog: Frames) -> None:
    table = severity_scales.both_scales(blog.findings, blog.images, Lens(severity="nvd"))
    ours = table[table["scale"].eq("as the scanner chose")].drop(columns="scale")
    pd.testing.assert_frame_equal(ours, counting.severity_counts(blog.findings, blog.images))


def test_nvd_has_not_rated_most_of_what_became_known_in_2026() -> None:
    matched = load_study("matched-2026")
    table = severity_scales.rerated(matched.findings, matched.images).set_index("variant")
    assert table["unrated"].tolist() == [21, 83, 40]
    assert table["findings"].tolist() == [21, 126, 48]


def test_in_korean_headline_and_sentence_are_korean(blog: Frames) -> None:
    table = severity_scales.rerated(blog.findings, blog.images)
    with i18n.speaking("ko"):
        assert severity_scales.headline(table, Lens()).startswith(
            "발견 항목 67건 중 NVD가 더 높게 평가 10건"
        )
        told = severity_scales.sentence(table)
    assert f"- **{DISTROLESS}**: 발견 항목 19건 중 NVD 평가가 더 높은 것 10건" in told
