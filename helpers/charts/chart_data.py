"""Charts as data, read from what was drawn: PowerPoint draws them again, and people edit them.

What a picture says its chart says: names, numbers, words, colours and ranges are those of the axes.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text
from msgspec import Struct

from helpers.charts import bar_charts, growth_curves, property_matrix, scatter, stacks
from helpers.surface import checks
from helpers.text import escape
from helpers.text.i18n import t, word

_RISES = {"bottom": 1, "top": -1}

EXCEL_EPOCH = 25569
"""Days from the first day of Excel's calendar to that of matplotlib's, 1970-01-01."""

_NAME = 40
"""Characters of a name beside a bar."""

_BARS: tuple[Callable[..., Axes], ...] = (
    bar_charts.severity_breakdown,
    bar_charts.fixable,
    bar_charts.places,
    bar_charts.slimmer,
    bar_charts.size_difference,
    stacks.stacked,
)
_POINTS: tuple[Callable[..., Axes], ...] = (
    scatter.tradeoff,
    scatter.executables,
    growth_curves.growth,
)


class Series(Struct):
    """Bars of one name, one a category; None where nothing was measured."""

    name: str
    values: list[float | None]
    colours: list[str]
    hatch: str = ""


class Bars(Struct, tag="bars"):
    """Horizontal bars, stacked if there are several series; `ends` are said at their ends."""

    categories: list[str]
    series: list[Series]
    ends: list[str]
    axis: str
    longest: float
    step: float = 1.0


class Label(Struct):
    """What is said of a point: to its left or right, and how far up in units of the axis.

    `rises` says what of the text is there: its foot (1), its middle (0) or its head (-1).
    """

    point: int
    text: str
    left: bool = False
    bold: bool = False
    colour: str = ""
    up: float = 0.0
    rises: int = 0


class Trace(Struct):
    """Points of one name: joined by a line if it has a width, marked if it has a marker."""

    name: str
    points: list[tuple[float, float]]
    colour: str
    width: float = 0.0
    dashed: bool = False
    marked: bool = False
    filled: bool = True
    labels: list[Label] = []


class Points(Struct, tag="points"):
    """Points or curves between two axes of numbers; with `days`, across are days of Excel's."""

    traces: list[Trace]
    across: str
    upward: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    steps: tuple[float, float]
    days: bool = False
    notes: list[str] = []
    bands: list[tuple[float, float, str]] = []
    """What is shaded from bottom to top: from where to where across, in a colour."""


class Words(Struct, tag="words"):
    """Why there is nothing to draw."""

    text: str


Native = Bars | Points | Words


def read(
    chart: Callable[..., Axes], frame: pd.DataFrame, ax: Axes, options: dict[str, Any]
) -> Native | None:
    """Return what a chart function drew of a frame; None where PowerPoint has no such type."""
    if not ax.axison:
        return Words(_plain(ax.texts[0].get_text()))
    if chart is property_matrix.grid and frame["state"].eq(checks.UNKNOWN).all():
        return Words(t("not measured"))
    if chart in _BARS:
        return _bars(frame, ax, options.get("rows", ("variant", "capture")))
    if chart in _POINTS:
        return _points(ax, days=chart is growth_curves.growth)
    return None


def _bars(frame: pd.DataFrame, ax: Axes, rows: Sequence[str]) -> Bars | Words:
    names = _names(frame, rows)
    ends = [text.get_text().split("\n") for text in ax.texts[-len(names) :]]
    lost = [end[0] == t("not measured") for end in ends]
    drawn = [bars for bars in ax.containers if isinstance(bars, BarContainer)]
    axis = _plain(ax.get_xlabel())
    series = [
        Series(
            axis if len(drawn) == 1 else _plain(bars.get_label()),
            [
                None if gone else float(bar.get_width())
                for bar, gone in zip(bars, lost, strict=True)
            ],
            [_colour(bar) for bar in bars],
            str(bars[0].get_hatch() or ""),
        )
        for bars in drawn
    ]
    told = zip(names, ends, lost, strict=True)
    categories = [f"{name}: {_plain(end[0])}" if gone else name for name, end, gone in told]
    if all(lost):
        return Words(", ".join(categories))
    return Bars(
        categories,
        series,
        ["" if gone else "\n".join(map(_plain, end)) for end, gone in zip(ends, lost, strict=True)],
        axis,
        float(ax.get_xlim()[1]),
        _step(ax.get_xticks()),
    )


def _names(frame: pd.DataFrame, rows: Sequence[str]) -> list[str]:
    """Return the name of each bar, in the order in which charts draw a frame's rows."""
    first, second = rows
    keys = frame.reindex(columns=list(rows), fill_value="").drop_duplicates()
    keys = pd.concat([found for _, found in keys.groupby(first, sort=False)])
    several = keys[second].nunique() > 1
    return [
        ", ".join([escape.short(one, _NAME), *([escape.plain(word(other))] if several else [])])
        for one, other in keys.itertuples(index=False)
    ]


def _colour(bar: Any) -> str:
    """Return the colour that tells a bar: a hatched one has it in its lines."""
    return to_hex(bar.get_edgecolor() if bar.get_hatch() else bar.get_facecolor())


def _points(ax: Axes, days: bool) -> Points | Words:
    shift = EXCEL_EPOCH if days else 0
    bottom, top = map(float, ax.get_ylim())
    traces = [_line(line, ax, shift) for line in ax.lines]
    traces += [_dots(dots) for dots in ax.collections if isinstance(dots, PathCollection)]
    traces = [trace for trace in traces if trace.points]
    # Of an axis's label, the first line names it; what follows is said of the picture.
    across, *notes = ax.get_xlabel().split("\n")
    if not traces:
        return Words(_plain(" ".join(notes or [t("nothing is known that can be placed")])))
    for text in ax.texts:
        _label(text, ax, traces, shift)
    left, right = (float(end) + shift for end in ax.get_xlim())
    return Points(
        traces,
        _plain(across),
        _plain(ax.get_ylabel()),
        (left, right),
        (bottom, top),
        (_step(ax.get_xticks()), _step(ax.get_yticks())),
        days,
        [_plain(" ".join(notes))] if notes else [],
        [_band(patch, shift) for patch in ax.patches if isinstance(patch, Rectangle)],
    )


def _band(patch: Rectangle, shift: int) -> tuple[float, float, str]:
    left, right = (float(x) + shift for x in (patch.get_x(), patch.get_x() + patch.get_width()))
    return left, right, to_hex(patch.get_facecolor())


def _line(line: Line2D, ax: Axes, shift: int) -> Trace:
    """Return a line or its markers; what rises in steps gets a corner for each."""
    data: Any = line.get_xdata(orig=False), line.get_ydata(orig=False)
    xs, ys = (list(map(float, part)) for part in data)
    if line.get_transform() != ax.transData:
        # A line from bottom to top, whatever the numbers.
        ys = list(map(float, ax.get_ylim()))
    if line.get_drawstyle() == "steps-post":
        xs = [x for x in xs for _ in range(2)][1:]
        ys = [y for y in ys for _ in range(2)][:-1]
    points = [(x + shift, y) for x, y in zip(xs, ys, strict=True)]
    marked = line.get_marker() not in ("None", "", " ", None)
    name = str(line.get_label())
    return Trace(
        "" if name.startswith("_") else _plain(name),
        [point for place, point in enumerate(points) if point not in points[place - 1 : place]],
        to_hex(line.get_color()),
        0.0 if marked else float(line.get_linewidth()),
        line.get_linestyle() != "-",
        marked,
        not marked or to_hex(line.get_markerfacecolor()) == to_hex(line.get_color()),
    )


def _dots(dots: PathCollection) -> Trace:
    colours: Any = dots.get_facecolor(), dots.get_edgecolor()
    face, edge = (to_hex(part[0]) for part in colours)
    name = str(dots.get_label())
    return Trace(
        "" if name.startswith("_") else _plain(name),
        [(float(x), float(y)) for x, y in np.asarray(dots.get_offsets())],
        edge,
        marked=True,
        filled=face == edge,
    )


def _label(text: Text, ax: Axes, traces: list[Trace], shift: int) -> None:
    """Give what is written on the axes to the point that it is written at."""
    across, height = text.get_unitless_position()
    if isinstance(text, Annotation):
        across = ax.convert_xunits(text.xy[0])
        if text.anncoords == "offset points":
            height = text.xy[1]
    free = [
        (trace, place)
        for trace in traces
        for place, point in enumerate(trace.points)
        if math.isclose(point[0], float(across) + shift)
        and all(label.point != place for label in trace.labels)
    ]
    if not free:
        return
    # Markers before lines, the nearest one, and of a line its end.
    trace, place = min(
        free, key=lambda one: (not one[0].marked, abs(one[0].points[one[1]][1] - height), -one[1])
    )
    trace.labels.append(
        Label(
            place,
            "\n".join(map(_plain, text.get_text().strip().split("\n"))),
            text.get_horizontalalignment() == "right",
            text.get_fontweight() == "bold",
            to_hex(text.get_color()),
            float(height) - trace.points[place][1],
            _RISES.get(text.get_verticalalignment(), 0),
        )
    )


def _step(ticks: Any) -> float:
    """Return how far apart the marks of an axis are."""
    return float(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0


def _plain(text: object) -> str:
    """Return text on one line, of which nothing is taken for anything but text."""
    return escape.plain(" ".join(str(text).split()))


def encoded(chart: Native | None) -> dict[str, Any] | None:
    """Return a chart as what JSON holds."""
    found: dict[str, Any] | None = msgspec.to_builtins(chart)
    return found


def decoded(told: Any) -> Native | None:
    """Return a chart from what JSON holds."""
    found: Native | None = msgspec.convert(told, Native | None)
    return found
