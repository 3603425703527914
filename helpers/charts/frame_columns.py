"""Columns of an analyst's own frame, checked before they are drawn: an error says what to do."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from helpers.errors import FrameInvalid
from helpers.text import escape
from helpers.text.i18n import Message

TEXT, COUNT, NUMBER, DAY, FLAG = "names", "whole numbers", "numbers", "days", "true or false"
LOOSE = "names, or none"
"""What a column holds. Counts and numbers are 0 or more; all but names may be missing, and a loose
name that is becomes empty."""

_SHOWN = 12
"""Columns and values that an error lists at most."""


class Columns:
    """Reads columns of a frame for a chart, whose name errors begin with.

    Raises `FrameInvalid` if it is no frame.
    """

    def __init__(self, chart: str, frame: Any) -> None:
        self._chart, self._frame = chart, frame
        if not isinstance(frame, pd.DataFrame):
            kind = type(frame).__name__
            raise self.error(
                f"needs a DataFrame, not a {kind}", "A Series becomes one by .reset_index()"
            )

    def error(self, problem: str, remedy: str) -> FrameInvalid:
        """Return the error of a problem with the frame."""
        return FrameInvalid(f"charts.{self._chart}: {problem}. {remedy}")

    def read(
        self,
        needed: Mapping[str, str],
        optional: Mapping[str, str] | None = None,
        one_row_a: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Return a new frame of the columns, typed by what they hold; optional ones if there.

        The columns of `one_row_a` together tell rows apart. Raises `FrameInvalid`.
        """
        optional = {name: kind for name, kind in (optional or {}).items() if name not in needed}
        for name in needed:
            if name not in self._frame:
                raise self._missing(name)
        there = {name: kind for name, kind in optional.items() if name in self._frame}
        columns = {name: self._typed(name, kind) for name, kind in {**needed, **there}.items()}
        table = pd.DataFrame(columns).reset_index(drop=True)
        keys = [name for name in one_row_a if name in table]
        twice = table[table.duplicated(keys, keep=False)] if keys else table[:0]
        if len(twice):
            first = twice.iloc[0]
            which = ", ".join(f"{key} {escape.short(first[key], 40)!r}" for key in keys)
            count = int(table[keys].eq(first[keys]).all(axis=1).sum())
            raise self.error(
                f"{count} rows for {which}, where one is needed",
                f"Put them together first, such as by frame.groupby({keys})",
            )
        return table

    def one_of(self, table: pd.DataFrame, column: str, known: Collection[str]) -> None:
        """Raise `FrameInvalid` if a column holds anything but what is known."""
        unknown = [value for value in table[column].unique() if value not in known]
        if unknown:
            raise self.error(
                f"column {column!r} has {_listed(unknown)}, which is none of {', '.join(known)}",
                "Write it as one of these, such as by frame.replace(…)",
            )

    def _missing(self, name: str) -> FrameInvalid:
        if name in self._frame.index.names:
            return self.error(
                f"{name!r} is in the index, and no column", "frame.reset_index() makes it one"
            )
        there = _listed(self._frame.columns) or "none"
        return self.error(
            f"no column {name!r}; there are: {there}",
            f'Add it, or give another one its name: frame.rename(columns={{"…": "{name}"}})',
        )

    def _typed(self, name: str, kind: str) -> pd.Series:
        values = self._frame[name]
        if isinstance(values, pd.DataFrame):
            raise self.error(
                f"{values.shape[1]} columns are named {name!r}", "Leave only one of them"
            )
        read: dict[str, Callable[[str, pd.Series], pd.Series]] = {
            TEXT: self._texts,
            LOOSE: self._loose,
            COUNT: self._counts,
            NUMBER: self._numbers,
            DAY: self._days,
            FLAG: self._flags,
        }
        return read[kind](name, values)

    def _texts(self, name: str, values: pd.Series) -> pd.Series:
        if values.isna().any():
            row = values.isna().to_numpy().argmax()
            raise self.error(
                f"column {name!r} is empty in row {row}", "Fill it, or leave the row out"
            )
        return self._loose(name, values)

    def _loose(self, _: str, values: pd.Series) -> pd.Series:
        texts = [_text(value) for value in values]
        return pd.Series(texts, values.index, dtype="object")

    def _numbers(self, name: str, values: pd.Series) -> pd.Series:
        if not is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype):
            if not values.isna().all():
                raise self.error(
                    f"column {name!r} has no numbers, but {_listed(values.dropna().unique())}",
                    f'pandas.to_numeric(frame["{name}"]) makes numbers of text',
                )
            values = pd.Series(pd.NA, values.index, dtype="Float64")
        numbers = values.astype("Float64")
        wrong = numbers[numbers.lt(0).fillna(False) | numbers.isin([float("inf")]).fillna(False)]
        if len(wrong):
            raise self.error(
                f"column {name!r} has {wrong.iloc[0]:,g}, and neither a size nor a count is that",
                "What was not measured is missing (NA)",
            )
        return numbers

    def _counts(self, name: str, values: pd.Series) -> pd.Series:
        numbers = self._numbers(name, values)
        parts = numbers[numbers.mod(1).ne(0).fillna(False)]
        if len(parts):
            raise self.error(
                f"column {name!r} has {parts.iloc[0]:,g}, which is no count",
                "Counts are whole numbers; charts.sizes and charts.points draw others",
            )
        return numbers.astype("Int64")

    def _days(self, name: str, values: pd.Series) -> pd.Series:
        try:
            if is_numeric_dtype(values.dtype) and not values.isna().all():
                raise ValueError("numbers are no days")
            return pd.to_datetime(values, utc=True, format="ISO8601").dt.floor("D")
        except (ValueError, TypeError):
            raise self.error(
                f"column {name!r} has no days, but {_listed(values.dropna().unique())}",
                f'pandas.to_datetime(frame["{name}"]) makes days of text',
            ) from None

    def _flags(self, name: str, values: pd.Series) -> pd.Series:
        try:
            return values.astype("boolean")
        except (ValueError, TypeError):
            raise self.error(
                f"column {name!r} is not true or false, but {_listed(values.dropna().unique())}",
                f'A comparison makes it so, such as frame["{name}"].eq("yes")',
            ) from None


def _text(value: Any) -> str:
    """Return a value as text; a message stays one, to be told in the language that is spoken."""
    if value is False or pd.isna(value):
        return ""
    return value if isinstance(value, Message) else str(value)


def _listed(values: Iterable[Any]) -> str:
    """Return values for an error: some of them, if they are many."""
    found = [escape.short(value, 40) for value in values]
    return ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
