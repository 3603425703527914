"""The kit's own font: Pretendard, which has Latin and Korean letters.

It comes with the kit, so that figures, report and slides look alike on every machine. Its licence,
the SIL Open Font License 1.1, is beside its files.
"""

import base64
import io
from functools import cache

from helpers import paths

FAMILY = "Pretendard"

_WEIGHTS = {"Regular": 400, "Bold": 700}
"""Names of the font's files, and their weights in CSS."""


_PLACE = "/* the font */"
"""Where a page's font goes."""


@cache
def register() -> None:
    """Tell matplotlib of the font, once a process."""
    from matplotlib.font_manager import fontManager

    for name in _WEIGHTS:
        fontManager.addfont(paths.FONTS / f"{FAMILY}-{name}.otf")


def embedded(page: str) -> str:
    """Return a page with the font in it, at its place: those of its letters that the page has.

    It looks alike on every machine then, and loads nothing.
    """
    rules = "\n".join(
        f"@font-face {{ font-family: {FAMILY}; font-weight: {weight}; "
        f"src: url(data:font/woff;base64,{_part(name, frozenset(page))}) format('woff'); }}"
        for name, weight in _WEIGHTS.items()
    )
    return page.replace(f"<style>{_PLACE}</style>", f"<style>{rules}</style>", 1)


@cache
def _part(name: str, letters: frozenset[str]) -> str:
    """Return a part of the font, as WOFF in base64."""
    from fontTools import subset

    options = subset.Options(flavor="woff", layout_features=["kern", "ccmp"], notdef_outline=True)
    font = subset.load_font(paths.FONTS / f"{FAMILY}-{name}.otf", options)
    wanted = subset.Subsetter(options)
    wanted.populate(text="".join(letters))
    wanted.subset(font)
    packed = io.BytesIO()
    font.save(packed)
    return base64.b64encode(packed.getvalue()).decode()
