"""What axes of several charts have in common: their labels and ticks."""

from collections.abc import Iterable
from typing import NamedTuple

from matplotlib.ticker import MaxNLocator

from helpers.text import escape, i18n


class Ranges(NamedTuple):
    """From where to where the axes of a chart go, and how far apart their ticks are."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_step: float
    y_step: float


def whole(numbers: Iterable[float]) -> bool:
    """Return whether all numbers are whole."""
    return all(number == int(number) for number in numbers)


def locator(is_whole: bool) -> MaxNLocator:
    """Return what places ticks on an axis of whole or other numbers."""
    return MaxNLocator(integer=True) if is_whole else MaxNLocator(9, steps=[1, 2, 2.5, 5, 10])


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
