"""Distributions side by side: a box from quartile to quartile on a line from least to greatest."""

from matplotlib.axes import Axes

from helpers.answers.chart_data import Boxes
from helpers.charts import axes, rows
from helpers.charts.colours import BAR, BASELINE
from helpers.text.i18n import t

_HEIGHT = 0.5
"""Height of a box, of a row of 1."""

_FEW = 5
"""Images below which quartiles say little: a dot is drawn for the median, and no box."""


def draw(chart: Boxes, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw a box a row, the first uppermost, with what is said at the right of all.

    The line goes from the least to the greatest, the box holds the middle half, and the white line
    in it is the median. `scale` is that of letters and lines.
    """
    for row, box in enumerate(chart.boxes):
        ax.hlines(row, box.least, box.greatest, color=BASELINE, linewidth=3 * scale, zorder=2)
        for end in (box.least, box.greatest):
            ax.vlines(end, row - 0.12, row + 0.12, color=BASELINE, linewidth=3 * scale, zorder=2)
        if box.count < _FEW:
            ax.plot(box.median, row, "o", color=BAR, markersize=11 * scale, zorder=4)
            continue
        width = box.upper - box.lower
        ax.barh(row, width, left=box.lower, height=_HEIGHT, color=BAR, edgecolor=BAR, zorder=3)
        ax.vlines(
            box.median, row - _HEIGHT / 2, row + _HEIGHT / 2, color="white",
            linewidth=4 * scale, zorder=4,
        )  # fmt: skip
    greatest = max([1.0, *(box.greatest for box in chart.boxes)])
    ax.set_xlim(-0.01 * greatest, 1.03 * greatest)
    ax.xaxis.set_major_locator(axes.locator(greatest >= _FEW))
    ax.xaxis.set_major_formatter("{x:,.0f}" if greatest >= _FEW else "{x:g}")
    ax.set_xlabel(axes.wrapped(chart.across, 64))
    ax.grid(axis="x")
    note = t("box: the middle half; white line: the median; thin line: from least to greatest")
    axes.say_above(ax, note, scale)
    rows.name([box.name for box in chart.boxes], [box.end for box in chart.boxes], ax, scale)
    return ax
