"""Labels of points: near their point, and neither a label nor a line to one covers another."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.charts.labels import Line, Place, Rect, Spot, places

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
    assert found
    assert found.up
    assert not found.rect(spot(100, 100)).overlap(line)


def test_six_points_in_one_place_have_six_labels_that_can_be_read() -> None:
    crowd = [spot(300 + n, 150, 200) for n in range(6)]
    labelled = zip(places(crowd, [], CHART), crowd, strict=True)
    found = [place.rect(s) for place, s in labelled if place]
    assert len(found) == 6
    assert not any(a.overlap(b) for a, b in combinations(found, 2))
    assert all(rect.top >= 0 and rect.bottom <= 300 for rect in found)


def test_a_label_that_is_wider_than_the_chart_is_still_placed() -> None:
    assert None not in places([spot(5, 5, 900)], [], Rect(0, 0, 10, 10))


def test_a_label_without_a_free_place_is_left_out() -> None:
    crowd = [spot(300, 150, 700) for _ in range(30)]
    found = [
        place.rect(s) for place, s in zip(places(crowd, [], CHART), crowd, strict=True) if place
    ]
    assert 1 <= len(found) < 30
    assert not any(a.overlap(b) for a, b in combinations(found, 2))


@pytest.mark.parametrize(
    ("line", "is_through"),
    [
        (Line(0, 5, 20, 5), True),
        (Line(0, 0, 20, 20), True),
        (Line(12, 12, 13, 12), True),
        (Line(0, 5, 9, 5), False),
        (Line(0, 10, 20, 10), False),
        (Line(0, 30, 20, 20), False),
        (Line(15, 0, 15, 40), True),
        (Line(20, 0, 20, 40), False),
    ],
)
def test_a_line_through_a_place_is_within_it_and_not_on_its_edge(
    line: Line, is_through: bool
) -> None:
    assert line.crosses(Rect(10, 0 if line.y0 == 5 else 10, 20, 20)) == is_through


POINTS = st.tuples(st.integers(20, 540), st.integers(20, 280), st.integers(40, 200))


@given(st.lists(POINTS, min_size=2, max_size=12))
def test_no_label_and_no_line_to_a_label_covers_another(points: list[tuple[int, int, int]]) -> None:
    spots = [spot(x, y, width) for x, y, width in points]
    found = [(p, s) for p, s in zip(places(spots, [], CHART), spots, strict=True) if p]
    rects = [place.rect(s) for place, s in found]
    assert not any(a.overlap(b) for a, b in combinations(rects, 2))
    for one, (place, s) in enumerate(found):
        line = place.line(s)
        assert not any(line.crosses(rect) for other, rect in enumerate(rects) if other != one)
        assert not any(rects[one].overlap(other.mark) for other in spots)
