"""How much room text takes on a slide: measured, so that none runs out of its box."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from helpers.charts.lettering import width
from helpers.text.rich import Block, Phrase, Run

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
        within = [place for place in able if _inside(place.rect(spot), room)] or able
        best = min(within, key=lambda place: sum(place.rect(spot).overlap(r) for r in taken))
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


LEADING = 1.2
"""Height of a line, in sizes of its letters."""

INDENT = 18.0
"""How far a bullet is to the right of the level above it, in points."""


class Fitted(NamedTuple):
    """Blocks of text, their size in points, and whether all are there."""

    blocks: tuple[Block, ...]
    size: float
    whole: bool


def rows(phrase: Phrase, room: float, size: float) -> int:
    """Return on how many lines of a box a phrase is; the box is so many points wide."""
    count, used = 1, 0.0
    for run in phrase.runs:
        for word in run.text.split(" "):
            long = width(f"{word} ", size, run.strong)
            if used and used + long > room:
                count, used = count + 1, 0.0
            # What is wider than the box is broken anywhere.
            over = int(long // room)
            count, used = count + over, used + long - over * room
    return count


def height(blocks: Iterable[Block], room: float, size: float, apart: float = 0.35) -> float:
    """Return how high blocks are in points, with a share of a line's height between them."""
    found = list(blocks)
    taken = sum(rows(block.phrase, room - INDENT * block.level, size) for block in found)
    return size * LEADING * (taken + apart * max(len(found) - 1, 0))


def fit(blocks: Sequence[Block], room: float, tall: float, sizes: Sequence[float]) -> Fitted:
    """Return blocks at the first of some sizes at which they fit into a box, in points.

    If they fit at none, the last blocks are left out, but never the first.
    """
    for size in sizes:
        if height(blocks, room, size) <= tall:
            return Fitted(tuple(blocks), size, True)
    some = list(blocks)
    while len(some) > 1 and height(some, room, sizes[-1]) > tall:
        some.pop()
    return Fitted(tuple(some), sizes[-1], False)


def cut(
    text: str, room: float, tall: float, sizes: Sequence[float], bold: bool = False
) -> tuple[str, float]:
    """Return a text and its size in a box: at the first size that fits, else its beginning."""

    def fits(shown: str, size: float) -> bool:
        return rows(Phrase((Run(shown, strong=bold),)), room, size) * size * LEADING <= tall

    for size in sizes:
        if fits(text, size):
            return text, size
    while text and not fits(f"{text} …", size):
        text = text[:-8]
    return f"{text.rstrip()} …", size
