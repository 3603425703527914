"""Attribution: what of a difference fixes take away, and what is left of it for the bases."""

import re

import pandas as pd
import pytest

from helpers.errors import StudyInvalid
from helpers.frames import Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.verdict import attribution
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import COUNTED, NVD, Lens
from tests.conftest import finding, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"


@pytest.fixture(scope="module")
def matched() -> pd.DataFrame:
    return attribution.of_study("matched-2026", Lens())


def posts(frames: Frames, lens: Lens = Lens()) -> pd.DataFrame:  # noqa: B008
    return attribution.difference("blog-2022", frames, ALPINE, DISTROLESS, lens)


def images(frames: Frames, variant: str, **columns: object) -> Frames:
    """Frames whose images of one variant have another value in some columns."""
    changed = frames.images.copy()
    for column, value in columns.items():
        rest = changed[column].astype(object).where(changed["variant"].ne(variant), value)
        changed[column] = rest.astype(frames.images[column].dtype)
    return frames._replace(images=changed)


def test_the_posts_difference_is_the_age_of_its_alpine_image(both: Frames) -> None:
    table = posts(both)
    assert list(table) == attribution.COLUMNS
    keys = ["capture", "counted"]
    numbers = ["first_total", "second_total", "difference", "fixable_difference"]
    assert table.set_index(keys)[[*numbers, "second_with_all_fixes"]].T.to_dict("list") == {
        ("2022-02", "findings"): [48, 19, 29, 48, 19],
        ("2022-02", "vulnerabilities"): [25, 16, 9, 25, 16],
        ("2026-11", "findings"): [49, 107, -58, -47, 11],
        ("2026-11", "vulnerabilities"): [26, 66, -40, -31, 9],
    }
    # What Alpine has unfixed cannot be seen, and is not taken for zero.
    assert table[["first_with_all_fixes", "with_all_fixes"]].isna().all(axis=None)
    assert table["days_older"].unique().tolist() == [783]
    assert table["not_observable"].unique().tolist() == [ALPINE]


@pytest.mark.parametrize("fixable", [False, True])
@pytest.mark.parametrize("day", ["", "2022-06-01"])
def test_parts_add_up_to_the_difference_whatever_the_lens_of_fixes(both, fixable, day) -> None:
    seen = images(both, ALPINE, os_family="debian")
    table = posts(seen, Lens("vulnerability-packages", fixable, known_by=day))
    parts = table["fixable_difference"] + table["with_all_fixes"]
    assert parts.tolist() == table["difference"].tolist()
    assert (table["first_total"] - table["second_total"]).equals(table["difference"])
    left = table["first_with_all_fixes"] - table["second_with_all_fixes"]
    assert left.tolist() == table["with_all_fixes"].tolist()
    label = f", published by {day}" if day else ""
    assert table["counted"].tolist() == [f"findings{label}", f"vulnerabilities{label}"] * 2


def totals(frames: Frames, lens: Lens) -> dict[tuple[str, str], int]:
    """What each image counts under a lens, by capture and variant."""
    counts = counting.severity_counts(frames.findings, frames.images, lens)
    return counting.totals(counts).set_index(["capture", "variant"])["total"].to_dict()


@pytest.mark.parametrize("counted", COUNTED)
def test_both_ways_of_counting_are_told_whatever_the_lens_counts(both, counted: str) -> None:
    pd.testing.assert_frame_equal(posts(both, Lens(counted)), posts(both))


@pytest.mark.parametrize(
    "lens",
    [Lens(), Lens(known_by="2021-12-31"), Lens(place="os"), Lens(place="app"), Lens(severity=NVD)],
    ids=["plain", "day", "os", "app", "nvd"],
)
def test_the_parts_are_what_the_lens_counts_with_and_without_a_fix(both, lens: Lens) -> None:
    table = posts(images(both, ALPINE, os_family="debian"), lens)
    for row, counted in zip(table.itertuples(), ["findings", "vulnerabilities"] * 2, strict=True):
        view = lens._replace(counted=counted)
        whole, fixed = totals(both, view), totals(both, view._replace(fixable=True))
        first, second = (row.capture, ALPINE), (row.capture, DISTROLESS)
        assert row.counted == view.label
        assert [row.first_total, row.second_total] == [whole[first], whole[second]]
        assert row.first_with_all_fixes == whole[first] - fixed[first]
        assert row.second_with_all_fixes == whole[second] - fixed[second]
        assert row.fixable_difference == fixed[first] - fixed[second]


def test_a_vulnerability_that_is_fixed_in_one_package_only_is_gone_with_all_fixes(
    frames_of,
) -> None:
    """As vulnerabilities are counted, one is fixable if it is in any package."""
    half = [finding(1, PkgName="a", FixedVersion="2"), finding(1, PkgName="b"), finding(2)]
    frames = frames_of(a=trivy(*half), b=trivy())
    table = attribution.difference("s", frames, "a", "b", Lens()).set_index("counted")
    numbers = ["first_total", "first_with_all_fixes", "fixable_difference"]
    assert table[numbers].T.to_dict("list") == {
        "findings": [3, 2, 1],
        "vulnerabilities": [2, 1, 1],
    }


def test_another_study_is_counted_by_its_own_day_and_else_by_the_lens(matched) -> None:
    day = Lens(known_by="2019-01-01")
    pd.testing.assert_frame_equal(attribution.of_study("matched-2026", day), matched)
    assert attribution.of_study("blog-2022", day)["first_total"].tolist() == [48, 25]
    in_app = attribution.of_study("blog-2022", Lens(place="app"))
    assert in_app["counted"].tolist() == ["findings in the app", "vulnerabilities in the app"]
    assert in_app["first_total"].tolist() == [0, 0]


def test_of_the_matched_pair_as_known_by_the_studys_own_day(matched: pd.DataFrame) -> None:
    findings, vulnerabilities = matched.to_dict("records")
    assert findings == {
        "study": "matched-2026",
        "capture": "2026-11",
        "first": "node-24-alpine",
        "second": "node-24-distroless",
        "counted": "findings, published by 2026-08-31",
        "first_total": 18,
        "second_total": 24,
        "difference": -6,
        "first_with_all_fixes": None,
        "second_with_all_fixes": 7,
        "with_all_fixes": None,
        "fixable_difference": 1,
        "days_older": 18,
        "not_observable": "node-24-alpine",
    }
    assert [vulnerabilities["first_total"], vulnerabilities["second_total"]] == [9, 24]


def test_no_study_is_no_row_and_an_unknown_one_is_refused() -> None:
    none = attribution.of_study("", Lens())
    assert none.empty
    assert list(none) == attribution.COLUMNS
    with pytest.raises(StudyInvalid):
        attribution.of_study("matched", Lens())


@pytest.mark.parametrize("roles", [(None, DISTROLESS), (ALPINE, None), (None, None)])
def test_without_a_variant_of_each_role_nothing_is_taken_apart(both: Frames, roles) -> None:
    table = attribution.difference("blog-2022", both, *roles, Lens())
    assert table.empty
    assert attribution.sentence(table).startswith("No capture has both images scanned")


@pytest.mark.parametrize("status", ["failed", "missing", "no-os", "broken"])
def test_a_capture_in_which_not_both_were_scanned_is_left_out(both: Frames, status: str) -> None:
    lost = both.images["variant"].eq(ALPINE) & both.images["capture"].eq("2022-02")
    changed = both.images.assign(status=both.images["status"].mask(lost, status))
    assert posts(both._replace(images=changed))["capture"].tolist() == ["2026-11"] * 2


def test_one_capture_has_its_own_rows(both: Frames) -> None:
    table = attribution.of_capture(posts(both), "2026-11")
    assert table["difference"].tolist() == [-58, -40]
    assert table.index.tolist() == [0, 1]
    assert attribution.of_capture(posts(both), "2023").empty


def test_the_sentence_says_what_fixes_take_away_and_what_cannot_be_seen(both: Frames) -> None:
    told = attribution.sentence(posts(both)).splitlines()
    assert len(told) == 6
    assert told[0] == (
        "- **blog-2022**, 2022-02, findings: 48 on **nodejs-alpine** against 19 on "
        "**nodejs-distroless** (+29); of those with a fix, +48; "
        "**with every fix in, not observable against 19**"
    )
    assert told[-1] == (
        "In **blog-2022**, **nodejs-alpine** is 783 days older. What fixes would take away is the "
        "age of an image's packages. What has no fix cannot be seen in **nodejs-alpine**: that "
        "is **not observable**, and not zero, so what the bases differ in is known in part only."
    )


@pytest.mark.parametrize(
    ("built", "told"),
    [
        ("2022-02-14T23:00", "The images of **blog-2022** are of the same day."),
        ("2022-02-15", "**nodejs-distroless** is 1 day older."),
        ("2022-02-12T23:00", "**nodejs-alpine** is 2 days older."),
        (None, "How much older one of **blog-2022** is, is not known."),
    ],
)
def test_which_image_is_older_and_by_how_much(blog: Frames, built, told: str) -> None:
    when = pd.Timestamp(built, tz="UTC") if built else pd.NaT
    assert told in attribution.sentence(posts(images(blog, ALPINE, created_at=when)))


def test_images_alike_differ_in_nothing_and_where_all_is_seen_nothing_is_hidden(frames_of) -> None:
    frames = frames_of(a=trivy(finding()), b=trivy(finding()))
    told = attribution.sentence(attribution.difference("s", frames, "a", "b", Lens()))
    assert "1 on **a** against 1 on **b** (no difference); of those with a fix, no" in told
    assert "**with every fix in, 1 against 1**" in told
    assert "observable" not in told


def test_each_image_that_hides_what_is_unfixed_is_named_once(both: Frames) -> None:
    told = attribution.sentence(posts(images(both, DISTROLESS, os_family="wolfi")))
    assert "no fix cannot be seen in **nodejs-alpine**, **nodejs-distroless**: that is" in told


def test_of_two_studies_the_age_of_each_is_told_once(both: Frames, matched) -> None:
    note = attribution.sentence(pd.concat([posts(both), matched])).splitlines()[-1]
    assert note.startswith(
        "In **blog-2022**, **nodejs-alpine** is 783 days older. "
        "In **matched-2026**, **node-24-alpine** is 18 days older. What fixes"
    )
    assert "cannot be seen in **nodejs-alpine**, **node-24-alpine**: that is" in note


def row(study: str, difference: int, days: int | None = 18) -> pd.DataFrame:
    told = {"study": [study], "difference": [difference], "days_older": [days]}
    told["fixable_difference"] = [difference]
    return pd.DataFrame({**told, "counted": "findings"}).astype({"days_older": "Int64"})


def test_the_matched_pair_has_the_other_sign_than_the_post(both: Frames, matched) -> None:
    assert attribution.lesson(attribution.of_capture(posts(both), "2022-02"), matched) == (
        "In **blog-2022**, 783 days apart, Alpine has 29 more than distroless, of those with a fix "
        "48 more; in **matched-2026**, 18 days apart and with one Node.js, 6 fewer, of those with "
        "a fix 1 more (findings / findings, published by 2026-08-31). **Of what can be seen in "
        "both, +48 becomes +1: age and runtime explain the most of it.** What is left to the base "
        "is not known."
    )


@pytest.mark.parametrize(
    ("ours", "pair", "less"), [(29, -6, True), (-5, 8, False), (40, 40, False), (-58, -6, True)]
)
def test_what_age_explains_is_told_by_what_has_a_fix(ours: int, pair: int, less: bool) -> None:
    told = attribution.lesson(row("ours", ours), row("pair", pair))
    assert ("age and runtime explain the most of it" in told) == less
    assert told.endswith("is not known." if less else "age does not explain the most of it.")
    assert f"{abs(ours):,} {'more' if ours > 0 else 'fewer'} than distroless" in told
    assert "%" not in told


def test_a_matched_pair_says_of_itself_that_it_is_one(matched: pd.DataFrame) -> None:
    assert attribution.lesson(matched, matched) == (
        "**matched-2026** is the matched pair: its images are 18 days apart, so that age has the "
        "least part in what they differ in."
    )
    unknown = attribution.lesson(row("ours", 2), row("pair", 1, None))
    assert "in **pair**, an unknown number of days apart and" in unknown
    assert "in **pair**, 1 day apart and" in attribution.lesson(row("ours", 2), row("pair", 1, -1))


def test_without_a_pair_there_is_no_lesson(matched: pd.DataFrame) -> None:
    for two in ((matched, matched.iloc[:0]), (matched.iloc[:0], matched)):
        assert attribution.lesson(*two) == "No matched pair is held beside it."


def test_the_default_capture_of_a_study_is_the_one_that_is_taken() -> None:
    assert attribution.of_study("blog-2022", Lens())["first_total"].tolist() == [48, 25]
    assert load_study("blog-2022").images["capture"].unique().tolist() == ["2022-02"]


def test_the_lesson_in_korean_has_the_same_numbers(both, matched) -> None:
    with i18n.speaking("ko"):
        ours = attribution.of_capture(posts(both), "2022-02")
        said = attribution.lesson(ours, matched)
        lines = attribution.sentence(ours).splitlines()
    assert said.startswith("**blog-2022** 연구(빌드일 차이 ")
    assert "Alpine이 distroless보다 29건 많습니다" in said
    assert "관측 불가" in lines[0]
    for text in (said, *filter(None, lines)):
        assert re.search("[가-힣]", text), text
        assert "{" not in text
