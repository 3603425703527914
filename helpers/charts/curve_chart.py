"""Counts over days: one step line an image, with the days that explain its shape."""

import math
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib.dates as mdates
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import Formatter
from msgspec import Struct

from helpers.answers.chart_data import Curve, Curves, Timeline
from helpers.charts import axes, colours
from helpers.charts.axes import Place, Ranges
from helpers.charts.colours import BAND, FAINT, INK
from helpers.text import escape
from helpers.text.i18n import msg, t, word

_APART = 0.075
"""Distance of names at the right, as a share of the height."""

_YEAR, _MONTH, _DAY = msg("%Y"), msg("%b"), msg("%d")
"""How an axis of days names years, months and days."""

DOTTED, SHADED = "dotted", "shaded"
"""Signs of the legend: a curve after the end of its support, and days of which facts lack."""

_SOLID: dict[str, Any] = {"linewidth": 3.5}
_DOTTED: dict[str, Any] = {"linewidth": 3, "linestyle": (0, (1, 1))}
"""How a curve is drawn before the end of its support, and after it."""

Path = list[tuple[date, float]]


class Days(Formatter):
    """Names the ticks of an axis of days: by their days, months or years.

    Below the first day of a month stands the month, below the first tick of a year the year. It
    speaks the language that was spoken when it was made.
    """

    def __init__(self) -> None:
        self._forms = {form: word(form) for form in (_YEAR, _MONTH, _DAY)}

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the name of one tick."""
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Any) -> list[str]:
        """Return the names of all ticks."""
        low, high = sorted(self.axis.get_view_interval()) if self.axis else (-math.inf, math.inf)
        days = [mdates.num2date(value) for value in values]
        forms = [_DAY, _MONTH, _YEAR]
        if all(day.day == 1 for day in days):
            forms.remove(_DAY)
        if all((day.month, day.day) == (1, 1) for day in days):
            forms.remove(_MONTH)
        # After the 29th comes the 1st: there is no room for both.
        apart = [later - value for value, later in pairwise(values)]
        close = [*(gap < max(apart) / 2 for gap in apart), False]
        names, last = [], dict.fromkeys(forms[1:], "")
        for value, day, is_close in zip(values, days, close, strict=True):
            if is_close:
                names.append("")
                continue
            lines = [day.strftime(self._forms[form]) for form in forms]
            # A tick beside the axis is not drawn.
            if low <= value <= high:
                below = dict(zip(forms[1:], lines[1:], strict=True))
                lines[1:] = [text for form, text in below.items() if text != last[form]]
                last = below
            names.append("\n".join(lines))
        return names


def over_days(chart: Curves | Timeline, ax: Axes, scale: float) -> None:
    """Name the axes of a chart over days, and its days."""
    ax.set_ylabel(axes.wrapped(chart.upward, 36), size=16 * scale)
    ax.set_xlabel(axes.plain(chart.across))
    ax.grid(axis="y")
    ax.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
    ax.xaxis.set_major_formatter(Days())


class Label(Struct, frozen=True):
    """What is said of a point, and how high up, in units of the axis.

    `index` is that of the curve or the mark; `day` and `count` are the point's.
    """

    index: int
    day: date
    count: float
    height: float
    text: str


class Layout(NamedTuple):
    """Where words of a chart stand.

    `names` of curves are right of the axes, with their middle at their height; labels of `marks`
    are left of their day, with their foot at their height.
    """

    names: list[Label]
    marks: list[Label]


class Rise(NamedTuple):
    """Steps of a curve that are close to each other: from when to when, how many more, and where.

    `after` is the day of the point before them, none for the first point of all.
    """

    name: str
    after: date | None
    until: date
    more: float
    place: Place


_WIDE = 0.012
"""Width of the narrowest rise, as a share of the figure's: what a finger or a pointer hits."""


def places(chart: Curves, figure: Figure) -> list[Rise]:
    """Return the rises of curves on a figure of them, curve by curve."""
    (ax,) = figure.axes
    found = []
    for curve in chart.curves:
        before: tuple[date, float] | None = None
        group: list[tuple[date, float]] = []
        risen = [*curve.points[:1], *(b for a, b in pairwise(curve.points) if b[1] > a[1])]
        for point in [*risen, None]:
            whole = _rise(ax, curve.name, before, [*group, point]) if point and group else None
            if point and (whole is None or whole.place.width <= 2 * _WIDE):
                group.append(point)
                continue
            if group and group[-1][1]:
                found.append(_rise(ax, curve.name, before, group))
            before, group = group[-1] if group else None, [point] if point else []
    return found


def _rise(ax: Axes, name: str, before: tuple[date, float] | None, group: Path) -> Rise:
    (first, low), (last, high) = group[0], group[-1]
    low = before[1] if before else low
    place = axes.place(ax, (number(first), low), (number(last), high))
    # A riser has no width, and a first point no height.
    left, top = place.left - _WIDE / 2, place.top - _WIDE / 2
    place = Place(left, top, place.width + _WIDE, place.height + _WIDE)
    after, known = before or (None, 0)
    return Rise(name, after, last, high - known, place)


def number(day: date) -> float:
    """Return a day as matplotlib has it: days since 1970-01-01."""
    return float((day - date(1970, 1, 1)).days)


def ranges(chart: Curves) -> Ranges:
    """Return from where to where the axes go, days as numbers; a calendar has no even step."""
    first, last = _days(chart)
    # Room at the left for what is said of an early end.
    x = (number(first) - 0.12 * (last - first).days, number(last) + 0.02 * (last - first).days)
    y = (0.0, 1.2 * _highest(chart))
    return Ranges(x, y, 0.0, axes.step(True, *y))


def pieces(curve: Curve) -> tuple[Path, Path]:
    """Return a curve's points before the end of its support and after it; nothing if it has none.

    Both have a point on the day of the end.
    """
    end = curve.supported_until
    if end is None or end >= curve.points[-1][0]:
        return curve.points, []
    live = [point for point in curve.points if point[0] <= end]
    live += [(end, live[-1][1])] if live else []
    return live, live[-1:] + [point for point in curve.points if point[0] > end]


def corners(points: Path) -> Path:
    """Return all corners of a line that rises in steps on the points' days."""
    found = list(points[:1])
    for (_, before), (day, count) in pairwise(points):
        found += [(day, before), (day, count)]
    return list(dict.fromkeys(found))


def incomplete(chart: Curves) -> tuple[date, date] | None:
    """Return from when to when facts are not complete."""
    _, last = _days(chart)
    return (chart.complete, last) if chart.complete and chart.complete < last else None


def legend(chart: Curves) -> dict[str, str]:
    """Return what dotted lines and a shaded ground mean, by their sign, if there are some."""
    found = {}
    if any(after for _, after in map(pieces, chart.curves)):
        found[DOTTED] = t("support has ended: hardly any new advisories")
    if band := incomplete(chart):
        found[SHADED] = t("after {day:%Y-%m-%d}: facts incomplete, counts too low", day=band[0])
    return found


def layout(chart: Curves) -> Layout:
    """Return where names and labels stand, so that they can be read beside each other."""
    highest = _highest(chart)
    ends = sorted((c.points[-1][1], c.points[-1][0], c.name, n) for n, c in enumerate(chart.curves))
    names, height = [], float("-inf")
    for count, day, name, index in ends:
        height = max(count, height + _APART * 1.2 * highest)
        text = f"{escape.short(name, 22)} {count:,.0f}"
        names.append(Label(index, day, count, height, text))
    first, last = _days(chart)
    near = 0.3 * (last - first).days
    marks: list[Label] = []
    for index, mark in enumerate(chart.marks):
        text = escape.plain(mark.label).replace(": ", ":\n")
        # An end that several images have is said once.
        if any(label.day == mark.day and label.text == text for label in marks):
            continue
        height = mark.count + 0.03 * highest
        while any(
            abs((label.day - mark.day).days) < near and abs(height - label.height) < 0.14 * highest
            for label in marks
        ):
            height += 0.05 * highest
        marks.append(Label(index, mark.day, mark.count, height, text))
    return Layout(names, marks)


def draw(chart: Curves, ax: Axes, scale: float = 1.0) -> Axes:
    """Draw each curve, dotted after the end of its support: hardly any advisories follow.

    `scale` is that of letters and lines.
    """
    highest = _highest(chart)
    for place, curve in enumerate(chart.curves):
        live, after = pieces(curve)
        for points, line in ((after, _DOTTED), (live, _SOLID)):
            line = _scaled(line, scale)
            days, counts = [number(day) for day, _ in points], [count for _, count in points]
            colour = colours.curve(place)
            ax.step(days, counts, where="post", color=colour, zorder=3, label=curve.name, **line)
    for mark in chart.marks:
        colour = colours.curve(mark.curve)
        fill = colour if mark.last else "white"
        dot: Any = {"markersize": 12 * scale, "markeredgewidth": 2.5 * scale, "zorder": 4}
        at = [number(mark.day)], [mark.count]
        ax.plot(*at, "o", color=colour, markerfacecolor=fill, **dot)
    _write(chart, ax, scale)
    for day, text in chart.events:
        ax.axvline(number(day), color=FAINT, linestyle="--", linewidth=1.6 * scale)
        ax.annotate(
            escape.short(text, 32), (number(day), 1.19 * highest), xytext=(6 * scale, 0),
            textcoords="offset points", ha="left", va="top", size=15 * scale, color=INK,
        )  # fmt: skip
    if band := incomplete(chart):
        ax.axvspan(*map(number, band), color=BAND, zorder=0)
    across, upward, *_ = ranges(chart)
    ax.set_xlim(*across)
    ax.set_ylim(*upward)
    over_days(chart, ax, scale)
    signs: dict[str, Artist] = {
        DOTTED: Line2D([], [], color=INK, **_scaled(_DOTTED, scale)),
        SHADED: Rectangle((0, 0), 1, 1, facecolor=BAND, edgecolor=FAINT, linewidth=0.8 * scale),
    }
    if texts := legend(chart):
        axes.legend_above(
            ax, [signs[sign] for sign in texts], [*texts.values()], ncols=len(texts),
            handlelength=2, fontsize=15 * scale,
        )  # fmt: skip
    return ax


def _highest(chart: Curves) -> float:
    return max([1.0, *(count for curve in chart.curves for _, count in curve.points)])


def _days(chart: Curves) -> tuple[date, date]:
    """Return the first and the last day of all curves."""
    days = [day for curve in chart.curves for day, _ in curve.points]
    return min(days), max(days)


def _scaled(line: dict[str, Any], scale: float) -> dict[str, Any]:
    return {**line, "linewidth": line["linewidth"] * scale}


def _write(chart: Curves, ax: Axes, scale: float) -> None:
    """Write the labels of marks, and the names of curves at their ends."""
    names, marks = layout(chart)
    for label in marks:
        ax.annotate(
            label.text,
            (number(label.day), label.height),
            xytext=(-14 * scale, 0),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=colours.curve(chart.marks[label.index].curve),
            size=15 * scale,
            # Below the lines, which go on through it.
            zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": scale, "alpha": 0.8},
        )
    for label in names:
        end, colour = (number(label.day), label.count), colours.curve(label.index)
        axes.name_end(ax, label.text, end, label.height, colour, 17 * scale)
