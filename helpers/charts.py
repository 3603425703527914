"""Charts: each draws a tidy frame on an `Axes` and returns it; the look is `kit.mplstyle`."""

import textwrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from helpers import compare, escape, headlines
from helpers.compare import MB
from helpers.frames import SEVERITIES

COLOURS = {
    "UNKNOWN": "#E4E8EC",
    "LOW": "#F2CC5E",
    "MEDIUM": "#E8893A",
    "HIGH": "#BE3A34",
    "CRITICAL": "#43092B",
}
"""Severity colours: each darker than the one before, so that they survive greyscale."""

BAR, BASELINE, INK, FAINT = "#3C6E99", "#9DB4C8", "#222222", "#777777"

_BAR_HEIGHT = 0.62
_AXES_POINTS = 330
"""Height of the axes in points, below the title and above the axis label, at the least."""

_DIGIT_SHARE, _MARGIN_SHARE = 0.015, 0.005
"""Share of the longest bar that a digit of a segment's number takes, and the room around it."""

_NAME_WIDTH = 20
_TALL_ROWS = 6
"""Rows up to this many have room for names and labels on two lines."""


def severity_breakdown(counts: pd.DataFrame, ax: Axes, counted: str = "findings") -> Axes:
    """Draw one stacked bar an image: CRITICAL first, its total at the end, in the frame's order.

    `counts` are `compare.severity_counts`; an image that was not measured says so.
    """
    images = counts[["capture", "variant", "status"]].drop_duplicates()
    # The captures of one variant stand together, variants in the order of the frame.
    images = pd.concat([rows for _, rows in images.groupby("variant", sort=False)])
    keys = pd.MultiIndex.from_frame(images[["capture", "variant"]])
    by_image = counts.set_index(["capture", "variant"])
    totals = compare.totals(counts).set_index(["capture", "variant"])["total"].reindex(keys)
    longest = max(float(totals.max()) if totals.notna().any() else 0.0, 1.0)
    left = pd.Series(0.0, index=keys)
    for severity in reversed(SEVERITIES):
        of_severity = by_image[by_image["severity"].eq(severity)]["count"].reindex(keys)
        widths = of_severity.fillna(0).astype(float)
        ax.barh(
            range(len(keys)),
            widths,
            left=left,
            height=_BAR_HEIGHT,
            color=COLOURS[severity],
            edgecolor=FAINT if severity == "UNKNOWN" else "white",
            linewidth=widths.gt(0).astype(float),
            label=severity,
        )
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            number = f"{width:,.0f}"
            if width and width >= longest * (_DIGIT_SHARE * len(number) + _MARGIN_SHARE):
                ink, size = ink_on(COLOURS[severity]), _size(len(keys), 17)
                middle = start + width / 2
                ax.text(middle, row, number, ha="center", va="center", color=ink, size=size)
        left += widths
    labels = [headlines.total(*told) for told in zip(totals, images["status"], strict=True)]
    ax.set_xlim(0, longest * (1.14 if max(map(len, labels)) < 8 else 1.5))
    _end_labels(ax, left, labels, longest)
    several = images["capture"].nunique() > 1
    named = zip(images["variant"], images["capture"], strict=True)
    _name_rows(ax, [(variant, capture if several else "") for variant, capture in named])
    ax.set_xlabel(f"number of {counted}")
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=len(SEVERITIES),
        borderaxespad=0.3,
    )
    return ax


def size_difference(differences: pd.DataFrame, ax: Axes, measured_as: str = "unpacked") -> Axes:
    """Draw one bar a variant, its size and its difference to the baseline at the end.

    `differences` has `variant, bytes, difference_bytes, ratio, baseline, status`.
    """
    megabytes = (differences["bytes"] / MB).astype("Float64")
    known = megabytes.dropna().astype(float)
    longest = float(known.max()) if len(known) else 1.0
    ax.set_xlim(0, longest * (1.4 if len(differences) <= _TALL_ROWS else 1.5))
    is_baseline = differences["variant"].eq(differences["baseline"]).fillna(False)
    ax.barh(
        range(len(differences)),
        megabytes.fillna(0).astype(float),
        height=_BAR_HEIGHT,
        color=[BASELINE if base else BAR for base in is_baseline],
    )
    for value in known[is_baseline[known.index]]:
        ax.axvline(value, color=INK, linestyle="--", linewidth=1.6)
    labels = [_size_label(row) for row in differences.itertuples()]
    _end_labels(ax, megabytes.fillna(0).astype(float), labels, longest)
    _name_rows(ax, [(variant, "") for variant in differences["variant"]])
    ax.set_xlabel(f"image size, {measured_as} (MB = 10⁶ bytes)")
    return ax


def ink_on(colour: str) -> str:
    """Return the ink, dark or white, that is readable on a colour.

    Relative luminance and the threshold of equal contrast are those of WCAG 2.2.
    """
    return "white" if luminance(colour) < 0.18 else INK


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance of a colour, from 0 (black) to 1 (white)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _size_label(row: Any) -> str:
    size, difference, ratio = row.bytes, row.difference_bytes, row.ratio
    if pd.isna(size):
        return "not measured"
    told = f"{size / MB:,.1f} MB{headlines.broken(row.status)}"
    if row.variant == row.baseline:
        return f"{told}\nbaseline"
    return f"{told}\n{difference / MB:+,.1f} MB, ×{ratio:.2f}".replace("-", "−")


def _size(rows: int, most: float) -> float:
    """Return the size of text that fits into a row of so many, in points."""
    return most if rows <= _TALL_ROWS else min(14, 0.7 * _AXES_POINTS / rows)


def _end_labels(ax: Axes, ends: pd.Series, labels: list[str], longest: float) -> None:
    size = _size(len(labels), 19)
    for row, (end, label) in enumerate(zip(ends, labels, strict=True)):
        measured = label != "not measured"
        ax.text(
            end + longest * 0.012,
            row,
            label if len(labels) <= _TALL_ROWS else label.replace("\n", "  "),
            va="center",
            ha="left",
            size=size,
            weight="bold" if measured else "normal",
            style="normal" if measured else "italic",
            color=INK if measured else FAINT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )


def _name_rows(ax: Axes, names: list[tuple[str, str]]) -> None:
    """Name the rows by variant and capture: on two lines where rows are few, else on one."""
    if len(names) <= _TALL_ROWS:
        texts = ["\n".join(filter(None, (_wrap(name), day))) for name, day in names]
    else:
        texts = [
            escape.short(variant, 26) + (f", {capture}" if capture else "")
            for variant, capture in names
        ]
    ax.set_yticks(range(len(names)), texts, size=_size(len(names), 20))
    ax.set_ylim(len(names) - 0.45, -0.55)


def _wrap(name: str) -> str:
    """Return a name on two lines at most; a long one loses its middle."""
    for width in range(2 * _NAME_WIDTH, _NAME_WIDTH, -1):
        lines = textwrap.wrap(escape.short(name, width), _NAME_WIDTH)
        if len(lines) <= 2:
            break
    return "\n".join(lines[:2])
