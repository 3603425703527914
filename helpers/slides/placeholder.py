"""A placeholder of a template: where it is, and how text in it is set, with what it inherits."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Emu

from helpers.slides.geometry import Box, common

TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
BODIES = (PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.BODY)
SUBTITLE, FOOTER = PP_PLACEHOLDER.SUBTITLE, PP_PLACEHOLDER.FOOTER
NUMBER, DATE = PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE

_INSETS = {"lIns": 91440, "tIns": 45720, "rIns": 91440, "bIns": 45720}
"""Room between the edges of a shape and its text, unless the shape says otherwise."""

_SIZE = 18.0
"""Points of letters of which nothing is said."""

_LEVELS = 3
"""Levels of bullets that slides have."""


class Letters(NamedTuple):
    """How a level of text is set: its size and indent in points, its colour and font.

    The colour is an XML element, or None for the theme's; the font is empty for the theme's.
    """

    size: float
    indent: float
    bold: bool
    capitals: bool
    colour: Any
    font: str


def kind(shape: Any) -> Any:
    """Return what a placeholder is for."""
    return shape.placeholder_format.type


def box(shape: Any) -> Box:
    """Return where a placeholder of a layout is."""
    return Box(*(Emu(side or 0).pt for side in (shape.left, shape.top, shape.width, shape.height)))


def slide(shape: Any) -> Box:
    """Return the slide that a placeholder of a layout is on, as a box."""
    deck = shape.part.package.main_document_part.presentation
    return Box(0, 0, deck.slide_width.pt, deck.slide_height.pt)


def is_on_slide(shape: Any) -> bool:
    """Return whether all of a placeholder of a layout is on the slide."""
    part, whole = common(box(shape), slide(shape)), box(shape)
    return part.width > whole.width - 1 and part.height > whole.height - 1


def inner(shape: Any, outer: Box) -> Box:
    """Return where text is in a box of a placeholder."""
    left, top, right, bottom = (
        Emu(int(_first(_bodies(shape), name) or default)).pt for name, default in _INSETS.items()
    )
    width, height = outer.width - left - right, outer.height - top - bottom
    return Box(outer.left + left, outer.top + top, width, height)


def is_upright(shape: Any) -> bool:
    """Return whether the text of a placeholder is in lines from left to right, and not turned."""
    turned = (_first(_bodies(shape), "vert") or "horz") != "horz"
    return not turned and not getattr(shape, "rotation", 0) and shape._element.ph_orient == "horz"


def letters(shape: Any, level: int = 1) -> Letters:
    """Return how a level of a layout's placeholder is set, the first being 1."""
    found = [
        paragraph
        for styles in _styles(shape)
        if (paragraph := styles.find(qn(f"a:lvl{level}pPr"))) is not None
    ]
    runs = [run for paragraph in found if (run := paragraph.find(qn("a:defRPr"))) is not None]
    fills = (run.find(qn("a:solidFill")) for run in runs)
    fonts = (run.find(qn("a:latin")) for run in runs)
    font = next((font.get("typeface") for font in fonts if font is not None), "")
    size = _first(runs, "sz")
    return Letters(
        size=int(size) / 100 if size else _SIZE,
        indent=Emu(int(_first(found, "marL") or 0)).pt,
        bold=_first(runs, "b") in ("1", "true"),
        capitals=_first(runs, "cap") == "all",
        colour=next((fill[0] for fill in fills if fill is not None and len(fill)), None),
        font="" if font.startswith("+") else font,
    )


def levels(shape: Any) -> list[Letters]:
    """Return how each level of a layout's placeholder is set that slides may have."""
    return [letters(shape, level) for level in range(1, _LEVELS + 1)]


def mend(layout: Any) -> None:
    """Have slides inherit from a layout, or a master, what LibreOffice wrote into its sample text.

    LibreOffice gives a title and its text the same number, and has letters and bullets in the words
    that ask for a click; slides take them from the list of styles only.
    """
    taken: set[int] = set()
    for shape in layout.placeholders:
        place = shape._element.ph
        if place.idx in taken:
            place.idx = max(taken) + 1
        taken.add(place.idx)
        styles = _child(shape, "a:lstStyle")
        if styles is None:
            styles = OxmlElement("a:lstStyle")
            shape._element.txBody.find(qn("a:bodyPr")).addnext(styles)
        for sample in shape._element.txBody.findall(qn("a:p")):
            level = _level(sample)
            if styles.find(level.tag) is None:
                styles.append(level)


def _level(sample: Any) -> Any:
    """Return the style of a level that a paragraph of sample text has."""
    old = sample.find(qn("a:pPr"))
    number = int(old.get("lvl", "0")) + 1 if old is not None else 1
    level = OxmlElement(f"a:lvl{number}pPr")
    if old is not None:
        level.attrib.update({key: value for key, value in old.attrib.items() if key != "lvl"})
        level.extend(copy.deepcopy(child) for child in old if child.tag != qn("a:defRPr"))
    runs = (sample.find(f".//{qn(name)}") for name in ("a:rPr", "a:endParaRPr"))
    found = next((run for run in runs if run is not None), None)
    if found is not None:
        letters = OxmlElement("a:defRPr")
        letters.attrib.update({key: value for key, value in found.attrib.items() if key != "lang"})
        letters.extend(copy.deepcopy(child) for child in found)
        level.append(letters)
    return level


def _styles(shape: Any) -> Iterator[Any]:
    """Yield the lists of styles that a layout's placeholder has or inherits, the nearest first."""
    master = shape.part.slide_layout.slide_master
    above = _above(shape, master)
    for one in (shape, above):
        if one is not None and (styles := _child(one, "a:lstStyle")) is not None:
            yield styles
    name = "title" if kind(shape) in TITLES else "body"
    if kind(shape) in (FOOTER, NUMBER, DATE):
        name = "other"
    if (styles := master._element.find(f"{qn('p:txStyles')}/{qn(f'p:{name}Style')}")) is not None:
        yield styles
    deck = shape.part.package.main_document_part._element
    if (styles := deck.find(qn("p:defaultTextStyle"))) is not None:
        yield styles


def _above(shape: Any, master: Any) -> Any:
    """Return the placeholder of a master that one of a layout inherits from, or None."""
    wanted = TITLES if kind(shape) in TITLES else (kind(shape),)
    if kind(shape) in (*BODIES, SUBTITLE):
        wanted = BODIES
    return next((one for one in master.placeholders if kind(one) in wanted), None)


def _bodies(shape: Any) -> list[Any]:
    """Return the properties of the text of a layout's placeholder and of what it inherits from."""
    above = _above(shape, shape.part.slide_layout.slide_master)
    found = [_child(one, "a:bodyPr") for one in (shape, above) if one is not None]
    return [body for body in found if body is not None]


def _child(shape: Any, name: str) -> Any:
    body = shape._element.txBody
    return body.find(qn(name)) if body is not None else None


def _first(elements: list[Any], name: str) -> str | None:
    """Return an attribute of the first element that has it."""
    return next((value for one in elements if (value := one.get(name)) is not None), None)
