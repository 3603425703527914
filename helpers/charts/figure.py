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
from matplotlib.text import Text
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
    fonts,
    interval_chart,
    layout,
    matrix_chart,
    overlap_chart,
    point_chart,
    timeline_chart,
    waterfall_chart,
)
from helpers.charts.colours import FAINT, FOOTER, INK
from helpers.charts.look import DEFAULT, Look
from helpers.charts.theme import dress
from helpers.text import escape, i18n, titles

_WIDTHS = (140, 126, 112, 100, 88)
"""Columns that fit on a line of a footer: fewer where letters are wide."""

_TITLE_SIZE, _SUBTITLE_SIZE, _FOOTER_SIZE = 25, 17, 14
"""Sizes of what is above and below the axes, in points."""

_SUBTITLE_WIDTH = 106
"""Columns of a subtitle, in English, that fit on a line of a figure."""

_MARGIN = 10
"""Points between the edge of a figure and its words, and between those and the axes."""

_HEIGHT = 6.2
"""Height of a figure of points or of columns, in inches."""

_ROWS = (3.6, 7.2)
"""The least and the greatest height of a figure of rows, in inches."""

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
    subtitle: str = "",
) -> Figure:
    """Return a figure of a chart, laid out; what is empty of its words takes no room.

    `subtitle` says what is drawn and under which conditions, `footer` where it comes from. `tall`
    is the height in inches, if not as high as the chart needs; one for `quick` has fewer pixels.
    """
    with style():
        drawn = Figure()
        if is_quick:
            drawn.set_dpi(_QUICK * drawn.dpi)
        draw(chart, drawn.subplots())
        head, above = _head(drawn, title, subtitle)
        foot, below = _foot(drawn, footer)
        drawn.set_figheight(tall or _height(chart, above + below))
        points = 72 * drawn.get_figheight()
        for text, down in head:
            text.set_y(1 - down / points)
        foot.set_y(_MARGIN / points)
        engine = drawn.get_layout_engine()
        assert isinstance(engine, ConstrainedLayoutEngine)
        engine.set(rect=(0, below / points, 1, 1 - (below + above) / points))
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
    """Use the style file and the kit's font, for as long as one draws.

    matplotlib has one style for all threads, so one thread draws at a time.
    """
    fonts.register()
    with _DRAWING, mpl.rc_context(fname=paths.STYLE):
        yield


def _height(chart: Chart, words: float) -> float:
    """Return the height of a figure in inches: a chart of rows is as high as they need.

    `words` is what those above and below the chart take, in points.
    """
    match chart:
        case Bars():
            rows = bar_chart.height(chart)
        case Boxes() | Intervals():
            rows = 1.1 + 0.62 * len(chart.boxes if isinstance(chart, Boxes) else chart.intervals)
        case Matrix():
            rows = 1.1 + 0.5 * (len(chart.rows) + len(set(chart.groups)))
        case Waterfall():
            rows = 0.5 + 0.4 * len(chart.steps)
        case Points() | Overlap():
            return _HEIGHT
        case _:
            return _ROWS[1]
    return min(max(words / 72 + rows + 2 * _MARGIN / 72, _ROWS[0]), _ROWS[1])


def _head(figure: Figure, title: str, subtitle: str) -> tuple[list[tuple[Text, float]], float]:
    """Write title and subtitle, on two lines each at most.

    Return them with how far down they begin, and how much room they take, in points.
    """
    written: list[tuple[Text, float]] = []
    down = 0.0
    for text, size, width, weight, colour in (
        (title, _TITLE_SIZE, titles.WIDTH, "bold", INK),
        (subtitle, _SUBTITLE_SIZE, _SUBTITLE_WIDTH, "normal", FAINT),
    ):
        if not text:
            continue
        lines = i18n.wrap(escape.plain(text), i18n.room(width))
        shown = "\n".join(lines[: titles.LINES]) + (" …" if len(lines) > titles.LINES else "")
        down += _MARGIN
        drawn = figure.text(0.012, 1, shown, size=size, weight=weight, color=colour, va="top")
        written.append((drawn, down))
        down += drawn.get_window_extent(_renderer(figure)).height / figure.dpi * 72
    return written, down


def _foot(figure: Figure, footer: str) -> tuple[Text, float]:
    """Write a footer on as many lines as it takes; return it, and its room in points."""
    drawn = figure.text(0.012, 0, "", size=_FOOTER_SIZE, color=FOOTER)
    if not footer:
        return drawn, 0.0
    for width in _WIDTHS:
        drawn.set_text(axes.wrapped(footer, i18n.room(width)))
        box = drawn.get_window_extent(_renderer(figure))
        # Capitals and digits are wider than most letters.
        if box.x1 < 0.99 * figure.bbox.width:
            break
    return drawn, _MARGIN + box.height / figure.dpi * 72


def _renderer(figure: Figure) -> Any:
    return FigureCanvasAgg(figure).get_renderer()
