"""Attribution: what of a difference is the base, and what is the age of one of the images."""

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
    return attribution.of_study("matched-2026", "findings")


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
    numbers = ["first_total", "second_total", "difference", "of_age", "of_base"]
    assert table.set_index("capture")[numbers].T.to_dict("list") == {
        "2022-02": [48, 19, 29, 48, -19],
        "2026-11": [49, 107, -58, -47, -11],
    }
    assert table["days_apart"].tolist() == [783, 783]
    assert table["blind"].tolist() == [ALPINE, ALPINE]


@pytest.mark.parametrize("counted", ["findings", "vulnerabilities", "vulnerability-packages"])
@pytest.mark.parametrize("fixable", [False, True])
def test_parts_by_age_and_base_add_up_to_the_difference(both: Frames, counted, fixable) -> None:
    table = posts(both, Lens(counted, fixable))
    assert (table["of_age"] + table["of_base"]).equals(table["difference"])
    assert (table["first_total"] - table["second_total"]).equals(table["difference"])
    assert not table["counted"].str.contains("fixable").any()


def test_of_the_matched_pair_as_known_by_the_studys_own_day(matched: pd.DataFrame) -> None:
    (row,) = matched.to_dict("records")
    assert row == {
        "study": "matched-2026",
        "capture": "2026-11",
        "first": "node-24-alpine",
        "second": "node-24-distroless",
        "counted": "findings, published by 2026-08-31",
        "first_total": 18,
        "second_total": 24,
        "difference": -6,
        "of_age": 1,
        "of_base": -7,
        "days_apart": 18,
        "blind": "node-24-alpine",
    }


def test_no_study_is_no_row_and_an_unknown_one_is_refused() -> None:
    none = attribution.of_study("", "findings")
    assert none.empty
    assert list(none) == attribution.COLUMNS
    with pytest.raises(StudyInvalid):
        attribution.of_study("matched", "findings")


@pytest.mark.parametrize("roles", [(None, DISTROLESS), (ALPINE, None), (None, None)])
def test_without_a_variant_of_each_role_nothing_is_taken_apart(both: Frames, roles) -> None:
    table = attribution.difference("blog-2022", both, *roles, Lens())
    assert table.empty
    assert attribution.sentence(table).startswith("No capture has both images scanned")


@pytest.mark.parametrize("status", ["failed", "missing", "no-os", "broken"])
def test_a_capture_in_which_not_both_were_scanned_is_left_out(both: Frames, status: str) -> None:
    lost = both.images["variant"].eq(ALPINE) & both.images["capture"].eq("2022-02")
    changed = both.images.assign(status=both.images["status"].mask(lost, status))
    assert posts(both._replace(images=changed))["capture"].tolist() == ["2026-11"]


def test_one_capture_is_one_row(both: Frames) -> None:
    table = attribution.of_capture(posts(both), "2026-11")
    assert table["difference"].tolist() == [-58]
    assert table.index.tolist() == [0]
    assert attribution.of_capture(posts(both), "2023").empty


def test_the_sentence_says_what_is_age_what_is_base_and_what_cannot_be_seen(both: Frames) -> None:
    assert attribution.sentence(posts(both)).splitlines() == [
        "- **blog-2022**, 2022-02 (**nodejs-alpine** is 783 days older): **nodejs-alpine** 48 "
        "against **nodejs-distroless** 19, +29; **+48 by age** (a newer package fixes it), "
        "**−19 by the base** (nothing fixes it yet)",
        "- **blog-2022**, 2026-11 (**nodejs-alpine** is 783 days older): **nodejs-alpine** 49 "
        "against **nodejs-distroless** 107, −58; **−47 by age** (a newer package fixes it), "
        "**−11 by the base** (nothing fixes it yet)",
        "",
        "Counted: findings. What is unfixed in **nodejs-alpine** cannot be seen, so its part by "
        "the base is that of what can be.",
    ]


@pytest.mark.parametrize(
    ("built", "told"),
    [
        ("2022-02-14", "built on the same day"),
        ("2022-02-15", "**nodejs-distroless** is 1 day older"),
        ("2022-02-12", "**nodejs-alpine** is 2 days older"),
        (None, "days apart not known"),
    ],
)
def test_which_image_is_older_and_by_how_much(blog: Frames, built, told: str) -> None:
    when = pd.Timestamp(built, tz="UTC") if built else pd.NaT
    assert f"({told})" in attribution.sentence(posts(images(blog, ALPINE, created_at=when)))


def test_images_alike_differ_in_nothing_and_where_all_is_seen_nothing_is_hidden(frames_of) -> None:
    frames = frames_of(a=trivy(finding()), b=trivy(finding()))
    told = attribution.sentence(attribution.difference("s", frames, "a", "b", Lens()))
    assert "no difference; **no difference by age**" in told
    assert "**no difference by the base**" in told
    assert told.endswith("\nCounted: findings.")


def test_each_image_that_hides_what_is_unfixed_is_named_once(both: Frames) -> None:
    told = attribution.sentence(posts(images(both, DISTROLESS, os_family="wolfi")))
    assert "What is unfixed in **nodejs-alpine**, **nodejs-distroless** cannot be seen" in told


def row(study: str, difference: int, days: int | None = 18) -> pd.DataFrame:
    told = {"study": [study], "difference": [difference], "days_apart": [days]}
    return pd.DataFrame(told).astype({"days_apart": "Int64"})


def test_the_matched_pair_turns_the_posts_result_around(both: Frames, matched) -> None:
    assert attribution.lesson(attribution.of_capture(posts(both), "2022-02"), matched) == (
        "In **blog-2022** Alpine has 29 more than distroless; in the matched pair of "
        "**matched-2026**, built 18 days apart, 6 fewer. **With age taken out, the difference is "
        "gone or turned around: it was not the base.**"
    )


@pytest.mark.parametrize(
    ("ours", "pair", "end"),
    [
        (29, 0, "gone or turned around: it was not the base.**"),
        (40, 10, "**With age taken out, 25% of the difference is left for the base.**"),
        (-58, -6, "**With age taken out, 10% of the difference is left for the base.**"),
        (10, 40, "**With age taken out, 100% of the difference is left for the base.**"),
        (-5, 3, "built 18 days apart, 3 more."),
        (-5, 0, "built 18 days apart, 0 more."),
        (0, 3, "built 18 days apart, 3 more."),
        (0, 0, "built 18 days apart, 0 more."),
    ],
)
def test_what_is_left_for_the_base(ours: int, pair: int, end: str) -> None:
    assert attribution.lesson(row("ours", ours), row("pair", pair)).endswith(end)


def test_a_matched_pair_says_of_itself_that_it_is_one(matched: pd.DataFrame) -> None:
    assert attribution.lesson(matched, matched) == (
        "**matched-2026** is the matched pair: its images are built 18 days apart, so that age has "
        "the least part in what is apart."
    )
    unknown = attribution.lesson(row("ours", 2), row("pair", 1, None))
    assert "built an unknown number of days apart" in unknown
    assert "built 1 day apart" in attribution.lesson(row("ours", 2), row("pair", 1, -1))


def test_without_a_pair_there_is_no_lesson(matched: pd.DataFrame) -> None:
    for two in ((matched, matched.iloc[:0]), (matched.iloc[:0], matched)):
        assert attribution.lesson(*two) == "No matched pair is at hand to hold beside it."


def test_the_default_capture_of_a_study_is_the_one_that_is_taken() -> None:
    assert attribution.of_study("blog-2022", "vulnerabilities")["first_total"].tolist() == [25]
    assert load_study("blog-2022").images["capture"].unique().tolist() == ["2022-02"]
