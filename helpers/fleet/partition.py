"""A part of a fleet, and what is kept of each part: both engines reduce parts the same way."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd


class Partition(NamedTuple):
    """All rows of some images."""

    fleet: pd.DataFrame
    images: pd.DataFrame
    findings: pd.DataFrame
    packages: pd.DataFrame


class Reduction(NamedTuple):
    """What is kept of each part: a picklable function of a Partition, and the columns it needs.

    `of` returns a small frame, or a tuple of some. `columns` has the columns by frame; a frame that
    is not named is empty.
    """

    of: Callable[[Partition], Any]
    columns: Mapping[str, Sequence[str]]
