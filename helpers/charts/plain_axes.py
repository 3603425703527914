"""Charts on axes of any figure: in the kit's look, and as large as there is room for."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.gridspec import SubplotSpec
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from helpers.answers.chart import Chart, Matrix, Points, why_empty
from helpers.charts import axes, figure, matrix_chart, point_chart
from helpers.charts.colours import FAINT
from helpers.errors import ParameterInvalid

_SIZES = ("size", "width", ".pad", "labelpad", "titlepad", "h_pad", "w_pad")
"""Ends of the names of settings that are in points or inches."""


def draw(chart: Chart, ax: Axes) -> Axes:
    """Clear axes but for their titles, and draw a chart on them; of an empty one, why it is empty.

    Letters, lines and markers are as large as on a figure of the kit of the axes' size. A figure
    without a layout engine gets the constrained one, so that all stays within it. Raises
    `FontMissing`, and `ParameterInvalid` for what is no `Axes`.
    """
    if not isinstance(ax, Axes):
        kind = type(ax).__name__
        raise ParameterInvalid(f"a chart needs one Axes, not {kind}; of several take one: axes[0]")
    with _style(ax) as scale:
        _clear(ax)
        if why := why_empty(chart):
            text = axes.wrapped(why, 44)
            ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=FAINT)
            ax.set_axis_off()
            return ax
        figure.draw(chart, ax, scale)
        for label in ax.get_yticklabels():
            # A tick that was there before reads a dollar sign as a formula's.
            label.set_parse_math(False)
        drawn = ax.get_figure(root=True)
        if ax.get_subplotspec() and drawn is not None and drawn.get_layout_engine() is None:
            drawn.set_layout_engine("constrained")
    _keep_titles_above(ax)
    place = _Place(chart, ax, scale)
    ax.set_axes_locator(place)
    place(ax, None)
    return ax


@contextmanager
def _style(ax: Axes) -> Iterator[float]:
    """Set the kit's style for as long as one draws, in the scale of these axes, which is given.

    Raises `FontMissing`.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        with figure.style():
            scale = _scale(ax, *mpl.rcParams["figure.figsize"])
            sizes = {
                name: scale * value
                for name, value in mpl.rcParams.items()
                if name.endswith(_SIZES) and isinstance(value, int | float)
            }
            mpl.rcParams.update(sizes)
            yield scale


def _scale(ax: Axes, width: float, height: float) -> float:
    """Return at which scale a figure of so many inches fits into the room of axes."""
    # Of a part of a figure, matplotlib's types do not say that a grid is placed on it alike.
    parent: Any = ax.get_figure(root=False)
    spec = ax.get_subplotspec()
    wide, tall = parent.bbox.width / parent.get_dpi(), parent.bbox.height / parent.get_dpi()
    box = ax.get_position(original=True)
    if spec is None:
        return float(min(wide * box.width / width, tall * box.height / height))
    # Its share of the grid without the room between, which there is as much of as names need.
    cell = spec.get_topmost_subplotspec()
    grid, inner, outer = cell.get_gridspec(), spec.get_position(parent), cell.get_position(parent)
    wide *= _share(grid.get_width_ratios(), cell.colspan) * inner.width / outer.width
    tall *= _share(grid.get_height_ratios(), cell.rowspan) * inner.height / outer.height
    return float(min(wide / width, tall / height))


def _share(ratios: Any, span: range) -> float:
    return float(sum(ratios[place] for place in span) / sum(ratios))


def _clear(ax: Axes) -> None:
    """Clear axes, and give them the style that is set now, and for ticks that are made later."""
    places: tuple[Any, ...] = ("left", "center", "right")
    titles = {place: ax.get_title(place) for place in places}
    ax.clear()
    nobody: Any = None
    ax.set_axes_locator(nobody)
    settings: Any = mpl.rcParams
    for place, title in titles.items():
        ax.set_title(title, loc=place)
    for side, spine in ax.spines.items():
        spine.set_visible(settings[f"axes.spines.{side}"])
        spine.set(edgecolor=settings["axes.edgecolor"], linewidth=settings["axes.linewidth"])
    ax.set_facecolor(settings["axes.facecolor"])
    ax.set_axisbelow(settings["axes.axisbelow"])
    for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        axis.labelpad = settings["axes.labelpad"]
        axis.set_tick_params(
            length=settings[f"{name}tick.major.size"],
            width=settings[f"{name}tick.major.width"],
            pad=settings[f"{name}tick.major.pad"],
            color=settings[f"{name}tick.color"],
            labelcolor=settings[f"{name}tick.color"],
            labelsize=settings[f"{name}tick.labelsize"],
            labelfontfamily=settings["font.family"],
            grid_color=settings["grid.color"],
            grid_linewidth=settings["grid.linewidth"],
        )


def _keep_titles_above(ax: Axes) -> None:
    """Keep titles, whenever they are set, above the legend: matplotlib puts them above insets."""
    inset = ax.inset_axes((0, 1, 1, 0))
    inset.set_axis_off()
    inset.set_in_layout(False)
    inset.set_axes_locator(partial(_legend_box, ax))


def _legend_box(ax: Axes, _: Any, renderer: Any) -> Bbox:
    """Return where the legend of axes is, or else the axes, as shares of the figure."""
    parent, legend = ax.get_figure(root=False), ax.get_legend()
    assert parent is not None
    box = legend.get_window_extent(renderer) if legend else ax.bbox
    return box.transformed(parent.transSubfigure.inverted())


class _Place:
    """Where axes with a chart are, which matplotlib asks each time before it draws them.

    So names of points, cells and the legend fit the size that axes have, and around axes that were
    placed by hand, and not in a grid, there is room within their place.
    """

    def __init__(self, chart: Chart, ax: Axes, scale: float) -> None:
        self._chart, self._ax, self._scale = chart, ax, scale
        self._names: list[Annotation] = []
        self._size = (0.0, 0.0)
        legend = ax.get_legend()
        begins = legend is not None and legend.get_bbox_to_anchor().x0 < ax.bbox.x1
        self._legend = legend if begins and not isinstance(chart, Matrix) else None

    def __call__(self, _: Any, renderer: Any) -> Bbox:
        """Return the place of axes, as shares of the figure."""
        place: Bbox = self._ax.get_position(original=True)
        if self.get_subplotspec() is None:
            place = _within(self._ax, place, renderer)
        self._ax.apply_aspect(place)
        box, dpi = self._ax.get_window_extent(), self._ax.figure.get_dpi()
        size = (round(box.width / dpi, 3), round(box.height / dpi, 3))
        if size != self._size:
            self._size = size
            self._fit()
        return place

    def get_subplotspec(self) -> SubplotSpec | None:
        """Return where in a grid the axes are; matplotlib's tight layout asks who places them."""
        return self._ax.get_subplotspec()

    def _fit(self) -> None:
        """Place and write anew what the size of the axes decides on."""
        if self._legend and self._legend is self._ax.get_legend():
            # What is wider than the axes has room above the names at their left.
            side = int(self._legend.get_window_extent().width > self._ax.bbox.width)
            self._legend.set_loc(("lower left", "lower right")[side])
            self._legend.set_bbox_to_anchor((side, 1), self._ax.transAxes)
        if isinstance(self._chart, Matrix):
            matrix_chart.fit(self._chart, self._ax, self._scale)
        if isinstance(self._chart, Points):
            for name in self._names:
                name.remove()
            with _style(self._ax):
                self._names = point_chart.name(self._chart, self._ax, self._scale)
            for name in self._names:
                # Names have no part in the size of the axes, which they follow from.
                name.set_in_layout(False)


def _within(ax: Axes, place: Bbox, renderer: Any) -> Bbox:
    """Return a place of axes at which all that belongs to them is within the given one."""
    parent = ax.get_figure(root=False)
    box = ax.get_tightbbox(renderer, call_axes_locator=False)
    if box is None or parent is None:
        return place
    whole = box.transformed(parent.transSubfigure.inverted())
    found = Bbox(2 * place.get_points() - whole.get_points())
    return found if found.width > 0 and found.height > 0 else place
