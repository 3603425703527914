"""Labels of points: near their point, and neither a label nor a line to one covers another."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from helpers.charts.labels import Place, Rect, Spot, places

CHART = Rect(0, 0, 800, 300)


def spot(x: float, y: float, width: float = 150) -> Spot:
    return Spot(x, y, 14, width, 38)


def test_a_label_alone_is_to_the_right_of_its_point() -> None:
    assert places([spot(100, 100)], [], CHART) == [Place(False, 0)]


def test_it_makes_way_for_a_line() -> None:
    line = Rect(0, 98, 800, 102)
    (found,) = places([spot(100, 100)], [line], CHART)
    assert found
    assert found.up
    assert not found.rect(spot(100, 100)).overlap(line)


def test_a_label_without_a_free_place_is_left_out() -> None:
    crowd = [spot(300, 150, 700) for _ in range(30)]
    found = [
        place.rect(s) for place, s in zip(places(crowd, [], CHART), crowd, strict=True) if place
    ]
    assert 1 <= len(found) < 30
    assert not any(a.overlap(b) for a, b in combinations(found, 2))


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
