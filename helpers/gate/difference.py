"""What became of each finding between two images, and whose doing it was."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.errors import NotComparable
from helpers.frames import APP, SEVERITIES
from helpers.gate import pair as pairs
from helpers.gate.pair import Pair, Side
from helpers.vulnerabilities.changes import DATABASE, IMAGE, STATEMENT

BROUGHT, REMOVED = "brought", "removed"
PUBLISHED, WITHDRAWN = "newly-published", "withdrawn"
DECLARED, UNDECLARED = "declared-harmless", "no-longer-declared"
UNCHANGED = "unchanged"

CAUSES = {
    BROUGHT: IMAGE,
    PUBLISHED: DATABASE,
    UNDECLARED: STATEMENT,
    REMOVED: IMAGE,
    WITHDRAWN: DATABASE,
    DECLARED: STATEMENT,
    UNCHANGED: "",
}
"""Whose doing each change is. The first three come to the total, the next three go from it."""

CAME, WENT = (BROUGHT, PUBLISHED, UNDECLARED), (REMOVED, WITHDRAWN, DECLARED)

BASE, NOT_KNOWN = "base", "unknown"
"""What comes from the base image, or what no layer says of. The rest comes from `frames.APP`."""

_MANY = 10
"""Findings that another database is not taken to forget all at once (`history.broken_scans`)."""

_KEYS = ["vulnerability_id", "package", "package_path"]
_EXACT = [*_KEYS, "installed_version"]
_MOVED = ["vulnerability_id", "package", "installed_version"]
"""What two findings have alike whose package is in another folder, as an app on another base."""

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
    *("place", "from_base", "cvss_score", "epss", "exploited", "published_at"),
]
"""Columns of a finding, from after the change if it is there."""

COLUMNS = [
    *("change", "cause", *_SHOWN, "origin", "version_before", "version_after"),
    *("severity_before", "severity_after", "row"),
]


def difference(pair: Pair) -> pd.DataFrame:
    """Return what became of every finding, one row each, the most severe first.

    `change` is one of `CAUSES`, which says its `cause`. `brought`: only after, because its package
    in that version at that path was not installed before, or because one database served both, and
    so nothing was published in between. `newly-published`: only after, though its package was
    there. `removed` and `withdrawn` are the same the other way. `declared-harmless` and
    `no-longer-declared`: there both times, but a statement suppresses it in one. What is suppressed
    both times is left out. `unchanged` is in both, perhaps with another severity.

    A finding is the same if id, package and path are; of several the ones with the same version. Of
    the rest it is if id, package and version are: then the package only moved to another path.
    The other columns are those of `findings`, with `origin` (`base` or `app` by the layer; without
    one an app's packages are `app` and others `unknown`), severities and versions of the package
    before and after (NA: not installed, or not known), and `row`, its label in the findings after
    (NA: not there).

    Raises `NotComparable` if it cannot be told the image's doing from the database's.
    """
    same_database, same_image = pairs.same_database(pair), pairs.same_image(pair)
    before, after = pair.before, pair.after
    is_listed = before.installed is not None and after.installed is not None
    if not is_listed and not same_database and not same_image:
        what = "differ" if same_database is False else "are not recorded"
        raise NotComparable(
            f"{before.label} and {after.label}: their databases {what} and not both reports list "
            "packages, so what the image brought cannot be told from what was published meanwhile. "
            "Scan both with one database, or with --list-all-pkgs"
        )
    _check_scan(pair, same_database)
    table = _paired(before.frames.findings, after.frames.findings)
    then, now = _rows(before, table["row_before"]), _rows(after, table["row_after"])
    was, came = then["there"], now["there"]
    lists = (before.installed or frozenset(), after.installed or frozenset())
    by_image = pd.Series(bool(same_database) and not same_image, index=table.index)
    stayed = [by_image] * 2
    if is_listed and not same_image:
        stayed = [
            by_image
            | ~pairs.installed_names(rows, "installed_version").isin(pairs.stayed(own, other))
            for rows, own, other in zip((then, now), lists, reversed(lists), strict=True)
        ]
    is_removed, is_brought = stayed
    same_version = _same_version(then, now)
    change = np.select(
        [
            was & came,
            was & table["row_after"].notna() & same_version,
            was & (is_removed | table["row_after"].notna()),
            was,
            came & table["row_before"].notna() & same_version,
            came & (is_brought | table["row_before"].notna()),
        ],
        [UNCHANGED, DECLARED, REMOVED, WITHDRAWN, UNDECLARED, BROUGHT],
        PUBLISHED,
    )
    shown = {name: now[name].where(came, then[name]) for name in _SHOWN}
    found = pd.DataFrame(shown).assign(
        change=change,
        cause=[CAUSES[each] for each in change],
        origin=_origins(shown["from_base"], shown["place"]),
        version_before=then["installed_version"].fillna(_versions(before, now)),
        version_after=now["installed_version"].fillna(_versions(after, then)),
        severity_before=then["severity"].where(was),
        severity_after=now["severity"].where(came),
        row=table["row_after"],
    )
    ordered = found[COLUMNS][was | came].sort_values(
        ["severity", "package", "vulnerability_id", "package_path"],
        ascending=[False, True, True, True],
        kind="stable",
    )
    return ordered.reset_index(drop=True)


def _same_version(then: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Return which are of one version: what changes in another one is the image's doing."""
    return then["installed_version"].eq(now["installed_version"]).fillna(False).astype("bool")


def _check_scan(pair: Pair, same_database: bool | None) -> None:
    """Raise `NotComparable` if the scan after the change is more likely broken than good news.

    So it is if nothing at all is found any more in the OS packages, or in those of languages,
    though packages with findings are still there in their versions: one database forgets none of
    them, and another one seldom many at once.
    """
    before, after = pair.before, pair.after
    if after.installed is None:
        return
    found = before.frames.findings
    for kind, rows in found.groupby("package_class"):
        if after.frames.findings["package_class"].eq(kind).any():
            continue
        stayed = pairs.installed_names(rows, "installed_version").isin(after.installed).sum()
        if stayed >= (_MANY if same_database is False else 1):
            raise NotComparable(
                f"{after.label}: nothing is found in it any more, though packages with {stayed} of "
                f"the {len(rows)} findings of {before.label} are installed as before. That is more "
                "likely a broken scan, or a version of the operating system that the scanner has "
                "no advisories for. Scan it again, and look at what it says"
            )


def of(table: pd.DataFrame, change: str) -> pd.DataFrame:
    """Return the findings with one change."""
    return table[table["change"].eq(change)]


def re_rated(table: pd.DataFrame) -> pd.DataFrame:
    """Return the unchanged findings with another severity than before."""
    found = of(table, UNCHANGED)
    return found[found["severity_before"].ne(found["severity_after"])]


def counts(severities: pd.Series) -> dict[str, int]:
    """Return how many findings there are by severity, the most severe first, with zeros."""
    counted = severities.value_counts()
    return {level: int(counted.get(level, 0)) for level in reversed(SEVERITIES)}


def _paired(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the positions of findings that are the same, or NA: `row_before`, `row_after`."""
    first, second = _keyed(before), _keyed(after)
    parts = []
    for keys, how in ((_EXACT, "inner"), (_KEYS, "inner"), (_MOVED, "outer")):
        parts.append(_merged(first, second, keys, how))
        first = first[~first["row"].isin(parts[-1]["row_before"])]
        second = second[~second["row"].isin(parts[-1]["row_after"])]
    rows = pd.concat(parts, ignore_index=True)[["row_before", "row_after"]]
    return rows.astype("Int64")


def _keyed(findings: pd.DataFrame) -> pd.DataFrame:
    texts = {key: findings[key].fillna("").astype("str") for key in _EXACT}
    rows = findings.assign(
        **texts, there=~findings["suppressed"].fillna(False), row=range(len(findings))
    )
    # One that is suppressed in one place and not in another is there.
    return rows.sort_values(["there", "severity"], ascending=False, kind="stable")


def _merged(first: pd.DataFrame, second: pd.DataFrame, keys: list[str], how: str) -> pd.DataFrame:
    """Return findings that have the same keys, each with one other only."""
    sides = (
        rows.assign(number=rows.groupby(keys).cumcount())[[*keys, "number", "row"]]
        for rows in (first, second)
    )
    before, after = sides
    return before.merge(after, how=how, on=[*keys, "number"], suffixes=("_before", "_after"))


def _rows(side: Side, rows: pd.Series) -> pd.DataFrame:
    """Return the findings at some positions, missing ones as NA, and whether each counts."""
    findings = side.frames.findings.reset_index(drop=True)
    found = findings.reindex(rows.fillna(-1).astype("int64")).reset_index(drop=True)
    return found.assign(there=rows.notna() & ~found["suppressed"].fillna(False).astype("bool"))


def _versions(side: Side, findings: pd.DataFrame) -> pd.Series:
    """Return the versions of the packages of some findings that are installed in an image."""
    keys = ["package", "package_path"]
    packages = side.frames.packages.assign(
        **{key: side.frames.packages[key].fillna("") for key in keys}
    )
    by_name = packages.dropna(subset="version").groupby(keys)["version"].agg(_listed)
    wanted = pd.MultiIndex.from_frame(findings[keys].fillna(""))
    return pd.Series(by_name.reindex(wanted).to_numpy(), index=findings.index, dtype="str")


def _listed(versions: Iterable[str]) -> str:
    return ", ".join(sorted(set(versions)))


def _origins(from_base: pd.Series, place: pd.Series) -> pd.Series:
    by_layer = from_base.map({True: BASE, False: APP}).astype("str")
    by_place = place.eq(APP).map({True: APP, False: NOT_KNOWN}).astype("str")
    return by_layer.fillna(by_place)
