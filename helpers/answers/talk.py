"""What a slide shows of an answer, and what is said aloud beside it."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from helpers.text.i18n import msg
from helpers.text.rich import AND, Text, listed, number

CHOICE, ALIKE = msg("Which image to ship"), msg("Is like compared with like?")
UPDATES = msg("What to update now")
FOUND = msg("What the scanner found")
RISK = msg("Which of it matters first")
SIZE = msg("How large the images are, and why")
SURFACE = msg("What an attacker would find")
CLAIMS = msg("The claims of a blog post of 2022, tested")
AGE = msg("Was it age, or the base?")
CLOSING = msg("What to take away, and what to do next")
TOPICS = (CHOICE, UPDATES, ALIKE, FOUND, RISK, SIZE, SURFACE, CLAIMS, AGE, CLOSING)
"""Topics of a talk in order; a line of the agenda each."""


_SPOKEN = 3
"""Images that are spoken of one by one."""


class Table(Struct, frozen=True):
    """A table of a slide: its head, its rows, and each column's share of the width."""

    head: list[str]
    rows: list[list[str]]
    shares: list[float]


class Talk(Struct, frozen=True):
    """One slide of an answer, and what is said aloud beside it.

    `headline` is the message as a sentence, else the answer's title is. A slide has `lines`, few
    and short, or a `table`, or the answer's figure. `spoken` are sentences that can be said by
    somebody who did not make the slide: without signs, paths and digests.
    """

    topic: str = ""
    headline: str = ""
    lines: Text = Text()
    table: Table | None = None
    spoken: tuple[str, ...] = ()


def some(sentences: Sequence[str]) -> tuple[str, ...]:
    """Return sentences about an image each: of many, those of the first and the last.

    >>> some(["a", "b", "c", "d"])
    ('a', 'd')
    """
    if len(sentences) <= _SPOKEN:
        return tuple(sentences)
    return sentences[0], sentences[-1]


def named(variants: Iterable[object]) -> str:
    """Return the names of images as part of a sentence; of many, how many they are.

    >>> named(["a", "b"]), named("abcd")
    ('a and b', '4 images')
    """
    found = [*variants]
    return (
        number(len(found), "image")
        if len(found) > _SPOKEN
        else listed(map(str, found), last=AND).plain
    )
