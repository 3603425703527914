"""Tables for readers: words and units, and nothing of a value is markup."""

import pandas as pd
import pytest

from helpers import tables


def cells(frame: pd.DataFrame) -> list[str]:
    return tables.readable(frame).iloc[:, 0].tolist()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("size_bytes", 12_345_678, "12.3 MB"),
        ("size_bytes", 0, "0.0 MB"),
        ("size_bytes", 3_384, "3,384 bytes"),
        ("difference_bytes", 12_345_678, "+12.3 MB"),
        ("difference_bytes", -32, "-32 bytes"),
        ("files", 1_234, "1,234"),
        ("known_share", 0.3518, "35%"),
        ("score", 0.3518, "0.35"),
    ],
)
def test_numbers_have_their_unit(name: str, value: float, shown: str) -> None:
    assert cells(pd.DataFrame({name: [value]})) == [shown]


def test_what_is_missing_was_not_measured_and_an_empty_text_is_a_dash() -> None:
    frame = pd.DataFrame({"x": pd.array([1, None], dtype="Int64")})
    assert cells(frame) == ["1", "not measured"]
    assert cells(pd.DataFrame({"x": ["", "y"]})) == ["—", "y"]


def test_a_table_without_rows_says_so() -> None:
    assert tables.to_html(pd.DataFrame({"a": []})) == "<p>Nothing to list.</p>"


def test_values_and_headings_are_no_markup() -> None:
    shown = tables.to_html(pd.DataFrame({"<b>": ["<script>alert(1)</script>"]}))
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown
