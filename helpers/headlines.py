"""Headlines and labels of figures: plain text, every number computed from a frame."""

import pandas as pd

from helpers import compare, escape
from helpers.frames import BROKEN, NO_OS
from helpers.lenses import FINDINGS
from helpers.sizes import COMPRESSED, MB, PUBLISHED, UNPACKED

MEASURED_AS = {
    UNPACKED: "unpacked",
    COMPRESSED: "compressed",
    PUBLISHED: "as published",
}

FITS = 108
"""Characters that fit on the two lines of a figure's title, broken between words."""

_BROKEN = " (broken)"
_MARKS = {NO_OS: " (no OS recognised)", BROKEN: _BROKEN}


def breakdown(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of a severity breakdown: totals, the largest first."""
    totals = compare.totals(counts).sort_values("total", ascending=False, kind="stable")
    known = totals.dropna(subset="total")
    parts = [f"{_name(t.variant)} {total(t.total, t.status)}" for t in known.itertuples()]
    lost = [f"{_name(v)} not measured" for v in totals[totals["total"].isna()]["variant"]]
    return f"{what[:1].upper()}{what[1:]}: {', '.join(filter(None, [_some(parts), *lost[:2]]))}"


def packages(table: pd.DataFrame, what: str) -> str:
    """Return which packages bring most, over all images."""
    sums = table.groupby("package", sort=False)["count"].sum().sort_values(ascending=False)
    parts = [f"{_name(package)} {count:,}" for package, count in sums.head(3).items()]
    return f"{what[:1].upper()}{what[1:]}: most from {', '.join(parts) or 'nothing'}"


def captures(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of the same images under several captures: every total, in time."""
    totals = compare.totals(counts).sort_values("capture", kind="stable")
    days = totals["capture"].unique()
    parts = [
        f"{_name(variant)} {' → '.join(map(shown, rows['total']))}"
        for variant, rows in totals.groupby("variant", sort=False)
    ]
    return f"{what[:1].upper()}{what[1:]}, {' → '.join(days)}: {_some(parts)}"


def sizes(table: pd.DataFrame, size: str) -> str:
    """Return the headline of a size comparison."""
    known = table.dropna(subset="bytes")
    if len(known) < 2:
        return f"Image size, {MEASURED_AS[size]}: nothing to compare"
    base = known["baseline"].iloc[0]
    others = known[known["variant"].ne(base)]
    parts = [
        f"{_name(o.variant)} {difference(o.difference_bytes)}{broken(o.status)}"
        for o in others.itertuples()
    ]
    return f"Size against {_name(base)}, {MEASURED_AS[size]}: {_some(parts)}"


def size_origin(table: pd.DataFrame, size: str) -> str:
    """Return where sizes are from, for a figure's footer; nothing if all are measured alike."""
    origins = list(dict.fromkeys(table[table["kind"].eq(size)]["origin"].dropna()))
    if size != PUBLISHED and len(origins) < 2:
        return ""
    return f"sizes: {'; '.join(origins)}"


def total(count: object, status: str) -> str:
    """Return an image's total, marked where it is no good sign that it is low."""
    return shown(count) + ("" if pd.isna(count) else _MARKS.get(status, ""))


def broken(status: str) -> str:
    """Return what is said with the size of an image that does not work; else nothing."""
    return _BROKEN if status == BROKEN else ""


def difference(size_bytes: float) -> str:
    """Return a difference of sizes in words."""
    return f"{abs(size_bytes) / MB:,.1f} MB {'larger' if size_bytes >= 0 else 'smaller'}"


def shown(count: object) -> str:
    """Return a count, or that there is none."""
    return "not measured" if pd.isna(count) else f"{count:,}"


def _name(variant: object) -> str:
    return escape.short(variant, 30)


def fitted(head: str, parts: list[str]) -> str:
    """Return a headline with its parts: all if they fit on two lines, else the first and last."""
    whole = f"{head}: {', '.join(parts)}"
    if len(parts) <= 2 or len(whole) <= FITS:
        return whole
    return f"{head}: {', '.join([parts[0], '…', parts[-1]])}"


def _some(parts: list[str]) -> str:
    """Return what fits into a headline: of many, the first and the last."""
    return ", ".join(parts if len(parts) <= 3 else [parts[0], "…", parts[-1]])
