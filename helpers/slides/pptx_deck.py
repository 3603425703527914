"""`deck.pptx`: a run's slides for PowerPoint, with charts that can be edited there."""

from pathlib import Path
from typing import Any

from PIL import Image
from pptx import Presentation
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.oxml import serialize_part_xml
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Pt

from helpers.charts import chart_data
from helpers.slides import outline, pptx_bars, pptx_xy, style, text_layout
from helpers.slides.outline import Box, Picture, Slide
from helpers.slides.style import Theme
from helpers.studies.study import Study
from helpers.text import escape, i18n, markdown
from helpers.text.markdown import Line

_OPENING, _TEXT, _TITLE_ONLY = 0, 1, 5
"""Layouts of python-pptx's template: with a title and text, which an outline shows, or no text."""

_NUMBER = "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}"
"""Names the field that numbers a slide; any would do."""

_NOTE = 14
"""Size of what a chart cannot say itself, in points."""


def write(run: Path, study: Study, record: dict[str, Any]) -> Path:
    """Write `deck.pptx` into a run's folder from its executed notebooks; return its path.

    It speaks the language that is spoken.
    """
    given = record["parameters"]
    theme = style.theme(str(given.get("theme", "")))
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
    told = parse_xml(file.blob)
    # What the master calls dark and light are its letters and its ground.
    for name, colour in (("dk1", theme.ink), ("lt1", theme.paper)):
        (old,) = told.iter(qn(f"a:{name}"))
        old[:] = [OxmlElement("a:srgbClr")]
        old[0].set("val", str(style.rgb(colour)))
    for name, face in (("latin", style.LATIN), ("ea", style.EAST_ASIAN)):
        for font in told.iter(qn(f"a:{name}")):
            font.set("typeface", face)
    file._blob = serialize_part_xml(told)
    return deck


def _add(deck: Any, told: Slide, number: int, theme: Theme) -> None:
    layout = _OPENING if told.opening else _TEXT if told.lines else _TITLE_ONLY
    slide = deck.slides.add_slide(deck.slide_layouts[layout])
    slide.background.fill.solid()
    slide.background.fill.fore_color.rgb = style.rgb(theme.paper)
    title = (markdown.line(told.title, bold=True),)
    box = outline.OPENING if told.opening else outline.TITLE
    anchor = MSO_ANCHOR.BOTTOM if told.opening else MSO_ANCHOR.MIDDLE
    _place(slide.shapes.title, box)
    _fill(slide.shapes.title, title, told.title_size, theme.ink, anchor)
    if told.lines:
        body = slide.placeholders[1]
        _place(body, outline.OPENED if told.opening else outline.BODY)
        _fill(body, told.lines, told.size, theme.ink)
    if told.picture:
        _show(slide, told.picture, theme)
    if told.footer:
        foot = slide.shapes.add_textbox(*map(Pt, outline.FOOTER))
        _fill(foot, (markdown.line(told.footer),), told.footer_size, theme.faint, MSO_ANCHOR.BOTTOM)
    corner = slide.shapes.add_textbox(*map(Pt, outline.NUMBER))
    _fill(corner, (markdown.line(str(number)),), 12, theme.faint, MSO_ANCHOR.BOTTOM)
    paragraph = corner.text_frame.paragraphs[0]._p
    paragraph.get_or_add_pPr().set("algn", "r")
    (run,) = paragraph.r_lst
    field = OxmlElement("a:fld")
    field.set("id", _NUMBER)
    field.set("type", "slidenum")
    field.extend(list(run))
    paragraph.replace(run, field)
    slide.notes_slide.notes_text_frame.text = told.notes


def _place(shape: Any, box: Box) -> None:
    shape.left, shape.top, shape.width, shape.height = map(Pt, box)


def _fill(
    shape: Any,
    lines: tuple[Line, ...],
    size: float,
    colour: str,
    anchor: Any = MSO_ANCHOR.TOP,
) -> None:
    """Write lines into a shape, which keeps its size."""
    frame = shape.text_frame
    frame.word_wrap, frame.auto_size, frame.vertical_anchor = True, MSO_AUTO_SIZE.NONE, anchor
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for place, line in enumerate(lines):
        paragraph = frame.add_paragraph() if place else frame.paragraphs[0]
        paragraph.line_spacing, paragraph.space_before = 1.0, Pt(0)
        paragraph.space_after = Pt(0.35 * size if place + 1 < len(lines) else 0)
        _bullet(paragraph, line.level)
        for text, bold in line.pieces:
            style.write(paragraph.add_run(), text, size, colour, bold)


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


def _show(slide: Any, picture: Picture, theme: Theme) -> None:
    """Put a figure on a slide: as a chart if there is such a type, else as a picture."""
    box, chart = outline.BODY, picture.chart
    notes = chart.notes if isinstance(chart, chart_data.Points) else []
    if notes:
        text = text_layout.fit([markdown.line(" ".join(notes))], box.width, 40, (_NOTE, 12))
        tall = text_layout.height(text.lines, box.width, text.size)
        below = Box(box.left, box.top + box.height - tall, box.width, tall)
        _fill(slide.shapes.add_textbox(*map(Pt, below)), text.lines, text.size, theme.ink)
        box = box._replace(height=box.height - tall - 4)
    if isinstance(chart, chart_data.Bars):
        shown = pptx_bars.bars(slide, chart, box, theme)
    elif isinstance(chart, chart_data.Points):
        shown = pptx_xy.points(slide, chart, box, theme)
    else:
        shown = _picture(slide, picture, box)
    # python-pptx has no name for what screen readers say of a shape.
    about = shown._element.find(f".//{qn('p:cNvPr')}")
    about.set("descr", picture.alt)
    about.set("name", picture.name)


def _picture(slide: Any, picture: Picture, box: Box) -> Any:
    """Put a picture on a slide, without the title and the footer that it has itself."""
    with Image.open(picture.path) as image:
        wide, tall = image.size
    bottom, top = picture.between
    scale = min(box.width / wide, box.height / (tall * (top - bottom)))
    width, height = scale * wide, scale * tall * (top - bottom)
    left = box.left + (box.width - width) / 2
    shown = slide.shapes.add_picture(
        str(picture.path), Pt(left), Pt(box.top), Pt(width), Pt(height)
    )
    shown.crop_top, shown.crop_bottom = 1 - top, bottom
    return shown
