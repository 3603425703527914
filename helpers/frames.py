"""The kit's DataFrames: their columns, what each means, and typed frames of them.

`frames.csv` is the data dictionary; `python -m helpers dictionary` prints it for readers.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from helpers import paths

# A text may be a message that is told in another language where it is shown. Arrow, which pandas
# takes for texts wherever it is installed, would keep only its letters.
pd.set_option("mode.string_storage", "python")

SEVERITIES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
SEVERITY = pd.CategoricalDtype(SEVERITIES, ordered=True)
_CODES = {severity: code for code, severity in enumerate(SEVERITIES)}

TEXT, COUNT, SCORE, FLAG, TIME = "str", "Int64", "Float64", "boolean", "datetime64[us, UTC]"

_TEXTS = pd.StringDtype("python", na_value=np.nan)
"""How texts are stored, with PyArrow or without: its arrays take four times as long to fill."""

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


def make(frame: str, columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the frame of that name with every column of the dictionary, in order and typed.

    `columns` maps names to values of one length; `None` is missing, an absent column all missing.
    """
    length = max((len(values) for values in columns.values()), default=0)
    absent = [None] * length
    # Arrays: a frame of as many series takes four times as long, which counts for small reports.
    return pd.DataFrame(
        {
            column.name: _typed(columns.get(column.name, absent), column.dtype)
            for column in dictionary()[frame]
        },
        copy=False,
    )


def _typed(values: Sequence[Any], dtype: Any) -> ExtensionArray:
    length = len(values)
    first = values[0] if values else None
    # Many reports lack whole columns or repeat one value; one value for all rows is fast.
    if not values or (values[-1] == first and values.count(first) == length):
        dtype = _TEXTS if dtype == TEXT else dtype
        return pd.Series(first, index=pd.RangeIndex(length), dtype=dtype).array
    if dtype == TEXT:
        return pd.array(np.fromiter(values, object, length), dtype=_TEXTS, copy=False)
    if dtype is SEVERITY:
        # By code: pandas takes twice as long to look up each category.
        codes = np.fromiter((_CODES.get(value, -1) for value in values), np.int8, length)
        return pd.Categorical.from_codes(codes, dtype=SEVERITY)
    return pd.Series(values, dtype=dtype).array


def place(package_class: str | None, path: str | None, from_base: bool | None) -> str:
    """Return where a package sits: `os`, `tools` or `app`.

    Tools are the packages of a bundled package manager, by their path, and all other language
    packages in a layer of the base image.
    """
    if package_class == "os-pkgs":
        return OS
    return TOOLS if from_base or (path and _BUNDLED.search(path)) else APP


def utc(time: datetime | None) -> datetime | None:
    """Return a time in UTC; `None` for none and for the year 1, Go's zero time."""
    if time is None or time.year <= 1:
        return None
    if time.tzinfo is None or time.year == datetime.max.year:
        # In the last year an offset could push a time out of range.
        return time.replace(tzinfo=UTC)
    return time if time.tzinfo is UTC else time.astimezone(UTC)


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
