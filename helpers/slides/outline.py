"""Which slides a run has, and what each says: one message a slide, from notebooks' answers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers.answers.answer import ANSWER, BANNER, SLIDE, SUMMARY, Record
from helpers.answers.chart import Chart, why_empty
from helpers.answers.talk import Table
from helpers.charts import figure as drawing
from helpers.charts.lettering import LEADING
from helpers.charts.look import Look
from helpers.notebook import executed
from helpers.notebook.executed import Part, Shown
from helpers.slides import sources, text_layout
from helpers.studies.study import Study
from helpers.text import escape
from helpers.text.i18n import t, word
from helpers.text.rich import Block, Phrase, Text, bullets, marked, paragraph, phrase

WIDTH, HEIGHT = 960.0, 540.0
"""A slide in points, 16:9."""


class Box(NamedTuple):
    """A place on a slide, in points."""

    left: float
    top: float
    width: float
    height: float


TITLE, BODY = Box(36, 18, 888, 88), Box(36, 112, 888, 368)
FOOTER, NUMBER = Box(36, 490, 812, 40), Box(864, 490, 60, 40)
OPENING, OPENED = Box(60, 90, 840, 160), Box(60, 270, 840, 200)

_TITLES, _OPENINGS = (30, 28, 26, 24, 22), (42, 38, 34, 30, 26)
_TEXTS, _LISTS, _SOURCES = (26, 24, 22, 20, 18, 17), (24, 22, 20, 18), (18, 16)
_FEET = (12, 11, 10)
"""Sizes of letters in points, the largest first: what fits is taken."""

_BELOW_TITLE = 4
"""By how many points text is smaller than the title above it, at least."""

_TALL = 5.8
"""Height of a picture in inches: that of a figure without its title and footer."""

_ALT = 250
"""Letters of a figure's alternative text."""


class Figure(NamedTuple):
    """What a slide draws, the name of its answer, and what screen readers say of it."""

    name: str
    chart: Chart
    alt: str


class Slide(NamedTuple):
    """One slide: text or a table, with its size in points, or a figure.

    `notes` are said aloud; `topic` is its line of the agenda.
    """

    title: str
    title_size: float
    blocks: tuple[Block, ...] = ()
    size: float = 0.0
    table: Table | None = None
    figure: Figure | None = None
    footer: str = ""
    footer_size: float = 0.0
    notes: str = ""
    topic: str = ""
    opening: bool = False


def outline(run: Path, study: Study, record: dict[str, Any]) -> list[Slide]:
    """Return the slides of a run's folder, in the language that is spoken."""
    notebooks = sorted((run / "notebooks").glob("*.ipynb"))
    parts = [part for path in notebooks for part in executed.read(path)]
    return [
        _opening(study, record),
        *of_answers(parts),
        *_listed(t("What was not measured"), _not_measured(study, parts), _LISTS),
        *_listed(t("Where this comes from"), sources.listing(study, record), _SOURCES),
    ]


def of_answers(parts: Sequence[Part]) -> list[Slide]:
    """Return the slides of a notebook's answers.

    First the answer, then whether like is compared with like, then a slide for each figure.
    """
    texts = [
        _text(found, sizes)
        for role, sizes in ((ANSWER, _TEXTS), (BANNER, _LISTS))
        if (found := [a.record.text for a in executed.with_role(parts, role) if a.record.text])
    ]
    drawn = [a.record for a in _figures(parts) if a.record.chart and not missing(a.record)]
    main = [record.chart for record in drawn if record.role in (ANSWER, SUMMARY)]
    # Another figure may draw what one of the summary draws.
    return texts + [_figure(r) for r in drawn if r.role != SLIDE or r.chart not in main]


def missing(record: Record) -> str:
    """Return why an answer has no figure; empty if it has one."""
    if record.chart:
        return why_empty(record.chart)
    return record.text.blocks[-1].phrase.plain if record.text else ""


def picture(chart: Chart, look: Look) -> bytes:
    """Return a chart as a PNG for a slide, which has its title and footer itself."""
    return drawing.png(drawing.figure(chart, look=look, tall=_TALL))


def row_name(first: str, second: str) -> str:
    """Return the name of a bar on one line."""
    return ", ".join(filter(None, (escape.short(first, 40), escape.plain(second))))


def _figures(parts: Sequence[Part]) -> list[Shown]:
    """Return the answers whose figures have slides, also if nothing could be drawn."""
    found = executed.with_role(parts, ANSWER, SUMMARY, SLIDE)
    return [answer for answer in found if answer.record.chart or answer.record.role == SLIDE]


def _opening(study: Study, record: dict[str, Any]) -> Slide:
    title, size = text_layout.cut(
        escape.plain(study.title), OPENING.width, OPENING.height, _OPENINGS, True
    )
    sizes = _below(size, (26, 24, 22, 20, 18, 16))
    text = paragraph(study.question) + sources.opening(study, record)
    shown = text_layout.fit(text.blocks, OPENED.width, OPENED.height, sizes)
    notes = marked(study.about).plain
    return Slide(title, size, shown.blocks, shown.size, notes=notes, opening=True)


def _text(texts: Sequence[Text], sizes: Sequence[float]) -> Slide:
    """Return a slide of the first of some texts; all are in the notes.

    What does not fit is in the notes only, and the slide says so.
    """
    head, *rest = texts[0].blocks
    title, size = _titled(head.phrase.plain)
    needed, more = carrying(rest)
    # A title that is cut off stands in whole below it.
    blocks = [*needed, *([] if title == head.phrase.plain else [Block(head.phrase)]), *more]
    sizes = _below(size, sizes)
    shown = text_layout.fit(blocks, BODY.width, BODY.height, sizes)
    if not shown.whole:
        room = BODY.height - 1.4 * LEADING * sizes[-1]
        shown = text_layout.fit(blocks, BODY.width, room, sizes)
        rest_is = Block(phrase(t("… more in the notes")))
        shown = shown._replace(blocks=(*shown.blocks, rest_is))
    notes = "\n\n".join(text.plain for text in texts)
    return Slide(title, size, shown.blocks, shown.size, notes=notes)


def carrying(blocks: Sequence[Block]) -> tuple[list[Block], list[Block]]:
    """Return what carries an answer, and what else there is room for, the most needed first.

    The former is what is counted, the list, and who is no candidate; the latter are cautions that
    stand out. How it was weighed is for the notes.
    """

    def role(name: str) -> list[Block]:
        return [block for block in blocks if block.role == name]

    plain = [block for block in blocks if block.role in ("", "choice")]
    needed = [
        *(Block(block.phrase) for block in role("counted")),
        *role("candidate"),
        *(block for block in plain if block.level),
        *role("not-candidate"),
    ]
    return needed, [*role("loud"), *(block for block in plain if not block.level)]


def _titled(title: str) -> tuple[str, float]:
    return text_layout.cut(title, TITLE.width, TITLE.height, _TITLES, True)


def _below(title: float, sizes: Sequence[float]) -> list[float]:
    """Return those sizes of text that fit below a title of some size."""
    return [size for size in sizes if size <= title - _BELOW_TITLE] or [title - _BELOW_TITLE]


def _figure(record: Record) -> Slide:
    """Return the slide of a figure."""
    assert record.chart is not None
    title, size = _titled(escape.plain(record.title))
    foot, foot_size = text_layout.cut(record.footer, FOOTER.width, FOOTER.height, _FEET)
    counted = t("Counted: {what}", what=word(record.counted)) if record.counted else ""
    notes = [
        escape.plain(record.title),
        counted,
        record.text.plain,
        t("Evidence: {footer}", footer=record.footer),
        t("Data: {name}", name=f"tables/{record.name}.csv"),
    ]
    # The message of the slide, and what follows from it.
    meaning = " ".join(block.phrase.plain for block in record.text.blocks) or counted
    alt = ". ".join(filter(None, (notes[0], meaning)))
    alt = alt if len(alt) <= _ALT else f"{alt[:_ALT]}…"
    return Slide(
        title,
        size,
        figure=Figure(record.name, record.chart, alt),
        footer=foot,
        footer_size=foot_size,
        notes="\n\n".join(filter(None, notes)),
    )


def _not_measured(study: Study, parts: Sequence[Part]) -> Text:
    """Return what the study says that it cannot show, and what could not be drawn."""
    lost: dict[str, list[str]] = {}
    for answer in _figures(parts):
        if why := missing(answer.record):
            lost.setdefault(why, []).append(answer.under)
    lines: list[Phrase | str] = [marked(why) for why in study.not_shown]
    lines += [f"{' '.join(dict.fromkeys(asked))} {why}" for why, asked in lost.items()]
    if not lines:
        return paragraph(t("The study names nothing that its evidence cannot show."))
    return bullets(lines)


def _listed(title: str, text: Text, sizes: Sequence[float]) -> Iterator[Slide]:
    """Yield a list on as many slides as it takes at the smallest of its sizes."""
    pages: list[list[Block]] = [[]]
    for block in text.blocks:
        page = [*pages[-1], block]
        if pages[-1] and text_layout.height(page, BODY.width, sizes[-1]) > BODY.height:
            pages.append([])
        pages[-1].append(block)
    for number, page in enumerate(pages, start=1):
        part = f" ({number}/{len(pages)})" if len(pages) > 1 else ""
        shown, size = _titled(f"{title}{part}")
        # Pages of one list have letters of one size.
        able = _below(size, sizes)[0 if len(pages) == 1 else -1 :]
        fitted = text_layout.fit(page, BODY.width, BODY.height, able)
        yield Slide(shown, size, fitted.blocks, fitted.size, notes=Text(tuple(page)).plain)
