"""How much room text takes on a slide: measured, so that none runs out of its box."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from helpers.answers.talk import Table
from helpers.charts.lettering import LEADING, width
from helpers.slides.geometry import Area
from helpers.text.i18n import t
from helpers.text.rich import Block, Phrase, Run

APART = 0.35
"""Room between paragraphs, in heights of their letters."""

CELL_ACROSS, CELL_ABOVE = 6.0, 5.0
"""Room left and right of the words in a cell of a table, and above and below them, in points."""


_MOST = 20_000
"""Letters of which no box holds more, so that no more are measured: a study from elsewhere may have
a million of them."""


class Fitted(NamedTuple):
    """Blocks of text, their size in points, and whether all are there."""

    blocks: tuple[Block, ...]
    size: float
    whole: bool


def rows(phrase: Phrase, room: float, size: float) -> int:
    """Return on how many lines of a box a phrase is; the box is so many points wide."""
    count, used = 1, 0.0
    for run in phrase.runs:
        for word in run.text[:_MOST].split(" "):
            long = width(f"{word} ", size, run.strong)
            if used and used + long > room:
                count, used = count + 1, 0.0
            # What is wider than the box is broken anywhere.
            over = int(long // room)
            count, used = count + over, used + long - over * room
    return count


def height(blocks: Iterable[Block], area: Area, size: float) -> float:
    """Return how high blocks are in points; `size` is that of a paragraph's letters."""
    found = list(blocks)
    return sum(_tall(block, area, size) for block in found) + LEADING * sum(
        APART * size * area.shares[block.level] for block in found[:-1]
    )


def _tall(block: Block, area: Area, size: float) -> float:
    letters = size * area.shares[block.level]
    phrase = block.phrase
    if area.bold:
        phrase = Phrase(tuple(Run(run.text, strong=True) for run in phrase.runs))
    room = (area.box.width - area.indents[block.level]) / area.wide
    return rows(phrase, room, letters) * letters * LEADING


def fit(blocks: Sequence[Block], area: Area) -> Fitted:
    """Return blocks at the first size at which they fit into an area.

    If they fit at none, the last blocks are left out, but never the first.
    """
    for size in area.sizes:
        if height(blocks, area, size) <= area.box.height:
            return Fitted(tuple(blocks), size, True)
    some, smallest = list(blocks), area.sizes[-1]
    while len(some) > 1 and height(some, area, smallest) > area.box.height:
        some.pop()
    return Fitted(tuple(some), smallest, False)


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


def fit_table(table: Table, area: Area) -> tuple[Table, float]:
    """Return a table at the first size at which it fits into an area, and the size.

    That is the first at which each row is one line, if there is one. If it fits at none, it ends
    with how many of its last rows are left out.
    """
    fitting, (*_, size), room = [], area.sizes, area.box.width
    for larger in area.sizes:
        heights = row_heights(table, room, larger)
        if sum(heights) <= area.box.height:
            fitting.append(larger)
            if max(heights[1:]) <= larger * LEADING + 2 * CELL_ABOVE:
                return table, larger
    if fitting:
        return table, fitting[0]
    for count in range(len(table.rows) - 1, 0, -1):
        more = t("and {count} more", count=len(table.rows) - count)
        rest = [more, *[""] * (len(table.head) - 1)]
        some = Table(table.head, [*table.rows[:count], rest], table.shares)
        if sum(row_heights(some, room, size)) <= area.box.height:
            break
    return some, size


def cut(text: str, area: Area) -> tuple[str, float]:
    """Return a text and its size in an area: at the first size that fits, else its beginning."""

    def fits(shown: str, size: float) -> bool:
        return _tall(Block(Phrase((Run(shown),))), area, size) <= area.box.height

    for size in area.sizes:
        if fits(text, size):
            return text, size
    lengths = range(min(len(text), _MOST), -1, -8)
    fitting = bisect_left(lengths, True, key=lambda most: fits(f"{text[:most]} …", size))
    return f"{text[: lengths[min(fitting, len(lengths) - 1)]].rstrip()} …", size
