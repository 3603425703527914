"""The property matrix: a cell each, filled where something is there."""

from itertools import pairwise

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from helpers.answers.chart_data import Cell, Matrix
from helpers.charts import matrix_chart
from helpers.charts.figure import figure
from helpers.surface.checks import FOUND, NO_PACKAGE, NONE, PLAIN, UNKNOWN
from helpers.text import i18n
from tests.charts.conftest import names, texts

MANY = Cell(FOUND, ", ".join(f"tool{n}" for n in range(30)), 30)


def row(*cells: Cell, variants: list[str] | None = None) -> Matrix:
    """A matrix of one property."""
    return Matrix(["tools"], variants or [f"v{n}" for n in range(len(cells))], [list(cells)])


def columns(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


def test_a_row_a_property_and_a_column_a_variant(ax: Axes) -> None:
    none = Cell(NONE, "none", 0)
    cells = [[none, Cell(FOUND, "sh", 1)], [none, none]]
    assert matrix_chart.draw(Matrix(["z", "y"], ["b", "a"], cells), ax) is ax
    assert (names(ax), columns(ax)) == (["z", "y"], ["b", "a"])
    assert len(ax.patches) == 4
    assert texts(ax) == ["none", "sh", "none", "none"]
    assert [text.get_position() for text in ax.texts[:2]] == [(0.5, 0.5), (1.5, 0.5)]


def test_what_is_there_is_filled_and_what_is_not_known_is_dotted(ax: Axes) -> None:
    matrix_chart.draw(row(*(Cell(s, s) for s in (FOUND, NONE, UNKNOWN, NO_PACKAGE))), ax)
    assert [to_hex(p.get_facecolor()) == "#ffffff" for p in ax.patches] == [False, True, True, True]
    assert [p.get_linestyle() for p in ax.patches] == ["-", "-", ":", ":"]
    assert [t.get_style() for t in ax.texts] == ["normal", "normal", "italic", "italic"]


@pytest.mark.parametrize(
    ("cell", "variants", "shown"),
    [
        (MANY, 2, "30: tool0, tool1, tool2, tool3 …"),
        (MANY, 4, "30: tool0 …"),
        (MANY, 6, "30"),
        (Cell(NONE, "none (and 3 sticky folders)", 0, "none"), 6, "none"),
        (Cell(UNKNOWN, "not measured"), 6, "?"),
    ],
)
def test_words_that_do_not_fit_are_cut(ax: Axes, cell: Cell, variants: int, shown: str) -> None:
    matrix_chart.draw(row(*[cell] * variants), ax)
    assert texts(ax) == [shown] * variants


def test_rows_stand_under_the_heading_of_their_group(ax: Axes) -> None:
    none = [Cell(NONE, "none", 0)]
    chart = Matrix(["z", "y", "x"], ["a"], [none] * 3, ["Ways in", "Ways in", "Privileges"])
    matrix_chart.draw(chart, ax)
    shown = sorted(ax.get_yticklabels(), key=lambda label: label.get_position()[1])
    assert [label.get_text() for label in shown] == ["Ways in", "z", "y", "Privileges", "x"]
    assert [label.get_fontweight() == "bold" for label in shown] == [1, 0, 0, 1, 0]
    boxes = [(patch.get_y(), patch.get_y() + patch.get_height()) for patch in ax.patches]
    assert all(above[1] < below[0] for above, below in pairwise(boxes))


@pytest.mark.parametrize("language", i18n.known())
@pytest.mark.parametrize("variants", [2, 4, 6])
def test_letters_can_be_read_from_the_back_row_and_stay_in_their_cells(
    language: str, variants: int
) -> None:
    """Of eight rows in three groups: 16 points of 960 are a slide's smallest letters."""
    named = [f"node-24-image-{n}" for n in range(variants)]
    cells = [
        Cell(FOUND, "bash, dash, rbash, sh", 4),
        Cell(FOUND, "3 (all sticky)", 3, "3"),
        Cell(PLAIN, "65% of the bytes", None, "65%"),
        Cell(UNKNOWN, "not measured"),
    ]
    rows = [f"executables not scanned {n}" for n in range(8)]
    groups = ["Ways in"] * 3 + ["Privileges"] * 3 + ["Programs"] * 2
    body = [[cells[(x + y) % 4] for x in range(variants)] for y in range(8)]
    with i18n.speaking(language):
        drawn = figure(Matrix(rows, named, body, groups), "Two lines of a title " * 4, "footer")
    FigureCanvasAgg(drawn).draw()
    (ax,) = drawn.axes
    legend_ = ax.get_legend()
    assert legend_
    for text in [*ax.texts, *ax.get_yticklabels(), *legend_.get_texts()]:
        assert text.get_size() * 960 / (72 * drawn.get_figwidth()) >= 16
    places = [patch.get_window_extent() for patch in ax.patches]
    for text, place in zip(ax.texts, places, strict=True):
        box = text.get_window_extent()
        assert (box.x0 >= place.x0, box.x1 <= place.x1) == (True, True), text.get_text()
        assert (box.y0 >= place.y0, box.y1 <= place.y1) == (True, True), text.get_text()
    labels = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(labels))
    assert min(label.get_window_extent().x0 for label in ax.get_yticklabels()) >= 0
