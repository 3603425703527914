"""All captures of a study, and what changed from one to the next."""

from collections.abc import Callable, Sequence
from functools import cached_property

import pandas as pd

from helpers.frames import Frames
from helpers.history import broken_scans, series, steps, time_to_fix
from helpers.history.series import Series
from helpers.history.steps import Steps
from helpers.vulnerabilities.lenses import Lens


class History:
    """The history of some images under a lens; each part is computed once, on demand.

    `read` returns the frames of some captures by name; it gets a few names at a time.
    """

    def __init__(
        self, captures: Sequence[str], read: Callable[[list[str]], Frames], lens: Lens
    ) -> None:
        self._captures, self._read, self.lens = captures, read, lens

    @cached_property
    def series(self) -> Series:
        """What is kept of all captures. Raises what `read` raises."""
        return series.series(map(self._read, series.batches(self._captures)), self.lens)

    @property
    def images(self) -> pd.DataFrame:
        """The frame of that name, of all captures."""
        return self.series.images

    @cached_property
    def scans(self) -> pd.DataFrame:
        """All scans, as `broken_scans.marked` has them."""
        return broken_scans.marked(self.series.scans)

    @cached_property
    def sound(self) -> pd.DataFrame:
        """The scans that trends and steps use."""
        return broken_scans.sound(self.scans)

    @cached_property
    def steps(self) -> Steps:
        """The changes from one sound scan of an image to the next."""
        return steps.steps(self.series, self.sound)

    @cached_property
    def stays(self) -> pd.DataFrame:
        """How long fixable vulnerabilities stayed, as `time_to_fix.stays` returns it."""
        return time_to_fix.stays(self.series, self.sound, self.steps)
