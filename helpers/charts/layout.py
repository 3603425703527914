"""Lays figures out: once each, and alike figures that soon follow one another only once in all."""

from collections.abc import Hashable

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from helpers.answers.chart_data import Bars, Chart, Curves, Overlap

_MOST = 64
"""Layouts that are known at once."""

_known: dict[Hashable, Bbox] = {}
"""Where axes are, by what is beside them."""


def lay_out(figure: Figure) -> None:
    """Lay a figure out now, and not for each format anew."""
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine("none")


def lay_out_quickly(figure: Figure, chart: Chart) -> None:
    """Lay a figure out as the last one with as much beside its axes was, if there was one."""
    key = _beside(figure, chart)
    if key is None or key not in _known:
        lay_out(figure)
        if len(_known) >= _MOST:
            _known.clear()
        if key is not None:
            _known[key] = figure.axes[0].get_position()
        return
    figure.set_layout_engine("none")
    figure.axes[0].set_position(_known[key])


def _beside(figure: Figure, chart: Chart) -> Hashable:
    """Return what takes room beside the axes: names, and how many lines other words have."""
    (ax,) = figure.axes
    lines = [
        text.get_text().count("\n") for text in (*figure.texts, ax.xaxis.label, ax.yaxis.label)
    ]
    room = (figure.dpi, figure.get_figheight(), *lines, ax.get_legend() is None)
    match chart:
        case Bars():
            return (*room, *chart.rows, chart.palette)
        case Overlap():
            return (*room, *chart.variants)
        case Curves():
            # Numbers at both sides take room by their digits.
            ends = [(curve.name, len(f"{curve.points[-1][1]:,.0f}")) for curve in chart.curves]
            highest = max(count for curve in chart.curves for _, count in curve.points)
            return (*room, *ends, len(f"{highest:,.0f}"))
        case _:
            return None
