"""The picture of the matrix: a cell each, filled where something is there."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from helpers.charts import property_matrix
from helpers.surface.checks import FOUND, NO_PACKAGE, NONE, UNKNOWN
from helpers.text import escape, i18n


def matrix(*rows: tuple) -> pd.DataFrame:
    """Cells: property, variant, state, value, count."""
    table = pd.DataFrame(rows, columns=["property", "variant", "state", "value", "count"])
    return table.astype({"count": "Int64"})


def drawn(table: pd.DataFrame) -> Axes:
    return property_matrix.grid(table, Figure(figsize=(12.8, 7.2)).subplots())


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_row_a_property_a_column_a_variant_in_the_order_of_the_matrix() -> None:
    none = (NONE, "none", 0)
    first = ("z", "b", *none), ("z", "a", FOUND, "sh", 1)
    ax = drawn(matrix(*first, ("y", "b", *none), ("y", "a", *none)))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["z", "y"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["b", "a"]
    assert len(ax.patches) == 4
    assert texts(ax) == ["none", "sh", "none", "none"]


def test_what_is_there_is_filled_what_is_not_is_empty_and_what_is_not_known_is_dotted() -> None:
    cells = [(state, "v", state, state, None) for state in (FOUND, NONE, UNKNOWN, NO_PACKAGE)]
    ax = drawn(matrix(*cells))
    assert [to_hex(p.get_facecolor()) == "#ffffff" for p in ax.patches] == [False, True, True, True]
    assert [p.get_linestyle() for p in ax.patches] == ["-", "-", ":", ":"]
    assert [t.get_style() for t in ax.texts] == ["normal", "normal", "italic", "italic"]


def test_names_that_do_not_fit_become_their_number() -> None:
    many = ", ".join(f"tool{n}" for n in range(30))
    few = [("tools", v, FOUND, many, 30) for v in "ab"]
    assert texts(drawn(matrix(*few)))[0].startswith("30: tool0, tool1")
    six = [("tools", v, FOUND, many, 30) for v in "abcdef"]
    assert texts(drawn(matrix(*six))) == ["30"] * 6


def test_what_is_in_parentheses_is_left_out_where_there_is_no_room() -> None:
    cells = [("paths", v, NONE, "none (and 3 sticky folders)", 0) for v in "abcdef"]
    assert texts(drawn(matrix(*cells))) == ["none"] * 6


def test_long_names_of_variants_fit_into_their_column() -> None:
    names = [f"registry.example.com-team-application-on-{n}" for n in "abcdef"]
    ax = drawn(matrix(*[("x", name, NONE, "none", 0) for name in names]))
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert all(len(label.split("\n")) <= 3 for label in labels)
    assert all(len(line) <= 11 for label in labels for line in label.split("\n"))
    wide = drawn(matrix(*[("x", c * 40, NONE, "none", 0) for c in "WMWMWM"]))
    assert wide.get_xticklabels()[0].get_size() < ax.get_xticklabels()[0].get_size()


def test_a_name_is_no_formula_and_no_control_character() -> None:
    ax = drawn(matrix(("x", "$a_1$", FOUND, "\x1b[31m$b^2$", 1)))
    assert texts(ax) == [escape.plain("\x1b[31m$b^2$")]
    assert "\x1b" not in texts(ax)[0]


def test_without_images_it_says_so() -> None:
    assert texts(drawn(matrix())) == ["No image was looked at."]


def test_in_korean_states_and_legend_are_korean_and_wide_letters_take_two_columns() -> None:
    cells = ("x", "v", NONE, "none", 0), ("y", "v", UNKNOWN, "측정 " * 20, None)
    with i18n.speaking("ko"):
        ax = drawn(matrix(*cells))
    assert texts(ax)[0] == "없음"
    assert i18n.columns(texts(ax)[1]) <= 68
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["있음", "중립", "없음", "알 수 없음"]


def test_in_korean_what_a_value_is_told_by_is_korean_and_names_stay() -> None:
    with i18n.speaking("ko"):
        ax = drawn(matrix(("shells", "v", FOUND, "bash (by its packages)", 1)))
    assert texts(ax) == ["bash (패키지 기준)"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["셸"]


def test_where_columns_are_narrow_what_is_not_known_is_a_question_mark() -> None:
    ax = drawn(matrix(*(("p", f"v{n}", UNKNOWN, "not measured", None) for n in range(6))))
    assert texts(ax) == ["?"] * 6
