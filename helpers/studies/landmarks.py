"""Landmarks of a long series: a few captures that stand for all where each has to be read whole."""

from collections.abc import Iterable, Sequence
from datetime import date

MOST = 12
"""Captures that are read whole; more of them are no longer told apart in one figure."""

FEW = 6
"""Captures that stand for more than those."""


def landmarks(names: Sequence[str], needed: Iterable[str] = (), most: int = MOST) -> list[str]:
    """Return which captures of a study stand for all of them, oldest first.

    `names` are those of all captures, oldest first: they begin with a date. Up to `most` are all.
    Of more there are the first, the newest, those that are `needed`, and others, as evenly in time
    as there are captures, up to `most`.
    """
    if len(names) <= most:
        return [*names]
    days = {name: day(name).toordinal() for name in names}
    first, newest = names[0], names[-1]
    chosen = {first, newest, *(name for name in needed if name in days)}
    steps = most - 1
    span = days[newest] - days[first]
    for step in range(1, steps):
        if len(chosen) >= most:
            break
        wanted = days[first] + span * step / steps
        # A needed one nearby stands for this time, too.
        nearest = min(names, key=lambda name: abs(days[name] - wanted))
        chosen.add(nearest)
    return [name for name in names if name in chosen]


def day(name: str) -> date:
    """Return the day in a capture's name: of a month its first, and the first of all for no day."""
    try:
        return date.fromisoformat(name[:10] if name[7:8] == "-" else f"{name[:7]}-01")
    except ValueError:
        return date.min
