"""EPSS scores of several days are refused in one capture, and of several models are no trend."""

from pathlib import Path

import pandas as pd
import pytest

from helpers import Comparison
from helpers.comparability import scan_consistency
from helpers.comparability.scan_consistency import MIXED, SCORES
from helpers.errors import StudyInvalid
from helpers.frames import Frames, make
from helpers.text import i18n
from tests.support.studies import score

OLD, NEW = "v2025.03.14", "v2026.06.15"
BEFORE, AFTER, LATER = "2026-06-13", "2026-06-20", "2026-08-15"
"""Real days: one week apart, of two models; and one more of the second."""

TREND, MAYBE = "a difference is not a trend", "a difference may not be a trend"


def images(*scores: tuple[str, str, str]) -> pd.DataFrame:
    """Images a, b, c … by capture, day and model; an empty one of these is missing."""
    captures, days, models = zip(*scores, strict=True)
    columns = {
        "variant": list("abcdef"[: len(scores)]),
        "capture": list(captures),
        "status": ["scanned"] * len(scores),
        "epss_day": [pd.Timestamp(day, tz="UTC") if day else None for day in days],
        "epss_model": [model or None for model in models],
    }
    return make("images", columns)


@pytest.mark.parametrize(
    ("scores", "mark"),
    [
        ([("c", AFTER, NEW), ("c", AFTER, NEW)], ""),
        ([("c", AFTER, NEW), ("c", "", "")], ""),
        ([("c", AFTER, NEW), ("c", AFTER, "")], ""),
        ([("c", AFTER, NEW), ("d", LATER, NEW)], ""),
        ([("c", AFTER, NEW), ("c", LATER, NEW)], MIXED[SCORES]),
        ([("c", AFTER, NEW), ("c", AFTER, OLD)], MIXED[SCORES]),
        ([("c", BEFORE, ""), ("c", AFTER, "")], MIXED[SCORES]),
        ([("c", BEFORE, OLD), ("d", AFTER, NEW)], f"scores of 2 models: {TREND}"),
        ([("c", BEFORE, ""), ("d", AFTER, NEW)], f"scores of an unknown model: {MAYBE}"),
        ([("c", BEFORE, ""), ("d", AFTER, "")], f"scores of an unknown model: {MAYBE}"),
        ([("c", BEFORE, "")], ""),
    ],
    ids="alike none same-day two-days days models days-unknown trend maybe unknown one".split(),
)
def test_what_a_figure_says_of_unlike_scores(scores, mark: str) -> None:
    found = images(*scores)
    assert scan_consistency.scores_mark(found) == mark
    assert bool(scan_consistency.unlike(found, SCORES)) == (mark == MIXED[SCORES])
    said = scan_consistency.scores_across(found).plain.lower()
    assert said.startswith(mark.partition(": ")[2])


def test_scores_of_several_days_in_one_capture_are_refused_and_listed() -> None:
    found = images(("c", BEFORE, OLD), ("c", AFTER, NEW), ("c", AFTER, NEW))
    frames = Frames(found, make("findings", {}), make("packages", {}))
    with pytest.raises(StudyInvalid) as raised, i18n.speaking("ko"):
        scan_consistency.require(frames, False, SCORES)
    first, *ways, remedy = str(raised.value).splitlines()
    assert first.startswith("images of capture c have other scores")
    assert ways == [
        f"  a with EPSS of {BEFORE} ({OLD})",
        f"  b and c with EPSS of {AFTER} ({NEW})",
    ]
    assert "--mixed" in remedy
    scan_consistency.require(frames, True, SCORES)
    scan_consistency.require(frames)
    failed = found.assign(status=["failed", "scanned", "scanned"])
    assert scan_consistency.unlike(failed, SCORES) == []


@pytest.fixture
def week(data: Path, shared: Path) -> None:
    """The blog's captures with the scores of a week that a new model came in."""
    score(shared, "blog-2022", "2022-02", BEFORE)
    score(shared, "blog-2022", "2026-11", AFTER)


@pytest.mark.usefixtures("week")
def test_across_captures_a_new_model_is_no_trend_and_every_figure_and_text_says_so() -> None:
    likely = Comparison("blog-2022", "2026-11").where(lens="vulnerabilities", epss=0.1)
    shown = likely.history.captures()
    assert shown.title.endswith("vulnerabilities with EPSS ≥ 0.1")
    alpine = shown.table[shown.table["variant"].eq("nodejs-alpine")]
    counts = alpine.groupby("capture")["count"].sum().to_dict()
    assert counts == {"2022-02": 1, "2026-11": 8}, "25 of its 26 vulnerabilities are the same"
    footer = (
        f"EPSS of {BEFORE} ({OLD}), 41 of 41 ids scored · EPSS of {AFTER} ({NEW}), 92 of 92 ids "
        f"scored · scores of 2 models: {TREND}"
    )
    assert footer in shown.footer
    assert footer in likely.verdict.recommendation().footer
    assert any("is not a trend" in line for line in shown.answer.talks[-1].spoken)
    alone = likely.vulnerabilities.severity()
    assert TREND not in alone.footer
    assert TREND not in likely.at("2022-02").history.growth().footer
    plain = likely.where(epss=0)
    assert "EPSS" not in plain.history.captures().footer + plain.history.captures().text.plain


@pytest.mark.usefixtures("week")
def test_beside_each_other_images_with_other_scores_are_refused_or_marked() -> None:
    newest, other = Comparison("blog-2022", "2026-11"), "matched-2026/2026-11"
    both = newest.with_images(other)
    counts = both.vulnerabilities.severity().table["count"]
    assert counts.sum() > 0, "one database: without scores they are alike"
    with pytest.raises(StudyInvalid, match=f"have other scores.*\n.*EPSS of {AFTER}"):
        both.where(epss=0.1).vulnerabilities.severity()
    mixed = Comparison("blog-2022", "2026-11", mixed=True).with_images(other).where(epss=0.001)
    assert MIXED[SCORES] in mixed.vulnerabilities.severity().footer
    assert MIXED[SCORES] not in mixed.where(epss=0).vulnerabilities.severity().footer
