"""Recommendation: what stated weights choose, why, and what must not be overlooked."""

import pandas as pd
import pytest

from helpers import recommend, verdict
from helpers.frames import Frames
from helpers.lenses import Lens
from helpers.load import load_published, load_study
from tests.test_tradeoff import EVEN, able

VULNERABILITIES = Lens("vulnerabilities")
TWO = {"fixable": 1.0, "size": 1.0}


def told(
    table: pd.DataFrame, weights: dict[str, float] = EVEN, lens: Lens = VULNERABILITIES
) -> str:
    return recommend.recommendation(table, weights, lens, "unpacked")


def mind(table: pd.DataFrame, weights: dict[str, float] = EVEN) -> str:
    return recommend.mind(table, weights, VULNERABILITIES, "unpacked")


def of_study(name: str, frames: Frames, lens: Lens = VULNERABILITIES) -> pd.DataFrame:
    return verdict.candidates(frames, load_published(name), "", lens)[0]


def built(*days: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days), utc=True))


def test_of_the_posts_images(blog: Frames) -> None:
    table = of_study("blog-2022", blog)
    said = recommend.recommendation(table, EVEN, VULNERABILITIES, "published", "2022-02-28")
    assert said.splitlines() == [
        "By what was known on 2022-02-28: **Of these images, as they are, ship** "
        "**nodejs-distroless**.",
        "",
        "Weighed: fixable vulnerabilities × 1, published size × 1, operating system past its "
        "support × 1, runtime past its end of life × 1. **nodejs-distroless** is ahead of "
        "**nodejs-alpine** by 2.65: better in fixable vulnerabilities (0 against 25), operating "
        "system past its support (no against yes), runtime past its end of life (no against yes); "
        "worse in published size (118.0 MB against 76.9 MB).",
        "",
        "- **nodejs-distroless**: score 1.00; 0 fixable, 16 unfixed, 4 of all HIGH or CRITICAL, "
        "118.0 MB published",
        "- **nodejs-alpine**: score 3.65; 25 fixable, unfixed not observable, 18 of all HIGH or "
        "CRITICAL, 76.9 MB published, its operating system is past its support, its runtime is "
        "past its end of life",
        "",
        "**What to bear in mind:**",
        "",
        "- Counted: vulnerabilities; fixes are those of the database.",
        "- **A choice of image, not of base:** **nodejs-distroless** was built 783 days after "
        "**nodejs-alpine**. What the older ones lack in fixes may be no more than their age: build "
        "all on one day to compare bases.",
        "- Not weighed: unfixed vulnerabilities, which cannot be seen in **nodejs-alpine**; nor "
        "any severity.",
        "- Not assessed at all: whether the running app reaches what was found, how it is "
        "configured, and what no scanner lists, such as the runtime's own binary.",
    ]


def test_of_the_matched_images_the_younger_one_had_time_for_fixes() -> None:
    lens = Lens("vulnerabilities", known_by="2026-08-31")
    said = told(of_study("matched-2026", load_study("matched-2026"), lens), lens=lens)
    assert said.startswith("**Of these images, as they are, ship** **node-24-slim**.\n")
    assert "built 47 days after **node-24-alpine**, 29 days after **node-24-distroless**" in said
    assert "- **node-24-slim** was built after 2026-08-31, the day that is counted by, and" in said
    assert (
        "not known of **node-24-distroless**. Among the others, weighing it: **node-24-slim** "
        "(1.67) before **node-24-alpine** (1.71).\n"
    ) in said


def test_of_the_rebuilt_images_the_app_brought_what_is_fixable() -> None:
    said = told(of_study("rebuilt-2026", load_study("rebuilt-2026")))
    assert said.startswith("**Of these images, as they are, ship** **node-24-distroless**.")
    assert "- Of what is fixable, the base image brought: **node-24-debian** 0 of 7, " in said
    assert "A choice of image" not in said
    assert "alike in fixable vulnerabilities, operating system past its support, runtime" in said


@pytest.mark.parametrize("status", ["broken", "failed", "no-os"])
def test_what_is_broken_or_not_fully_scanned_is_never_recommended(status: str) -> None:
    why = [None, f"it is {status}"]
    table = able((5, 9), (0, 1), status=["scanned", status], candidate=[True, False], why_not=why)
    said = told(table)
    assert said.startswith("**a** is the only candidate, so nothing is weighed against it.\n")
    assert f"- Not a candidate: **b**, it is {status}.\n" in said
    assert "**b**: score" not in said


def test_on_a_tie_there_is_no_choice() -> None:
    said = told(able((1, 2), (2, 1), (9, 9)), TWO)
    assert said.splitlines()[0] == "**No choice** between **a** and **b** at these weights."
    assert "ahead of" not in said


@pytest.mark.parametrize(
    ("past", "why"),
    [
        ({"ended": [1, 1]}, "its operating system is past its support"),
        ({"old_runtime": [1, 1]}, "its runtime is past its end of life"),
        (
            {"ended": [1, 1], "old_runtime": [1, 1]},
            "its operating system is past its support and its runtime is past its end of life",
        ),
    ],
    ids=["os", "runtime", "both"],
)
def test_what_is_no_longer_supported_is_not_shipped_as_it_is(past, why: str) -> None:
    said = told(able((1, 1), (2, 2), **past))
    assert said.splitlines()[0] == (
        f"**Ship none of these as it is.** **a** comes first, but {why}: build on what is "
        "supported, then compare again."
    )


def test_the_only_candidate_that_is_not_supported_is_not_shipped_either() -> None:
    assert told(able((1, 1), ended=[1])).startswith("**Ship none of these as it is.**")


def test_support_that_is_not_known_of_the_best_does_not_stop_it() -> None:
    said = told(able((1, 1), (2, 2), ended=[None, 1]))
    assert said.startswith("**Of these images, as they are, ship** **a**.\n")
    assert "- Not weighed: operating system past its support, not known of **a**.\n" in said


@pytest.mark.parametrize(
    ("table", "weights", "why"),
    [
        (able((1, 1), candidate=[False], why_not=["no"]), EVEN, "there is no candidate"),
        (able((1, 1), (2, 2)), dict.fromkeys(EVEN, 0.0), "every weight is zero"),
        (
            able((1, None), (2, 1)),
            {"size": 1.0},
            "nothing that has a weight is known of every candidate",
        ),
        (
            able((1, 1), (2, 2), mixed=[True, True]),
            EVEN,
            "the images were not scanned with one scanner and database, so their counts cannot be "
            "compared",
        ),
    ],
    ids=["nobody", "no-weight", "unknown", "mixed"],
)
def test_without_what_it_takes_nothing_is_recommended(table, weights, why: str) -> None:
    assert told(table, weights).splitlines()[0] == f"**Nothing is recommended:** {why}."


def test_nothing_weighed_has_no_scores() -> None:
    said = told(able((1, 1), (2, 2)), dict.fromkeys(EVEN, 0.0))
    assert "score" not in said
    assert "Weighed:" not in said
    assert mind(able((1, 1), (2, 2)), dict.fromkeys(EVEN, 0.0)) == (
        "Nothing is weighed, so nothing would change."
    )


def test_a_size_that_is_not_known_of_all_is_not_weighed_and_said_so() -> None:
    said = told(able((1, 10), (2, None), (3, 1)), TWO)
    assert "\nWeighed: fixable vulnerabilities × 1. **a** is ahead of **b** by 0.33: " in said
    assert "- **b**: score 0.67; 2 fixable, 0 unfixed, 0 of all HIGH or CRITICAL, size not " in said
    assert (
        "- Not weighed: unpacked size, not known of **b**. Among the others, weighing it: **c** "
        "(1.10) before **a** (1.33).\n"
    ) in said


def test_unfixed_ones_that_are_weighed_are_not_said_to_be_left_out() -> None:
    table = able((1, 1), (2, 2), unfixed=[2, 4])
    assert "- Not weighed: unfixed vulnerabilities; nor any severity." in told(table)
    said = told(table, EVEN | {"unfixed": 1.0})
    assert "nor any severity" not in said
    assert "better in fixable vulnerabilities (1 against 2), unfixed vulnerabilities (2 ag" in said
    hidden = able((1, 1), (2, 2), unfixed=[None, 4], blind=[True, False])
    assert "1 fixable, unfixed not observable, 0 of all" in told(hidden)
    assert "which cannot be seen in **a**; nor any severity." in told(hidden)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("2026-01-09", "2026-01-01"), "**a** was built 8 days after **b**. What the older"),
        (("2026-01-08", "2026-01-01"), None),
        (("2026-01-01", "2026-03-01"), None),
        (("2026-01-09", None), None),
        ((None, "2026-01-01"), "- When **a** was built is not known, so neither is what its age"),
    ],
    ids="a-week-and-a-day a-week older other-unknown unknown".split(),
)
def test_a_younger_image_is_told_as_a_choice_of_image_and_not_of_base(days, said) -> None:
    table = told(able((1, 1), (2, 2), built_at=built(*days)))
    assert (said or "") in table
    assert ("was built" in table) == (said is not None)


def test_where_another_weight_chooses_otherwise() -> None:
    table = able((1, 4), (2, 1))
    assert mind(table, {"fixable": 1.0, "size": 0.5}).splitlines() == [
        "**Another choice follows from another weight of one criterion:**",
        "",
        "- fixable vulnerabilities weighing less than 0.75 (now 1): **b**",
        "- unpacked size weighing more than 0.67 (now 0.5): **b**",
        "",
        "Scores are shares of the largest value here, so another candidate moves these weights.",
    ]
    assert mind(able((1, 1), (2, 2))) == (
        "No other weight of any one criterion changes the choice, all else equal."
    )


def test_of_images_that_were_not_scanned_alike_no_weight_would_choose() -> None:
    mixed = able((1, 4), (2, 1), mixed=[True, True])
    assert mind(mixed, TWO).startswith("Nothing is recommended, so no other weight")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [(1, 9), (9, 1)],
            "Smallest: b; fewest fixable vulnerabilities: a",
        ),
        ([(1, 1), (9, 2)], "a is the smallest, and has the fewest fixable vulnerabilities"),
        ([(7, 2), (7, 1)], "b is the smallest; all have 7 fixable vulnerabilities"),
        (
            [(1, 9), (9, None)],
            "Unpacked size and fixable vulnerabilities: fewer than two variants can be placed",
        ),
    ],
    ids=["trade", "one", "size-alone", "few"],
)
def test_headline(rows, said: str) -> None:
    assert recommend.headline(able(*rows), VULNERABILITIES, "unpacked") == said


def test_who_is_no_candidate_is_not_in_the_headline() -> None:
    table = able((5, 5), (6, 6), (0, 1), candidate=[True, True, False])
    assert recommend.headline(table, VULNERABILITIES, "unpacked").startswith("a is the smallest, ")
