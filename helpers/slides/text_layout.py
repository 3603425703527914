"""How much room text takes on a slide: measured, so that none runs out of its box."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from helpers.answers.talk import Table
from helpers.charts.lettering import LEADING, width
from helpers.text.i18n import t
from helpers.text.rich import Block, Phrase, Run

INDENT = 18.0
"""How far a bullet is to the right of the level above it, in points."""


CELL_ACROSS, CELL_ABOVE = 6.0, 5.0
"""Room left and right of the words in a cell of a table, and above and below them, in points."""


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


def row_heights(table: Table, room: float, size: float) -> list[float]:
    """Return how high the head and each row of a table are in points, in a box so wide."""
    found = []
    for place, cells in enumerate([table.head, *table.rows]):
        lines = [
            rows(Phrase((Run(text, strong=not place),)), room * share - 2 * CELL_ACROSS, size)
            for text, share in zip(cells, table.shares, strict=True)
        ]
        found.append(max(lines) * size * LEADING + 2 * CELL_ABOVE)
    return found


def fit_table(
    table: Table, room: float, tall: float, sizes: Sequence[float]
) -> tuple[Table, float]:
    """Return a table at the first of some sizes at which it fits into a box, in points.

    That is the first at which each row is one line, if there is one. If it fits at none, it ends
    with how many of its last rows are left out.
    """
    fitting = []
    for size in sizes:
        heights = row_heights(table, room, size)
        if sum(heights) <= tall:
            fitting.append(size)
            if max(heights[1:]) <= size * LEADING + 2 * CELL_ABOVE:
                return table, size
    if fitting:
        return table, fitting[0]
    size = sizes[-1]
    for count in range(len(table.rows) - 1, 0, -1):
        more = t("and {count} more", count=len(table.rows) - count)
        rest = [more, *[""] * (len(table.head) - 1)]
        some = Table(table.head, [*table.rows[:count], rest], table.shares)
        if sum(row_heights(some, room, size)) <= tall:
            break
    return some, size


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
