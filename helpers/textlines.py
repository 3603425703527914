"""Markdown as plain lines for slides: what is bold stays so, markup of any other kind is text."""

import html
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import mistune

from helpers import escape

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
