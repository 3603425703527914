"""Parts of executed notebooks as blocks of a page: HTML that is safe to show as it is."""

import base64
import html
import json
import re
from collections.abc import Iterator, Set
from typing import Any, NamedTuple

import nh3
from nbconvert.filters.markdown import markdown2html
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from helpers.answers.answer import FIGURE, SEARCHABLE, TABLE
from helpers.notebook import executed
from helpers.notebook.executed import Output, Part, Prose, Shown
from helpers.text import escape, links
from helpers.text import html as text_html
from helpers.text.rich import Text

_TAGS = frozenset(
    "a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i li ol p pre s "
    "span strong sub summary sup table tbody td tfoot th thead tr ul".split()
)
_ATTRIBUTES = {"*": {"class"}, "a": {"href", "title"}, "td": {"data-order"}, "th": {"scope"}}
_SCHEMES = {"http", "https", "mailto"}
"""HTML that notebooks may hold. Pictures, styles and ids are not in it: a page makes its own."""

_AS_LINKED = {"rel": "noreferrer noopener", "target": "_blank"}
"""How tables link public pages."""

_NO_TAG = re.compile(rf"<(?!/?({'|'.join(sorted(_TAGS))})[\t\n\f\r />]|!--)", re.IGNORECASE)
"""Where something begins that is neither a tag that a page may hold nor a comment."""

PROSE, ERROR = "prose", "error"
"""Kinds of blocks, beside figures and tables, which are outputs of answers."""


_SMALL = 8
"""Rows of a table, with its head, up to which it is read where it stands."""


_WIDE = 1280
"""Width of a figure on a page, in pixels; it is shown smaller where there is no room."""


class Block(NamedTuple):
    """A piece of a page: HTML that is safe to show as it is, or a picture in base64.

    `label` says what a figure or a table is to who does not see it. What is `later` stands behind
    the chapter: details that a figure or a paragraph sums up.
    """

    kind: str
    html: str = ""
    png: str = ""
    label: str = ""
    later: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of a picture on a page."""
        # A PNG begins with eight bytes, and its first part with eight more before both.
        start = base64.b64decode(self.png[:32])
        width, height = (int.from_bytes(start[at : at + 4], "big") for at in (16, 20))
        return _WIDE, round(_WIDE * height / width) if width else _WIDE


def blocks(part: Part) -> Iterator[Block]:
    """Yield what a page shows of a notebook's part; nothing of headings and code."""
    if isinstance(part, Prose):
        yield Block(PROSE, from_markdown(part.source, linked=True))
    elif isinstance(part, Shown):
        yield from _answer(part)
    elif isinstance(part, Output):
        yield _output(part)


def highlighted(source: str) -> str:
    """Return code as HTML."""
    return str(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))).rstrip("\n")


def figure(answer: Shown) -> Block:
    """Return the picture of an answer; its title says what it shows."""
    return Block(FIGURE, png=_base64(answer.png), label=escape.plain(answer.record.title))


def passages(text: Text) -> list[Text]:
    """Return the parts of a text that are said as one: a paragraph with the bullets after it."""
    found: list[Text] = []
    for block in text.blocks:
        if found and block.level:
            found[-1] += Text((block,))
        else:
            found.append(Text((block,)))
    return found


def clean(text: str) -> str:
    """Return HTML with nothing in it but the tags and attributes that a page may hold.

    Of links only those to public pages of vulnerabilities and packages are left.
    """
    attributes = {**_ATTRIBUTES, "a": {"href", *_AS_LINKED}}
    return _allowed(text, attributes=attributes, attribute_filter=_public_links)


def from_markdown(source: str, linked: bool = False) -> str:
    """Return Markdown as HTML that is safe to show; links are no more than text unless `linked`."""
    plain = "\n".join(map(escape.plain, source.split("\n")))
    tags = _TAGS if linked else _TAGS - {"a"}
    return _allowed(markdown2html(plain), tags=tags, attributes=_ATTRIBUTES)


def as_json(value: object) -> str:
    """Return JSON that may stand in a page's script element: nothing in it ends one."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _answer(answer: Shown) -> Iterator[Block]:
    """Yield an answer's figure, text and table; what repeats them in detail comes later."""
    text, is_summed_up = answer.record.text, bool(answer.png or answer.table)
    if answer.png:
        yield figure(answer)
    for passage in passages(text):
        if len(passage.blocks) > 1 and passage.blocks[0].phrase.plain == answer.record.title:
            # What an answer says first is no detail of it, as its list may be.
            yield Block(PROSE, text_html.of_text(Text(passage.blocks[:1])))
            passage = Text(passage.blocks[1:])
        is_list = any(block.level for block in passage.blocks)
        yield Block(PROSE, text_html.of_text(passage), later=is_summed_up and is_list)
    if answer.table:
        kind = SEARCHABLE if answer.searchable else TABLE if "<table" in answer.table else PROSE
        is_small = not answer.searchable and answer.table.count("<tr") <= _SMALL
        yield Block(kind, clean(answer.table), later=bool(answer.png) or not is_small)


def _output(output: Output) -> Block:
    if output.kind == executed.PICTURE:
        return Block(FIGURE, png=_base64(output.text))
    if output.kind == executed.HTML:
        return Block(TABLE if "<table" in output.text else PROSE, clean(output.text))
    if output.kind == executed.MARKDOWN:
        return Block(PROSE, from_markdown(output.text))
    text = html.escape("\n".join(map(escape.plain, output.text.split("\n"))))
    return Block(ERROR if output.kind == executed.ERROR else PROSE, f"<pre>{text}</pre>")


def _allowed(text: str, tags: Set[str] = _TAGS, **options: Any) -> str:
    """Return what is allowed of HTML; what else begins like a tag is text.

    Not removed, as nh3 alone would: it may be part of a package's name.
    """
    shown = _NO_TAG.sub("&lt;", text)
    return nh3.clean(shown, tags=tags, url_schemes=_SCHEMES, link_rel=None, **options)


def _public_links(tag: str, name: str, value: str) -> str | None:
    """Return an attribute's value, or `None` where a link may not have it."""
    if tag != "a" or _AS_LINKED.get(name) == value or (name == "href" and links.is_public(value)):
        return value
    return None


def _base64(text: str) -> str:
    """Return a picture's letters; anything else in its place would be no picture."""
    return re.sub(r"[^A-Za-z0-9+/=]", "", text)
