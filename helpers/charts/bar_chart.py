"""Horizontal bars of counts or of megabytes: stacked from parts, or of one size each."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.answers.chart_data import Bars, Series
from helpers.charts import axes, colours
from helpers.charts.axes import Part
from helpers.charts.colours import FAINT, INK, Style
from helpers.charts.lettering import width
from helpers.text import escape

_BAR_HEIGHT = 0.62
_AXES_POINTS = 330
"""Height of the axes in points, below the title and above the axis label, at the least."""

_FEW_ROWS, TALL_ROWS = 3, 6
"""Rows up to these many have room for counts, and for names and sizes, on two lines."""

_WIDE = 12.8 * 72
"""Width of a figure of the kit, in points."""

_BESIDE = 44
"""Points of a figure's width that neither names nor bars take."""

_GAP = 8
"""Points between a bar and what is said at its end."""

_LEAST = 0.35
"""Share of the width that the longest bar has at the least."""

_NAME_WIDTH = 20


def is_stacked(chart: Bars) -> bool:
    """Return whether bars are made of parts, which have numbers and a legend."""
    return len(colours.PALETTES[chart.palette]) > 1


def parts(chart: Bars) -> list[Series]:
    """Return the series that are drawn: of several those that some bar has."""
    return [s for s in chart.series if not is_stacked(chart) or any(s.values)]


def style(chart: Bars, series: Series, row: int) -> Style:
    """Return how a part of a bar is drawn."""
    if chart.tones and not is_stacked(chart):
        return colours.TONES[chart.tones[row]]
    return colours.style(chart.palette, series.key)


def height(chart: Bars) -> float:
    """Return how high bars are in inches, where there is room for what is said of each."""
    said = zip(names(chart.rows), _ends(chart), strict=True)
    lines = [1 + max(name.count("\n"), end.count("\n")) for name, end in said]
    least = 0.65 if len(chart.rows) <= TALL_ROWS else 0.48
    legend = 0.5 * is_stacked(chart)
    return legend + sum(max(least, 0.1 + 0.34 * count) for count in lines)


def limit(chart: Bars, wide: float = _WIDE, share: float = 1.0) -> float:
    """Return how much the width stands for: there is room for what is said at the ends of bars.

    `wide` is the width of bars with their names, in points; letters have a `share` of their size.
    """
    room = _room(chart, wide, share)
    size = share * _end_size(chart)
    needed = [1.0] if not any(chart.totals) else []
    for total, end in zip(chart.totals, _ends(chart), strict=True):
        taken = max(width(line, size, bold=True) for line in end.split("\n")) + 2 * _GAP
        needed.append(total / max(1 - taken / room, _LEAST))
    return max(needed, default=1.0)


def draw(chart: Bars, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw one bar a row, the first uppermost, with its end at its end and numbers in its parts.

    Numbers are in the bars, so there is no axis. `scale` is that of letters and lines: 1 on a
    figure of the kit.
    """
    rows = range(len(chart.rows))
    left = [0.0] * len(rows)
    end = limit(chart)
    for series in parts(chart):
        widths = [value or 0.0 for value in series.values]
        drawn = ax.barh(
            rows, widths, left=left, height=_BAR_HEIGHT, linewidth=0, label=series.name,
            **colours.style(chart.palette, series.key),
        )  # fmt: skip
        for row in rows:
            look = style(chart, series, row)
            drawn[row].set(**look, linewidth=scale * (widths[row] > 0))
            if is_stacked(chart):
                _number(chart, ax, row, left[row], widths[row], look, scale)
            left[row] += widths[row]
    if chart.baseline is not None and chart.measured[chart.baseline]:
        ax.axvline(left[chart.baseline], color=INK, linestyle="--", linewidth=1.6 * scale)
    ax.set_xlim(0, end)
    ax.xaxis.set_visible(False)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.spines["left"].set_visible(True)
    _draw_ends(chart, ax, scale)
    _name_rows(chart.rows, ax, scale)
    if is_stacked(chart):
        _legend(chart, ax, scale)
    return ax


def places(chart: Bars, figure: Figure) -> list[Part]:
    """Return the parts of bars on a figure of them: row by row; none that is 0."""
    (ax,) = figure.axes
    drawn = parts(chart)
    bars = ([(each.key, each.values[row]) for each in drawn] for row in range(len(chart.rows)))
    return axes.parts(ax, bars, _BAR_HEIGHT, is_upright=False)


def _room(chart: Bars, wide: float, share: float = 1.0) -> float:
    """Return the width of a figure beside the names of its rows, in points."""
    size = share * _size(len(chart.rows), 20)
    widths = (width(line, size) for name in names(chart.rows) for line in name.split("\n"))
    return max(wide - max(widths, default=0.0) - _BESIDE, wide / 4)


def _ends(chart: Bars) -> list[str]:
    """Return what is said at the ends of bars: on one line where rows are many."""
    most = TALL_ROWS if chart.decimals else _FEW_ROWS
    if len(chart.rows) <= most:
        return chart.ends
    return [end.replace("\n", "  ") for end in chart.ends]


def _size(rows: int, most: float) -> float:
    """Return the size of text that fits into a row of so many, in points."""
    return most if rows <= TALL_ROWS else min(14, 0.7 * _AXES_POINTS / rows)


def _end_size(chart: Bars) -> float:
    """Return the size of what is said at the ends of bars, in points."""
    return _size(len(chart.rows), 18 if chart.decimals and is_stacked(chart) else 19)


def _number(
    chart: Bars, ax: Axes, row: int, left: float, wide: float, look: Style, scale: float
) -> None:
    """Write a part's number into it if there is room, readable on its colour or hatching."""
    number = f"{wide:,.{chart.decimals if wide < 1000 else 0}f}"
    size = 15 if chart.decimals else _size(len(chart.rows), 17)
    if not wide or wide / limit(chart) * _room(chart, _WIDE) < width(number, size) + _GAP / 2:
        return
    paper = {"facecolor": "white", "edgecolor": "none", "pad": scale}
    ax.text(
        left + wide / 2,
        row,
        number,
        ha="center",
        va="center",
        color=colours.ink_on(look.get("color", "white")),
        size=scale * size,
        bbox=paper if "hatch" in look else None,
    )


def _draw_ends(chart: Bars, ax: Axes, scale: float) -> None:
    ends = zip(chart.totals, _ends(chart), chart.measured, strict=True)
    for row, (total, end, is_measured) in enumerate(ends):
        ax.annotate(
            axes.plain(end),
            (total, row),
            xytext=(_GAP * scale, 0),
            textcoords="offset points",
            va="center",
            ha="left",
            size=scale * _end_size(chart),
            weight="bold" if is_measured else "normal",
            style="normal" if is_measured else "italic",
            color=INK if is_measured else FAINT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5 * scale},
        )


_LINE = 34
"""Letters of a name on one line; a longer one loses its middle."""


def names(rows: list[tuple[str, str]]) -> list[str]:
    """Return the names of rows: on two lines where rows are few, else on one."""
    if len(rows) <= TALL_ROWS:
        return ["\n".join(filter(None, (_on_lines(name), other))) for name, other in rows]
    return [", ".join(filter(None, (escape.short(name, _LINE), other))) for name, other in rows]


def _name_rows(rows: list[tuple[str, str]], ax: Axes, scale: float) -> None:
    size = scale * _size(len(rows), 20)
    ax.set_yticks(range(len(rows)), list(map(axes.plain, names(rows))), size=size)
    ax.set_ylim(len(rows) - 0.45, -0.55)


def _on_lines(name: str) -> str:
    """Return a name on two lines at most; a long one loses its middle."""
    for columns in range(2 * _NAME_WIDTH, _NAME_WIDTH, -1):
        lines = textwrap.wrap(escape.short(name, columns), _NAME_WIDTH)
        if len(lines) <= 2:
            break
    return "\n".join(lines[:2])


def _legend(chart: Bars, ax: Axes, scale: float) -> None:
    shown = len(parts(chart))
    if not shown:
        return
    # Names that take much of the width leave too little of it for a legend to begin at the bars.
    side = 1 if chart.decimals or len(chart.rows) > TALL_ROWS else 0
    axes.legend_above(
        ax,
        side=side,
        ncols=min(shown, 4) if chart.decimals else shown,
        fontsize=15 * scale if chart.decimals else None,
    )
