"""What a reader of a recommendation must not overlook, as bullets with roles."""

from collections.abc import Mapping

import pandas as pd

from helpers.frames import NOT_SCANNED
from helpers.text.i18n import word
from helpers.text.rich import Phrase, Text, bullets, listed, name, names, number, say
from helpers.verdict.tradeoff import CRITERIA, LIKELY, best, named, scores, weighed
from helpers.vulnerabilities.lenses import Lens

PATCH_DAYS = 7
"""Distributions bring out several fixes a week: an image that is more days younger than another has
had fixes that the other could not have."""

COUNTED, CAUTION, LOUD, NOT_CANDIDATE = "counted", "caution", "loud", "not-candidate"
"""Roles of the bullets. A loud caution is about certain variants."""


def cautions(candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str) -> Text:
    """Return what a reader of the recommendation must not overlook, as a list."""
    able = candidates[candidates["candidate"]]
    label = lens._replace(fixable=False).label
    text = Text()
    if not candidates["status"].eq(NOT_SCANNED).all():
        text = _bullet(
            COUNTED,
            say(
                "Counted: {label}, with the fixes that the database knows. HIGH and CRITICAL are "
                "the scanner's, which takes them from another source for another distribution.",
                label=label,
            ),
        )
    if candidates["partial"].any():
        text += _bullet(
            CAUTION,
            say(
                "The database is partial, so counts are too low, for some images more than for "
                "others."
            ),
        )
    ranked = scores(candidates, weights)
    comparable = weighed(candidates, weights) and not candidates["mixed"].any()
    if comparable and len(ranked) > 1 and len(best(ranked)) == 1:
        text += bullets(_ages(able, str(ranked["variant"].iloc[0]), lens), role=LOUD)
    text += _exploitation(able, weights, lens)
    if able["fixable"].gt(0).any() and able["fixable_of_base"].notna().all():
        text += _bullet(LOUD, _brought_by_base(able))
    text += _not_weighed(able, weights, lens, kind)
    text += bullets(
        (
            say(
                "Not a candidate: {variant}, {why}.",
                variant=name(row.variant),
                why=word(row.why_not),
            )
            for row in candidates[~candidates["candidate"]].itertuples()
        ),
        role=NOT_CANDIDATE,
    )
    return text + _bullet(
        CAUTION,
        say(
            "Not assessed at all: whether the running app reaches what was found, how it is "
            "configured, and what no scanner lists, such as the runtime's own binary."
        ),
    )


def younger_by(able: pd.DataFrame, first: str) -> dict[str, int]:
    """Return by how many days the first is younger than others, if that matters for fixes."""
    days = able.set_index("variant")["built_at"].dt.normalize()
    if pd.isna(days[first]):
        return {}
    apart = {str(other): (days[first] - day).days for other, day in days.dropna().items()}
    return {other: count for other, count in apart.items() if count > PATCH_DAYS}


def _bullet(role: str, line: Phrase) -> Text:
    return bullets([line], role=role)


def _exploitation(able: pd.DataFrame, weights: Mapping[str, float], lens: Lens) -> Text:
    """Return what is meant by exploited and by likely, where one of them is counted."""
    text = Text()
    if lens.exploited or able["exploited"].gt(0).any():
        text += _bullet(
            CAUTION,
            say(
                "Known to be exploited is what CISA's catalog had by the day of the database: "
                "exploited somewhere, not in these images. What is not in it may be, too."
            ),
        )
    if not (lens.epss or weights.get(LIKELY)):
        return text
    line = say(
        "EPSS is the probability that exploitation is seen anywhere within 30 days, not in these "
        "images."
    )
    if able["unscored"].gt(0).any():
        line += say(
            " Fixable, but without a score, and so not counted by it: {variants}.",
            variants=listed(
                name(row.variant) + f" {row.unscored:,}"
                for row in able.dropna(subset="unscored").itertuples()
            ),
        )
    return text + _bullet(CAUTION, line)


def _brought_by_base(able: pd.DataFrame) -> Phrase:
    """Return how much of what is fixable the base image of each candidate brought."""
    return say(
        "Of what is fixable, the base image brought: {variants}; the app the rest.",
        variants=listed(
            say(
                "{variant} {of_base:,} of {fixable:,}",
                variant=name(row.variant),
                of_base=row.fixable_of_base,
                fixable=row.fixable,
            )
            for row in able.itertuples()
        ),
    )


def _not_weighed(able: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str) -> Text:
    """Return what is not known of every candidate, or has no weight, as a list."""
    unknown = [
        criterion
        for criterion in CRITERIA
        if weights.get(criterion) and able[criterion].isna().any()
    ]
    text = bullets(
        (
            say(
                "Not weighed: {criterion}, not known of {variants}.{without}",
                criterion=named(criterion, lens, kind),
                variants=names(able[able[criterion].isna()]),
                without=_among_others(able, criterion, weights),
            )
            for criterion in unknown
        ),
        role=LOUD,
    )
    if weights.get("unfixed"):
        return text
    unfixed = named("unfixed", lens, kind)
    if blind := names(able[able["blind"]]):
        return text + _bullet(
            LOUD,
            say(
                "Not weighed: {criterion}, which cannot be seen in {blind}.",
                criterion=unfixed,
                blind=blind,
            ),
        )
    return text + _bullet(CAUTION, say("Not weighed: {criterion}.", criterion=unfixed))


def _ages(able: pd.DataFrame, first: str, lens: Lens) -> list[Phrase]:
    """Return how much younger the first is than others: fixes come with the day of a build."""
    days = able.set_index("variant")["built_at"].dt.normalize()
    if pd.isna(days[first]):
        return [
            say(
                "When {first} was built is not known, so neither is what its age does.",
                first=name(first),
            )
        ]
    parts = [
        say("{days} after {other}", days=number(count, "day"), other=name(other))
        for other, count in younger_by(able, first).items()
    ]
    lines = []
    if parts:
        lines.append(
            say(
                "**A choice of image, not of base:** {first} was built {days}. The older ones "
                "may lack fixes only because they are older: build all on one day to compare "
                "bases.",
                first=name(first),
                days=listed(parts),
            )
        )
    if lens.known_by and days[first] > pd.Timestamp(lens.known_by, tz="UTC"):
        lines.append(
            say(
                "{first} was built after {day}, the day that is counted by, and so had time for "
                "fixes of what counts.",
                first=name(first),
                day=lens.known_by,
            )
        )
    return lines


def _among_others(able: pd.DataFrame, criterion: str, weights: Mapping[str, float]) -> Phrase:
    """Return who comes first among those of whom a criterion is known, with it weighed."""
    known = able[able[criterion].notna()]
    ranked = scores(known, weights)
    if len(ranked) < 2 or criterion not in weighed(known, weights):
        return Phrase()
    first, second = ranked.iloc[0], ranked.iloc[1]
    return say(
        " Among the others, weighing it: {first} ({first_score:.2f} points) before {second} "
        "({second_score:.2f}).",
        first=name(first["variant"]),
        first_score=first["score"],
        second=name(second["variant"]),
        second_score=second["score"],
    )
