"""Counts over time: one step line an image, with the days that explain its shape."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import matplotlib.dates as mdates
import pandas as pd
from matplotlib.axes import Axes

from helpers import escape
from helpers.charts import FAINT, INK, wrapped
from helpers.growth import SHORTEST

LINES = ("#3C6E99", "#BE3A34", "#3F7F4F", "#8A5FA8", "#C77A1E", "#4A4A4A")
"""Line colours, of about equal weight; a line is named at its end besides."""

_APART = 0.065
"""Distance of names at the right, as a share of the height."""


def growth(
    curves: pd.DataFrame,
    ax: Axes,
    ends: pd.DataFrame,
    events: Mapping[str, date],
    counted: str,
) -> Axes:
    """Draw `growth.growth`: what had been published of each image by each day.

    `ends` are `confounders.ends`; after the last one a line is dotted, for nobody would tell any
    more. `events` are days to mark, by what happened.
    """
    if not len(curves) or curves["day"].max() - curves["day"].min() < SHORTEST:
        told = "These images were built as good as on the day of the database:\nno time to grow in"
        ax.text(0.5, 0.5, told, transform=ax.transAxes, ha="center", va="center", color=INK)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel("day of publication (UTC)")
        return ax
    highest = max(float(curves["count"].max()), 1.0)
    names = []
    for place, (variant, own) in enumerate(curves.groupby("variant", sort=False)):
        colour = LINES[place % len(LINES)]
        within = ends["day"].between(own["day"].min(), own["day"].max())
        of = ends[ends["variant"].eq(variant) & within]
        last = of[of["last"]]["day"].max()
        live = own if pd.isna(last) else own[own["day"].le(last)]
        ax.step(live["day"], live["count"], where="post", color=colour, linewidth=3.5)
        if pd.notna(last):
            after = pd.concat([live.tail(1).assign(day=last), own[own["day"].gt(last)]])
            dots: Any = {"linewidth": 3, "linestyle": (0, (1, 1))}
            ax.step(after["day"], after["count"], where="post", color=colour, **dots)
        for end in of.itertuples():
            _mark_end(ax, end, int(own[own["day"].le(end.day)]["count"].iloc[-1]), colour)
        names.append((float(own["count"].iloc[-1]), own["day"].iloc[-1], str(variant), colour))
    _name_lines(ax, names, highest)
    for told, day in events.items():
        ax.axvline(pd.Timestamp(day), color=FAINT, linestyle="--", linewidth=1.6)
        ax.text(
            pd.Timestamp(day),
            1.19 * highest,
            f" {escape.short(told, 32)}",
            ha="left",
            va="top",
            size=15,
            color=INK,
        )
    ax.set_ylim(0, 1.2 * highest)
    first, last = curves["day"].min(), curves["day"].max()
    # Room at the left for what is said of an early end.
    ax.set_xlim(first - 0.12 * (last - first), last + 0.02 * (last - first))
    ax.set_ylabel(wrapped(f"number of {counted}", 36), size=16)
    ax.set_xlabel("day of publication (UTC)")
    ax.grid(axis="y")
    locator = mdates.AutoDateLocator(maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=False))
    return ax


def _mark_end(ax: Axes, end: Any, level: int, colour: str) -> None:
    """Mark on a line the day on which support ends; a full dot where advisories do."""
    fill = colour if end.last else "white"
    ax.plot([end.day], [level], "o", color=colour, markerfacecolor=fill, markersize=12, mew=2.5)
    ax.annotate(
        escape.plain(end.label) + (",\nadvisories stop" if end.last else ""),
        (end.day, level),
        xytext=(-14, 6),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=colour,
        size=15,
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
