"""Severity scales: whose severities the scanner took, and what NVD's would say instead."""

import pandas as pd

from helpers.frames import SEVERITIES, UNKNOWN_COUNT
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import name, number
from helpers.vulnerabilities import counting, lenses
from helpers.vulnerabilities.lenses import NVD, SCANNER, Lens

NO_SOURCE = msg("several (precomputed)")
NO_RATING = msg("no rating")

_SCALE_NAMES = {SCANNER: msg("as the scanner chose"), NVD: msg("NVD's")}


def sources(findings: pd.DataFrame) -> pd.DataFrame:
    """Return whose severities the findings have: `variant, severity_source`, a column a level.

    One row a variant and source, with the `total`; a finding whose severity the scanner's database
    computed from others' counts under `several (precomputed)`.
    """
    rows = findings.assign(
        severity_source=findings["severity_source"].fillna(NO_SOURCE),
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
        counting.severity_counts(findings, images, lens._replace(severity=scale)).assign(
            scale=_SCALE_NAMES[scale]
        )
        for scale in lenses.SCALES
    ]
    return pd.concat(parts, ignore_index=True)


def rerated(findings: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return how NVD rates findings: `variant, findings, higher, lower, same, unrated`.

    A variant that nobody looked at has NA, a clean one zeros.
    """
    ours, nvd = findings["severity"].cat.codes, findings["nvd_severity"].cat.codes
    rated = findings["nvd_severity"].notna()
    told = pd.DataFrame(
        {
            "variant": findings["variant"],
            "findings": True,
            "higher": rated & (nvd > ours),
            "lower": rated & (nvd < ours),
            "same": rated & (nvd == ours),
            "unrated": ~rated,
        }
    )
    table = told.groupby("variant").sum().reindex(images["variant"], fill_value=0).astype("Int64")
    unknown = images["status"].isin(UNKNOWN_COUNT).to_numpy()
    return table.mask(pd.Series(unknown, index=table.index)).reset_index()


def headline(rerated: pd.DataFrame, lens: Lens) -> str:
    """Return how many of all images' findings NVD rates otherwise, or not at all."""
    sums = rerated.drop(columns="variant").sum()
    if not sums["findings"]:
        return word(msg("By NVD's scale: nothing to rate"))
    return t(
        "NVD rates {higher:,} of {findings:,} {counted} higher, {lower:,} lower; of {unrated:,} "
        "the reports have no rating of NVD's",
        counted=lens.short,
        **sums,
    )


def sentence(table: pd.DataFrame) -> str:
    """Return what changes under NVD's scale, image by image."""
    lines = []
    for row in table.itertuples():
        if pd.isna(row.findings):
            told = word(msg("not measured"))
        elif not row.findings:
            told = word(msg("nothing found, so nothing to rate"))
        else:
            told = t(
                "of {findings}, NVD has {higher:,} rated higher, {lower:,} lower, {same:,} the "
                "same, {unrated:,} not rated in these reports",
                findings=number(row.findings, "finding"),
                higher=row.higher,
                lower=row.lower,
                same=row.same,
                unrated=row.unrated,
            )
        lines.append(f"- {name(row.variant)}: {told}")
    note = t(
        "A distribution rates for its own packages and NVD for all, so levels of different sources "
        "are no common scale. What NVD has not rated counts as UNKNOWN under its scale."
    )
    return "\n".join([*lines, "", note])
