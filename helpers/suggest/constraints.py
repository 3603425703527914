"""What a candidate must have to replace an image: pure functions, one reason each.

What is not known is not a pass. A reason says so.
"""

import re
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd

from helpers.comparability import end_of_life as ends
from helpers.frames import SCANNED

SUPPORT = timedelta(days=183)
"""How long a candidate must still be supported: six months."""

ANY = "any"
"""The C library of which each is as good."""

_NUMBERS = re.compile(r"\d+(?:\.\d+)*$")


class Wanted(NamedTuple):
    """What is wanted: the runtime and the C library of today's image, a shell or not, the day.

    `runtime` is empty if today's image has none. `libc` is empty if it is unknown.
    """

    runtime: str
    libc: str
    needs_shell: bool
    day: date


def runtime(stated: str, wanted: Wanted) -> str:
    """Return why a runtime cannot replace the wanted one; empty if it can.

    >>> wanted = Wanted("node 22.1.0", "glibc", False, date(2026, 6, 1))
    >>> runtime("node 25.0.0", wanted)
    'node 25 is not a long-term release'
    >>> runtime("node 24.1.0", wanted), runtime("node 20.1.0", wanted)
    ('', 'node 20 is older than node 22')
    """
    if not wanted.runtime:
        return ""
    ours, theirs = ends.release(wanted.runtime), ends.release(stated) if stated else None
    if not theirs:
        return "its runtime is unknown"
    if not ours:
        return f"the release of today's runtime, {wanted.runtime}, is unknown"
    product = ours.partition(" ")[0]
    if theirs.partition(" ")[0] != product:
        return f"its runtime is {stated}, not {product}"
    if _line(theirs) < _line(ours):
        return f"{theirs} is older than {ours}"
    if product == "node" and _line(theirs)[0] % 2:
        return f"{theirs} is not a long-term release"
    return support(stated, wanted.day)


def support(of: str, day: date) -> str:
    """Return why the support of a system or a runtime is too short; empty if it is not.

    >>> support("debian 11.2", date(2026, 6, 1))
    'the support of debian 11.2 ended on 2024-08-14'
    """
    end = ends.end_of_life(*ends.named(of))
    if end is None:
        return f"the end of support of {of} is unknown"
    if end < day:
        return f"the support of {of} ended on {end}"
    if end < day + SUPPORT:
        return f"the support of {of} ends on {end}, in less than six months"
    return ""


def until(*products: str) -> str:
    """Return the first day on which the support of one of these ends; empty if one is unknown.

    Empty products do not count.

    >>> until("debian 13.1", "node 24.2.0")
    '2028-04-30'
    """
    days = [ends.end_of_life(*ends.named(each)) for each in products if each]
    known = [day for day in days if day]
    return str(min(known)) if known and len(known) == len(days) else ""


def refusals(facts: pd.DataFrame, wanted: Wanted) -> list[str]:
    """Return the first reason against each candidate; empty where there is none.

    `facts` has `status, os, runtime, libc, shell` of captured images: texts that are empty if not
    known, and whether there is a shell.
    """
    return [_refusal(row, wanted) for row in facts.itertuples()]


def _refusal(row: Any, wanted: Wanted) -> str:
    if row.status != SCANNED:
        return "it could not be scanned"
    if why := runtime(row.runtime, wanted):
        return why
    if wanted.libc != ANY:
        if not wanted.libc:
            return "the C library of today's image is unknown"
        if not row.libc:
            return "its C library is unknown"
        if row.libc != wanted.libc:
            return f"its C library is {row.libc}, not {wanted.libc}"
    if wanted.needs_shell and not row.shell:
        return "it has no shell"
    return support(row.os, wanted.day) if row.os else "its operating system is unknown"


def _line(release: str) -> tuple[int, ...]:
    found = _NUMBERS.search(release)
    return tuple(map(int, found[0].split("."))) if found else ()
