"""Days to fix: from the first scan of any image that names a fix to the first without it."""

import pandas as pd
import pytest

from helpers.history import time_to_fix
from helpers.history.kaplan_meier import median
from helpers.history.time_to_fix import FIXED, OPEN, WENT
from tests.conftest import finding
from tests.gate.conftest import listing
from tests.history.conftest import kept, stepped

OLD, NEW = "openssl 3.0.1", "openssl 3.0.2"
FIX = {"FixedVersion": "3.0.2"}


def stays(frames) -> pd.DataFrame:
    found = kept(frames)
    sound, whole = stepped(found)
    return time_to_fix.stays(found, sound, whole).set_index("variant")


FOUND, FIXABLE, UPDATED = listing(finding()), listing(finding(**FIX)), listing(packages=NEW)
OTHER = finding(2)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        # From the first fix in any image to the first scan without it.
        ([FOUND, FOUND, FOUND, UPDATED], [FOUND, FIXABLE, UPDATED, UPDATED],
         {"a": (2, FIXED, True, False, False), "b": (1, FIXED, True, False, False)}),
        # What is open, or began before, is at least that long.
        ([FIXABLE] * 3, [FIXABLE, UPDATED, UPDATED],
         {"a": (2, OPEN, False, True, False), "b": (1, FIXED, False, True, False)}),
        # What a database takes back is not fixed.
        ([listing(finding(), OTHER), listing(finding(**FIX), OTHER), listing(OTHER)], [],
         {"a": (1, WENT, True, True, False)}),
        # What has no fix has no days, and what comes back says so.
        ([listing(OTHER, packages=NEW), listing(finding(**FIX), OTHER)] * 2, [],
         {"a": (1, FIXED, True, False, True)}),
    ],
)  # fmt: skip
def test_from_a_fix_to_the_first_scan_without_it(captured, a, b, expected) -> None:
    days = (
        [{"a": one} for one in a]
        if not b
        else [{"a": x, "b": y} for x, y in zip(a, b, strict=True)]
    )
    table = stays(captured(*days))
    assert table["vulnerability_id"].unique().tolist() == ["CVE-2024-0001"]
    columns = ["days", "end", "start_seen", "at_least", "came_back"]
    assert {row[0]: row[1:] for row in table[columns].itertuples(name=None)} == expected


def test_a_broken_scan_fixes_nothing(captured) -> None:
    many = [finding(number, **FIX) for number in range(12)]
    table = stays(captured({"a": listing(*many)}, {"a": listing()}, {"a": listing(*many)}))
    assert table["end"].unique().tolist() == [OPEN]
    assert table["days"].unique().tolist() == [2]


@pytest.mark.parametrize(
    ("days", "at_least", "expected"),
    [
        ([1, 2, 3], [0, 0, 0], 2.0),
        # Left after 2: 3/4; after 5: 3/4 * 1/2.
        ([2, 3, 5, 9], [0, 1, 0, 1], 5.0),
        ([1, 9, 9], [0, 1, 1], None),
        ([], [], None),
    ],
)
def test_the_median_counts_open_ones_for_as_long_as_they_were_seen(
    days: list, at_least: list, expected: float | None
) -> None:
    assert median(pd.Series(days, dtype="Int64"), pd.Series(at_least, dtype="bool")) == expected
