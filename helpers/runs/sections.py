"""A notebook as a section of the page: its questions, each with what is shown below it.

What the page has said already is linked, and what has no evidence is one line.
"""

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from helpers.answers.answer import ANSWER, SEARCHABLE, SUMMARY, TABLE
from helpers.notebook import executed
from helpers.notebook.executed import Code, Output, Part, Shown
from helpers.runs import cells
from helpers.runs.cells import PROSE, Block, passages
from helpers.text import html as text_html
from helpers.text.i18n import msg, t, word
from helpers.text.rich import join

_CHAPTERS = {
    "01": msg("Build and scan"),
    "02": msg("Vulnerabilities"),
    "03": msg("Size"),
    "04": msg("Attack surface"),
    "05": msg("History"),
    "06": msg("Risk"),
    "07": msg("Verdict"),
}
"""Names of the chapters, by the numbers of the notebooks."""

_ABOUT = "about"
"""The answer that says what a study is: no finding."""


class Heading(NamedTuple):
    """A heading of a page: its anchor, its level and its words, and the title that it is below."""

    id: str
    level: int
    text: str
    title: str = ""


class Question(NamedTuple):
    """A heading, what is shown below it, its details, and the code of all that, as HTML."""

    heading: Heading
    blocks: list[Block]
    details: list[Block]
    code: str


class Section(NamedTuple):
    """A notebook: its short name and its finding in a line, its title, and its questions.

    `above` are questions that are answered further up, each with where; `lacking` are those that
    have no evidence, by the reason.
    """

    name: str
    finding: str
    title: Question
    questions: list[Question]
    above: list[tuple[str, Heading]]
    lacking: dict[str, list[str]]


class Said:
    """What a page has said so far, and below which heading it said it first."""

    def __init__(self) -> None:
        self._places: dict[str, Heading] = {}

    def place(self, said: str) -> Heading | None:
        """Return the heading below which the page says something; `None` if it does not."""
        return self._places.get(said)

    def new_in(self, answer: Shown, under: Heading) -> tuple[Shown, list[Heading]]:
        """Return what of an answer the page has not said yet, and the headings of the rest.

        From now on it has said all of it.
        """
        above: list[Heading] = []

        def is_new(said: str) -> bool:
            place = self.place(said)
            above.extend([place] if place else [])
            self._places.setdefault(said, under)
            return not place

        told = [p for p in passages(answer.record.text) if is_new(text_html.of_text(p))]
        record = msgspec.structs.replace(answer.record, text=join(told))
        png = answer.png if answer.png and is_new(answer.png) else ""
        table = answer.table if answer.table and is_new(answer.table) else ""
        return answer._replace(record=record, png=png, table=table), above


def section(name: str, parts: Sequence[Part], said: Said) -> Section:
    """Return a notebook as a section, of its parts; `name` begins the anchors of its headings.

    Headings are one level lower than in the notebook.
    """
    first, *others = [_below(heading, below, said) for heading, below in _headings(name, parts)]
    short = word(_CHAPTERS.get(name[:2], name))
    found = Section(short, finding(parts), first.question, [], [], {})
    for below in others:
        heading = below.question.heading
        if below.is_answered or not (below.above or below.lacks):
            found.questions.append(below.question)
        elif below.above:
            found.above.append((heading.text, below.above[0]))
        else:
            found.lacking.setdefault(" ".join(below.lacks), []).append(heading.text)
    return found


def finding(parts: Sequence[Part]) -> str:
    """Return what a notebook comes to, as one line: what decided, else its summary's message.

    Without one it is that of its first answer with a title, else why there is no evidence.
    """
    shown = [part.record for part in parts if isinstance(part, Shown)]
    has = [record for record in shown if not record.lacks]
    decided = [record for record in has if record.role == ANSWER and record.title]
    summed_up = [record for record in has if record.role == SUMMARY and record.name != _ABOUT]
    summed_up = [*decided, *(record for record in summed_up if record.title or not record.chart)]
    for record in (*summed_up, *(record for record in has if record.title)):
        if record.title:
            return record.title
        if record.text:
            return record.text.blocks[0].phrase.plain
    return next((record.lacks for record in shown if record.lacks), "")


class _Below(NamedTuple):
    """What stands below a heading: where else what it asks is answered, and why it is not."""

    question: Question
    is_answered: bool
    above: list[Heading]
    lacks: list[str]


def _headings(name: str, parts: Sequence[Part]) -> Iterator[tuple[Heading, list[Part]]]:
    """Yield the headings of a notebook, each with the parts below it.

    What stands above the first, as a note that the notebook failed, comes below it.
    """
    places = [at for at, part in enumerate(parts) if isinstance(part, executed.Heading)]
    if not places:
        yield Heading(name, 2, name), [*parts]
        return
    title = ""
    for number, (at, end) in enumerate(zip(places, [*places[1:], len(parts)], strict=True)):
        part, before = parts[at], parts[: places[0]] if not number else ()
        assert isinstance(part, executed.Heading)
        title = title or part.text
        anchor = f"{name}.{number}" if number else name
        heading = Heading(anchor, min(part.level + 1, 6), part.text, title)
        yield heading, [*before, *parts[at + 1 : end]]


def _below(heading: Heading, parts: Sequence[Part], said: Said) -> _Below:
    blocks: list[Block] = []
    above: dict[str, Heading] = {}
    lacks: dict[str, None] = {}
    sources, is_answered, repeated_at = [], False, 0
    for part in parts:
        if isinstance(part, Code):
            sources.append(part.source)
            continue
        if isinstance(part, Shown) and part.record.lacks:
            lacks[part.record.lacks] = None
            continue
        if isinstance(part, Shown):
            part, places = said.new_in(part, heading)
            repeated_at = repeated_at if above else len(blocks)
            above |= {place.id: place for place in places if place != heading}
        shown = list(cells.blocks(part))
        is_answered |= bool(shown) and isinstance(part, Shown | Output)
        blocks += shown
    if above and is_answered:
        blocks.insert(repeated_at, _as_above(heading, above.values()))
    blocks = [*_labelled(blocks, heading), *map(_no_more, lacks)]
    if is_answered and all(block.later for block in blocks):
        # A list says it all: it is no detail of anything.
        blocks[0] = blocks[0]._replace(later=blocks[0].kind != PROSE)
    question = Question(
        heading,
        [block for block in blocks if not block.later],
        [block for block in blocks if block.later],
        cells.highlighted("\n\n".join(sources)),
    )
    return _Below(question, is_answered, [*above.values()], [*lacks])


def _labelled(blocks: list[Block], heading: Heading) -> Iterator[Block]:
    """Yield blocks, tables with a label: their number and the heading."""
    tables = 0
    for block in blocks:
        if block.kind in (TABLE, SEARCHABLE):
            tables += 1
            label = t("Table {number}: {heading}", number=tables, heading=heading.text)
            yield block._replace(label=label)
        else:
            yield block


def _as_above(heading: Heading, places: Iterable[Heading]) -> Block:
    """Return links to where else the page says something, by words that this heading has not."""
    links = " · ".join(
        f'<a href="#{place.id}">'
        f"{html.escape(place.text if place.text != heading.text else place.title)}</a>"
        for place in places
    )
    return Block(PROSE, f'<p class="aside">{html.escape(t("As above:"))} {links}</p>')


def _no_more(why: str) -> Block:
    text = t("There is no evidence for more here. {why}", why=why)
    return Block(PROSE, f'<p class="aside">{html.escape(text)}</p>')
