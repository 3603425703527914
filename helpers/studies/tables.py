"""Reads tables of facts, CSV or Parquet in the data dictionary's columns, as frames."""

import os
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import frames
from helpers.errors import KitError, TableInvalid
from helpers.frames import Frames
from helpers.text import escape

SUFFIXES = (".csv", ".csv.gz", ".parquet")

NAMES = ("images", "findings", "packages")
"""The frames that tables are read as, and what their files are called in a folder."""

_COUNTS = tuple(f"counts{suffix}" for suffix in SUFFIXES)

_MAIN = ("findings", "packages")
"""The frames of which a folder needs one: without findings they are package lists."""

_SHOWN = 40
"""Most letters of a value that an error quotes."""

MAX_BYTES = 50_000_000
"""Of a table that says what images are, or which numbers were published."""

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})

Source = str | os.PathLike[str]


def load_tables(
    findings: Source,
    images: Source | None = None,
    packages: Source | None = None,
    columns: Mapping[str, str] | None = None,
) -> Frames:
    """Return the frames of tables of facts: CSV, gzipped or not, or Parquet.

    `findings` needs the columns `variant`, `vulnerability_id`, `package` and `severity`; all other
    columns of the data dictionary may be there, and others are left out. `columns` gives the
    dictionary's name for a table's own: `{"image": "variant"}`. Without `images`, they are those
    that have findings: an image in which nothing was found is not known then. An image whose
    operating system is not named has the status `no-os`. Raises `TableInvalid`, which names file,
    column and image, and `KitError` where Parquet needs PyArrow.
    """
    given = {"findings": findings, "images": images, "packages": packages}
    files = {name: Path(source) for name, source in given.items() if source is not None}
    return of_files(files, columns or {})


def within(folder: Path) -> dict[str, Path]:
    """Return the tables of a folder by frame; empty if it has neither findings nor packages."""
    found: dict[str, Path] = {}
    for name in NAMES:
        for suffix in SUFFIXES:
            if (folder / f"{name}{suffix}").is_file():
                found.setdefault(name, folder / f"{name}{suffix}")
    return found if found.keys() & {*_MAIN} else {}


def main(files: Mapping[str, Path]) -> Path:
    """Return the table that says most: of findings, or else of packages."""
    return next(files[name] for name in _MAIN if name in files)


def of_files(
    files: Mapping[str, Path],
    columns: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> Frames:
    """Return the frames of tables by frame; `only` has the images to read, `None` all.

    Raises `TableInvalid`.
    """
    tables = {name: _read(path, name, columns or {}, only) for name, path in files.items()}
    if "images" not in tables:
        first = next(tables[name]["variant"] for name in _MAIN if name in tables)
        named = pd.DataFrame({"variant": [*dict.fromkeys(first)]})
        tables["images"] = _columns(named, "images", main(files))
    if "findings" not in tables:
        tables["images"]["status"] = [frames.NOT_LOOKED] * len(tables["images"]["variant"])
    if "packages" in tables and "packages" not in tables["images"]:
        counts = Counter(tables["packages"]["variant"])
        tables["images"]["packages"] = [counts[each] for each in tables["images"]["variant"]]
    made = {name: frames.make(name, tables.get(name, {})) for name in NAMES}
    images = made["images"]
    if images["variant"].duplicated().any():
        twice = images["variant"][images["variant"].duplicated()].iloc[0]
        raise TableInvalid(
            files.get("images", main(files)),
            f"the image {escape.short(twice, _SHOWN)!r} has two rows",
            "Give each scan a `variant` of its own",
        )
    if only is None:
        _require_known(files, made)
    return Frames(**made)


def counts_at(place: Path) -> Path | None:
    """Return the table of counts alone at a place: the file, or the one of a folder."""
    if place.is_file():
        return place if place.name in _COUNTS else None
    return next((path for name in _COUNTS if (path := place / name).is_file()), None)


def counts(path: Path) -> pd.DataFrame:
    """Return the frame `counts` of a table: a row is what one scan of an image counted.

    It needs `reference`, `scanned_at` and `findings`. Raises `TableInvalid`, and `KitError` where
    Parquet needs PyArrow.
    """
    table = read(path, key="reference")
    if not len(table):
        raise TableInvalid(path, "it has no rows", "Pass a table that has some")
    made = frames.make("counts", _typed_columns(table, "counts", path, "reference"))
    of_all = ["findings", "vulnerabilities", "fixable", *frames.SEVERITIES]
    for name in of_all:
        wrong = made[name].lt(0) | made[name].gt(made["findings"])
        if wrong.any():
            row = made[wrong.fillna(False)].iloc[0]
            raise TableInvalid(
                path,
                f"{name!r} is {row[name]} of {row['findings']} findings in a row of "
                f"{escape.short(row['reference'], _SHOWN)!r}",
                "Correct the row",
            )
    return made


def _require_known(files: Mapping[str, Path], made: Mapping[str, pd.DataFrame]) -> None:
    known = {*made["images"]["variant"]}
    for name in ("findings", "packages"):
        for variant in made[name]["variant"].unique():
            if variant not in known:
                raise TableInvalid(
                    files[name],
                    f"the image {escape.short(variant, _SHOWN)!r} is not in the table of images",
                    "Add its row there",
                )


def read(path: Path, only: Collection[str] | None = None, key: str = "variant") -> pd.DataFrame:
    """Return a table as it stands, texts as texts; of `only` these, by the column `key`.

    Raises `TableInvalid`, and `KitError` where Parquet needs PyArrow.
    """
    try:
        if path.name.endswith(".parquet"):
            filters = None if only is None else [(key, "in", list(only))]
            table = pd.read_parquet(path, engine="pyarrow", filters=filters)
        else:
            parts = pd.read_csv(
                path, dtype=str, keep_default_na=False, na_values=[""], chunksize=200_000
            )
            kept = [part if only is None else part[part[key].isin(only)] for part in parts]
            table = pd.concat(kept, ignore_index=True)
    except ImportError as error:
        raise KitError(f"{path}: Parquet needs PyArrow. Install it with: make fleet") from error
    except Exception as error:
        # Readers of CSV, gzip and Parquet have errors of their own.
        told = str(error).split("\n")[0] or type(error).__name__
        raise TableInvalid(
            path, f"cannot be read as a table ({told})", "It needs CSV in UTF-8, or Parquet"
        ) from error
    return table


def texts(path: Path) -> pd.DataFrame:
    """Return a small table as texts without spaces around them; what is missing is empty.

    Raises as `read`, and for a file of more than `MAX_BYTES`.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise TableInvalid(path, f"cannot be read ({error.strerror})", "Check the path") from error
    if size > MAX_BYTES:
        raise TableInvalid(path, f"more than {MAX_BYTES:,} bytes", "Shorten it")
    return read(path).fillna("").astype(str).apply(lambda values: values.str.strip())


def _read(
    path: Path, name: str, columns: Mapping[str, str], only: Collection[str] | None
) -> dict[str, list[Any]]:
    theirs = {ours: own for own, ours in columns.items()}.get("variant", "variant")
    table = read(path, only, theirs).rename(columns=dict(columns))
    if repeated := [*table.columns[table.columns.duplicated()]]:
        raise TableInvalid(path, f"two columns are {repeated[0]!r}", "Rename one of them")
    return _columns(table, name, path)


_NEEDED = {
    "findings": ("variant", "vulnerability_id", "package", "severity"),
    "images": ("variant",),
    "packages": ("variant", "package", "version"),
    "counts": ("reference", "scanned_at", "findings"),
}


def _columns(table: pd.DataFrame, name: str, path: Path) -> dict[str, list[Any]]:
    """Return the columns of a table as lists of values of the dictionary's types."""
    found = _typed_columns(table, name, path, "variant")
    rows = len(table)
    found["capture"] = [""] * rows
    if name == "images" and "status" not in found:
        systems = found.get("os_family", [None] * rows)
        found["status"] = [frames.SCANNED if system else frames.NO_OS for system in systems]
    if name == "findings":
        _derive(found, rows)
    return found


def _typed_columns(table: pd.DataFrame, name: str, path: Path, key: str) -> dict[str, list[Any]]:
    """Return the columns of a frame that a table has; `key` names a row in errors."""
    for needed in _NEEDED[name]:
        if needed not in table:
            raise TableInvalid(
                path,
                f"no column {needed!r} ({', '.join(map(str, table.columns[:12]))})",
                "Rename one, or pass columns={'yours': 'ours'}; data/README.md has all",
            )
        if needed not in ("severity", "version") and table[needed].isna().any():
            row = int(table[needed].isna().to_numpy().argmax())
            raise TableInvalid(path, f"{needed!r} is empty in row {row + 1}", "Fill it in")
    found: dict[str, list[Any]] = {}
    for column in frames.dictionary()[name]:
        if column.name in table:
            values = _typed(table[column.name], column.dtype)
            wrong = (values.isna() & table[column.name].notna()).to_numpy()
            if column.dtype == frames.TIME and not wrong.any():
                # A day that no image is of is not known, as in a report.
                found[column.name] = frames.times(
                    None if pd.isna(each) else each for each in values
                )
            if wrong.any():
                row = int(wrong.argmax())
                value, variant = table[column.name].iloc[row], table[key].iloc[row]
                raise TableInvalid(
                    path,
                    f"{column.name!r} is {escape.short(value, _SHOWN)!r} "
                    f"in a row of {escape.short(variant, _SHOWN)!r}",
                    f"It needs {_needs(column.dtype)}",
                )
            if column.dtype != frames.TIME:
                found[column.name] = [None if each is pd.NA else each for each in values.array]
    return found


def _derive(found: dict[str, list[Any]], rows: int) -> None:
    """Fill in what a report's findings always have."""
    none: list[Any] = [None] * rows
    found["severity"] = [each or "UNKNOWN" for each in found["severity"]]
    found["suppressed"] = [bool(each) for each in found.get("suppressed", none)]
    if "place" not in found and "package_class" in found:
        where = zip(
            found["package_class"], found.get("package_path", none), found.get("from_base", none),
            strict=True,
        )  # fmt: skip
        found["place"] = [frames.place(*each) for each in where]


def _typed(values: pd.Series, dtype: Any) -> pd.Series:
    """Return values of a dictionary's type; missing where a value is of another type."""
    if dtype is frames.SEVERITY:
        texts = values.astype("object").str.upper()
        return texts.where(texts.isin(frames.SEVERITIES), None)
    if dtype == frames.COUNT:
        numbers = pd.to_numeric(values, errors="coerce")
        return numbers.where(numbers.mod(1).eq(0) & numbers.abs().lt(2**62)).astype("Int64")
    if dtype == frames.SCORE:
        return pd.to_numeric(values, errors="coerce").astype("Float64")
    if dtype == frames.FLAG:
        texts = values.astype("str").str.lower()
        return texts.map(lambda text: True if text in _TRUE else False if text in _FALSE else None)
    if dtype == frames.TIME:
        moments = {text: _moment(text) for text in values.dropna().unique()}
        return values.astype("object").map(moments).astype("object")
    texts = values.astype("object")
    return texts.where(texts.map(lambda each: isinstance(each, str)), None)


def _moment(value: Any) -> datetime | None:
    """Return a time, also of a year that pandas has no time for."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _needs(dtype: Any) -> str:
    if dtype is frames.SEVERITY:
        return f"one of {', '.join(frames.SEVERITIES)}"
    return {
        frames.COUNT: "a whole number",
        frames.SCORE: "a number",
        frames.FLAG: "true or false",
        frames.TIME: "a time as 2026-01-31T12:00:00Z",
    }.get(dtype, "a text")
