"""What slides are made from: the kit's own look, or a PowerPoint file of somebody else."""

import colorsys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

from matplotlib.colors import to_hex, to_rgb
from pptx.enum.dml import MSO_FILL, MSO_THEME_COLOR
from pptx.exc import PythonPptxError
from pptx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.package import Package

from helpers.charts import colours, look
from helpers.charts.look import Look
from helpers.errors import TemplateInvalid
from helpers.slides import placeholder, style
from helpers.slides.geometry import KIT, Area, Box, Geometry, clear, common, overlap
from helpers.slides.placeholder import BODIES, FOOTER, NUMBER, SUBTITLE, TITLES
from helpers.slides.style import Theme

_SMALLEST_TITLE, _SMALLEST_TEXT, _SMALLEST_FOOTER = 16, 12, 8
"""Sizes of letters in points below which text is cut rather than made smaller."""

_LEAST_ROOM = 0.1
"""Share of a slide that text needs."""

_STEP = 0.92
"""How much smaller letters become at each try."""

_CAPITALS = 1.2
"""How wide capitals are, in letters that are measured."""

_LEAST_SCALE = 0.65
"""How small letters of charts become on a small slide, in those of the kit."""

_NEAR = 0.5
"""Points by which places differ that are the same."""

_LIGHT = 0.4
"""Luminance from which on letters are light, so that their ground is dark."""

_FAINT, _FAINTER = 0.7, 0.25
"""Share of the ink in small print, and in lines."""

_MIXED, _SOLID, _ALL = "mixed", "1001", 100_000
"""A ground of several colours; a theme's background of one; and a whole, in a colour's parts."""

_SAVE = "Save it as a PowerPoint presentation (.pptx) or template (.potx)."

_DAMAGED = (
    *(BadZipFile, PythonPptxError, SyntaxError, OSError, EOFError, zlib.error),
    *(LookupError, AttributeError, TypeError, ValueError, StopIteration),
)
"""What python-pptx, which reads each part only when it is asked for, raises of a damaged file."""

_FORGOTTEN = (
    *("viewProps", "commentAuthors", "thumbnail"),
    *("extended-properties", "metadata/core-properties"),
)
"""Ends of relationships to what tells of the slides that a template had.

LibreOffice has a type of its own for the last one: python-pptx, which does not find it, would add
a second part of the same name.
"""


class Template(NamedTuple):
    """A deck without slides, its layouts, where things are on them, and its theme.

    `opening` is the layout of the first slide, `text` of those with text, and `figure` of those
    with figures. `is_own` says whether the look is the kit's, which is written into each slide.
    """

    deck: Any
    opening: Any
    text: Any
    figure: Any
    geometry: Geometry
    theme: Theme
    is_own: bool = False


class _Layout(NamedTuple):
    """A layout, and its placeholders by what they are for; of `others` none is filled."""

    layout: Any
    title: Any = None
    body: Any = None
    footer: Any = None
    number: Any = None
    others: int = 0

    @property
    def room(self) -> float:
        """Share of the slide that is for text below a title; 0 if there is none."""
        if self.title is None or self.body is None:
            return 0.0
        _, box = _apart(self)
        slide = placeholder.slide(self.title)
        return max(box.width, 0) * max(box.height, 0) / (slide.width * slide.height)


def read(path: Path) -> Template:
    """Return somebody's template without its slides; the file stays as it is.

    Raises `TemplateInvalid` for a file that is none or is damaged, that has macros, or that has no
    layout with a title and text.
    """
    try:
        return _read(path)
    except _DAMAGED as error:
        raise TemplateInvalid(path, "not a PowerPoint file, or damaged", _SAVE) from error


def _read(path: Path) -> Template:
    deck = _open(path)
    _drop_slides(deck)
    masters = [*deck.slide_masters]
    # Masters that LibreOffice made have no styles of text.
    for master in (one for one in masters if one._element.find(qn("p:txStyles")) is None):
        for layout in (master, *master.slide_layouts):
            placeholder.mend(layout)
    layouts = [_layout(layout) for master in masters for layout in master.slide_layouts]
    text = _text(layouts)
    if text is None:
        problem = "no layout has an upright title and separate room for text"
        raise TemplateInvalid(path, problem, "Add one, such as PowerPoint's Title and Content.")
    beside = [one for one in layouts if one.layout.slide_master == text.layout.slide_master]
    opening = _opening(beside) or text
    geometry = _geometry(deck, opening, text)
    theme = _theme(text, geometry)
    return Template(deck, opening.layout, text.layout, text.layout, geometry, theme)


def _open(path: Path) -> Any:
    if not path.is_file():
        raise TemplateInvalid(path, "no such file", "Pass an existing .pptx or .potx file.")
    part = Package.open(str(path)).main_document_part
    # python-pptx keeps what it is asked for, and it is set below.
    kind = part._content_type
    masters = len(part.presentation.slide_masters)
    names = {str(one.partname) for one in part.package.iter_parts()}
    if "macro" in kind.lower() or any("vbaProject" in name for name in names):
        raise TemplateInvalid(
            path, "the file has macros", "Save it without them, as .pptx or .potx."
        )
    if not masters:
        raise TemplateInvalid(path, "the file has no slide master", _SAVE)
    # What is written is a presentation, also if this is a template or a show.
    part._content_type = CONTENT_TYPE.PML_PRESENTATION_MAIN
    return part.presentation


def _drop_slides(deck: Any) -> None:
    """Remove a deck's slides and what tells of them: what nothing leads to is not saved."""
    part, root = deck.part, deck.part._element
    for slide in [*root.get_or_add_sldIdLst()]:
        part.rels.pop(slide.rId)
        slide.getparent().remove(slide)
    shows = root.findall(qn("p:custShowLst"))
    for old in [*shows, *(one for one in root.iter("{*}ext") if _of_sections(one))]:
        old.getparent().remove(old)
    for rels in (part.rels, part.package._rels):
        for name in [name for name in rels if rels[name].reltype.endswith(_FORGOTTEN)]:
            rels.pop(name)


def _of_sections(extension: Any) -> bool:
    return any(str(child.tag).endswith("}sectionLst") for child in extension)


def _layout(layout: Any) -> _Layout:
    """Return a layout by its upright placeholders: of several for text the largest."""
    found: dict[str, Any] = {}
    bodies, others = [], 0
    for shape in layout.placeholders:
        kind = placeholder.kind(shape)
        if kind in (*BODIES, *TITLES, SUBTITLE) and not placeholder.is_upright(shape):
            others += 1
        elif kind in TITLES:
            found.setdefault("title", shape)
        elif kind in (*BODIES, SUBTITLE):
            bodies.append(shape)
        elif kind in (FOOTER, NUMBER) and placeholder.is_on_slide(shape):
            found.setdefault("footer" if kind == FOOTER else "number", shape)
        elif kind not in (FOOTER, NUMBER, placeholder.DATE):
            others += 1
    if bodies:
        found["body"] = max(bodies, key=lambda one: (one.width or 0) * (one.height or 0))
    return _Layout(layout, others=others + max(len(bodies) - 1, 0), **found)


def _text(layouts: Iterable[_Layout]) -> _Layout | None:
    """Return the layout for text, or None.

    It is one with a title and nothing else but text, which is no subtitle, the larger the better.
    """

    def rank(one: _Layout) -> tuple[bool, bool, float]:
        return one.others == 0, placeholder.kind(one.body) in BODIES, one.room

    return max((one for one in layouts if one.room >= _LEAST_ROOM), key=rank, default=None)


def _opening(layouts: Sequence[_Layout]) -> _Layout | None:
    """Return the layout of a title slide, or else of a section's beginning, or None."""
    for name in ("title", "secHead"):
        for one in layouts:
            if one.layout._element.get("type") == name and one.room and not one.others:
                return one
    return None


def _geometry(deck: Any, opening: _Layout, text: _Layout) -> Geometry:
    """Return where things are: in the layouts' placeholders, as far as they do not overlap.

    Without a place for footers they are below the text.
    """
    title, body = _apart(text)
    first, below = _apart(opening)
    scale = _scale(body)
    if text.footer is not None:
        footer = _area(text.footer, placeholder.box(text.footer), _SMALLEST_FOOTER)
    else:
        tall = KIT.footer.box.height * scale
        strip = Box(body.left, body.bottom - tall, body.width, tall)
        footer = Area(strip, tuple(max(s * scale, _SMALLEST_FOOTER) for s in KIT.footer.sizes))
        body = body._replace(height=body.height - tall)
    texts = _area(text.body, body, _SMALLEST_TEXT)
    return Geometry(
        width=deck.slide_width.pt,
        height=deck.slide_height.pt,
        opening=_area(opening.title, first, _SMALLEST_TITLE),
        opened=_area(opening.body, below, _SMALLEST_TEXT),
        title=_area(text.title, title, _SMALLEST_TITLE),
        texts=texts,
        lists=_between(texts, KIT.lists, scale),
        sources=_between(texts, KIT.sources, scale),
        tables=Area(texts.box, tuple(round(size * scale, 1) for size in KIT.tables.sizes)),
        footer=footer,
        number=None,
    )


def _between(texts: Area, own: Area, scale: float) -> Area:
    """Return a place for text with letters about as large as the kit's."""
    most, least = (size * scale for size in (own.sizes[0], own.sizes[-1]))
    sizes = [size for size in texts.sizes if least * _STEP <= size <= most]
    return texts._replace(sizes=tuple(sizes) or (min(most, texts.sizes[0]),))


def _apart(layout: _Layout) -> tuple[Box, Box]:
    """Return where a layout's title and its text are, on the slide and over nothing else."""
    feet = [placeholder.box(one) for one in (layout.footer, layout.number) if one is not None]
    slide = placeholder.slide(layout.title)
    title = clear(common(placeholder.box(layout.title), slide), feet)
    return title, clear(common(placeholder.box(layout.body), slide), [title, *feet])


def _area(shape: Any, outer: Box, smallest: float) -> Area:
    """Return a placeholder as a place for text: in its own letters, or else smaller ones."""
    first, *_ = levels = placeholder.levels(shape)
    sizes = [first.size]
    while sizes[-1] * _STEP >= smallest:
        sizes.append(round(sizes[-1] * _STEP, 1))
    return Area(
        placeholder.inner(shape, outer),
        tuple(sizes),
        first.bold,
        (1.0, *(level.size / first.size for level in levels)),
        (0.0, *(level.indent for level in levels)),
        _CAPITALS if first.capitals else 1.0,
        _moved(shape, outer),
    )


def _moved(shape: Any, outer: Box) -> Box | None:
    """Return where a placeholder has to be on slides, if that is not where it is on its layout."""
    pairs = zip(placeholder.box(shape), outer, strict=True)
    return outer if any(abs(a - b) > _NEAR for a, b in pairs) else None


def _scale(box: Box) -> float:
    """Return how large letters of charts are in a box, in those of the kit."""
    own = KIT.tables.box
    return max(min(box.width / own.width, box.height / own.height, 1.0), _LEAST_SCALE)


def _theme(text: _Layout, geometry: Geometry) -> Theme:
    """Return the colours and letters of a template's charts: those of its text."""
    named = _named(text.layout)
    letters = placeholder.letters(text.body)
    ink, name = _resolved(letters.colour, named)
    is_dark = colours.luminance(ink) > _LIGHT
    ground = _ground(text.layout, geometry.texts.box, named)
    paper = ground or look.PAPER[look.DARK if is_dark else look.LIGHT]
    names = {named["accent1"]: MSO_THEME_COLOR.ACCENT_1, ink: name}
    return Theme(
        ink,
        style.mixed(ink, paper, _FAINT),
        style.mixed(ink, paper, _FAINTER),
        paper,
        Look(look.DARK if is_dark else look.LIGHT, transparent=True),
        fonts=(letters.font, ""),
        accent=named["accent1"],
        names={colour: name for colour, name in names.items() if name},
        plain=bool(ground),
        scale=_scale(geometry.texts.box),
    )


def _named(layout: Any) -> dict[str, str]:
    """Return the colours of a layout's theme, by the names that shapes call them."""
    master = layout.slide_master
    scheme = parse_xml(master.part.part_related_by(RELATIONSHIP_TYPE.THEME).blob)
    found = {}
    for colour in next(scheme.iter(qn("a:clrScheme"))):
        value = colour[0].get("lastClr") or colour[0].get("val")
        found[colour.tag.rpartition("}")[2]] = to_hex(f"#{value}")
    called = layout._element.find(f".//{qn('a:overrideClrMapping')}")
    if called is None:
        called = master._element.find(qn("p:clrMap"))
    return found | {name: found[called.get(name)] for name in ("tx1", "tx2", "bg1", "bg2")}


def _resolved(colour: Any, named: dict[str, str]) -> tuple[str, Any]:
    """Return a colour's RGB, and its name if it is the theme's; of no colour the theme's text."""
    kind = "" if colour is None else colour.tag.rpartition("}")[2]
    if kind == "srgbClr":
        found, name = to_hex(f"#{colour.get('val')}"), None
    elif kind == "sysClr":
        found, name = to_hex(f"#{colour.get('lastClr')}"), None
    else:
        called = colour.get("val") if kind == "schemeClr" else "tx1"
        called = called if called in named else "tx1"
        found, name = named[called], MSO_THEME_COLOR.from_xml(called)
    changes = {} if colour is None else {c.tag.rpartition("}")[2]: c.get("val") for c in colour}
    if {"lumMod", "lumOff"} & {*changes}:
        hue, light, full = colorsys.rgb_to_hls(*to_rgb(found))
        light = light * int(changes.get("lumMod", _ALL)) + int(changes.get("lumOff", 0))
        found = to_hex(colorsys.hls_to_rgb(hue, min(light / _ALL, 1.0), full))
        name = None
    return found, name


def _ground(layout: Any, box: Box, named: dict[str, str]) -> str:
    """Return the one colour that is behind a box; empty if there are several, or a picture."""
    master = layout.slide_master
    ground = _background(layout, named) or _background(master, named) or "#ffffff"
    shows = layout._element.get("showMasterSp") not in ("0", "false")
    for shape in (*(master.shapes if shows else ()), *layout.shapes):
        if shape.is_placeholder or not overlap(box, placeholder.box(shape)):
            continue
        fill = getattr(shape, "fill", None)
        if fill is not None and fill.type == MSO_FILL.BACKGROUND:
            continue
        ground = _MIXED
        if fill is not None and fill.type == MSO_FILL.SOLID and _contains(shape, box):
            ground = _resolved(fill._xPr.find(qn("a:solidFill"))[0], named)[0]
    return "" if ground == _MIXED else ground


def _background(slide: Any, named: dict[str, str]) -> str:
    """Return the background of a layout or master; empty if it has none of its own."""
    found = slide._element.find(f"{qn('p:cSld')}/{qn('p:bg')}")
    if found is None:
        return ""
    fill = found.find(f"{qn('p:bgPr')}/{qn('a:solidFill')}")
    if fill is not None:
        return _resolved(fill[0], named)[0]
    reference = found.find(qn("p:bgRef"))
    if reference is not None and reference.get("idx") == _SOLID:
        return _resolved(reference[0], named)[0]
    return _MIXED


def _contains(shape: Any, box: Box) -> bool:
    outer = placeholder.box(shape)
    across = outer.left <= box.left + 1 and box.right <= outer.right + 1
    return across and outer.top <= box.top + 1 and box.bottom <= outer.bottom + 1
