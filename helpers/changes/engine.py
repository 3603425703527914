"""What happened to each finding from one scan of an image to the next, and why.

History, gate and the changes between two captures use this.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.changes import causes, findings, identity
from helpers.changes.causes import CERTAIN, EXCLUDED, IMAGE, LIKELY, SCANNER, STATEMENT
from helpers.changes.scans import Scans
from helpers.text.i18n import msg

APPEARED, GONE = msg("appeared"), msg("gone")
RERATED, STAYED = msg("re-rated"), msg("stayed")
HIDDEN = msg("suppressed")
"""A new finding that a statement or an ignore file suppresses, so it never counted."""


class Changed(NamedTuple):
    """What happened to findings.

    `rows` are the findings of the scans, as `Scans.presence` has them. `changes` has a row per
    finding: `step, then, now, change, reason, certainty, stays`. `then` and `now` are places in
    `rows` (-1: absent); `stays`: its package is in the other scan, too (NA: not known). Unchanged
    findings have no reason.
    """

    rows: pd.DataFrame
    changes: pd.DataFrame


def order(scans: pd.DataFrame) -> pd.DataFrame:
    """Return scans grouped by image, keeping their order."""
    first = scans.groupby("variant", sort=False).ngroup()
    return scans.iloc[np.argsort(first.to_numpy(), kind="stable")].reset_index(drop=True)


def pairs(ordered: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of consecutive scans of an image, and what differs between them.

    `variant, earlier, later, image, scanner, database, level, list_before, list_after`; the label
    is the place of the later one. `image`, `scanner` and `database` say whether these differ (NA:
    not known); `level` is the one of `identity.LEVELS` that identifies the image.
    """
    before = ordered.shift()
    same = identity.compared(before, ordered)
    found = pd.DataFrame(
        {
            "variant": ordered["variant"],
            "earlier": before["capture"],
            "later": ordered["capture"],
            IMAGE: ~same["same"],
            **causes.differing(before, ordered),
            "level": same["level"],
            "list_before": before["listed"],
            "list_after": ordered["listed"],
        }
    )
    return found[before["variant"].eq(ordered["variant"])]


def changed(scans: Scans, ordered: pd.DataFrame, pairs: pd.DataFrame, every: bool) -> Changed:
    """Return what happened to the findings from each scan to the next.

    `every` includes findings that stayed and those that were suppressed from the start.
    """
    rows, scan = findings.placed(scans.presence, ordered)
    is_step = np.zeros(len(ordered), dtype=bool)
    is_step[pairs.index] = True
    joined = findings.paired(rows, scan, is_step)
    there = rows["there"].to_numpy()
    level = rows["severity"].cat.codes.to_numpy()
    was, is_ = joined["then"].to_numpy(), joined["now"].to_numpy()
    # Place -1 takes the last row, which is not used.
    then, now = (was >= 0) & there[was], (is_ >= 0) & there[is_]
    is_hidden = (was < 0) & ~now
    if every:
        taken = then | now | is_hidden
    else:
        taken = np.where(then & now, level[was] != level[is_], then | now)
    joined, was, is_, then, now = (each[taken] for each in (joined, was, is_, then, now))
    kinds = [is_hidden[taken], ~then, ~now, level[was] != level[is_]]
    change = np.select(kinds, [HIDDEN, APPEARED, GONE, RERATED], STAYED).astype(object)
    joined = joined.assign(change=change).reset_index(drop=True)
    version = rows["installed_version"].cat.codes.to_numpy()
    declared = (was >= 0) & (is_ >= 0) & (then != now) & (version[was] == version[is_])
    joined["stays"] = _stays(joined, rows, scans.installed, pairs)
    return Changed(rows, _with_reasons(joined, pairs, declared))


def _with_reasons(joined: pd.DataFrame, pairs: pd.DataFrame, declared: np.ndarray) -> pd.DataFrame:
    """Return changes with their causes.

    The image does not cause changes in a package that stayed if scanner or database can. Changes in
    a package that only one scan lists are caused by the image, or in an unchanged image by the
    scanner, which then looked elsewhere.
    """
    lists = pairs["list_before"].notna() & pairs["list_after"].notna()
    states = pairs[[*causes.CAUSES]].astype("boolean")
    own = causes.reasons(states.assign(**{IMAGE: states[IMAGE].mask(lists, False)}))
    # Nothing else differs, so it is the image, such as another release of its system.
    only_image = lists & states[IMAGE].fillna(False) & own["reason"].eq(causes.UNKNOWN)
    own["reason"] = own["reason"].mask(only_image, IMAGE)
    own["certainty"] = own["certainty"].mask(only_image, EXCLUDED)
    weak = pairs["level"].isin(identity.WEAK) & own["certainty"].isin([CERTAIN, EXCLUDED])
    own["certainty"] = own["certainty"].mask(weak, LIKELY)
    step = joined["step"].to_numpy()
    found = own.loc[step].set_axis(joined.index)
    is_other = pairs[IMAGE].fillna(True).astype("bool").loc[step].to_numpy()
    by_list = lists.loc[step].to_numpy() & ~joined["stays"].fillna(True).to_numpy(bool)
    for mask, reason, certainty in (
        (by_list & is_other, IMAGE, CERTAIN),
        (by_list & ~is_other, SCANNER, EXCLUDED),
        (declared, STATEMENT, CERTAIN),
        (joined["change"].eq(STAYED).to_numpy(), "", ""),
    ):
        found["reason"] = found["reason"].mask(mask, reason)
        found["certainty"] = found["certainty"].mask(mask, certainty)
    return joined.join(found)


def _stays(
    joined: pd.DataFrame, rows: pd.DataFrame, installed: pd.DataFrame, pairs: pd.DataFrame
) -> pd.Series:
    """Return whether the package of each finding is installed in the other scan, too.

    At its path, or at a path that only the other scan has: a package that moved to another folder
    is not new. If more copies came than went, each counts as new, since it is unknown which is.
    Without lists it is True in the same image, else NA.
    """
    came = joined["now"].ge(0) & joined["then"].lt(0) | joined["change"].eq(APPEARED)
    lists = pairs[["list_before", "list_after"]].loc[joined["step"]].to_numpy(dtype=object)
    place = joined["now"].where(came, joined["then"]).to_numpy()
    asked = pd.DataFrame(
        {
            "own": np.where(came, lists[:, 1], lists[:, 0]),
            "other": np.where(came, lists[:, 0], lists[:, 1]),
            **{name: rows[name].to_numpy()[place] for name in ("named", "release")},
        }
    )
    is_same = ~pairs[IMAGE].astype("boolean").loc[joined["step"]].set_axis(joined.index)
    is_asked = joined["change"].isin([APPEARED, GONE, HIDDEN])
    known = asked["own"].notna() & asked["other"].notna() & is_asked
    stays = is_same.where(is_same.fillna(False)).mask(known)
    is_equal = known & asked["own"].eq(asked["other"])
    stays = stays.mask(is_equal, True)
    asked = asked[known & ~is_equal]
    return stays.mask(stays.index.isin(asked.index), _are_on(asked, installed).reindex(stays.index))


def _are_on(asked: pd.DataFrame, installed: pd.DataFrame) -> pd.Series:
    """Return whether each package is on the other list, at its path or another one."""
    lists = [*{*asked["own"], *asked["other"]}]
    installed = installed[installed["listed"].isin(lists)]
    installed = installed[installed["release"].isin(asked["release"])]
    of = {side: installed.rename(columns={"listed": side}) for side in ("own", "other")}
    distinct = asked.drop_duplicates()
    exact = distinct.merge(of["other"].assign(exact=True), how="left")
    exact["exact"] = exact["exact"].notna()
    # Remaining copies that only one of the lists has.
    releases = exact.loc[~exact["exact"], ["own", "other", "release"]].drop_duplicates()
    alone = {}
    for side, opposite in (("own", "other"), ("other", "own")):
        rows = releases.merge(of[side], on=[side, "release"])
        rows = rows.merge(of[opposite].assign(both=True), how="left")
        alone[side] = rows[rows["both"].isna()].groupby(["own", "other", "release"]).size()
    copies = pd.DataFrame(alone).fillna(0)
    moved = copies["own"].gt(0) & copies["own"].le(copies["other"])
    moved = moved.rename("moved").rename_axis(["own", "other", "release"]).reset_index()
    exact = exact.merge(moved, how="left", on=["own", "other", "release"])
    exact["there"] = exact["exact"] | exact["moved"].fillna(False).astype("bool")
    keys = ["own", "other", "named", "release"]
    found = asked.merge(exact[[*keys, "there"]], how="left", on=keys)["there"]
    return found.astype("boolean").set_axis(asked.index)
