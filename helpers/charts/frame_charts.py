"""Chart data of an analyst's own frames, which `helpers.charts` describes, drawn on any axes."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from helpers.answers.chart_data import (
    FOUND,
    NO_PACKAGE,
    NONE,
    REST,
    STEP,
    TOTAL,
    UNKNOWN,
    Cell,
    Chart,
    Matrix,
    Overlap,
    Step,
    Waterfall,
    combined,
    why_empty,
)
from helpers.charts import axes, figure
from helpers.charts.colours import FAINT
from helpers.errors import FrameInvalid
from helpers.frames import SEVERITIES
from helpers.text import escape
from helpers.text.i18n import t, told, word
from helpers.text.units import MB

_WORST_FIRST = SEVERITIES[::-1]

_WIDE, _TALL = 0.775, 0.77
"""Shares of a figure that its axes have where nothing is laid out yet."""

_SIZES = ("size", "width", ".pad", "labelpad", "titlepad", "h_pad", "w_pad")
"""Ends of the names of settings that are in points or inches."""


def draw(chart: Chart, ax: Axes) -> Axes:
    """Draw a chart on axes of any figure, as large as on one of the kit; of an empty one, why.

    A figure without a layout engine gets the constrained one, which keeps names within it.
    """
    with mpl.rc_context(), figure.style():
        if why := why_empty(chart):
            text = axes.wrapped(why, 44)
            ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=FAINT)
            ax.set_axis_off()
            return ax
        drawn: Any = ax.get_figure(root=True)
        box, (width, height) = ax.get_window_extent(), mpl.rcParams["figure.figsize"]
        inches = box.width / drawn.dpi, box.height / drawn.dpi
        scale = min(inches[0] / _WIDE / width, inches[1] / _TALL / height)
        mpl.rcParams.update(
            {
                name: scale * value
                for name, value in mpl.rcParams.items()
                if name.endswith(_SIZES) and isinstance(value, int | float)
            }
        )
        if not ax.has_data():
            # Fonts, ticks and grid as the kit has them: these were made in another style.
            ax.clear()
            settings: dict[str, Any] = dict(mpl.rcParams.items())
            for side, spine in ax.spines.items():
                spine.set_visible(settings[f"axes.spines.{side}"])
        figure.draw(chart, ax, scale)
        for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
            # A tick that was there before reads a dollar sign as a formula's.
            label.set_parse_math(False)
        _legend_below(ax)
        if drawn.get_layout_engine() is None:
            drawn.set_layout_engine("constrained")
    return ax


def _legend_below(ax: Axes) -> None:
    """Move a legend below all else that is drawn: above the axes is where a user's title goes."""
    legend = ax.get_legend()
    if legend is None:
        return
    legend.set_in_layout(False)
    drawn, whole = ax.get_tightbbox(), ax.get_figure(root=True)
    assert drawn is not None
    assert whole is not None
    legend.set_in_layout(True)
    down = ScaledTranslation(0, (drawn.y0 - ax.bbox.y0) / whole.dpi, whole.dpi_scale_trans)
    legend.set_bbox_to_anchor((0, 0), ax.transAxes + down)
    legend.set_loc("upper left")


def waterfall(frame: pd.DataFrame, label: str) -> Waterfall:
    """Return steps from one size to another."""
    _check(
        "waterfall", frame, ["label", "kind", "start_bytes", "end_bytes"], kind=(TOTAL, STEP, REST)
    )
    at = 0.0
    steps = []
    for row in frame.to_dict("records"):
        start, end, name = row["start_bytes"], row["end_bytes"], row["label"]
        # What was not measured is not where the one before it ends, either.
        if row["kind"] != TOTAL and not abs(start - at) < 1:
            raise FrameInvalid(
                f"charts.waterfall: the step {escape.short(name, 40)!r} starts at {start:,.0f} "
                f"bytes, and what is before it ends at {at:,.0f}"
            )
        at = end
        part = told(row.get("part", name))
        steps.append(Step(told(name), part, row["kind"], float(start / MB), float(end / MB)))
    return Waterfall(steps, t("{what} (MB = 10⁶ bytes)", what=word(label)))


def matrix(frame: pd.DataFrame) -> Matrix:
    """Return a matrix of properties; a cell that the frame has no row for was not measured."""
    _check("matrix", frame, ["property", "variant", "value"])
    rows, variants = frame["property"].drop_duplicates(), frame["variant"].drop_duplicates()
    if frame.duplicated(["property", "variant"]).any():
        raise FrameInvalid("charts.matrix: several rows for one of property, variant")
    table = frame.set_index(["property", "variant"])["value"].to_dict()

    def cell(value: Any) -> Cell:
        shown = UNKNOWN if pd.isna(value) or not value else value
        state = str(shown) if shown in (UNKNOWN, NONE, NO_PACKAGE) else FOUND
        return Cell(state, word(str(told(shown))))

    return Matrix(
        [word(str(told(row))) for row in rows],
        [str(variant) for variant in variants],
        [[cell(table.get((row, variant), pd.NA)) for variant in variants] for row in rows],
    )


def overlap(frame: pd.DataFrame, variants: Sequence[str], label: str) -> Overlap:
    """Return how many vulnerabilities each combination of variants has, and no other has."""
    names = ["variant", "vulnerability_id", "severity"]
    _check("overlap", frame, names, severity=_WORST_FIRST)
    found = [*variants] or [str(variant) for variant in frame["variant"].unique()]
    _check("overlap", frame, ["variant"], variant=found)
    ranks = frame["severity"].map(_WORST_FIRST.index)
    ids = frame["vulnerability_id"].fillna(pd.Series(frame.index, frame.index).map("row {}".format))
    counted = [
        (tuple(name for name in found if name in {*group["variant"]}), _WORST_FIRST[rank])
        for (_, group), rank in zip(
            frame.groupby(ids, sort=False), ranks.groupby(ids, sort=False).min(), strict=True
        )
    ]
    return Overlap(
        found,
        [(severity, word(severity)) for severity in _WORST_FIRST],
        combined(counted, _WORST_FIRST),
        t("● only in these images"),
        word(label),
    )


def _check(chart: str, frame: pd.DataFrame, needed: Sequence[str], **known: Sequence[str]) -> None:
    """Raise `FrameInvalid` for a column that lacks, or one with values that are not known."""
    for name in needed:
        if name not in frame:
            raise FrameInvalid(
                f"charts.{chart}: no column {name!r}; there are: {', '.join(map(str, frame))}"
            )
    for name, values in known.items():
        if other := [value for value in frame[name].unique() if value not in values]:
            raise FrameInvalid(
                f"charts.{chart}: column {name!r} has {escape.short(other[0], 40)!r}, which is "
                f"not one of {', '.join(values)}"
            )
