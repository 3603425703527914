"""The choice under every capture and way of counting, and what it depends on."""

from collections.abc import Mapping
from datetime import date
from itertools import product
from typing import Any

import pandas as pd

from helpers.answers.answer import ANSWER, Answer
from helpers.frames import Frames
from helpers.text.i18n import Listing, Message, msg, told, word
from helpers.text.rich import AND, Phrase, Text, bullets, listed, name, paragraph, say
from helpers.verdict.decision import BLOCKED, NOTHING, decide
from helpers.verdict.ranking import REBUILD
from helpers.verdict.tradeoff import CRITERIA
from helpers.vulnerabilities import once
from helpers.vulnerabilities.lenses import EVER, Lens

COLUMNS = [
    *("study", "capture", "published_by", "counted", "choice", "score", "next", "next_score"),
    *("supported", "ships", "weighed"),
]

_DEPENDS = {
    "capture": msg("the capture"),
    "published_by": msg("the day counted by"),
    "counted": msg("what is counted"),
}

_TRIED = {
    "capture": msg("capture"),
    "published_by": msg("day"),
    "counted": msg("way of counting"),
}


def answer(choices: pd.DataFrame, beside: pd.DataFrame | None = None) -> Answer:
    """Answer what the choice depends on; `beside` has the choices of another study, if any."""
    table = choices if beside is None else together(choices, beside)
    return Answer("choices", text=_choices(table), table=table, role=ANSWER)


def choices(
    study: str,
    frames: Frames,
    published: pd.DataFrame,
    size: str,
    lens: Lens,
    weights: Mapping[str, float],
    known_by: str = "",
    today: date | None = None,
    rebuild: float = REBUILD,
) -> pd.DataFrame:
    """Return the choice under each capture, way of counting, and day that is counted by.

    `study, capture, published_by, counted, choice, score, next, next_score, supported, ships,
    weighed`.
    Counted are what the lens counts by its day, by the study's own day `known_by`, and all.
    `supported`: operating system and runtime of the choice still are, as far as is known; of the
    last capture on the day `today`. `ships`: nothing forbids to ship it.
    Variants that tie for the best score are one choice, joined by `or`; `weighed` names the
    criteria that count.
    """
    rows = []
    captures = [*frames.images["capture"].unique()]
    days = dict.fromkeys([lens.known_by, known_by, ""])
    for capture, day, counted in product(captures, days, once.COUNTED):
        captured = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        view = lens._replace(counted=counted, known_by=day)
        judged_on = today if capture == captures[-1] else None
        found = decide(captured, published, size, view, weights, judged_on, rebuild)
        if not found.can_choose:
            continue
        rest = found.ranked.iloc[len(found.best) :]
        row: dict[str, Any] = {
            "study": study,
            "capture": capture,
            "published_by": day or EVER,
            "counted": view.kind,
            "choice": Listing(found.best, msg(" or ")),
            "score": found.ranked["score"].iloc[0],
            "next": rest["variant"].iloc[0] if len(rest) else None,
            "next_score": rest["score"].iloc[0] if len(rest) else None,
            "supported": bool(found.ranked["supported"].iloc[0]),
            "ships": found.code not in (NOTHING, *BLOCKED),
            "weighed": Listing(Message(CRITERIA[criterion].short) for criterion in found.used),
        }
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    texts = dict.fromkeys(("study", "capture", "published_by", "next"), "str")
    numbers = {"score": "Float64", "next_score": "Float64", "supported": "bool", "ships": "bool"}
    return table.astype(texts | numbers)


def together(choices: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the choices of two studies, each once."""
    both = pd.concat([part for part in (choices, others) if len(part)] or [choices])
    keys = ["study", "capture", "published_by", "counted"]
    return both.drop_duplicates(keys, ignore_index=True)


def _choices(choices: pd.DataFrame) -> Text:
    """Return what the choice depends on, study by study, with each choice."""
    if choices.empty:
        return paragraph(say("No capture could be weighed."))
    text = Text()
    for study, rows in choices.groupby("study", sort=False):
        text += bullets([_depends(study, rows)])
        keys = ["capture", "published_by", "choice", "supported", "ships"]
        text += bullets(
            (_choice(alike, rows) for _, alike in rows.groupby(keys, sort=False)), level=2
        )
    return text


def _depends(study: object, choices: pd.DataFrame) -> Phrase:
    """Return what the choice of one study depends on."""
    reasons = [word(text) for column, text in _DEPENDS.items() if _varies(choices, column)]
    if reasons:
        what = listed(reasons, msg(" and on "))
        return say("{study}: the choice depends on {what}.", study=name(study), what=what)
    if choices["next"].isna().all() and not any(map(_is_tie, choices["choice"])):
        return say("{study}: there is nothing else to choose.", study=name(study))
    ways = [word(text) for column, text in _TRIED.items() if choices[column].nunique() > 1]
    if not ways:
        return say("{study}: there is one capture, and one way of counting.", study=name(study))
    return say(
        "{study}: the choice is the same by every {ways}.",
        study=name(study),
        ways=listed(ways, last=AND),
    )


def _choice(alike: pd.DataFrame, choices: pd.DataFrame) -> Phrase:
    """Return one choice of a study, and the ways of counting that it needs if not by all."""
    row = alike.iloc[0]
    capture, day, first = row["capture"], row["published_by"], name(told(row["choice"]))
    peers = choices[choices["capture"].eq(capture) & choices["published_by"].eq(day)]
    ways = listed(map(told, alike["counted"]))
    return say(
        "{capture}{until}{by}: {which}",
        capture=capture,
        until="" if day == EVER else say(", published by {day}", day=day),
        by=say(", by {ways}", ways=ways) if len(alike) < len(peers) else "",
        which=_which(row, first),
    )


def _is_tie(choice: object) -> bool:
    return isinstance(choice, Listing) and len(choice.values) > 1


def _which(row: pd.Series, first: Phrase) -> Phrase:
    if row["ships"]:
        return first
    ended = msg("none; {first} comes first but is past its support")
    exploited = msg("none; {first} comes first but has an exploited vulnerability without a fix")
    return say(exploited if row["supported"] else ended, first=first)


def _varies(choices: pd.DataFrame, column: str) -> bool:
    """Return whether the choice changes with one column while the others stay the same."""
    others = [key for key in _DEPENDS if key != column]
    return bool(choices.groupby(others)["choice"].nunique().gt(1).any())
