"""The kit's charts, of an analyst's own frame on axes of any figure.

Each function takes a tidy frame and an `Axes`, clears the axes but for their titles, draws on them
and returns them. The look is the kit's, in the size of the axes; a figure without a layout engine
gets matplotlib's constrained one, which keeps names, legend and labels within it. An empty frame
gives a sentence that says so. Rows stand in the frame's order.

A frame that lacks a column, has one of another kind or several rows where one is needed raises
`FrameInvalid`, which says what to change. What was not measured is missing (NA), never 0. Columns
have the names of the data dictionary and of the answers' tables, so that these can be drawn as they
are: `charts.bars(c.severity().table, ax)`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Only who draws waits for pandas and matplotlib.


def bars(
    frame: "pd.DataFrame",
    ax: "Axes",
    *,
    by: str = "severity",
    count: str = "count",
    rows: tuple[str, str] = ("variant", "capture"),
    label: str = "",
) -> "Axes":
    """Draw counts as horizontal bars, stacked by severity or another column; return the axes.

    One row a bar and part:

    - `variant`: name of the bar;
    - `severity`: `CRITICAL`, `HIGH`, `MEDIUM`, `LOW` or `UNKNOWN`;
    - `count`: a whole number, 0 or more, and NA for a bar that was not measured;
    - `capture`: if there, a second name of the bar, which is shown where there are several;
    - `status`: if there, that of the frame `images`: a broken image is marked.

    `by` names another column to stack by (`part`), of at most 6 parts if the kit has no colours for
    them; empty is one part a bar. `count` and `rows` name other columns for these, `label` names
    the axis. Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts, plain_axes

    return plain_axes.draw(frame_charts.bars(frame, by, count, rows, label), ax)


def sizes(
    frame: "pd.DataFrame",
    ax: "Axes",
    *,
    by: str = "",
    size: str = "size_bytes",
    baseline: str = "",
    label: str = "",
) -> "Axes":
    """Draw bytes as horizontal bars of megabytes (10⁶ bytes); return the axes.

    One row a variant, and part if `by` names a column of parts (`group`):

    - `variant`: name of the bar;
    - `size_bytes`: a number, 0 or more, and NA for what was not measured;
    - `status`: if there, that of the frame `images`: a broken image is marked.

    `size` names another column of bytes (`size_unpacked_bytes`), `baseline` the variant that others
    are compared with, and `label` what is measured. Raises `FrameInvalid`, and `ParameterInvalid`
    for a baseline without a size.
    """
    from helpers.charts import frame_charts, plain_axes

    return plain_axes.draw(frame_charts.sizes(frame, by, size, baseline, label), ax)


def points(
    frame: "pd.DataFrame",
    ax: "Axes",
    *,
    x: str = "size_bytes",
    y: str = "count",
    x_label: str = "",
    y_label: str = "",
) -> "Axes":
    """Draw two numbers of each variant as a named point; return the axes.

    One row a variant:

    - `variant`: name of the point;
    - `size_bytes` and `count`: numbers, 0 or more; who has NA for one is named below the axis.
      Columns whose names end in `bytes` are shown in megabytes;
    - `front`: if there, whether the variant is on the Pareto front, which is drawn; NA: no point;
    - `past_support`: if there besides, true, or in words why, if its support has ended.

    `x` and `y` name other columns for the numbers, the labels the axes. Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts, plain_axes

    return plain_axes.draw(frame_charts.points(frame, x, y, x_label, y_label), ax)


def curves(
    frame: "pd.DataFrame",
    ax: "Axes",
    *,
    count: str = "count",
    events: Mapping[str, date] | None = None,
    complete: date | None = None,
    label: str = "",
) -> "Axes":
    """Draw counts over days as step lines, one a variant; return the axes.

    One row a variant and day on which its count changed:

    - `variant`: name of the line;
    - `day`: a time or date, read as UTC;
    - `count`: a whole number, 0 or more, from that day on;
    - `supported_until`: if there, the day from which on the variant's line is dotted; NA: none.

    `events` are days to mark, by what happened; facts are complete until the day `complete`.
    `count` names another column, `label` its axis. Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts, plain_axes

    chart = frame_charts.curves(frame, count, events or {}, complete, label)
    return plain_axes.draw(chart, ax)


def waterfall(frame: "pd.DataFrame", ax: "Axes", *, label: str = "") -> "Axes":
    """Draw the steps from one size to another, from the top down; return the axes.

    One row a step:

    - `label`: its name;
    - `kind`: `total` (the first and the last), `step`, or `rest` for several changes in one;
    - `start_bytes` and `end_bytes`: numbers, 0 or more. A total starts at 0, a step where the one
      before it ends;
    - `part`: if there, a short name for where the other one is too long.

    `label` says what is measured. Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts, plain_axes

    return plain_axes.draw(frame_charts.waterfall(frame, label), ax)


def matrix(frame: "pd.DataFrame", ax: "Axes") -> "Axes":
    """Draw what was found of each property in each variant, as cells; return the axes.

    One row a cell; one that there is none for was not measured:

    - `property`: name of the row;
    - `variant`: name of the column;
    - `value`: what was found, in words; NA was not measured, and `none` is an empty cell;
    - `state`: if there, `found`, `none`, `plain` (neutral), `not measured` or `no such package`,
      whatever the value is;
    - `count`: if there, how many the words name, which is shown where they do not fit;
    - `heading`: if there, what the row stands under.

    A table with a column a variant becomes such a frame by
    `frame.melt("property", var_name="variant")`. Raises `FrameInvalid`.
    """
    from helpers.charts import frame_charts, plain_axes

    return plain_axes.draw(frame_charts.matrix(frame), ax)


def overlap(
    frame: "pd.DataFrame", ax: "Axes", *, variants: Sequence[str] = (), label: str = ""
) -> "Axes":
    """Draw how many vulnerabilities each combination of variants shares; return the axes.

    One row a finding, as in the frame `findings` of one capture; a vulnerability that is in one
    variant several times counts once, at its highest severity:

    - `variant`: where it is;
    - `vulnerability_id`: what it is; one that is NA equals no other;
    - `severity`: `CRITICAL`, `HIGH`, `MEDIUM`, `LOW` or `UNKNOWN`.

    `variants` are all variants, in order, where some have no finding; `label` is that of the axis.
    Raises `FrameInvalid`, and `ParameterInvalid` for variants that lack one of the frame's.
    """
    from helpers.charts import frame_charts, plain_axes

    return plain_axes.draw(frame_charts.overlap(frame, variants, label), ax)
