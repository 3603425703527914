"""Points, one a variant, named beside them: size or executables against vulnerabilities."""

from matplotlib.axes import Axes

from helpers.answers.chart import Points
from helpers.charts import axes, colours
from helpers.charts.axes import Ranges
from helpers.charts.colours import BASELINE, FAINT

_TALL, _WIDE = 0.165, 0.43
"""Height of a name as a share of the highest point, and its width as one of the rightmost."""

_STEPS = sorted(
    (step for n in range(-130, 131) if not -0.22 < (step := 0.06 + 0.01 * n) < 0.06),
    key=lambda step: abs(step - 0.06),
)
"""Where a name may stand above its point, or wholly below it: the nearest free place is taken."""

_TOP = 1.15
"""How high a name may begin; the axis ends higher."""


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


def draw(chart: Points, ax: Axes) -> Axes:
    """Draw the points, their names, the front if there is one, and below who has no point."""
    (left, right), (bottom, top), *_ = ranges(chart)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    if chart.front:
        across, upward = zip(*front(chart), strict=True)
        ax.plot(across, upward, color=BASELINE, linewidth=3, zorder=1)
    for group in chart.groups or {"": ""}:
        members = [point for point in chart.points if point.group == group]
        xs, ys = [point.x for point in members], [point.y for point in members]
        ax.scatter(
            xs, ys, s=260, linewidth=None if _is_full(group) else 3, zorder=3,
            label=chart.groups.get(group), **colours.style("points", group),
        )  # fmt: skip
    _name(chart, ax)
    note = "\n" + axes.wrapped(chart.note, 72) if chart.note else ""
    ax.set_xlabel(axes.plain(chart.across) + note)
    ax.set_ylabel(axes.wrapped(chart.upward, 36), size=16)
    if chart.groups:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.3)
    ax.grid(axis="both")
    ax.xaxis.set_major_locator(axes.locator(_is_whole(chart)))
    ax.yaxis.set_major_locator(axes.locator(True))
    return ax


def _farthest(chart: Points) -> tuple[float, float]:
    """Return how far to the right and how high points are, 1 at the least."""
    return max([1.0, *(p.x for p in chart.points)]), max([1.0, *(p.y for p in chart.points)])


def _is_whole(chart: Points) -> bool:
    return bool(chart.points) and axes.whole(point.x for point in chart.points)


def _is_full(group: str) -> bool:
    return bool(colours.style("points", group)["facecolor"] != "white")


def _name(chart: Points, ax: Axes) -> None:
    """Name each point; where names would meet, the later one moves up or down."""
    taken: list[tuple[float, float]] = []
    widest, highest = _farthest(chart)
    wide, tall = _WIDE * widest, _TALL * highest
    for point in sorted(chart.points, key=lambda point: (point.x, point.y)):
        x = point.x + 0.025 * widest
        free = [
            y
            for step in _STEPS
            if -0.06 * highest < (y := point.y + step * highest) < _TOP * highest
            and not any(abs(x - a) < wide and abs(y - b) < tall for a, b in taken)
        ]
        y = free[0] if free else point.y + _STEPS[0] * highest
        taken.append((x, y))
        ax.annotate(
            axes.plain(point.label),
            (point.x, point.y),
            xytext=(x, y),
            textcoords="data",
            va="bottom",
            size=16,
            weight="bold" if _is_full(point.group) else "normal",
            arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 1},
        )
