"""Counts: given real evidence, these numbers; given none, missing and not zero."""

from typing import Any

import pandas as pd
import pytest

from helpers import frames
from helpers.answers.chart_data import Bars, why_empty
from helpers.frames import Frames
from helpers.studies.load import load_published
from helpers.vulnerabilities import breakdowns, captures, counting, published
from helpers.vulnerabilities.lenses import PLAIN, Lens
from tests.conftest import finding, missing_image, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"


def by_severity(counts: pd.DataFrame, variant: str) -> list[int]:
    return counts[counts["variant"].eq(variant)]["count"].tolist()


def findings_in(package: str, times: int) -> list[dict[str, Any]]:
    return [finding(number, PkgName=package) for number in range(times)]


def counted(frames_of, name: str, *lost: str, **others: dict[str, Any]) -> Frames:
    """Five images with 0 to 4 findings, other ones, and lost ones."""
    reports = {name.format(n): trivy(*findings_in("tar", n)) for n in range(5)}
    loaded = frames_of(**reports, **others)
    images = loaded.images
    for variant in lost:
        images = missing_image(images, variant)
    return loaded._replace(images=images)


def severity_title(loaded: Frames, lens: Lens = PLAIN) -> str:
    return breakdowns.severity_answer(loaded.findings, loaded.images, lens).title


class TestTables:
    """Every image and severity keeps its row."""

    def test_the_blogs_result_to_the_digit(self, blog: Frames) -> None:
        answer = published.answer(blog.findings, blog.images, load_published("blog-2022"))
        table = answer.table
        assert list(table) == ["variant", "severity", "published", "reproduced"]
        by_variant = {v: rows["reproduced"].tolist() for v, rows in table.groupby("variant")}
        assert by_variant == {ALPINE: [0, 2, 12, 31, 3, 48], DISTROLESS: [0, 12, 3, 1, 3, 19]}
        assert answer.text.plain.startswith("12 of 12 published numbers")

    def test_a_finding_less_in_the_evidence_is_one_less_in_the_result(self, blog: Frames) -> None:
        answer = published.answer(blog.findings.iloc[1:], blog.images, load_published("blog-2022"))
        table = answer.table.set_index(["variant", "severity"])
        assert table.loc[(ALPINE, "CRITICAL")].tolist() == [3, 2]
        assert table.loc[(ALPINE, "TOTAL")].tolist() == [48, 47]
        assert answer.text.plain.startswith("10 of 12 published numbers")
        assert f": {ALPINE} CRITICAL, {ALPINE} TOTAL" in answer.text.plain

    def test_captures_are_in_the_order_in_which_they_were_loaded(self, both) -> None:
        turned = both.images.iloc[::-1].assign(db_updated_at=pd.NaT)
        table = captures.across(both.findings, turned)
        assert table["capture"].tolist() == ["2026-11", "2022-02"] * 2

    def test_an_image_that_occurs_twice_is_refused_and_never_counted_twice(self, blog) -> None:
        with pytest.raises(ValueError, match="two rows"):
            counting.severity_counts(blog.findings, pd.concat([blog.images, blog.images]))

    def test_each_images_count_is_the_sum_of_its_severities_whatever_they_are(self, blog) -> None:
        findings = blog.findings.copy()
        findings.loc[findings.index[:9], "severity"] = None
        counts = counting.totals(counting.severity_counts(findings, blog.images))["total"]
        assert counting.image_counts(findings, blog.images)["count"].tolist() == counts.tolist()
        assert counts.sum() == len(findings) - 9

    def test_an_image_whose_vulnerabilities_were_not_looked_for_has_no_count(self, frames_of):
        loaded = frames_of(secrets=trivy(Results=[{"Target": "key", "Class": "secret"}]))
        counts = counting.severity_counts(loaded.findings, loaded.images)
        assert counts["count"].isna().all()

    def test_a_vulnerability_counts_once_an_image_at_its_highest_severity(self, frames_of) -> None:
        loaded = frames_of(
            app=trivy(
                finding(1, PkgName="a", Severity="LOW"),
                finding(1, PkgName="b", Severity="HIGH"),
                finding(2, PkgName="a", Severity="MEDIUM"),
            )
        )
        counts = counting.severity_counts(loaded.findings, loaded.images, Lens("vulnerabilities"))
        assert by_severity(counts, "app") == [0, 0, 1, 1, 0]

    def test_a_package_has_a_bar_in_every_image_that_has_it(self, frames_of) -> None:
        loaded = frames_of(
            a=trivy(*findings_in("linux", 4), *findings_in("tar", 1)),
            b=trivy(*findings_in("linux", 1), *findings_in("npm", 3)),
            c=trivy(),
        )

        def bars(most: int) -> list[tuple[str, str, int]]:
            table = counting.by_package(loaded.findings, loaded.images, PLAIN, most)
            summed = table.groupby(["package", "variant"], sort=False)["count"].sum()
            return [(*key, count) for key, count in summed.items()]

        every = [("linux", "a", 4), ("linux", "b", 1), ("npm", "b", 3), ("tar", "a", 1)]
        assert bars(12) == every
        assert bars(3) == every[:3]
        assert bars(2) == every[:2]
        assert bars(1) == every[:1]


class TestCharts:
    """Bars, one an image or a pair of names."""

    def test_the_worst_severity_comes_first_and_what_was_not_measured_is_none(self, frames_of):
        loaded = counted(frames_of, "image{}", "lost", scratch=trivy(Metadata={}))
        chart = breakdowns.severity_answer(loaded.findings, loaded.images, PLAIN).chart
        assert isinstance(chart, Bars)
        assert [series.key for series in chart.series] == [*reversed(frames.SEVERITIES)]
        assert chart.series[1].values == [0, 1, 2, 3, 4, 0, None]
        assert chart.rows[-1] == ("lost", "")
        assert chart.ends[-2:] == ["0 (OS not scanned)", "not measured"]
        assert chart.measured == [True] * 6 + [False]
        assert (chart.palette, chart.axis) == ("severity", "number of findings")

    def test_where_nothing_is_counted_there_is_no_bar(self, frames_of) -> None:
        loaded = frames_of(clean=trivy())
        answer = breakdowns.package_answer(loaded.findings, loaded.images, PLAIN)
        assert "nothing is counted" in why_empty(answer.chart)


class TestTitles:
    """All images that fit on two lines; of more, the largest and the range of the others."""

    def test_what_is_no_good_sign_is_in_no_range_but_named_or_counted(self, frames_of) -> None:
        name, scratch = "registry-image-number-{}", trivy(Metadata={})
        assert severity_title(counted(frames_of, name, "lost", scratch=scratch)).endswith(
            "4 others from 0 to 3, scratch 0 (OS not scanned), lost not measured"
        )
        lost = [name.format(f"lost-{n}") for n in range(2)]
        assert severity_title(counted(frames_of, name, *lost, scratch=scratch)).endswith(
            "4 others from 0 to 3, 1 with OS not scanned, 2 not measured"
        )


class TestTexts:
    """What has no number is said, and no low number is praised."""

    def test_images_to_be_read_with_care_are_named(self, frames_of) -> None:
        loaded = frames_of(scratch=trivy(Metadata={}), fine=trivy())
        text = breakdowns.images_answer(missing_image(loaded.images, "lost")).text.plain
        assert text.startswith("2 of 3 images scanned")
        assert "not reassuring: scratch." in text

    def test_one_winner_a_tie_and_a_single_image_are_told_apart(self, frames_of) -> None:
        def fewest(**reports: Any) -> str:
            loaded = frames_of(**reports)
            return captures.fewest_answer(loaded.findings, loaded.images, PLAIN).text.plain

        assert fewest(a=trivy(), b=trivy(finding(FixedVersion="2"))).endswith(": a.")
        assert fewest(a=trivy(), b=trivy()).endswith(": a, b.")
        nobody = "Fewer than two images have counts."
        assert fewest(a=trivy()) == nobody
        assert fewest(a=trivy(Metadata={}), b=trivy(finding())) == nobody
