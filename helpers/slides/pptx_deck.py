"""`deck.pptx`: a run's slides for PowerPoint, with charts that can be edited there."""

import io
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.oxml import serialize_part_xml
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Pt

from helpers.answers.chart import Bars, Curves, Points
from helpers.answers.talk import Table
from helpers.slides import outline, pptx_bars, pptx_xy, style, text_layout
from helpers.slides.outline import Box, Figure, Slide
from helpers.slides.style import Theme
from helpers.studies.study import Study
from helpers.text import escape, i18n
from helpers.text.rich import Block, Phrase, Run, phrase

_OPENING, _TEXT, _TITLE_ONLY = 0, 1, 5
"""Layouts of python-pptx's template: with a title and text, which an outline shows, or no text."""

_NUMBER = "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}"
"""Names the field that numbers a slide; any would do."""

_PLAIN_TABLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""PowerPoint's own name for a table without colours and lines."""

_NOTE = 14
"""Size of what a chart cannot say itself, in points."""


def write(run: Path, study: Study, record: dict[str, Any]) -> Path:
    """Write `deck.pptx` into a run's folder from its executed notebooks; return its path.

    It speaks the language that is spoken.
    """
    theme = style.theme(record["parameters"])
    deck = _begin(theme)
    for number, slide in enumerate(outline.outline(run, study, record), start=1):
        _add(deck, slide, number, theme)
    about = deck.core_properties
    # No more than what its format allows.
    about.title, about.subject = (
        escape.plain(text)[:255] for text in (study.title, study.question)
    )
    about.author, about.language = "base-image-notebooks", i18n.spoken()
    about.created = about.modified = record["started"].replace(tzinfo=None)
    path = run / "deck.pptx"
    deck.save(str(path))
    return path


def _begin(theme: Theme) -> Any:
    """Return a deck without slides: one that is inserted later looks like the others."""
    deck = Presentation()
    wider = Pt(outline.WIDTH) / deck.slide_width
    deck.slide_width, deck.slide_height = Pt(outline.WIDTH), Pt(outline.HEIGHT)
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
    return deck


def _add(deck: Any, content: Slide, number: int, theme: Theme) -> None:
    layout = _OPENING if content.opening else _TEXT if content.blocks else _TITLE_ONLY
    slide = deck.slides.add_slide(deck.slide_layouts[layout])
    slide.background.fill.solid()
    slide.background.fill.fore_color.rgb = style.rgb(theme.paper)
    title = Phrase((Run(content.title, strong=True),))
    _place(slide.shapes.title, outline.OPENING if content.opening else outline.TITLE)
    anchor = MSO_ANCHOR.BOTTOM if content.opening else MSO_ANCHOR.MIDDLE
    _fill(slide.shapes.title, (Block(title),), content.title_size, theme.ink, anchor)
    if content.blocks:
        body = slide.placeholders[1]
        _place(body, outline.OPENED if content.opening else outline.BODY)
        _fill(body, content.blocks, content.size, theme.ink)
    if content.table:
        _tabulate(slide, content.table, content.size, theme)
    if content.figure:
        _show(slide, content.figure, theme)
    if content.footer:
        _small(slide, outline.FOOTER, content.footer, content.footer_size, theme)
    corner = _small(slide, outline.NUMBER, str(number), 12, theme)
    paragraph = corner.text_frame.paragraphs[0]._p
    paragraph.get_or_add_pPr().set("algn", "r")
    (run,) = paragraph.r_lst
    field = OxmlElement("a:fld")
    field.set("id", _NUMBER)
    field.set("type", "slidenum")
    field.extend(list(run))
    paragraph.replace(run, field)
    slide.notes_slide.notes_text_frame.text = content.notes


def _small(slide: Any, box: Box, text: str, size: float, theme: Theme) -> Any:
    """Put small print at the foot of a slide; return its shape."""
    shape = slide.shapes.add_textbox(*map(Pt, box))
    _fill(shape, (Block(phrase(text)),), size, theme.faint, MSO_ANCHOR.BOTTOM)
    return shape


def _place(shape: Any, box: Box) -> None:
    shape.left, shape.top, shape.width, shape.height = map(Pt, box)


def _fill(
    shape: Any,
    blocks: tuple[Block, ...],
    size: float,
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
        paragraph.space_after = Pt(0.35 * size if place + 1 < len(blocks) else 0)
        _bullet(paragraph, block.level)
        for run in block.phrase.runs:
            style.write(paragraph.add_run(), run.text, size, colour, run.strong)


def _bullet(paragraph: Any, level: int) -> None:
    properties = paragraph._p.get_or_add_pPr()
    properties.set("algn", "l")
    mark = OxmlElement("a:buChar" if level else "a:buNone")
    indent = Pt(text_layout.INDENT)
    properties.set("marL", str(indent * level))
    properties.set("indent", str(-indent if level else 0))
    if level:
        mark.set("char", "•" if level == 1 else "–")
    properties.append(mark)


def _tabulate(slide: Any, table: Table, size: float, theme: Theme) -> None:
    """Put a table on a slide: PowerPoint's own, with a line below each row."""
    box, rows = outline.BODY, [table.head, *table.rows]
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
            _fill(cell, (words,), size, theme.faint if is_head else theme.ink)
            cell.margin_left = cell.margin_right = Pt(text_layout.CELL_ACROSS)
            cell.margin_top = cell.margin_bottom = Pt(text_layout.CELL_ABOVE)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            _underline(cell, theme.line)
    frame.height = Pt(sum(heights))


def _underline(cell: Any, colour: str) -> None:
    """Draw a line below a cell: python-pptx has no name for it."""
    line = OxmlElement("a:lnB")
    line.set("w", str(Pt(1)))
    fill, value = OxmlElement("a:solidFill"), OxmlElement("a:srgbClr")
    value.set("val", str(style.rgb(colour)))
    fill.append(value)
    line.append(fill)
    cell._tc.get_or_add_tcPr().insert(0, line)


def _show(slide: Any, figure: Figure, theme: Theme) -> None:
    """Put a figure on a slide: as a chart if PowerPoint has such a type, else as a picture."""
    box, chart = outline.BODY, figure.chart
    if isinstance(chart, Points) and chart.note:
        note = text_layout.fit([Block(phrase(chart.note))], box.width, 40, (_NOTE, 12))
        tall = text_layout.height(note.blocks, box.width, note.size)
        below = Box(box.left, box.top + box.height - tall, box.width, tall)
        _fill(slide.shapes.add_textbox(*map(Pt, below)), note.blocks, note.size, theme.ink)
        box = box._replace(height=box.height - tall - 4)
    match chart:
        case Bars():
            shown = pptx_bars.bars(slide, chart, box, theme)
        case Points():
            shown = pptx_xy.points(slide, chart, box, theme)
        case Curves():
            shown = pptx_xy.curves(slide, chart, box, theme)
        case _:
            shown = _picture(slide, figure, theme)
    # python-pptx has no name for what screen readers say of a shape.
    about = shown._element.find(f".//{qn('p:cNvPr')}")
    about.set("descr", figure.alt)
    about.set("name", figure.name)


def _picture(slide: Any, figure: Figure, theme: Theme) -> Any:
    shown = slide.shapes.add_picture(io.BytesIO(outline.picture(figure.chart, theme.look)), 0, 0)
    scale = Pt(outline.BODY.height) / shown.height
    shown.width, shown.height = round(shown.width * scale), Pt(outline.BODY.height)
    shown.left = round(Pt(outline.WIDTH) / 2 - shown.width / 2)
    shown.top = Pt(outline.BODY.top)
    return shown
