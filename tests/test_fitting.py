"""Text that fits: as large as it can be, and never more than there is room for."""

import pytest

from helpers import fitting, textlines

ROOM, TALL = 400.0, 200.0


def test_short_text_takes_the_largest_size() -> None:
    told = [textlines.line("short")]
    assert fitting.fit(told, ROOM, TALL, (30, 20)) == (tuple(told), 30, True)


def test_longer_text_takes_a_smaller_one() -> None:
    told = [textlines.line("some words " * 12)]
    found = fitting.fit(told, ROOM, TALL, (30, 20))
    assert (found.size, found.whole) == (20, True)
    assert fitting.height(found.lines, ROOM, 20) <= TALL < fitting.height(told, ROOM, 30)


def test_of_what_fits_at_no_size_the_end_is_left_out() -> None:
    told = [textlines.line(f"line {n}") for n in range(50)]
    found = fitting.fit(told, ROOM, TALL, (30, 20))
    assert not found.whole
    assert found.lines == tuple(told[: len(found.lines)])
    assert fitting.height(found.lines, ROOM, 20) <= TALL


@pytest.mark.parametrize("text", ["x" * 500, "W " * 300, "한국어" * 100, "a-b/" * 200])
def test_a_cut_text_is_within_its_box(text: str) -> None:
    shown, size = fitting.cut(text, ROOM, 60, (30, 20))
    assert shown.endswith(" …")
    assert fitting.rows(textlines.line(shown), ROOM, size) * size * fitting.LEADING <= 60


def test_letters_of_east_asia_are_as_wide_as_high() -> None:
    assert fitting.width("한국", 20) == 40


def test_bold_letters_take_more_room() -> None:
    assert fitting.width("size", 20, bold=True) > fitting.width("size", 20)
