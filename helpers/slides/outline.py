"""Which slides a run has, and what each says: one message a slide, from the executed notebooks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat import NotebookNode

from helpers.charts import chart_data
from helpers.runs.page import ANSWER_TAG, BANNER_TAG, SUMMARY_TAG
from helpers.slides import sources, text_layout
from helpers.studies.study import Study
from helpers.text import escape, markdown
from helpers.text.escape import FIGURE
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import Line

SLIDE_TAG = "slide"
"""A figure tagged so has a slide, as those of the summary have."""

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

_ALT = 250
"""Letters of a figure's alternative text."""


class Picture(NamedTuple):
    """A figure of the run: its file, between which heights it is the chart alone, and its data."""

    name: str
    path: Path
    between: tuple[float, float]
    chart: chart_data.Native | None
    alt: str


class Slide(NamedTuple):
    """One slide. Text has its size in points; `notes` are for who speaks."""

    title: str
    title_size: float
    lines: tuple[Line, ...] = ()
    size: float = 0.0
    picture: Picture | None = None
    footer: str = ""
    footer_size: float = 0.0
    notes: str = ""
    opening: bool = False


class _Figure(NamedTuple):
    """A figure of a notebook, tagged for slides, with what is said after it."""

    told: dict[str, Any]
    tags: tuple[str, ...]
    sentence: str


def outline(run: Path, study: Study, record: dict[str, Any]) -> list[Slide]:
    """Return the slides of a run's folder, in the language that is spoken."""
    books = [nbformat.read(path, as_version=4) for path in _executed(run)]
    found, lost = _figures(books)
    return [
        _opening(study, record),
        *_answers(books),
        *(_figure(run, one) for one in _different(found)),
        *_not_measured(study, lost),
        *_listed(t("Where this comes from"), sources.lines(study, record), _SOURCES),
    ]


def _executed(run: Path) -> list[Path]:
    return sorted((run / "notebooks").glob("*.ipynb"))


def _opening(study: Study, record: dict[str, Any]) -> Slide:
    lines = [markdown.line(study.question), *sources.opening(study, record)]
    title, size = text_layout.cut(
        escape.plain(study.title), OPENING.width, OPENING.height, _OPENINGS, True
    )
    sizes = _below(size, (26, 24, 22, 20, 18, 16))
    text = text_layout.fit(lines, OPENED.width, OPENED.height, sizes)
    return Slide(
        title, size, text.lines, text.size, notes=markdown.text(" ".join(study.about.split())),
        opening=True,
    )  # fmt: skip


def _answers(books: Sequence[NotebookNode]) -> Iterator[Slide]:
    """Yield a slide with the answer, and one that says whether like is compared with like."""
    answers: list[str] = []
    banners: list[str] = []
    for cell in (cell for book in books for cell in book.cells):
        if ANSWER_TAG in _tags(cell):
            (banners if BANNER_TAG in _tags(cell) else answers).extend(_said(cell))
    for said, sizes in ((answers, _TEXTS), (banners, _LISTS)):
        if not said:
            continue
        head, *lines = markdown.lines(said[0])
        yield _text(head, *_carrying(lines), "\n\n".join(map(markdown.text, said)), sizes)


def _carrying(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Return what carries an answer, and what else there is room for, the most needed first.

    The former is what is counted, the list, and who is no candidate; the latter are cautions that
    stand out. How it was reckoned is for the notes.
    """
    counted, none, weighed = (
        text.partition("{")[0].removeprefix("- ")
        for text in (
            word(msg("- Counted: {label}; fixes are those of the database.")),
            word(msg("- Not a candidate: {variant}, {why}.")),
            word(msg("Weighed: {criteria}; the lowest penalty is the best.")),
        )
    )
    heads = [place for place, one in enumerate(lines) if _is_heading(one)]
    end = heads[0] if heads else len(lines)
    own, cautions = lines[:end], lines[end + 1 :]
    needed = [
        *(one._replace(level=0) for one in cautions if one.text.startswith(counted)),
        *(one for one in own if one.level),
        *(one for one in cautions if one.text.startswith(none)),
    ]
    loud = [one for one in cautions if not one.text.startswith(none) and _is_loud(one)]
    return needed, [
        *loud,
        *(one for one in own if not one.level and not one.text.startswith(weighed)),
    ]


def _is_heading(one: Line) -> bool:
    return not one.level and len(one.pieces) == 1 and one.pieces[0][1]


def _is_loud(one: Line) -> bool:
    return any(bold for _, bold in one.pieces)


def _text(
    head: Line, needed: Sequence[Line], more: Sequence[Line], notes: str, sizes: Sequence[float]
) -> Slide:
    """Return a slide of text; what does not fit is in the notes, and that is said."""
    shown, size = _titled(head.text)
    # What the title cuts off is said in whole below it.
    lines = [*needed, *([head] if shown != escape.plain(head.text) else []), *more]
    sizes = _below(size, sizes)
    text = text_layout.fit(lines, BODY.width, BODY.height, sizes)
    if not text.whole:
        room = BODY.height - 1.4 * text_layout.LEADING * sizes[-1]
        text = text_layout.fit(lines, BODY.width, room, sizes)
        text = text._replace(lines=(*text.lines, markdown.line(t("… more in the notes"))))
    return Slide(shown, size, text.lines, text.size, notes=notes)


def _titled(title: str) -> tuple[str, float]:
    return text_layout.cut(escape.plain(title), TITLE.width, TITLE.height, _TITLES, True)


def _below(title: float, sizes: Sequence[float]) -> list[float]:
    """Return those sizes of text that fit below a title of some size."""
    return [size for size in sizes if size <= title - _BELOW_TITLE] or [title - _BELOW_TITLE]


def _figures(books: Sequence[NotebookNode]) -> tuple[list[_Figure], dict[str, list[str]]]:
    """Return the figures for slides, and what is said in place of others, with their questions."""
    found: list[_Figure] = []
    lost: dict[str, list[str]] = {}
    for book in books:
        heading = ""
        for place, cell in enumerate(book.cells):
            if cell.cell_type == "markdown":
                heading = cell.source.splitlines()[0].lstrip("# ")
            elif ".figure(" in cell.source and {SLIDE_TAG, SUMMARY_TAG} & {*_tags(cell)}:
                if (told := _drawn(cell)) and not _words(told):
                    said = next(_after(book.cells[place + 1 :]), "")
                    found.append(_Figure(told, _tags(cell), said))
                else:
                    why = _words(told) if told else "\n".join(map(markdown.text, _said(cell)))
                    lost.setdefault(why, []).append(heading)
    return found, lost


def _words(told: dict[str, Any]) -> str:
    """Return why there is nothing on a figure; empty if there is something."""
    chart = chart_data.decoded(told["chart"])
    return chart.text if isinstance(chart, chart_data.Words) else ""


def _after(cells: Sequence[NotebookNode]) -> Iterator[str]:
    """Yield what is said after a figure, until something else is asked or drawn."""
    for cell in cells:
        if cell.cell_type == "markdown" or _drawn(cell):
            return
        yield from _said(cell)


def _different(found: Sequence[_Figure]) -> list[_Figure]:
    """Return figures without those that one of the summary draws as well."""
    main = [one.told["chart"] for one in found if SUMMARY_TAG in one.tags and one.told["chart"]]
    return [one for one in found if SUMMARY_TAG in one.tags or one.told["chart"] not in main]


def _figure(run: Path, one: _Figure) -> Slide:
    """Return the slide of a figure."""
    told, chart = one.told, chart_data.decoded(one.told["chart"])
    title, size = _titled(told["title"])
    foot, foot_size = text_layout.cut(told["footer"], FOOTER.width, FOOTER.height, _FEET)
    name = told["name"]
    parts = [
        escape.plain(told["title"]),
        t("Counted: {what}", what=told["lens"]) if told["lens"] else "",
        markdown.text(one.sentence),
        t("Evidence: {footer}", footer=told["footer"]),
        t("Data: {file}", file=f"tables/{name}.csv"),
    ]
    # The message of the slide, and what follows from it.
    said = " ".join(one.text for one in markdown.lines(one.sentence)) or parts[1]
    alt = f"{parts[0]}. {said}"
    alt = alt if len(alt) <= _ALT else f"{alt[:_ALT]}…"
    bottom, top = told["between"]
    path = run / "figures" / f"{name}.png"
    return Slide(
        title,
        size,
        picture=Picture(name, path, (bottom, top), chart, alt),
        footer=foot,
        footer_size=foot_size,
        notes="\n\n".join(filter(None, parts)),
    )


def _not_measured(study: Study, lost: dict[str, list[str]]) -> Iterator[Slide]:
    """Yield what the study says that it cannot show, and what could not be drawn."""
    lines = [markdown.line(" ".join(markdown.text(why).split()), 1) for why in study.not_shown]
    lines += [
        markdown.line(f"{' '.join(map(word, dict.fromkeys(asked)))} {said}", 1)
        for said, asked in lost.items()
    ]
    if not lines:
        lines = [markdown.line(t("The study names nothing that its evidence cannot show."))]
    yield from _listed(t("What was not measured"), lines, _LISTS)


def _listed(title: str, lines: Sequence[Line], sizes: Sequence[float]) -> Iterator[Slide]:
    """Yield a list on as many slides as it takes at the smallest of its sizes."""
    pages: list[list[Line]] = [[]]
    for one in lines:
        if pages[-1] and text_layout.height([*pages[-1], one], BODY.width, sizes[-1]) > BODY.height:
            pages.append([])
        pages[-1].append(one)
    for number, page in enumerate(pages, start=1):
        of = f" ({number}/{len(pages)})" if len(pages) > 1 else ""
        shown, size = _titled(f"{title}{of}")
        sizes = _below(size, sizes)
        text = text_layout.fit(
            page, BODY.width, BODY.height, sizes if len(pages) == 1 else sizes[-1:]
        )
        notes = "\n".join(f"{'• ' * bool(one.level)}{one.text}" for one in page)
        yield Slide(shown, size, text.lines, text.size, notes=notes)


def _tags(cell: NotebookNode) -> tuple[str, ...]:
    return tuple(cell.metadata.get("tags", []))


def _drawn(cell: NotebookNode) -> dict[str, Any] | None:
    """Return what slides need of the figure that a cell shows, if it shows one."""
    shown = [output.get("data", {}).get(FIGURE) for output in cell.get("outputs", [])]
    return next((told for told in shown if told), None)


def _said(cell: NotebookNode) -> list[str]:
    """Return the sentences that a cell shows."""
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [data["text/markdown"] for data in shown if "text/markdown" in data]
