"""Where things are on slides, in points, and how text is set there."""

from typing import NamedTuple


class Box(NamedTuple):
    """A place on a slide, in points."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends on the right."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Where it ends below."""
        return self.top + self.height


class Area(NamedTuple):
    """A box for text, and how text is set in it.

    `sizes` are those of its letters in points, the largest first: what fits is taken. Each level of
    text has a share of that size, and an indent in points; `wide` is how wide letters are, in
    those that are measured. A placeholder that overlaps others is `moved` to a part of its place.
    """

    box: Box
    sizes: tuple[float, ...]
    bold: bool = False
    shares: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    indents: tuple[float, ...] = (0.0, 24.0, 48.0, 72.0)
    wide: float = 1.0
    moved: Box | None = None


_SUBTITLE = 26
"""Height of a subtitle on a slide of the kit, in points."""


class Geometry(NamedTuple):
    """The places of slides: the opening slide's title and text, and those of all others.

    `texts`, `lists` and `sources` are one place, with letters of different sizes. Tables are in
    `tables`; figures are there, too, below their subtitles.
    """

    width: float
    height: float
    opening: Area
    opened: Area
    title: Area
    texts: Area
    lists: Area
    sources: Area
    tables: Area
    footer: Area
    number: Box | None

    @property
    def subtitle(self) -> Area:
        """The place of what a figure shows: above the figure."""
        box, share = self.tables.box, self.height / 540
        return Area(box._replace(height=_SUBTITLE * share), (16 * share, 14 * share, 12 * share))

    @property
    def figures(self) -> Box:
        """The place of a figure below its subtitle."""
        box, tall = self.tables.box, self.subtitle.box.height
        return box._replace(top=box.top + tall, height=box.height - tall)


_BODY = Box(36, 112, 888, 368)

KIT = Geometry(
    width=960,
    height=540,
    opening=Area(Box(60, 90, 840, 160), (42, 38, 34, 30, 26), bold=True),
    opened=Area(Box(60, 270, 840, 200), (24, 22, 20, 18, 16)),
    title=Area(Box(36, 18, 888, 88), (30, 28, 26, 24, 22), bold=True),
    texts=Area(_BODY, (26, 24, 22, 20, 18)),
    lists=Area(_BODY, (24, 22, 20, 18)),
    sources=Area(_BODY, (18, 16)),
    tables=Area(_BODY, (22, 20, 18, 17, 16, 14)),
    footer=Area(Box(36, 490, 812, 40), (12, 11, 10)),
    number=Box(864, 490, 60, 40),
)
"""The kit's own slides, 16:9."""


def common(one: Box, other: Box) -> Box:
    """Return the part that two boxes have in common; its sides are negative if there is none."""
    left, top = max(one.left, other.left), max(one.top, other.top)
    return Box(left, top, min(one.right, other.right) - left, min(one.bottom, other.bottom) - top)


def clear(box: Box, others: list[Box]) -> Box:
    """Return the part of a box that overlaps no other: of what each leaves, the largest.

    >>> clear(Box(0, 0, 100, 50), [Box(80, 40, 40, 40)])
    Box(left=0, top=0, width=100, height=40)
    """
    for other in others:
        if overlap(box, other):
            left, top, right, bottom = box.left, box.top, box.right, box.bottom
            parts = (
                Box(left, top, right - left, other.top - top),
                Box(left, other.bottom, right - left, bottom - other.bottom),
                Box(left, top, other.left - left, bottom - top),
                Box(other.right, top, right - other.right, bottom - top),
            )
            box = max(parts, key=lambda part: max(part.width, 0) * max(part.height, 0))
    return box


def overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes have a part in common."""
    part = common(one, other)
    return part.width > 0 and part.height > 0
