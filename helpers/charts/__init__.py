"""The kit's charts that matplotlib and pandas lack, of an analyst's own frame on any axes.

Each function takes a tidy frame and an `Axes`, draws on them in the kit's look and returns them.
Letters and lines are as large as the axes have room for. Rows stand in the frame's order. What was
not measured is missing (NA), never 0. A frame that lacks a column raises `FrameInvalid`. Columns
have the names of the answers' tables, so that these can be drawn as they are:
`charts.waterfall(c.sizes.waterfall().table, ax)`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Only who draws waits for pandas and matplotlib.


def waterfall(frame: "pd.DataFrame", ax: "Axes", *, label: str = "size") -> "Axes":
    """Draw the steps from one size to another, from the top down; return the axes.

    One row a step:

    - `label`: its name;
    - `kind`: `total` (the first and the last), `step`, or `rest` for several changes in one;
    - `start_bytes` and `end_bytes`: numbers. A step starts where the one before it ends.

    `label` says what is measured. Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts

    return frame_charts.draw(frame_charts.waterfall(frame, label), ax)


def matrix(frame: "pd.DataFrame", ax: "Axes") -> "Axes":
    """Draw what was found of each property in each variant, as cells; return the axes.

    One row a cell; one that there is none for was not measured:

    - `property`: name of the row;
    - `variant`: name of the column;
    - `value`: what was found, in words; NA was not measured, and `none` is an empty cell.

    A table with a column a variant becomes such a frame by
    `frame.melt("property", var_name="variant")`. Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts

    return frame_charts.draw(frame_charts.matrix(frame), ax)


def overlap(
    frame: "pd.DataFrame",
    ax: "Axes",
    *,
    variants: Sequence[str] = (),
    label: str = "number of vulnerabilities",
) -> "Axes":
    """Draw how many vulnerabilities each combination of variants shares; return the axes.

    One row a finding, as in the frame `findings` of one capture; a vulnerability that is in one
    variant several times counts once, at its highest severity:

    - `variant`: where it is;
    - `vulnerability_id`: what it is; one that is NA equals no other;
    - `severity`: `CRITICAL`, `HIGH`, `MEDIUM`, `LOW` or `UNKNOWN`.

    `variants` are all variants, in order, where some have no finding; `label` is that of the axis.
    Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts

    return frame_charts.draw(frame_charts.overlap(frame, variants, label), ax)
