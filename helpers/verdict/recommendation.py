"""What weights recommend of the candidates of a trade-off: every word computed, with its limits."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers.answers.answer import ANSWER, Answer
from helpers.text.i18n import t, word
from helpers.text.rich import AND, Phrase, Text, bullets, listed, name, paragraph, say
from helpers.text.units import MB, megabytes
from helpers.verdict.caveats import cautions
from helpers.verdict.tradeoff import (
    CRITERIA,
    ENDED,
    best,
    flips,
    named,
    scores,
    unsupported,
    weighed,
)
from helpers.vulnerabilities.lenses import Lens

CHOICE, WEIGHED, CANDIDATE, HEADING = "choice", "weighed", "candidate", "heading"
"""Roles of the paragraphs and bullets; `caveats` has those of the cautions."""


def answer(
    candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str, day: str = ""
) -> Answer:
    """Answer what the weights recommend, why, and what must not be overlooked.

    `kind` is the kind of size that counts, `day` that of the database: a choice is one of its time.
    """
    ranked = scores(candidates, weights)
    text = paragraph(_when(lens, day) + _choice(candidates, ranked, weights), CHOICE)
    if weighed(candidates, weights) and not candidates["mixed"].any():
        text += _ranking(candidates, ranked, weights, lens, kind)
    text += paragraph(say("**What to bear in mind:**"), HEADING)
    text += cautions(candidates, weights, lens, kind)
    counted = lens._replace(fixable=False).label
    return Answer("recommendation", text=text, counted=counted, role=ANSWER)


def weights_answer(
    candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str
) -> Answer:
    """Answer at which other weights the recommendation would be another."""
    return Answer("other-weights", text=_other_weights(candidates, weights, lens, kind))


def _other_weights(
    candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str
) -> Text:
    used = weighed(candidates, weights)
    if not used:
        return paragraph(say("Nothing is weighed, so nothing would change."))
    if candidates["mixed"].any():
        return paragraph(
            say("Nothing is recommended, so no other weight would recommend otherwise.")
        )
    table = flips(candidates, weights)
    if table.empty:
        text = say("No other weight of one criterion alone changes the choice.")
        left = [named(c, lens, kind) for c in CRITERIA if weights.get(c) and c not in used]
        if left:
            text += say(
                " That leaves out what could not be weighed: {criteria}.", criteria=listed(left)
            )
        return paragraph(text)
    return (
        paragraph(say("**Another choice follows from another weight of one criterion:**"))
        + bullets(_flip(row, weights, lens, kind) for row in table.itertuples())
        + paragraph(
            say(
                "Scores are shares of the largest value here, so another candidate moves these "
                "weights."
            )
        )
    )


def _when(lens: Lens, day: str) -> Phrase:
    """Return of which day a choice is, as its beginning; empty if that is not known."""
    if not day:
        return Phrase()
    if not lens.known_by:
        return say("By the database of {day}: ", day=day)
    return say(
        "Counting what was published by {known_by}, fixes by the database of {day}: ",
        known_by=lens.known_by,
        day=day,
    )


def _choice(candidates: pd.DataFrame, ranked: pd.DataFrame, weights: Mapping[str, float]) -> Phrase:
    if ranked.empty:
        return say("**Nothing is recommended:** there is no candidate.")
    if not any(weights.values()):
        return say("**Nothing is recommended:** every weight is zero.")
    if not weighed(candidates, weights):
        return say(
            "**Nothing is recommended:** nothing that has a weight is known of every candidate."
        )
    if candidates["mixed"].any():
        return say(
            "**Nothing is recommended:** the images were not scanned with one scanner and "
            "database, so their counts cannot be compared."
        )
    first, *others = best(ranked)
    if others:
        return say(
            "**No choice** between {variants} at these weights.",
            variants=listed(map(name, [first, *others]), AND),
        )
    if ended := unsupported(candidates.set_index("variant").loc[first]):
        return say(
            "**Ship none of these as it is.** {first} comes first, but {ended}: build on what is "
            "supported, then compare again.",
            first=name(first),
            ended=listed(ended, AND),
        )
    if len(ranked) == 1:
        return say(
            "{first} is the only candidate, so nothing is weighed against it.", first=name(first)
        )
    return say("**Of these images, as they are, ship** {first}.", first=name(first))


def _ranking(
    candidates: pd.DataFrame,
    ranked: pd.DataFrame,
    weights: Mapping[str, float],
    lens: Lens,
    kind: str,
) -> Text:
    """Return what was weighed, how the first and the next compare, and each candidate's penalty."""
    used = weighed(candidates, weights)
    by_variant = candidates.set_index("variant")
    why = say(
        "Weighed: {criteria}; the lowest penalty is the best.",
        criteria=listed(f"{named(c, lens, kind)} × {weights[c]:g}" for c in used),
    )
    if len(ranked) > 1 and len(best(ranked)) == 1:
        first, second = (by_variant.loc[variant] for variant in ranked["variant"].iloc[:2])
        why += say(
            " {first} is ahead of {second} by {apart:.2f}: {parts}.",
            first=name(first.name),
            second=name(second.name),
            apart=ranked["score"].iloc[1] - ranked["score"].iloc[0],
            parts=_compared(first, second, used, lens, kind),
        )
    lines = (
        say(
            "{variant}: penalty {score:.2f}; {values}",
            variant=name(row.variant),
            score=row.score,
            values=_values(by_variant.loc[row.variant], kind),
        )
        for row in ranked.itertuples()
    )
    return paragraph(why, WEIGHED) + bullets(lines, role=CANDIDATE)


def _compared(
    first: pd.Series, second: pd.Series, used: list[str], lens: Lens, kind: str
) -> Phrase:
    """Return in which criteria one candidate is better and worse than another."""
    less, more = (
        listed(
            say(
                "{criterion} ({first} against {second})",
                criterion=named(criterion, lens, kind),
                first=_value(criterion, first),
                second=_value(criterion, second),
            )
            for criterion in used
            if sign * (int(second[criterion]) - int(first[criterion])) > 0
        )
        for sign in (1, -1)
    )
    alike = listed(named(c, lens, kind) for c in used if first[c] == second[c])
    parts = [
        say("better in {criteria}", criteria=less) if less else Phrase(),
        say("worse in {criteria}", criteria=more) if more else Phrase(),
        say("alike in {criteria}", criteria=alike) if alike else Phrase(),
    ]
    return listed(filter(None, parts), "; ")


def _flip(row: Any, weights: Mapping[str, float], lens: Lens, kind: str) -> Phrase:
    """Return from which weight of a criterion another variant comes first."""
    values = {
        "criterion": named(row.criterion, lens, kind),
        "weight": row.weight,
        "now": weights.get(row.criterion, 0),
        "variant": name(row.variant),
    }
    if row.above:
        return say("{criterion} weighing more than {weight:.2g} (now {now:g}): {variant}", **values)
    return say("{criterion} weighing less than {weight:.2g} (now {now:g}): {variant}", **values)


def _value(criterion: str, candidate: pd.Series) -> str:
    if criterion == "size":
        return f"{megabytes(candidate['size'])} MB"
    if criterion in ENDED:
        return t("yes") if candidate[criterion] else t("no")
    return f"{candidate[criterion]:,}"


def _values(candidate: pd.Series, kind: str) -> Phrase:
    """Return what is known of one candidate, in words."""
    parts = [
        t("{count:,} fixable", count=candidate["fixable"]),
        t("unfixed not observable")
        if candidate["blind"]
        else t("{count:,} unfixed", count=candidate["unfixed"]),
        t("{count:,} rated HIGH or CRITICAL", count=candidate["serious"]),
        t("size not known")
        if pd.isna(candidate["size"])
        else t("{size:,.1f} MB {kind}", size=candidate["size"] / MB, kind=word(kind)),
    ]
    return listed([*parts, *unsupported(candidate)])
