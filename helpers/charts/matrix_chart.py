"""A matrix of properties: a row each, a column a variant, and in each cell what was found."""

import textwrap
from itertools import zip_longest
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from helpers.answers.chart_data import FOUND, NO_PACKAGE, NONE, PLAIN, UNKNOWN, Cell, Matrix
from helpers.charts import axes
from helpers.charts.colours import CELLS, FAINT, INK
from helpers.charts.lettering import width
from helpers.text import escape
from helpers.text.i18n import t

SIZE, _LARGE = 17.0, 20.0
"""Size of the letters of cells and rows, in points, and of those of few rows."""

_FEW_ROWS = 5
"""Rows up to these many have room for large letters."""

_ACROSS = 870.0
"""Width of names and cells together in points, some less than they have."""

_HEADING = 0.8
"""Height of a heading, in rows."""


def draw(chart: Matrix, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw the cells: filled is there, empty is not, dotted was not measured.

    `scale` is that of letters and lines.
    """
    size = _size(chart)
    wide = _column_width(chart, size)
    places, headings, bottom = _down(chart)
    for y, cells in zip(places, chart.cells, strict=True):
        for x, cell in enumerate(cells):
            is_unknown, is_bold = cell.state in (UNKNOWN, NO_PACKAGE), cell.state == FOUND
            ax.add_patch(
                Rectangle(
                    (x + 0.02, y + 0.06),
                    0.96,
                    0.88,
                    facecolor=CELLS.get(cell.state, "white"),
                    edgecolor=FAINT,
                    linewidth=0.8 * scale,
                    linestyle=":" if is_unknown else "-",
                )
            )
            ax.text(
                x + 0.5,
                y + 0.5,
                _text(cell, 0.92 * wide, size),
                ha="center",
                va="center_baseline",
                size=scale * size,
                color=FAINT if is_unknown else INK,
                style="italic" if is_unknown else "normal",
                weight="bold" if is_bold else "normal",
            )
    ax.set_xlim(0, max(len(chart.columns), 1))
    ax.set_ylim(bottom, 0)
    _name_columns(chart, ax, wide, size, scale)
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", length=0)
    ax.set_yticks(
        [*(y + 0.5 for y in places), *(y + 0.5 * _HEADING for y in headings)],
        list(map(axes.plain, [*chart.rows, *headings.values()])),
        size=scale * size,
    )
    for label in ax.get_yticklabels()[len(places) :]:
        label.set_fontweight("bold")
    ax.legend(
        handles=_legend(chart, scale), loc="upper left", bbox_to_anchor=(0, 0), ncols=4,
        fontsize=16 * scale, borderaxespad=0.2,
    )  # fmt: skip
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def _size(chart: Matrix) -> float:
    """Return the size of letters in points: large if rows are few."""
    return _LARGE if len(chart.rows) <= _FEW_ROWS else SIZE


def _name_columns(chart: Matrix, ax: Axes, wide: float, size: float, scale: float) -> None:
    """Name the columns, which are so wide in points, above them."""
    names = [_wrapped(variant, max(int(wide / (0.6 * size)), 11)) for variant in chart.columns]
    ax.set_xticks(
        [x + 0.5 for x in range(len(names))],
        ["\n".join(lines) for lines in names],
        size=scale * min([size, *(_fitting(lines, wide) for lines in names)]),
    )


def _down(chart: Matrix) -> tuple[list[float], dict[float, str], float]:
    """Return where rows begin, from above, the headings by where they do, and where all ends."""
    places: list[float] = []
    headings: dict[float, str] = {}
    y, last = 0.0, ""
    for _, heading in zip_longest(chart.rows, chart.groups, fillvalue=""):
        if heading != last:
            headings[y] = last = heading
            y += _HEADING
        places.append(y)
        y += 1
    return places, headings, y


def _column_width(chart: Matrix, size: float) -> float:
    """Return how wide a column is in points, beside the names of rows."""
    names = max(width(row, size) for row in [*chart.rows, ""])
    return (_ACROSS - names) / max(len(chart.columns), 1)


def _legend(chart: Matrix, scale: float) -> list[Rectangle]:
    """Return what the fillings of cells stand for, of those that there are."""
    states = {cell.state for cells in chart.cells for cell in cells}
    edge: dict[str, Any] = {"edgecolor": FAINT, "linewidth": 0.8 * scale}
    fillings: list[tuple[set[str], str, dict[str, Any]]] = [
        ({FOUND}, t("there"), {"facecolor": CELLS[FOUND]}),
        ({PLAIN}, t("neutral"), {"facecolor": CELLS[PLAIN]}),
        ({NONE}, t("none"), {"facecolor": CELLS[NONE]}),
        ({UNKNOWN, NO_PACKAGE}, t("not known"), {"facecolor": "white", "linestyle": ":"}),
    ]
    return [
        Rectangle((0, 0), 1, 1, label=label, **edge, **style)
        for of, label, style in fillings
        if of & states
    ]


def _wrapped(variant: str, width: int) -> list[str]:
    """Return a name on three lines at most; a long one loses its middle."""
    for most in range(3 * width, width, -1):
        lines = textwrap.wrap(escape.short(variant, most), width)
        if len(lines) <= 3:
            break
    return lines[:3]


def _fitting(lines: list[str], wide: float) -> float:
    """Return the size of text at which the widest of these lines fits into a column, in points."""
    return 0.94 * wide / max(width(line, 1) for line in lines)


def _text(cell: Cell, wide: float, size: float) -> str:
    """Return what fits into a cell: the words, or, of what is counted, how many there are."""
    text, short = escape.plain(cell.text), escape.plain(cell.short or cell.text)
    shown = [text, short]
    if cell.count is not None and cell.count > 1 and cell.state == FOUND:
        names = short.split(", ")
        some = (", ".join(names[:count]) for count in range(len(names) - 1, 0, -1))
        shown += [*(f"{cell.count:,}: {part} …" for part in some), f"{cell.count:,}"]
    elif cell.state == UNKNOWN:
        shown.append("?")
    else:
        shown += [escape.short(short, letters) for letters in range(len(short) - 1, 3, -1)]
    fit = (text for text in shown if width(text, size, cell.state == FOUND) <= wide)
    return next(fit, shown[-1])
