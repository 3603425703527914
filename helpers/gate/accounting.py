"""How the total before a change becomes the total after it, by severity and cause."""

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
from helpers.text.i18n import msg, t, word

LEVELS = tuple(reversed(SEVERITIES))

WORDS = {
    BEFORE: msg("before"),
    BROUGHT: msg("brought by the image"),
    PUBLISHED: msg("newly published"),
    UNDECLARED: msg("no longer declared harmless"),
    REMOVED: msg("removed by the image"),
    WITHDRAWN: msg("withdrawn from the database"),
    DECLARED: msg("declared harmless"),
    UNCHANGED: msg("rated differently"),
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
        BEFORE: [*difference.counts(table["severity_before"]).values()],
        **{key: _moved(difference.of(table, key)) for key in (*CAME, *WENT, UNCHANGED)},
        AFTER: [*difference.counts(table["severity_after"]).values()],
    }
    return [
        Line(key, tuple(lines[key]), sum(lines[key]))
        for key in WORDS
        if key in _ALWAYS or any(lines[key])
    ]


def rows(judgement: Judgement) -> list[list[str]]:
    """Return an account as texts: a heading, and a row a line."""
    lines = account(judgement)
    signs = {UNCHANGED: "± ", **dict.fromkeys(CAME, "+ "), **dict.fromkeys(WENT, "− ")}
    named = [[signs.get(line.key, "") + word(WORDS[line.key]), *line.counts] for line in lines]
    return [["", *LEVELS, t("total")], *named]


def _moved(findings: pd.DataFrame) -> list[int]:
    """Return by how much some findings move the count of each severity."""
    before, after = (
        difference.counts(findings[f"severity_{side}"]).values() for side in (BEFORE, AFTER)
    )
    return [later - earlier for earlier, later in zip(before, after, strict=True)]
