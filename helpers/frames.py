"""The kit's DataFrames: their columns, what each means, and typed frames of them.

`frames.csv` is the data dictionary; `python -m helpers dictionary` prints it for readers.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import repeat
from typing import Any, NamedTuple, overload

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from helpers import aliases, paths

# A text may be a message that is told in another language where it is shown. Arrow, which pandas
# takes for texts wherever it is installed, would keep only its letters.
pd.set_option("mode.string_storage", "python")

SEVERITIES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
SEVERITY = pd.CategoricalDtype(SEVERITIES, ordered=True)
_CODES = {severity: code for code, severity in enumerate(SEVERITIES)}

TEXT, COUNT, SCORE, FLAG, TIME = "str", "Int64", "Float64", "boolean", "datetime64[us, UTC]"

_TEXTS = pd.StringDtype("python", na_value=np.nan)
"""How texts are stored, with PyArrow or without: its arrays take four times as long to fill."""

_FIRST_DAY = datetime(1990, 1, 1, tzinfo=UTC)
"""Nothing that the kit reads was published, built or scanned before."""

_AHEAD = timedelta(days=366)
"""How far a date may be ahead of today: clocks are wrong, and advisories are announced."""

SCANNED, NO_OS, BROKEN = "scanned", "no-os", "broken"
NOT_LOOKED, NOT_SCANNED, MISSING, FAILED = "not-looked", "not-scanned", "missing", "failed"
UNKNOWN_COUNT = frozenset({NOT_LOOKED, NOT_SCANNED, MISSING, FAILED})
"""Statuses of images whose number of vulnerabilities is unknown."""

OS, TOOLS, APP = "os", "tools", "app"
PLACES = (OS, TOOLS, APP)
"""Where a package sits."""

_BUNDLED = re.compile(
    r"(^|/)("
    r"lib/node_modules/(npm|corepack|yarn|pnpm)"
    r"|opt/yarn[^/]*"
    r"|lib/python[\d.]+/(ensurepip|(site|dist)-packages/(pip|setuptools|wheel|uv|poetry)\b[^/]*)"
    r"|usr/(share|local)/(maven|gradle|go)"
    r"|opt/(maven|gradle)[^/]*"
    r")/"
)
"""Folders of what images of Node.js, Python, Java and Go bundle to install or build an app."""


class Column(NamedTuple):
    """One column of a frame: its name, its dtype and what it means."""

    name: str
    dtype: Any
    meaning: str


class Frames(NamedTuple):
    """What the loader returns: one row an image, a finding, a package."""

    images: pd.DataFrame
    findings: pd.DataFrame
    packages: pd.DataFrame


@cache
def dictionary() -> dict[str, tuple[Column, ...]]:
    """Return the columns of each frame, as `frames.csv` describes them."""
    found: dict[str, list[Column]] = {}
    with paths.FRAMES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            dtype = SEVERITY if row["dtype"] == "severity" else row["dtype"]
            found.setdefault(row["frame"], []).append(Column(row["column"], dtype, row["meaning"]))
    return {frame: tuple(columns) for frame, columns in found.items()}


class Repeated(Sequence[Any]):
    """One value that so many rows have: as a sequence, but no list of it is made."""

    def __init__(self, value: Any, rows: int) -> None:
        self.value, self.rows = value, rows

    def __len__(self) -> int:
        return self.rows

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        rows = range(self.rows)[index]
        return [self.value] * len(rows) if isinstance(rows, range) else self.value

    def __iter__(self) -> Iterator[Any]:
        return repeat(self.value, self.rows)


def make(frame: str, columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the frame of that name with every column of the dictionary, in order and typed.

    `columns` maps names to values of one length; `None` is missing, an absent column all missing.
    Without `vulnerability`, findings are of one vulnerability if their ids name each other.
    """
    absent = Repeated(None, max(map(len, columns.values()), default=0))
    if frame == "findings" and not any(columns.get("vulnerability", ())):
        ids, others = (columns.get(name, absent) for name in ("vulnerability_id", "aliases"))
        if not isinstance(others, Repeated) or others.value:
            ids = aliases.canonical(ids, others)
        columns = {**columns, "vulnerability": ids}
    # Arrays: a frame of as many series takes four times as long, which counts for small reports.
    return pd.DataFrame(
        {
            column.name: plain(_typed(columns.get(column.name, absent), column.dtype))
            for column in dictionary()[frame]
        },
        copy=False,
    )


def named_together(findings: pd.DataFrame) -> pd.DataFrame:
    """Return findings of several frames, with one `vulnerability` for ids that name each other."""
    names = aliases.canonical(findings["vulnerability_id"].tolist(), findings["aliases"])
    return findings.assign(vulnerability=pd.array(names, dtype=_TEXTS))


def ids(findings: pd.DataFrame) -> frozenset[str]:
    """Return the ids of findings, and their aliases."""
    others = (alias for text in findings["aliases"].dropna() for alias in text.split())
    return frozenset((*findings["vulnerability_id"].dropna(), *others))


def plain(values: ExtensionArray) -> ExtensionArray | pd.Series:
    """Return a column so that a frame that is made of it keeps its dtype.

    Of objects that are texts, as messages are, it would make texts.
    """
    is_object = pd.api.types.is_object_dtype(values.dtype)
    return pd.Series(values, dtype=object) if is_object else values


def _typed(values: Sequence[Any], dtype: Any) -> ExtensionArray:
    length = len(values)
    if length > 1 and _is_repeated(values):
        return _typed([values[0]], dtype).repeat(length)
    if dtype == TEXT:
        return pd.array(np.fromiter(values, object, length), dtype=_TEXTS, copy=False)
    if dtype is SEVERITY:
        # By code: pandas takes twice as long to look up each category.
        codes = np.array([_CODES.get(value, -1) for value in values], np.int8)
        return pd.Categorical.from_codes(codes, dtype=SEVERITY)
    if dtype == SCORE:
        scores = np.array(values, np.float64)
        return pd.arrays.FloatingArray(scores, np.isnan(scores))
    return pd.array(values, dtype=_dtype(dtype))


def _is_repeated(values: Sequence[Any]) -> bool:
    """Return whether all are one value, as in many reports, which fills a column at once."""
    if isinstance(values, Repeated):
        return True
    return bool(values[-1] == values[0]) and values.count(values[0]) == len(values)


@cache
def _dtype(name: str) -> Any:
    """Return the dtype of that name, which takes as long to look up as a short column to fill."""
    return pd.api.types.pandas_dtype(name)


def place(package_class: str | None, path: str | None, from_base: bool | None) -> str:
    """Return where a package sits: `os`, `tools` or `app`.

    Tools are the packages of a bundled package manager, by their path, and all other language
    packages in a layer of the base image.
    """
    if package_class == "os-pkgs":
        return OS
    return TOOLS if from_base or (path and _BUNDLED.search(path)) else APP


def utc(moment: datetime | None) -> datetime | None:
    """Return a time in UTC; `None` for none and for what is no date, as `times` says."""
    return times([moment])[0]


def times(given: Iterable[datetime | None]) -> list[datetime | None]:
    """Return times in UTC; `None` for none and for what is no date.

    That is one before 1990, as the year 1, Go's zero time, and one more than a year from today.
    """
    first, last = _FIRST_DAY, datetime.combine(datetime.now(UTC).date() + _AHEAD, time.max, UTC)
    return [
        # Most are in UTC, and a call for each takes five times as long.
        moment
        if moment is not None and moment.tzinfo is UTC and first <= moment <= last
        else _utc(moment, first, last)
        for moment in given
    ]


def _utc(moment: datetime | None, first: datetime, last: datetime) -> datetime | None:
    # A year that is far off could be pushed out of range by an offset.
    if moment is None or not first.year - 1 <= moment.year <= last.year + 1:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if first <= moment <= last else None


def columns(frame: str) -> list[str]:
    """Return the names of a frame's columns, in order."""
    return [column.name for column in dictionary()[frame]]


def dictionary_markdown() -> str:
    """Return the data dictionary as Markdown: one table a frame."""
    tables = []
    for frame, described in dictionary().items():
        lines = [f"**`{frame}`**\n", "| column | dtype | meaning |", "|---|---|---|"]
        for column in described:
            dtype = "severity" if column.dtype is SEVERITY else column.dtype
            lines.append(f"| `{column.name}` | {dtype} | {column.meaning} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables) + "\n"
