"""What figures of questions of a fleet share: bars and intervals, of as many rows as have room."""

from collections.abc import Iterable

import pandas as pd

from helpers.answers.chart_data import Bars, Interval, Series
from helpers.text import escape

MOST = 12
"""Rows of a figure."""


def of(
    names: Iterable[str], values: Iterable[float], ends: list[str], what: str, across: str
) -> Bars:
    """Return bars of one kind; names may be of reports."""
    rows = [(escape.plain(text), "") for text in names]
    series = Series("size", what, [float(value) for value in values])
    return Bars(rows, [series], ends, across, "size", [True] * len(rows))


def interval(name: str, estimate: float, low: float, high: float, end: str) -> Interval:
    """Return a row of intervals; NA is no end."""
    ends = [None if pd.isna(one) else float(one) for one in (low, high)]
    return Interval(name, float(estimate), ends[0], ends[1], end)
