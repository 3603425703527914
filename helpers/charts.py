"""Charts: each draws a tidy frame on an `Axes` and returns it; the look is `kit.mplstyle`."""

import textwrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from helpers import escape
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
_SEGMENT_SIZE = 17
_DIGIT_SHARE, _MARGIN_SHARE = 0.015, 0.005
"""Share of the longest bar that a digit of a segment's number takes, and the room around it."""

_NAME_WIDTH = 20


def severity_breakdown(counts: pd.DataFrame, ax: Axes, counted: str = "findings") -> Axes:
    """Draw one stacked bar an image: CRITICAL first, its total at the end, in the frame's order.

    `counts` has `capture, variant, severity, count`; an image that was not measured says so.
    """
    table = counts.pivot_table(
        index=["capture", "variant"],
        columns="severity",
        values="count",
        observed=False,
        sort=False,
        aggfunc=lambda found: found.sum(min_count=1),
        dropna=False,
    )[list(reversed(SEVERITIES))]
    # The captures of one variant stand together, variants in the order of the frame.
    table = pd.concat([rows for _, rows in table.groupby(level="variant", sort=False)])
    totals = table.sum(axis=1, min_count=1)
    longest = max(float(totals.max()) if totals.notna().any() else 0.0, 1.0)
    ax.set_xlim(0, longest * 1.14)
    left = pd.Series(0.0, index=table.index)
    for severity in table.columns:
        widths = table[severity].fillna(0).astype(float)
        ax.barh(
            range(len(table)),
            widths,
            left=left,
            height=_BAR_HEIGHT,
            color=COLOURS[severity],
            edgecolor=FAINT if severity == "UNKNOWN" else "white",
            linewidth=widths.gt(0).astype(float),
            label=severity,
        )
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            number = f"{width:.0f}"
            if width and width >= longest * (_DIGIT_SHARE * len(number) + _MARGIN_SHARE):
                style: dict[str, Any] = {"color": ink_on(COLOURS[severity]), "size": _SEGMENT_SIZE}
                ax.text(start + width / 2, row, number, ha="center", va="center", **style)
        left += widths
    _end_labels(ax, left, ["not measured" if pd.isna(t) else f"{t:,.0f}" for t in totals], longest)
    _name_rows(ax, _image_names(table.index))
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

    `differences` has `variant, bytes, difference_bytes, ratio, baseline`.
    """
    megabytes = (differences["bytes"] / MB).astype("Float64")
    known = megabytes.dropna().astype(float)
    longest = float(known.max()) if len(known) else 1.0
    ax.set_xlim(0, longest * 1.4)
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
    _name_rows(ax, [_wrap(name) for name in differences["variant"]])
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
    if row.variant == row.baseline:
        return f"{size / MB:,.1f} MB\nbaseline"
    return f"{size / MB:,.1f} MB\n{difference / MB:+,.1f} MB, ×{ratio:.2f}".replace("-", "−")


def _end_labels(ax: Axes, ends: pd.Series, labels: list[str], longest: float) -> None:
    for row, (end, label) in enumerate(zip(ends, labels, strict=True)):
        ax.text(
            end + longest * 0.012,
            row,
            label,
            va="center",
            ha="left",
            weight="normal" if label == "not measured" else "bold",
            style="italic" if label == "not measured" else "normal",
            color=FAINT if label == "not measured" else INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )


def _name_rows(ax: Axes, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.45, -0.55)


def _image_names(index: pd.MultiIndex) -> list[str]:
    """Return a name for each (capture, variant); the capture only where there are several."""
    several = index.get_level_values("capture").nunique() > 1
    return [_wrap(variant) + (f"\n{capture}" if several else "") for capture, variant in index]


def _wrap(name: str) -> str:
    """Return a name on two lines at most; a long one loses its middle."""
    for width in range(2 * _NAME_WIDTH, _NAME_WIDTH, -1):
        lines = textwrap.wrap(escape.short(name, width), _NAME_WIDTH)
        if len(lines) <= 2:
            break
    return "\n".join(lines[:2])
