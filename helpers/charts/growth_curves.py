"""Counts over time: one step line an image, with the days that explain its shape."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import matplotlib.dates as mdates
import pandas as pd
from matplotlib.axes import Axes

from helpers.charts.bar_charts import FAINT, INK, nothing, number_of, wrapped
from helpers.text import escape
from helpers.text.i18n import msg, word
from helpers.vulnerabilities.growth import SHORTEST

LINES = ("#3C6E99", "#BE3A34", "#3F7F4F", "#8A5FA8", "#C77A1E", "#4A4A4A")
"""Line colours, of about equal weight; a line is named at its end besides."""

_APART = 0.065
"""Distance of names at the right, as a share of the height."""

_DAYS = [msg("%Y"), msg("%b"), msg("%d"), "%H:%M", "%H:%M", "%S.%f"]
_BEGINNINGS = ["", _DAYS[0], _DAYS[1], msg("%b-%d"), "%H:%M", "%H:%M"]
"""How an axis of days names years, months and days, and the first of each: matplotlib's own."""


def growth(
    curves: pd.DataFrame,
    ax: Axes,
    ends: pd.DataFrame,
    events: Mapping[str, date],
    counted: str,
    complete: date | None = None,
) -> Axes:
    """Draw `growth.growth`: what had been published of each image by each day.

    `ends` are `confounders.ends`; after the last one a line is dotted, for hardly anybody tells any
    more. `events` are days to mark, by what happened; from `complete` on, facts are not complete.
    """
    if not len(curves) or curves["day"].max() - curves["day"].min() < SHORTEST:
        return nothing(
            ax,
            msg(
                "No time has passed between these images and the database,\n"
                "or nothing was measured."
            ),
        )
    highest = max(float(curves["count"].max()), 1.0)
    names, marked = [], _Marks(ax, curves["day"].max() - curves["day"].min(), highest)
    for place, (variant, own) in enumerate(curves.groupby("variant", sort=False)):
        colour = LINES[place % len(LINES)]
        of = ends[ends["variant"].eq(variant) & ends["day"].le(own["day"].max())]
        last = of[of["last"]]["day"].max()
        of = of[of["day"].ge(own["day"].min())]
        live = own
        if pd.notna(last):
            live = own[own["day"].le(last)]
            live = pd.concat([live, live.tail(1).assign(day=last)])
            after = pd.concat([live.tail(1), own[own["day"].gt(last)]])
            dots: Any = {"linewidth": 3, "linestyle": (0, (1, 1)), "zorder": 3, "label": variant}
            ax.step(after["day"], after["count"], where="post", color=colour, **dots)
        line: Any = {"linewidth": 3.5, "zorder": 3, "label": variant}
        ax.step(live["day"], live["count"], where="post", color=colour, **line)
        for end in of.itertuples():
            marked.add(end, int(own[own["day"].le(end.day)]["count"].iloc[-1]), colour)
        names.append((float(own["count"].iloc[-1]), own["day"].iloc[-1], str(variant), colour))
    _name_lines(ax, names, highest)
    for told, day in events.items():
        ax.axvline(pd.Timestamp(day), color=FAINT, linestyle="--", linewidth=1.6)
        ax.text(
            pd.Timestamp(day),
            1.19 * highest,
            f" {escape.short(word(told), 32)}",
            ha="left",
            va="top",
            size=15,
            color=INK,
        )
    last = curves["day"].max().tz_convert(None)
    if complete and pd.Timestamp(complete) < last:
        ax.axvspan(pd.Timestamp(complete), last, color="#F0F0F0", zorder=0)
    ax.set_ylim(0, 1.2 * highest)
    first, last = curves["day"].min(), curves["day"].max()
    # Room at the left for what is said of an early end.
    ax.set_xlim(first - 0.12 * (last - first), last + 0.02 * (last - first))
    ax.set_ylabel(wrapped(number_of(counted), 36), size=16)
    ax.set_xlabel(word(msg("day of publication (UTC)")))
    ax.grid(axis="y")
    locator = mdates.AutoDateLocator(maxticks=8)
    ax.xaxis.set_major_locator(locator)
    formats, first = ([word(way) for way in ways] for ways in (_DAYS, _BEGINNINGS))
    ax.xaxis.set_major_formatter(
        mdates.ConciseDateFormatter(locator, formats=formats, zero_formats=first, show_offset=False)
    )
    return ax


class _Marks:
    """Ends of support on the lines, each said once and beside the others."""

    def __init__(self, ax: Axes, span: pd.Timedelta, highest: float) -> None:
        self.ax = ax
        self.span = span
        self.highest = highest
        self.said: list[tuple[pd.Timestamp, float, str]] = []

    def add(self, end: Any, level: int, colour: str) -> None:
        """Mark a day on a line: with a full dot where it is the last end of support."""
        fill = colour if end.last else "white"
        dot: Any = {"markerfacecolor": fill, "markersize": 12, "markeredgewidth": 2.5, "zorder": 4}
        self.ax.plot([end.day], [level], "o", color=colour, **dot)
        if any(day == end.day and told == end.label for day, _, told in self.said):
            return
        at = level + 0.03 * self.highest
        while any(
            abs(day - end.day) < 0.3 * self.span and abs(at - other) < 0.14 * self.highest
            for day, other, _ in self.said
        ):
            at += 0.05 * self.highest
        self.said.append((end.day, at, end.label))
        self.ax.annotate(
            escape.plain(end.label).replace(": ", ":\n"),
            (end.day, at),
            xytext=(-14, 0),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=colour,
            size=15,
            # Below the lines, which go on through it.
            zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8},
        )


def _name_lines(
    ax: Axes, names: list[tuple[float, pd.Timestamp, str, str]], highest: float
) -> None:
    """Name each line at its end, as far from the next name as it takes to be read."""
    at = float("-inf")
    for count, day, variant, colour in sorted(names):
        at = max(count, at + _APART * 1.2 * highest)
        ax.annotate(
            f"{escape.short(variant, 22)} {count:,.0f}",
            (day, count),
            xytext=(1.01, at),
            textcoords=("axes fraction", "data"),
            ha="left",
            va="center",
            size=17,
            weight="bold",
            color=colour,
            annotation_clip=False,
        )
