"""A part of a fleet, and what is kept of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd


class Partition(NamedTuple):
    """All rows of some images."""

    fleet: pd.DataFrame
    images: pd.DataFrame
    findings: pd.DataFrame
    packages: pd.DataFrame


class Reduction(NamedTuple):
    """What is kept of each part: a picklable function of a Partition that returns a small frame.

    `columns` are those that it needs, by frame; a frame that is not named is empty.
    """

    of: Callable[[Partition], pd.DataFrame]
    columns: Mapping[str, Sequence[str]]
