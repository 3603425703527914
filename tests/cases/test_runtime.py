"""Runtimes are alike if their versions are, and not if only their release lines are."""

import pandas as pd
import pytest

from helpers import frames
from helpers.comparability.confounders import (
    RUNTIME,
    RUNTIME_VERSION,
    confounders,
    differs,
    unlike,
    versions,
)


def of(*runtimes: str | None) -> pd.DataFrame:
    """Return the confounders of images that are alike but for their runtimes."""
    count = len(runtimes)
    columns = {"variant": list("abcd"[:count]), "capture": ["now"] * count}
    columns |= {"status": ["scanned"] * count, "runtime": list(runtimes)}
    return confounders(frames.make("images", columns))


@pytest.mark.parametrize(
    ("runtimes", "line", "both"),
    [
        (("python 3.13.5", "python 3.13.2"), "python 3.13", ["3.13.2", "3.13.5"]),
        (("node 24.19.0", "node 24.21.0", "node 24.19.0"), "node 24", ["24.19.0", "24.21.0"]),
        (("python 3.13.9", "cpython 3.13.10"), "python 3.13", ["3.13.9", "3.13.10"]),
    ],
)
def test_versions_of_one_release_line_differ(runtimes, line: str, both: list[str]) -> None:
    table = of(*runtimes)
    assert differs(table)[RUNTIME] is False
    assert unlike(table) == [RUNTIME_VERSION]
    assert versions(table) == {line: both}


def test_equal_versions_are_alike() -> None:
    table = of("node 24.19.0", "nodejs v24.19.0")
    assert differs(table)[RUNTIME] is False
    assert differs(table)[RUNTIME_VERSION] is False
    assert versions(table) == {}


def test_release_lines_differ_and_so_may_versions_of_one() -> None:
    assert unlike(of("node 24.19.0", "node 8.17.0")) == [RUNTIME]
    table = of("node 24.19.0", "node 8.17.0", "node 24.21.0")
    assert unlike(table) == [RUNTIME, RUNTIME_VERSION]
    assert versions(table) == {"node 24": ["24.19.0", "24.21.0"]}


def test_a_version_that_is_cut_short_is_not_known_to_be_another() -> None:
    table = of("node 24", "node 24.19.0")
    assert differs(table)[RUNTIME] is False
    assert differs(table)[RUNTIME_VERSION] is None
    assert differs(of("node 24.19.0", None))[RUNTIME_VERSION] is None
