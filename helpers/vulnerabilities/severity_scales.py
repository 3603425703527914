"""Severity scales: whose severities a scanner reports, and what NVD's are instead."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import SEVERITIES, UNKNOWN_COUNT
from helpers.text.i18n import msg, t
from helpers.text.rich import paragraph
from helpers.text.titles import around
from helpers.vulnerabilities import counting, lenses, shown_counts
from helpers.vulnerabilities.lenses import NVD, SCANNER, Lens

NO_SOURCE = msg("several (precomputed)")
NOT_SCORED = msg("not scored by NVD")
NO_RATING = msg("no rating")

_SCALES = {SCANNER: msg("as the scanner chose"), NVD: msg("NVD's")}


def sources(findings: pd.DataFrame) -> pd.DataFrame:
    """Return whose severities the findings have: `variant, severity_source`, a column a level.

    One row a variant and source, with the `total`. Without a source it is `not scored by NVD` where
    the report has NVD's severities, but none of that finding, else `several (precomputed)`: the
    scanner's database computed the severity from several sources.
    """
    is_stated = findings["nvd_severity"].notna()
    has_any = is_stated.groupby([findings["capture"], findings["variant"]]).transform("any")
    is_scored = is_stated & findings["nvd_severity"].ne("UNKNOWN")
    without = pd.Series(NO_SOURCE, findings.index, dtype=object).mask(
        has_any & ~is_scored, NOT_SCORED
    )
    rows = findings.assign(
        severity_source=findings["severity_source"].astype(object).fillna(without),
        severity=findings["severity"].astype("str"),
    )
    keys = ["variant", "severity_source"]
    table = rows.groupby([*keys, "severity"]).size().unstack(fill_value=0)
    table = table.reindex(columns=list(SEVERITIES), fill_value=0).astype("int64")
    return table.assign(total=table.sum(axis=1)).rename_axis(columns=None).reset_index()


def crosstab(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the scanner's severity against NVD's: `variant, severity`, a column a level of NVD's.

    The last column, `no rating`, is what NVD has not rated. Every level keeps its row.
    """
    levels = [*SEVERITIES, NO_RATING]
    nvd = findings["nvd_severity"].astype("str").fillna(NO_RATING)
    rows = findings.assign(nvd=nvd, severity=findings["severity"].astype("str"))
    counted = rows.groupby(["variant", "severity", "nvd"]).size().unstack(fill_value=0)
    variants = list(dict.fromkeys(findings["variant"]))
    every = pd.MultiIndex.from_product([variants, SEVERITIES], names=["variant", "severity"])
    table = counted.reindex(index=every, columns=levels, fill_value=0).astype("int64")
    renamed = {level: f"NVD_{level}" for level in SEVERITIES}
    return table.rename(columns=renamed).rename_axis(columns=None).reset_index()


def both_scales(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return severity counts by the scanner's and by NVD's scale: those columns, and `scale`."""
    parts = [
        counting.severity_counts(findings, images, lens._replace(rated_by=scale)).assign(
            scale=_SCALES[scale]
        )
        for scale in lenses.SCALES
    ]
    return pd.concat(parts, ignore_index=True)


def rerated(findings: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return how NVD rates findings: `variant, findings, higher, lower, same, unrated`.

    A variant that was not measured has NA, a clean one zeros.
    """
    scanner, nvd = findings["severity"].cat.codes, findings["nvd_severity"].cat.codes
    rated = findings["nvd_severity"].notna()
    ratings = pd.DataFrame(
        {
            "variant": findings["variant"],
            "findings": True,
            "higher": rated & (nvd > scanner),
            "lower": rated & (nvd < scanner),
            "same": rated & (nvd == scanner),
            "unrated": ~rated,
        }
    )
    table = ratings.groupby("variant").sum().reindex(images["variant"], fill_value=0)
    unknown = pd.Series(images["status"].isin(UNKNOWN_COUNT).to_numpy(), index=table.index)
    return table.astype("Int64").mask(unknown).reset_index()


def sources_answer(findings: pd.DataFrame, lens: Lens) -> Answer:
    """Answer whose severities the counted findings have."""
    table = sources(lenses.apply(findings, lens))
    return Answer("severity-sources", table=table, counted=lens.label)


def crosstab_answer(findings: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how the scanner's and NVD's severities of the counted findings go together."""
    table = crosstab(lenses.apply(findings, lens))
    return Answer("severity-crosstab", table=table, counted=lens.label)


def answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what NVD's scale says of the counted findings instead of the scanner's."""
    table = both_scales(findings, images, lens)
    ratings = rerated(lenses.apply(findings, lens._replace(rated_by=SCANNER)), images)
    chart = shown_counts.severity_bars(table, lens.label, ("variant", "scale"))
    note = t("Distributions rate their own packages, NVD rates all: the scales differ.")
    title = _title(ratings, lens.short)
    return Answer("severity-scales", title, paragraph(note), table, chart, lens.label)


def _title(ratings: pd.DataFrame, what: str) -> str:
    """Return how many of all images' findings NVD rates differently, or not at all."""
    sums = ratings.drop(columns="variant").sum()
    return around(
        what,
        lambda counted: t(
            "NVD rates {higher:,} of {findings:,} {counted} higher, {lower:,} lower, {unrated:,} "
            "not at all",
            counted=counted,
            **sums,
        ),
    )
