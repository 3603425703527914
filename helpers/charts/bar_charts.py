"""Charts: each draws a tidy frame on an `Axes` and returns it; the look is `kit.mplstyle`."""

import textwrap
from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from helpers.frames import SEVERITIES
from helpers.sizes.image_sizes import MB, UNPACKED
from helpers.text import escape, i18n, titles
from helpers.text.i18n import msg, t, word
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.fixes import FIXABLE, UNFIXED
from helpers.vulnerabilities.lenses import FINDINGS, PLACE_NAMES

COLOURS = {
    msg("UNKNOWN"): "#E4E8EC",
    msg("LOW"): "#F2CC5E",
    msg("MEDIUM"): "#E8893A",
    msg("HIGH"): "#BE3A34",
    msg("CRITICAL"): "#43092B",
}
"""Severity colours: each darker than the one before, so that they survive greyscale."""

BAR, BASELINE, INK, FAINT = "#3C6E99", "#9DB4C8", "#222222", "#777777"

_BAR_HEIGHT = 0.62
_AXES_POINTS = 330
"""Height of the axes in points, below the title and above the axis label, at the least."""

_DIGIT_SHARE, _MARGIN_SHARE = 0.015, 0.005
"""Share of the longest bar that a digit of a segment's number takes, and the room around it."""

_NAME_WIDTH = 20
_FEW_ROWS = 3
"""Rows up to this many have room for a label of two lines at their end."""

_CHARACTER, _ROOMY_CHARACTER = 0.035, 0.024
"""Share of the longest bar that a character of a label at its end takes: of many rows, and of few,
which leave the bars more of the width."""

_NAMED: dict[str, Callable[[object], str]] = {
    "package": counting.package_name,
    "scale": lambda scale: word(str(scale)),
}
"""How rows are named whose names are words, by the column; all others are names of the study."""

_TALL_ROWS = 6
"""Rows up to this many have room for names and labels on two lines."""


def severity_breakdown(
    counts: pd.DataFrame,
    ax: Axes,
    counted: str = FINDINGS,
    rows: tuple[str, str] = ("variant", "capture"),
) -> Axes:
    """Draw one stacked bar an image: CRITICAL first, its total at the end, in the frame's order.

    `counts` are `compare.severity_counts`; an image that was not measured says so. `rows` are the
    columns that name a bar: the first groups, the second is shown where there are several.
    """
    styles = {
        severity: {
            "color": COLOURS[severity],
            "edgecolor": FAINT if severity == "UNKNOWN" else "white",
        }
        for severity in reversed(SEVERITIES)
    }
    return _stacked(counts, ax, "severity", styles, counted, rows)


def fixable(split: pd.DataFrame, ax: Axes, counted: str = FINDINGS) -> Axes:
    """Draw fixable (full) and unfixed (hatched) findings of each image, as `fixes.split` has them.

    Where unfixed ones cannot be seen, the bar says so at its end.
    """
    blind = split[split["blind"]].set_index(["variant", "capture"]).index
    notes = dict.fromkeys(blind, "\n" + word(msg("OS unfixed: not observable")))
    styles = {
        FIXABLE: {"color": BAR, "edgecolor": "white"},
        UNFIXED: {"facecolor": "white", "edgecolor": BAR, "hatch": "//"},
    }
    return _stacked(split, ax, "part", styles, counted, ("variant", "capture"), notes)


def places(table: pd.DataFrame, ax: Axes, counted: str = FINDINGS) -> Axes:
    """Draw where the packages sit that findings are in: one stacked bar an image."""
    colours = dict(zip(PLACE_NAMES.values(), (BAR, BASELINE, "#E8893A"), strict=True))
    styles = {part: {"color": colour, "edgecolor": "white"} for part, colour in colours.items()}
    told = table.assign(part=table["part"].map(PLACE_NAMES))
    return _stacked(told, ax, "part", styles, counted, ("variant", "capture"))


def slimmer(split: pd.DataFrame, ax: Axes, counted: str) -> Axes:
    """Draw what is the app's own or linked by it (full), and what could go at most (hatched)."""
    hatched = {"facecolor": "white", "edgecolor": BAR}
    styles = {
        msg("the app's own, or linked by it"): {"color": BAR, "edgecolor": "white"},
        msg("no program in it"): {**hatched, "hatch": "."},
        msg("not linked by it"): {**hatched, "hatch": "//"},
    }
    return _stacked(split.assign(capture=""), ax, "part", styles, counted, ("variant", "capture"))


def _stacked(
    counts: pd.DataFrame,
    ax: Axes,
    by: str,
    styles: dict[str, dict[str, Any]],
    counted: str,
    rows: tuple[str, str],
    notes: dict[Any, str] | None = None,
) -> Axes:
    """Draw one bar for each row of two names, stacked by another column in the styles' order."""
    if counts.empty:
        return nothing(ax, msg("Under this lens nothing is counted in any image."))
    names = list(rows)
    images = counts[[*names, "status"]].drop_duplicates()
    # Bars of one first name stand together, in the order of the frame.
    images = pd.concat([found for _, found in images.groupby(rows[0], sort=False)])
    keys = pd.MultiIndex.from_frame(images[names])
    by_image = counts.astype({by: "str"}).set_index(names)
    totals = counts.groupby(names)["count"].sum(min_count=1).reindex(keys)
    longest = max(float(totals.max()) if totals.notna().any() else 0.0, 1.0)
    left = pd.Series(0.0, index=keys)
    for part, style in styles.items():
        widths = by_image[by_image[by].eq(part)]["count"].reindex(keys).fillna(0).astype(float)
        ax.barh(
            range(len(keys)),
            widths,
            left=left,
            height=_BAR_HEIGHT,
            linewidth=widths.gt(0).astype(float),
            label=word(part),
            **style,
        )
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            number = f"{width:,.0f}"
            if width and width >= longest * (_DIGIT_SHARE * len(number) + _MARGIN_SHARE):
                _inside(ax, start + width / 2, row, number, style, _size(len(keys), 17))
        left += widths
    told = zip(totals, images["status"], keys, strict=True)
    labels = [titles.total(t, s) + (notes or {}).get(key, "") for t, s, key in told]
    if len(labels) > _FEW_ROWS:
        labels = [label.replace("\n", "  ") for label in labels]
    widest = max(i18n.columns(line) for label in labels for line in label.split("\n"))
    character = _ROOMY_CHARACTER if len(labels) <= _FEW_ROWS else _CHARACTER
    ax.set_xlim(0, longest * (1.14 if widest < 8 else 1 + character * max(widest, 16)))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _end_labels(ax, left, labels, longest)
    several = images[rows[1]].nunique() > 1
    first, second = (_NAMED.get(column, str) for column in names)
    name_rows(ax, [(first(a), second(b) if several else "") for a, b in keys])
    ax.set_xlabel(wrapped(number_of(counted), 64))
    # Names that take much of the width leave too little of it for a legend to begin at the bars.
    side = 1 if len(keys) > _TALL_ROWS else 0
    ax.legend(
        loc=("lower left", "lower right")[side],
        bbox_to_anchor=(side, 1.0),
        ncols=len(styles),
        borderaxespad=0.3,
    )
    return ax


def _inside(ax: Axes, x: float, row: int, number: str, style: dict[str, Any], size: float) -> None:
    """Write a segment's number into it, readable on its colour or hatching."""
    colour = style.get("color", "white")
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0} if "hatch" in style else None
    ax.text(x, row, number, ha="center", va="center", color=ink_on(colour), size=size, bbox=box)


def size_difference(differences: pd.DataFrame, ax: Axes, measured_as: str = UNPACKED) -> Axes:
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
    name_rows(ax, [(variant, "") for variant in differences["variant"]])
    ax.set_xlabel(size_of_image(measured_as))
    return ax


def nothing(ax: Axes, why: str) -> Axes:
    """Say on a figure why there is nothing on it."""
    ax.text(0.5, 0.5, word(why), transform=ax.transAxes, ha="center", va="center", color=INK)
    ax.set_axis_off()
    return ax


def wrapped(label: str, width: int) -> str:
    """Return an axis's label on as many lines as it takes, so that nothing of it is cut off."""
    return "\n".join(i18n.wrap(label, width))


def number_of(counted: str) -> str:
    """Return an axis's label: the number of what is counted."""
    return t("number of {counted}", counted=word(counted))


def size_of_image(measured_as: str) -> str:
    """Return an axis's label: the size of an image, and how it was measured."""
    return t("image size, {measured_as} (MB = 10⁶ bytes)", measured_as=word(measured_as))


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
        return titles.shown(size)
    told = f"{size / MB:,.1f} MB{titles.broken(row.status)}"
    if row.variant == row.baseline:
        return f"{told}\n{word(msg('baseline'))}"
    return f"{told}\n{difference / MB:+,.1f} MB, ×{ratio:.2f}".replace("-", "−")


def _size(rows: int, most: float) -> float:
    """Return the size of text that fits into a row of so many, in points."""
    return most if rows <= _TALL_ROWS else min(14, 0.7 * _AXES_POINTS / rows)


def _end_labels(ax: Axes, ends: pd.Series, labels: list[str], longest: float) -> None:
    size, unknown = _size(len(labels), 19), titles.shown(pd.NA)
    for row, (end, label) in enumerate(zip(ends, labels, strict=True)):
        measured = label != unknown
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


def name_rows(ax: Axes, names: list[tuple[str, str]]) -> None:
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
