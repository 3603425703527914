"""Text of reports is inert wherever it is shown."""

import csv
import json
import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.text import escape
from tests.support.hostile import PAYLOADS


@pytest.mark.parametrize("start", "= + - @ ＝ ＋ － ＠".split())
def test_no_cell_starts_a_formula(start: str) -> None:
    texts = [f"{start}1", f" {start}1", f"x;{start}1", "plain; text"]
    safe = escape.csv_frame(pd.DataFrame({"a": texts, f"{start}b": None}))
    assert safe["a"].tolist() == [f"'{start}1", f"' {start}1", f"x;'{start}1", "plain; text"]
    assert list(safe) == ["a", f"'{start}b"]


@pytest.mark.parametrize("start", ["\t", "\r", "\n", "\x1b[31m", "\u202e", "\u200b", "\ufeff"])
def test_a_cell_has_nothing_invisible(start: str) -> None:
    assert str(escape.csv_cell(f"{start}=1")).isprintable()


def test_numbers_stay_numbers() -> None:
    frame = pd.DataFrame({"difference": [-1, 2], "share": [-0.5, None]})
    pd.testing.assert_frame_equal(escape.csv_frame(frame), frame)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_spreadsheet_finds_a_formula_wherever_it_parts_cells(separator: str) -> None:
    frame = pd.DataFrame({"text": PAYLOADS, "more": PAYLOADS[::-1]})
    lines = escape.csv_frame(frame).to_csv(index=False).splitlines()
    cells = [cell for row in csv.reader(lines, delimiter=separator) for cell in row]
    assert len(cells) > len(PAYLOADS)
    assert [cell for cell in cells if not cell.isprintable()] == []
    # Signs of full width become those of half.
    starts = [unicodedata.normalize("NFKC", cell.lstrip(' "')) for cell in cells]
    assert [start for start in starts if start.startswith(("=", "+", "-", "@"))] == []


def test_json_on_a_terminal_has_nothing_invisible_and_says_the_same() -> None:
    text = escape.as_json(PAYLOADS)
    assert json.loads(text) == list(PAYLOADS)
    assert text.replace("\n", "").isprintable()


@given(st.text())
def test_plain_text_has_nothing_invisible(text: str) -> None:
    shown = escape.plain(text)
    assert shown.isprintable() or any(c.isspace() for c in shown)
    assert not any(c in shown for c in "\x1b\n\r\0\u202e\u2066\ufeff")
