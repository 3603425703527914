"""Where the labels of points go, so that they cover neither each other nor what is drawn."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

_GAP = 4.0
"""Room between a marker and its label, in points."""

_STEP, _STEPS = 7.0, 24
"""How far up or down a label goes at a time, in points, and how often at most."""

_LEFT = 25.0
"""A label is to the right of its point, unless that is so much farther away."""


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


class Spot(NamedTuple):
    """A point, how large its marker is, and how wide and high its label."""

    x: float
    y: float
    marker: float
    width: float
    height: float


class Place(NamedTuple):
    """Where a label is: to the left of its point or to the right, and how far above it."""

    left: bool
    up: float

    def rect(self, spot: Spot) -> Rect:
        """Return what the label covers."""
        away = spot.marker / 2 + _GAP
        left = spot.x - away - spot.width if self.left else spot.x + away
        top = spot.y - self.up - spot.height / 2
        return Rect(left, top, left + spot.width, top + spot.height)


def places(spots: Sequence[Spot], drawn: Sequence[Rect], room: Rect) -> list[Place]:
    """Return a place for each label within the room: the nearest that is free.

    Where none is, it is the one that covers least.
    """
    ups = [sign * step * _STEP for step in range(_STEPS + 1) for sign in (1, -1)]
    able = [Place(left, up) for left, up in product((False, True), ups)]
    able.sort(key=lambda place: abs(place.up) + _LEFT * place.left)
    marks = [
        Rect(s.x - s.marker / 2, s.y - s.marker / 2, s.x + s.marker / 2, s.y + s.marker / 2)
        for s in spots
    ]
    taken = [*marks, *drawn]
    found: list[Place] = []
    for spot in spots:
        within = [one for one in able if _inside(one.rect(spot), room)] or able
        best = min(within, key=lambda one: sum(one.rect(spot).overlap(rect) for rect in taken))
        found.append(best)
        taken.append(best.rect(spot))
    return found


def _inside(rect: Rect, room: Rect) -> bool:
    return (
        rect.left >= room.left
        and rect.right <= room.right
        and rect.top >= room.top
        and rect.bottom <= room.bottom
    )
