"""What axes of several charts have in common: their labels and ticks."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from helpers.charts.colours import FAINT
from helpers.text import escape, i18n


class Ranges(NamedTuple):
    """From where to where the axes of a chart go, and how far apart their ticks are."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_step: float
    y_step: float


class Place(NamedTuple):
    """A rectangle on a figure, in shares of its width and height, from above."""

    left: float
    top: float
    width: float
    height: float


def place(ax: Axes, first: tuple[float, float], second: tuple[float, float]) -> Place:
    """Return where the rectangle between two points of the axes is on a figure that is laid out."""
    width, height = float(ax.figure.bbox.width), float(ax.figure.bbox.height)
    (x0, y0), (x1, y1) = ax.transData.transform([first, second])
    left, right, low, high = map(float, (min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)))
    return Place(left / width, 1 - high / height, (right - left) / width, (high - low) / height)


def whole(numbers: Iterable[float]) -> bool:
    """Return whether all numbers are whole."""
    return all(number == int(number) for number in numbers)


def locator(is_whole: bool) -> MaxNLocator:
    """Return what places ticks on an axis of whole or other numbers."""
    return MaxNLocator(8, steps=[1, 2, 5, 10], integer=is_whole)


def step(is_whole: bool, low: float, high: float) -> float:
    """Return how far apart the ticks of an axis are."""
    ticks = locator(is_whole).tick_values(low, high)
    return float(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0


def plain(text: str) -> str:
    """Return text of one or several lines; control characters in it show as escapes."""
    return "\n".join(map(escape.plain, text.split("\n")))


def wrapped(label: str, width: int) -> str:
    """Return an axis's label on as many lines as it takes, so that nothing of it is cut off."""
    return "\n".join(map(escape.plain, i18n.wrap(label, width)))


def say_above(ax: Axes, text: str, scale: float, side: int = 0) -> None:
    """Write above the axes, at the left (0) or at the right (1)."""
    ax.annotate(
        plain(text), (side, 1), xytext=(0, 6 * scale), xycoords="axes fraction",
        textcoords="offset points", ha=("left", "right")[side], va="bottom", size=15 * scale,
        color=FAINT,
    )  # fmt: skip


def name_end(
    ax: Axes, text: str, end: tuple[float, float], height: float, colour: str, size: float
) -> None:
    """Write the name of a line right of the axes, at a height, in the line's colour."""
    ax.annotate(
        text, end, xytext=(1.01, height), textcoords=("axes fraction", "data"), ha="left",
        va="center", size=size, weight="bold", color=colour, annotation_clip=False,
    )  # fmt: skip


def legend_above(ax: Axes, *given: Any, side: int = 0, **look: Any) -> None:
    """Place a legend above the axes, at the left (0) or at the right (1)."""
    ax.legend(
        *given, loc=("lower left", "lower right")[side], bbox_to_anchor=(side, 1.0),
        borderaxespad=0.3, **look,
    )  # fmt: skip


class Part(NamedTuple):
    """A part of a bar: the bar's place, the key of its series, its length, and where it is."""

    bar: int
    key: str
    value: float
    place: Place


def parts(
    ax: Axes, bars: Iterable[Iterable[tuple[str, float | None]]], wide: float, is_upright: bool
) -> list[Part]:
    """Return the parts of stacked bars, bar by bar; none that is 0. `wide` is a bar's width."""
    found = []
    for bar, series in enumerate(bars):
        at = 0.0
        for key, value in series:
            if not value:
                continue
            low, high = (at, bar - wide / 2), (at + value, bar + wide / 2)
            if is_upright:
                low, high = low[::-1], high[::-1]
            found.append(Part(bar, key, value, place(ax, low, high)))
            at += value
    return found
