"""How wide text is in a figure or on a slide: measured, so that none runs out of its place."""

from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import matplotlib as mpl
from PIL import ImageFont

LEADING = 1.2
"""Height of a line, in sizes of its letters."""

_MEASURED_AT = 100


@cache
def _font(bold: bool) -> Any:
    # matplotlib's own font is on every machine, and wider than those that slides are shown in.
    name = f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    path = Path(mpl.get_data_path(), "fonts", "ttf", name)
    return ImageFont.truetype(path, _MEASURED_AT)


def width(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a text is, in points; letters of East Asia are as wide as they are high."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    rest = "".join(letter for letter in text if east_asian_width(letter) not in "WF")
    return size * (wide + float(_font(bold).getlength(rest)) / _MEASURED_AT)
