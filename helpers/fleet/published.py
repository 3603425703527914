"""Numbers that others published of many images, beside those that are counted here."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.errors import TableInvalid
from helpers.fleet import entries, table_parts
from helpers.studies import tables
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number, paragraph, say

REPRODUCED, DIFFERS, NOT_MEASURABLE = msg("reproduced"), msg("differs"), msg("not measurable")
NONE_GIVEN = msg("No published numbers are given.")

COLUMNS = ["metric", "group", "value", "tolerance", "measured", "outcome"]

_ARROW = "->"

_MOST_DIGITS = 9

_OF_GROUP: dict[str, Callable[[pd.Series], float]] = {
    "total": lambda values: values.sum(),
    "mean": lambda values: values.mean(),
    "median": lambda values: values.median(),
    "entries without": lambda values: values.eq(0).sum(),
}
_OF_APPS: dict[str, Callable[[pd.Series], float]] = {
    "fewer": lambda difference: difference.lt(0).sum(),
    "more": lambda difference: difference.gt(0).sum(),
    "equal": lambda difference: difference.eq(0).sum(),
    "mean difference of": lambda difference: difference.mean(),
    "median difference of": lambda difference: difference.median(),
}
_OF_TWO: dict[str, Callable[[pd.Series, pd.Series], float]] = {
    "change of": lambda first, second: second.sum() - first.sum(),
    "reduction of mean": lambda first, second: 1 - second.mean() / first.mean(),
}

METRICS = (
    *("entries", "images"),
    *(f"{what} {of}" for what in (*_OF_GROUP, *_OF_APPS, *_OF_TWO) for of in entries.QUANTITIES),
)
"""What a published number may be of: `mean fixable findings`, `fewer vulnerabilities`."""


class Number(NamedTuple):
    """A published number: of a family, a day, two of them (`A -> B`), or of all if empty."""

    metric: str
    group: str
    value: float
    tolerance: float


def given(scans: str, published: str | PathLike[str] | None) -> tuple[Number, ...]:
    """Return the numbers of a file that a user names, or of `published.csv` beside tables.

    Raises as `read`.
    """
    path = Path(published) if published else table_parts.beside(scans, "published.csv")
    return read(path) if path else ()


def read(path: Path) -> tuple[Number, ...]:
    """Return the numbers of a CSV file: `metric, value`, and optionally `group, tolerance`.

    Without a tolerance it is half of the last digit that is printed. Raises `TableInvalid`.
    """
    table = tables.texts(path)
    if missing := [name for name in ("metric", "value") if name not in table]:
        raise TableInvalid(
            path,
            f"no column {missing[0]!r}",
            "It needs metric and value, and may have group and tolerance",
        )
    found = []
    for line, row in enumerate(table.to_dict("records"), 2):
        metric, value = row["metric"], row["value"]
        if metric not in METRICS:
            raise TableInvalid(
                path,
                f"{escape.short(metric, 40)!r} in line {line} is not a metric",
                "data/README.md lists them: `mean findings`, `fewer vulnerabilities`",
            )
        group = f" {_ARROW} ".join(part.strip() for part in row.get("group", "").split(_ARROW))
        tolerance = row.get("tolerance") or _half_of_last(value)
        found.append(
            Number(metric, group, _finite(value, path, line), abs(_finite(tolerance, path, line)))
        )
    return tuple(found)


def _finite(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise TableInvalid(
            path, f"{escape.short(text, 40)!r} in line {line} is not a number", "Write it as 92.7"
        )
    return value


def _half_of_last(value: str) -> str:
    """Return half of the last digit after the point: a number may have been rounded.

    >>> _half_of_last("92.7"), _half_of_last("2.5e-3"), _half_of_last("28")
    ('0.05', '0.00005', '0')
    """
    digits = _digits(value)
    return f"0.{'0' * digits}5" if digits else "0"


def _digits(value: str) -> int:
    """Return how many digits a number has after the point; of no number none."""
    with suppress(InvalidOperation):
        exponent = Decimal(value).as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0
    return 0


def compared(made: pd.DataFrame, numbers: tuple[Number, ...]) -> pd.DataFrame:
    """Return published numbers beside measured ones: `COLUMNS`.

    `made` is `entries.table`. `measured` is NA where the evidence does not have it; `outcome` is
    `reproduced` where both are no farther apart than the tolerance.
    """
    rows = []
    for each in numbers:
        measured = _measured(made, each)
        outcome = NOT_MEASURABLE
        if measured is not None and isfinite(measured):
            near = abs(measured - each.value) <= each.tolerance + 1e-9
            outcome = REPRODUCED if near else DIFFERS
        rows.append((*each, measured, outcome))
    numeric = dict.fromkeys(("value", "tolerance", "measured"), "Float64")
    return pd.DataFrame(rows, columns=COLUMNS).astype(numeric)


def _measured(made: pd.DataFrame, each: Number) -> float | None:
    what = next((name for name in _ALL if each.metric.startswith(f"{name} ")), each.metric)
    of = each.metric.removeprefix(what).strip()
    if _ARROW in each.group:
        names = each.group.split(f" {_ARROW} ")
        if len(names) != 2 or not {*names} <= {*made["family"]}:
            return None
        if what in _OF_TWO:
            return float(_OF_TWO[what](*(made[made["family"].eq(name)][of] for name in names)))
        both = entries.between(made, *names)
        if what == "entries":
            return len(both)
        if what not in _OF_APPS or both.empty:
            return None
        return float(_OF_APPS[what](both[f"{of}_second"] - both[f"{of}_first"]))
    rows = made[made["family"].eq(each.group)] if each.group else made[~made["is_day"]]
    if rows.empty or what in _OF_TWO or what in _OF_APPS:
        return None
    if what == "entries":
        return len(rows)
    return rows["variant"].nunique() if what == "images" else float(_OF_GROUP[what](rows[of]))


# The longest first: `mean` begins `mean difference of`, too.
_ALL = sorted((*_OF_GROUP, *_OF_APPS, *_OF_TWO), key=len, reverse=True)


def answer(made: pd.DataFrame, numbers: tuple[Number, ...]) -> Answer:
    """Answer which published numbers are reproduced, and which are not."""
    table = compared(made, numbers)
    if table.empty:
        return Answer("published", table=table, lacks=word(NONE_GIVEN))
    counts = table["outcome"].value_counts()
    title = t(
        "{same} of {numbers} reproduced",
        same=int(counts.get(REPRODUCED, 0)),
        numbers=number(len(table), "published number"),
    )
    text = say(
        "{differs} differ, {lost} cannot be measured here. A number is reproduced if it differs "
        "by no more than its rounding, or the given tolerance.",
        differs=int(counts.get(DIFFERS, 0)),
        lost=int(counts.get(NOT_MEASURABLE, 0)),
    )
    return Answer("published", title, paragraph(text), table, role=SUMMARY, shown=_shown(table))


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with as many digits as decide, and three at least."""
    digits = [min(max(_digits(f"{each:g}"), 3), _MOST_DIGITS) for each in table["tolerance"]]
    texts = {
        column: [_text(*each) for each in zip(table[column], digits, strict=True)]
        for column in ("value", "tolerance", "measured")
    }
    return table.assign(**texts)


def _text(value: float, digits: int) -> str:
    return "" if pd.isna(value) else f"{value:,.{digits}f}".rstrip("0").rstrip(".")
