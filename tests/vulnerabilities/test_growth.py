"""Growth: what had been published of an image by each day, and how good counting by date is."""

from datetime import date

import pandas as pd
import pytest

from helpers.comparability import confounders
from helpers.frames import NO_OS, Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.vulnerabilities import counting, growth
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy

EARLIER, LATER = "2022-02", "2026-11"
ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
DAY = "2022-02-28"


@pytest.fixture(scope="module")
def newest() -> Frames:
    return load_study("blog-2022", LATER)


def curves(frames: Frames, lens: Lens = Lens()) -> pd.DataFrame:  # noqa: B008
    return growth.growth(frames.findings, frames.images, lens)


def ends(frames: Frames) -> pd.DataFrame:
    return confounders.ends(confounders.confounders(frames.images))


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


def test_without_a_day_of_the_database_it_ends_with_the_scan(app) -> None:
    days = {"db_updated_at": pd.NaT, "scanned_at": utc("2024-01-09")}
    table = curves(app._replace(images=app.images.assign(**days)))
    assert steps(table)[-1] == ("2024-01-09", 3)


def test_without_a_day_of_the_build_it_starts_with_the_first_vulnerability(app) -> None:
    table = curves(app._replace(images=app.images.assign(created_at=pd.NaT)))
    assert steps(table)[:2] == [("2024-01-01", 1), ("2024-01-03", 3)]


def test_a_clean_image_has_a_line_at_zero_and_one_that_was_not_measured_has_none(app) -> None:
    images = missing_image(app.images, "lost")
    table = growth.growth(app.findings.iloc[:0], images, Lens())
    assert steps(table) == [("2024-01-02", 0), ("2024-01-05", 0)]
    assert growth.growth(app.findings, images.iloc[1:], Lens()).empty


def test_the_posts_images_since_they_were_built(newest: Frames) -> None:
    table = curves(newest).set_index("variant")
    assert steps(table.loc[ALPINE])[::12] == [("2019-12-24", 4), ("2026-11-24", 49)]
    assert steps(table.loc[DISTROLESS])[::35] == [("2022-02-14", 13), ("2026-11-24", 107)]


@pytest.mark.parametrize("counted", ["findings", "vulnerabilities", "vulnerability-packages"])
@pytest.mark.parametrize("day", [DAY, "2022-03-25", "2024-06-01", "2026-11-24"])
def test_on_any_day_the_count_is_that_of_the_lens_by_date(
    newest: Frames, counted: str, day: str
) -> None:
    lens = Lens(counted, fixable=True)
    by_date = counting.severity_counts(newest.findings, newest.images, lens._replace(known_by=day))
    totals = counting.totals(by_date).set_index("variant")["total"]
    assert growth.on(curves(newest, lens), day).to_dict() == totals.to_dict()


def test_on_the_day_of_the_post_and_before_an_image_was_built(newest: Frames) -> None:
    assert growth.on(curves(newest), DAY).to_dict() == {ALPINE: 48, DISTROLESS: 13}
    assert growth.on(curves(newest), date(2022, 2, 13)).to_dict() == {ALPINE: 48}
    assert growth.on(curves(newest), date(2022, 2, 14)).to_dict() == {ALPINE: 48, DISTROLESS: 13}


def test_each_vulnerability_grows_once_and_the_day_of_the_lens_does_not_matter(
    newest: Frames,
) -> None:
    lens = Lens("vulnerabilities", known_by="2021-01-01")
    assert growth.headline(curves(newest, lens), lens) == (
        "Vulnerabilities since they were built: nodejs-alpine 2 → 26, nodejs-distroless 12 → 66"
    )
    assert growth.label(Lens(fixable=True, known_by=DAY)) == "fixable findings"


def test_a_headline_of_images_without_time_to_grow_says_so(app: Frames) -> None:
    young = app._replace(images=app.images.assign(created_at=utc("2024-01-03")))
    told = "Too young to have grown: built on the day of the database (findings)"
    assert growth.headline(curves(young), Lens()) == told
    nothing = growth.headline(curves(young).iloc[:0], Lens())
    assert nothing == "Findings since they were built: nothing measured"
    assert growth.headline(curves(app), Lens()).endswith(": app 1 → 3")
    unlooked = app._replace(images=app.images.assign(status=NO_OS))
    told = growth.headline(curves(unlooked), Lens())
    assert told.endswith(": app 1 → 3 (OS not looked at)")


def test_the_sentence_says_what_came_after_the_last_advisories(newest: Frames) -> None:
    assert growth.sentence(curves(newest), ends(newest), newest.findings).splitlines() == [
        "- **nodejs-alpine**: 4 on 2019-12-24, 49 on 2026-11-24; support ended on 2021-11-01, "
        "21 more followed, the last on 2022-08-05",
        "- **nodejs-distroless**: 13 on 2022-02-14, 107 on 2026-11-24; support ended on "
        "2026-08-31, none followed",
        "",
        "A line that goes flat once support has ended shows that advisories are no longer written, "
        "not that nothing is found.",
    ]


def test_one_vulnerability_with_a_date_and_without_is_known_from_its_date_on(frames_of) -> None:
    found = frames_of(app=trivy(finding(1, Severity="CRITICAL"), published(1, "2024-01-01")))
    lens = Lens("vulnerabilities")
    table = growth.growth(found.findings, found.images, lens)
    assert table["count"].tolist()[-1] == 1


def test_an_end_that_is_still_to_come_is_not_told(blog: Frames) -> None:
    told = growth.sentence(curves(blog), ends(blog), blog.findings).splitlines()
    assert told[1] == (
        "- **nodejs-distroless**: 15 on 2022-02-14, 15 on 2022-02-28; "
        "4 findings without a date not among them"
    )
    assert growth.sentence(curves(blog).iloc[:0], ends(blog), blog.findings) == (
        "No image was measured, so nothing is known of its growth."
    )


def test_an_image_built_after_its_support_is_not_said_to_have_grown_since(newest) -> None:
    images = newest.images.iloc[:1].assign(created_at=utc("2022-06-01"))
    frames = newest._replace(images=images)
    told = growth.sentence(curves(frames), ends(frames), newest.findings).splitlines()[0]
    assert told == (
        "- **nodejs-alpine**: 48 on 2022-06-01, 49 on 2026-11-24; support had ended on 2021-11-01 "
        "already"
    )


def test_what_has_no_date_or_severity_is_listed_with_what_it_lacks(frames_of) -> None:
    found = frames_of(
        app=trivy(
            published(1, "2024-01-01"),
            finding(2),
            published(3, "2024-01-01", Severity="UNKNOWN"),
            finding(4, Severity="UNKNOWN"),
        )
    ).findings
    table = growth.nameless(found)
    assert dict(zip(table["vulnerability_id"], table["lacks"], strict=True)) == {
        "CVE-2024-0002": "a date",
        "CVE-2024-0003": "a severity",
        "CVE-2024-0004": "a date and a severity",
    }
    told = growth.nameless_sentence(table, found)
    assert told.startswith("- **app**: of 4 findings, 2 without a date and 2 without a severity\n")


def test_the_matched_pair_lacks_dates_and_severities_and_the_posts_alpine_none(blog) -> None:
    matched = load_study("matched-2026").findings
    told = growth.nameless_sentence(growth.nameless(matched), matched)
    assert "- **node-24-slim**: of 126 findings, 16 without a date and 14 without" in told
    own = blog.findings[blog.findings["variant"].eq(ALPINE)]
    assert growth.nameless_sentence(growth.nameless(own), own) == (
        "Every finding has a date and a severity."
    )


def test_the_six_that_counting_by_date_misses_and_why(both: Frames) -> None:
    table = growth.missed(both, EARLIER, LATER, DAY)
    assert set(table["variant"]) == {DISTROLESS}
    assert set(table["only_in"]) == {"the database of that day"}
    gone = "the later database lists it no more"
    assert table[["vulnerability_id", "package", "why"]].to_numpy().tolist() == [
        ["CVE-2007-6755", "libssl1.1", gone],
        ["CVE-2007-6755", "openssl", gone],
        ["CVE-2010-0928", "libssl1.1", gone],
        ["CVE-2010-0928", "openssl", gone],
        ["CVE-2021-3998", "libc6", gone],
        ["CVE-2021-3999", "libc6", "published only 2022-08-24"],
    ]


def test_how_far_off_counting_by_date_is(both: Frames) -> None:
    totals = growth.both_ways(both, EARLIER, LATER, DAY)
    assert totals == {ALPINE: (48, 48), DISTROLESS: (13, 19)}
    table = growth.missed(both, EARLIER, LATER, DAY)
    assert growth.missed_sentence(table, DAY, totals).splitlines() == [
        "- **nodejs-alpine**: 48 by date, 48 by the database of 2022-02-28",
        "- **nodejs-distroless**: 13 by date, 19 by the database of 2022-02-28",
        "",
        "Counting by date is an approximation: 5 × the later database lists it no more, "
        "1 × published only later.",
    ]
    assert len(table) == sum(by_db - by_date for by_date, by_db in totals.values())


def two(earlier: Frames, later: Frames) -> Frames:
    parts = [
        [frame.assign(capture=day) for frame in frames]
        for day, frames in ((EARLIER, earlier), (LATER, later))
    ]
    return Frames(*(pd.concat(pair, ignore_index=True) for pair in zip(*parts, strict=True)))


def test_a_finding_without_a_date_and_one_that_the_earlier_database_lacked(frames_of) -> None:
    earlier = frames_of(app=trivy(finding(1), published(2, "2020-01-01")))
    later = frames_of(app=trivy(finding(1), published(2, "2020-01-01"), published(3, "2020-01-01")))
    table = growth.missed(two(earlier, later), EARLIER, LATER, DAY)
    assert table[["vulnerability_id", "only_in", "why"]].to_numpy().tolist() == [
        ["CVE-2024-0001", "the database of that day", "it has no date"],
        [
            "CVE-2024-0003",
            "the date filter",
            "published by then, but the database of that day did not list it",
        ],
    ]
    assert growth.both_ways(two(earlier, later), EARLIER, LATER, DAY) == {"app": (2, 2)}


def test_where_both_ways_find_the_same_counting_by_date_is_exact(frames_of) -> None:
    frames = frames_of(app=trivy(published(1, "2020-01-01")))
    table = growth.missed(two(frames, frames), EARLIER, LATER, DAY)
    assert growth.missed_sentence(table, DAY, {"app": (1, 1)}).endswith(": here it is exact.")


def test_a_variant_that_was_not_measured_in_both_is_compared_in_no_way(both: Frames) -> None:
    for capture in (EARLIER, LATER):
        lost = both.images["variant"].eq(DISTROLESS) & both.images["capture"].eq(capture)
        status = both.images["status"].mask(lost, "failed")
        frames = both._replace(images=both.images.assign(status=status))
        assert growth.missed(frames, EARLIER, LATER, DAY).empty
        assert set(growth.both_ways(frames, EARLIER, LATER, DAY)) == {ALPINE}


@pytest.mark.parametrize(("later", "day"), [(EARLIER, DAY), (LATER, "")])
def test_without_a_second_capture_or_a_day_nobody_knows_how_far_off_it_is(
    both: Frames, later: str, day: str
) -> None:
    table, totals = (way(both, EARLIER, later, day) for way in (growth.missed, growth.both_ways))
    assert table.empty
    assert growth.missed_sentence(table, day, totals).endswith(
        "that takes a capture with a database of that day."
    )


def test_the_day_of_a_capture_is_its_databases_else_the_scans(both: Frames) -> None:
    assert growth.day_of(both.images, EARLIER) == DAY
    assert growth.day_of(both.images, LATER) == "2026-11-24"
    none = both.images["db_updated_at"].where(both.images["db_updated_at"].isna())
    no_db = both.images.assign(db_updated_at=none)
    assert growth.day_of(no_db, EARLIER) == "2026-11-24"
    assert growth.day_of(no_db.assign(scanned_at=none), EARLIER) == ""


def test_in_korean_headline_and_sentences_are_korean(newest: Frames) -> None:
    table = curves(newest)
    with i18n.speaking("ko"):
        assert growth.headline(table, Lens()).startswith(
            "빌드 이후 발견 항목: nodejs-alpine 4 → 49"
        )
        told = growth.sentence(table, ends(newest), newest.findings)
    assert f"- **{ALPINE}**: 2019-12-24 4건, 2026-11-24 49건. 지원은 2021-11-01에 종료" in told
    assert "{" not in told


def test_in_korean_it_is_told_how_far_counting_by_date_is_off(both: Frames) -> None:
    with i18n.speaking("ko"):
        missed = growth.missed(both, EARLIER, LATER, DAY)
        totals = growth.both_ways(both, EARLIER, LATER, DAY)
        told = growth.missed_sentence(missed, DAY, totals)
    assert told.endswith("5 × 나중 데이터베이스에는 더 이상 없음, 1 × 이후에야 공개됨.")
