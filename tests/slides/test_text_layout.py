"""Text that fits: as large as it can be, and never more than there is room for."""

import pytest

from helpers.charts.lettering import LEADING
from helpers.slides import text_layout
from helpers.text.rich import Block, Phrase, Run, phrase

ROOM, TALL = 400.0, 200.0


def block(text: str) -> Block:
    return Block(phrase(text))


def test_text_takes_the_largest_size_that_fits() -> None:
    short, long = [block("short")], [block("some words " * 12)]
    assert text_layout.fit(short, ROOM, TALL, (30, 20)) == (tuple(short), 30, True)
    found = text_layout.fit(long, ROOM, TALL, (30, 20))
    assert (found.size, found.whole) == (20, True)
    assert text_layout.height(found.blocks, ROOM, 20) <= TALL < text_layout.height(long, ROOM, 30)


def test_of_what_fits_at_no_size_the_end_is_left_out() -> None:
    lines = [block(f"line {n}") for n in range(50)]
    found = text_layout.fit(lines, ROOM, TALL, (30, 20))
    assert not found.whole
    assert found.blocks == tuple(lines[: len(found.blocks)])
    assert text_layout.height(found.blocks, ROOM, 20) <= TALL


@pytest.mark.parametrize("text", ["x" * 500, "W " * 300, "한국어" * 100, "a-b/" * 200])
def test_a_cut_text_is_within_its_box(text: str) -> None:
    shown, size = text_layout.cut(text, ROOM, 60, (30, 20))
    assert shown.endswith(" …")
    assert text_layout.rows(phrase(shown), ROOM, size) * size * LEADING <= 60


def test_strong_words_take_more_rows() -> None:
    words = "some words " * 12
    assert text_layout.rows(Phrase((Run(words, strong=True),)), ROOM, 20) > text_layout.rows(
        phrase(words), ROOM, 20
    )
