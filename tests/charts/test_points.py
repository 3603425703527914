"""Points: where the data say, named apart, with the front, and who has no place."""

from itertools import combinations

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from helpers.answers.chart import Point, Points
from helpers.charts import points
from helpers.charts.figure import figure
from tests.charts.conftest import legend, texts

GROUPS = {"front": "on the Pareto front", "dominated": "dominated by another"}


def tradeoff(*front: tuple[float, float], dominated: tuple = (), note: str = "") -> Points:
    """Points of variants, some of which are on the front."""
    placed = [(at, "front") for at in front] + [(at, "dominated") for at in dominated]
    found = [
        Point(f"v{n}", x, y, f"v{n}\n{x} MB, {y}", group)
        for n, ((x, y), group) in enumerate(placed)
    ]
    return Points(found, "size (MB)", "number of vulnerabilities", GROUPS, list(front), note)


def offsets(ax: Axes) -> list[list[list[float]]]:
    return [dots.get_offsets().tolist() for dots in ax.collections]


def test_a_point_a_variant_and_who_is_dominated_is_hollow(ax: Axes) -> None:
    assert points.draw(tradeoff((76.9, 25), dominated=((118, 30),)), ax) is ax
    assert offsets(ax) == [[[76.9, 25]], [[118, 30]]]
    assert [dots.get_facecolor().tolist() == [[1, 1, 1, 1]] for dots in ax.collections] == [
        False,
        True,
    ]
    assert texts(ax) == ["v0\n76.9 MB, 25", "v1\n118 MB, 30"]
    assert [text.get_weight() for text in ax.texts] == ["bold", "normal"]
    assert legend(ax) == list(GROUPS.values())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("size (MB)", "number of vulnerabilities")


def test_the_front_is_a_line_of_steps_through_its_points(ax: Axes) -> None:
    chart = tradeoff((10, 9), (20, 4), (40, 0))
    points.draw(chart, ax)
    (line,) = ax.lines
    corners = list(zip(line.get_xdata(), line.get_ydata(), strict=True))
    top, right = ax.get_ylim()[1], ax.get_xlim()[1]
    steps = [(10, top), (10, 9), (20, 9), (20, 4), (40, 4), (40, 0), (right, 0)]
    assert corners == steps == points.front(chart)
    chart.front = steps[1:-1]
    assert points.front(chart) == steps, "corners may be given"


def test_who_has_no_point_is_named_below_the_axis(ax: Axes) -> None:
    points.draw(tradeoff((10, 9), note="not placed: tiny (it is broken)"), ax)
    assert ax.get_xlabel() == "size (MB)\nnot placed: tiny (it is broken)"


def test_without_points_nothing_but_axes_are_drawn(ax: Axes) -> None:
    points.draw(tradeoff(note="not placed: a (size not known)"), ax)
    assert offsets(ax) == [[], []]
    assert not len(ax.lines)
    assert texts(ax) == []


def test_points_without_groups_have_no_legend(ax: Axes) -> None:
    found = [Point(name, x, y, name) for name, x, y in (("a", 656, 32), ("b", 20, 7))]
    points.draw(Points(found, "executables", "vulnerabilities"), ax)
    assert offsets(ax) == [[[656, 32], [20, 7]]]
    assert texts(ax) == ["b", "a"]
    assert legend(ax) == []


@pytest.mark.parametrize("x", [0.3, 3, 76.9, 656])
def test_ticks_and_ends_of_axes_are_those_of_the_ranges(x: float) -> None:
    chart = tradeoff((x, 2), (2 * x, 0))
    (ax,) = figure(chart).axes
    found = points.ranges(chart)
    assert (ax.get_xlim(), ax.get_ylim()) == (found.x, found.y)
    for ticks, step in ((ax.get_xticks(), found.x_step), (ax.get_yticks(), found.y_step)):
        assert ticks[1] - ticks[0] == pytest.approx(step)
    assert all(tick == int(tick) for tick in ax.get_yticks()), "counts are whole"


def test_a_strange_label_is_drawn_as_text(ax: Axes) -> None:
    found = [Point("a", 1, 1, "a\u202eb\n1 MB"), Point("c", 2, 2, "c\x1b")]
    points.draw(Points(found, "x", "y", note="not placed: \u202e"), ax)
    assert all(
        "\u202e" not in text and "\x1b" not in text for text in [*texts(ax), ax.get_xlabel()]
    )


@pytest.mark.parametrize(
    "placed",
    [
        [(80, 40), (400, 0)],
        [(100, 10), (104, 11)],
        [(100, 10)] * 2,
        [(100, 0), (104, 0)],
        [(50, 60), (100, 50), (200, 40), (300, 30), (400, 20), (500, 0)],
        [(319, 7), (218, 7), (154, 7), (63, 7), (400, 0), (300, 9)],
        [(1000, 100), (1040, 98), (990, 96), (80, 3), (60, 5), (120, 1)],
        [(100, 10)] * 6,
    ],
    ids="two-far two-close two-equal two-none six-far six-close six-clustered six-equal".split(),
)
@pytest.mark.parametrize("end", ["", ", unsupported"])
def test_names_do_not_overlap_and_stay_in_the_picture(
    placed: list[tuple[int, int]], end: str
) -> None:
    found = [
        Point(f"v{n}", x, y, f"registry-…m-team-image-{n}\n{x:,.1f} MB, {y}{end}", "front")
        for n, (x, y) in enumerate(placed)
    ]
    drawn = figure(Points(found, "x", "y", GROUPS), "Two lines of a title " * 4)
    FigureCanvasAgg(drawn).draw()
    (ax,) = drawn.axes
    # Of the names alone: the lines from points to their names may cross.
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert len(boxes) == len(placed)
    assert not any(box.overlaps(ax.get_legend().get_window_extent()) for box in boxes)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(box.x1 <= drawn.bbox.x1 and box.y0 >= drawn.bbox.y0 for box in boxes)
