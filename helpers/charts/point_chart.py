"""Points, one a variant, named beside them: size or executables against vulnerabilities."""

from itertools import pairwise
from math import floor, log10
from typing import Any

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.ticker import LogLocator, NullLocator

from helpers.answers.chart_data import Point, Points
from helpers.charts import axes, colours
from helpers.charts.axes import Ranges
from helpers.charts.colours import BASELINE, FAINT
from helpers.charts.labels import Rect, Spot, places, thin
from helpers.charts.lettering import LEADING, width

MARKER = 16.0
"""Diameter of a point's marker, in points."""

_EDGE = 3.0
"""Width of the edge of an empty marker, in points."""

_SIZE, _SMALL = 16.0, 14.0
"""Size of the letters of names, in points, and of those of many points."""

_SMALL_MARKER = 10.0
"""Diameter of a marker where points are many."""

LARGER = {"exploited": 1.5}
"""Groups whose markers are so many times as large, and lie on top."""

_FEW, _SOME = 6, 12
"""Points up to these many have room for names with numbers below them, and for larger names."""


def ranges(chart: Points) -> Ranges:
    """Return from where to where the axes go: there is room for names right and above."""
    widest, highest = _farthest(chart)
    x, y = (0.0, 1.45 * widest), (-0.08 * highest, 1.36 * highest)
    if chart.top:
        y = (0.0, 1.06 * chart.top)
    x_step = axes.step(_is_whole(chart), *x)
    if chart.log:
        lowest = min((point.x for point in chart.points), default=1.0)
        # The name of the limit stands left of it.
        lowest = min(lowest, 0.9 * chart.limit.at) if chart.limit else lowest
        # 1 is the most that can be, and a marker there is whole.
        x, x_step = (10.0 ** min(floor(log10(lowest)), -1), 1.3), 10.0
    return Ranges(x, y, x_step, axes.step(True, *y))


def share(chart: Points, x: float) -> float:
    """Return how far a number is from the left end of the axis across to the right, 0 to 1."""
    (left, right), *_ = ranges(chart)
    if chart.log:
        return (log10(x) - log10(left)) / (log10(right) - log10(left))
    return (x - left) / (right - left)


def front(chart: Points) -> list[tuple[float, float]]:
    """Return all corners of the line that the front's points lie on, from the top to the right."""
    if not chart.front:
        return []
    (_, right), (_, top), *_ = ranges(chart)
    corners = [(chart.front[0][0], top)]
    for x, y in chart.front:
        corners += [(x, corners[-1][1]), (x, y)]
    corners.append((right, corners[-1][1]))
    return [corner for place, corner in enumerate(corners) if corner not in corners[:place]]


def groups(chart: Points) -> dict[str, list[Point]]:
    """Return the points of each group that has some, by its key, in the order of the legend."""
    found = {group: [p for p in chart.points if p.group == group] for group in chart.groups or [""]}
    return {group: members for group, members in found.items() if members}


def label(chart: Points, point: Point) -> str:
    """Return what is written beside a point: of many points the name alone."""
    return point.label if len(chart.points) <= _FEW else point.label.partition("\n")[0]


def wanted(chart: Points) -> list[int] | None:
    """Return which points have names, in order; none are told apart if all have one."""
    named = [place for place, point in enumerate(chart.points) if point.label]
    return named if len(named) < len(chart.points) else None


def marker(chart: Points) -> float:
    """Return the diameter of markers, in points."""
    return MARKER if len(chart.points) <= _SOME else _SMALL_MARKER


def is_full(group: str) -> bool:
    """Return whether the markers of a group are filled."""
    return bool(colours.style("points", group)["facecolor"] != "white")


def draw(chart: Points, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw the points, the front if there is one, and below who has no point.

    `name` writes the names, once it is known how large the axes are. `scale` is that of letters,
    lines and markers.
    """
    (left, right), (bottom, top), *_ = ranges(chart)
    if chart.log:
        ax.set_xscale("log")
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    if chart.limit:
        ax.axvline(chart.limit.at, color=FAINT, linewidth=2 * scale, linestyle="--", zorder=1)
        ax.annotate(
            axes.plain(chart.limit.label), (chart.limit.at, bottom), xytext=(-6 * scale, 6 * scale),
            textcoords="offset points", ha="right", va="bottom", size=_SMALL * scale, color=FAINT,
        )  # fmt: skip
    if chart.front:
        across, upward = zip(*front(chart), strict=True)
        ax.plot(across, upward, color=BASELINE, linewidth=3 * scale, zorder=1)
    for group, members in groups(chart).items():
        xs, ys = [point.x for point in members], [point.y for point in members]
        ax.scatter(
            xs, ys, s=(marker(chart) * LARGER.get(group, 1) * scale) ** 2,
            linewidth=_edge(group, scale), zorder=4 if group in LARGER else 3,
            label=chart.groups.get(group), **colours.style("points", group),
        )  # fmt: skip
    note = "\n" + axes.wrapped(chart.note, 72) if chart.note else ""
    ax.set_xlabel(axes.plain(chart.across) + note)
    ax.set_ylabel(axes.wrapped(chart.upward, 36), size=16 * scale)
    if chart.groups and chart.points:
        axes.legend_above(ax, ncols=3)
    ax.grid(axis="both")
    if chart.log:
        ax.xaxis.set_major_locator(LogLocator(numticks=20))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter("{x:g}")
    else:
        ax.xaxis.set_major_locator(axes.locator(_is_whole(chart)))
    ax.yaxis.set_major_locator(axes.locator(True))
    return ax


def name(chart: Points, ax: Axes, scale: float = 1.0) -> list[Annotation]:
    """Write the names beside the points of a figure that is laid out, and return them.

    A name that has been moved away has a line to its point. One without a free place is left out.
    """
    size = _SIZE if len(chart.points) <= _SOME else _SMALL
    _, (bottom, top), *_ = ranges(chart)
    # In points of a figure of the kit: on axes of half its size, half of a point is one.
    box, inches = ax.get_window_extent(), ax.figure.get_dpi() / 72 * scale
    wide, tall = box.width / inches, box.height / inches

    def at(x: float, y: float) -> tuple[float, float]:
        return share(chart, x) * wide, (top - y) / (top - bottom) * tall

    texts = [axes.plain(label(chart, point)) for point in chart.points]
    spots = [
        Spot(
            *at(point.x, point.y),
            marker(chart) * LARGER.get(point.group, 1) + _EDGE,
            max(width(line, size, is_full(point.group)) for line in text.split("\n")),
            size * LEADING * (1 + text.count("\n")),
        )
        for point, text in zip(chart.points, texts, strict=True)
    ]
    corners = [at(*corner) for corner in front(chart)]
    lines = [thin(*one, *other) for one, other in pairwise(corners)]
    if chart.limit:
        lines.append(thin(*at(chart.limit.at, bottom), *at(chart.limit.at, top)))
    found = places(spots, lines, Rect(0, 0, wide, tall), wanted(chart))
    names = []
    for point, text, spot, place in zip(chart.points, texts, spots, found, strict=True):
        if place is None:
            continue
        line: Any = {"arrowstyle": "-", "color": FAINT, "lw": scale, "relpos": (place.left, 0.5)}
        written = ax.annotate(
            text,
            (point.x, point.y),
            xytext=(scale * (place.line(spot).x1 - spot.x), scale * place.up),
            textcoords="offset points",
            ha="right" if place.left else "left",
            va="center",
            size=scale * size,
            weight="bold" if is_full(point.group) else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5 * scale},
            arrowprops=line if place.up or place.off else None,
        )
        names.append(written)
    return names


def _farthest(chart: Points) -> tuple[float, float]:
    """Return how far to the right and how high points are, 1 at the least."""
    return max([1.0, *(p.x for p in chart.points)]), max([1.0, *(p.y for p in chart.points)])


def _edge(group: str, scale: float) -> float | None:
    """Return the width of a marker's edge, in points; None: that of the style file."""
    return None if is_full(group) else _EDGE * scale


def _is_whole(chart: Points) -> bool:
    return bool(chart.points) and axes.whole(point.x for point in chart.points)
