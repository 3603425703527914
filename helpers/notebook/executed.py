"""An executed notebook: its headings, prose, code and answers."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from helpers.answers.answer import FIGURE, SEARCHABLE, TABLE, Record, decoded
from helpers.text.escape import ANSWER, STATIC
from helpers.text.i18n import word

_HEADING = re.compile(r"(#{1,6}) +(.*)")

ERROR, PICTURE, HTML, MARKDOWN, PLAIN = (
    *("error", "image/png", "text/html", "text/markdown", "text/plain"),
)
"""Kinds of output: an error, or a MIME type."""


class Heading(NamedTuple):
    """A heading, and its level in the notebook."""

    level: int
    text: str


class Prose(NamedTuple):
    """Markdown between headings."""

    source: str


class Code(NamedTuple):
    """Code, placed after its output, with preceding code that has none."""

    source: str


class Shown(NamedTuple):
    """An answer and its heading.

    `png` is its picture in base64, `table` its table as HTML; each may be empty.
    """

    record: Record
    under: str
    png: str = ""
    table: str = ""
    searchable: bool = False


class Output(NamedTuple):
    """Other output of a cell."""

    kind: str
    text: str


Part = Heading | Prose | Code | Shown | Output


def read(path: Path) -> list[Part]:
    """Return the parts of an executed notebook, in order, as `parts` does."""
    return parts(nbformat.read(path, as_version=4))


def parts(notebook: NotebookNode) -> list[Part]:
    """Return the parts of an executed notebook, in order; prose is in the language spoken.

    Raises `msgspec.ValidationError` for an invalid record of an answer.
    """
    found: list[Part] = []
    waiting: list[str] = []
    under = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = list(_prose(cell.source))
            found += prose
            under = next((p.text for p in reversed(prose) if isinstance(p, Heading)), under)
        elif cell.cell_type == "code":
            waiting.append(cell.source)
            if shown := _outputs(cell.outputs, under):
                found += [*shown, Code("\n\n".join(waiting))]
                waiting = []
    return [*found, Code("\n\n".join(waiting))] if waiting else found


def with_role(found: Iterable[Part], *roles: str) -> list[Shown]:
    """Return the answers with one of some roles, each name once, the choice first."""
    named: dict[str, Shown] = {}
    for part in found:
        if isinstance(part, Shown) and part.record.role in roles:
            named.setdefault(part.record.name, part)
    return sorted(named.values(), key=lambda answer: not _chooses(answer.record))


def paragraphs(source: str) -> Iterator[tuple[int, str]]:
    """Yield the headings and paragraphs of Markdown: a heading's level, else 0, and the text.

    >>> list(paragraphs("## What is there?"))
    [(2, 'What is there?')]
    """
    for paragraph in re.split(r"\n{2,}", source.strip()):
        rest = paragraph
        if heading := _HEADING.match(paragraph):
            yield len(heading[1]), heading[2].strip()
            rest = paragraph[heading.end() + 1 :]
        if rest.strip():
            yield 0, rest


def _prose(source: str) -> Iterator[Heading | Prose]:
    """Yield a Markdown cell's headings and prose, translated."""
    text: list[str] = []
    for level, paragraph in paragraphs(source):
        if not level:
            text.append(word(paragraph))
            continue
        if text:
            yield Prose("\n\n".join(text))
        text = []
        yield Heading(level, word(paragraph))
    if text:
        yield Prose("\n\n".join(text))


def _outputs(outputs: Iterable[NotebookNode], under: str) -> list[Shown | Output]:
    """Return a cell's answers, of several outputs each, and its other outputs."""
    found: list[Shown | Output] = []
    expected: list[str] = []
    last = -1
    for output in outputs:
        data = output.get("data", {})
        if ANSWER in data:
            record = decoded(data[ANSWER])
            expected, last = [*record.outputs], len(found)
            found.append(Shown(record, under))
        if not expected or not data:
            found += [] if ANSWER in data else _other(output)
            continue
        answer = found[last]
        assert isinstance(answer, Shown)
        kind = expected.pop(0)
        # The record has the text.
        if kind == FIGURE:
            found[last] = answer._replace(png=data[PICTURE])
        elif kind == TABLE:
            found[last] = answer._replace(table=data[HTML])
        elif kind == SEARCHABLE:
            found[last] = answer._replace(table=data[STATIC], searchable=True)
    return found


def _other(output: NotebookNode) -> Iterator[Output]:
    """Yield other output, in the form that a page shows best."""
    if output.output_type == "error":
        yield Output(ERROR, f"{output.ename}: {output.evalue}")
    elif output.output_type == "stream":
        yield Output(PLAIN, output.text)
    else:
        kinds = [kind for kind in (PICTURE, HTML, MARKDOWN, PLAIN) if kind in output.data]
        if kinds:
            yield Output(kinds[0], output.data[kinds[0]])


def _chooses(record: Record) -> bool:
    return any(block.role == "choice" for block in record.text.blocks)
