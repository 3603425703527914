"""What the columns of answers' tables mean."""

import csv
from functools import cache

import pandas as pd

from helpers import paths
from helpers.frames import dictionary

_COLUMNS = paths.HELPERS / "answers" / "columns.csv"

_TABLES = paths.HELPERS / "answers" / "tables.csv"

OF_IMAGE = "<image>"
"""Stands for the columns of a table that are named after images."""


@cache
def meanings() -> dict[str, str]:
    """Return what each column means, with its unit, by name; of frames as `frames.csv` says."""
    of_frames = [column for columns in dictionary().values() for column in columns]
    with _COLUMNS.open(encoding="utf-8", newline="") as file:
        of_tables = {row["column"]: row["meaning"] for row in csv.DictReader(file)}
    return {column.name: column.meaning for column in reversed(of_frames)} | of_tables


@cache
def of_tables() -> dict[str, list[str]]:
    """Return the columns of each question's table, by the question as `subject.name`."""
    with _TABLES.open(encoding="utf-8", newline="") as file:
        return {row["question"]: row["columns"].split(", ") for row in csv.DictReader(file)}


def described(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a column of a table: `column, dtype, meaning`, with units."""
    known = meanings()
    rows = [(n, str(d), known.get(n, known[OF_IMAGE])) for n, d in table.dtypes.items()]
    return pd.DataFrame(rows, columns=["column", "dtype", "meaning"])
