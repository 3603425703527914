"""Recommendation: what stated weights choose, why, and what must not be overlooked."""

import re
from datetime import date

import pandas as pd
import pytest

from helpers import Comparison
from helpers.answers.answer import ANSWER
from helpers.frames import Frames
from helpers.studies.load import load_published, load_study
from helpers.text import i18n
from helpers.text.rich import Block
from helpers.verdict import ranking, recommendation, tradeoff
from helpers.verdict.decision import Decision, decide
from helpers.vulnerabilities.lenses import Lens
from tests.verdict.test_tradeoff import EVEN, able

VULNERABILITIES = Lens("vulnerabilities")
TWO = {"fixable": 1.0, "size": 1.0}
SHIP = "Of these images, ship"
NONE = "Ship none of these as it is, build on a supported base (database of 2026-11-24): "
TODAY = date(2026, 11, 25)


def decided(
    table: pd.DataFrame,
    weights: dict[str, float] = EVEN,
    lens: Lens = VULNERABILITIES,
    day: str = "2026-11-24",
) -> Decision:
    """The decision between these candidates."""
    ranked = ranking.scores(table, weights)
    return Decision("c", day, False, lens, "unpacked", weights, table, ranked)


def blocks(
    table: pd.DataFrame,
    role: str = "",
    weights: dict[str, float] = EVEN,
    lens: Lens = VULNERABILITIES,
) -> list[Block]:
    """The paragraphs and bullets of a recommendation, of one role if one is named."""
    found = decided(table, weights, lens)
    text = recommendation.text(found, [], found, TODAY)
    return [block for block in text.blocks if role in ("", block.role)]


def said(table: pd.DataFrame, role: str = "", **options) -> str:
    return "\n".join(block.phrase.plain for block in blocks(table, role, **options))


def other_weights(table: pd.DataFrame, weights: dict[str, float] = EVEN) -> str:
    return recommendation.weights_answer(decided(table, weights)).text.plain


def of_study(name: str, frames: Frames, lens: Lens = VULNERABILITIES) -> pd.DataFrame:
    return decide(frames, load_published(name), "", lens, EVEN).candidates


def built(*days: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days), utc=True))


def test_each_part_has_the_role_that_slides_choose_by(blog: Frames) -> None:
    answer = Comparison("blog-2022").counting("vulnerabilities").recommendation().answer
    assert (answer.name, answer.role) == ("recommendation", ANSWER)
    assert [(block.role, block.level) for block in answer.text.blocks] == [
        *(("choice", 0), ("choice", 0), ("choice", 0), ("weighed", 0), ("candidate", 1)),
        *(("candidate", 1), ("heading", 0), ("counted", 1), ("caution", 1), ("loud", 1)),
        *(("caution", 1), ("caution", 1)),
    ]
    lost = able((1, 1), (2, 2), candidate=[True, False], why_not=[None, "no"])
    assert said(lost, "not-candidate") == "Not a candidate: b, no."


CAPTURES = [
    ("blog-2022", "2022-02", "", f"{SHIP} nodejs-distroless"),
    ("blog-2022", "2026-11", "", f"{NONE}nodejs-alpine, past its support (Alpine 3.11.2 since"),
    ("matched-2026", "2026-11", "2026-08-31", f"{SHIP} node-24-slim"),
    ("matched-2026", "2026-11", "", f"{SHIP} node-24-alpine"),
    ("rebuilt-2026", "", "", f"{SHIP} node-24-distroless"),
]
YOUNGER = {
    ("2022-02", ""): "nodejs-distroless was built 783 days after nodejs-alpine. ",
    ("2026-11", "2026-08-31"): "node-24-slim was built 47 days after node-24-alpine, 29 days "
    "after node-24-distroless. ",
}
each_capture = pytest.mark.parametrize(
    ("study", "capture", "day", "first"),
    CAPTURES,
    ids="2022-02 2026-11 matched matched-ever rebuilt".split(),
)


@each_capture
@pytest.mark.parametrize("counted", ["findings", "vulnerabilities", "vulnerability-packages"])
def test_each_capture_of_each_study_has_its_choice_and_its_caution(
    study: str, capture: str, day: str, first: str, counted: str
) -> None:
    lens = Lens(counted, known_by=day)
    table = of_study(study, load_study(study, capture), lens)
    weights = tradeoff.WEIGHTS
    assert said(table, "choice", lens=lens, weights=weights).startswith(first)
    younger = YOUNGER.get((capture, day), "")
    loud = said(table, "loud", lens=lens, weights=weights)
    assert younger in loud
    assert ("A choice of image, not of base:" in loud) == bool(younger)
    assert ("the day that is counted by" in loud) == bool(day)


@each_capture
@pytest.mark.parametrize("weight", [0.0, 1.0], ids=["not-weighed", "weighed"])
def test_what_cannot_be_seen_of_an_image_is_neither_weighed_nor_shown(
    study: str, capture: str, day: str, first: str, weight: float
) -> None:
    """Unfixed ones of a blind image, however many are listed, change no score and no word."""
    lens = Lens("vulnerabilities", known_by=day)
    weights = tradeoff.WEIGHTS | {"unfixed": weight}
    frames = load_study(study, capture)

    def whole(table: pd.DataFrame) -> str:
        return "\n".join(
            [
                said(table, weights=weights, lens=lens),
                recommendation.weights_answer(decided(table, weights, lens)).text.plain,
                tradeoff.tradeoff_answer(table, lens, "unpacked").title,
            ]
        )

    table = of_study(study, frames, lens)
    (blind,) = table[table["blind"]]["variant"]
    one = frames.findings[frames.findings["variant"].eq(blind)].iloc[[0] * 4321]
    more = one.assign(
        vulnerability_id=[f"CVE-2019-{n}" for n in range(len(one))],
        vulnerability=[f"CVE-2019-{n}" for n in range(len(one))],
        fixed_version=None,
        severity=pd.Categorical(["LOW"] * len(one), dtype=frames.findings["severity"].dtype),
        published_at=pd.Timestamp("2019-01-01", tz="UTC"),
    ).astype(frames.findings.dtypes)
    findings = pd.concat([frames.findings, more], ignore_index=True)
    other = of_study(study, frames._replace(findings=findings), lens)
    pd.testing.assert_frame_equal(ranking.scores(other, weights), ranking.scores(table, weights))
    text = whole(other)
    assert text == whole(table)
    assert text.startswith(first)
    (line,) = (
        x for x in text.splitlines() if re.match(rf"{blind}: (at least )?[\d.]+ points; ", x)
    )
    assert " HIGH or CRITICAL, unfixed ones cannot be seen, " in line
    assert ("Not weighed: unfixed vulnerabilities" in text) == (not weight)
    assert (f"Not known of {blind}: unfixed vulnerabilities" in text) == bool(weight)
    assert f"what has no fix in {blind}" in text
    # Were it seen, it would be shown: what is compared here can differ.
    families = frames.images["os_family"].mask(frames.images["variant"].eq(blind), "debian")
    images = frames.images.assign(os_family=families)
    seen = frames._replace(findings=findings, images=images)
    assert "4,3" in whole(of_study(study, seen, lens))


def test_the_bases_share_of_what_is_fixable_is_that_of_the_findings() -> None:
    """Of the rebuilt images the base brought none; had it brought some, each counts once."""
    rebuilt = load_study("rebuilt-2026")
    head = "Of what is fixable, the base image brought: node-24-debian 0 of 7, node-24-alpine"
    assert f"{head} 0 of 7, node-24-di" in said(of_study("rebuilt-2026", rebuilt), "loud")
    fixed = rebuilt.findings[rebuilt.findings["fixed_version"].notna()]
    brought = fixed[fixed["variant"].eq("node-24-alpine")].index[:3]
    again = rebuilt.findings.loc[brought].assign(package="another")
    some = rebuilt.findings.assign(
        from_base=rebuilt.findings["from_base"].mask(rebuilt.findings.index.isin(brought), True)
    )
    changed = rebuilt._replace(findings=pd.concat([some, again], ignore_index=True))
    assert f"{head} 3 of 7, node-24-di" in said(of_study("rebuilt-2026", changed), "loud")


def test_the_bases_share_is_shown_only_if_it_is_known_of_every_candidate() -> None:
    head = "Of what is fixable, the base image brought: "
    share = pd.array([1, 0, None], dtype="Int64")
    table = able((2, 9), (3, 1), (4, 4)).assign(fixable_of_base=share)
    assert head not in said(table)
    out = table.assign(candidate=[True, True, False], why_not=[None, None, "no"])
    assert f"{head}a 1 of 2, b 0 of 3; the app the rest.\n" in said(out)


@pytest.mark.parametrize(
    ("day", "after"), [("2026-01-02T00:00", True), ("2026-01-01T23:59", False)]
)
def test_only_what_was_built_after_the_lenss_day_had_time_for_its_fixes(day, after: bool) -> None:
    lens = VULNERABILITIES._replace(known_by="2026-01-01")
    table = able((1, 1), (2, 2), built_at=built(day, day))
    line = "a was built after 2026-01-01, the day that is counted by"
    assert (line in said(table, "loud", lens=lens)) == after
    assert "counted by" not in said(table)


@pytest.mark.parametrize(
    ("days", "part"),
    [
        (("2026-01-09", "2026-01-01"), "a was built 8 days after b."),
        (("2026-01-08", "2026-01-01"), ""),
        (("2026-01-08T23:59", "2026-01-01T00:00"), ""),
        (("2026-01-09T00:00", "2026-01-01T23:59"), "a was built 8 days after b."),
        (("2026-01-01", "2026-03-01"), ""),
        (("2026-01-09", None), ""),
        ((None, "2026-01-01"), "When a was built is not known, so neither is what its age"),
    ],
    ids="a-week-and-a-day a-week within-days of-the-calendar older other-unknown unknown".split(),
)
def test_a_younger_image_is_a_choice_of_image_and_not_of_base(days, part: str) -> None:
    at = pd.Series([pd.Timestamp(day, tz="UTC") if day else pd.NaT for day in days])
    text = said(able((1, 1), (2, 2), built_at=at), "loud")
    assert part in text
    assert ("was built" in text) == bool(part)


def test_only_images_that_are_older_by_more_than_a_week_are_named() -> None:
    days = built("2026-02-01", "2026-01-25", "2026-01-24", "2026-03-01")
    text = said(able((1, 1), (2, 2), (3, 3), (4, 4), built_at=days))
    assert "a was built 8 days after c." in text


def test_names_are_text_wherever_they_stand() -> None:
    table = able((1, 1), (2, 2), (0, 1), candidate=[True, True, False], why_not=[None, None, "no"])
    strange = table.assign(variant=["<b>", "_b_", "**c**"])
    runs = [run for block in blocks(strange) for run in block.phrase.runs]
    for name in strange["variant"]:
        assert any(run.text == name and run.strong for run in runs)


@pytest.mark.parametrize("status", ["broken", "failed", "no-os"])
def test_what_is_broken_or_not_fully_scanned_is_never_recommended(status: str) -> None:
    why = [None, f"it is {status}"]
    table = able((5, 9), (0, 1), status=["scanned", status], candidate=[True, False], why_not=why)
    assert said(table, "choice").startswith(
        "a is the only candidate, so nothing is weighed against"
    )
    assert said(table, "not-candidate") == f"Not a candidate: b, it is {status}."
    assert [block.phrase.plain[:2] for block in blocks(table, "candidate")] == ["a:"]


def test_on_a_tie_there_is_no_choice() -> None:
    table = able((1, 2), (2, 1), (9, 9))
    assert said(table, "choice", weights=TWO).startswith("No choice between a and b at these ")
    alike = said(able((1, 2), (1, 2)), "choice", weights=TWO)
    assert alike.endswith("), with 1 fixable vulnerability each.")
    assert "a against b: " not in said(table, weights=TWO)


def test_support_that_is_not_known_of_the_best_does_not_stop_it() -> None:
    table = able((1, 1), (2, 2), ended=[None, 1])
    assert said(table, "choice").startswith(f"{SHIP} a ")
    assert "Not known of a: operating system past its support." in said(table, "loud")


@pytest.mark.parametrize(
    ("table", "weights", "why"),
    [
        (able((1, 1), candidate=[False], why_not=["no"]), EVEN, "there is no candidate"),
        (able((1, 1), (2, 2)), dict.fromkeys(EVEN, 0.0), "every weight is zero"),
        (able((1, None), (2, 1)), {"size": 1.0}, "nothing that has a weight is known of two"),
        (able((1, 1), (2, 2), mixed=[True, True]), EVEN, "the images were not scanned with one"),
    ],
    ids=["nobody", "no-weight", "unknown", "mixed"],
)
def test_without_what_it_takes_nothing_is_recommended(table, weights, why: str) -> None:
    assert said(table, "choice", weights=weights).startswith(f"Nothing is recommended: {why}")
    assert blocks(table, "weighed", weights) == blocks(table, "candidate", weights) == []
    head = "Nothing is recommended" if table["mixed"].any() else "Nothing is weighed"
    assert other_weights(table, weights).startswith(head)


def test_a_size_that_is_not_known_of_all_is_weighed_between_the_others() -> None:
    table = able((1, 10), (2, None), (3, 90))
    assert said(table, "weighed", weights=TWO).startswith("Weighed: fixable vulnerabilities × 1, ")
    line = "b: at least 0.16 points; 2 fixable, 0 of them HIGH or CRITICAL, 0 unfixed, 0 of them "
    assert line in said(table, "candidate", weights=TWO)
    loud = said(table, "loud", weights=TWO)
    assert "Not known of b: unpacked size. What is not known of both is not compared." in loud


def test_unfixed_ones_that_are_weighed_are_not_said_to_be_left_out() -> None:
    table = able((1, 1), (2, 2), unfixed=[2, 4])
    assert "Not weighed: unfixed vulnerabilities." in said(table, "caution")
    weights = EVEN | {"unfixed": 1.0}
    assert "Not weighed" not in said(table, weights=weights)
    assert "better in fixable vulnerabilities (1 against 2), unfixed vulnerabilities (2 ag" in said(
        table, "weighed", weights=weights
    )
    hidden = able((1, 1), (2, 2), unfixed=[None, 4], blind=[True, False])
    assert "unfixed ones cannot be seen, " in said(hidden, "candidate")
    assert "what has no fix in a." in said(hidden, "choice")


def test_what_is_exploited_counts_first_and_that_is_said_only_where_there_is_some() -> None:
    weights = tradeoff.WEIGHTS
    known = {"exploited": [0, 2], "known_exploited": ["", "CVE-1 since 2023-11-21"]}
    some = able((9, 9), (1, 1), **known)
    first = "and first: each costs 10 points, more than all else"
    assert first in said(some, "weighed", weights=weights)
    assert "2 known to be exploited" in said(some, "candidate", weights=weights)
    assert "exploited somewhere, not in these images" in said(some, "caution", weights=weights)
    less = said(some, "weighed", weights=weights | {"exploited": 0.5})
    assert "Each that is known to be exploited costs 0.5 points." in less
    assert "exploited co" not in said(some, "weighed", weights=weights | {"exploited": 0.0})
    none = said(able((9, 9), (1, 1)), weights=weights)
    assert "counts first" not in none
    assert "CISA" not in none


def test_what_is_not_known_of_exploitation_costs_nothing_and_is_named() -> None:
    unknown = able((1, 1), (2, 2), exploited=[None, 0], likely=[None, 0])
    loud = said(unknown, "loud", weights=tradeoff.WEIGHTS)
    assert "Not known of a: vulnerabilities known to be exploited." in loud
    assert "EPSS" not in loud, "it has no weight"
    assert "EPSS ≥ 0.1" in said(unknown, "loud", weights={"likely": 1.0})


def test_a_choice_by_scores_says_what_they_are_and_what_has_none() -> None:
    table = able((5, 1), (9, 2), likely=[1, 0], unscored=[4, 0])
    text = said(table, "caution", weights=EVEN | {"likely": 1.0})
    assert "within 30 days, not in these images. Fixable, but without a score" in text
    assert "not counted by it: a 4, b 0." in text
    assert "30 days" in said(table, "caution", lens=VULNERABILITIES._replace(epss=0.1))
    assert "30 days" not in said(table)


def test_where_another_weight_chooses_otherwise() -> None:
    table = able((0, 300), (9, 10))
    head, *lines = other_weights(table, {"fixable": 1.0, "size": 0.5}).splitlines()
    assert head.startswith("Another choice follows")
    assert lines == [
        "• fixable vulnerabilities weighing less than 0.72 (now 1): b",
        "• unpacked size weighing more than 0.7 (now 0.5): b",
    ]


def test_what_could_not_be_weighed_is_left_out_of_what_would_change_the_choice() -> None:
    none = "No other weight of one criterion alone changes the choice."
    assert other_weights(able((1, 1), (9, 2))).splitlines()[0] == none
    table = able((1, None), (1, None))
    left = " That leaves out what could not be weighed: unpacked size."
    assert other_weights(table).splitlines()[0] == none + left
    assert other_weights(table, EVEN | {"size": 0.0}).splitlines()[0] == none


def test_a_partial_database_makes_counts_too_low() -> None:
    table = able((1, 1), (2, 2))
    for partial in (True, False):
        text = said(table.assign(partial=[False, partial]), "caution")
        assert ("The database is partial" in text) == partial


def test_in_korean_the_same_is_recommended_for_the_same_reasons(blog: Frames) -> None:
    table = of_study("blog-2022", blog)
    out = able((1, 1), (2, 2)).assign(candidate=[True, False], why_not=["", "its capture failed"])
    with i18n.speaking("ko"):
        text = said(table)
        assert "후보 아님: b (수집 실패)." in said(out, "not-candidate")
    assert "nodejs-distroless 이미지를 배포하십시오 (2026-11-24 데이터베이스)" in text
