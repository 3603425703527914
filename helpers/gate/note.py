"""What there is to know of a comparison besides its result: a code for programs, and its words."""

from typing import NamedTuple

CODES = (
    *("no-system", "scanner-version-not-recorded", "database-not-recorded", "other-database"),
    *("other-image", "other-platform", "release-without-advisories", "same-image"),
    *("severity-not-known", "without-score", "re-rated", "suppressed"),
)


class Note(NamedTuple):
    """One of `CODES`, and a message that says it; `foreign` values of it are texts of reports."""

    code: str
    text: str
    foreign: tuple[str, ...] = ()
