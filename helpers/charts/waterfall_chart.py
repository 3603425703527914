"""Steps from the size of one image to that of another."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from helpers.answers.chart_data import REST, TOTAL, Step, Waterfall
from helpers.charts import axes
from helpers.charts.colours import DOWN, FAINT, INK, UP, WHOLE
from helpers.text import escape
from helpers.text.i18n import columns, letters, t
from helpers.text.units import MB, signed

_ROOM = 46
"""Columns of a step's name that there is room for."""


def draw(chart: Waterfall, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw the steps: larger and smaller differ in colour and by their sign.

    Several changes in one step are hatched. `scale` is that of letters and lines.
    """
    down = len(chart.steps)
    size = scale * min(17.0, 270 / down)
    highest = max(max(step.start, step.end) for step in chart.steps)
    for row, step in enumerate(chart.steps):
        colour = WHOLE if step.kind == TOTAL else UP if step.end > step.start else DOWN
        style: dict[str, Any] = {"facecolor": colour, "edgecolor": colour}
        if step.kind == REST:
            style = {"facecolor": "white", "edgecolor": colour, "hatch": "//"}
        low, high = sorted((step.start, step.end))
        ax.barh(row, high - low, left=low, height=0.7, linewidth=1.2 * scale, **style)
        # Bytes are whole, so that a difference is not rounded twice.
        change = signed(round((step.end - step.start) * MB))
        ax.text(
            high + 0.008 * highest,
            row,
            f"{step.end:,.1f} MB" if step.kind == TOTAL else change,
            va="center_baseline",
            ha="left",
            size=size,
            weight="bold",
            color=INK,
        )
        if row + 1 < down:
            ends = [row - 0.35, row + 1.35]
            ax.plot([step.end] * 2, ends, color=FAINT, linewidth=scale, zorder=0)
    ax.set_yticks(range(down), list(map(_name, chart.steps)), size=size)
    for tick, step in zip(ax.get_yticklabels(), chart.steps, strict=True):
        tick.set_fontweight("bold" if step.kind == TOTAL else "normal")
    changes = [step for step in chart.steps if step.kind != TOTAL]
    handles = [
        patch
        for patch, occurs in (
            (Patch(color=UP, label=t("larger")), any(s.end > s.start for s in changes)),
            (Patch(color=DOWN, label=t("smaller")), any(s.end <= s.start for s in changes)),
            (
                Patch(facecolor="white", edgecolor=FAINT, hatch="//", label=t("several changes")),
                any(step.kind == REST for step in changes),
            ),
        )
        if occurs
    ]
    if handles:
        axes.legend_above(ax, side=1, handles=handles, ncols=3, fontsize=15 * scale)
    ax.set_ylim(down - 0.4, -0.6)
    ax.set_xlim(0, 1.2 * max(highest, 1e-6))
    # Numbers are beside the steps.
    ax.xaxis.set_visible(False)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    return ax


def _name(step: Step) -> str:
    """Return what a step is, with as much of what it is made of as there is room for."""
    label = escape.plain(step.label)
    if columns(label) <= _ROOM or step.kind == TOTAL:
        return escape.short(label, letters(label, _ROOM))
    if columns(step.part) > _ROOM - 8:
        return escape.short(step.part, letters(step.part, _ROOM))
    return f"{label[: letters(label, _ROOM - 2)].rstrip(' ,:→')} …"
