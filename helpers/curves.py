"""Counts over time: one step line an image, with the days that explain its shape."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import matplotlib.dates as mdates
import pandas as pd
from matplotlib.axes import Axes

from helpers import escape
from helpers.charts import FAINT, INK, wrapped

LINES = ("#3C6E99", "#BE3A34", "#3F7F4F", "#8A5FA8", "#C77A1E", "#4A4A4A")
"""Line colours, of about equal weight; a line is named at its end besides."""

_SHORTEST = pd.Timedelta(days=3)
"""Time between an image and its database below which there is no curve to draw."""

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

    `ends` (`variant, day, label`) are the last days of advisories: after its own, a line is dotted,
    for nobody would tell any more. `events` are days to mark, by what happened.
    """
    variants = list(dict.fromkeys(curves["variant"]))
    if not len(curves) or curves["day"].max() - curves["day"].min() < _SHORTEST:
        told = "These images were built as good as on the day of the database:\nno time to grow in"
        ax.text(0.5, 0.5, told, transform=ax.transAxes, ha="center", va="center", color=INK)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel("day of publication (UTC)")
        return ax
    highest = max(float(curves["count"].max()) if len(curves) else 0.0, 1.0)
    last: dict[str, Any] = {str(row.variant): row for row in ends.dropna(subset="day").itertuples()}
    names = []
    for place, variant in enumerate(variants):
        own = curves[curves["variant"].eq(variant)]
        colour = LINES[place % len(LINES)]
        end = last.get(variant)
        if end is not None and end.day >= own["day"].max():
            end = None
        live = own if end is None else own[own["day"].le(end.day)]
        ax.step(live["day"], live["count"], where="post", color=colour, linewidth=3.5)
        if end is not None:
            level = live["count"].iloc[-1] if len(live) else own["count"].iloc[0]
            point = pd.DataFrame({"day": [end.day], "count": [level]})
            after = pd.concat([point, own[own["day"].gt(end.day)]])
            ax.step(
                after["day"],
                after["count"],
                where="post",
                color=colour,
                linewidth=3,
                ls=(0, (1, 1)),
            )
            ax.plot([end.day], [level], "o", color=colour, markersize=11)
            ax.annotate(
                f"{end.label}:\nno advisories after",
                (end.day, level),
                xytext=(-16, 4),
                textcoords="offset points",
                ha="right",
                va="center",
                color=colour,
                size=15,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
            )
        names.append((float(own["count"].iloc[-1]), own["day"].iloc[-1], variant, colour))
    _name_lines(ax, names, highest)
    for told, day in events.items():
        ax.axvline(pd.Timestamp(day), color=FAINT, linestyle="--", linewidth=1.6)
        ax.text(
            pd.Timestamp(day),
            1.19 * highest,
            f" {escape.short(told, 24)}",
            ha="left",
            va="top",
            size=15,
            color=INK,
        )
    ax.set_ylim(0, 1.2 * highest)
    ax.set_ylabel(wrapped(f"number of {counted}", 36), size=16)
    ax.set_xlabel("day of publication (UTC)")
    ax.grid(axis="y")
    locator = mdates.AutoDateLocator(maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=False))
    return ax


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
