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
    """Colours of words, of small print, of lines, and of the ground; and how figures look.

    A template's theme has besides: `names` of its colours, so that what is drawn in one follows the
    theme; the `accent` of a figure's only series; `fonts`, Latin and of East Asia, unless letters
    have those of the theme; whether the ground is one `plain` colour. `scale` is how large letters
    of charts are, in those of the kit.
    """

    ink: str
    faint: str
    line: str
    paper: str
    look: Look = Look()
    fonts: tuple[str, str] = (LATIN, EAST_ASIAN)
    accent: str = ""
    names: Mapping[str, Any] = {}
    plain: bool = True
    scale: float = 1.0

    def shade(self, colour: str) -> str:
        """Return a colour of charts as it is in this theme."""
        return dark(colour) if self.look.theme == look.DARK else to_hex(colour)

    def single(self, colour: str) -> str:
        """Return the colour of a figure's only series, or of the baseline in it."""
        if self.accent and colour == colours.BAR:
            return self.accent
        if self.accent and colour == colours.BASELINE:
            return mixed(self.accent, self.paper)
        return self.shade(colour)

    def letters(self, size: float) -> float:
        """Return a size of a chart's letters in this theme, in points."""
        return round(size * self.scale, 1)


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


def paint(form: Any, colour: str, theme: Theme) -> None:
    """Set a colour of python-pptx's: by its name if it is one of the theme's."""
    if name := theme.names.get(to_hex(colour)):
        form.theme_color = name
    else:
        form.rgb = rgb(colour)


def mixed(colour: str, paper: str, share: float = 0.5) -> str:
    """Return a pale colour: a share of it, and the rest of the ground."""
    pairs = zip(to_rgb(colour), to_rgb(paper), strict=True)
    red, green, blue = (share * a + (1 - share) * b for a, b in pairs)
    return to_hex((red, green, blue))


def write(run: Any, text: str, theme: Theme, size: float, colour: str, bold: bool = False) -> None:
    """Write a line of text into a run, in fonts and in the language that its letters need."""
    write_plain(run, text)
    dress(run.font, theme, size, colour, bold)


def write_plain(run: Any, text: str) -> None:
    """Write a line of text into a run that looks like its place, in the language of its letters."""
    run.text = escape.plain(text)
    run.font._rPr.set("lang", _TAGS.get(spoken(), spoken()))


def dress(font: Any, theme: Theme, size: float, colour: str, bold: bool = False) -> None:
    """Set a font's size in points, colour and weight, and its faces: Latin and of East Asia."""
    font.size, font.bold = Pt(size), bold
    paint(font.color, colour, theme)
    latin, east_asian = theme.fonts
    properties = font._rPr
    for old in properties.findall(qn("a:ea")):
        properties.remove(old)
    if latin:
        font.name = latin
    if latin and east_asian:
        face = OxmlElement("a:ea")
        face.set("typeface", east_asian)
        properties.find(qn("a:latin")).addnext(face)
