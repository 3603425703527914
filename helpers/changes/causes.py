"""What a change may be due to, and how sure that is: one table for all that compares two scans."""

from itertools import product

import numpy as np
import pandas as pd

from helpers.text.i18n import msg

IMAGE, SCANNER, DATABASE = msg("image"), msg("scanner"), msg("database")
STATEMENT = msg("statement")
UNKNOWN = msg("not known")

CAUSES = (IMAGE, SCANNER, DATABASE)
"""What differs between two scans. A statement is another cause, of single findings."""

_SEVERAL = {
    (IMAGE, SCANNER): msg("image or scanner"),
    (IMAGE, DATABASE): msg("image or database"),
    (SCANNER, DATABASE): msg("scanner or database"),
    (IMAGE, SCANNER, DATABASE): msg("image or scanner or database"),
}
_OPEN = {
    IMAGE: msg("image, or not known"),
    SCANNER: msg("scanner, or not known"),
    DATABASE: msg("database, or not known"),
}

CERTAIN, EXCLUDED, LIKELY = msg("certain"), msg("by exclusion"), msg("most likely")
SEVERAL, NOT_KNOWN = msg("one of several"), msg("not known")
"""How sure a cause is: it alone differs; nothing else can be it, though it is not recorded itself;
the image is known by its name and time alone; any of those named may be it; it is not known."""


def reason(image: bool | None, scanner: bool | None, database: bool | None) -> tuple[str, str]:
    """Return what a change is due to, by what differs (`None`: not known), and how sure that is.

    >>> reason(False, False, None)
    ('database', 'by exclusion')
    >>> reason(True, None, None)
    ('image, or not known', 'one of several')
    """
    states = dict(zip(CAUSES, (image, scanner, database), strict=True))
    differing = [cause for cause, differs in states.items() if differs]
    possible = [cause for cause, differs in states.items() if differs is not False]
    if not possible or all(differs is None for differs in states.values()):
        return UNKNOWN, NOT_KNOWN
    if len(possible) == 1:
        return possible[0], CERTAIN if differing else EXCLUDED
    if len(possible) == len(CAUSES) and len(differing) == 1:
        return _OPEN[differing[0]], SEVERAL
    return _SEVERAL[tuple(possible)], SEVERAL


def may_be_image(reasons: pd.Series) -> pd.Series:
    """Return which changes are the image's, or may be among other things."""
    return reasons.astype("str").str.startswith(IMAGE).fillna(False).astype("bool")


def is_open(reasons: pd.Series) -> pd.Series:
    """Return which changes may be the image's or not: that is not known of them."""
    return reasons.eq(UNKNOWN) | (may_be_image(reasons) & reasons.ne(IMAGE))


_STATES = (False, True, None)
_TABLE = np.array([reason(*states) for states in product(_STATES, repeat=len(CAUSES))], object)


def reasons(states: pd.DataFrame) -> pd.DataFrame:
    """Return `reason` and `certainty` of rows that say whether each of `CAUSES` differs."""
    place = np.zeros(len(states), np.int64)
    for cause in CAUSES:
        place = place * 3 + states[cause].astype("Int8").fillna(2).to_numpy(np.int64)
    found = _TABLE[place].reshape(-1, 2)
    columns = {name: found[:, number] for number, name in enumerate(("reason", "certainty"))}
    return pd.DataFrame(columns, index=states.index, dtype="object")


def differing(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return whether scanner and database of scans differ; NA: not known."""
    names, versions = (_differ(before, after, n) for n in ("scanner", "scanner_version"))
    digests, days = (_differ(before, after, n) for n in ("db_sha256", "db_updated_at"))
    # One scanner is not the other, whatever their versions.
    return pd.DataFrame({SCANNER: names | versions, DATABASE: digests.fillna(days)})


def _differ(before: pd.DataFrame, after: pd.DataFrame, column: str) -> pd.Series:
    then, now = before[column], after[column]
    return then.ne(now).astype("boolean").mask(then.isna() | now.isna())
