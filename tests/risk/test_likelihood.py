"""What is known of exploitation: each in one part, missing is not zero, no count without it."""

import pandas as pd

from helpers.risk import likelihood
from helpers.studies.load import load_study
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy

VULNERABILITIES = Lens("vulnerabilities")


def counts(frames, lens: Lens = VULNERABILITIES, least: float = 0.1) -> dict[str, list[int]]:
    table = likelihood.table(frames.findings, frames.images, lens, least)
    return {
        v: [None if pd.isna(count) else count for count in rows["count"]]
        for v, rows in table.groupby("variant", sort=False)
    }


def test_each_vulnerability_is_in_the_worst_part_that_it_can_be_in(scored) -> None:
    loaded = scored(
        {"CVE-2024-0001": 0.1, "CVE-2024-0002": 0.0999, "CVE-2024-0004": 0.001},
        {"CVE-2024-0004": "2024-02-01"},
        app=trivy(finding(1), finding(2), finding(3), finding(4), finding(4, PkgName="zlib")),
    )
    assert counts(loaded) == {"app": [1, 1, 1, 1]}
    assert counts(loaded, Lens()) == {"app": [2, 1, 1, 1]}
    assert counts(loaded, least=0.0999) == {"app": [1, 2, 0, 1]}


def test_of_the_posts_images_one_is_known_to_be_exploited() -> None:
    newest = load_study("blog-2022", "newest")
    assert counts(newest) == {"nodejs-alpine": [0, 8, 18, 0], "nodejs-distroless": [1, 9, 56, 0]}
    answer = likelihood.answer(newest.findings, newest.images, VULNERABILITIES)
    assert "CVE-2023-4911 (libc6, since 2023-11-21)" in answer.text.plain
    in_2022 = load_study("blog-2022", "2022-02")
    assert counts(in_2022) == {"nodejs-alpine": [0, 0, 25, 0], "nodejs-distroless": [0, 0, 16, 0]}


def test_without_evidence_nothing_is_counted_and_the_command_is_named(frames_of) -> None:
    loaded = frames_of(app=trivy(finding(1)))
    assert likelihood.table(loaded.findings, loaded.images, VULNERABILITIES)["count"].isna().all()
    answer = likelihood.answer(loaded.findings, loaded.images, VULNERABILITIES)
    assert answer.chart is None
    assert "python -m helpers risk" in answer.lacks


def test_what_the_catalog_took_up_after_the_images_day_is_told_and_not_counted(scored) -> None:
    loaded = scored({}, {"CVE-2024-0001": "2026-08-01"}, app=trivy(finding(1)))
    later = loaded._replace(findings=loaded.findings.assign(exploited=False))
    assert counts(later) == {"app": [0, 0, 0, 1]}
    answer = likelihood.answer(later.findings, later.images, VULNERABILITIES)
    assert "only since then: CVE-2024-0001" in answer.text.plain


def test_scores_without_a_catalog_do_not_say_that_nothing_is_exploited(scored) -> None:
    loaded = scored({"CVE-2024-0001": 0.2}, app=trivy(finding(1), finding(2)))
    nothing = loaded.images["kev_day"].where([False])
    images = loaded.images.assign(kev_source=None, kev_day=nothing)
    without = loaded._replace(images=images, findings=loaded.findings.assign(exploited=None))
    assert counts(without) == {"app": [None, 1, 0, 1]}
    answer = likelihood.answer(without.findings, images, VULNERABILITIES)
    assert "no record" in answer.text.plain
    assert answer.title.endswith("app not known")
    assert answer.chart.ends == ["2, exploited: not known"]
    brief = likelihood.brief_answer(without.findings, images, VULNERABILITIES).text.plain
    assert "no record" in brief
    assert "app 1 of 1" in brief


def test_a_catalog_without_scores_does_not_say_that_nothing_is_likely(scored) -> None:
    loaded = scored({}, {"CVE-2024-0001": "2024-02-01"}, app=trivy(finding(1), finding(2)))
    nothing = loaded.images["epss_day"].where([False])
    without = loaded._replace(images=loaded.images.assign(epss_day=nothing, epss_model=None))
    assert counts(without) == {"app": [1, None, None, 1]}
    brief = likelihood.brief_answer(without.findings, without.images, VULNERABILITIES).text.plain
    assert "app not known" in brief


def test_what_is_exploited_and_has_no_score_is_among_those_without_one(scored) -> None:
    loaded = scored({}, {"CVE-2024-0001": "2024-02-01"}, app=trivy(finding(1)))
    brief = likelihood.brief_answer(loaded.findings, loaded.images, VULNERABILITIES).text.plain
    assert "app 0 of 0" in brief


def test_by_a_day_only_what_the_catalog_had_by_then_is_exploited(scored) -> None:
    report = trivy(finding(1, PublishedDate="2020-01-01T00:00:00Z"))
    loaded = scored({}, {"CVE-2024-0001": "2024-02-01"}, app=report)
    assert counts(loaded, Lens("vulnerabilities", known_by="2024-01-31")) == {"app": [0, 0, 0, 1]}
    assert counts(loaded, Lens("vulnerabilities", known_by="2024-02-01")) == {"app": [1, 0, 0, 0]}
