"""Which vulnerabilities have no EPSS score, and why."""

from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import UNKNOWN_COUNT
from helpers.risk import likelihood
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import paragraph
from helpers.text.titles import Part, fitted, part_of, unknown, unmeasured
from helpers.vulnerabilities import lens_evidence, lenses, once, shown_counts
from helpers.vulnerabilities.lenses import Lens

NO_CVE, TOO_NEW, NOT_THERE = (
    msg("no CVE id"),
    msg("published after the scores"),
    msg("not among the scores"),
)
"""Why a vulnerability has no score."""


def unscored(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return unscored vulnerabilities, a row an image: `capture, variant, vulnerability_id, why` …

    … and `severity, package, fixed_version, published_at, epss_day`; the most severe first.
    """
    counted = lenses.apply(findings, lens._replace(counted=once.VULNERABILITIES))
    left = counted[counted["epss"].isna() & counted["epss_day"].notna()]
    ids = left["vulnerability_id"].str.cat(left["aliases"].fillna(""), " ")
    why = pd.Series(NOT_THERE, index=left.index, dtype="str")
    # Scores are published about noon: what was published on that day may be in them.
    why[left["published_at"].gt(left["epss_day"]).fillna(False)] = TOO_NEW
    why[~ids.fillna("").str.contains("CVE-", regex=False)] = NO_CVE
    columns = ["capture", "variant", "vulnerability_id", "why", "severity", "package"]
    table = left.assign(why=why)[[*columns, "fixed_version", "published_at", "epss_day"]]
    return table.sort_values("severity", ascending=False, kind="stable", ignore_index=True)


def answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how many vulnerabilities of each image have no score, and why."""
    counted = lens._replace(counted=once.VULNERABILITIES)
    if images["epss_day"].isna().all():
        return Answer("unscored", counted=counted.label, lacks=likelihood.nothing_known())
    table = unscored(findings, lens)
    every = lenses.apply(findings, counted)
    parts = [_part(table, every, image) for image in images.itertuples()]
    text = f"{fitted(t('Vulnerabilities without a score'), parts)}. {word(lens_evidence.NO_SCORE)}"
    return Answer(
        "unscored",
        text=paragraph(text),
        table=table,
        counted=counted.label,
        searchable=True,
    )


def _part(table: pd.DataFrame, every: pd.DataFrame, image: Any) -> Part:
    """Return how many of one image's vulnerabilities have no score."""
    odd = shown_counts.odd(image.status)
    if image.status in UNKNOWN_COUNT:
        return unmeasured(image.variant, odd)
    if pd.isna(image.epss_day):
        return unknown(image.variant)
    lost, whole = (int(rows["variant"].eq(image.variant).sum()) for rows in (table, every))
    return part_of(escape.short(image.variant, 24), lost, whole, odd)
