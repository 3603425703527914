"""Recommendation: what stated weights choose, why, and what must not be overlooked."""

import re

import pandas as pd
import pytest

from helpers.frames import Frames
from helpers.studies.load import load_published, load_study
from helpers.text import i18n
from helpers.verdict import recommendation, sensitivity, tradeoff
from helpers.vulnerabilities.lenses import Lens
from tests.verdict.test_tradeoff import EVEN, able

VULNERABILITIES = Lens("vulnerabilities")
TWO = {"fixable": 1.0, "size": 1.0}


def told(
    table: pd.DataFrame, weights: dict[str, float] = EVEN, lens: Lens = VULNERABILITIES
) -> str:
    return recommendation.recommendation(table, weights, lens, "unpacked")


def mind(table: pd.DataFrame, weights: dict[str, float] = EVEN) -> str:
    return recommendation.mind(table, weights, VULNERABILITIES, "unpacked")


def of_study(name: str, frames: Frames, lens: Lens = VULNERABILITIES) -> pd.DataFrame:
    return sensitivity.candidates(frames, load_published(name), "", lens)[0]


def built(*days: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days), utc=True))


def test_of_the_posts_images(blog: Frames) -> None:
    table = of_study("blog-2022", blog)
    said = recommendation.recommendation(table, EVEN, VULNERABILITIES, "published", "2022-02-28")
    assert said.splitlines() == [
        "By the database of 2022-02-28: **Of these images, as they are, ship** "
        "**nodejs-distroless**.",
        "",
        "Weighed: fixable vulnerabilities × 1, published size × 1, operating system past its "
        "support × 1, runtime past its end of life × 1; the lowest penalty is the best. "
        "**nodejs-distroless** is ahead of **nodejs-alpine** by 2.65: better in fixable "
        "vulnerabilities (0 against 25), operating system past its support (no against yes), "
        "runtime past its end of life (no against yes); worse in published size (118.0 MB against "
        "76.9 MB).",
        "",
        "- **nodejs-distroless**: penalty 1.00; 0 fixable, 16 unfixed, 4 of all HIGH or CRITICAL, "
        "118.0 MB published",
        "- **nodejs-alpine**: penalty 3.65; 25 fixable, unfixed not observable, 18 of all HIGH or "
        "CRITICAL, 76.9 MB published, its operating system is past its support, its runtime is "
        "past its end of life",
        "",
        "**What to bear in mind:**",
        "",
        "- Counted: vulnerabilities; fixes are those of the database.",
        "- The database is partial, so counts are too low, and not for all alike.",
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


SHIP = "**Of these images, as they are, ship**"
CAPTURES = [
    ("blog-2022", "2022-02", "", f"{SHIP} **nodejs-distroless**."),
    (
        "blog-2022",
        "2026-11",
        "",
        "**Ship none of these as it is.** **nodejs-alpine** comes first, but its operating system "
        "is past its support and its runtime is past its end of life: build on what is supported, "
        "then compare again.",
    ),
    ("matched-2026", "2026-11", "2026-08-31", f"{SHIP} **node-24-slim**."),
    ("matched-2026", "2026-11", "", f"{SHIP} **node-24-alpine**."),
    ("rebuilt-2026", "", "", f"{SHIP} **node-24-distroless**."),
]
NEWER = {
    ("blog-2022", "2022-02", ""): "**nodejs-distroless** was built 783 days after "
    "**nodejs-alpine**. ",
    ("matched-2026", "2026-11", "2026-08-31"): "**node-24-slim** was built 47 days after "
    "**node-24-alpine**, 29 days after **node-24-distroless**. ",
}
each_capture = pytest.mark.parametrize(
    ("study", "capture", "day", "first"),
    CAPTURES,
    ids="2022-02 2026-11 matched matched-ever rebuilt".split(),
)


def whole(table: pd.DataFrame, kind: str, weights: dict[str, float], lens: Lens) -> str:
    """All that is said of candidates."""
    return "\n".join(
        [
            recommendation.recommendation(table, weights, lens, kind),
            recommendation.mind(table, weights, lens, kind),
            recommendation.headline(table, lens, kind),
        ]
    )


@each_capture
@pytest.mark.parametrize("counted", ["findings", "vulnerabilities", "vulnerability-packages"])
def test_each_capture_of_each_study_has_its_choice_and_its_caution(
    study: str, capture: str, day: str, first: str, counted: str
) -> None:
    lens = Lens(counted, known_by=day)
    frames = load_study(study, capture) if capture else load_study(study)
    said = told(of_study(study, frames, lens), lens=lens).splitlines()
    assert said[0] == first
    cautions = [line for line in said if line.startswith("- **A choice of image, not of base:**")]
    newer = NEWER.get((study, capture, day))
    assert len(cautions) == (newer is not None)
    assert not newer or cautions[0].removeprefix("- **A choice of image, not of base:** ") == (
        f"{newer}What the older ones lack in fixes may be no more than their age: build all on one "
        "day to compare bases."
    )
    assert any("the day that is counted by" in line for line in said) == bool(day)


@each_capture
@pytest.mark.parametrize("weight", [0.0, 1.0], ids=["not-weighed", "weighed"])
def test_what_cannot_be_seen_of_an_image_is_neither_weighed_nor_told(
    study: str, capture: str, day: str, first: str, weight: float
) -> None:
    """Unfixed ones of a blind image, however many are listed, change no score and no word."""
    lens = Lens("vulnerabilities", known_by=day)
    weights = EVEN | {"unfixed": weight}
    frames = load_study(study, capture) if capture else load_study(study)
    table, kind = sensitivity.candidates(frames, load_published(study), "", lens)
    (blind,) = table[table["blind"]]["variant"]
    one = frames.findings[frames.findings["variant"].eq(blind)].iloc[[0] * 4321]
    more = one.assign(
        vulnerability_id=[f"CVE-2019-{n}" for n in range(len(one))],
        fixed_version=None,
        severity=pd.Categorical(["LOW"] * len(one), dtype=frames.findings["severity"].dtype),
        published_at=pd.Timestamp("2019-01-01", tz="UTC"),
    ).astype(frames.findings.dtypes)
    findings = pd.concat([frames.findings, more], ignore_index=True)
    other, _ = sensitivity.candidates(
        frames._replace(findings=findings), load_published(study), "", lens
    )
    assert "unfixed" not in tradeoff.weighed(other, weights)
    pd.testing.assert_frame_equal(tradeoff.scores(other, weights), tradeoff.scores(table, weights))
    said = whole(other, kind, weights, lens)
    assert said == whole(table, kind, weights, lens)
    assert said.startswith(first)
    (line,) = (x for x in said.splitlines() if x.startswith(f"- **{blind}**: penalty"))
    assert " fixable, unfixed not observable, " in line
    not_weighed = "Not weighed: unfixed vulnerabilities, "
    assert not_weighed + ("not known of" if weight else "which cannot be seen in") in said
    # Were it seen, it would be told: what is compared here can differ.
    seen = frames._replace(
        findings=findings,
        images=frames.images.assign(
            os_family=frames.images["os_family"].mask(frames.images["variant"].eq(blind), "debian")
        ),
    )
    assert "4,3" in whole(of_study(study, seen, lens), kind, weights, lens)


def test_the_bases_share_of_what_is_fixable_is_that_of_the_findings() -> None:
    """Of the rebuilt images the base brought none; had it brought some, each counts once."""
    rebuilt = load_study("rebuilt-2026")
    head = "- Of what is fixable, the base image brought: "
    names = ["node-24-debian", "node-24-alpine", "node-24-distroless", "node-8-distroless"]
    none = ", ".join(f"**{variant}** 0 of 7" for variant in names)
    assert f"{head}{none}; the app the rest.\n" in told(of_study("rebuilt-2026", rebuilt))
    fixed = rebuilt.findings[rebuilt.findings["fixed_version"].notna()]
    assert not fixed["from_base"].any()
    assert fixed.groupby("variant")["vulnerability_id"].nunique().tolist() == [7] * 4
    brought = fixed[fixed["variant"].eq("node-24-alpine")].index[:3]
    again = rebuilt.findings.loc[brought].assign(package="another")
    some = rebuilt.findings.assign(
        from_base=rebuilt.findings["from_base"].mask(rebuilt.findings.index.isin(brought), True)
    )
    changed = rebuilt._replace(findings=pd.concat([some, again], ignore_index=True))
    said = told(of_study("rebuilt-2026", changed))
    assert f"{head}**node-24-debian** 0 of 7, **node-24-alpine** 3 of 7, **node-24-di" in said


def test_the_bases_share_is_told_only_if_it_is_known_of_every_candidate() -> None:
    head = "Of what is fixable, the base image brought: "
    share = pd.array([1, 0, None], dtype="Int64")
    table = able((2, 9), (3, 1), (4, 4)).assign(fixable_of_base=share)
    assert head not in told(table)
    out = table.assign(candidate=[True, True, False], why_not=[None, None, "no"])
    assert f"- {head}**a** 1 of 2, **b** 0 of 3; the app the rest.\n" in told(out)


@pytest.mark.parametrize(
    ("day", "after"), [("2026-01-02T00:00", True), ("2026-01-01T23:59", False)]
)
def test_only_what_was_built_after_the_lenss_day_had_time_for_its_fixes(day, after: bool) -> None:
    lens = VULNERABILITIES._replace(known_by="2026-01-01")
    table = able((1, 1), (2, 2), built_at=built(day, day))
    line = "- **a** was built after 2026-01-01, the day that is counted by, and so had time for"
    assert (line in told(table, lens=lens)) == after
    assert "counted by" not in told(table)


def test_days_between_images_are_days_of_the_calendar() -> None:
    def newer(*times: str) -> bool:
        at = pd.Series([pd.Timestamp(time, tz="UTC") for time in times])
        return "A choice of image" in told(able((1, 1), (2, 2), built_at=at))

    assert not newer("2026-01-08T23:59", "2026-01-01T00:00")
    assert newer("2026-01-09T00:00", "2026-01-01T23:59")


def test_only_images_that_are_older_by_more_than_a_week_are_named() -> None:
    days = built("2026-02-01", "2026-01-25", "2026-01-24", "2026-03-01")
    said = told(able((1, 1), (2, 2), (3, 3), (4, 4), built_at=days))
    assert "**a** was built 8 days after **c**. What" in said


def test_names_are_text_wherever_they_stand() -> None:
    table = able((1, 1), (2, 2), (0, 1), candidate=[True, True, False], why_not=[None, None, "no"])
    strange = table.assign(variant=["<b>", "_b_", "[c](x)"])
    said = told(strange)
    assert all(text not in said for text in ("<b>", "_b_", "[c](x)"))
    assert said.count("**&lt;b&gt;**") >= 3
    assert "<b>" not in mind(strange.iloc[:2], {"size": 1.0, "fixable": 1.0})


@pytest.mark.parametrize("status", ["broken", "failed", "no-os"])
def test_what_is_broken_or_not_fully_scanned_is_never_recommended(status: str) -> None:
    why = [None, f"it is {status}"]
    table = able((5, 9), (0, 1), status=["scanned", status], candidate=[True, False], why_not=why)
    said = told(table)
    assert said.startswith("**a** is the only candidate, so nothing is weighed against it.\n")
    assert f"- Not a candidate: **b**, it is {status}.\n" in said
    assert "**b**: penalty" not in said


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
    assert "penalty" not in said
    assert "Weighed:" not in said
    assert mind(able((1, 1), (2, 2)), dict.fromkeys(EVEN, 0.0)) == (
        "Nothing is weighed, so nothing would change."
    )


def test_a_size_that_is_not_known_of_all_is_not_weighed_and_said_so() -> None:
    said = told(able((1, 10), (2, None), (3, 1)), TWO)
    assert "\nWeighed: fixable vulnerabilities × 1; the lowest penalty is the best. **a** " in said
    assert " **a** is ahead of **b** by 0.33: " in said
    assert (
        "- **b**: penalty 0.67; 2 fixable, 0 unfixed, 0 of all HIGH or CRITICAL, size not " in said
    )
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
        "No other weight of one criterion alone changes the choice."
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
        ([(7, 1), (7, 1)], "a and b are the smallest; all have 7 fixable vulnerabilities"),
        (
            [(7, 1), (7, 2), (7, None)],
            "a is the smallest; all 2 that can be placed have 7 fixable vulnerabilities",
        ),
        (
            [(1, 1), (1, 1), (9, 2)],
            "a and b are the smallest, and have the fewest fixable vulnerabilities",
        ),
        ([(1, 9)] * 2 + [(9, 1)], "Smallest: c; fewest fixable vulnerabilities: a and b"),
        (
            [(1, 9), (9, None)],
            "Unpacked size and fixable vulnerabilities: fewer than two variants can be placed",
        ),
    ],
    ids=["trade", "one", "size-alone", "tie", "placed", "tie-in-both", "many", "few"],
)
def test_headline(rows, said: str) -> None:
    assert recommendation.headline(able(*rows), VULNERABILITIES, "unpacked") == said


@pytest.mark.parametrize("what", ["ended", "old_runtime"])
def test_who_is_past_its_support_is_marked_in_the_headline(what: str) -> None:
    table = able((1, 9), (9, 1), **{what: [1, 0]})
    assert recommendation.headline(table, VULNERABILITIES, "unpacked") == (
        "Smallest: b; fewest fixable vulnerabilities: a (unsupported)"
    )


def test_of_equals_in_one_both_are_named() -> None:
    assert recommendation.headline(able((5, 1), (1, 1)), VULNERABILITIES, "unpacked") == (
        "Smallest: a and b; fewest fixable vulnerabilities: b"
    )
    long = able((1, 9), (9, 1)).assign(variant=[f"registry-example-com-team-{n}" for n in "xy"])
    assert recommendation.headline(long, VULNERABILITIES, "unpacked") == (
        "Smallest: registry…mple-com-team-y; fewest fixable vulnerabilities: "
        "registry…mple-com-team-x"
    )
    alike = long.assign(size=long["size"].iloc[0])
    assert recommendation.headline(alike, VULNERABILITIES, "unpacked").startswith(
        "Smallest: 2 variants"
    )


def test_the_day_of_the_database_and_that_of_the_lens_are_both_told() -> None:
    table, day = able((1, 1), (2, 2)), "2026-11-24"
    said = recommendation.recommendation(table, EVEN, VULNERABILITIES, "unpacked", day)
    assert said.startswith(f"By the database of 2026-11-24: {SHIP} **a**.\n")
    lens = VULNERABILITIES._replace(known_by="2026-08-31")
    said = recommendation.recommendation(table, EVEN, lens, "unpacked", day)
    assert said.startswith(
        "Counting what was published by 2026-08-31, fixes by the database of 2026-11-24: "
        f"{SHIP} **a**.\n"
    )
    assert recommendation.recommendation(table, EVEN, lens, "unpacked").startswith(
        f"{SHIP} **a**.\n"
    )


def test_a_partial_database_is_said_of_the_counts() -> None:
    line = "- The database is partial, so counts are too low, and not for all alike.\n"
    table = able((1, 1), (2, 2))
    assert line in told(table.assign(partial=[False, True]))
    assert line not in told(table.assign(partial=[False, False]))


def test_what_could_not_be_weighed_is_left_out_of_what_would_change_the_choice() -> None:
    table = able((1, 1), (2, None))
    left = " That leaves out what could not be weighed: unpacked size."
    none = "No other weight of one criterion alone changes the choice."
    assert mind(table) == none + left
    assert mind(table, EVEN | {"size": 0.0}) == none


def test_who_is_no_candidate_is_not_in_the_headline() -> None:
    table = able((5, 5), (6, 6), (0, 1), candidate=[True, True, False])
    assert recommendation.headline(table, VULNERABILITIES, "unpacked").startswith(
        "a is the smallest, "
    )


def test_in_korean_the_same_is_recommended_for_the_same_reasons(blog: Frames) -> None:
    table = of_study("blog-2022", blog)
    with i18n.speaking("ko"):
        said = recommendation.recommendation(
            table, EVEN, VULNERABILITIES, "published", "2022-02-28"
        )
        flipped = recommendation.mind(table, EVEN, VULNERABILITIES, "published")
        title = recommendation.headline(table, VULNERABILITIES, "published")
    lines = said.splitlines()
    assert lines[0] == (
        "2022-02-28 데이터베이스 기준: **이 중에서 지금 그대로 배포한다면** "
        "**nodejs-distroless** **이미지를 권합니다.**"
    )
    assert "**nodejs-distroless** 이미지가 **nodejs-alpine** 이미지를 2.65점 앞섭니다" in said
    assert "게시된 크기(118.0 MB 대 76.9 MB)" in said
    assert "**유의할 점:**" in lines
    for text in filter(None, [*lines, *flipped.splitlines(), title]):
        assert re.search("[가-힣]", text), text
        assert "{" not in text


def test_in_korean_what_is_no_longer_supported_is_not_shipped_either() -> None:
    with i18n.speaking("ko"):
        said = told(able((1, 1), (2, 2), ended=[1, 0], old_runtime=[1, 0]), TWO)
    assert said.startswith("**어느 것도 지금 그대로 배포하지 마십시오.**")
    assert "운영체제 지원 종료" in said
    assert "런타임 지원 종료" in said


def test_in_korean_who_is_no_candidate_is_told_why() -> None:
    table = able((1, 1), (2, 2)).assign(candidate=[True, False], why_not=["", "its capture failed"])
    with i18n.speaking("ko"):
        assert "후보 아님: **b** (수집 실패)." in told(table, TWO)
