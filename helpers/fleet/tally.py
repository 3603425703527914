"""What is kept of each part of a fleet: an image's counts, and in how many images something is.

None of it grows faster than the images, or than the different vulnerabilities of a part.
"""

from collections.abc import Collection
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers import frames
from helpers.fleet.partition import Partition, Reduction
from helpers.frames import SEVERITIES, SEVERITY
from helpers.scans.package_list import hashes
from helpers.vulnerabilities import counting, lenses, once
from helpers.vulnerabilities.lenses import PLAIN, Lens

_KEYS = ["capture", "variant"]
_FLEET = [*_KEYS, "name", "references", "file", "package_list", "packages_known", "diff_ids"]
_IMAGES = [
    *(
        *_KEYS,
        "os_family",
        "os_version",
        "architecture",
        "packages",
        "created_at",
        "image_id",
        "digest",
    ),
    *("scanner", "scanner_version", "db_updated_at", "db_sha256", "db_coverage", "scanned_at"),
    *("status", "reason"),
]
_FLAGS = ("fixable", "named", "beside_headers")
"""What is so in some of the images that a vulnerability is in."""

_HEADERS = r"^(?:linux-libc-dev|(?:linux|kernel)(?:-.*)?-headers)(?:-|$)"
"""Installed packages of a kernel's headers, of Debian, Ubuntu, Alpine and Red Hat's systems."""

_FINDINGS = [
    *(*_KEYS, "scanner", "vulnerability", "package", "source_package", "fixed_version"),
    *("severity", "suppressed"),
]


def images(lens: Lens = PLAIN) -> Reduction:
    """Return the reduction to one row an image: what is known of it, and its counts.

    The columns of `fleet` and `images` that questions need; `found`, the findings of any kind;
    `count` under the lens, `fixable`, the part of it that a newer package would fix, and one column
    a severity with the part of that. Counts are NA where nothing was measured.

    Raises `ParameterInvalid` for an unknown lens.
    """
    columns = {"fleet": _FLEET, "images": _IMAGES, "findings": _of(lens)}
    return Reduction(partial(_images, lens=lens), columns)


def _images(part: Partition, lens: Lens) -> pd.DataFrame:
    levels = _levels(part, lens)
    whole = _total(levels)
    fixable = whole if lens.fixable else _total(_levels(part, lens._replace(fixable=True)))
    found = part.findings.groupby(_KEYS).size().rename("found").astype("Int64").reset_index()
    table = part.images[_IMAGES].reset_index(drop=True)
    table = table.assign(
        count=whole.array, fixable=fixable.array, **{name: levels[name].array for name in levels}
    )
    table = table.merge(found, how="left", on=_KEYS, validate="one_to_one")
    table["found"] = table["found"].fillna(0).mask(table["count"].isna())
    return table.merge(part.fleet[_FLEET], how="left", on=_KEYS, validate="one_to_one")


def _levels(part: Partition, lens: Lens) -> pd.DataFrame:
    """Return the counts of each image by severity, in the order of the images."""
    counts = counting.severity_counts(part.findings, part.images, lens)
    table = counts.pivot(index=_KEYS, columns="severity", values="count")
    table = table.reindex(pd.MultiIndex.from_frame(part.images[_KEYS]), columns=[*SEVERITIES])
    return table.astype("Int64")


def _total(levels: pd.DataFrame) -> pd.Series:
    return levels.sum(axis="columns", min_count=1)


def occurrences(lens: Lens = PLAIN, without: Collection[str] = ()) -> Reduction:
    """Return the reduction to one row a vulnerability id: in how many images it is.

    `vulnerability_id, severity, images, fixable`: its highest severity, the images that it is in,
    and those in which a newer package would fix it. `without` are variants that are not counted.
    Findings without an id are not there: none can be told from another. Ids that name each other in
    an image are one: whatever part it is in, and whatever other images name.
    """
    of = partial(_occurrences, lens=lens, without=frozenset(without))
    return Reduction(of, {"findings": _of(lens)})


def _occurrences(part: Partition, lens: Lens, without: Collection[str]) -> pd.DataFrame:
    return _held(_counted(part, lens, without), ["vulnerability_id"])


def in_packages(lens: Lens = PLAIN, without: Collection[str] = ()) -> Reduction:
    """Return the reduction to one row a vulnerability id and source package.

    `vulnerability_id, source_package, severity, images, fixable, named, beside_headers`, as
    `occurrences` counts them. Where a report does not name source packages, they are the installed
    ones; `named` is in how many images it does, `beside_headers` in how many of them an installed
    package has it that is more than a kernel's headers.
    """
    of = partial(_in_packages, lens=lens, without=frozenset(without))
    return Reduction(of, {"findings": _of(lens)})


def _in_packages(part: Partition, lens: Lens, without: Collection[str]) -> pd.DataFrame:
    rows = _counted(part, lens, without)
    source = rows["source_package"].fillna(rows["package"]).fillna(counting.UNNAMED)
    is_headers = rows["package"].str.contains(_HEADERS).fillna(False).astype(bool)
    rows = rows.assign(
        source_package=source, named=rows["source_package"].notna(), beside_headers=~is_headers
    )
    return _held(rows, ["vulnerability_id", "source_package"])


def _counted(part: Partition, lens: Lens, without: Collection[str]) -> pd.DataFrame:
    """Return the findings that a lens counts, without those of some images or without an id."""
    rows = part.findings
    if without:
        rows = rows[~rows["variant"].isin(without)]
    counted = lenses.each(rows, lens).dropna(subset="vulnerability")
    return counted.assign(vulnerability_id=counted["vulnerability"])


def _held(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return of each key its highest severity, and in how many images it is and can be fixed."""
    level = pd.Series(rows["severity"].cat.codes, index=rows.index).astype("int64")
    rows = rows.assign(level=level, fixable=rows["fixed_version"].notna())
    # An image counts once, however many of its packages have it.
    flags = [flag for flag in _FLAGS if flag in rows]
    image = rows.groupby([*keys, *_KEYS], observed=True, sort=False)[["level", *flags]].max()
    image = image.reset_index().assign(images=1).astype(dict.fromkeys(flags, "int64"))
    return _summed(image, keys)


def together(parts: pd.DataFrame) -> pd.DataFrame:
    """Return `occurrences` or `in_packages` of all parts as one, in most images first."""
    keys = [key for key in ("vulnerability_id", "source_package") if key in parts]
    table = _summed(parts.assign(level=parts["severity"].cat.codes.astype("int64")), keys)
    return table.sort_values(
        ["images", *keys], ascending=[False, *[True] * len(keys)], ignore_index=True
    )


def _summed(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    columns = [column for column in ("images", *_FLAGS) if column in rows]
    groups = rows.groupby(keys, observed=True, sort=False)
    table = groups.agg({"level": "max", **dict.fromkeys(columns, "sum")}).reset_index()
    severity = pd.Categorical.from_codes(table["level"], dtype=SEVERITY)
    return table.assign(severity=severity)[[*keys, "severity", *columns]]


def judges(without: Collection[str] = ()) -> Reduction:
    """Return the reduction to how many findings each source rates: `severity_source, findings`.

    NA: the report names no source. `without` are variants that are not counted.
    """
    columns = {"findings": ["variant", "suppressed", "severity_source"]}
    return Reduction(partial(_judges, without=frozenset(without)), columns)


def _judges(part: Partition, without: Collection[str]) -> pd.DataFrame:
    rows = part.findings[~part.findings["suppressed"].fillna(False).astype(bool)]
    rows = rows[~rows["variant"].isin(without)]
    who = rows["severity_source"].astype("object").rename("severity_source")
    return who.groupby(who, dropna=False).size().rename("findings").reset_index()


def package_lists() -> Reduction:
    """Return the reduction to one row a distinct package list: `package_list, size, items`.

    `items` are 64-bit hashes of each package with its version, sorted, as bytes. Lists that are not
    in a scan, but made of its findings, are left out: they are no lists of what is installed.
    """
    columns = {
        "fleet": [*_KEYS, "package_list", "packages_known"],
        "packages": [*_KEYS, "package", "version", "package_type"],
    }
    return Reduction(_package_lists, columns)


def _package_lists(part: Partition) -> pd.DataFrame:
    known = part.fleet[part.fleet["packages_known"].fillna(False)].dropna(subset="package_list")
    known = known.drop_duplicates("package_list")
    rows = part.packages.merge(known[[*_KEYS, "package_list"]], on=_KEYS)
    item = hashes(rows["package_type"], rows["package"], rows["version"])
    table = pd.DataFrame(
        {"package_list": rows["package_list"].to_numpy(dtype=object), "item": item}
    )
    table = table.drop_duplicates().sort_values(["package_list", "item"])
    found = [
        (name, len(items), items.to_numpy(np.uint64).tobytes())
        for name, items in table.groupby("package_list", sort=False)["item"]
    ]
    return pd.DataFrame(found, columns=["package_list", "size", "items"])


class Rebuilds(NamedTuple):
    """What is rebuilt, or updated: of each image which others, itself included, and their packages.

    The packages of one are its list, as `package_lists` has it; where that is not known, its
    layers, and all packages in these are meant.
    """

    of: dict[str, list[str]]
    packages: dict[str, bytes | frozenset[str]]


def removed(lens: Lens, rebuilds: Rebuilds) -> Reduction:
    """Return the reduction to what fixed packages would remove: `variant, removed`.

    A row an image that is rebuilt: how much of what a lens counts would be gone from it and from
    all images that it reaches. Gone is what is fixable in those packages and in no other of an
    image: what another package has as well, or what has no fix there, stays.
    """
    lens = lens._replace(fixable=False)
    columns = [*_of(lens), "installed_version", "package_type", "layer_diff_id"]
    of = partial(_removed, lens=lens, rebuilds=rebuilds)
    return Reduction(of, {"findings": [*dict.fromkeys(columns)]})


def _removed(part: Partition, lens: Lens, rebuilds: Rebuilds) -> pd.DataFrame:
    rows = part.findings
    rows = lenses.each(rows[rows["variant"].isin(rebuilds.of)], lens)
    image, names = pd.factorize(rows["variant"].astype("object"))
    order = np.argsort(image, kind="stable")
    rows = rows.iloc[order]
    sizes = np.bincount(image, minlength=len(names))
    ends = np.cumsum(sizes)
    key = once.keys(rows, lens.counted)
    is_fixable = rows["fixed_version"].notna().to_numpy()
    item = hashes(rows["package_type"], rows["package"], rows["installed_version"])
    layer = rows["layer_diff_id"].to_numpy(dtype=object)
    reached: dict[str, list[np.ndarray]] = {}
    for variant, start, end in zip(names, ends - sizes, ends, strict=True):
        for one in rebuilds.of[variant]:
            reached.setdefault(one, []).append(np.arange(start, end))
    sums = dict.fromkeys(rebuilds.packages, 0)
    numbers = int(key.max()) + 1 if len(key) else 0
    for one, places in reached.items():
        at, packages = np.concatenate(places), rebuilds.packages[one]
        if isinstance(packages, bytes):
            within = np.isin(item[at], np.frombuffer(packages, np.uint64))
        else:
            within = pd.Series(layer[at], dtype="object").isin(packages).to_numpy()
        is_gone = np.zeros(numbers, bool)
        is_gone[key[at]] = True
        is_gone[key[at[~(within & is_fixable[at])]]] = False
        sums[one] = int(is_gone.sum())
    counts = pd.array([*sums.values()], dtype="Int64")
    return pd.DataFrame({"variant": pd.array([*sums], dtype="str"), "removed": counts})


def _of(lens: Lens) -> list[str]:
    """Return the columns of findings that a lens looks at."""
    lenses.checked(lens)
    if lens.own:
        return frames.columns("findings")
    changed = lenses.changed(lens)
    return [*_FINDINGS, *(column for name in changed for column in lenses.FIELDS[name].columns)]
