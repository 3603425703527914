"""Possible causes of a change, and their certainty: one table for all comparisons of scans."""

from itertools import product

import numpy as np
import pandas as pd

from helpers.text.i18n import msg

IMAGE, SCANNER, DATABASE = msg("image"), msg("scanner"), msg("database")
STATEMENT = msg("statement")
UNKNOWN = msg("not known")

CAUSES = (IMAGE, SCANNER, DATABASE)
"""What can differ between two scans. Statements are a further cause, of single findings."""

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
"""Certainties: only this differs; all others are excluded, though this is not recorded; the image
is identified by name and time only; any of the named causes; unknown."""


def reason(image: bool | None, scanner: bool | None, database: bool | None) -> tuple[str, str]:
    """Return the cause of a change, from what differs (`None`: not known), and its certainty.

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
    """Return which changes are caused, or may be caused, by the image."""
    return reasons.astype("str").str.startswith(IMAGE).fillna(False).astype("bool")


def is_open(reasons: pd.Series) -> pd.Series:
    """Return which changes may or may not be caused by the image.

    >>> is_open(pd.Series([IMAGE, DATABASE, "image or database", UNKNOWN])).tolist()
    [False, False, True, True]
    """
    return reasons.eq(UNKNOWN) | (may_be_image(reasons) & reasons.ne(IMAGE))


_STATES = (False, True, None)
_TABLE = np.array([reason(*states) for states in product(_STATES, repeat=len(CAUSES))], object)


def reasons(states: pd.DataFrame) -> pd.DataFrame:
    """Return `reason` and `certainty` of rows with the states of `CAUSES`."""
    place = np.zeros(len(states), np.int64)
    for cause in CAUSES:
        place = place * 3 + states[cause].astype("Int8").fillna(2).to_numpy(np.int64)
    found = _TABLE[place].reshape(-1, 2)
    columns = {name: found[:, number] for number, name in enumerate(("reason", "certainty"))}
    return pd.DataFrame(columns, index=states.index, dtype="object")


def differing(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return whether the scanners and databases of scans differ; NA: not known."""
    names, versions = (_differ(before, after, n) for n in ("scanner", "scanner_version"))
    digests, days = (_differ(before, after, n) for n in ("db_sha256", "db_updated_at"))
    # Different scanners differ, whatever their versions.
    return pd.DataFrame({SCANNER: names | versions, DATABASE: digests.fillna(days)})


def _differ(before: pd.DataFrame, after: pd.DataFrame, column: str) -> pd.Series:
    then, now = before[column], after[column]
    return then.ne(now).astype("boolean").mask(then.isna() | now.isna())
