"""Points, one a variant, named beside them: size or executables against vulnerabilities."""

from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.text import Annotation

from helpers.answers.chart import Point, Points
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

_FEW, _SOME = 6, 12
"""Points up to these many have room for names with numbers below them, and for larger names."""


def ranges(chart: Points) -> Ranges:
    """Return from where to where the axes go: there is room for names right and above."""
    widest, highest = _farthest(chart)
    x, y = (0.0, 1.45 * widest), (-0.08 * highest, 1.36 * highest)
    x_step = axes.step(_is_whole(chart), *x)
    return Ranges(x, y, x_step, axes.step(True, *y))


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


def is_full(group: str) -> bool:
    """Return whether the markers of a group are filled."""
    return bool(colours.style("points", group)["facecolor"] != "white")


def draw(chart: Points, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw the points, the front if there is one, and below who has no point.

    `name` writes the names, once it is known how large the axes are. `scale` is that of letters,
    lines and markers.
    """
    (left, right), (bottom, top), *_ = ranges(chart)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    if chart.front:
        across, upward = zip(*front(chart), strict=True)
        ax.plot(across, upward, color=BASELINE, linewidth=3 * scale, zorder=1)
    for group, members in groups(chart).items():
        xs, ys = [point.x for point in members], [point.y for point in members]
        ax.scatter(
            xs, ys, s=(MARKER * scale) ** 2, linewidth=_edge(group, scale), zorder=3,
            label=chart.groups.get(group), **colours.style("points", group),
        )  # fmt: skip
    note = "\n" + axes.wrapped(chart.note, 72) if chart.note else ""
    ax.set_xlabel(axes.plain(chart.across) + note)
    ax.set_ylabel(axes.wrapped(chart.upward, 36), size=16 * scale)
    if chart.groups and chart.points:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.3)
    ax.grid(axis="both")
    ax.xaxis.set_major_locator(axes.locator(_is_whole(chart)))
    ax.yaxis.set_major_locator(axes.locator(True))
    return ax


def name(chart: Points, ax: Axes, scale: float = 1.0) -> list[Annotation]:
    """Write the names beside the points of a figure that is laid out, and return them.

    A name that has been moved away has a line to its point. One without a free place is left out.
    """
    size = _SIZE if len(chart.points) <= _SOME else _SMALL
    (left, right), (bottom, top), *_ = ranges(chart)
    # In points of a figure of the kit: on axes of half its size, half of a point is one.
    box, inches = ax.get_window_extent(), ax.figure.get_dpi() / 72 * scale
    wide, tall = box.width / inches, box.height / inches

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - left) / (right - left) * wide, (top - y) / (top - bottom) * tall

    texts = [axes.plain(label(chart, point)) for point in chart.points]
    spots = [
        Spot(
            *at(point.x, point.y),
            MARKER + _EDGE,
            max(width(line, size, is_full(point.group)) for line in text.split("\n")),
            size * LEADING * (1 + text.count("\n")),
        )
        for point, text in zip(chart.points, texts, strict=True)
    ]
    corners = [at(*corner) for corner in front(chart)]
    found = places(
        spots, [thin(*one, *other) for one, other in pairwise(corners)], Rect(0, 0, wide, tall)
    )
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
