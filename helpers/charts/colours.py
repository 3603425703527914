"""All colours of charts: palettes by the keys of series, and the ink to write on a colour with."""

from typing import Any

from matplotlib.colors import to_rgb

from helpers.answers.chart_data import PAST, QUIET, STRONG

BAR, BASELINE, INK, FAINT = "#3C6E99", "#9DB4C8", "#222222", "#777777"
UP, DOWN, WHOLE = "#C77A1E", BASELINE, "#4A4A4A"
"""A step of a waterfall that makes larger or smaller, and a total."""

NO_DOT, BAND, FOOTER = "#DDE3E8", "#F0F0F0", "#666666"
"""The dot of a variant that is not in a combination, days of which facts are not complete, and the
footer's letters."""

LINES = (BAR, "#CC851C", "#1F5A3A", "#9B6BC9", "#2E2E2E", "#2F9A92")
"""Curves: neighbours differ in lightness; a curve is named at its end besides."""

CELLS = {"found": "#A9C4DE", "none": "white", "plain": "#E6EBF0"}
"""Cells of the property matrix by their state; what is not known is white."""

_GREEN, _ORANGE, _DEEP_BLUE, _GREY = "#3F7F4F", "#E8893A", "#26304A", "#5F666D"
_RED, _DEEP_RED = "#BE3A34", "#43092B"
"""HIGH and CRITICAL; red means nothing else."""

Style = dict[str, Any]


def _solid(colour: str, edge: str = "white") -> Style:
    return {"color": colour, "edgecolor": edge}


def _hatched(colour: str, hatch: str) -> Style:
    return {"facecolor": "white", "edgecolor": colour, "hatch": hatch}


_HIDDEN = _hatched(_DEEP_BLUE, "//")
_OWNER_UNKNOWN = _hatched(_GREY, ".")

SEVERITY = {
    "CRITICAL": _solid(_DEEP_RED),
    "HIGH": _solid(_RED),
    "MEDIUM": _solid(_ORANGE),
    "LOW": _solid("#F2CC5E"),
    "UNKNOWN": _solid("#E4E8EC", FAINT),
}
"""Severities: each lighter than the one before, so that they survive greyscale."""

GROUP = {
    "OS packages": _solid(BAR),
    "runtime": _solid(_GREEN),
    "bundled tools": _solid(BASELINE),
    "app": _solid(_ORANGE),
    "caches and docs": _solid("#D9DDE1"),
    "unowned": _solid(_DEEP_BLUE),
    "owner not known": _OWNER_UNKNOWN,
    "hidden by later layers": _HIDDEN,
}
"""Groups of bytes: neighbours differ in lightness, so that they survive greyscale."""

PALETTES: dict[str, dict[str, Style]] = {
    "severity": SEVERITY,
    "fix": {"fixable": _solid(BAR), "unfixed": _hatched(BAR, "//")},
    "place": {"os": _solid(BAR), "tools": _solid(BASELINE), "app": _solid(_ORANGE)},
    "need": {
        "the app's own, or linked by it": _solid(BAR),
        "no program in it": _hatched(BAR, "."),
        "not linked by the app": _hatched(BAR, "//"),
    },
    "exploitation": {
        "known to be exploited": _solid(_DEEP_BLUE),
        "likely": _solid(_ORANGE),
        "less likely": _solid(BASELINE),
        "not scored": _OWNER_UNKNOWN,
    },
    "cause": {
        "image": _solid(BAR),
        "database": _solid(_ORANGE),
        "scanner": _solid(BASELINE),
        "statement": _solid(_GREEN),
        "one of several": _hatched(BAR, "//"),
        "not known": _OWNER_UNKNOWN,
    },
    "days": {"days": _solid(BAR)},
    "declared": {"counts": _solid(BAR), "declared harmless": _hatched(BAR, "//")},
    "size": {"size": {"color": BAR}},
    "group": GROUP,
    "coverage": {
        "in packages": _solid(BASELINE),
        "outside every package": _solid(_DEEP_BLUE),
        "not known": _OWNER_UNKNOWN,
    },
    "layers": {
        "from the base image": _solid(BAR),
        "on top of it": _solid(_ORANGE),
        "base not known": _solid(BASELINE),
        "hidden by later layers": _HIDDEN,
    },
    "points": {
        "": {"facecolor": BAR, "edgecolor": BAR},
        "front": {"facecolor": BAR, "edgecolor": BAR},
        "dominated": {"facecolor": "white", "edgecolor": BAR},
        "unsupported": {"facecolor": "white", "edgecolor": WHOLE, "marker": "D"},
        "exploited": {"facecolor": _DEEP_BLUE, "edgecolor": _DEEP_BLUE, "marker": "D"},
        "fixable": {"facecolor": BAR, "edgecolor": BAR},
        "unfixed": {"facecolor": "white", "edgecolor": BAR},
    },
}
"""What matplotlib needs to draw a series of a palette, by the series' key."""


def style(palette: str, key: str) -> Style:
    """Return the style of a series; a palette of one style has it for every key."""
    styles = PALETTES[palette]
    return next(iter(styles.values())) if len(styles) == 1 else styles[key]


TONES = {STRONG: _solid(BAR), QUIET: _solid(BASELINE), PAST: _hatched(BASELINE, "//")}
"""How bars of one series are drawn, by their tone."""


def main(style: Style) -> str:
    """Return the colour that tells a style: of a hatched one that of its lines."""
    return str(style.get("color") or style["edgecolor"])


def curve(place: int) -> str:
    """Return the colour of a curve; after the last one the first comes again."""
    return LINES[place % len(LINES)]


def ink_on(colour: str) -> str:
    """Return the ink, dark or white, that is readable on a colour.

    Relative luminance and the threshold of equal contrast are those of WCAG 2.2.
    """
    return "white" if luminance(colour) < 0.18 else INK


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance of a colour, from 0 (black) to 1 (white)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
