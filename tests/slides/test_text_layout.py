"""Text that fits: as large as it can be, and never more than there is room for."""

import pytest

from helpers.charts.lettering import LEADING
from helpers.slides import text_layout
from helpers.slides.geometry import Area, Box
from helpers.text.rich import Block, Phrase, Run, phrase

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


def test_strong_words_take_more_rows() -> None:
    words = "some words " * 12
    assert text_layout.rows(Phrase((Run(words, strong=True),)), ROOM, 20) > text_layout.rows(
        phrase(words), ROOM, 20
    )


def test_levels_have_their_own_letters_and_indents() -> None:
    words = phrase("some words " * 12)
    plain, deep = Block(words), Block(words, 2)
    own = AREA._replace(shares=(1, 1, 0.5, 0.5), indents=(0, 10, 200, 300))
    half = text_layout.rows(words, ROOM - 200, 10)
    assert text_layout.height([deep], own, 20) == half * 10 * LEADING
    wide, bold = own._replace(wide=1.5), own._replace(bold=True)
    for other in (wide, bold):
        assert text_layout.height([plain], other, 20) > text_layout.height([plain], own, 20)
