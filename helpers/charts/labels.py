"""Where the labels of points stand: no label covers another one, nor a line from a point to one."""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

_GAP = 4.0
"""Room between a marker and its label, in points."""

_STEP, _STEPS = 7.0, 24
"""How far up or down a label goes at a time, in points, and how often at most."""

_OFFS = (0.0, 20.0, 40.0, 60.0, 90.0, 120.0, 160.0, 200.0)
"""How far off its marker a label may be, to the left or to the right, in points."""

_LEFT = 25.0
"""A label is to the right of its point, unless that is so much farther away."""

_THIN = 2.0
"""Half of the width of a drawn line, in points."""

_ROUNDS = 6
"""How often labels are placed at most, until all have a place."""


class Rect(NamedTuple):
    """A place on a chart in points, from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Rect") -> float:
        """Return the area that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0.0) * max(tall, 0.0)

    def holds(self, other: "Rect") -> bool:
        """Return whether another place is within this one."""
        return (
            other.left >= self.left
            and other.right <= self.right
            and other.top >= self.top
            and other.bottom <= self.bottom
        )


class Line(NamedTuple):
    """A straight line from one point to another."""

    x0: float
    y0: float
    x1: float
    y1: float

    def crosses(self, rect: Rect) -> bool:
        """Return whether a part of the line is within a place, and not on its edge alone."""
        start, end = 0.0, 1.0
        for at, change, low, high in (
            (self.x0, self.x1 - self.x0, rect.left, rect.right),
            (self.y0, self.y1 - self.y0, rect.top, rect.bottom),
        ):
            if not change:
                if not low < at < high:
                    return False
                continue
            first, last = sorted(((low - at) / change, (high - at) / change))
            start, end = max(start, first), min(end, last)
        return start < end


def thin(x0: float, y0: float, x1: float, y1: float) -> Rect:
    """Return the place that a line between two points covers, which is upright or level."""
    return Rect(min(x0, x1) - _THIN, min(y0, y1) - _THIN, max(x0, x1) + _THIN, max(y0, y1) + _THIN)


class Spot(NamedTuple):
    """A point, how large its marker is, and how wide and high its label."""

    x: float
    y: float
    marker: float
    width: float
    height: float

    @property
    def mark(self) -> Rect:
        """Return what the marker covers."""
        half = self.marker / 2
        return Rect(self.x - half, self.y - half, self.x + half, self.y + half)


class Place(NamedTuple):
    """Where a label is: to the left of its point or to the right, how far above, how far off."""

    left: bool
    up: float
    off: float = 0.0

    def rect(self, spot: Spot) -> Rect:
        """Return what the label covers."""
        away = spot.marker / 2 + _GAP + self.off
        left = spot.x - away - spot.width if self.left else spot.x + away
        top = spot.y - self.up - spot.height / 2
        return Rect(left, top, left + spot.width, top + spot.height)

    def line(self, spot: Spot) -> Line:
        """Return the line from the point to the middle of the label's nearer side."""
        rect = self.rect(spot)
        return Line(spot.x, spot.y, rect.right if self.left else rect.left, spot.y - self.up)


def places(
    spots: Sequence[Spot],
    drawn: Sequence[Rect],
    room: Rect,
    wanted: Sequence[int] | None = None,
) -> list[Place | None]:
    """Return a place for each label within the room: the nearest that is free.

    Free is what covers no marker and no other label, with no line from a point to its label through
    another one; and no drawn line, if there is such a place. `wanted` are the spots that have a
    label, in the order in which they choose; all if it is not given. None: there is no free place,
    or no label is wanted there.
    """
    order = [*wanted] if wanted is not None else [*range(len(spots))]
    if wanted is None:
        order.sort(key=lambda index: (spots[index].x, spots[index].y))
    most: dict[int, Place] = {}
    for _ in range(_ROUNDS):
        found: dict[int, Place] = {}
        for index in order:
            others = [(spots[n], place) for n, place in found.items()]
            if place := _nearest(spots, index, others, drawn, room):
                found[index] = place
        most = max(most, found, key=len)
        if len(found) == len(order):
            break
        # Who found no place chooses first in the next round.
        order.sort(key=lambda index: index in found)
    return [most.get(index) for index in range(len(spots))]


def _nearest(
    spots: Sequence[Spot],
    index: int,
    others: Sequence[tuple[Spot, Place]],
    drawn: Sequence[Rect],
    room: Rect,
) -> Place | None:
    """Return the nearest free place of a label, beside other labels."""
    spot = spots[index]
    labels = [place.rect(other) for other, place in others]
    lines = [place.line(other) for other, place in others]
    marks = [other.mark for other in spots]
    elsewhere = [mark for mark in marks if not mark.overlap(spot.mark)]

    def is_free(place: Place) -> bool:
        rect, line = place.rect(spot), place.line(spot)
        return not (
            any(rect.overlap(other) for other in (*labels, *marks))
            or any(line.crosses(other) for other in (*labels, *elsewhere))
            or any(other.crosses(rect) for other in lines)
        )

    able = _able()
    within = [place for place in able if room.holds(place.rect(spot))] or able
    first = None
    for place in filter(is_free, within):
        if not any(place.rect(spot).overlap(line) for line in drawn):
            return place
        first = first or place
    return first


@cache
def _able() -> list[Place]:
    """Return the places that a label may have, the nearest first."""
    ups = [0.0, *(sign * step * _STEP for step in range(1, _STEPS + 1) for sign in (1, -1))]
    found = [Place(*place) for place in product((False, True), ups, _OFFS)]
    return sorted(found, key=lambda place: abs(place.up) + 1.5 * place.off + _LEFT * place.left)
