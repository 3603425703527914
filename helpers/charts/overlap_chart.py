"""The overlap of several variants: bars over a matrix of dots, one column a combination."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.answers.chart_data import Combination, Overlap
from helpers.charts import axes, colours
from helpers.charts.axes import Part
from helpers.charts.colours import FAINT, INK, NO_DOT
from helpers.text import escape
from helpers.text.i18n import columns

_BAR_WIDTH = 0.62
_LONG = 20
"""Columns from which on a name is long."""

_ROW = 0.15
"""Height of a row of dots, as a share of the highest bar."""


def places(chart: Overlap, figure: Figure) -> list[Part]:
    """Return the parts of bars on a figure of them: column by column; none that is 0."""
    (ax,) = figure.axes
    keys = [key for key, _ in chart.series]
    bars = (zip(keys, each.counts, strict=True) for each in chart.combinations)
    return axes.parts(ax, bars, _BAR_WIDTH, is_upright=True)


def draw(chart: Overlap, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw how many each combination of variants has, stacked by severity.

    Below each bar, the dots say which variants have what it counts, and no other has. `scale` is
    that of letters and lines.
    """
    totals = [sum(combination.counts) for combination in chart.combinations]
    highest = max([1, *totals])
    bottom = [0] * len(totals)
    for place, (key, name) in enumerate(chart.series):
        heights = [combination.counts[place] for combination in chart.combinations]
        if not any(heights):
            continue
        ax.bar(
            range(len(heights)),
            heights,
            bottom=bottom,
            width=_BAR_WIDTH,
            linewidth=[scale * (height > 0) for height in heights],
            label=name,
            **colours.style("severity", key),
        )
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    for column, total in enumerate(totals):
        ax.text(
            column,
            total + 0.02 * highest,
            f"{total:,}",
            ha="center",
            va="bottom",
            weight="bold",
            size=19 * scale,
        )
    rows = [-(place + 0.8) * _ROW * highest for place in range(len(chart.variants))]
    for column, combination in enumerate(chart.combinations):
        _dots(ax, column, rows, chart.variants, combination, scale)
    size = scale * (20 if len(rows) <= 3 else 16)
    # Numbers are on the bars.
    ax.yaxis.set_tick_params(length=0)
    ax.set_yticks(rows, [escape.short(variant, 24) for variant in chart.variants], size=size)
    ax.set_ylim(rows[-1] - 0.6 * _ROW * highest if rows else -1, 1.12 * highest)
    ax.set_xlim(-0.6, max(len(totals), 3) - 0.4)
    ax.set_xticks([])
    ax.axhline(0, color=FAINT, linewidth=scale)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel(axes.plain(chart.across))
    ax.set_ylabel(axes.wrapped(chart.upward, 26), loc="top", size=16 * scale)
    # Long names leave too little of the width for a legend to begin at the bars.
    side = int(any(columns(variant) > _LONG for variant in chart.variants))
    if any(totals):
        axes.legend_above(ax, side=side, ncols=len(chart.series))
    return ax


def _dots(
    ax: Axes,
    column: int,
    rows: list[float],
    variants: list[str],
    combination: Combination,
    scale: float,
) -> None:
    """Draw one column of the matrix; a line joins the variants that share."""
    if not combination.members:
        name = axes.plain(combination.name.replace(" ", "\n"))
        ax.text(column, sum(rows) / len(rows), name, ha="center", va="center", size=14 * scale)
        return
    members = [row for row, name in zip(rows, variants, strict=True) if name in combination.members]
    dot = 13 * scale
    ax.plot([column] * len(rows), rows, "o", color=NO_DOT, markersize=dot, clip_on=False)
    ax.plot([column] * len(members), members, "o-", color=INK, markersize=dot, linewidth=3 * scale)
