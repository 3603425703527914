"""Text of reports is inert wherever it is shown."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.text import escape


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n+"])
def test_no_cell_starts_a_formula(start: str) -> None:
    frame = pd.DataFrame({"a": [f"{start}1+1", "plain"], f"{start}b": ["x", None]})
    safe = escape.csv_frame(frame)
    assert safe["a"].tolist() == [f"'{start}1+1", "plain"]
    assert list(safe) == ["a", f"'{start}b"]


def test_numbers_stay_numbers() -> None:
    frame = pd.DataFrame({"difference": [-1, 2], "share": [-0.5, None]})
    pd.testing.assert_frame_equal(escape.csv_frame(frame), frame)


@given(st.text())
def test_plain_text_has_nothing_invisible(text: str) -> None:
    shown = escape.plain(text)
    assert shown.isprintable() or any(c.isspace() for c in shown)
    assert not any(c in shown for c in "\x1b\n\r\0\u202e\u2066\ufeff")
