"""Rows of a chart: their names at the left, and what is said of each at the right."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from helpers.charts import axes
from helpers.charts.colours import INK
from helpers.text import escape, i18n

_FEW, _TALL = 6, 8
"""Rows up to these many have large letters, and room for names on two lines."""

_AXES_POINTS = 330
"""Height of the axes in points, at the least."""

_WIDTH = 26
"""Columns of a line of a name, which has two at most; a longer one loses its middle."""


def name(names: Sequence[str], ends: Sequence[str], ax: Axes, scale: float) -> None:
    """Name rows at the left, and write `ends` at the right of the axes.

    The first row is uppermost. `scale` is that of letters.
    """
    size = 20 if len(names) <= _FEW else min(17, 0.7 * _AXES_POINTS / len(names))
    shown = [axes.plain(_on_lines(each) if len(names) <= _TALL else _short(each)) for each in names]
    ax.set_yticks(range(len(names)), shown, size=scale * size)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.set_ylim(len(names) - 0.45, -0.55)
    for row, end in enumerate(ends):
        ax.annotate(
            axes.plain(end), (1, row), xytext=(8 * scale, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="left", va="center", size=scale * 0.85 * size,
            color=INK, annotation_clip=False, parse_math=False,
        )  # fmt: skip


def _on_lines(name: str) -> str:
    lines = i18n.wrap(escape.short(name, 2 * _WIDTH - 6), i18n.room(_WIDTH))
    return "\n".join(lines) if len(lines) < 3 else _short(name)


def _short(name: str) -> str:
    return escape.short(name, _WIDTH + 6)
