"""Attribution: what of a difference fixes take away, and what is left of it for the bases."""

import pandas as pd
import pytest

from helpers import attribution
from helpers.errors import StudyInvalid
from helpers.frames import Frames
from helpers.lenses import Lens
from helpers.load import load_study
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
    numbers = ["first_total", "second_total", "difference", "of_age", "with_all_fixes"]
    assert table.set_index(keys)[numbers].T.to_dict("list") == {
        ("2022-02", "findings"): [48, 19, 29, 48, -19],
        ("2022-02", "vulnerabilities"): [25, 16, 9, 25, -16],
        ("2026-11", "findings"): [49, 107, -58, -47, -11],
        ("2026-11", "vulnerabilities"): [26, 66, -40, -31, -9],
    }
    assert table["days_older"].unique().tolist() == [783]
    assert table["not_observable"].unique().tolist() == [ALPINE]


@pytest.mark.parametrize("fixable", [False, True])
@pytest.mark.parametrize("day", ["", "2022-06-01"])
def test_parts_add_up_to_the_difference_whatever_the_lens_of_fixes(both, fixable, day) -> None:
    table = posts(both, Lens("vulnerability-packages", fixable, known_by=day))
    assert (table["of_age"] + table["with_all_fixes"]).equals(table["difference"])
    assert (table["first_total"] - table["second_total"]).equals(table["difference"])
    left = table["first_with_all_fixes"] - table["second_with_all_fixes"]
    assert left.equals(table["with_all_fixes"])
    label = f", published by {day}" if day else ""
    assert table["counted"].tolist() == [f"findings{label}", f"vulnerabilities{label}"] * 2


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
        "first_with_all_fixes": 0,
        "second_with_all_fixes": 7,
        "with_all_fixes": -7,
        "of_age": 1,
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
        "**nodejs-distroless** (+29); **with every fix that was out, 0 against 19** (−19)"
    )
    assert told[-1] == (
        "In **blog-2022**, **nodejs-alpine** is 783 days older. What fixes would take away is the "
        "age of an image's packages. What has no fix cannot be seen in **nodejs-alpine**: that "
        "side of the rest is not zero but **not observable**, so what the bases differ in is known "
        "in part only."
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
    assert "1 on **a** against 1 on **b** (no difference); **with every fix" in told
    assert "1 against 1** (no difference)" in told
    assert "observable" not in told


def test_each_image_that_hides_what_is_unfixed_is_named_once(both: Frames) -> None:
    told = attribution.sentence(posts(images(both, DISTROLESS, os_family="wolfi")))
    assert "no fix cannot be seen in **nodejs-alpine**, **nodejs-distroless**: that side" in told


def row(study: str, difference: int, days: int | None = 18) -> pd.DataFrame:
    told = {"study": [study], "difference": [difference], "days_older": [days]}
    return pd.DataFrame({**told, "counted": "findings"}).astype({"days_older": "Int64"})


def test_the_matched_pair_has_the_other_sign_than_the_post(both: Frames, matched) -> None:
    assert attribution.lesson(attribution.of_capture(posts(both), "2022-02"), matched) == (
        "In **blog-2022** Alpine has 29 more than distroless, its image being 783 days apart; in "
        "**matched-2026**, 18 days apart and with one Node.js, 6 fewer (findings / findings, "
        "published by 2026-08-31). **The sign is the other way: the base alone does not explain "
        "the first.**"
    )


@pytest.mark.parametrize(
    ("ours", "pair", "same"), [(29, -6, False), (-5, 3, False), (40, 10, True), (-58, -6, True)]
)
def test_whether_the_base_fits_is_told_by_the_sign_alone(ours: int, pair: int, same: bool) -> None:
    told = attribution.lesson(row("ours", ours), row("pair", pair))
    assert told.endswith("fits the base but does not prove it." if same else "the first.**")


@pytest.mark.parametrize(("ours", "pair"), [(29, 0), (0, 3), (0, 0)])
def test_no_difference_has_no_sign(ours: int, pair: int) -> None:
    told = attribution.lesson(row("ours", ours), row("pair", pair))
    assert told.endswith("so there are no signs to compare.")


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
