"""When releases end: `end_of_life.csv`, one line a release; add lines for more products.

An end in the future is what was planned when the line was written.
"""

import csv
import re
from datetime import date
from functools import cache
from typing import NamedTuple

from helpers import paths

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")
_OLD_JAVA = re.compile(r"^1\.(?=[5-8]\.0(_\d+)?$)|_\d+$")
"""What Java 8 writes around its release: `1.8.0_412` is 8.0."""
_DAYS = ("released", "end_of_life", "end_of_lts")
_NODE = "node"
_ALIASES = {
    "node.js": _NODE,
    "nodejs": _NODE,
    "cpython": "python",
    "python3": "python",
    "golang": "go",
} | dict.fromkeys(("openjdk", "jdk", "jre", "temurin"), "java")


class Cycle(NamedTuple):
    """One line of the table: a release and the days on which it began and ends."""

    cycle: str
    released: date | None
    end_of_life: date | None
    end_of_lts: date | None


def end_of_life(name: str, version: str) -> date | None:
    """Return the day on which a product's release ends, or `None` if that is not known.

    For Debian that is the end of the project's own security support, not of LTS.

    >>> end_of_life("alpine", "3.11.2"), end_of_life("node", "8.17.0")
    (datetime.date(2021, 11, 1), datetime.date(2019, 12, 31))
    """
    found = _cycle(name, version)
    return found.end_of_life if found else None


def advisories_until(name: str, version: str) -> date | None:
    """Return the day after which nobody publishes advisories, or `None` if that is not known.

    That is the end of LTS where there is one: scanners count LTS advisories too.

    >>> advisories_until("debian", "11.2"), end_of_life("debian", "11.2")
    (datetime.date(2026, 8, 31), datetime.date(2024, 8, 14))
    """
    found = _cycle(name, version)
    return (found.end_of_lts or found.end_of_life) if found else None


def supported(name: str, day: date) -> list[Cycle]:
    """Return the releases of a product that are out and supported on a day, the longest first.

    >>> [cycle.cycle for cycle in supported("node", date(2026, 12, 1))]
    ['26', '24', '22']
    """
    cycles = [cycle for (known, _), cycle in _table().items() if known == product(name)]
    out = [c for c in cycles if c.end_of_life and c.released and c.released <= day <= c.end_of_life]
    return sorted(out, key=lambda cycle: cycle.end_of_life or day, reverse=True)


def is_unknown(name: str, version: str) -> bool:
    """Return whether the table has releases of a product, and not this one.

    >>> is_unknown("debian", "99.1"), is_unknown("debian", "12.5"), is_unknown("wolfi", "2023")
    (True, False, False)
    """
    return _cycle(name, version) is None and any(known == product(name) for known, _ in _table())


def named(text: str) -> tuple[str, str]:
    """Return name and version of an operating system or a runtime; an absent version is empty."""
    before, _, last = text.strip().rpartition(" ")
    return (before, last) if before and any(map(str.isdigit, last)) else (text.strip(), "")


def release(runtime: str) -> str | None:
    """Return a runtime's product and release; `None` without a version."""
    name, version = named(runtime)
    found = _cycle(name, version)
    matched = _VERSION.match(version)
    cycle = found.cycle if found else matched[1].partition(".")[0] if matched else ""
    return f"{product(name)} {cycle}" if cycle else None


def product(text: str) -> str:
    """Return a product's name as the table has it."""
    known = text.strip().lower()
    return _ALIASES.get(known, known)


def spelled(text: str) -> str:
    """Return an operating system or a runtime as people write it.

    >>> spelled("alpine 3.11.2"), spelled("node 24.19.0")
    ('Alpine 3.11.2', 'Node.js 24.19.0')
    """
    name, version = named(text)
    label = "Node.js" if product(name) == _NODE else name[:1].upper() + name[1:]
    return f"{label} {version}".strip()


@cache
def _table() -> dict[tuple[str, str], Cycle]:
    """Return the table's lines by product and cycle."""
    with paths.LIFECYCLE.open(encoding="utf-8", newline="") as file:
        return {
            (line["product"], line["cycle"]): Cycle(
                line["cycle"],
                *(date.fromisoformat(line[day]) if line[day] else None for day in _DAYS),
            )
            for line in csv.DictReader(file)
        }


def _cycle(name: str, version: str) -> Cycle | None:
    """Return the release that a version belongs to: the longest that it starts with."""
    # The whole version matches: a preview such as 3.24.0_alpha20251224 belongs to no release.
    matched = _VERSION.fullmatch(_OLD_JAVA.sub("", version.strip()))
    numbers = matched[1].split(".") if matched else []
    for length in range(len(numbers), 0, -1):
        if found := _table().get((product(name), ".".join(numbers[:length]))):
            return found
    return None
