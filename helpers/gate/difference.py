"""What became of each finding between two images, and why."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.changes import causes, engine, identity, scans
from helpers.changes.causes import DATABASE, IMAGE, STATEMENT
from helpers.changes.engine import APPEARED, GONE
from helpers.errors import NotComparable
from helpers.frames import APP, SEVERITIES, Frames
from helpers.gate.pair import Pair, Side

BROUGHT, REMOVED = "brought", "removed"
PUBLISHED, WITHDRAWN = "newly-published", "withdrawn"
DECLARED, UNDECLARED = "declared-harmless", "no-longer-declared"
HIDDEN = "suppressed"
UNCHANGED = "unchanged"

CAUSES = {
    BROUGHT: IMAGE,
    PUBLISHED: DATABASE,
    UNDECLARED: STATEMENT,
    REMOVED: IMAGE,
    WITHDRAWN: DATABASE,
    DECLARED: STATEMENT,
    HIDDEN: IMAGE,
    UNCHANGED: "",
}
"""Whose doing each change is. The first three come to the total, the next three go from it. What
the image brought, and a statement or an ignore file suppresses at once, is in no total."""

CAME, WENT = (BROUGHT, PUBLISHED, UNDECLARED), (REMOVED, WITHDRAWN, DECLARED)

BASE, NOT_KNOWN = "base", "unknown"
"""What comes from the base image, or what no layer says of. The rest comes from `frames.APP`."""

_MANY = 10
"""Findings of which no database takes back more than half at once (`history.broken_scans`)."""

_SHOWN = [
    *(
        "vulnerability_id",
        "aliases",
        "package",
        "package_path",
        "purl",
        "fixed_version",
        "severity",
    ),
    *("place", "from_base", "cvss_score", "epss", "exploited", "published_at", "statement_by"),
]
"""Columns of a finding, from after the change if it is there."""

COLUMNS = [
    *("change", "cause", "certainty", *_SHOWN, "origin", "version_before", "version_after"),
    *("severity_before", "severity_after", "row"),
]


class Difference(NamedTuple):
    """What became of every finding, and whether one database served both, and they are one image.

    `None` where that is not known.
    """

    table: pd.DataFrame
    same_database: bool | None
    same_image: bool | None


def difference(pair: Pair) -> Difference:
    """Return what became of every finding, one row each, the most severe first.

    `change` is one of `CAUSES`, which says its `cause`; `certainty` says how sure that is. They are
    those of `changes.engine`: `brought` and `removed` is what the image caused or may have caused,
    `newly-published` and `withdrawn` what changed though its package stayed, `declared-harmless`
    and `no-longer-declared` what a statement suppresses in one image alone. `suppressed` was
    brought and is suppressed at once. What is suppressed both times is left out. `unchanged` is in
    both, perhaps with another severity. The other columns are those of `findings`, with `origin`
    (`base` or `app` by the layer; without one an app's packages are `app` and others `unknown`),
    severities and versions of the package before and after (NA: not installed, or not known), and
    `row`, its label in the findings after (NA: not there).

    Raises `NotComparable` if the image's changes cannot be separated from the database's, or if the
    scan after the change is more likely broken than good news.
    """
    before, after = pair.before, pair.after
    kept = scans.kept(_together(pair))
    pairs = engine.pairs(kept.scans)
    step = pairs.iloc[0]
    same_image, same_database = (_same(step[cause]) for cause in (IMAGE, DATABASE))
    is_listed = pd.notna(step["list_before"]) and pd.notna(step["list_after"])
    if not is_listed and not same_database and not same_image:
        what = "differ" if same_database is False else "are not recorded"
        raise NotComparable(
            f"{before.label} and {after.label}: their databases {what} and a report lists no "
            "packages, so new findings may come from the image or from the database. "
            "Scan both with one database, or with --list-all-pkgs"
        )
    if is_listed and same_image and step["level"] != identity.PACKAGES:
        raise NotComparable(
            f"{before.label} and {after.label}: the same image, but the reports list different "
            "packages, so one scan is incomplete. Scan both in the same way"
        )
    _, found = engine.changed(kept, kept.scans, pairs, every=True)
    then = _rows(before, found["then"])
    places = (found["now"] - len(before.frames.findings)).where(found["now"].ge(0), -1)
    now = _rows(after, places)
    _check_scan(pair, found, then, same_database)
    was, came = then["there"], now["there"]
    change = _changes(found)
    shown = {name: now[name].where(came | ~was & now["is_row"], then[name]) for name in _SHOWN}
    table = pd.DataFrame(shown).assign(
        change=change,
        cause=[CAUSES.get(each, "") for each in change],
        certainty=found["certainty"],
        origin=_origins(shown["from_base"], shown["place"]),
        version_before=then["installed_version"].fillna(_versions(before, now)),
        version_after=now["installed_version"].fillna(_versions(after, then)),
        severity_before=then["severity"].where(was),
        severity_after=now["severity"].where(came),
        row=places.astype("Int64").mask(places.lt(0)),
    )
    ordered = table[COLUMNS][change != ""].sort_values(
        ["severity", "package", "vulnerability_id", "package_path"],
        ascending=[False, True, True, True],
        kind="stable",
    )
    return Difference(ordered.reset_index(drop=True), same_database, same_image)


def _together(pair: Pair) -> Frames:
    """Return the frames of both as two captures of one image."""
    parts = [
        [frame.assign(variant="", capture=name) for frame in side.frames]
        for name, side in pair.sides.items()
    ]
    return Frames(*(pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True)))


def _same(differs: object) -> bool | None:
    return None if pd.isna(differs) else not differs


def _changes(found: pd.DataFrame) -> np.ndarray:
    """Return what the gate calls each change; empty for other changes."""
    came, went = found["change"].eq(APPEARED), found["change"].eq(GONE)
    declared, by_image = found["reason"].eq(STATEMENT), causes.may_be_image(found["reason"])
    hidden = found["change"].eq(engine.HIDDEN)
    words = {
        UNDECLARED: came & declared,
        BROUGHT: came & by_image,
        PUBLISHED: came,
        DECLARED: went & declared,
        REMOVED: went & by_image,
        WITHDRAWN: went,
        HIDDEN: hidden & by_image,
        "": hidden,
    }
    return np.select([*words.values()], [*words], UNCHANGED)


def _check_scan(
    pair: Pair, found: pd.DataFrame, then: pd.DataFrame, same_database: bool | None
) -> None:
    """Raise `NotComparable` if the scan after the change is more likely broken than good news.

    So it is if more than half of ten or more findings in OS packages, or in those of languages, are
    not found any more, though their packages are still there in their versions; or if nothing at
    all is, of fewer, and the database is not known to be another one.
    """
    stays = found["stays"].fillna(False).astype("bool")
    lost = found["change"].eq(GONE) & stays & found["reason"].ne(STATEMENT)
    counted = then["there"] & (lost | found["now"].ge(0))
    for kind, rows in lost[counted].groupby(then["package_class"]):
        missing, all_ = int(rows.sum()), len(rows)
        is_none = not pair.after.frames.findings["package_class"].eq(kind).any()
        is_few = all_ < _MANY and is_none and same_database is not False
        if missing and (is_few if all_ < _MANY else 2 * missing > all_):
            raise NotComparable(
                f"{pair.after.label}: {missing:,} of {all_:,} findings of {pair.before.label} in "
                f"{kind} are gone, but their packages are still installed. The scan may be broken, "
                "or the scanner may have no advisories for this version of the operating system. "
                "Scan it again, and read the scanner's messages"
            )


def of(table: pd.DataFrame, change: str) -> pd.DataFrame:
    """Return the findings with one change."""
    return table[table["change"].eq(change)]


def re_rated(table: pd.DataFrame) -> pd.DataFrame:
    """Return the unchanged findings with another severity than before."""
    found = of(table, UNCHANGED)
    return found[found["severity_before"].ne(found["severity_after"])]


def rated_higher(table: pd.DataFrame) -> pd.DataFrame:
    """Return the unchanged findings with a higher severity than before."""
    found = of(table, UNCHANGED)
    return found[found["severity_after"].gt(found["severity_before"])]


def counts(severities: pd.Series) -> dict[str, int]:
    """Return how many findings there are by severity, the most severe first, with zeros."""
    counted = severities.value_counts()
    return {level: int(counted.get(level, 0)) for level in reversed(SEVERITIES)}


def _rows(side: Side, places: pd.Series) -> pd.DataFrame:
    """Return the findings at some places, missing ones as NA.

    `is_row` says which are not missing, `there` which of them count.
    """
    findings = side.findings.reset_index(drop=True)
    found = findings.reindex(places).reset_index(drop=True)
    is_row = places.ge(0)
    there = is_row & ~found["suppressed"].fillna(False).astype("bool")
    return found.assign(is_row=is_row, there=there)


def _versions(side: Side, findings: pd.DataFrame) -> pd.Series:
    """Return the versions of the packages of some findings that are installed in an image."""
    keys = ["package", "package_path"]
    packages = side.frames.packages.assign(
        **{key: side.frames.packages[key].fillna("") for key in keys}
    )
    by_name = (
        packages.dropna(subset="version")
        .groupby(keys)["version"]
        .agg(lambda versions: ", ".join(sorted({*versions})))
    )
    wanted = pd.MultiIndex.from_frame(findings[keys].fillna(""))
    return pd.Series(by_name.reindex(wanted).to_numpy(), index=findings.index, dtype="str")


def _origins(from_base: pd.Series, place: pd.Series) -> pd.Series:
    by_layer = from_base.map({True: BASE, False: APP}).astype("str")
    by_place = place.eq(APP).map({True: APP, False: NOT_KNOWN}).astype("str")
    return by_layer.fillna(by_place)
