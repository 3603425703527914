"""Growth: what was published of an image by each day, and how good counting by date is."""

from datetime import date

import pandas as pd
import pytest

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Curves, Mark, why_empty
from helpers.frames import Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.vulnerabilities import counting, growth
from helpers.vulnerabilities.lenses import PLAIN, Lens
from tests.conftest import finding, missing_image, suppressing, trivy

EARLIER, LATER = "2022-02", "2026-11"
ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
DAY = "2022-02-28"


@pytest.fixture(scope="module")
def newest() -> Frames:
    return load_study("blog-2022", LATER)


def curves(frames: Frames, lens: Lens = PLAIN) -> pd.DataFrame:
    return growth.growth(frames.findings, frames.images, lens)


def answer(frames: Frames, lens: Lens = PLAIN, **images: object) -> Answer:
    """The answer for images, of which some columns are other ones."""
    return growth.answer(frames.findings, frames.images.assign(**images), lens)


def steps(table: pd.DataFrame) -> list[tuple[str, int]]:
    return [(f"{row.day:%Y-%m-%d}", row.count) for row in table.itertuples(index=False, name="Row")]


def utc(day: str) -> pd.Timestamp:
    return pd.Timestamp(day, tz="UTC")


def published(number: int, day: str, **fields) -> dict:
    return finding(number, PublishedDate=f"{day}T12:00:00Z", **fields)


@pytest.fixture
def app(frames_of):
    """An image built on the second day with vulnerabilities of the first, the third and none."""
    report = trivy(
        published(1, "2024-01-01"),
        published(2, "2024-01-03"),
        published(3, "2024-01-03"),
        finding(4),
    )
    loaded = frames_of(app=report)
    days = {"created_at": utc("2024-01-02T08:00"), "db_updated_at": utc("2024-01-05T06:00")}
    return loaded._replace(images=loaded.images.assign(**days))


def test_a_curve_goes_from_the_day_of_the_build_to_that_of_the_database(app) -> None:
    table = curves(app)
    assert list(table) == ["capture", "variant", "status", "day", "count"]
    assert steps(table) == [("2024-01-02", 1), ("2024-01-03", 3), ("2024-01-05", 3)]


@pytest.mark.parametrize("year", ["0002", "1900", "9900"])
def test_a_date_that_cannot_be_counts_as_undated(frames_of, year: str) -> None:
    odd = published(1, f"{year}-01-03")
    report = trivy(odd, published(2, "2024-01-03"), CreatedAt=f"{year}-01-05T00:00:00Z")
    loaded = frames_of(app=report)
    assert steps(curves(loaded)) == [("2024-01-03", 1)]
    assert isinstance(answer(loaded).chart, Curves)
    assert growth.incomplete(loaded.findings)["lacks"].tolist() == ["a date"]


def test_without_a_day_of_the_build_it_starts_with_the_first_vulnerability(app) -> None:
    table = curves(app._replace(images=app.images.assign(created_at=pd.NaT)))
    assert steps(table)[:2] == [("2024-01-01", 1), ("2024-01-03", 3)]


def test_a_clean_image_has_a_line_at_zero_and_one_that_was_not_measured_has_none(app) -> None:
    images = missing_image(app.images, "lost")
    table = growth.growth(app.findings.iloc[:0], images, PLAIN)
    assert steps(table) == [("2024-01-02", 0), ("2024-01-05", 0)]
    assert growth.growth(app.findings, images.iloc[1:], PLAIN).empty


@pytest.mark.parametrize("counted", ["findings", "vulnerabilities", "vulnerability-packages"])
@pytest.mark.parametrize("day", [DAY, "2022-03-25", "2024-06-01", "2026-11-24"])
def test_on_any_day_the_count_is_that_of_the_lens_by_date(
    newest: Frames, counted: str, day: str
) -> None:
    lens = Lens(counted, fixable=True)
    by_date = counting.severity_counts(newest.findings, newest.images, lens._replace(known_by=day))
    totals = counting.totals(by_date).set_index("variant")["total"]
    assert growth.on(curves(newest, lens), day).to_dict() == totals.to_dict()


def test_one_vulnerability_with_dates_and_without_counts_from_the_earliest_on(frames_of) -> None:
    dated = published(1, "2024-01-03"), published(1, "2024-01-01", PkgName="curl")
    found = frames_of(app=trivy(finding(1, Severity="CRITICAL"), *dated))
    table = curves(found, Lens("vulnerabilities"))
    assert steps(table)[0] == ("2024-01-01", 1)
    assert table["count"].tolist()[-1] == 1


def test_what_is_exploited_counts_from_the_later_day_and_only_with_both(app) -> None:
    known = app.findings.assign(exploited=True, kev_added_at=utc("2024-01-04"))
    table = growth.growth(known, app.images, Lens(exploited=True))
    assert steps(table) == [("2024-01-02", 0), ("2024-01-04", 3), ("2024-01-05", 3)]


class TestAnswer:
    """What became of images since they were built, and after their support."""

    def test_the_day_of_the_lens_does_not_matter(self, newest: Frames) -> None:
        by_day = answer(newest, Lens("vulnerabilities", True, known_by="2021-01-01"))
        ever = answer(newest, Lens("vulnerabilities", True))
        assert by_day == ever._replace(table=by_day.table)
        assert by_day.counted == "fixable vulnerabilities"
        assert by_day.role == SLIDE
        pd.testing.assert_frame_equal(by_day.table, ever.table)

    def test_images_without_time_to_grow_have_no_curve(self, app: Frames) -> None:
        young = answer(app, created_at=utc("2024-01-03"))
        lost = answer(app, status="failed")
        assert why_empty(young.chart).startswith("Too young to have grown")
        assert why_empty(lost.chart).startswith("No image was measured")
        assert not any("A line may" in shown.text.plain for shown in (young, lost))

    def test_curves_have_ends_of_support_on_them_and_events(self, newest: Frames) -> None:
        day, complete = date(2022, 2, 28), date(2026, 8, 1)
        found = growth.answer(newest.findings, newest.images, PLAIN, {"post": day}, complete)
        assert "after 2026-08-01 is incomplete" in found.text.plain
        assert "A line may go flat" in found.text.plain
        chart = found.chart
        assert isinstance(chart, Curves)
        assert [curve.name for curve in chart.curves] == [ALPINE, DISTROLESS]
        assert [curve.supported_until for curve in chart.curves] == [
            date(2021, 11, 1),
            date(2026, 8, 31),
        ]
        first = chart.curves[0].points
        assert (first[0], first[-1]) == ((date(2019, 12, 24), 4), (date(2026, 11, 24), 49))
        assert chart.marks == [
            Mark(0, date(2021, 11, 1), 28, "Alpine 3.11.2: end of life", True),
            Mark(1, date(2024, 8, 14), 59, "Debian 11.2: end of life", False),
            Mark(1, date(2026, 8, 31), 107, "Debian 11.2: end of LTS", True),
        ]
        assert (chart.events, chart.complete) == ([(day, "post")], complete)
        with i18n.speaking("ko"):
            assert answer(newest).chart.marks[0].label == "Alpine 3.11.2: 지원 종료"

    def test_support_that_ends_later_ends_no_curve_and_facts_are_complete(self, app) -> None:
        found = growth.answer(app.findings, app.images, PLAIN, complete=date(2024, 1, 5))
        assert found.chart.curves[0].supported_until is None
        assert found.chart.marks == []
        assert found.chart.complete is None


class TestIncomplete:
    """What has no date or no severity."""

    def test_is_listed_with_what_it_lacks(self, frames_of) -> None:
        found = frames_of(
            app=trivy(
                published(1, "2024-01-01"),
                finding(2),
                published(3, "2024-01-01", Severity="UNKNOWN"),
                finding(4, Severity="UNKNOWN"),
            ),
            other=trivy(published(1, "2024-01-01")),
        ).findings
        listed = growth.undated_answer(found)
        table = listed.table
        assert dict(zip(table["vulnerability_id"], table["lacks"], strict=True)) == {
            "CVE-2024-0002": "a date",
            "CVE-2024-0003": "a severity",
            "CVE-2024-0004": "a date and a severity",
        }
        assert "Of 5 findings, 2 without a date" in listed.text.plain
        assert "2 without a severity" in listed.text.plain

    def test_leaves_out_what_is_suppressed(self, frames_of) -> None:
        report = suppressing(trivy(finding(1)), finding(2), finding(3))
        listed = growth.undated_answer(frames_of(app=report).findings)
        assert listed.table["vulnerability_id"].tolist() == ["CVE-2024-0001"]
        assert listed.text.plain.startswith("Of 1 finding, 1 without a date")


def two(earlier: Frames, later: Frames) -> Frames:
    parts = [
        [frame.assign(capture=day) for frame in frames]
        for day, frames in ((EARLIER, earlier), (LATER, later))
    ]
    return Frames(*(pd.concat(pair, ignore_index=True) for pair in zip(*parts, strict=True)))


def days(frames: Frames) -> Frames:
    """Two captures, the earlier with the database of the post's day."""
    by_capture = {EARLIER: utc(DAY), LATER: utc("2026-11-24")}
    return frames._replace(
        images=frames.images.assign(db_updated_at=frames.images["capture"].map(by_capture))
    )


class TestCountingByDate:
    """The database of a day, and a later one filtered by that day."""

    def test_misses_six_of_the_posts_findings(self, both: Frames) -> None:
        missed = growth.missed_answer(both, EARLIER, LATER)
        table = missed.table
        assert set(table["variant"]) == {DISTROLESS}
        assert set(table["only_in"]) == {"the database of that day"}
        gone = "no longer in the later database"
        assert table[["vulnerability_id", "package", "why"]].to_numpy().tolist() == [
            ["CVE-2007-6755", "libssl1.1", gone],
            ["CVE-2007-6755", "openssl", gone],
            ["CVE-2010-0928", "libssl1.1", gone],
            ["CVE-2010-0928", "openssl", gone],
            ["CVE-2021-3998", "libc6", gone],
            ["CVE-2021-3999", "libc6", "published on 2022-08-24"],
        ]
        lines = missed.text.plain.splitlines()
        assert [line.rpartition(": ")[2].partition(" by the")[0] for line in lines] == [
            "48 by date, 48",
            "13 by date, 19",
        ]

    def test_a_finding_without_a_date_and_one_that_the_earlier_database_lacked(self, frames_of):
        first = finding(1), published(2, "2020-01-01")
        then, now = (
            frames_of(app=trivy(*first)),
            frames_of(app=trivy(*first, published(3, "2020-01-01"))),
        )
        missed = growth.missed_answer(days(two(then, now)), EARLIER, LATER)
        assert missed.table[["vulnerability_id", "only_in", "why"]].to_numpy().tolist() == [
            ["CVE-2024-0001", "the database of that day", "no date"],
            [
                "CVE-2024-0003",
                "the date filter",
                "published, but not yet in the database of that day",
            ],
        ]
        assert "2 by date, 2 by the database" in missed.text.plain

    def test_what_is_suppressed_is_no_fault_of_a_database(self, frames_of) -> None:
        one, other, third = (published(number, "2020-01-01") for number in (1, 2, 3))
        then = frames_of(app=suppressing(trivy(one), other, third))
        now = frames_of(app=suppressing(trivy(other), one, third))
        missed = growth.missed_answer(days(two(then, now)), EARLIER, LATER)
        assert missed.table[["vulnerability_id", "only_in", "why"]].to_numpy().tolist() == [
            ["CVE-2024-0001", "the database of that day", "suppressed in the later capture"],
            ["CVE-2024-0002", "the date filter", "suppressed in the earlier capture"],
        ]
        assert "1 by date, 1 by the database" in missed.text.plain

    def test_what_is_suppressed_in_one_of_its_places_still_counts(self, frames_of) -> None:
        one = published(1, "2020-01-01")
        then, now = frames_of(app=trivy(one)), frames_of(app=suppressing(trivy(one), one))
        frames = days(two(then, now))
        # The suppressed one comes first.
        frames = frames._replace(findings=frames.findings[::-1])
        assert growth.missed(frames, EARLIER, LATER, DAY).empty

    def test_leaves_out_variants_that_were_not_measured_in_both(self, both: Frames) -> None:
        for capture in (EARLIER, LATER):
            lost = both.images["variant"].eq(DISTROLESS) & both.images["capture"].eq(capture)
            status = both.images["status"].mask(lost, "failed")
            frames = both._replace(images=both.images.assign(status=status))
            assert growth.missed(frames, EARLIER, LATER, DAY).empty
            assert set(growth.both_ways(frames, EARLIER, LATER, DAY)) == {ALPINE}

    @pytest.mark.parametrize("later", [EARLIER, LATER])
    def test_needs_a_second_capture_and_a_day(self, both: Frames, later: str) -> None:
        none = both.images["db_updated_at"].where(both.images["db_updated_at"].isna())
        undated = both.images.assign(db_updated_at=none, scanned_at=none)
        frames = both if later == EARLIER else both._replace(images=undated)
        missed = growth.missed_answer(frames, EARLIER, later)
        assert missed.table.empty
        assert "two captures" in missed.lacks

    def test_the_day_of_a_capture_is_its_databases_else_the_scans(self, both: Frames) -> None:
        assert growth.day_of(both.images, EARLIER) == DAY
        none = both.images["db_updated_at"].where(both.images["db_updated_at"].isna())
        no_db = both.images.assign(db_updated_at=none)
        assert growth.day_of(no_db, EARLIER) == "2026-11-24"
        assert growth.day_of(no_db.assign(scanned_at=none), EARLIER) == ""
