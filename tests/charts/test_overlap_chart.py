"""The overlap: a bar a combination, and below it the dots of who shares it."""

from itertools import combinations, pairwise

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers.answers.chart_data import Combination, Overlap
from helpers.charts import overlap_chart
from helpers.charts.colours import INK
from helpers.charts.figure import figure
from helpers.frames import SEVERITIES
from tests.charts.conftest import legend, names, texts

SERIES = [(severity, severity) for severity in reversed(SEVERITIES)]


def overlap(variants: list[str], *found: tuple[list[str], list[int]]) -> Overlap:
    """An overlap by severity; what has no members is the rest."""
    shared = [
        Combination(members, counts, "" if members else "other combinations")
        for members, counts in found
    ]
    across = "● in these variants, and in no other"
    return Overlap(variants, SERIES, shared, across, "number of vulnerabilities")


def six() -> Overlap:
    """Six images; the first has all vulnerabilities, each other one less."""
    variants = [f"registry-example-com-team-image-{n}" for n in range(6)]
    return overlap(variants, *((variants[: n + 1], [0, 1, 0, 0, 0]) for n in range(6)))


def heights(ax: Axes) -> list[float]:
    return [sum(bar.get_height() for bar in column) for column in zip(*ax.containers, strict=True)]


def shared(ax: Axes) -> list[list[int]]:
    """The rows of the full dots of each column, from the top."""
    rows = list(ax.get_yticks())
    full = [line for line in ax.lines if line.get_color() == INK and line.get_marker() == "o"]
    return [[rows.index(y) for y in line.get_ydata()] for line in full]


def test_a_bar_a_combination_with_its_number_and_the_dots_of_who_has_it(ax: Axes) -> None:
    chart = overlap(["a", "b", "c"], (["b"], [2, 15, 0, 0, 0]), (["a", "c"], [0, 1, 8, 0, 0]))
    assert overlap_chart.draw(chart, ax) is ax
    assert heights(ax) == [17, 9]
    assert texts(ax) == ["17", "9"]
    assert names(ax) == ["a", "b", "c"]
    assert shared(ax) == [[1], [0, 2]]
    assert list(ax.get_yticks()) == sorted(ax.get_yticks(), reverse=True)
    found = {bars.get_label(): [bar.get_height() for bar in bars] for bars in ax.containers}
    assert (found["CRITICAL"], found["HIGH"]) == ([2, 0], [15, 1])
    assert [bar.get_y() for bar in ax.containers[1]] == [2, 0]
    assert legend(ax) == ["CRITICAL", "HIGH", "MEDIUM"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (chart.across, chart.upward)


def test_other_combinations_have_a_word_in_place_of_dots(ax: Axes) -> None:
    overlap_chart.draw(overlap(["a", "b"], (["a"], [1, 0, 0, 0, 0]), ([], [3, 0, 0, 0, 0])), ax)
    assert heights(ax) == [1, 3]
    assert shared(ax) == [[0]]
    assert "other\ncombinations" in texts(ax)


@pytest.mark.parametrize("variants", [2, 6])
def test_names_and_numbers_do_not_overlap(variants: int) -> None:
    chart = six()
    chart.variants = chart.variants[:variants]
    chart.combinations = chart.combinations[:variants]
    drawn = figure(chart, "Two lines of a title " * 4)
    FigureCanvasAgg(drawn).draw()
    (ax,) = drawn.axes
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))
    words = [text.get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(other) for one, other in combinations(words, 2))
    assert min(box.x0 for box in boxes) >= drawn.bbox.x0
