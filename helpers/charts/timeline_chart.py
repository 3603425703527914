"""Counts at days: a line an image, and below it ticks where something was new."""

from datetime import date
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from helpers.answers.chart_data import Timeline
from helpers.charts import axes, colours
from helpers.charts.colours import INK
from helpers.charts.curve_chart import number, over_days
from helpers.text import escape
from helpers.text.i18n import t

_FEW = 40
"""Points of a line that have a dot each; of more, the line is enough."""

_APART = 0.062
"""Distance of names at the right, as a share of the height."""

_ROW = 0.07
"""Height of a row of ticks, as a share of the height above it."""

_DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.2)), (0, (1.5, 1)))
"""Lines of one colour differ in their dashes."""


def draw(chart: Timeline, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw each line with dots where there are few, hollow ones for scans that are broken.

    A line is straight from a capture to the next, and interrupted where it was not measured. Rows
    of ticks below say what was new on which day. `scale` is that of letters and lines.
    """
    days = chart.days
    first, last = number(days[0]), number(days[-1])
    most = max((len(piece) for line in chart.lines for piece in line.pieces), default=0)
    wide = scale * (3.2 if most <= _FEW else 2.0)
    for place, line in enumerate(chart.lines):
        colour, dash = colours.curve(place), _dash(place)
        for piece in line.pieces:
            alone = len(piece) == 1
            ax.plot(
                *_xy(piece), color=colour, linestyle=dash, linewidth=wide, zorder=3,
                marker="o" if alone or most <= _FEW else "",
                markersize=scale * (7 if most <= _FEW else 4),
            )  # fmt: skip
        if line.broken:
            ax.plot(
                *_xy(line.broken), "o", color=colour, markerfacecolor="white", zorder=4,
                markersize=10 * scale, markeredgewidth=2.2 * scale, clip_on=False,
            )  # fmt: skip
    highest = _highest(chart)
    rows = _tick(chart, ax, highest, (last - first) or 1.0, scale)
    ax.set_ylim(-(rows + 0.6) * _ROW * highest if rows else 0, 1.04 * highest)
    ax.set_xlim(first - 0.02 * (last - first), last + 0.01 * (last - first))
    ticks = [
        tick
        for tick in MaxNLocator(6, integer=True).tick_values(0, highest)
        if 0 <= tick <= highest
    ]
    ax.set_yticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    over_days(chart, ax, scale)
    ax.grid(axis="x", visible=False)
    _name(chart, ax, highest, scale)
    if any(line.broken for line in chart.lines):
        hollow = Line2D(
            [], [], linestyle="", marker="o", color=INK, markerfacecolor="white",
            markersize=10 * scale, markeredgewidth=2.2 * scale,
        )  # fmt: skip
        what = t("more likely a broken scan: left out")
        axes.legend_above(ax, [hollow], [what], fontsize=15 * scale)
    return ax


def heights(counts: list[float], apart: float, top: float) -> list[float]:
    """Return at which heights names stand that are beside counts, so far apart, below a top.

    >>> heights([1, 1, 10], 2, 10)
    [1, 3, 10]
    """
    order = sorted(range(len(counts)), key=counts.__getitem__)
    found = [0.0] * len(counts)
    low = float("-inf")
    for place in order:
        found[place] = low = max(counts[place], low + apart)
    high = max(top, apart * (len(counts) - 1)) + apart
    for place in reversed(order):
        found[place] = high = min(found[place], high - apart)
    return found


def _dash(place: int) -> Any:
    return _DASHES[place // len(colours.LINES) % len(_DASHES)]


def _xy(points: list[tuple[date, float]]) -> tuple[list[float], list[float]]:
    return [number(day) for day, _ in points], [count for _, count in points]


def _highest(chart: Timeline) -> float:
    counts = [count for line in chart.lines for piece in line.pieces for _, count in piece]
    return max([1.0, *counts])


def _tick(chart: Timeline, ax: Axes, highest: float, span: float, scale: float) -> int:
    """Draw the rows of ticks, each name once; return how many rows there are."""
    named: dict[str, list[float]] = {}
    for place, row in enumerate(chart.ticks):
        height = -(place + 1) * _ROW * highest
        colour = INK if row.line is None else colours.curve(row.line)
        # As wide as a day has room for, but to be seen.
        width = scale * min(3.0, max(0.7, 450 / max(len(row.days), 1) / 1.6))
        half = 0.36 * _ROW * highest
        ax.vlines(
            [number(day) for day in row.days], height - half, height + half,
            color=colour, linewidth=width,
        )  # fmt: skip
        named.setdefault(row.name, []).append(height)
    for name, places in named.items():
        ax.annotate(
            axes.plain(name), (0, sum(places) / len(places)), xytext=(-8 * scale, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points",
            ha="right", va="center", size=13 * scale, color=INK, annotation_clip=False,
        )  # fmt: skip
    return len(chart.ticks)


def _name(chart: Timeline, ax: Axes, highest: float, scale: float) -> None:
    """Write the names of lines at their ends."""
    ends = [
        (place, line.name, line.pieces[-1][-1])
        for place, line in enumerate(chart.lines)
        if line.pieces
    ]
    whole = (1.04 + (len(chart.ticks) + 0.6) * _ROW) * highest
    apart = _APART * whole * min(1.0, 12 / max(len(ends), 1))
    beside = heights([end[1] for _, _, end in ends], apart, highest)
    for (place, name, (day, count)), height in zip(ends, beside, strict=True):
        text, size = f"{escape.short(name, 22)} {count:,.0f}", 17 if len(ends) <= 8 else 14
        axes.name_end(ax, text, (number(day), count), height, colours.curve(place), scale * size)
