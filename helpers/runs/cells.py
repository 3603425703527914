"""Executed notebooks as blocks of a page: what cells show, as HTML that nothing can act from."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import bleach
from nbconvert.filters.markdown import markdown2html
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from helpers.text import escape
from helpers.text.escape import FIGURE, STATIC
from helpers.text.i18n import word

_PART = re.compile(r"(#+ +)?(.*)", re.DOTALL)


def translated(source: str) -> str:
    """Return a Markdown cell's source in the language that is spoken, with the marks of headings.

    >>> translated("## What is there?")
    '## What is there?'
    """
    return "\n\n".join(f"{marks}{word(text)}" for marks, text in parts(source))


def parts(source: str) -> list[tuple[str, str]]:
    """Return the headings and paragraphs of a cell: the marks that a heading has, and the text."""
    found = [_PART.fullmatch(part) for part in re.split(r"\n{2,}", source.strip())]
    return [(part[1] or "", part[2]) for part in found if part]


_TAGS = frozenset(
    "a abbr b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i li ol p pre s "
    "span strong sub sup table tbody td tfoot th thead tr ul".split()
)
_ATTRIBUTES = {"*": ["class"], "a": ["href", "title"], "td": ["data-order"], "th": ["scope"]}
"""HTML that notebooks may hold; pictures, styles and ids are not among it: a page makes its own."""

_LINK = re.compile(r"</?a\b[^>]*>")
_HEADING = re.compile(r"(#{1,6}) +(.*)")

PROSE, FIGURES, TABLE, SEARCHABLE, OUTPUT, ERROR = (
    *("prose", "figure", "table", "searchable", "output", "error"),
)
"""Kinds of blocks."""


class Block(NamedTuple):
    """A piece of a page: HTML that is safe to show as it is, and the code that made it.

    `name` is a figure's, `alt` its message, `png` its picture, in base64. `under` is the heading
    that it stands under, `number` which of its kind it is there.
    """

    kind: str
    html: str
    tags: tuple[str, ...] = ()
    code: str = ""
    name: str = ""
    alt: str = ""
    png: str = ""
    under: str = ""
    number: int = 1


class Heading(NamedTuple):
    """A heading of a notebook: its anchor in the page, its level there, and its words."""

    id: str
    level: int
    text: str


def blocks(notebook: NotebookNode, name: str) -> list[Block | Heading]:
    """Return what a notebook shows, in its order; `name` begins the anchors of its headings.

    Prose is in the language that is spoken. Code that shows nothing stands with the code that comes
    after it. The notebook's own title is the first heading.
    """
    found: list[Block | Heading] = []
    waiting: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found += _prose(
                translated(cell.source), name, sum(isinstance(b, Heading) for b in found)
            )
        elif cell.cell_type == "code":
            waiting.append(cell.source)
            shown = [block for output in cell.outputs for block in _output(output)]
            if shown:
                tags = tuple(cell.metadata.get("tags", []))
                found += [block._replace(tags=tags) for block in shown[:-1]]
                found.append(shown[-1]._replace(tags=tags, code=_code("\n\n".join(waiting))))
                waiting = []
    if waiting:
        found.append(Block(OUTPUT, "", code=_code("\n\n".join(waiting))))
    return list(_placed(found))


def _placed(parts: Iterable[Block | Heading]) -> Iterator[Block | Heading]:
    """Return parts of which each block knows the heading that it stands under."""
    under, seen = "", Counter[str]()
    for part in parts:
        if isinstance(part, Heading):
            under, seen = part.text, Counter()
            yield part
        else:
            kind = TABLE if part.kind == SEARCHABLE else part.kind
            seen[kind] += 1
            yield part._replace(under=under, number=seen[kind])


def clean(text: str) -> str:
    """Return HTML with nothing in it but the tags and attributes that a page may hold."""
    return str(bleach.clean(text, tags=_TAGS, attributes=_ATTRIBUTES))


def from_markdown(source: str, links: bool = False) -> str:
    """Return Markdown as HTML that is safe to show; without `links`, they are no more than text."""
    plain = "\n".join(map(escape.plain, source.split("\n")))
    shown = clean(markdown2html(plain))
    return shown if links else _LINK.sub("", shown)


def _prose(source: str, name: str, headings: int) -> Iterator[Block | Heading]:
    """Return a Markdown cell's headings and what stands between them."""
    text: list[str] = []
    for line in source.split("\n"):
        if match := _HEADING.fullmatch(line):
            if "".join(text).strip():
                yield Block(PROSE, from_markdown("\n".join(text), links=True))
            text = []
            level = min(len(match[1]) + 1, 6)
            yield Heading(f"{name}.{headings}" if headings else name, level, match[2].strip())
            headings += 1
        else:
            text.append(line)
    if "".join(text).strip():
        yield Block(PROSE, from_markdown("\n".join(text), links=True))


def _output(output: NotebookNode) -> Iterator[Block]:
    """Return an output as a block; of several forms the one that a page can show best."""
    if output.output_type == "error":
        yield Block(ERROR, f"<pre>{_plain(f'{output.ename}: {output.evalue}')}</pre>")
    elif output.output_type == "stream":
        yield Block(OUTPUT, f"<pre>{_plain(output.text)}</pre>")
    else:
        yield from _shown(output.get("data", {}), output.get("metadata", {}))


def _shown(data: dict[str, Any], metadata: dict[str, Any]) -> Iterator[Block]:
    if "image/png" in data:
        alt = str(metadata.get("image/png", {}).get("alt", ""))
        name = str(data.get(FIGURE, {}).get("name", ""))
        yield Block(FIGURES, "", name=name, alt=escape.plain(alt), png=_base64(data["image/png"]))
    elif STATIC in data:
        kind = SEARCHABLE if "<table" in data[STATIC] else PROSE
        yield Block(kind, clean(data[STATIC]))
    elif "text/html" in data:
        kind = TABLE if "<table" in data["text/html"] else PROSE
        yield Block(kind, clean(data["text/html"]))
    elif "text/markdown" in data:
        yield Block(PROSE, from_markdown(data["text/markdown"]))
    elif "text/plain" in data:
        yield Block(OUTPUT, f"<pre>{_plain(data['text/plain'])}</pre>")


def _base64(text: str) -> str:
    """Return a picture's letters; anything else in its place would be no picture."""
    return re.sub(r"[^A-Za-z0-9+/=]", "", text)


def _plain(text: str) -> str:
    return html.escape("\n".join(map(escape.plain, text.split("\n"))))


def _code(source: str) -> str:
    return str(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))).rstrip("\n")


def as_json(value: object) -> str:
    """Return JSON that may stand in a page's script element: nothing in it ends one."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
