"""Estimates with their confidence intervals, around a line at zero."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from helpers.answers.chart_data import Intervals
from helpers.charts import axes, rows
from helpers.charts.colours import BAR, FAINT, INK

_ROOM = 0.06
"""Share of the span that is left free at either side."""


def draw(chart: Intervals, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw a row an estimate, the first uppermost: a dot, and a line from low to high.

    A dot is hollow where the interval holds zero, so that no difference was found, and small and
    faint where there is no interval. `scale` is that of letters and lines.
    """
    known = [0.0]
    for row, each in enumerate(chart.intervals):
        if each.estimate is None:
            continue
        known.append(each.estimate)
        if each.low is None or each.high is None:
            ax.plot(each.estimate, row, "o", color=FAINT, markersize=7 * scale, zorder=4)
            continue
        known += [each.low, each.high]
        ax.hlines(row, each.low, each.high, color=BAR, linewidth=5 * scale, zorder=3)
        is_found = each.low > 0 or each.high < 0
        ax.plot(
            each.estimate, row, "o", color=BAR, markerfacecolor=BAR if is_found else "white",
            markersize=14 * scale, markeredgewidth=3 * scale, zorder=4,
        )  # fmt: skip
    span = (max(known) - min(known)) or 1.0
    ax.set_xlim(min(known) - _ROOM * span, max(known) + _ROOM * span)
    ax.axvline(0, color=INK, linewidth=1.8 * scale, zorder=1)
    ax.xaxis.set_major_locator(MaxNLocator(6 if span < 1000 else 4, integer=span >= 6))
    ax.xaxis.set_major_formatter(FuncFormatter(_signed))
    ax.set_xlabel(axes.wrapped(chart.across, 64))
    ax.grid(axis="x")
    axes.say_above(ax, chart.left and f"← {chart.left}", scale)
    axes.say_above(ax, chart.right and f"{chart.right} →", scale, side=1)
    rows.name([each.name for each in chart.intervals], [e.end for e in chart.intervals], ax, scale)
    return ax


def _signed(value: float, _: int) -> str:
    return f"{value:+,g}".replace("-", "−") if value else "0"
