"""What the tests of a series share: frames of captures, and what is kept of them."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from helpers.frames import Frames
from helpers.history import broken_scans, series, steps
from helpers.history.series import Series
from helpers.history.steps import Steps
from helpers.vulnerabilities.lenses import PLAIN

KNOWN = {"scanner_version": "0.76.0"}


@pytest.fixture
def captured(frames_of) -> Callable[..., Frames]:
    """Captures of images, a day each: reports by variant, and what differs from what is known."""

    def made(*captures: dict[str, Any]) -> Frames:
        parts = []
        for number, reports in enumerate(captures):
            day = str((pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)).date())
            about = reports.pop("about", {})
            images, *rest = frames_of(**reports)
            images = images.assign(**KNOWN | {"db_sha256": str(number)} | about)
            parts.append([frame.assign(capture=day) for frame in (images, *rest)])
        return Frames(*(pd.concat(all_, ignore_index=True) for all_ in zip(*parts, strict=True)))

    return made


def kept(frames: Frames, size: int = 1) -> Series:
    """What is kept of frames, read so many captures at a time."""
    captures = sorted(frames.images["capture"].unique())
    parts = [
        Frames(*(frame[frame["capture"].isin(batch)] for frame in frames))
        for batch in series.batches(captures, size)
    ]
    return series.series(parts, PLAIN)


def stepped(found: Series) -> tuple[pd.DataFrame, Steps]:
    """The sound scans of a series, and its steps."""
    sound = broken_scans.sound(broken_scans.marked(found.scans))
    return sound, steps.steps(found, sound)
