"""What weights recommend of the candidates of a trade-off: every word computed, with its limits."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from helpers.answers.answer import ANSWER, Answer
from helpers.answers.talk import CHOICE as CHOICE_TOPIC
from helpers.answers.talk import Talk, some
from helpers.frames import Frames
from helpers.text import escape
from helpers.text.i18n import msg, t, told
from helpers.text.rich import Phrase, Text, bullets, cut, join, listed, name, number, paragraph, say
from helpers.text.units import megabytes
from helpers.verdict import decision_figure, wording
from helpers.verdict.caveats import cautions, in_first, younger_by
from helpers.verdict.decision import Decision
from helpers.verdict.ranking import DOUBLING, flips, without_each
from helpers.verdict.tradeoff import CRITERIA, EXPLOITED, named
from helpers.vulnerabilities import lens_evidence
from helpers.vulnerabilities.lenses import Lens

CHOICE, WEIGHED = "choice", "weighed"
"""Roles of the paragraphs; `caveats` has those of the cautions."""

_SENTENCES = 3
"""Paragraphs that an answer has at most, before its reasons: more are not read."""


_UNWEIGHED = msg("{criterion}, not weighed (now {now:g}): {variant}")

_TOLD = ("unfixed_serious", "exploited_unfixed", "known_exploited", "past_support")
"""Columns of the table that have no weight of their own."""

_LINES, _NOTES, _SENTENCES_SPOKEN = 4, 2, 6
"""On the slide of the choice, at most: lines of images, other lines, and sentences said aloud."""


def answer(
    decision: Decision,
    others: Sequence[Decision],
    ever: Decision,
    frames: Frames,
    published: pd.DataFrame,
    today: date,
) -> Answer:
    """Answer what to ship, because of what, and what must not be overlooked, as `text` says it.

    `frames` are those of all captures; the figure shows what decided.
    """
    title, chart, counted, by_scanner = decision_figure.drawn(decision, others, frames, published)
    table = _table([*others, decision])
    is_exploited = table[EXPLOITED].gt(0).any()
    return Answer(
        "recommendation",
        title,
        text(decision, others, ever, today),
        table,
        chart,
        counted,
        lens_evidence.catalog(frames.images) if is_exploited else "",
        role=ANSWER,
        by_scanner=by_scanner,
        shown=_points(decision) if decision.can_choose else None,
        talks=(
            _talk(decision, others, ever, today),
            *([decision_figure.talk(decision, others, frames, published)] if chart else []),
        ),
    )


def text(decision: Decision, others: Sequence[Decision], ever: Decision, today: date) -> Text:
    """Return what to ship, because of what, and what must not be overlooked.

    The first paragraphs are the answer: what is right by the capture of `decision`, what was by
    those of `others` (in order of time), a warning if the evidence is old on the day `today`, and
    what would be by all that is known (`ever`); three of these at most.
    """
    limits = in_first(decision)
    sentences = (
        wording.choice(decision) + (" " + limits if limits else ""),
        wording.on_other_days(decision, others),
        wording.old(decision, today),
        wording.by_all_known(decision, ever),
    )
    said = [paragraph(sentence, CHOICE) for sentence in sentences if sentence]
    found = join(said[:_SENTENCES])
    if decision.can_choose:
        found += _ranking(decision)
    return found + cautions(decision)


def weights_answer(decision: Decision) -> Answer:
    """Answer at which other weights the recommendation would be another."""
    return Answer("other-weights", text=_other_weights(decision))


def _talk(decision: Decision, others: Sequence[Decision], ever: Decision, today: date) -> Talk:
    """Return what is told of the choice: a line an image, then what it depends on."""
    ranked = decision.able.loc[decision.ranked["variant"]]
    lines = cut([_line(row, decision) for _, row in ranked.iterrows()], _LINES - 1, most=_LINES)
    notes = [
        paragraph(line)
        for line in (
            *wording.otherwise(decision, others)[:1],
            wording.old(decision, today),
            _younger(decision),
            wording.by_all_known(decision, ever),
        )
        if line
    ][:_NOTES]
    each = [_spoken(row, decision) for _, row in ranked.iterrows()]
    spoken = (
        wording.spoken(decision),
        *some(each),
        *(note.plain for note in notes),
        t("Fixable means that a newer version of the package fixes it."),
    )[:_SENTENCES_SPOKEN]
    return Talk(
        CHOICE_TOPIC,
        wording.headline(decision),
        bullets(lines) + join(notes),
        spoken=spoken,
    )


def _younger(decision: Decision) -> Phrase:
    """Return that the choice is younger than others, if so: that alone gives it fixes."""
    if not decision.ships:
        return Phrase()
    days = younger_by(decision.able, decision.best[0])
    if not days:
        return Phrase()
    return say(
        "**The images differ in age:** it was built up to {days} after the others.",
        days=number(max(days.values()), "day"),
    )


def _line(row: pd.Series, decision: Decision) -> Phrase:
    """Return one candidate in few words: what is fixable, its size, and that support has ended."""
    parts = [wording.fixable(decision, row["fixable"]), *_exploited(row)]
    if "size" in decision.used and pd.notna(row["size"]):
        parts.append(f"{megabytes(row['size'])} MB")
    if row["past_support"]:
        parts.append(t("past support"))
    return name(row["variant"]) + ": " + ", ".join(parts)


def _spoken(row: pd.Series, decision: Decision) -> str:
    """Return the same as a sentence."""
    values = {
        "variant": escape.plain(row["variant"]),
        "count": wording.fixable(decision, row["fixable"]),
    }
    text = t("{variant} has {count}.", **values)
    if row["past_support"]:
        text = t("{variant} has {count}, and is past its support.", **values)
    if row["known_exploited"]:
        text += " " + t("Known to be exploited: {ids}.", ids=told(row["known_exploited"]))
    return text


def _exploited(row: pd.Series) -> list[str]:
    """Return how many of what is fixable in a candidate are known to be exploited, if some are."""
    count = row["exploited"]
    if pd.isna(count) or not count:
        return []
    return [t("{count:,} known to be exploited", count=count)]


def _other_weights(decision: Decision) -> Text:
    lens, kind, weights = decision.lens, decision.kind, decision.weights
    if not decision.used:
        return paragraph(say("All weights are zero."))
    if not decision.can_choose:
        return paragraph(say("Nothing is recommended, so weights change nothing."))
    table = flips(decision.candidates, weights, decision.rebuild)
    if table.empty:
        line = say("Changing one weight alone does not change the choice.")
        left = [named(c, lens, kind) for c in CRITERIA if weights.get(c) and c not in decision.used]
        if left:
            line += say(" Not weighed, because it is not known: {criteria}.", criteria=listed(left))
        text = paragraph(line)
    else:
        head = say("**The choice changes if one weight changes:**")
        text = paragraph(head) + bullets(
            _flip(row, weights, lens, kind) for row in table.itertuples()
        )
    return text + _left_out(decision)


def _left_out(decision: Decision) -> Text:
    """Return whether the choice is the same whichever other image is left out."""
    table = without_each(decision.candidates, decision.weights, decision.rebuild)
    best = set(decision.best)
    others = [
        row
        for row in table.itertuples()
        if {*map(str, row.choice.values.values())} != best - {row.without}
    ]
    lines = [
        say("without {variant}: {which}", variant=name(row.without), which=told(row.choice))
        for row in others[:_LINES]
    ]
    if not lines:
        return (
            paragraph(say("Leaving out any one image changes nothing.")) if len(table) else Text()
        )
    return paragraph(say("**Leaving out one image at a time:**")) + bullets(lines)


def _table(decisions: Sequence[Decision]) -> pd.DataFrame:
    """Return what was weighed of each candidate, capture by capture, and which comes first."""
    parts = [
        found.candidates.assign(
            capture=found.capture, first=found.candidates["variant"].isin(found.best)
        )
        for found in sorted(decisions, key=lambda found: found.capture)
    ]
    columns = ["capture", "variant", "status", *CRITERIA, *_TOLD, "candidate", "first"]
    return pd.concat(parts, ignore_index=True)[columns]


def _ranking(decision: Decision) -> Text:
    """Return how points come about, which the table has."""
    why = say(
        "The image with the fewest points comes first; an image past its support comes last. Each "
        "doubling of a number costs {doubling:g} points times its weight.",
        doubling=DOUBLING,
    )
    if EXPLOITED in decision.used and decision.able[EXPLOITED].gt(0).any():
        why += " " + say(
            "Each vulnerability known to be exploited costs {weight:g} points.",
            weight=decision.weights[EXPLOITED],
        )
    return paragraph(why, WEIGHED)


def _points(decision: Decision) -> pd.DataFrame:
    """Return what was weighed, for readers: criteria as rows, images as columns, points last."""
    by_variant = decision.candidates.set_index("variant")
    table = pd.DataFrame(
        {
            "criterion": [
                *(named(c, decision.lens, decision.kind) for c in decision.used),
                t("points"),
            ],
            "weight": [*(f"{decision.weights[c]:g}" for c in decision.used), ""],
        }
    )
    for row in decision.ranked.itertuples():
        cells = [_cell(c, by_variant.loc[row.variant, c]) for c in decision.used]
        is_first = decision.ships and row.variant in decision.best
        column = f"✓ {row.variant}" if is_first else str(row.variant)
        table[column] = [*cells, _score(row, decision)]
    return table


def _cell(criterion: str, value: Any) -> str:
    if pd.isna(value):
        return t("not known")
    return wording.told_value(criterion, {criterion: value})


def _score(row: Any, decision: Decision) -> str:
    """Return an image's points, which are at least that if something of it is not known."""
    score = f"{row.score:.2f}"
    unknown = any(pd.isna(getattr(row, criterion)) for criterion in decision.used)
    return t("at least {share}", share=score) if unknown else score


def _flip(row: Any, weights: Mapping[str, float], lens: Lens, kind: str) -> Phrase:
    """Return from which weight of a criterion another variant comes first."""
    above = msg("{criterion}, weight above {weight:.2g} (now {now:g}): {variant}")
    below = msg("{criterion}, weight below {weight:.2g} (now {now:g}): {variant}")
    return say(
        above if row.above else below if row.weight else _UNWEIGHED,
        criterion=named(row.criterion, lens, kind),
        weight=row.weight,
        now=weights.get(row.criterion, 0),
        variant=name(told(row.variant)),
    )
