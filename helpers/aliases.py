"""Which ids are of one vulnerability: a CVE and a GHSA that name each other are."""

from collections.abc import Iterable, Sequence
from typing import Any

_ONE_VULNERABILITY = (
    "CVE-",
    "GHSA-",
    "GMS-",
    "GO-",
    "NSWG-",
    "OSV-",
    "PYSEC-",
    "RUSTSEC-",
    "SNYK-",
)
"""Prefixes of ids of one vulnerability; an advisory (`DSA-`, `RHSA-` …) may be of several."""

_Name = tuple[str, str]
"""An image, or none, and an id in it."""


def is_of_one(name: str) -> bool:
    """Return whether an id is of one vulnerability, and not of an advisory."""
    return name.startswith(_ONE_VULNERABILITY)


def of(main: str | None, others: Sequence[str]) -> str | None:
    """Return a vulnerability's other ids, joined by spaces, if its own id stands for one only.

    An advisory stands for one if exactly one such id is listed with it.
    """
    for other in others:
        if other.startswith(_ONE_VULNERABILITY):
            break
    else:
        # Most name an advisory and nothing else, which counts for 50,000 findings.
        return None
    if not main:
        return None
    names = {other for other in others if other.startswith(_ONE_VULNERABILITY)} - {main}
    is_one = main.startswith(_ONE_VULNERABILITY) or len(names) == 1
    return " ".join(sorted(names)) or None if is_one else None


def canonical(
    ids: Sequence[str | None], aliases: Iterable[object], images: Iterable[str] | None = None
) -> Sequence[str | None]:
    """Return for each id the one that stands for its vulnerability; `None` for none.

    `aliases` are the other ids of each, as `of` gives them, or anything but a text for none. Ids
    are of one vulnerability if one names the other, also by way of a third. Its first CVE id in
    order stands for it, or else its first id. With `images` they name each other in one image only.
    Without aliases it is `ids` itself.
    """
    # Most reports have none, and of others few findings do.
    others_at = [(at, others) for at, others in enumerate(aliases) if isinstance(others, str)]
    if not others_at:
        return ids
    whose = [*images] if images is not None else [""] * len(ids)
    pairs = {
        (whose[at], main, others) for at, others in others_at if isinstance(main := ids[at], str)
    }
    above: dict[_Name, _Name] = {}

    def top(name: _Name) -> _Name:
        while name in above:
            # Shorten the path on the way, so that none gets long.
            above[name] = above.get(above[name], above[name])
            name = above[name]
        return name

    for image, main, others in pairs:
        for other in others.split():
            best, rest = sorted((top((image, main)), top((image, other))), key=_rank)
            if best != rest:
                above[rest] = best
    if not above:
        return ids
    names = {name: top(name)[1] for name in above}
    every: Iterable[Any] = zip(whose, ids, strict=True)
    return [names.get(name, name[1]) for name in every]


def _rank(name: _Name) -> tuple[bool, str]:
    """Return the order in which names are preferred: CVEs first."""
    return not name[1].startswith("CVE-"), name[1]
