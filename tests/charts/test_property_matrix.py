"""The property matrix: a cell each, filled where something is there."""

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from helpers.answers.chart import Cell, Matrix
from helpers.charts import property_matrix
from helpers.surface.checks import FOUND, NO_PACKAGE, NONE, UNKNOWN
from helpers.text import escape, i18n
from tests.charts.conftest import legend, names, texts

MANY = Cell(FOUND, ", ".join(f"tool{n}" for n in range(30)), 30)


def row(*cells: Cell, variants: list[str] | None = None) -> Matrix:
    """A matrix of one property."""
    return Matrix(["tools"], variants or [f"v{n}" for n in range(len(cells))], [list(cells)])


def columns(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


def test_a_row_a_property_and_a_column_a_variant(ax: Axes) -> None:
    none = Cell(NONE, "none", 0)
    cells = [[none, Cell(FOUND, "sh", 1)], [none, none]]
    assert property_matrix.draw(Matrix(["z", "y"], ["b", "a"], cells), ax) is ax
    assert (names(ax), columns(ax)) == (["z", "y"], ["b", "a"])
    assert len(ax.patches) == 4
    assert texts(ax) == ["none", "sh", "none", "none"]
    assert [text.get_position() for text in ax.texts[:2]] == [(0.5, 0.5), (1.5, 0.5)]


def test_what_is_there_is_filled_and_what_is_not_known_is_dotted(ax: Axes) -> None:
    property_matrix.draw(row(*(Cell(s, s) for s in (FOUND, NONE, UNKNOWN, NO_PACKAGE))), ax)
    assert [to_hex(p.get_facecolor()) == "#ffffff" for p in ax.patches] == [False, True, True, True]
    assert [p.get_linestyle() for p in ax.patches] == ["-", "-", ":", ":"]
    assert [t.get_style() for t in ax.texts] == ["normal", "normal", "italic", "italic"]


@pytest.mark.parametrize(
    ("cell", "variants", "shown"),
    [
        (MANY, 2, "30: tool0, tool1, tool2, tool3 …"),
        (MANY, 6, "30"),
        (Cell(NONE, "none (and 3 sticky folders)", 0, "none"), 6, "none"),
        (Cell(UNKNOWN, "not measured"), 6, "?"),
    ],
)
def test_words_that_do_not_fit_are_cut(ax: Axes, cell: Cell, variants: int, shown: str) -> None:
    property_matrix.draw(row(*[cell] * variants), ax)
    assert texts(ax) == [shown] * variants


def test_long_names_of_variants_fit_into_their_column(ax: Axes) -> None:
    named = [f"registry.example.com-team-application-on-{n}" for n in "abcdef"]
    none = [Cell(NONE, "none", 0)] * 6
    property_matrix.draw(row(*none, variants=named), ax)
    assert all(len(label.split("\n")) <= 3 for label in columns(ax))
    assert all(len(line) <= 11 for label in columns(ax) for line in label.split("\n"))
    size = ax.get_xticklabels()[0].get_size()
    ax.clear()
    property_matrix.draw(row(*none, variants=[letter * 40 for letter in "WMWMWM"]), ax)
    assert ax.get_xticklabels()[0].get_size() < size


def test_a_value_is_no_formula_and_no_control_character(ax: Axes) -> None:
    property_matrix.draw(row(Cell(FOUND, "\x1b[31m$b^2$", 1), variants=["$a_1$"]), ax)
    assert texts(ax) == [escape.plain("\x1b[31m$b^2$")]
    assert columns(ax) == ["$a_1$"]


def test_in_korean_the_legend_is_korean_and_wide_letters_take_two_columns(ax: Axes) -> None:
    with i18n.speaking("ko"):
        property_matrix.draw(row(Cell(NO_PACKAGE, "측정 " * 40)), ax)
    assert i18n.columns(texts(ax)[0]) <= 68
    assert legend(ax) == ["있음", "중립", "없음", "알 수 없음"]
