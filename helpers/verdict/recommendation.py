"""What weights recommend of the candidates of a trade-off: every word computed, with its limits."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers.sizes.image_sizes import MB
from helpers.text import escape
from helpers.text.i18n import columns, msg, t, word
from helpers.text.markdown import AND, listed, name, number
from helpers.verdict.caveats import cautions
from helpers.verdict.tradeoff import CRITERIA, SIZES, best, flips, named, scores, weighed
from helpers.vulnerabilities.lenses import Lens

ENDED = {
    "ended": msg("its operating system is past its support"),
    "old_runtime": msg("its runtime is past its end of life"),
}

_NAMES = 40
"""Columns that the names of variants which share a place may take in a headline."""


def recommendation(
    candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str, day: str = ""
) -> str:
    """Return what the weights recommend, why, and what must not be overlooked, as Markdown.

    `day` is that of the database: a choice is one of its time.
    """
    ranked, used = scores(candidates, weights), weighed(candidates, weights)
    lines = [_when(lens, day) + _choice(candidates, ranked, used, weights)]
    if used and not candidates["mixed"].any():
        by_variant = candidates.set_index("variant")
        lines += ["", _why(by_variant, ranked, used, weights, lens, kind), ""]
        lines += [
            t(
                "- {variant}: penalty {score:.2f}; {values}",
                variant=name(row.variant),
                score=row.score,
                values=_values(by_variant.loc[row.variant], kind),
            )
            for row in ranked.itertuples()
        ]
    care = cautions(candidates, ranked, used, weights, lens, kind)
    return "\n".join([*lines, "", t("**What to bear in mind:**"), "", *care]).rstrip()


def mind(candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str) -> str:
    """Return at which weights the recommendation would be another, as a list."""
    if not (used := weighed(candidates, weights)):
        return t("Nothing is weighed, so nothing would change.")
    if candidates["mixed"].any():
        return t("Nothing is recommended, so no other weight would recommend otherwise.")
    table = flips(candidates, weights)
    if table.empty:
        text = t("No other weight of one criterion alone changes the choice.")
        left = [named(c, lens, kind) for c in CRITERIA if weights.get(c) and c not in used]
        if left:
            text += t(
                " That leaves out what could not be weighed: {criteria}.", criteria=listed(left)
            )
        return text
    lines = [_flip(row, weights, lens, kind) for row in table.itertuples()]
    head = t("**Another choice follows from another weight of one criterion:**")
    note = t(
        "Scores are shares of the largest value here, so another candidate moves these weights."
    )
    return "\n".join([head, "", *lines, "", note])


def headline(candidates: pd.DataFrame, lens: Lens, kind: str) -> str:
    """Return who is best in size, in fixable vulnerabilities, or in both."""
    placed = candidates[candidates["front"].notna()]
    what = lens._replace(fixable=True).short
    if len(placed) < 2:
        size = word(SIZES[kind]).capitalize()
        return t("{size} and {what}: fewer than two variants can be placed", size=size, what=what)
    smallest, fewest = (placed[placed[c].eq(placed[c].min())] for c in ("size", "fixable"))
    least = _together(smallest)
    if len(fewest) == len(placed):
        first = t("{smallest} is the smallest", smallest=least)
        if len(smallest) > 1:
            first = t("{smallest} are the smallest", smallest=least)
        count = placed["fixable"].iloc[0]
        if len(placed) == len(candidates):
            return f"{first}; {t('all have {count:,} {what}', count=count, what=what)}"
        told = t(
            "all {placed:,} that can be placed have {count:,} {what}",
            placed=len(placed),
            count=count,
            what=what,
        )
        return f"{first}; {told}"
    if not smallest.index.equals(fewest.index):
        return t(
            "Smallest: {smallest}; fewest {what}: {fewest}",
            smallest=least,
            what=what,
            fewest=_together(fewest),
        )
    if len(smallest) > 1:
        return t(
            "{smallest} are the smallest, and have the fewest {what}", smallest=least, what=what
        )
    return t("{smallest} is the smallest, and has the fewest {what}", smallest=least, what=what)


def _together(rows: pd.DataFrame) -> str:
    """Return who shares a place: by name, or how many if that takes too much of a title."""
    told = [
        escape.short(row["variant"], 24) + (t(" (unsupported)") if _ended(row) else "")
        for _, row in rows.iterrows()
    ]
    together = listed(told, AND)
    return (
        together if len(told) == 1 or columns(together) <= _NAMES else number(len(told), "variant")
    )


def _when(lens: Lens, day: str) -> str:
    """Return of which day a choice is, for its beginning; nothing if that is not known."""
    if not day:
        return ""
    if not lens.known_by:
        return t("By the database of {day}: ", day=day)
    return t(
        "Counting what was published by {known_by}, fixes by the database of {day}: ",
        known_by=lens.known_by,
        day=day,
    )


def _choice(
    candidates: pd.DataFrame, ranked: pd.DataFrame, used: list[str], weights: Mapping[str, float]
) -> str:
    if ranked.empty:
        return t("**Nothing is recommended:** there is no candidate.")
    if not any(weights.values()):
        return t("**Nothing is recommended:** every weight is zero.")
    if not used:
        return t(
            "**Nothing is recommended:** nothing that has a weight is known of every candidate."
        )
    if candidates["mixed"].any():
        return t(
            "**Nothing is recommended:** the images were not scanned with one scanner and "
            "database, so their counts cannot be compared."
        )
    first, *others = map(name, best(ranked))
    if others:
        return t(
            "**No choice** between {variants} at these weights.",
            variants=listed([first, *others], t(" and ")),
        )
    row = candidates.set_index("variant").loc[best(ranked)[0]]
    if ended := _ended(row):
        return t(
            "**Ship none of these as it is.** {first} comes first, but {ended}: build on what is "
            "supported, then compare again.",
            first=first,
            ended=listed(ended, t(" and ")),
        )
    if len(ranked) == 1:
        return t("{first} is the only candidate, so nothing is weighed against it.", first=first)
    return t("**Of these images, as they are, ship** {first}.", first=first)


def _why(
    by_variant: pd.DataFrame,
    ranked: pd.DataFrame,
    used: list[str],
    weights: Mapping[str, float],
    lens: Lens,
    kind: str,
) -> str:
    """Return the weights, and in what the first is better and worse than the next."""
    told = listed(f"{named(c, lens, kind)} × {weights[c]:g}" for c in used)
    text = t("Weighed: {criteria}; the lowest penalty is the best.", criteria=told)
    if len(ranked) < 2 or len(best(ranked)) > 1:
        return text
    first, second = (by_variant.loc[v] for v in ranked["variant"].iloc[:2])
    less, more = (
        listed(
            t(
                "{criterion} ({first} against {second})",
                criterion=named(c, lens, kind),
                first=_value(c, first),
                second=_value(c, second),
            )
            for c in used
            if sign * (int(second[c]) - int(first[c])) > 0
        )
        for sign in (1, -1)
    )
    alike = listed(named(c, lens, kind) for c in used if first[c] == second[c])
    parts = [
        t("better in {criteria}", criteria=less) if less else "",
        t("worse in {criteria}", criteria=more) if more else "",
        t("alike in {criteria}", criteria=alike) if alike else "",
    ]
    return text + t(
        " {first} is ahead of {second} by {apart:.2f}: {parts}.",
        first=name(first.name),
        second=name(second.name),
        apart=ranked["score"].iloc[1] - ranked["score"].iloc[0],
        parts=listed(filter(None, parts), "; "),
    )


def _flip(row: Any, weights: Mapping[str, float], lens: Lens, kind: str) -> str:
    """Return from which weight of a criterion another variant comes first, as a line."""
    told = {
        "criterion": named(row.criterion, lens, kind),
        "weight": row.weight,
        "now": weights.get(row.criterion, 0),
        "variant": name(row.variant),
    }
    if row.above:
        return t("- {criterion} weighing more than {weight:.2g} (now {now:g}): {variant}", **told)
    return t("- {criterion} weighing less than {weight:.2g} (now {now:g}): {variant}", **told)


def _value(criterion: str, row: pd.Series) -> str:
    if criterion == "size":
        return f"{row['size'] / MB:,.1f} MB"
    if criterion in ENDED:
        return t("yes") if row[criterion] else t("no")
    return f"{row[criterion]:,}"


def _ended(row: pd.Series) -> list[str]:
    return [word(told) for what, told in ENDED.items() if row[what] is not pd.NA and row[what]]


def _values(row: pd.Series, kind: str) -> str:
    """Return what is known of one candidate, in words."""
    parts = [
        t("{count:,} fixable", count=row["fixable"]),
        t("unfixed not observable")
        if row["blind"]
        else t("{count:,} unfixed", count=row["unfixed"]),
        t("{count:,} of all HIGH or CRITICAL", count=row["serious"]),
        t("size not known")
        if pd.isna(row["size"])
        else t("{size:,.1f} MB {kind}", size=row["size"] / MB, kind=word(kind)),
    ]
    return listed([*parts, *_ended(row)])
