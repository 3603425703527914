"""Horizontal bars of counts or of megabytes: stacked from parts, or of one size each."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.answers.chart_data import Bars, Series
from helpers.charts import axes, colours
from helpers.charts.axes import Part
from helpers.charts.colours import BASELINE, FAINT, INK, Style
from helpers.text import escape, i18n

_BAR_HEIGHT = 0.62
_AXES_POINTS = 330
"""Height of the axes in points, below the title and above the axis label, at the least."""

_DIGIT_SHARE, _MARGIN_SHARE, _SIZE_SHARE = 0.015, 0.005, 0.07
"""Share of the longest bar that a part's number takes: a digit of a count and the room around it,
and a size."""

_FEW_ROWS, _TALL_ROWS = 3, 6
"""Rows up to these many have room for counts, and for names and sizes, on two lines."""

_CHARACTER, _ROOMY_CHARACTER = 0.035, 0.024
"""Share of the longest bar that a character of a label at its end takes: of many rows, and of few,
which leave the bars more of the width."""

_NAME_WIDTH = 20


def is_stacked(chart: Bars) -> bool:
    """Return whether bars are made of parts, which have numbers and a legend."""
    return len(colours.PALETTES[chart.palette]) > 1


def parts(chart: Bars) -> list[Series]:
    """Return the series that are drawn: of sizes those that some bar has."""
    return [s for s in chart.series if not (is_stacked(chart) and chart.decimals) or any(s.values)]


def colour(chart: Bars, series: Series, row: int) -> str:
    """Return the main colour of a part of a bar: the baseline's size is lighter."""
    if row == chart.baseline and not is_stacked(chart):
        return BASELINE
    return colours.main(colours.style(chart.palette, series.key))


def limit(chart: Bars) -> float:
    """Return where the axis ends: there is room for what is said at the ends of bars."""
    longest = _longest(chart)
    if not is_stacked(chart):
        return longest * (1.4 if len(chart.rows) <= _TALL_ROWS else 1.5)
    if chart.decimals:
        return longest * 1.16
    widest = max(i18n.columns(line) for end in _ends(chart) for line in end.split("\n"))
    character = _ROOMY_CHARACTER if len(chart.rows) <= _FEW_ROWS else _CHARACTER
    return longest * (1.14 if widest < 8 else 1 + character * max(widest, 16))


def step(chart: Bars) -> float:
    """Return how far apart the ticks of the axis are."""
    return axes.step(not chart.decimals, 0, limit(chart))


def draw(chart: Bars, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw one bar a row, the first uppermost, with its end at its end and numbers in its parts.

    `scale` is that of letters and lines: 1 on a figure of the kit.
    """
    rows = range(len(chart.rows))
    left = [0.0] * len(rows)
    for series in parts(chart):
        style = colours.style(chart.palette, series.key)
        widths = [value or 0.0 for value in series.values]
        lines = [scale * (width > 0) for width in widths]
        drawn = ax.barh(
            rows, widths, left=left, height=_BAR_HEIGHT, linewidth=lines, label=series.name,
            **style,
        )  # fmt: skip
        for row in rows:
            if is_stacked(chart):
                _number(chart, ax, row, left[row], widths[row], style, scale)
            else:
                drawn[row].set_facecolor(colour(chart, series, row))
            left[row] += widths[row]
    if chart.baseline is not None and chart.measured[chart.baseline]:
        ax.axvline(left[chart.baseline], color=INK, linestyle="--", linewidth=1.6 * scale)
    ax.set_xlim(0, limit(chart))
    ax.xaxis.set_major_locator(axes.locator(not chart.decimals))
    if not chart.decimals:
        ax.xaxis.set_major_formatter("{x:,.0f}")
    _draw_ends(chart, ax, scale)
    _name_rows(chart.rows, ax, scale)
    ax.set_xlabel(axes.wrapped(chart.axis, 64))
    if is_stacked(chart):
        _legend(chart, ax, scale)
    return ax


def places(chart: Bars, figure: Figure) -> list[Part]:
    """Return the parts of bars on a figure of them: row by row; none that is 0."""
    (ax,) = figure.axes
    drawn = parts(chart)
    bars = ([(each.key, each.values[row]) for each in drawn] for row in range(len(chart.rows)))
    return axes.parts(ax, bars, _BAR_HEIGHT, is_upright=False)


def _longest(chart: Bars) -> float:
    return max(chart.totals, default=0.0) or 1.0


def _ends(chart: Bars) -> list[str]:
    """Return what is said at the ends of bars: on one line where rows are many."""
    most = _TALL_ROWS if chart.decimals else _FEW_ROWS
    if len(chart.rows) <= most:
        return chart.ends
    return [end.replace("\n", "  ") for end in chart.ends]


def _size(rows: int, most: float) -> float:
    """Return the size of text that fits into a row of so many, in points."""
    return most if rows <= _TALL_ROWS else min(14, 0.7 * _AXES_POINTS / rows)


def _number(
    chart: Bars, ax: Axes, row: int, left: float, width: float, style: Style, scale: float
) -> None:
    """Write a part's number into it if there is room, readable on its colour or hatching."""
    number = f"{width:,.{chart.decimals if width < 1000 else 0}f}"
    room = _SIZE_SHARE if chart.decimals else _DIGIT_SHARE * len(number) + _MARGIN_SHARE
    if not width or width < room * _longest(chart):
        return
    paper = {"facecolor": "white", "edgecolor": "none", "pad": scale}
    ax.text(
        left + width / 2,
        row,
        number,
        ha="center",
        va="center",
        color=colours.ink_on(style.get("color", "white")),
        size=scale * (15 if chart.decimals else _size(len(chart.rows), 17)),
        bbox=paper if "hatch" in style else None,
    )


def _draw_ends(chart: Bars, ax: Axes, scale: float) -> None:
    size = scale * _size(len(chart.rows), 18 if chart.decimals and is_stacked(chart) else 19)
    ends = zip(chart.totals, _ends(chart), chart.measured, strict=True)
    for row, (total, end, is_measured) in enumerate(ends):
        ax.text(
            total + _longest(chart) * 0.012,
            row,
            axes.plain(end),
            va="center",
            ha="left",
            size=size,
            weight="bold" if is_measured else "normal",
            style="normal" if is_measured else "italic",
            color=INK if is_measured else FAINT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5 * scale},
        )


def _name_rows(names: list[tuple[str, str]], ax: Axes, scale: float) -> None:
    """Name the rows: on two lines where rows are few, else on one."""
    if len(names) <= _TALL_ROWS:
        texts = ["\n".join(filter(None, (_on_lines(name), other))) for name, other in names]
    else:
        texts = [", ".join(filter(None, (escape.short(name, 26), other))) for name, other in names]
    size = scale * _size(len(names), 20)
    ax.set_yticks(range(len(names)), list(map(axes.plain, texts)), size=size)
    ax.set_ylim(len(names) - 0.45, -0.55)


def _on_lines(name: str) -> str:
    """Return a name on two lines at most; a long one loses its middle."""
    for width in range(2 * _NAME_WIDTH, _NAME_WIDTH, -1):
        lines = textwrap.wrap(escape.short(name, width), _NAME_WIDTH)
        if len(lines) <= 2:
            break
    return "\n".join(lines[:2])


def _legend(chart: Bars, ax: Axes, scale: float) -> None:
    shown = len(parts(chart))
    if not shown:
        return
    # Names that take much of the width leave too little of it for a legend to begin at the bars.
    side = 1 if chart.decimals or len(chart.rows) > _TALL_ROWS else 0
    axes.legend_above(
        ax,
        side=side,
        ncols=min(shown, 4) if chart.decimals else shown,
        fontsize=15 * scale if chart.decimals else None,
    )
