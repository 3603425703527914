"""How a total before a change becomes the total after it, by severity and by whose doing it is."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from helpers.frames import SEVERITIES
from helpers.gate import difference
from helpers.gate.difference import (
    BROUGHT,
    CAME,
    DECLARED,
    PUBLISHED,
    REMOVED,
    UNCHANGED,
    UNDECLARED,
    WENT,
    WITHDRAWN,
)
from helpers.gate.judgement import Judgement
from helpers.gate.pair import AFTER, BEFORE
from helpers.text.i18n import msg

LEVELS = tuple(reversed(SEVERITIES))

RE_RATED = "re-rated"

WORDS = {
    BEFORE: msg("before"),
    BROUGHT: msg("+ brought by the image"),
    PUBLISHED: msg("+ newly published"),
    UNDECLARED: msg("+ no longer declared harmless"),
    REMOVED: msg("− removed by the image"),
    WITHDRAWN: msg("− withdrawn"),
    DECLARED: msg("− declared harmless"),
    RE_RATED: msg("± rated otherwise"),
    AFTER: msg("after"),
}
"""What each line of an account is called, in order."""

_ALWAYS = (BEFORE, BROUGHT, REMOVED, PUBLISHED, AFTER)


class Line(NamedTuple):
    """A line of an account: its key in `WORDS`, the count by severity as in `LEVELS`, the total."""

    key: str
    by_severity: tuple[int, ...]
    total: int

    @property
    def counts(self) -> list[str]:
        """Return the counts and their total as texts."""
        return [f"{count:,}".replace("-", "−") for count in (*self.by_severity, self.total)]


def account(judgement: Judgement) -> list[Line]:
    """Return the lines from before to after. What goes is negative, so each column adds up.

    Lines without findings are left out, except for the usual ones.
    """
    table = judgement.table
    lines = {
        BEFORE: _count(table["severity_before"].dropna()),
        **{key: _count(difference.of(table, key)["severity"]) for key in CAME},
        **{
            key: [-count for count in _count(difference.of(table, key)["severity_before"])]
            for key in WENT
        },
        RE_RATED: _moved(difference.of(table, UNCHANGED)),
        AFTER: _count(table["severity_after"].dropna()),
    }
    return [
        Line(key, tuple(lines[key]), sum(lines[key]))
        for key in WORDS
        if key in _ALWAYS or any(lines[key])
    ]


def _count(severities: pd.Series) -> list[int]:
    return [*difference.counts(severities).values()]


def _moved(unchanged: pd.DataFrame) -> list[int]:
    """Return by how much each severity's count moved, of findings that are rated otherwise."""
    before: Sequence[int] = _count(unchanged["severity_before"])
    after = _count(unchanged["severity_after"])
    return [later - earlier for earlier, later in zip(before, after, strict=True)]
