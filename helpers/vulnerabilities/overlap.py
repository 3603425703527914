"""Which vulnerabilities are in one variant only, and which in several."""

import pandas as pd

from helpers.frames import SEVERITIES, SEVERITY, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, number
from helpers.text.titles import fits
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import Lens

JOINED = " + "
REST = msg("other combinations")

_ABOUT = 5
"""Columns of a listing before those of the variants, which may be named like one of them."""


def listing(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return one row a vulnerability: its id, highest severity, packages and where it is.

    `vulnerability_id, severity, variants, packages, fixed` and then a column a variant: how often
    the lens counts it there. `variants` joins those that have it; images of one capture.
    """
    measured = images[~images["status"].isin(UNKNOWN_COUNT)]["variant"].tolist()
    seen = lenses.apply(findings, lens)
    seen = seen[seen["variant"].isin(measured)]
    # Findings without an id are not the same as any other: each is a row of its own.
    own = pd.Series([t("(no id) {row}", row=row) for row in seen.index], seen.index, dtype="str")
    rows = seen.assign(vulnerability_id=seen["vulnerability_id"].fillna(own))
    counts = rows.groupby(["vulnerability_id", "variant"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=measured, fill_value=0).astype("int64")
    by_id = rows.groupby("vulnerability_id")
    each = rows.dropna(subset="package").drop_duplicates(["vulnerability_id", "package"])
    packages = each.sort_values("package").groupby("vulnerability_id")["package"].agg(", ".join)
    about = pd.DataFrame(
        {
            "severity": by_id["severity"].max().astype(SEVERITY),
            "variants": _where(counts),
            "packages": packages.reindex(counts.index, fill_value=""),
            "fixed": rows["fixed_version"].notna().groupby(rows["vulnerability_id"]).any(),
        },
        index=counts.index,
    )
    table = pd.concat([about, counts], axis=1).reset_index()
    return table.sort_values(
        ["severity", "vulnerability_id"], ascending=[False, True], ignore_index=True
    )


def combinations(listing: pd.DataFrame, most: int = 12) -> pd.DataFrame:
    """Return how many vulnerabilities each combination of variants has, the largest first.

    `variants, vulnerabilities`, and a column a severity. Of many combinations the smallest are one
    row, `other combinations`.
    """
    levels = listing.astype({"severity": "str"}).groupby(["variants", "severity"]).size()
    table = levels.unstack(fill_value=0).reindex(columns=list(SEVERITIES), fill_value=0)
    table = table.astype("int64").rename_axis(columns=None)
    table.insert(0, "vulnerabilities", table.sum(axis=1))
    table = table.sort_values("vulnerabilities", ascending=False, kind="stable").reset_index()
    if len(table) <= most:
        return table
    rest = table.iloc[most - 1 :].drop(columns="variants").sum().to_frame().T
    return pd.concat([table.iloc[: most - 1], rest.assign(variants=REST)], ignore_index=True)


def variants(listing: pd.DataFrame) -> list[str]:
    """Return the variants of a listing: those that were measured, in the study's order."""
    return [str(name) for name in listing.columns[_ABOUT:]]


def label(lens: Lens) -> str:
    """Return what an overlap counts: distinct vulnerabilities, under an else equal lens."""
    return lens._replace(counted=lenses.VULNERABILITIES).label


def headline(listing: pd.DataFrame) -> str:
    """Return how many vulnerabilities all variants share, and how many each has alone."""
    found = variants(listing)
    if len(found) < 2:
        return word(
            msg("Overlap: nothing to compare, for want of a second variant that was measured")
        )
    shared = int(listing["variants"].eq(JOINED.join(found)).sum())
    alone = {v: int(listing["variants"].eq(v).sum()) for v in found}
    most = sorted(alone, key=lambda v: -alone[v])[:2]
    parts = [
        t("{count:,} in {variant} alone", count=alone[v], variant=escape.short(v, 24)) for v in most
    ]
    whole = number(len(listing), "vulnerability")
    head = (
        t("Of {vulnerabilities}, {shared:,} in both", vulnerabilities=whole, shared=shared)
        if len(found) == 2
        else t(
            "Of {vulnerabilities}, {shared:,} in all {variants}",
            vulnerabilities=whole,
            shared=shared,
            variants=len(found),
        )
    )
    told = f"{head}; {', '.join(parts)}"
    return told if fits(told) else f"{head}; {parts[0]}"


def sentence(listing: pd.DataFrame) -> str:
    """Return what each variant has alone and shares, in words."""
    found = variants(listing)
    if len(found) < 2:
        return word(
            msg("One variant was measured, so nothing is shared and nothing is told apart.")
            if found
            else msg("No variant was measured, so nothing is shared and nothing is told apart.")
        )
    lines = []
    for place, v in enumerate(found, start=_ABOUT):
        has = int(listing.iloc[:, place].gt(0).sum())
        alone = int(listing["variants"].eq(v).sum())
        told = t(
            "{vulnerabilities}, {alone:,} of them in no other variant",
            vulnerabilities=number(has, "vulnerability"),
            alone=alone,
        )
        lines.append(f"- {name(v)}: {told}")
    everywhere = int(listing["variants"].eq(JOINED.join(found)).sum())
    common = t(
        "In all of {variants}: {count:,}.", variants=listed(map(name, found)), count=everywhere
    )
    return "\n".join([*lines, "", common])


def _where(counts: pd.DataFrame) -> pd.Series:
    """Return of each vulnerability the variants that have it, joined."""
    there = counts.gt(0)
    joined = [JOINED.join(counts.columns[row]) for row in there.to_numpy()]
    return pd.Series(joined, index=counts.index, dtype="str")
