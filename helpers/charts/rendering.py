"""Figures as files: PNG of few colours, SVG whose text is text; the same each time."""

import io

import PIL.Image
from matplotlib.figure import Figure
from PIL.Image import Dither, Quantize


def lay_out(figure: Figure) -> None:
    """Lay a figure out once, and not for each format anew."""
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine("none")


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG, without a date."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def png(figure: Figure) -> bytes:
    """Return a figure as PNG with a palette: of few colours, it is a third as large so."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba")
    width, height = (int(pixels) for pixels in figure.bbox.size)
    picture = PIL.Image.frombuffer("RGBA", (width, height), buffer.getvalue())
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
    """Return a figure as PNG of half the pixels, in a tenth of the time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi / 2, metadata={"Software": None})
    return buffer.getvalue()
