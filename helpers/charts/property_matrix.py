"""A matrix of properties: a row each, a column a variant, and in each cell what was found."""

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from helpers.answers.chart import Cell, Matrix
from helpers.charts import axes
from helpers.charts.colours import CELLS, FAINT, INK
from helpers.text import escape
from helpers.text.i18n import ENGLISH, columns, letters, spoken, t

_FOUND, _UNKNOWN, _NO_PACKAGE = "found", "not measured", "no such package"

_WIDTH = 68
"""Characters that fit side by side into all cells of a row, at the size of few rows."""

_POINTS = 560.0
"""Width of all columns in points, some less than they have."""

_HEIGHT, _HANGUL_HEIGHT = 270, 240
"""Points that the letters of all rows may take together: Hangul fills more of a line."""

_FEW = 3
"""Variants up to this many have room for names, and not for numbers alone."""


def draw(chart: Matrix, ax: Axes) -> Axes:
    """Draw the cells: filled is there, empty is not, dotted was not measured."""
    across, down = len(chart.columns), len(chart.rows)
    size = min(16.0, (_HEIGHT if spoken() == ENGLISH else _HANGUL_HEIGHT) / down)
    room = max(int(_WIDTH / across), 6)
    for y, cells in enumerate(chart.cells):
        for x, cell in enumerate(cells):
            is_unknown = cell.state in (_UNKNOWN, _NO_PACKAGE)
            ax.add_patch(
                Rectangle(
                    (x + 0.02, y + 0.06),
                    0.96,
                    0.88,
                    facecolor=CELLS.get(cell.state, "white"),
                    edgecolor=FAINT,
                    linewidth=0.8,
                    linestyle=":" if is_unknown else "-",
                )
            )
            ax.text(
                x + 0.5,
                y + 0.5,
                _text(cell, room, across),
                ha="center",
                va="center_baseline",
                size=size,
                color=FAINT if is_unknown else INK,
                style="italic" if is_unknown else "normal",
                weight="bold" if cell.state == _FOUND else "normal",
            )
    ax.set_xlim(0, across)
    ax.set_ylim(down, 0)
    names = [_wrapped(variant, max(room, 11)) for variant in chart.columns]
    ax.set_xticks(
        [x + 0.5 for x in range(across)],
        ["\n".join(lines) for lines in names],
        size=min([18.0 if across <= _FEW else 14.0, *(_fitting(n, across) for n in names)]),
    )
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", length=0)
    ax.set_yticks([y + 0.5 for y in range(down)], list(map(axes.plain, chart.rows)), size=size)
    ax.legend(
        handles=_legend(), loc="upper left", bbox_to_anchor=(0, 0), ncols=4, fontsize=14,
        borderaxespad=0.2,
    )  # fmt: skip
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def _legend() -> list[Rectangle]:
    """Return what the fillings of cells stand for."""
    edge: dict[str, Any] = {"edgecolor": FAINT, "linewidth": 0.8}
    fillings: list[tuple[str, dict[str, Any]]] = [
        (t("there"), {"facecolor": CELLS[_FOUND]}),
        (t("neutral"), {"facecolor": CELLS["plain"]}),
        (t("none"), {"facecolor": "white"}),
        (t("not known"), {"facecolor": "white", "linestyle": ":"}),
    ]
    return [Rectangle((0, 0), 1, 1, label=label, **edge, **style) for label, style in fillings]


def _wrapped(variant: str, width: int) -> list[str]:
    """Return a name on three lines at most; a long one loses its middle."""
    for most in range(3 * width, width, -1):
        lines = textwrap.wrap(escape.short(variant, most), width)
        if len(lines) <= 3:
            break
    return lines[:3]


def _fitting(lines: list[str], across: int) -> float:
    """Return the size of text at which the widest of these lines fits into a column, in points."""
    widest = max(TextPath((0, 0), line, size=1).get_extents().width for line in lines)
    return float(_POINTS / across / max(widest, 1e-6))


def _text(cell: Cell, room: int, across: int) -> str:
    """Return what fits into a cell: the words, or, of what is counted, how many there are."""
    text = escape.plain(cell.text)
    if columns(text) > room:
        text = escape.plain(cell.short or cell.text)
    if columns(text) <= room:
        return text
    if cell.count is not None and cell.count > 1 and cell.state == _FOUND:
        head = f"{cell.count:,}: "
        names = text.split(", ")
        fit = [
            name
            for place, name in enumerate(names)
            if len(", ".join(names[: place + 1])) <= room - len(head) - 2
        ]
        return f"{head}{', '.join(fit)} …" if fit and across <= _FEW else f"{cell.count:,}"
    if cell.state == _UNKNOWN:
        return "?"
    return escape.short(text, letters(text, room))
