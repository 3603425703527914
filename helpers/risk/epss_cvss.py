"""EPSS against CVSS: how likely exploitation is anywhere, and how bad it would be."""

from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Limit, Point, Points
from helpers.answers.talk import RISK, Talk
from helpers.risk import likelihood
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Text, paragraph
from helpers.text.titles import around
from helpers.vulnerabilities import lens_evidence, lenses, once
from helpers.vulnerabilities.lenses import LIKELY_FROM, Lens

EXPLOITED, FIXABLE, UNFIXED = "exploited", "fixable", "unfixed"
GROUPS = {
    EXPLOITED: msg("known to be exploited"),
    FIXABLE: msg("fixable"),
    UNFIXED: msg("unfixed"),
}
"""Groups of points, and their names in the legend."""

LOWEST = 1e-5
"""The lowest score that EPSS states, since 2025; a logarithmic axis has no zero."""

_SHOWN = ["vulnerability_id", "package", "variants", "epss", "cvss_score", "fixable", "part"]

_NAMED = 4
"""Points that are named, at most: the exploited and the likeliest."""


def vulnerabilities(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return what a lens counts, one row a vulnerability, the worst first.

    `vulnerability_id, cve_id, package, variants, epss, epss_percentile, epss_day, cvss_score,
    cvss_vector, severity, exploited, kev_added_at, fixable, part`: `package` are its packages,
    `variants` the images that have it, joined by `, `; it is `fixable` or `exploited` if it is in
    one of them; `part` is that of `likelihood`.
    """
    each = lenses.each(findings, lens)
    each = each.assign(
        key=each["vulnerability"].fillna("?"),
        fixable=each["fixed_version"].notna(),
        exploited=likelihood.is_exploited(each, lens.known_by).where(each["exploited"].notna()),
    )
    groups = each.groupby("key", sort=False)
    table = groups.agg(
        vulnerability_id=("vulnerability", "first"),
        cve_id=("cve_id", "first"),
        package=("package", likelihood.joined),
        variants=("variant", likelihood.joined),
        epss=("epss", "max"),
        epss_percentile=("epss_percentile", "max"),
        epss_day=("epss_day", "max"),
        cvss_score=("cvss_score", "max"),
        cvss_vector=("cvss_vector", "first"),
        severity=("severity", "max"),
        exploited=("exploited", "max"),
        kev_added_at=("kev_added_at", "min"),
        fixable=("fixable", "max"),
    ).reset_index(drop=True)
    table["exploited"] = table["exploited"].astype("boolean")
    table["part"] = likelihood.part(table)
    order = table.assign(rank=table["exploited"].fillna(False))
    order = order.sort_values(
        ["rank", "epss", "cvss_score"], ascending=False, na_position="last", kind="stable"
    )
    return table.loc[order.index].reset_index(drop=True)


def answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> Answer:
    """Answer which vulnerabilities are likely to be exploited, and how bad that would be."""
    counted = lens._replace(counted=once.VULNERABILITIES)
    if not likelihood.looked_up(images).any():
        return Answer("epss-and-cvss", counted=counted.label, lacks=likelihood.nothing_known())
    table = vulnerabilities(findings, lens)
    placed = table.dropna(subset=["epss", "cvss_score"])
    what = counted.one if len(table) == 1 else counted.short
    title = _title(table, what, least)
    return Answer(
        "epss-and-cvss",
        title,
        _text(placed, least),
        table,
        _points(placed, table, least, images),
        counted.label,
        lens_evidence.sources(findings, images, counted),
        role=SLIDE,
        shown=table[_SHOWN],
        talks=(_talk(),),
    )


def _points(
    placed: pd.DataFrame, table: pd.DataFrame, least: float, images: pd.DataFrame
) -> Points:
    """Return vulnerabilities as points, those that matter most with their names."""
    named = placed["exploited"].fillna(False) | placed["epss"].ge(least)
    named &= named.cumsum().le(_NAMED)
    points = [
        Point(
            str(row.vulnerability_id),
            max(float(row.epss), LOWEST),
            float(row.cvss_score),
            _label(row) if is_named else "",
            _group(row),
        )
        for row, is_named in zip(placed.itertuples(), named, strict=True)
    ]
    return Points(
        points,
        t("EPSS: probability of exploitation anywhere within 30 days"),
        t("CVSS base score by NVD, 0 to 10"),
        {group: word(text) for group, text in GROUPS.items()},
        note=_lost(table, images),
        log=True,
        top=10.0,
        limit=Limit(max(least, LOWEST), t("EPSS ≥ {least:g}", least=least)),
    )


def _group(row: Any) -> str:
    if pd.notna(row.exploited) and row.exploited:
        return EXPLOITED
    return FIXABLE if row.fixable else UNFIXED


def _label(row: Any) -> str:
    first = str(row.package).partition(",")[0]
    return f"{escape.short(row.vulnerability_id, 20)} {escape.short(first, 16)}"


def _lost(table: pd.DataFrame, images: pd.DataFrame) -> str:
    """Return how many have no point, and why, and of which images no catalog says anything."""
    lost = table[table["epss"].isna() | table["cvss_score"].isna()]
    exploited = int(lost["exploited"].fillna(False).sum())
    notes = []
    if len(lost):
        note = t("not shown: {count:,} without an EPSS or CVSS score", count=len(lost))
        notes.append(note + (t(", {count:,} exploited", count=exploited) if exploited else ""))
    if images["kev_source"].isna().any():
        notes.append(t("Some images have no record of what is exploited."))
    return "; ".join(notes)


def _title(table: pd.DataFrame, what: str, least: float) -> str:
    """Return how many of what counts are known to be exploited, and how many likely to be."""
    exploited = int(table["exploited"].fillna(False).sum())
    likely = int(table["epss"].ge(least).fillna(False).sum())
    values = {"count": len(table), "likely": likely, "least": least}
    if table["exploited"].isna().all() and len(table):
        form = msg("{likely:,} of {count:,} {what} with EPSS ≥ {least:g}; exploited: not known")
    else:
        form = msg(
            "Of {count:,} {what}, {exploited:,} exploited (KEV), {likely:,} with EPSS ≥ {least:g}"
        )
    return around(what, lambda shown: word(form).format(what=shown, exploited=exploited, **values))


def _text(placed: pd.DataFrame, least: float) -> Text:
    """Return how far severity and likelihood go together."""
    serious = placed["cvss_score"].ge(7)
    text = t(
        "Of {serious:,} with a CVSS score of 7 or more, {both:,} have EPSS ≥ {least:g}.",
        serious=int(serious.sum()),
        both=int((serious & placed["epss"].ge(least)).sum()),
        least=least,
    )
    return paragraph(f"{text} {word(lens_evidence.NO_SCORE)}")


def _talk() -> Talk:
    spoken = (
        t("Further right is likelier to be exploited, further up is worse."),
        word(lens_evidence.BY_EPSS),
    )
    return Talk(RISK, spoken=spoken)
