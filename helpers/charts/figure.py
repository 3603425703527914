"""Figures of charts: drawn with a title and a footer, laid out, and turned into files."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL.Image import Dither, Quantize

from helpers import paths
from helpers.answers.chart_data import (
    Bars,
    Boxes,
    Chart,
    Curves,
    Intervals,
    Matrix,
    Overlap,
    Points,
    Timeline,
    Waterfall,
)
from helpers.charts import (
    axes,
    bar_chart,
    box_chart,
    curve_chart,
    interval_chart,
    layout,
    matrix_chart,
    overlap_chart,
    point_chart,
    timeline_chart,
    waterfall_chart,
)
from helpers.charts.colours import FOOTER
from helpers.charts.look import DEFAULT, Look
from helpers.charts.theme import dress
from helpers.text import escape, i18n, titles

FOOTER_WIDTH = 124
"""Columns of the footer, in English, that fit on a line of a figure."""

_NARROWER = (112, 100, 88)
"""Columns of a footer whose letters are wide."""

_FOOTER_SIZE = 14

_QUICK = 0.45
"""Share of the pixels, in either direction, of a figure that is shown at once."""

_DRAWING = threading.RLock()

_DRAWERS: dict[type[Chart], Callable[..., Axes]] = {
    Bars: bar_chart.draw,
    Boxes: box_chart.draw,
    Curves: curve_chart.draw,
    Intervals: interval_chart.draw,
    Matrix: matrix_chart.draw,
    Overlap: overlap_chart.draw,
    Points: point_chart.draw,
    Timeline: timeline_chart.draw,
    Waterfall: waterfall_chart.draw,
}


def draw(chart: Chart, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw a chart, in the light theme; `scale` is that of letters, lines and markers."""
    return _DRAWERS[type(chart)](chart, ax, scale)


def figure(
    chart: Chart,
    title: str = "",
    footer: str = "",
    look: Look = DEFAULT,
    tall: float = 0.0,
    is_quick: bool = False,
) -> Figure:
    """Return a figure of a chart, laid out; without a title or a footer there is no room for one.

    `tall` is its height in inches if not that of the style file; one for `quick` has fewer
    pixels. Raises `FontMissing` if no font has the letters of the language that is spoken.
    """
    with style():
        drawn = Figure()
        if is_quick:
            drawn.set_dpi(_QUICK * drawn.dpi)
        if tall:
            drawn.set_figheight(tall)
        draw(chart, drawn.subplots())
        if title:
            drawn.suptitle(_title(title), x=0.012, ha="left")
        if footer:
            _place_footer(drawn, footer)
        if is_quick:
            layout.lay_out_quickly(drawn, chart)
        else:
            layout.lay_out(drawn)
        if isinstance(chart, Points):
            point_chart.name(chart, drawn.axes[0])
        dress(drawn, look)
    return drawn


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG: text is text, without a date, the same each time."""
    buffer, dpi = io.BytesIO(), figure.dpi
    with style():
        # `savefig` would draw it twice: once to lay it out, which is done.
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    figure.dpi = dpi
    return buffer.getvalue()


def png(figure: Figure) -> bytes:
    """Return a figure as PNG with a palette: of few colours, it is a third as large so."""
    picture = _drawn(figure)
    opaque = picture.getchannel("A").getextrema() == (255, 255)
    whole = picture.convert("RGB") if opaque else picture
    few = whole.quantize(256, Quantize.FASTOCTREE, dither=Dither.NONE)
    if opaque:
        # A palette is off by one here and there; the ground, which meets a slide's, must not be.
        ground, colours = few.getpixel((0, 0)), few.getpalette() or []
        assert isinstance(ground, int)
        colours[3 * ground : 3 * ground + 3] = picture.getpixel((0, 0))[:3]
        few.putpalette(colours)
    packed = io.BytesIO()
    few.save(packed, "png")
    return packed.getvalue()


def quick(figure: Figure) -> bytes:
    """Return a figure as PNG that is made at once, and is larger for it."""
    packed = io.BytesIO()
    # Nobody sees the hints of fonts once a page has scaled the picture, and they take a quarter.
    with style(), mpl.rc_context({"text.hinting": "no_hinting"}):
        _drawn(figure).convert("RGB").save(packed, "png", compress_level=1)
    return packed.getvalue()


def _drawn(figure: Figure) -> PIL.Image.Image:
    """Return the pixels of a figure. `savefig` would draw it twice: once to lay it out."""
    canvas = FigureCanvasAgg(figure)
    with style():
        canvas.draw()
    return PIL.Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())


@contextmanager
def style() -> Iterator[None]:
    """Use the style file and the fonts of the language that is spoken, for as long as one draws.

    matplotlib has one style for all threads, so one thread draws at a time. Raises `FontMissing`.
    """
    fonts = i18n.fonts()
    family: Any = {"font.family": [*fonts, "DejaVu Sans"]} if fonts else {}
    with _DRAWING, mpl.rc_context(family, fname=paths.STYLE):
        yield


def _title(title: str) -> str:
    """Return a title on two lines at most; a slide has no room for a third."""
    lines = i18n.wrap(escape.plain(title), i18n.room(titles.WIDTH))
    return "\n".join(lines[: titles.LINES]) + (" …" if len(lines) > titles.LINES else "")


def _place_footer(figure: Figure, footer: str) -> None:
    """Write a footer on as many lines as it takes, and keep their room."""
    drawn = figure.text(0.012, 0.012, "", size=_FOOTER_SIZE, color=FOOTER)
    renderer = FigureCanvasAgg(figure).get_renderer()
    for width in (FOOTER_WIDTH, *_NARROWER):
        text = axes.wrapped(footer, i18n.room(width))
        drawn.set_text(text)
        # Capitals and digits are wider than most letters.
        if drawn.get_window_extent(renderer).x1 < 0.99 * figure.bbox.width:
            break
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    height = 0.025 + 0.028 * (1 + text.count("\n"))
    engine.set(rect=(0, height, 1, 1 - height))
