"""Words of computed sentences: names, lists and numbers, as Markdown."""

import html
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import mistune
import pandas as pd

from helpers.text import escape
from helpers.text.i18n import msg, t, word

AND = msg(" and ")
"""A separator of a list's parts; a language has its own."""


def name(variant: object) -> str:
    """Return a variant's name, for Markdown."""
    return f"**{escape.markdown(variant)}**"


def names(frame: pd.DataFrame) -> str:
    """Return the names of a frame's variants, each once."""
    return listed(name(variant) for variant in dict.fromkeys(frame["variant"]))


def listed(parts: Iterable[str], separator: str = ", ") -> str:
    """Return parts as a list in a sentence."""
    return word(separator).join(parts)


def number(count: int, noun: str) -> str:
    """Return a count with its noun; a language has a row for each noun, `{count:,} noun`.

    >>> number(1, "vulnerability"), number(2_000, "vulnerability"), number(0, "day")
    ('1 vulnerability', '2,000 vulnerabilities', '0 days')
    """
    singular = f"{{count:,}} {noun}"
    if (told := word(singular)) != singular:
        return told.format(count=count)
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole: none, all, or so many of how many."""
    if part in (0, whole):
        return word(msg("none") if part == 0 else msg("all"))
    return t("{part:,} of {whole:,}", part=part, whole=whole)


_BLOCKS = ("paragraph", "block_text", "heading")


class Line(NamedTuple):
    """A paragraph, or, from level 1 on, a bullet: pieces of text, each bold or not."""

    pieces: tuple[tuple[str, bool], ...]
    level: int = 0

    @property
    def text(self) -> str:
        """Return the text without what is bold in it."""
        return "".join(text for text, _ in self.pieces)


def line(text: str, level: int = 0, bold: bool = False) -> Line:
    """Return a line of text that is no Markdown."""
    return Line(((escape.plain(text), bold),), level)


def lines(markdown: str) -> tuple[Line, ...]:
    r"""Return the paragraphs and bullets of Markdown.

    >>> [(one.level, one.text) for one in lines("**a\\_b** &lt;i&gt;\n\n- c\n    - d")]
    [(0, 'a_b <i>'), (1, 'c'), (2, 'd')]
    """
    tokens: Any = mistune.create_markdown(renderer="ast")(markdown)
    return tuple(_lines(tokens, 0))


def text(markdown: str) -> str:
    """Return Markdown as text of several lines, as speaker notes have it."""
    return "\n".join(f"{'  ' * (one.level - 1)}{'• ' * bool(one.level)}{one.text}"
                     for one in lines(markdown))  # fmt: skip


def _lines(tokens: Iterable[dict[str, Any]], level: int) -> Iterator[Line]:
    for token in tokens:
        kind = token["type"]
        if kind in _BLOCKS:
            yield _line(token["children"], level, kind == "heading")
        elif kind == "list":
            for item in token["children"]:
                yield from _lines(item["children"], level + 1)
        elif "children" in token:
            yield from _lines(token["children"], level)
        elif token.get("raw"):
            # A block of code or of markup: text like any other.
            yield line(" ".join(token["raw"].split()), level)


def _line(tokens: Iterable[dict[str, Any]], level: int, bold: bool) -> Line:
    pieces: list[tuple[str, bool]] = []
    for told, strong in _pieces(tokens, bold):
        if pieces and pieces[-1][1] == strong:
            pieces[-1] = (pieces[-1][0] + told, strong)
        else:
            pieces.append((told, strong))
    return Line(tuple((escape.plain(told), strong) for told, strong in pieces), level)


def _pieces(tokens: Iterable[dict[str, Any]], bold: bool) -> Iterator[tuple[str, bool]]:
    for token in tokens:
        if token["type"] in ("softbreak", "linebreak"):
            yield " ", bold
        elif "children" in token:
            yield from _pieces(token["children"], bold or token["type"] == "strong")
        else:
            yield html.unescape(token.get("raw", "")), bold
