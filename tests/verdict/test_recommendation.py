"""Recommendation: what stated weights choose, why, and what must not be overlooked."""

from datetime import date

import pandas as pd
import pytest

from helpers import Comparison
from helpers.answers.answer import ANSWER
from helpers.frames import Frames
from helpers.studies.load import load_published, load_study
from helpers.text.rich import Block
from helpers.verdict import ranking, recommendation, tradeoff
from helpers.verdict.decision import decide
from helpers.vulnerabilities.lenses import Lens
from tests.verdict.made import EVEN, VULNERABILITIES, able, decided

SHIP = "Ship"
NONE = "Ship none of these. Build on a supported base"
TODAY = date(2026, 11, 25)


def blocks(
    table: pd.DataFrame,
    role: str = "",
    weights: dict[str, float] = EVEN,
    lens: Lens = VULNERABILITIES,
) -> list[Block]:
    """The paragraphs and bullets of a recommendation, of one role if one is named."""
    found = decided(table, weights, lens=lens)
    text = recommendation.text(found, [], found, TODAY)
    return [block for block in text.blocks if role in ("", block.role)]


def said(table: pd.DataFrame, role: str = "", **options) -> str:
    return "\n".join(block.phrase.plain for block in blocks(table, role, **options))


def of_study(name: str, frames: Frames, lens: Lens = VULNERABILITIES) -> pd.DataFrame:
    return decide(frames, load_published(name), "", lens, EVEN).candidates


def built(*days: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days), utc=True))


def test_each_part_has_the_role_that_slides_choose_by(blog: Frames) -> None:
    answer = Comparison("blog-2022").where(lens="vulnerabilities").verdict.recommendation().answer
    assert (answer.name, answer.role) == ("recommendation", ANSWER)
    assert [(block.role, block.level) for block in answer.text.blocks] == [
        *(
            ("choice", 0),
            ("choice", 0),
            ("choice", 0),
            ("weighed", 0),
            ("counted", 1),
            ("loud", 1),
            ("loud", 1),
        ),
        *(("caution", 1), ("loud", 1), ("caution", 1), ("caution", 1)),
    ]


def test_the_weights_are_a_table_with_points_last() -> None:
    table = able((1, 10), (8, 20))
    points = recommendation._points(decided(table, EVEN)).set_index("criterion")
    assert points.columns.tolist() == ["weight", "✓ a", "b"]
    assert points.index[-1] == "points"
    assert float(points["✓ a"].iloc[-1]) < float(points["b"].iloc[-1])
    assert points.loc["fixable vulnerabilities"].tolist()[1:] == ["1", "8"]


CAPTURES = [
    ("blog-2022", "2022-02", "", f"{SHIP} nodejs-distroless"),
    (
        "blog-2022",
        "2026-11",
        "",
        f"{NONE} (database of 2026-11-24): nodejs-alpine, past its support",
    ),
    ("matched-2026", "2026-11", "2026-08-31", f"{SHIP} node-24-slim"),
    ("rebuilt-2026", "", "", f"{SHIP} node-24-distroless"),
]
each_capture = pytest.mark.parametrize(
    ("study", "capture", "day", "first"),
    CAPTURES,
    ids="2022-02 2026-11 matched rebuilt".split(),
)


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
                recommendation._points(decided(table, weights, lens=lens)).to_csv(),
                recommendation.weights_answer(decided(table, weights, lens=lens)).text.plain,
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
    # Were it seen and weighed, it would be shown: what is compared here can differ.
    families = frames.images["os_family"].mask(frames.images["variant"].eq(blind), "debian")
    images = frames.images.assign(os_family=families)
    seen = frames._replace(findings=findings, images=images)
    assert ("4,3" in whole(of_study(study, seen, lens))) == bool(weight)


@pytest.mark.parametrize(
    ("day", "after"), [("2026-01-02T00:00", True), ("2026-01-01T23:59", False)]
)
def test_only_what_was_built_after_the_lenss_day_had_time_for_its_fixes(day, after: bool) -> None:
    lens = VULNERABILITIES._replace(known_by="2026-01-01")
    table = able((1, 1), (2, 2), built_at=built(day, day))
    line = "a was built after 2026-01-01, so it may have fixes"
    assert (line in said(table, "loud", lens=lens)) == after
    assert "built after" not in said(table)


@pytest.mark.parametrize(
    ("days", "part"),
    [
        (("2026-01-09", "2026-01-01"), "a was built 8 days after b."),
        (("2026-01-08", "2026-01-01"), ""),
        (("2026-01-08T23:59", "2026-01-01T00:00"), ""),
        (("2026-01-09T00:00", "2026-01-01T23:59"), "a was built 8 days after b."),
        (("2026-01-01", "2026-03-01"), ""),
        (("2026-01-09", None), ""),
        ((None, "2026-01-01"), "The age of a is unknown."),
    ],
    ids="a-week-and-a-day a-week within-days of-the-calendar older other-unknown unknown".split(),
)
def test_a_younger_image_is_a_choice_of_image_and_not_of_base(days, part: str) -> None:
    at = pd.Series([pd.Timestamp(day, tz="UTC") if day else pd.NaT for day in days])
    text = said(able((1, 1), (2, 2), built_at=at), "loud")
    assert part in text
    assert ("was built" in text) == part.startswith("a was")
