"""Text that fits: as large as it can be, and never more than there is room for."""

import pytest

from helpers.charts.lettering import LEADING
from helpers.slides import text_layout
from helpers.slides.geometry import Area, Box
from helpers.text.rich import Block, phrase

ROOM, TALL = 400.0, 200.0
AREA = Area(Box(0, 0, ROOM, TALL), (30, 20))


def block(text: str) -> Block:
    return Block(phrase(text))


def test_text_takes_the_largest_size_that_fits() -> None:
    short, long = [block("short")], [block("some words " * 12)]
    assert text_layout.fit(short, AREA) == (tuple(short), 30, True)
    found = text_layout.fit(long, AREA)
    assert (found.size, found.whole) == (20, True)
    assert text_layout.height(found.blocks, AREA, 20) <= TALL < text_layout.height(long, AREA, 30)


def test_of_what_fits_at_no_size_the_end_is_left_out() -> None:
    lines = [block(f"line {n}") for n in range(50)]
    found = text_layout.fit(lines, AREA)
    assert not found.whole
    assert found.blocks == tuple(lines[: len(found.blocks)])
    assert text_layout.height(found.blocks, AREA, 20) <= TALL


@pytest.mark.parametrize("text", ["x" * 500, "W " * 300, "한국어" * 100, "a-b/" * 200])
def test_a_cut_text_is_within_its_box(text: str) -> None:
    shown, size = text_layout.cut(text, AREA._replace(box=Box(0, 0, ROOM, 60)))
    assert shown.endswith(" …")
    assert text_layout.rows(phrase(shown), ROOM, size) * size * LEADING <= 60


def test_a_million_letters_are_cut_and_not_all_measured() -> None:
    shown, _ = text_layout.cut("i" * 2**20, AREA)
    assert 300 < len(shown) < 1000
