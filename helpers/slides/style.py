"""Letters and colours of slides and of the charts on them, for python-pptx."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from matplotlib.colors import to_hex, to_rgb
from pptx.dml.color import RGBColor
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Pt

from helpers.charts import colours, look
from helpers.charts.look import Look
from helpers.charts.theme import dark
from helpers.text import escape
from helpers.text.i18n import spoken

LATIN, EAST_ASIAN = "Arial", "Malgun Gothic"
"""Fonts of slides: wherever PowerPoint is; LibreOffice takes others that are as wide."""

_TAGS = {"en": "en-US", "ko": "ko-KR"}


class Theme(NamedTuple):
    """Colours of words, of small print, of lines, and of the ground; and how figures look."""

    ink: str
    faint: str
    line: str
    paper: str
    look: Look = Look()

    def shade(self, colour: str) -> str:
        """Return a colour of charts as it is in this theme."""
        return dark(colour) if self.look.theme == look.DARK else to_hex(colour)


def theme(parameters: Mapping[str, Any]) -> Theme:
    """Return the colours of a run's slides: those of its figures."""
    transparent = str(parameters.get("transparent", "")).lower() in ("true", "yes", "1")
    given = Look(str(parameters.get("theme") or look.LIGHT), transparent)
    light = Theme(colours.INK, "#5A5A5A", "#C8C8C8", "#FFFFFF", given)
    ink, faint, line, paper = map(light.shade, (light.ink, light.faint, light.line, light.paper))
    return Theme(ink, faint, line, paper, given)


def rgb(colour: str) -> RGBColor:
    """Return a colour of matplotlib's."""
    return RGBColor(*bytes.fromhex(to_hex(colour).removeprefix("#")))


def mixed(colour: str, paper: str) -> str:
    """Return a pale colour: half of it, and half of the ground."""
    red, green, blue = ((a + b) / 2 for a, b in zip(to_rgb(colour), to_rgb(paper), strict=True))
    return to_hex((red, green, blue))


def write(run: Any, text: str, size: float, colour: str, bold: bool = False) -> None:
    """Write a line of text into a run, in fonts and in the language that its letters need."""
    run.text = escape.plain(text)
    dress(run.font, size, colour, bold)
    run.font._rPr.set("lang", _TAGS.get(spoken(), spoken()))


def dress(font: Any, size: float, colour: str, bold: bool = False) -> None:
    """Set a font's size in points, colour and weight, and its faces: Latin and of East Asia."""
    font.size, font.bold = Pt(size), bold
    font.color.rgb = rgb(colour)
    font.name = LATIN
    properties = font._rPr
    for old in properties.findall(qn("a:ea")):
        properties.remove(old)
    face = OxmlElement("a:ea")
    face.set("typeface", EAST_ASIAN)
    properties.find(qn("a:latin")).addnext(face)
