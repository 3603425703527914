"""What has no EPSS score, and why: missing is not zero."""

from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import UNKNOWN_COUNT
from helpers.risk import likelihood
from helpers.text.i18n import msg, word
from helpers.text.rich import Phrase, bullets, name, paragraph, say, share
from helpers.vulnerabilities import lenses, once
from helpers.vulnerabilities.lenses import Lens

NO_CVE, TOO_NEW, NOT_THERE = (
    msg("it has no CVE id"),
    msg("published after the day of the scores"),
    msg("not in that day's scores"),
)
"""Why a vulnerability has no score."""


def unscored(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return what has no score, once an image: `capture, variant, vulnerability_id, why` …

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
    """Answer how many have no score in each image, and why."""
    counted = lens._replace(counted=once.VULNERABILITIES)
    if images["epss_day"].isna().all():
        return Answer("unscored", counted=counted.label, lacks=likelihood.nothing_known())
    table = unscored(findings, lens)
    every = lenses.apply(findings, counted)
    lines = (
        name(image.variant) + ": " + _of_image(table, every, image) for image in images.itertuples()
    )
    note = say(
        "A score says how likely exploitation is. **No score says nothing**: it is not zero, and "
        "no count here takes it for that."
    )
    return Answer(
        "unscored", text=bullets(lines) + paragraph(note), table=table, counted=counted.label,
        searchable=True,
    )  # fmt: skip


def _of_image(table: pd.DataFrame, every: pd.DataFrame, image: Any) -> Phrase:
    """Return how many of one image's vulnerabilities have no score, and why."""
    if image.status in UNKNOWN_COUNT:
        return say("not measured")
    if pd.isna(image.epss_day):
        return say("no scores were recorded")
    lost = table[table["variant"].eq(image.variant)]
    whole = int(every["variant"].eq(image.variant).sum())
    text = say("{lost} without a score", lost=share(len(lost), whole))
    counts = lost["why"].value_counts()
    parts = [
        f"{counts[why]:,} {word(why)}" for why in (TOO_NEW, NO_CVE, NOT_THERE) if why in counts
    ]
    return text + (": " + ", ".join(parts) if parts else "")
