"""The limits of scores and catalogs."""

from itertools import pairwise

import pandas as pd

from helpers.answers.answer import Answer
from helpers.comparability import scan_consistency
from helpers.risk import likelihood
from helpers.text.i18n import word
from helpers.text.rich import Phrase, bullets, number, say
from helpers.vulnerabilities import lens_evidence, lenses, once
from helpers.vulnerabilities.lenses import LIKELY_FROM, Lens

_APART = 2
"""Difference in days from which scores or catalog do not match the database."""


def across_days(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> pd.DataFrame:
    """Return how scores of the same vulnerabilities moved from one capture to the next.

    `variant, earlier, later, earlier_day, later_day, earlier_model, later_model, same_model, both,
    was_likely, is_likely`, one row a variant and pair of captures with scores. `both` counts the
    vulnerabilities that are in both and have a score in each; `was_likely` and `is_likely` those of
    them with a score from `least` on. Nothing but the scores differs between them.
    """
    counted = lenses.each(findings, lens)
    counted = counted.drop_duplicates(["capture", "variant", "vulnerability"])
    scored = images.dropna(subset="epss_day")
    rows = []
    for variant, captures in scored.groupby("variant", sort=False):
        of = counted[counted["variant"].eq(variant)].dropna(subset="epss")
        by_capture = {c: r.set_index("vulnerability")["epss"] for c, r in of.groupby("capture")}
        ordered = captures.sort_values("epss_day", kind="stable")
        for before, after in pairwise(ordered.itertuples()):
            if before.epss_day == after.epss_day or not {before.capture, after.capture} <= {
                *by_capture
            }:
                continue
            was, now = by_capture[before.capture].align(by_capture[after.capture], join="inner")
            is_same = str(before.epss_model) == str(after.epss_model)
            facts = (
                getattr(at, c)
                for c in ("capture", "epss_day", "epss_model")
                for at in (before, after)
            )
            likely = (int(scores.ge(least).sum()) for scores in (was, now))
            rows.append((variant, *facts, is_same, len(was), *likely))
    columns = ["variant", "earlier", "later", "earlier_day", "later_day", "earlier_model"]
    columns += ["later_model", "same_model", "both", "was_likely", "is_likely"]
    return pd.DataFrame(rows, columns=columns)


def answer(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    every_findings: pd.DataFrame,
    every_images: pd.DataFrame,
    lens: Lens,
    least: float = LIKELY_FROM,
) -> Answer:
    """Answer what limits these scores; `every_…` are the frames of all captures."""
    counted = lens._replace(counted=once.VULNERABILITIES)
    if not likelihood.looked_up(images).any():
        return Answer("limits-of-scores", counted=counted.label, lacks=likelihood.nothing_known())
    table = across_days(every_findings, every_images, lens, least)
    lines: list[Phrase | str] = [
        word(lens_evidence.BY_EPSS),
        word(lens_evidence.IN_KEV),
        *_days_apart(images),
        *([unlike] if (unlike := scan_consistency.scores_across(every_images)) else []),
        say("More vulnerabilities raise sums of scores; compare what is on the list instead."),
    ]
    return Answer("limits-of-scores", text=bullets(lines), table=table, counted=counted.label)


def _days_apart(images: pd.DataFrame) -> list[Phrase]:
    """Return how far the days of scores and catalog are from those of the images' databases."""
    as_of = images["db_updated_at"].fillna(images["scanned_at"])
    each = ((images[column] - as_of).dt.days.abs().max() for column in ("epss_day", "kev_day"))
    apart = max((int(count) for count in each if count >= _APART), default=0)
    if not apart:
        return []
    days = number(apart, "day")
    return [say("Scores and catalog are up to **{days}** from the database's day.", days=days)]
