"""A study that lives as long as its one capture is looked at."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from helpers import paths, processes
from helpers.capture.new_study import make_study
from helpers.capture.session import capture
from helpers.errors import CaptureFailed
from helpers.images import oci

_NAME = re.compile(r"gate-(?P<pid>\d+)-(?P<machine>[0-9a-f]{8})")
"""A study's name, with the process that it lives as long as."""


@contextmanager
def captured(
    sources: Mapping[str, str], platforms: Sequence[oci.Platform] = (), **options: Any
) -> Iterator[str]:
    """Capture sources together, by the names of their variants; yield the study's name.

    The study is removed afterwards, and first those that killed processes left. `options` are those
    of `capture`. Raises `CaptureFailed` if any of the sources could not be captured.
    """
    _remove_left()
    name = "gate-" + processes.this_process().replace("@", "-")
    try:
        make_study([f"{variant}={source}" for variant, source in sources.items()], name, platforms)
        outcome = capture(name, **options)
        if outcome.failures:
            reasons = (f"{sources[variant]}: {why}" for variant, why in outcome.failures.items())
            raise CaptureFailed("\n".join(reasons))
        yield name
    finally:
        shutil.rmtree(paths.study(name), ignore_errors=True)


def _remove_left() -> None:
    """Remove what killed processes left, and an earlier process of this one's number."""
    for folder in paths.studies().glob("gate-*"):
        if match := _NAME.fullmatch(folder.name):
            owner = f"{match['pid']}@{match['machine']}"
            if owner == processes.this_process() or not processes.runs(owner):
                shutil.rmtree(folder, ignore_errors=True)
