"""Which slides a run has, and what each says: one message a slide, from notebooks' answers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers.answers.answer import ANSWER, BANNER, CLOSING, SLIDE, SUMMARY, Record
from helpers.answers.chart_data import Bars, Chart, why_empty
from helpers.answers.talk import FOUND, TOPICS, Table, Talk
from helpers.charts import figure as drawing
from helpers.charts.lettering import LEADING
from helpers.charts.look import Look
from helpers.notebook import executed
from helpers.notebook.executed import Part
from helpers.slides import sources, text_layout
from helpers.slides.geometry import KIT, Area, Geometry
from helpers.studies.study import Study
from helpers.text import escape, i18n
from helpers.text.i18n import t, word
from helpers.text.rich import Block, Phrase, Text, bullets, marked, name, number, paragraph, phrase

_ON_ONE_LINE = 3
"""Of so many sizes of a title the first is taken at which it is on one line."""

_BELOW_TITLE = 4
"""By how many points text is smaller than the title above it, at least."""

_TALL = 5.8
"""Height of a picture in inches: that of a figure without its title and footer."""

_ALT = 250
"""Letters of a figure's alternative text."""

_ABOUT = 360
"""Columns of a study's own words that are said at the beginning."""

_UNSPOKEN = re.compile(r"[/→×·•`]")
"""Signs that nobody reads out."""


class Figure(NamedTuple):
    """What a slide draws, the name of its answer, and what screen readers say of it."""

    name: str
    chart: Chart
    alt: str


class Slide(NamedTuple):
    """One slide: text or a table, with its size in points, or a figure.

    `notes` are said aloud; `topic` is its line of the agenda, `name` that of its answer.
    """

    title: str
    title_size: float
    blocks: tuple[Block, ...] = ()
    size: float = 0.0
    table: Table | None = None
    figure: Figure | None = None
    subtitle: str = ""
    subtitle_size: float = 0.0
    footer: str = ""
    footer_size: float = 0.0
    notes: str = ""
    topic: str = ""
    name: str = ""
    opening: bool = False


def outline(
    run: Path, study: Study, record: dict[str, Any], geometry: Geometry = KIT
) -> list[Slide]:
    """Return the slides of a run's folder, in the language that is spoken, to fit a geometry.

    The question, an agenda, what answers it, and an appendix.
    """
    notebooks = sorted((run / "notebooks").glob("*.ipynb"))
    parts = [part for path in notebooks for part in executed.read(path)]
    answers = of_answers(parts, geometry)
    title, source = t("Appendix: what was not measured"), t("Appendix: where this comes from")
    lost = t("This is an appendix, for questions. It lists what the evidence cannot show.")
    origin = t("This is an appendix, for questions. It names the sources, versions and digests.")
    return [
        _opening(study, record, geometry),
        *_agenda(answers, geometry),
        *answers,
        *_listed(geometry.lists, geometry, title, _not_measured(study, parts), lost),
        *_listed(geometry.sources, geometry, source, sources.listing(study, record), origin),
    ]


def of_answers(parts: Sequence[Part], geometry: Geometry = KIT) -> list[Slide]:
    """Return the slides of a notebook's answers, by topic: first the choice, last the closing."""
    # Each notebook asks whether like is compared with like, the last of what the choice is of.
    banners = executed.with_role([*parts][::-1], BANNER)
    answers = [*executed.with_role(parts, ANSWER, SUMMARY, SLIDE, CLOSING), *banners]
    slides: list[Slide] = []
    # Another figure may draw what one of the summary draws: theirs comes first.
    for record in sorted((answer.record for answer in answers), key=_rank):
        drawn = [_drawn(slide.figure.chart) for slide in slides if slide.figure]
        slides += [
            s
            for s in _slides(record, geometry)
            if not s.figure or _drawn(s.figure.chart) not in drawn
        ]
    # Within a topic they are in the order of the notebooks.
    order = [answer.record.name for answer in answers]
    slides.sort(key=lambda slide: order.index(slide.name))
    return sorted(slides, key=lambda slide: _place(slide.topic))


def missing(record: Record) -> str:
    """Return why an answer has no figure; empty if it has one, or other slides."""
    if record.chart:
        return why_empty(record.chart)
    if record.talks:
        return ""
    return record.text.blocks[-1].phrase.plain if record.text else ""


def picture(chart: Chart, look: Look) -> bytes:
    """Return a chart as a PNG for a slide, which has its title and footer itself."""
    return drawing.png(drawing.figure(chart, look=look, tall=_TALL))


def row_name(first: str, second: str) -> str:
    """Return the name of a bar on one line."""
    return ", ".join(filter(None, (escape.short(first, 40), escape.plain(second))))


def _slides(record: Record, geometry: Geometry) -> Iterator[Slide]:
    """Yield the slides of an answer: of text, of a table, or of its figure if it has one."""
    for talk in record.talks or (Talk(),):
        headline = escape.plain(talk.headline or record.title)
        title, size = _titled(headline, geometry)
        foot, small = text_layout.cut(record.footer, geometry.footer)
        slide = Slide(
            title,
            size,
            topic=talk.topic,
            footer=foot,
            footer_size=small,
            notes=_notes(talk.spoken or [title]),
            name=record.name,
        )
        if talk.lines:
            shown = text_layout.fit(talk.lines.blocks, _below(size, geometry.texts))
            yield slide._replace(blocks=shown.blocks, size=shown.size)
        elif talk.table:
            head, *rows = ([*map(escape.plain, c)] for c in (talk.table.head, *talk.table.rows))
            words = Table(head, rows, talk.table.shares)
            table, letters = text_layout.fit_table(words, _below(size, geometry.tables))
            yield slide._replace(table=table, size=letters)
        elif record.chart and not missing(record):
            # The message of the slide, and what follows from it.
            meaning = " ".join(block.phrase.plain for block in record.text.blocks)
            alt = ". ".join(filter(None, (headline, meaning or word(record.counted))))
            alt = alt if len(alt) <= _ALT else f"{alt[:_ALT]}…"
            said, letters = text_layout.cut(record.subtitle, geometry.subtitle)
            figure = Figure(record.name, record.chart, alt)
            yield slide._replace(figure=figure, subtitle=said, subtitle_size=letters)


def _rank(record: Record) -> int:
    """Return whose figure is kept if two draw the same: the lowest's."""
    return (ANSWER, SUMMARY).index(record.role) if record.role in (ANSWER, SUMMARY) else 2


def _drawn(chart: Chart) -> Any:
    """Return what a chart draws; of bars it does not matter with which they are compared."""
    if isinstance(chart, Bars):
        return chart.rows, [series.values for series in chart.series]
    return chart


def _place(topic: str) -> int:
    """Return the place of a topic among all; what has none is about what was found."""
    return TOPICS.index(topic if topic in TOPICS else FOUND)


def _opening(study: Study, record: dict[str, Any], geometry: Geometry) -> Slide:
    """Return the slide that asks."""
    title, size = text_layout.cut(escape.plain(study.question), geometry.opening)
    text = Text((Block(name(study.title)),)) + sources.opening(study, record)
    shown = text_layout.fit(text.blocks, _below(size, geometry.opened))
    spoken = (
        t("This is the question, and recorded evidence answers it."),
        *_about(study),
        t("We compare {images}.", images=number(len(study.variants), "image")),
    )
    return Slide(title, size, shown.blocks, shown.size, notes=_notes(spoken), opening=True)


def _about(study: Study) -> Iterator[str]:
    """Yield the first sentences of what a study says of itself, those that can be said aloud."""
    left = _ABOUT
    for sentence in re.split(r"(?<=[.?!])\s+", marked(study.about).plain):
        left -= i18n.columns(sentence)
        if left < 0:
            break
        if sentence and not _UNSPOKEN.search(sentence):
            yield sentence


def _agenda(slides: Sequence[Slide], geometry: Geometry) -> Iterator[Slide]:
    """Yield the slide that lists the topics that follow, if there are some."""
    topics = [topic for topic in dict.fromkeys(slide.topic for slide in slides) if topic]
    if not topics:
        return
    title, size = _titled(t("First the answer, then what it rests on"), geometry)
    lines = bullets(map(word, topics)).blocks
    shown = text_layout.fit(lines, _below(size, geometry.texts))
    spoken = (
        t("We begin with the answer, and then look at what it rests on."),
        t("At the end stand what to take away and what to do next."),
        t("What was not measured and all sources are in the appendix, for questions."),
    )
    yield Slide(title, size, shown.blocks, shown.size, notes=_notes(spoken))


def _notes(sentences: Iterable[str]) -> str:
    """Return what is said aloud, a sentence a line."""
    return "\n".join(escape.plain(sentence) for sentence in sentences)


def _titled(title: str, geometry: Geometry) -> tuple[str, float]:
    """Return a title and its size: on one line if it need not be much smaller for that."""
    shown, area = escape.plain(title), geometry.title
    for size in area.sizes[:_ON_ONE_LINE]:
        tall = text_layout.height([Block(phrase(shown))], area, size)
        if tall < 1.5 * size * LEADING and tall <= area.box.height:
            return shown, size
    return text_layout.cut(shown, area)


def _below(title: float, area: Area) -> Area:
    """Return an area with those sizes of text that fit below a title of some size."""
    most = title - _BELOW_TITLE
    return area._replace(sizes=tuple(s for s in area.sizes if s <= most) or (most,))


def _not_measured(study: Study, parts: Sequence[Part]) -> Text:
    """Return what the study says that it cannot show, and what could not be drawn."""
    lost: dict[str, list[str]] = {}
    for answer in executed.with_role(parts, ANSWER, SUMMARY, SLIDE):
        is_drawn = answer.record.chart or answer.record.role == SLIDE
        if is_drawn and (why := missing(answer.record)):
            lost.setdefault(why, []).append(answer.under)
    lines: list[Phrase | str] = [marked(why) for why in study.not_shown]
    lines += [f"{' '.join(dict.fromkeys(asked))} {why}" for why, asked in lost.items()]
    if not lines:
        return paragraph(t("The study names nothing that its evidence cannot show."))
    return bullets(lines)


def _listed(area: Area, geometry: Geometry, title: str, text: Text, spoken: str) -> Iterator[Slide]:
    """Yield a list on as many slides as it takes at the smallest of its sizes."""
    pages: list[list[Block]] = [[]]
    for block in text.blocks:
        page = [*pages[-1], block]
        if pages[-1] and text_layout.height(page, area, area.sizes[-1]) > area.box.height:
            pages.append([])
        pages[-1].append(block)
    for number_, page in enumerate(pages, start=1):
        part = f" ({number_}/{len(pages)})" if len(pages) > 1 else ""
        shown, size = _titled(f"{title}{part}", geometry)
        # Pages of one list have letters of one size.
        able = area if len(pages) == 1 else area._replace(sizes=area.sizes[-1:])
        fitted = text_layout.fit(page, _below(size, able))
        yield Slide(shown, size, fitted.blocks, fitted.size, notes=_notes([spoken]))
