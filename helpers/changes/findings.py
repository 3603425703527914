"""Match the findings of two scans, for many pairs of scans at once."""

import numpy as np
import pandas as pd

from helpers.changes.scans import KEYS, SCAN

_WHOLE = [*KEYS, "installed_version"]
_ALIKE = (KEYS, ["vulnerability_id", "package", "installed_version"])
"""Further matches: a package in another version, then a package that moved."""


def placed(presence: pd.DataFrame, ordered: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the findings of the scans in `ordered`, and the place of each one's scan there.

    Labels are places in `presence`.
    """
    places = ordered[SCAN].assign(scan=range(len(ordered)))
    # Texts are compared once per scan, not once per finding.
    code = presence.groupby(SCAN, observed=True, sort=False).ngroup()
    scans = presence.loc[~code.duplicated(), SCAN].astype("str").merge(places, "left", on=SCAN)
    scan = scans["scan"].fillna(-1).astype("int64").to_numpy()[code]
    rows = presence.set_axis(range(len(presence)))
    return rows[scan >= 0], scan[scan >= 0]


def paired(rows: pd.DataFrame, scan: np.ndarray, is_step: np.ndarray) -> pd.DataFrame:
    """Return which findings are the same before and after a step: `step, then, now`.

    A step is the place of its later scan; the earlier scan is at the place before. `then` and `now`
    are places in `rows` (-1: absent). Findings match if id, package, version and path are equal;
    then if id, package and path are; then if id, package and version are (the package moved); last
    if one id is an alias of the other and package, version and path are equal. Each finding has one
    match at most; those that count are matched first.
    """
    steps = len(is_step) + 1
    found = rows.groupby(_WHOLE, observed=True, sort=False, dropna=False).ngroup().to_numpy()
    # A finding in a scan as one number; in the next scan it is one higher.
    here = found * steps + scan
    order = np.argsort(here, kind="stable")
    if (np.diff(here[order]) == 0).any():
        here = here + _numbers(rows, here) * steps * (found.max() + 1)
        order = np.argsort(here, kind="stable")
    scan, here = scan[order], here[order]
    follows = np.diff(here, prepend=-9) == 1
    is_followed = np.r_[follows[1:], False]
    is_later, is_earlier = is_step[scan], np.r_[is_step, False][scan + 1]
    at = np.flatnonzero(follows & is_later)
    parts = [pd.DataFrame({"step": scan[at], "then": order[at - 1], "now": order[at]})]
    came, went = is_later & ~follows, is_earlier & ~is_followed
    new = _left(rows, scan[came], order[came])
    old = _left(rows, scan[went] + 1, order[went])
    for alike in (*_ALIKE, None):
        part = _renamed(old, new) if alike is None else _matched(old, new, alike)
        parts.append(part)
        old, new = old[~old["row"].isin(part["then"])], new[~new["row"].isin(part["now"])]
    parts.append(old[["step", "row"]].rename(columns={"row": "then"}).assign(now=-1))
    parts.append(new[["step", "row"]].rename(columns={"row": "now"}).assign(then=-1))
    return pd.concat(parts, ignore_index=True)[["step", "then", "now"]].astype("int64")


def _numbers(rows: pd.DataFrame, here: np.ndarray) -> np.ndarray:
    """Return numbers from 0 for equal findings in one scan."""
    order = np.lexsort((-_weight(rows), here))
    first = np.diff(here[order], prepend=-9) != 0
    at = np.arange(len(here))
    numbers = np.empty(len(here), np.int64)
    numbers[order] = at - np.maximum.accumulate(np.where(first, at, 0))
    return numbers


def _weight(rows: pd.DataFrame) -> np.ndarray:
    """Return the order: findings that count first, the most severe of them before others."""
    return np.asarray(rows["there"].to_numpy() * 8 + rows["severity"].cat.codes.to_numpy())


def _left(rows: pd.DataFrame, step: np.ndarray, row: np.ndarray) -> pd.DataFrame:
    """Return findings without a match yet, with the fields to match."""
    found = rows.iloc[row]
    codes = {name: found[name].cat.codes.to_numpy() for name in _WHOLE}
    texts = {"id": found["vulnerability_id"].to_numpy(), "aliases": found["aliases"].to_numpy()}
    left = pd.DataFrame({"step": step, "row": row, "weight": _weight(found), **codes, **texts})
    return left.sort_values("weight", ascending=False, kind="stable")


def _matched(old: pd.DataFrame, new: pd.DataFrame, alike: list[str]) -> pd.DataFrame:
    """Return matching findings, each with one match only: `step, then, now`."""
    keys = ["step", *alike]
    sides = (
        rows[[*keys, "row"]].assign(number=rows.groupby(keys, sort=False).cumcount())
        for rows in (old, new)
    )
    before, after = sides
    found = before.merge(after, on=[*keys, "number"], suffixes=("_then", "_now"))
    return found.rename(columns={"row_then": "then", "row_now": "now"})[["step", "then", "now"]]


def _renamed(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return findings of one package where one id is an alias of the other."""
    parts = []
    for first, second in (("aliases", "id"), ("id", "aliases")):
        before = old.assign(name=old[first])[old[first].notna()]
        after = new.assign(name=new[second])[new[second].notna()]
        if first == "aliases":
            before = before.assign(name=before["name"].astype("str").str.split()).explode("name")
        else:
            after = after.assign(name=after["name"].astype("str").str.split()).explode("name")
        same = ["step", "package", "installed_version", "package_path", "name"]
        before, after = (rows.astype({"name": "object"}) for rows in (before, after))
        parts.append(before.merge(after, on=same, suffixes=("_then", "_now")))
    found = pd.concat(parts, ignore_index=True)
    found = found.drop_duplicates("row_then").drop_duplicates("row_now")
    return found.rename(columns={"row_then": "then", "row_now": "now"})[["step", "then", "now"]]
