"""The overlap of several variants: bars over a matrix of dots, one column a combination."""

import pandas as pd
from matplotlib.axes import Axes

from helpers.charts.bar_charts import COLOURS, FAINT, INK, nothing, number_of, wrapped
from helpers.frames import SEVERITIES
from helpers.text import escape
from helpers.text.i18n import msg, word
from helpers.vulnerabilities.overlap import JOINED, REST

_BAR_WIDTH = 0.62
_ROW = 0.15
"""Height of a row of dots, as a share of the highest bar."""


def overlap(combinations: pd.DataFrame, ax: Axes, variants: list[str], counted: str) -> Axes:
    """Draw `overlap.combinations`: how many vulnerabilities each combination of variants has.

    Below each bar, the dots say which variants have what it counts, and no other has.
    """
    if combinations.empty:
        return nothing(ax, msg("Under this lens no vulnerability is counted in any image."))
    highest = max(float(combinations["vulnerabilities"].max()), 1.0)
    columns = range(len(combinations))
    bottom = pd.Series(0.0, index=combinations.index)
    for severity in reversed(SEVERITIES):
        heights = combinations[severity].astype(float)
        ax.bar(
            columns,
            heights,
            bottom=bottom,
            width=_BAR_WIDTH,
            color=COLOURS[severity],
            edgecolor=FAINT if severity == "UNKNOWN" else "white",
            linewidth=heights.gt(0).astype(float),
            label=word(severity),
        )
        bottom += heights
    for column, total in enumerate(combinations["vulnerabilities"]):
        ax.text(
            column,
            total + 0.02 * highest,
            f"{total:,}",
            ha="center",
            va="bottom",
            weight="bold",
            size=19,
        )
    rows = [-(place + 0.8) * _ROW * highest for place in range(len(variants))]
    for column, named in enumerate(combinations["variants"]):
        _dots(ax, column, rows, variants, str(named), highest)
    size = 20 if len(variants) <= 3 else 16
    ax.set_yticks(rows, [escape.short(v, 24) for v in variants], size=size)
    ax.set_ylim(rows[-1] - 0.6 * _ROW * highest if rows else -1, 1.12 * highest)
    ax.set_xlim(-0.6, max(len(combinations), 3) - 0.4)
    ax.set_xticks([])
    ax.axhline(0, color=FAINT, linewidth=1)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel(word(msg("● in these variants, and in no other")))
    ax.set_ylabel(wrapped(number_of(counted), 26), loc="top", size=16)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(SEVERITIES), borderaxespad=0.3)
    return ax


def _dots(
    ax: Axes, column: int, rows: list[float], variants: list[str], named: str, highest: float
) -> None:
    """Draw one column of the matrix; a line joins the variants that share."""
    if named == REST:
        middle = sum(rows) / len(rows)
        told = word(REST).replace(" ", "\n")
        ax.text(column, middle, told, ha="center", va="center", size=14)
        return
    within = named.split(JOINED)
    there = [row for row, variant in zip(rows, variants, strict=True) if variant in within]
    ax.plot([column] * len(rows), rows, "o", color="#DDE3E8", markersize=13, clip_on=False)
    ax.plot([column] * len(there), there, "o-", color=INK, markersize=13, linewidth=3)
