"""Points: where the data say, named apart, with the front, and who has no place."""

from itertools import combinations
from math import log10
from random import Random

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from helpers import Comparison
from helpers.answers.chart_data import Limit, Point, Points
from helpers.charts import point_chart
from helpers.charts.figure import figure
from helpers.charts.labels import Line, Rect
from helpers.text import i18n
from tests.charts.conftest import legend

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
    assert point_chart.draw(tradeoff((76.9, 25), dominated=((118, 30),)), ax) is ax
    assert offsets(ax) == [[[76.9, 25]], [[118, 30]]]
    assert [dots.get_facecolor().tolist() == [[1, 1, 1, 1]] for dots in ax.collections] == [
        False,
        True,
    ]
    assert legend(ax) == list(GROUPS.values())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("size (MB)", "number of vulnerabilities")


def test_a_group_that_has_no_point_is_not_in_the_legend(ax: Axes) -> None:
    chart = tradeoff((10, 9))
    chart.groups = {**GROUPS, "unsupported": "past its support"}
    chart.points.append(Point("old", 5, 5, "old", "unsupported"))
    point_chart.draw(chart, ax)
    assert legend(ax) == ["on the Pareto front", "past its support"]
    full, hollow = ax.collections
    assert hollow.get_facecolor().tolist() == [[1, 1, 1, 1]]
    assert full.get_paths()[0].vertices.shape != hollow.get_paths()[0].vertices.shape


def test_the_front_is_a_line_of_steps_through_its_points(ax: Axes) -> None:
    chart = tradeoff((10, 9), (20, 4), (40, 0))
    point_chart.draw(chart, ax)
    (line,) = ax.lines
    corners = list(zip(line.get_xdata(), line.get_ydata(), strict=True))
    top, right = ax.get_ylim()[1], ax.get_xlim()[1]
    steps = [(10, top), (10, 9), (20, 9), (20, 4), (40, 4), (40, 0), (right, 0)]
    assert corners == steps == point_chart.front(chart)
    chart.front = steps[1:-1]
    assert point_chart.front(chart) == steps, "corners may be given"


@pytest.mark.parametrize("x", [0.3, 3, 76.9, 656])
def test_ticks_and_ends_of_axes_are_those_of_the_ranges(x: float) -> None:
    chart = tradeoff((x, 2), (2 * x, 0))
    (ax,) = figure(chart).axes
    found = point_chart.ranges(chart)
    assert (ax.get_xlim(), ax.get_ylim()) == (found.x, found.y)
    for ticks, step in ((ax.get_xticks(), found.x_step), (ax.get_yticks(), found.y_step)):
        assert ticks[1] - ticks[0] == pytest.approx(step)
    assert all(tick == int(tick) for tick in ax.get_yticks()), "counts are whole"


@pytest.mark.parametrize("count", [3, 6, 12, 25])
@pytest.mark.parametrize("seed", range(5))
def test_no_line_runs_through_a_name_of_random_points(count: int, seed: int) -> None:
    random = Random(seed)
    found = [
        Point(
            f"v{n}",
            x,
            y,
            f"node-24-image-{n}\n{x:,.1f} MB, {y}",
            random.choice(["front", "dominated"]),
        )
        for n in range(count)
        if (x := random.uniform(20, 900)) and (y := random.randint(0, 60)) is not None
    ]
    chart = Points(found, "x", "y", GROUPS, points_of_front(found))
    shown = names_apart(figure(chart, "A title", "a footer " * 20))
    assert len(shown) >= 0.9 * count


def points_of_front(found: list[Point]) -> list[tuple[float, float]]:
    return sorted((point.x, point.y) for point in found if point.group == "front")[:1]


@pytest.mark.parametrize("study", ["blog-2022", "matched-2026", "rebuilt-2026"])
@pytest.mark.parametrize("language", i18n.known())
def test_no_line_runs_through_a_name_of_the_recorded_studies(study: str, language: str) -> None:
    compared = Comparison(study).style(language)
    charts = [
        answer().chart for answer in (compared.verdict.tradeoff, compared.surface.executables)
    ]
    with i18n.speaking(language):
        for chart in filter(None, charts):
            assert len(names_apart(figure(chart, "A title", "a footer"))) == len(chart.points)


def names_apart(drawn: Figure) -> list[str]:
    """The names on a figure: no two meet, and no line to one runs through another."""
    FigureCanvasAgg(drawn).draw()
    (ax,) = drawn.axes
    names = [text for text in ax.texts if isinstance(text, Annotation)]
    # Of the names alone, without the lines from points to them.
    boxes = [Text.get_window_extent(name) for name in names]
    rects = [Rect(box.x0 + 1, box.y0 + 1, box.x1 - 1, box.y1 - 1) for box in boxes]
    shown = ax.get_legend()
    assert not shown or not any(box.overlaps(shown.get_window_extent()) for box in boxes)
    assert not any(one.overlap(other) for one, other in combinations(rects, 2))
    assert all(box.x1 <= drawn.bbox.x1 and box.y0 >= drawn.bbox.y0 for box in boxes)
    for place, name in enumerate(names):
        if name.arrow_patch:
            ends = name.arrow_patch.get_transform().transform(name.arrow_patch.get_path().vertices)
            line = Line(*ends[0], *ends[-1])
            assert not any(line.crosses(r) for other, r in enumerate(rects) if other != place)
    return [name.get_text() for name in names]


def likelihoods(*points: tuple[float, float, str]) -> Points:
    """Vulnerabilities on a logarithmic axis, with a line at a tenth."""
    found = [Point(name, x, y, name, "fixable") for x, y, name in points]
    groups = {"exploited": "exploited", "fixable": "fixable"}
    limit = Limit(0.1, "EPSS 0.1")
    return Points(found, "EPSS", "CVSS", groups, log=True, top=10.0, limit=limit)


def test_a_logarithmic_axis_goes_from_the_power_of_ten_below_the_lowest_to_one(ax: Axes) -> None:
    chart = likelihoods((0.0004, 9.8, "a"), (0.97, 10.0, "b"))
    point_chart.draw(chart, ax)
    assert ax.get_xscale() == "log"
    left, right = ax.get_xlim()
    assert left == pytest.approx(0.0001)
    assert 1 < right < 2
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > 10
    (line,) = ax.lines
    assert set(line.get_xdata()) == {0.1}
    assert point_chart.share(chart, left) == 0
    assert point_chart.share(chart, 0.01) == pytest.approx(2 / (4 + log10(1.3)))


def test_only_who_has_a_label_is_named_and_no_name_covers_a_point() -> None:
    points = [(0.2 + n / 100, 7.0 + (n % 3) / 10, "") for n in range(30)]
    drawn = figure(likelihoods((0.35, 7.1, "CVE-1 libc6"), *points))
    FigureCanvasAgg(drawn).draw()
    (ax,) = drawn.axes
    (name,) = (text for text in ax.texts if text.get_text() == "CVE-1 libc6")
    box = Text.get_window_extent(name)
    (dots,) = ax.collections
    for x, y in ax.transData.transform(dots.get_offsets()):
        assert not (box.x0 < x < box.x1 and box.y0 < y < box.y1)
