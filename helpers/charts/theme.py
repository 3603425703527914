"""The theme of a drawn figure: what is dark on white is light on a dark ground."""

import math
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from helpers.charts.look import DARK, PAPER, Look

_INK_LIGHTNESS, _LIGHT_INK, _FAINTEST = 0.25, 0.94, 0.39
"""OKLab lightness: of the ink on white, and what ink and nearly white become on a dark ground."""


def dress(figure: Figure, look: Look) -> None:
    """Give a drawn figure, drawn in the light theme, the colours of the theme, and its ground."""
    if look.theme == DARK:
        for artist in figure.findobj():
            _darken(artist)
    if look.transparent:
        figure.patch.set_alpha(0)
        for axes in figure.axes:
            axes.patch.set_alpha(0)
        for text in figure.findobj(Text):
            if (box := text.get_bbox_patch()) is not None:
                box.set_alpha(0)


def dress_axes(axes: Axes, look: Look) -> None:
    """Give drawn axes the colours of the theme, and the figure that they are in its ground."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    if look.theme == DARK:
        for artist in axes.findobj():
            _darken(artist)
        figure.patch.set_facecolor(PAPER[DARK])
    if look.transparent:
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)


def dark(colour: Any) -> str:
    """Return a colour for a dark ground: its hue, with what was dark light and the reverse.

    The order of lightness is reversed and kept, so what stands out on white stands out on dark.
    Lightness is that of OKLab (Ottosson 2020, https://bottosson.github.io/posts/oklab/).

    >>> dark("white"), dark("#222222")
    ('#16181b', '#eaeaea')
    """
    if to_hex(colour) == "#ffffff":
        return to_hex(PAPER[DARK])
    lightness, a, b = oklab(to_rgb(colour))
    share = (lightness - _INK_LIGHTNESS) / (1 - _INK_LIGHTNESS)
    return _hex(_LIGHT_INK - share * (_LIGHT_INK - _FAINTEST), a, b)


def _darken(artist: Artist) -> None:
    if isinstance(artist, Text):
        artist.set_color(dark(artist.get_color()))
        # What a text stands on is no child of it.
        if (box := artist.get_bbox_patch()) is not None:
            _darken(box)
    elif isinstance(artist, Line2D):
        # All are read before one is set: a marker without a colour of its own has the line's.
        parts = ("color", "markerfacecolor", "markeredgecolor")
        for part, colour in [(part, getattr(artist, f"get_{part}")()) for part in parts]:
            if isinstance(colour, str) and colour in ("none", "auto"):
                continue
            getattr(artist, f"set_{part}")(dark(colour))
    elif isinstance(artist, Patch):
        face, edge = to_rgba(artist.get_facecolor()), to_rgba(artist.get_edgecolor())
        # What has no colour gets none: one that is set would take the patch's own opacity.
        if edge[3]:
            artist.set_edgecolor((*to_rgb(dark(edge)), edge[3]))
        if face[3]:
            artist.set_facecolor((*to_rgb(dark(face)), face[3]))
    elif isinstance(artist, Collection):
        colours: Any = artist.get_facecolor(), artist.get_edgecolor()
        faces, edges = ([(*to_rgb(dark(c)), c[3]) for c in part] for part in colours)
        artist.set_facecolor(faces)
        artist.set_edgecolor(edges)


def oklab(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return a colour in OKLab: its lightness, and how red and how yellow it is."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _hex(lightness: float, a: float, b: float) -> str:
    """Return an OKLab colour as sRGB; what no screen can show is cut to what it can."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    encoded = (
        12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055
        for c in (min(max(c, 0.0), 1.0) for c in linear)
    )
    red, green, blue = encoded
    return to_hex((red, green, blue))
