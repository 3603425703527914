"""What weights recommend of the candidates of a trade-off: every word computed, with its limits."""

from collections.abc import Mapping

import pandas as pd

from helpers import escape
from helpers.lenses import Lens
from helpers.sizes import MB
from helpers.tradeoff import CRITERIA, best, flips, scores, weighed
from helpers.words import listed, name, number

PATCH_DAYS = 7
"""Days between two images from which on one has had fixes that the other could not: distributions
bring out several a week."""

ENDED = {
    "ended": "its operating system is past its support",
    "old_runtime": "its runtime is past its end of life",
}


def recommendation(
    candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str, day: str = ""
) -> str:
    """Return what the weights recommend, why, and what must not be overlooked, as Markdown.

    `day` is that of the database: a choice is one of its time.
    """
    ranked, used = scores(candidates, weights), weighed(candidates, weights)
    when = f"By the database of {day}: " if day else ""
    if day and lens.known_by:
        when = f"Counting what was published by {lens.known_by}, fixes by the database of {day}: "
    lines = [when + _choice(candidates, ranked, used, weights)]
    if used and not candidates["mixed"].any():
        by_variant = candidates.set_index("variant")
        lines += ["", _why(by_variant, ranked, used, weights, lens, kind), ""]
        lines += [
            f"- {name(row.variant)}: penalty {row.score:.2f}; "
            f"{_values(by_variant.loc[row.variant], kind)}"
            for row in ranked.itertuples()
        ]
    cautions = _cautions(candidates, ranked, used, weights, lens, kind)
    return "\n".join([*lines, "", "**What to bear in mind:**", "", *cautions]).rstrip()


def mind(candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str) -> str:
    """Return at which weights the recommendation would be another, as a list."""
    if not (used := weighed(candidates, weights)):
        return "Nothing is weighed, so nothing would change."
    if candidates["mixed"].any():
        return "Nothing is recommended, so no other weight would recommend otherwise."
    table = flips(candidates, weights)
    if table.empty:
        unknown = [_named(c, lens, kind) for c in CRITERIA if weights.get(c)]
        left = [c for c in unknown if c not in [_named(u, lens, kind) for u in used]]
        limit = f" That leaves out what could not be weighed: {listed(left)}." if left else ""
        return f"No other weight of one criterion alone changes the choice.{limit}"
    lines = [
        f"- {_named(row.criterion, lens, kind)} weighing {'more' if row.above else 'less'} than "
        f"{row.weight:.2g} (now {weights.get(row.criterion, 0):g}): {name(row.variant)}"
        for row in table.itertuples()
    ]
    head = "**Another choice follows from another weight of one criterion:**"
    note = "Scores are shares of the largest value here, so another candidate moves these weights."
    return "\n".join([head, "", *lines, "", note])


def headline(candidates: pd.DataFrame, lens: Lens, kind: str) -> str:
    """Return who is best in size, in fixable vulnerabilities, or in both."""
    placed = candidates[candidates["front"].notna()]
    what = lens._replace(fixable=True).short
    if len(placed) < 2:
        return f"{kind.capitalize()} size and {what}: fewer than two variants can be placed"
    smallest = _least(placed, "size")
    if placed["fixable"].nunique() == 1:
        return f"{smallest} is the smallest; all have {placed['fixable'].iloc[0]:,} {what}"
    front = placed[placed["front"].astype("bool")]
    if len(front[["size", "fixable"]].drop_duplicates()) == 1:
        return f"{smallest} is the smallest, and has the fewest {what}"
    return f"Smallest: {smallest}; fewest {what}: {_least(placed, 'fixable')}"


def _least(placed: pd.DataFrame, column: str) -> str:
    """Return who has the least of one, and among those of the other."""
    ranked = placed.sort_values([column, "size", "fixable"], kind="stable")
    row = ranked.iloc[0]
    return escape.short(row["variant"], 24) + (" (unsupported)" if _ended(row) else "")


def _choice(
    candidates: pd.DataFrame, ranked: pd.DataFrame, used: list[str], weights: Mapping[str, float]
) -> str:
    if ranked.empty:
        return "**Nothing is recommended:** there is no candidate."
    if not any(weights.values()):
        return "**Nothing is recommended:** every weight is zero."
    if not used:
        return "**Nothing is recommended:** nothing that has a weight is known of every candidate."
    if candidates["mixed"].any():
        return (
            "**Nothing is recommended:** the images were not scanned with one scanner and "
            "database, so their counts cannot be compared."
        )
    first = best(ranked)
    if len(first) > 1:
        return f"**No choice** between {listed(map(name, first), ' and ')} at these weights."
    row = candidates.set_index("variant").loc[first[0]]
    if ended := _ended(row):
        return (
            f"**Ship none of these as it is.** {name(first[0])} comes first, but "
            f"{listed(ended, ' and ')}: build on what is supported, then compare again."
        )
    if len(ranked) == 1:
        return f"{name(first[0])} is the only candidate, so nothing is weighed against it."
    return f"**Of these images, as they are, ship** {name(first[0])}."


def _why(
    by_variant: pd.DataFrame,
    ranked: pd.DataFrame,
    used: list[str],
    weights: Mapping[str, float],
    lens: Lens,
    kind: str,
) -> str:
    """Return the weights, and in what the first is better and worse than the next."""
    told = listed(f"{_named(c, lens, kind)} × {weights[c]:g}" for c in used)
    text = f"Weighed: {told}; the lowest penalty is the best."
    if len(ranked) < 2 or len(best(ranked)) > 1:
        return text
    first, second = (by_variant.loc[v] for v in ranked["variant"].iloc[:2])
    sides = {
        side: listed(
            f"{_named(c, lens, kind)} ({_value(c, first)} against {_value(c, second)})"
            for c in used
            if sign * (int(second[c]) - int(first[c])) > 0
        )
        for side, sign in (("better in", 1), ("worse in", -1))
    }
    alike = listed(_named(c, lens, kind) for c in used if first[c] == second[c])
    apart = ranked["score"].iloc[1] - ranked["score"].iloc[0]
    parts = [f"{side} {what}" for side, what in sides.items() if what]
    parts += [f"alike in {alike}"] * bool(alike)
    return (
        f"{text} {name(first.name)} is ahead of {name(second.name)} by {apart:.2f}: "
        f"{listed(parts, '; ')}."
    )


def _value(criterion: str, row: pd.Series) -> str:
    if criterion == "size":
        return f"{row['size'] / MB:,.1f} MB"
    return ("yes" if row[criterion] else "no") if criterion in ENDED else f"{row[criterion]:,}"


def _ended(row: pd.Series) -> list[str]:
    return [words for what, words in ENDED.items() if row[what] is not pd.NA and row[what]]


def _values(row: pd.Series, kind: str) -> str:
    """Return what is known of one candidate, in words."""
    size = "size not known" if pd.isna(row["size"]) else f"{row['size'] / MB:,.1f} MB {kind}"
    unfixed = "unfixed not observable" if row["blind"] else f"{row['unfixed']:,} unfixed"
    serious = f"{row['serious']:,} of all HIGH or CRITICAL"
    return listed([f"{row['fixable']:,} fixable", unfixed, serious, size, *_ended(row)])


def _cautions(
    candidates: pd.DataFrame,
    ranked: pd.DataFrame,
    used: list[str],
    weights: Mapping[str, float],
    lens: Lens,
    kind: str,
) -> list[str]:
    """Return what a reader of the recommendation must not overlook, as a list."""
    able = candidates[candidates["candidate"]]
    lines = [f"- Counted: {lens._replace(fixable=False).label}; fixes are those of the database."]
    if candidates["partial"].any():
        lines.append("- The database is partial, so counts are too low, and not for all alike.")
    chosen = used and not candidates["mixed"].any() and len(best(ranked)) == 1
    if chosen and len(ranked) > 1:
        lines += _of_age(able, str(ranked["variant"].iloc[0]), lens)
    if len(able) and able["fixable_of_base"].notna().all():
        told = listed(
            f"{name(r.variant)} {r.fixable_of_base:,} of {r.fixable:,}" for r in able.itertuples()
        )
        lines.append(f"- Of what is fixable, the base image brought: {told}; the app the rest.")
    for criterion in CRITERIA:
        if weights.get(criterion) and criterion not in used and len(able):
            unknown = able[able[criterion].isna()]
            lines.append(
                f"- Not weighed: {_named(criterion, lens, kind)}, not known of "
                f"{listed(map(name, unknown['variant']))}.{_without(able, criterion, weights)}"
            )
    if not weights.get("unfixed"):
        blind = listed(map(name, able[able["blind"]]["variant"]))
        why = f", which cannot be seen in {blind}" if blind else ""
        lines.append(f"- Not weighed: {_named('unfixed', lens, kind)}{why}; nor any severity.")
    out = candidates[~candidates["candidate"]]
    lines += [f"- Not a candidate: {name(row.variant)}, {row.why_not}." for row in out.itertuples()]
    lines.append(
        "- Not assessed at all: whether the running app reaches what was found, how it is "
        "configured, and what no scanner lists, such as the runtime's own binary."
    )
    return lines


def _of_age(able: pd.DataFrame, first: str, lens: Lens) -> list[str]:
    """Return how much newer the first is than others: an image's fixes come with its day."""
    days = able.set_index("variant")["built_at"].dt.normalize()
    if pd.isna(days[first]):
        return [f"- When {name(first)} was built is not known, so neither is what its age does."]
    newer = {
        other: (days[first] - day).days
        for other, day in days.dropna().items()
        if (days[first] - day).days > PATCH_DAYS
    }
    lines = []
    if newer:
        told = listed(f"{number(d, 'day')} after {name(other)}" for other, d in newer.items())
        lines.append(
            f"- **A choice of image, not of base:** {name(first)} was built {told}. What the older "
            "ones lack in fixes may be no more than their age: build all on one day to compare "
            "bases."
        )
    if lens.known_by and days[first] > pd.Timestamp(lens.known_by, tz="UTC"):
        lines.append(
            f"- {name(first)} was built after {lens.known_by}, the day that is counted by, and so "
            "had time for fixes of what counts."
        )
    return lines


def _without(able: pd.DataFrame, criterion: str, weights: Mapping[str, float]) -> str:
    """Return who comes first among those of whom the criterion is known, weighing it."""
    known = able[able[criterion].notna()]
    ranked = scores(known, weights)
    if len(ranked) < 2 or criterion not in weighed(known, weights):
        return ""
    first, second = ranked.iloc[0], ranked.iloc[1]
    return (
        f" Among the others, weighing it: {name(first['variant'])} ({first['score']:.2f}) before "
        f"{name(second['variant'])} ({second['score']:.2f})."
    )


def _named(criterion: str, lens: Lens, kind: str) -> str:
    return CRITERIA[criterion].format(counted=lens._replace(fixable=False).short, kind=kind)
