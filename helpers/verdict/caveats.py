"""What a reader of a recommendation must not overlook, each as a line of a list."""

from collections.abc import Mapping

import pandas as pd

from helpers.text.i18n import t, word
from helpers.text.markdown import listed, name, names, number
from helpers.verdict.tradeoff import CRITERIA, best, named, scores, weighed
from helpers.vulnerabilities.lenses import Lens

PATCH_DAYS = 7
"""Days between two images from which on one has had fixes that the other could not: distributions
bring out several a week."""


def cautions(
    candidates: pd.DataFrame,
    ranked: pd.DataFrame,
    used: list[str],
    weights: Mapping[str, float],
    lens: Lens,
    kind: str,
) -> list[str]:
    """Return what a reader of the recommendation must not overlook, as a list."""
    able = candidates[candidates["candidate"]]
    label = lens._replace(fixable=False).label
    lines = [t("- Counted: {label}; fixes are those of the database.", label=label)]
    if candidates["partial"].any():
        lines.append(t("- The database is partial, so counts are too low, and not for all alike."))
    chosen = used and not candidates["mixed"].any() and len(best(ranked)) == 1
    if chosen and len(ranked) > 1:
        lines += _of_age(able, str(ranked["variant"].iloc[0]), lens)
    if len(able) and able["fixable_of_base"].notna().all():
        told = listed(
            t(
                "{variant} {of_base:,} of {fixable:,}",
                variant=name(row.variant),
                of_base=row.fixable_of_base,
                fixable=row.fixable,
            )
            for row in able.itertuples()
        )
        lines.append(
            t(
                "- Of what is fixable, the base image brought: {variants}; the app the rest.",
                variants=told,
            )
        )
    lines += _not_weighed(able, used, weights, lens, kind)
    lines += [
        t("- Not a candidate: {variant}, {why}.", variant=name(row.variant), why=word(row.why_not))
        for row in candidates[~candidates["candidate"]].itertuples()
    ]
    lines.append(
        t(
            "- Not assessed at all: whether the running app reaches what was found, how it is "
            "configured, and what no scanner lists, such as the runtime's own binary."
        )
    )
    return lines


def _not_weighed(
    able: pd.DataFrame, used: list[str], weights: Mapping[str, float], lens: Lens, kind: str
) -> list[str]:
    """Return what could not be weighed of all candidates, or has no weight, as a list."""
    lines = [
        t(
            "- Not weighed: {criterion}, not known of {variants}.{without}",
            criterion=named(criterion, lens, kind),
            variants=names(able[able[criterion].isna()]),
            without=_without(able, criterion, weights),
        )
        for criterion in CRITERIA
        if weights.get(criterion) and criterion not in used and len(able)
    ]
    if not weights.get("unfixed"):
        unfixed = named("unfixed", lens, kind)
        if blind := names(able[able["blind"]]):
            lines.append(
                t(
                    "- Not weighed: {criterion}, which cannot be seen in {blind}; "
                    "nor any severity.",
                    criterion=unfixed,
                    blind=blind,
                )
            )
        else:
            lines.append(t("- Not weighed: {criterion}; nor any severity.", criterion=unfixed))
    return lines


def _of_age(able: pd.DataFrame, first: str, lens: Lens) -> list[str]:
    """Return how much newer the first is than others: an image's fixes come with its day."""
    days = able.set_index("variant")["built_at"].dt.normalize()
    if pd.isna(days[first]):
        return [
            t(
                "- When {first} was built is not known, so neither is what its age does.",
                first=name(first),
            )
        ]
    newer = {
        other: (days[first] - day).days
        for other, day in days.dropna().items()
        if (days[first] - day).days > PATCH_DAYS
    }
    lines = []
    if newer:
        told = listed(
            t("{days} after {other}", days=number(apart, "day"), other=name(other))
            for other, apart in newer.items()
        )
        lines.append(
            t(
                "- **A choice of image, not of base:** {first} was built {days}. What the older "
                "ones lack in fixes may be no more than their age: build all on one day to "
                "compare bases.",
                first=name(first),
                days=told,
            )
        )
    if lens.known_by and days[first] > pd.Timestamp(lens.known_by, tz="UTC"):
        lines.append(
            t(
                "- {first} was built after {day}, the day that is counted by, and so had time for "
                "fixes of what counts.",
                first=name(first),
                day=lens.known_by,
            )
        )
    return lines


def _without(able: pd.DataFrame, criterion: str, weights: Mapping[str, float]) -> str:
    """Return who comes first among those of whom the criterion is known, weighing it."""
    known = able[able[criterion].notna()]
    ranked = scores(known, weights)
    if len(ranked) < 2 or criterion not in weighed(known, weights):
        return ""
    first, second = ranked.iloc[0], ranked.iloc[1]
    return t(
        " Among the others, weighing it: {first} ({first_score:.2f}) before {second} "
        "({second_score:.2f}).",
        first=name(first["variant"]),
        first_score=first["score"],
        second=name(second["variant"]),
        second_score=second["score"],
    )
