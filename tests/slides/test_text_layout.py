"""Text that fits: as large as it can be, and never more than there is room for."""

from itertools import combinations

import pytest

from helpers.slides import text_layout
from helpers.slides.text_layout import Place, Rect, Spot, places
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
    assert text_layout.rows(phrase(shown), ROOM, size) * size * text_layout.LEADING <= 60


def test_strong_words_take_more_rows() -> None:
    words = "some words " * 12
    assert text_layout.rows(Phrase((Run(words, strong=True),)), ROOM, 20) > text_layout.rows(
        phrase(words), ROOM, 20
    )


CHART = Rect(0, 0, 800, 300)


def spot(x: float, y: float, width: float = 150) -> Spot:
    return Spot(x, y, 14, width, 38)


def test_a_label_alone_is_to_the_right_of_its_point() -> None:
    assert places([spot(100, 100)], [], CHART) == [Place(False, 0)]


def test_at_the_right_edge_it_is_to_the_left() -> None:
    assert places([spot(780, 100)], [], CHART) == [Place(True, 0)]


def test_it_makes_way_for_a_line() -> None:
    line = Rect(0, 98, 800, 102)
    (found,) = places([spot(100, 100)], [line], CHART)
    assert found.up
    assert not found.rect(spot(100, 100)).overlap(line)


def test_six_points_in_one_place_have_six_labels_that_can_be_read() -> None:
    crowd = [spot(300 + n, 150, 200) for n in range(6)]
    found = [place.rect(s) for place, s in zip(places(crowd, [], CHART), crowd, strict=True)]
    assert not any(a.overlap(b) for a, b in combinations(found, 2))
    assert all(rect.top >= 0 and rect.bottom <= 300 for rect in found)


def test_where_there_is_no_room_a_label_is_still_placed() -> None:
    assert len(places([spot(5, 5, 900)], [], Rect(0, 0, 10, 10))) == 1
