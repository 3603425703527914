"""Tables of facts as scans of a fleet: one scan an image, read by workers as parts."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from helpers import frames, own_file, paths
from helpers.errors import FleetInvalid
from helpers.fleet import store
from helpers.fleet.scans import Listing, Scan, Table
from helpers.fleet.store import Entry
from helpers.scans import package_list
from helpers.studies import tables
from helpers.studies.study import NAME

PART_ROWS = 200_000
"""Findings and packages of a part, about."""

_DIGITS = 12


def files(scans: str) -> dict[str, Path]:
    """Return the tables that a folder, a file of findings, or a fleet's name stands for, by frame.

    None if it is something else.
    """
    path = folder(scans)
    if path.is_file() and path.name.endswith(tables.SUFFIXES):
        return {"findings": path}
    return tables.within(path)


def folder(scans: str) -> Path:
    """Return the folder or file that scans lie in: a path, or a fleet of that name."""
    path = Path(scans)
    return paths.fleet(scans) if not path.exists() and NAME.fullmatch(scans) else path


def beside(scans: str, name: str) -> Path | None:
    """Return the file of that name that lies beside tables of facts; `None` if there is none."""
    place = folder(scans)
    file = place / name
    return file if tables.within(place) and file.is_file() else None


def listing(files: Mapping[str, Path]) -> Listing:
    """Return one scan for each image of the tables. Raises `TableInvalid` and `FleetInvalid`."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {own_file.sha256(files[name])}\n".encode())
    main = tables.main(files)
    named = tables.read(files.get("images", main))
    if "variant" not in named:
        tables.of_files(files, only=())
    variants = sorted({*named["variant"].dropna().astype(str)})
    if not variants:
        raise FleetInvalid(f"{main}: no image in it. Pass tables that have rows")
    size = sum(path.stat().st_size for path in files.values()) // len(variants)
    shown = paths.shown(main.parent)
    given = tuple((name, str(path)) for name, path in sorted(files.items()))
    return Listing(
        [
            Scan(
                str(main),
                f"{shown}/{variant}",
                size,
                digest.hexdigest(),
                table=Table(given, variant),
            )
            for variant in variants
        ]
    )


def read(scans: Sequence[Scan], into: Path) -> tuple[list[Entry], list[str]]:
    """Write the images of some scans of one listing as parts; return their entries and parts' ids.

    Raises `TableInvalid`, `NoSpace` and `KitError`.
    """
    listed = [scan.table for scan in scans if scan.table]
    of_files = {name: Path(path) for name, path in listed[0].files}
    found = tables.of_files(of_files, only={table.variant for table in listed})
    images = found.images.set_index("variant", drop=False)
    entries = []
    for scan, table in zip(scans, listed, strict=True):
        key = hashlib.sha256(f"{scan.stamp}\n{table.variant}".encode()).hexdigest()
        variant = f"{_name(images.loc[table.variant])}@{key[:_DIGITS]}"
        entries.append(Entry(scan.place, scan.size, scan.stamp, "", "", key, variant))
    new = {t.variant: entry for t, entry in zip(listed, entries, strict=True)}
    rows = (
        found.findings.groupby("variant")
        .size()
        .add(found.packages.groupby("variant").size(), fill_value=0)
    )
    parts = []
    taken: list[str] = []
    held = 0
    for old in new:
        taken.append(old)
        held += int(rows.get(old, 0))
        if held >= PART_ROWS:
            parts.append(_write(into, found, taken, new))
            taken, held = [], 0
    if taken:
        parts.append(_write(into, found, taken, new))
    return entries, parts


def _name(image: pd.Series) -> str:
    return str(image["reference"] if pd.notna(image["reference"]) else image["variant"])


def _write(into: Path, found: frames.Frames, taken: list[str], new: Mapping[str, Entry]) -> str:
    names = {old: new[old].variant for old in taken}
    made = {}
    for name, frame in found._asdict().items():
        rows = frame[frame["variant"].isin(names)].reset_index(drop=True)
        renamed = rows["variant"].map(names).astype(frames.TEXT)
        made[name] = rows.assign(variant=renamed)[frames.columns(name)]
    old = made["images"]["variant"].map({entry.variant: key for key, entry in new.items()})
    named = made["images"]["reference"].fillna(old)
    columns = ["variant", "package", "version", "package_type"]
    lists: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for variant, *package in made["packages"][columns].astype("object").fillna("").to_numpy():
        lists[variant].append(tuple(package))
    made["fleet"] = frames.make(
        "fleet",
        {
            "variant": made["images"]["variant"].tolist(),
            "capture": [""] * len(named),
            "name": named.tolist(),
            # The table's own name of a scan: labels may name it.
            "file": [new[key].place for key in old],
            "digest": made["images"]["digest"]
            .where(made["images"]["digest"].notna(), None)
            .tolist(),
            "package_list": [package_list.of(lists[each]) for each in made["images"]["variant"]],
            "packages_known": [bool(lists[each]) for each in made["images"]["variant"]],
        },
    )
    return store.write_part(into, [new[key] for key in taken], made)
