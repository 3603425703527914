"""`deck.pptx`: a run's slides for PowerPoint, with charts that can be edited there."""

import io
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.oxml import serialize_part_xml
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Pt

from helpers.answers.chart_data import Bars, Curves
from helpers.answers.talk import Table
from helpers.slides import outline, placeholder, pptx_bars, pptx_xy, style, template, text_layout
from helpers.slides.geometry import KIT, Area, Box
from helpers.slides.outline import Figure, Slide
from helpers.slides.style import Theme
from helpers.slides.template import Template
from helpers.studies.study import Study
from helpers.text import escape, i18n
from helpers.text.rich import Block, Phrase, Run, phrase

_OPENING, _TEXT, _TITLE_ONLY = 0, 1, 5
"""Layouts of python-pptx's template: with a title and text, which an outline shows, or no text."""

_NUMBER = "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}"
"""Names the field that numbers a slide; any would do."""

_PLAIN_TABLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""PowerPoint's own name for a table without colours and lines."""


def write(run: Path, study: Study, record: dict[str, Any], file: Path | None = None) -> Path:
    """Write `deck.pptx` into a run's folder from its executed notebooks; return its path.

    It speaks the language that is spoken, and looks like the template that a file is.
    """
    made = template.read(file) if file else _own(style.theme(record["parameters"]))
    # The folder of a file on the user's machine is private.
    record = {**record, "template": file.name} if file else record
    for number, slide in enumerate(outline.outline(run, study, record, made.geometry), start=1):
        _add(made, slide, number)
    about = made.deck.core_properties
    # No more than what its format allows.
    about.title, about.subject = (
        escape.plain(text)[:255] for text in (study.title, study.question)
    )
    about.author, about.language = "base-image-notebooks", i18n.spoken()
    about.last_modified_by = about.author
    about.keywords = about.comments = about.category = ""
    about.created = about.modified = record["started"].replace(tzinfo=None)
    path = run / "deck.pptx"
    made.deck.save(str(path))
    return path


def _own(theme: Theme) -> Template:
    """Return a deck of the kit's own look: a slide that is inserted later looks like the others."""
    deck = Presentation()
    wider = Pt(KIT.width) / deck.slide_width
    deck.slide_width, deck.slide_height = Pt(KIT.width), Pt(KIT.height)
    for part in (deck.slide_master, *deck.slide_layouts):
        # The template is 4:3, and as high.
        for place in part._element.iter(qn("a:off"), qn("a:ext")):
            for name in {"x", "cx"} & {*place.keys()}:
                place.set(name, str(round(int(place.get(name)) * wider)))
    file = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    xml = parse_xml(file.blob)
    # What the master calls dark and light are its letters and its ground.
    for name, colour in (("dk1", theme.ink), ("lt1", theme.paper)):
        (old,) = xml.iter(qn(f"a:{name}"))
        old[:] = [OxmlElement("a:srgbClr")]
        old[0].set("val", str(style.rgb(colour)))
    for name, face in (("latin", style.LATIN), ("ea", style.EAST_ASIAN)):
        for font in xml.iter(qn(f"a:{name}")):
            font.set("typeface", face)
    file._blob = serialize_part_xml(xml)
    opening, text, figure = (deck.slide_layouts[n] for n in (_OPENING, _TEXT, _TITLE_ONLY))
    return Template(deck, opening, text, figure, KIT, theme, is_own=True)


def _add(made: Template, content: Slide, number: int) -> None:
    """Add a slide to a deck."""
    places, theme = made.geometry, made.theme
    layout = made.opening if content.opening else made.text if content.blocks else made.figure
    slide = made.deck.slides.add_slide(layout)
    title, body = slide.shapes.title, _body(slide) if content.blocks else None
    for place in [*slide.placeholders]:
        if place not in (title, body):
            place._element.getparent().remove(place._element)
    above, below = places.title, places.texts
    if content.opening:
        above, below = places.opening, places.opened
    run = Run(content.title, strong=made.is_own)
    anchor = MSO_ANCHOR.BOTTOM if content.opening else MSO_ANCHOR.MIDDLE
    _fill(made, title, above, (Block(Phrase((run,))),), content.title_size, anchor)
    if body:
        _fill(made, body, below, content.blocks, content.size)
    if made.is_own:
        slide.background.fill.solid()
        slide.background.fill.fore_color.rgb = style.rgb(theme.paper)
    if content.table:
        _tabulate(slide, content.table, content.size, places.tables.box, theme)
    if content.figure:
        _show(slide, content.figure, places.figures, theme)
    if content.subtitle:
        said = slide.shapes.add_textbox(*map(Pt, places.subtitle.box))
        _write(said, (Block(phrase(content.subtitle)),), content.subtitle_size, theme, theme.faint)
    if content.footer:
        _foot(made, slide, content)
    _number(made, slide, number)
    _notes(slide).text = content.notes


def _body(slide: Any) -> Any:
    """Return the place for text of a slide: the largest, as layouts are chosen."""
    kinds = (*placeholder.BODIES, placeholder.SUBTITLE)
    found = [place for place in slide.placeholders if placeholder.kind(place) in kinds]
    return max(found, key=lambda place: place.width * place.height)


def _notes(slide: Any) -> Any:
    """Return the text of a slide's notes; a template's master of notes may have no place for it."""
    notes = slide.notes_slide
    if notes.notes_text_frame is None:
        notes.shapes._spTree.add_placeholder(
            max((shape.shape_id for shape in notes.shapes), default=1) + 1,
            "Notes",
            PP_PLACEHOLDER.BODY,
            "horz",
            "full",
            1,
        )
    return notes.notes_text_frame


def _foot(made: Template, slide: Any, content: Slide) -> None:
    """Say at the foot of a slide where it comes from."""
    area, words = made.geometry.footer, (Block(phrase(content.footer)),)
    if place := _beside(made, slide, placeholder.FOOTER):
        _fill(made, place, area, words, content.footer_size)
    else:
        shape = slide.shapes.add_textbox(*map(Pt, area.box))
        colour = made.theme.faint
        _write(shape, words, content.footer_size, made.theme, colour, MSO_ANCHOR.BOTTOM)


def _number(made: Template, slide: Any, number: int) -> None:
    """Number a slide, by a field that follows its place, if there is room for one."""
    if place := _beside(made, slide, placeholder.NUMBER):
        style.write_plain(place.text_frame.paragraphs[0].add_run(), str(number))
    elif not made.geometry.number:
        return
    else:
        place = slide.shapes.add_textbox(*map(Pt, made.geometry.number))
        words = (Block(phrase(str(number))),)
        _write(place, words, 12, made.theme, made.theme.faint, MSO_ANCHOR.BOTTOM)
        place.text_frame.paragraphs[0]._p.get_or_add_pPr().set("algn", "r")
    paragraph = place.text_frame.paragraphs[0]._p
    (run,) = paragraph.r_lst
    field = OxmlElement("a:fld")
    field.set("id", _NUMBER)
    field.set("type", "slidenum")
    field.extend(list(run))
    paragraph.replace(run, field)


def _beside(made: Template, slide: Any, kind: Any) -> Any:
    """Return a slide's new placeholder for a footer or a number; None if its template has none."""
    for place in () if made.is_own else slide.slide_layout.placeholders:
        if placeholder.kind(place) == kind and placeholder.is_on_slide(place):
            slide.shapes.clone_placeholder(place)
            return slide.shapes[-1]
    return None


def _fill(
    made: Template,
    shape: Any,
    area: Area,
    blocks: tuple[Block, ...],
    size: float,
    anchor: Any = MSO_ANCHOR.TOP,
) -> None:
    """Write text into a placeholder: as the kit does, or as its template has it."""
    if made.is_own:
        shape.left, shape.top, shape.width, shape.height = map(Pt, area.box)
        _write(shape, blocks, size, made.theme, made.theme.ink, anchor)
        return
    if area.moved:
        shape.left, shape.top, shape.width, shape.height = map(Pt, area.moved)
    is_list = placeholder.kind(shape) in (*placeholder.BODIES, placeholder.SUBTITLE)
    frame = shape.text_frame
    for place, block in enumerate(blocks):
        paragraph = frame.add_paragraph() if place else frame.paragraphs[0]
        letters = size * area.shares[block.level]
        paragraph.line_spacing, paragraph.space_before = 1.0, Pt(0)
        paragraph.space_after = Pt(text_layout.APART * letters if place + 1 < len(blocks) else 0)
        paragraph.level = max(block.level - 1, 0)
        if is_list and not block.level:
            _unmark(paragraph)
        for run in block.phrase.runs:
            written = paragraph.add_run()
            style.write_plain(written, run.text)
            # What is neither smaller nor strong has nothing of its own.
            if size != area.sizes[0]:
                written.font.size = Pt(round(letters, 1))
            if run.strong:
                written.font.bold = True


def _write(
    shape: Any,
    blocks: tuple[Block, ...],
    size: float,
    theme: Theme,
    colour: str,
    anchor: Any = MSO_ANCHOR.TOP,
) -> None:
    """Write text into a shape, which keeps its size."""
    frame = shape.text_frame
    frame.word_wrap, frame.auto_size, frame.vertical_anchor = True, MSO_AUTO_SIZE.NONE, anchor
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for place, block in enumerate(blocks):
        paragraph = frame.add_paragraph() if place else frame.paragraphs[0]
        paragraph.line_spacing, paragraph.space_before = 1.0, Pt(0)
        paragraph.space_after = Pt(text_layout.APART * size if place + 1 < len(blocks) else 0)
        _bullet(paragraph, block.level)
        for run in block.phrase.runs:
            style.write(paragraph.add_run(), run.text, theme, size, colour, run.strong)


def _unmark(paragraph: Any) -> None:
    """Have a paragraph of a list begin at the margin, without a bullet."""
    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", "0")
    properties.set("indent", "0")
    properties.append(OxmlElement("a:buNone"))


def _bullet(paragraph: Any, level: int) -> None:
    properties = paragraph._p.get_or_add_pPr()
    properties.set("algn", "l")
    mark = OxmlElement("a:buChar" if level else "a:buNone")
    here, above = (Pt(KIT.texts.indents[max(one, 0)]) for one in (level, level - 1))
    properties.set("marL", str(here))
    properties.set("indent", str(above - here))
    if level:
        mark.set("char", "•" if level == 1 else "–")
    properties.append(mark)


def _tabulate(slide: Any, table: Table, size: float, box: Box, theme: Theme) -> None:
    """Put a table on a slide: PowerPoint's own, with a line below each row."""
    rows = [table.head, *table.rows]
    frame = slide.shapes.add_table(len(rows), len(table.head), *map(Pt, box))
    shown = frame.table
    shown.horz_banding = False
    shown._tbl.tblPr.find(qn("a:tableStyleId")).text = _PLAIN_TABLE
    for column, share in zip(shown.columns, table.shares, strict=True):
        column.width = Pt(box.width * share)
    heights = text_layout.row_heights(table, box.width, size)
    for row, height, cells in zip(shown.rows, heights, rows, strict=True):
        row.height = Pt(height)
        is_head = cells is table.head
        for cell, text in zip(row.cells, cells, strict=True):
            words = Block(Phrase((Run(text, strong=is_head),)))
            _write(cell, (words,), size, theme, theme.faint if is_head else theme.ink)
            cell.margin_left = cell.margin_right = Pt(text_layout.CELL_ACROSS)
            cell.margin_top = cell.margin_bottom = Pt(text_layout.CELL_ABOVE)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            _underline(cell, theme.line)
    frame.height = Pt(sum(heights))


def _underline(cell: Any, colour: str) -> None:
    """Draw a line below a cell, and none beside it: python-pptx has no name for them."""
    *others, below = lines = [OxmlElement(f"a:ln{side}") for side in "LRTB"]
    for line in others:
        line.append(OxmlElement("a:noFill"))
    below.set("w", str(Pt(1)))
    fill, value = OxmlElement("a:solidFill"), OxmlElement("a:srgbClr")
    value.set("val", str(style.rgb(colour)))
    fill.append(value)
    below.append(fill)
    properties = cell._tc.get_or_add_tcPr()
    for place, line in enumerate(lines):
        properties.insert(place, line)


def _show(slide: Any, figure: Figure, box: Box, theme: Theme) -> None:
    """Put a figure on a slide: as a chart if PowerPoint has such a type, else as a picture."""
    chart = figure.chart
    match chart:
        case Bars():
            shown = pptx_bars.bars(slide, chart, box, theme)
        case Curves():
            shown = pptx_xy.curves(slide, chart, box, theme)
        case _:
            shown = _picture(slide, figure, box, theme)
    # python-pptx has no name for what screen readers say of a shape.
    about = shown._element.find(f".//{qn('p:cNvPr')}")
    about.set("descr", figure.alt)
    about.set("name", figure.name)


def _picture(slide: Any, figure: Figure, box: Box, theme: Theme) -> Any:
    """Put a figure on a slide as a picture, as large as its box has room for."""
    shown = slide.shapes.add_picture(io.BytesIO(outline.picture(figure.chart, theme.look)), 0, 0)
    scale = min(Pt(box.width) / shown.width, Pt(box.height) / shown.height)
    shown.width, shown.height = round(shown.width * scale), round(shown.height * scale)
    shown.left = round(Pt(box.left + box.width / 2) - shown.width / 2)
    shown.top = Pt(box.top)
    return shown
