"""Charts as data: what is to be drawn, in names, numbers and words, and in no colour.

matplotlib, PowerPoint and the explore notebook draw it, each in its own way. `key` is a code that
chooses a style; words are in the language of the answer.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from helpers.text.i18n import msg, t, word
from helpers.text.titles import begun


class Series(Struct):
    """Parts of one kind, one a bar; None where nothing was measured."""

    key: str
    name: str
    values: list[float | None]


STRONG, QUIET, PAST = "strong", "quiet", "past"
"""Tones of bars: the image that is meant, the others, and those past their support."""


class Bars(Struct, tag="bars"):
    """Horizontal bars, stacked if there are several series.

    `rows` are the names of each bar: the first groups, the second may be empty. `ends` are said at
    the ends, of a bar that was not measured that it was not. `palette` is what the keys of the
    series are keys of. `baseline` is the row that the others are compared with, if any. `tones` are
    how strongly bars of one series are drawn, one a row, if they are not drawn alike.
    """

    rows: list[tuple[str, str]]
    series: list[Series]
    ends: list[str]
    axis: str
    palette: str
    measured: list[bool]
    decimals: int = 0
    baseline: int | None = None
    tones: list[str] = []

    @property
    def totals(self) -> list[float]:
        """Return the length of each bar, 0 for one that was not measured."""
        columns = zip(*(series.values for series in self.series), strict=True)
        return [sum(value or 0.0 for value in column) for column in columns]


class Point(Struct):
    """A point, what is written beside it (it may be nothing), and the group that it belongs to."""

    name: str
    x: float
    y: float
    label: str
    group: str = ""


class Limit(Struct):
    """An upright line at a place across, and what it is called."""

    at: float
    label: str


class Points(Struct, tag="points"):
    """Points between two axes of numbers.

    `groups` are the names of groups by their keys, for the legend; `front` are the corners of a
    line that points lie on; `note` says which variants have no point, and why. With `log`, the axis
    across is logarithmic, from the power of ten below the lowest point to 1. `top` is the highest
    number that can be, if there is one.
    """

    points: list[Point]
    across: str
    upward: str
    groups: dict[str, str] = {}
    front: list[tuple[float, float]] = []
    note: str = ""
    log: bool = False
    top: float | None = None
    limit: Limit | None = None


class Curve(Struct):
    """A count over days, in steps; after `supported_until` support has ended, if it has."""

    name: str
    points: list[tuple[date, float]]
    supported_until: date | None = None


class Mark(Struct):
    """An end of support on a curve, by its place; the last one if no advisories follow."""

    curve: int
    day: date
    count: float
    label: str
    last: bool


class Curves(Struct, tag="curves"):
    """Counts over days; `events` are days with what happened; from `complete` on facts are not."""

    curves: list[Curve]
    marks: list[Mark]
    events: list[tuple[date, str]]
    across: str
    upward: str
    complete: date | None = None


class Line(Struct):
    """A count at each of some days, in pieces: between two of them it was not measured.

    `broken` are the points of scans that are more likely broken, beside the line.
    """

    name: str
    pieces: list[list[tuple[date, float]]]
    broken: list[tuple[date, float]] = []


class Ticks(Struct):
    """Days on which something was new, as a row of ticks; of a line, or of no one line."""

    name: str
    days: list[date]
    line: int | None = None


class Timeline(Struct, tag="timeline"):
    """Counts at days, a line an image, and below them what was new on which day."""

    lines: list[Line]
    ticks: list[Ticks]
    across: str
    upward: str

    @property
    def days(self) -> list[date]:
        """Return all days that have a point, in order."""
        found = {day for line in self.lines for piece in line.pieces for day, _ in piece}
        return sorted(found | {day for line in self.lines for day, _ in line.broken})


TOTAL, STEP, REST = msg("total"), msg("step"), msg("rest")
"""Kinds of steps: an image's size, one change, and several changes in one."""


class Step(Struct):
    """A step between two totals, of a kind.

    `part` is a short label, `start` and `end` are in MB.
    """

    label: str
    part: str
    kind: str
    start: float
    end: float


class Waterfall(Struct, tag="waterfall"):
    """Steps from one size to another."""

    steps: list[Step]
    across: str


FOUND, NONE, PLAIN, UNKNOWN = msg("found"), msg("none"), msg("plain"), msg("not measured")
NO_PACKAGE = msg("no such package")
"""States of a cell: there is some; there is none; something that is no way in by itself; not known;
and, where only packages are known, that none of them is named so, which is not none."""


class Cell(Struct):
    """A cell of a matrix: its state as a code, its words, and how many it counts.

    `short` is what is shown where there is no room for all of the words.
    """

    state: str
    text: str
    count: int | None = None
    short: str = ""


class Matrix(Struct, tag="matrix"):
    """Properties, a row each, of variants, a column each; `cells` are row by row.

    `groups` are the headings that rows stand under, one a row; rows of one heading stand together.
    """

    rows: list[str]
    columns: list[str]
    cells: list[list[Cell]]
    groups: list[str] = []


class Combination(Struct):
    """What several variants share and no other has; without members it is the rest."""

    members: list[str]
    counts: list[int]
    name: str = ""


OTHERS = msg("other combinations")
JOINED = " + "
MOST = 12
"""Combinations that are shown at most; the smallest of more are counted as one."""


def combined(
    found: Iterable[tuple[tuple[str, ...], str]], keys: Sequence[str], most: int = MOST
) -> list[Combination]:
    """Return how often each combination of members occurs by key, the largest first.

    The smallest of more than `most` are one, without members.
    """
    counted: dict[tuple[str, ...], Counter[str]] = {}
    for members, key in found:
        counted.setdefault(members, Counter())[key] += 1
    order = sorted(counted, key=lambda members: (-counted[members].total(), JOINED.join(members)))
    sums = [([*members], counted[members]) for members in order]
    if len(sums) > most:
        rest = sum((counts for _, counts in sums[most - 1 :]), Counter[str]())
        sums = [*sums[: most - 1], ([], rest)]
    return [
        Combination(members, [counts[key] for key in keys], "" if members else word(OTHERS))
        for members, counts in sums
    ]


class Overlap(Struct, tag="overlap"):
    """What each combination of variants has, counted by `series`, which are keys and names.

    A list and no dictionary: a notebook that is stored sorts the keys of those.
    """

    variants: list[str]
    series: list[tuple[str, str]]
    combinations: list[Combination]
    across: str
    upward: str


class Box(Struct):
    """A distribution: how many, least, quartiles and greatest; what is said at its end."""

    name: str
    count: int
    least: float
    lower: float
    median: float
    upper: float
    greatest: float
    end: str = ""


class Boxes(Struct, tag="boxes"):
    """Distributions side by side, one a row; `across` names the axis."""

    boxes: list[Box]
    across: str


class Interval(Struct):
    """An estimate with its confidence interval; None where too little is known for one.

    `end` is said at its end.
    """

    name: str
    estimate: float | None
    low: float | None
    high: float | None
    end: str = ""


class Intervals(Struct, tag="intervals"):
    """Estimates with confidence intervals around a line at zero; `across` names the axis.

    `left` and `right` say what either side of zero means.
    """

    intervals: list[Interval]
    across: str
    left: str = ""
    right: str = ""


Chart = Bars | Points | Curves | Timeline | Waterfall | Matrix | Overlap | Boxes | Intervals

SHORTEST = timedelta(days=3)
"""Days below which curves have no growth to show."""


def why_empty(chart: Chart | None) -> str:
    """Return why a figure of a chart would be empty, as a sentence; nothing if it would not be.

    An empty figure is never drawn: this sentence stands in its place.
    """
    match chart:
        case Bars(rows=[]):
            return t("Under this lens nothing is counted in any image.")
        case Bars(measured=measured) if not any(measured):
            return t("Nothing was measured that could be drawn.")
        case Points(points=[], note=note):
            return f"{begun(note)}." if note else t("Nothing is known that could be drawn.")
        case Points(points=[first, _, *_] as points, log=False) if {p.y for p in points} == {
            first.y
        }:
            return t("{what}: {count:,g} each.", what=begun(chart.upward), count=first.y)
        case Curves(curves=[]):
            return t("No image was measured, so its growth is not known.")
        case Curves() if _span(chart) < SHORTEST:
            return t(
                "Too young to have grown: hardly any time has passed between these images and "
                "their database."
            )
        case Timeline() if len(chart.days) < 2:
            return t("There is one capture, so there is no other day to compare it with.")
        case Overlap(variants=[]):
            return t("No variant was scanned, so there is nothing to compare.")
        case Overlap(combinations=[]):
            return t("Under this lens no vulnerability is counted in any image.")
        case Matrix(rows=[]):
            return t("No image was looked at.")
        case Boxes(boxes=[]):
            return t("Nothing was measured that could be drawn.")
        case Intervals(intervals=intervals) if all(each.estimate is None for each in intervals):
            return t("There are too few pairs for an estimate.")
    return ""


def _span(chart: Curves) -> timedelta:
    """Return the time from the first day of all curves to the last."""
    days = [day for curve in chart.curves for day, _ in curve.points]
    return max(days) - min(days)


def encoded(chart: Chart | None) -> dict[str, Any] | None:
    """Return a chart as what JSON holds."""
    found: dict[str, Any] | None = msgspec.to_builtins(chart)
    return found


def decoded(data: Any) -> Chart | None:
    """Return a chart from what JSON holds."""
    found: Chart | None = msgspec.convert(data, Chart | None)
    return found
