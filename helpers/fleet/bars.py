"""The figure that questions of a fleet share: a bar a row, of as many rows as it has room for."""

from collections.abc import Iterable

from helpers.answers.chart_data import Bars, Series
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
