"""A study that exists only while its single capture is in use."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from helpers import paths, processes, whole
from helpers.capture.new_study import make_study
from helpers.capture.session import capture
from helpers.errors import CaptureFailed
from helpers.images import oci


@contextmanager
def captured(
    sources: Mapping[str, str], platforms: Sequence[oci.Platform] = (), **options: Any
) -> Iterator[str]:
    """Capture sources together, by the names of their variants; yield the study's name.

    The study is removed afterwards; leftovers of killed processes are removed first. `options` are
    those of `capture`. Raises `CaptureFailed` if any source could not be captured.
    """
    whole.clear_up(paths.studies())
    name = "gate-" + processes.this_process().replace("@", "-")
    # An earlier process may have had the same number.
    shutil.rmtree(paths.study(name), ignore_errors=True)
    try:
        make_study([f"{variant}={source}" for variant, source in sources.items()], name, platforms)
        outcome = capture(name, **options)
        if outcome.failures:
            reasons = (f"{sources[variant]}: {why}" for variant, why in outcome.failures.items())
            raise CaptureFailed("\n".join(reasons))
        yield name
    finally:
        shutil.rmtree(paths.study(name), ignore_errors=True)
