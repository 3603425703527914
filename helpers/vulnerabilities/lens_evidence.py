"""The evidence of a count besides the scanner: scores, catalog, and what it leaves out."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from helpers.answers.answer import Answer
from helpers.comparability import scan_consistency
from helpers.frames import SEVERITIES, UNKNOWN_COUNT
from helpers.text.i18n import msg, t, word
from helpers.text.rich import AND, Text, join, number, paragraph, say
from helpers.text.titles import begun
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import Lens

_IMAGE = ["capture", "variant", "scanner"]

IN_KEV = msg(
    '"Known to be exploited" means listed in CISA\'s catalog: exploited somewhere, not '
    "in these images."
)
BY_EPSS = msg(
    "EPSS is the probability of exploitation anywhere within 30 days, not in these images."
)
NO_SCORE = msg("A missing score does not mean harmless.")
"""The meaning of the catalog, of scores and of missing scores."""

_MANY = 3
"""Most days of scores that a footer lists."""


def answer(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    lens: Lens,
    study_known_by: date | None = None,
    why: str = "",
) -> Answer:
    """Answer what is counted, why up to the study's day, and by which evidence."""
    text = say("Counted, unless a figure says otherwise: **{label}**.", label=lens.label)
    if lens.known_by and lens.known_by == str(study_known_by):
        text += say(" The study chose that day: {why}.", why=why)
    found = paragraph(text) + meaning(findings, images, lens)
    return Answer("lens", text=found, counted=lens.label)


def meaning(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Text:
    """Return what a lens's terms mean, and how much was declared harmless.

    Empty if there is nothing to explain.
    """
    notes: list[str] = []
    if lens.exploited:
        notes.append(word(IN_KEV))
    if lens.epss:
        notes.append(f"{word(BY_EPSS)} {word(NO_SCORE)}")
    if lens.rated_by == lenses.NVD:
        counted = by_nvd(findings, lens)
        notes.append(t("{counted}; the rest is UNKNOWN, not low.", counted=counted))
    if count := harmless(findings, lens):
        found = number(count, "finding")
        notes.append(begun(t("without {findings} declared harmless", findings=found)) + ".")
    return join(map(paragraph, notes))


def footer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> str:
    """Return a figure's note on the evidence of its count; empty if that is the scanner alone.

    The day and model of the scores and how many ids have one, the day of the catalog, what was
    declared harmless and so is left out, whether scores cannot be compared, and how much NVD scored
    if its severities count.
    """
    parts = []
    if lens.rated_by == lenses.NVD:
        parts.append(by_nvd(findings, lens))
    if lens.epss:
        parts += [*scored(findings, images, lens), scan_consistency.scores_mark(images)]
    if lens.exploited:
        parts.append(catalog(images))
    if count := harmless(findings, lens):
        parts.append(t("without {findings} declared harmless", findings=number(count, "finding")))
    return " · ".join(filter(None, parts))


def sources(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> str:
    """Return a figure's scores and catalog, unless the lens's footer names them."""
    parts = []
    if not lens.epss:
        parts = [*scored(findings, images, lens), scan_consistency.scores_mark(images)]
    return " · ".join(filter(None, [*parts, "" if lens.exploited else catalog(images)]))


def scored(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Iterator[str]:
    """Yield the day and model of EPSS scores, and how many of the counted ids have one.

    Counted are the ids of the lens without its limit on scores.
    """
    of_image = scan_consistency.scores(images)
    distinct = sorted(set(of_image))
    places = images.loc[of_image.index, _IMAGE].assign(place=list(map(distinct.index, of_image)))
    every = lenses.each(findings, lens._replace(epss=0.0))
    ids = every.assign(id=every["vulnerability"])
    # One row an image and scanner, so that no finding is there twice.
    ids = ids[[*_IMAGE, "id", "epss"]].merge(places, on=_IMAGE, validate="many_to_one")
    counts = {}
    for place, scores in enumerate(distinct):
        of_these = ids[ids["place"].eq(place)]
        counts[scores] = of_these.dropna(subset="epss")["id"].nunique(), of_these["id"].nunique()
    if len(counts) <= _MANY:
        for scores, (with_score, whole) in counts.items():
            yield t(
                "{epss}, {scored:,} of {ids:,} ids scored",
                epss=scores.told,
                scored=with_score,
                ids=whole,
            )
        return
    shares = [with_score / whole for with_score, whole in counts.values() if whole]
    yield t(
        "EPSS of {count} days from {first} to {last}, {low:.0%} to {high:.0%} of ids scored",
        count=len(counts),
        first=min(counts).day,
        last=max(counts).day,
        low=min(shares, default=0),
        high=max(shares, default=0),
    )


def by_nvd(findings: pd.DataFrame, lens: Lens) -> str:
    """Return how many of the counted NVD scored, of any severity, in words."""
    every = lenses.apply(findings, lens._replace(rated_by=lenses.NVD, severities=SEVERITIES))
    is_scored = every["severity"].ne("UNKNOWN")
    return t(
        "NVD scored {scored:,} of {of:,} ({share:.0%})",
        scored=int(is_scored.sum()),
        of=len(every),
        share=is_scored.mean() if len(every) else 0,
    )


def harmless(findings: pd.DataFrame, lens: Lens) -> int:
    """Return how many findings are left out only because they were declared harmless."""
    if lens.suppressed or not findings["suppressed"].fillna(False).any():
        return 0
    every = lenses.each(findings, lens._replace(suppressed=True))
    return int(every["suppressed"].fillna(False).sum())


def catalog(images: pd.DataFrame) -> str:
    """Return the days of the images' catalogs; empty if there is none."""
    known = images[~images["status"].isin(UNKNOWN_COUNT)].dropna(subset="kev_source")
    days = sorted(known["kev_day"].dropna().dt.strftime("%Y-%m-%d").unique())
    parts = [t("KEV of {days}", days=word(AND).join(days))] if days else []
    if known["kev_day"].isna().any():
        parts.append(t("KEV as the scanner's database has it"))
    return word(AND).join(parts)
