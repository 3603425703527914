"""Headlines and labels of figures: plain text, every number computed from a frame."""

import pandas as pd

from helpers import compare, escape
from helpers.frames import BROKEN, NO_OS
from helpers.languages import columns, msg, room, t, word
from helpers.lenses import FINDINGS
from helpers.sizes import COMPRESSED, MB, PUBLISHED, UNPACKED

MEASURED_AS = {
    UNPACKED: msg("unpacked"),
    COMPRESSED: msg("compressed"),
    PUBLISHED: msg("as published"),
}

_FITS = 108
"""Columns, in English, that fit on the two lines of a title, broken between words."""

_BROKEN = msg(" (broken)")
_MARKS = {NO_OS: msg(" (no OS recognised)"), BROKEN: _BROKEN}


def breakdown(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of a severity breakdown: totals, the largest first."""
    totals = compare.totals(counts).sort_values("total", ascending=False, kind="stable")
    known = totals.dropna(subset="total")
    parts = [f"{_name(t.variant)} {total(t.total, t.status)}" for t in known.itertuples()]
    unknown = totals[totals["total"].isna()]["variant"]
    lost = [t("{variant} not measured", variant=_name(v)) for v in unknown]
    return f"{begun(what)}: {', '.join(filter(None, [_some(parts), *lost[:2]]))}"


def packages(table: pd.DataFrame, what: str) -> str:
    """Return which packages bring most, over all images."""
    sums = table.groupby("package", sort=False)["count"].sum().sort_values(ascending=False)
    parts = [
        f"{escape.short(compare.package_name(package), 30)} {count:,}"
        for package, count in sums.head(3).items()
    ]
    return t(
        "{counted}: most from {packages}",
        counted=begun(what),
        packages=", ".join(parts) or word(msg("nothing")),
    )


def captures(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of the same images under several captures: every total, in time."""
    totals = compare.totals(counts).sort_values("capture", kind="stable")
    days = totals["capture"].unique()
    parts = [
        f"{_name(variant)} {' → '.join(map(shown, rows['total']))}"
        for variant, rows in totals.groupby("variant", sort=False)
    ]
    return f"{begun(what)}, {' → '.join(days)}: {_some(parts)}"


def sizes(table: pd.DataFrame, size: str) -> str:
    """Return the headline of a size comparison."""
    known, measured_as = table.dropna(subset="bytes"), word(MEASURED_AS[size])
    if len(known) < 2:
        return t("Image size, {measured_as}: nothing to compare", measured_as=measured_as)
    base = known["baseline"].iloc[0]
    others = known[known["variant"].ne(base)]
    parts = [
        f"{_name(o.variant)} {difference(o.difference_bytes)}{broken(o.status)}"
        for o in others.itertuples()
    ]
    return t(
        "Size against {baseline}, {measured_as}: {differences}",
        baseline=_name(base),
        measured_as=measured_as,
        differences=_some(parts),
    )


def size_origin(table: pd.DataFrame, size: str) -> str:
    """Return where sizes are from, for a figure's footer; nothing if all are measured alike."""
    origins = list(dict.fromkeys(table[table["kind"].eq(size)]["origin"].dropna()))
    if size != PUBLISHED and len(origins) < 2:
        return ""
    return t("sizes: {origins}", origins="; ".join(map(word, origins)))


def total(count: object, status: str) -> str:
    """Return an image's total, marked where it is no good sign that it is low."""
    mark = _MARKS.get(status)
    return shown(count) + (word(mark) if mark and pd.notna(count) else "")


def broken(status: str) -> str:
    """Return what is said with the size of an image that does not work; else nothing."""
    return word(_BROKEN) if status == BROKEN else ""


def difference(size_bytes: float) -> str:
    """Return a difference of sizes in words."""
    size = abs(size_bytes) / MB
    if size_bytes >= 0:
        return t("{size:,.1f} MB larger", size=size)
    return t("{size:,.1f} MB smaller", size=size)


def shown(count: object) -> str:
    """Return a count, or that there is none."""
    return word(msg("not measured")) if pd.isna(count) else f"{count:,}"


def begun(text: str) -> str:
    """Return a text as the beginning of a headline: with a capital, where there are some."""
    return f"{text[:1].upper()}{text[1:]}"


def _name(variant: object) -> str:
    return escape.short(variant, 30)


def fits(headline: str) -> bool:
    """Return whether a headline fits on the two lines of a figure's title."""
    return columns(headline) <= room(_FITS)


def fitted(head: str, parts: list[str]) -> str:
    """Return a headline with its parts: all if they fit on two lines, else the first and last."""
    whole = f"{head}: {', '.join(parts)}"
    if len(parts) <= 2 or fits(whole):
        return whole
    return f"{head}: {', '.join([parts[0], '…', parts[-1]])}"


def _some(parts: list[str]) -> str:
    """Return what fits into a headline: of many, the first and the last."""
    return ", ".join(parts if len(parts) <= 3 else [parts[0], "…", parts[-1]])
