"""A table of what images are: the app, base, group and owner that names alone do not say."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers.errors import TableInvalid
from helpers.fleet import table_parts
from helpers.studies import tables

KEYS = ("file", "reference", "digest")
"""What may say which images a row is about: where the scan lies, a reference, a digest."""

FIELDS = ("app", "base", "group", "owner")


class Label(NamedTuple):
    """One row: which images it is about, and what these are; empty: not said."""

    key: str
    pattern: str
    app: str = ""
    base: str = ""
    group: str = ""
    owner: str = ""


Labels = tuple[Label, ...]


def given(scans: str, labels: str | PathLike[str] | None) -> Labels:
    """Return the labels that a user names, or that lie beside tables of facts. Raises as `read`."""
    path = Path(labels) if labels else table_parts.beside(scans, "labels.csv")
    return read(path) if path else ()


def read(path: Path) -> Labels:
    """Return the labels of a CSV file with one of `KEYS` and any of `FIELDS` as columns.

    A key may be a glob, and `*` is any text. Raises `TableInvalid`.
    """
    table = tables.texts(path)
    keys = [key for key in KEYS if key in table]
    fields = [field for field in FIELDS if field in table]
    if len(keys) != 1 or not fields:
        raise TableInvalid(
            path,
            f"its columns are {', '.join(map(str, table.columns[:8]))}",
            f"It needs one of {', '.join(KEYS)}, and some of {', '.join(FIELDS)}",
        )
    rows = table[[*keys, *fields]]
    if rows[keys[0]].eq("").any():
        row = int(rows[keys[0]].eq("").to_numpy().argmax()) + 2
        raise TableInvalid(path, f"{keys[0]!r} is empty in line {row}", "Fill it in")
    return tuple(
        Label(keys[0], row[keys[0]], **{field: row[field] for field in fields})
        for row in rows.to_dict("records")
    )


def named(sources: Iterable[str], path: Path) -> list[str]:
    """Return the images of one app, each that a user did not name as `BASE=IMAGE`.

    `path` are labels, as `read` takes them: a file, a reference, or a reference with its digest.
    Raises `TableInvalid`, also if the images are of different apps.
    """
    labels = read(path)
    found, apps = [], set()
    for source in sources:
        name, _, image = source.rpartition("=")
        parts = image.split("/")
        ends = ["/".join(parts[at:]) for at in range(len(parts))]
        texts = {"file": ends, "reference": [image], "digest": [image.rpartition("@")[2]]}
        fitting = [
            label
            for label in labels
            if any(fnmatchcase(text, label.pattern) for text in texts[label.key])
        ]
        apps |= {label.app for label in fitting if label.app}
        bases = [label.base for label in fitting if label.base]
        found.append(f"{bases[0]}={image}" if bases and not name else source)
    if len(apps) > 1:
        raise TableInvalid(
            path,
            f"the images are of different apps ({', '.join(sorted(apps)[:4])})",
            "Compare images of one app, or read all as a fleet: make fleet",
        )
    return found


def of(scans: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Return what labels say of scans: `variant, key, pattern, app, base, group, owner`.

    A row a label that fits. `scans` are `tally.images`. Empty texts are not said.
    """
    exact: dict[tuple[str, str], list[Label]] = {}
    globs = []
    for label in labels:
        if any(sign in label.pattern for sign in "*?["):
            globs.append(label)
        else:
            exact.setdefault((label.key, label.pattern), []).append(label)
    rows = []
    for scan in scans.itertuples():
        names = _names(scan)
        found = [
            label
            for key, texts in names.items()
            for text in texts
            for label in exact.get((key, text), ())
        ]
        found += [
            label
            for label in globs
            if any(fnmatchcase(text, label.pattern) for text in names[label.key])
        ]
        rows += [(scan.variant, *label) for label in dict.fromkeys(found)]
    return pd.DataFrame(rows, columns=["variant", *Label._fields], dtype="object")


def unused(scans: pd.DataFrame, labels: Labels) -> list[str]:
    """Return the keys of labels that fit no scan."""
    used = {*of(scans, labels)["pattern"]}
    return [label.pattern for label in labels if label.pattern not in used]


def _names(scan: Any) -> dict[str, list[str]]:
    """Return by key what a scan may be named as: of a path also each of its ends."""
    place = scan.file if isinstance(scan.file, str) else ""
    parts = place.split("/")
    ends = ["/".join(parts[at:]) for at in range(len(parts))]
    others = scan.references.split() if isinstance(scan.references, str) else []
    return {
        "file": ends,
        "reference": [*dict.fromkeys([scan.name, *others])],
        "digest": [text for text in (scan.image_id, scan.digest) if isinstance(text, str)],
    }
