"""Labels of points: the nearest free place, and nothing covered while there is one."""

from itertools import combinations

from helpers.placing import Place, Rect, Spot, places

ROOM = Rect(0, 0, 800, 300)


def spot(x: float, y: float, width: float = 150) -> Spot:
    return Spot(x, y, 14, width, 38)


def test_a_label_alone_is_to_the_right_of_its_point() -> None:
    assert places([spot(100, 100)], [], ROOM) == [Place(False, 0)]


def test_at_the_right_edge_it_is_to_the_left() -> None:
    assert places([spot(780, 100)], [], ROOM) == [Place(True, 0)]


def test_it_makes_way_for_a_line() -> None:
    line = Rect(0, 98, 800, 102)
    (found,) = places([spot(100, 100)], [line], ROOM)
    assert found.up
    assert not found.rect(spot(100, 100)).overlap(line)


def test_six_points_in_one_place_have_six_labels_that_can_be_read() -> None:
    crowd = [spot(300 + n, 150, 200) for n in range(6)]
    found = [place.rect(one) for place, one in zip(places(crowd, [], ROOM), crowd, strict=True)]
    assert not any(a.overlap(b) for a, b in combinations(found, 2))
    assert all(rect.top >= 0 and rect.bottom <= 300 for rect in found)


def test_where_there_is_no_room_a_label_is_still_placed() -> None:
    assert len(places([spot(5, 5, 900)], [], Rect(0, 0, 10, 10))) == 1
