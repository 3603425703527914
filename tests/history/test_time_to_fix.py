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


def row(table: pd.DataFrame, variant: str = "a") -> list:
    return table.loc[variant, ["days", "end", "start_seen", "at_least"]].tolist()


def test_from_the_first_fix_in_any_image_to_the_first_scan_without_it(captured) -> None:
    table = stays(
        captured(
            {"a": listing(finding()), "b": listing(finding())},
            {"a": listing(finding()), "b": listing(finding(**FIX))},
            {"a": listing(finding()), "b": listing(packages=NEW)},
            {"a": listing(packages=NEW), "b": listing(packages=NEW)},
        )
    )
    assert row(table) == [2, FIXED, True, False]
    assert row(table, "b") == [1, FIXED, True, False]


def test_what_is_open_or_began_before_is_at_least(captured) -> None:
    table = stays(
        captured(
            {"a": listing(finding(**FIX)), "b": listing(finding(**FIX))},
            {"a": listing(finding(**FIX)), "b": listing(packages=NEW)},
            {"a": listing(finding(**FIX)), "b": listing(packages=NEW)},
        )
    )
    assert row(table) == [2, OPEN, False, True]
    assert row(table, "b") == [1, FIXED, False, True]


def test_what_a_database_takes_back_is_not_fixed(captured) -> None:
    table = stays(
        captured(
            {"a": listing(finding(), finding(2))},
            {"a": listing(finding(**FIX), finding(2))},
            {"a": listing(finding(2))},
        )
    )
    assert row(table) == [1, WENT, True, True]


def test_what_has_no_fix_has_no_days_and_what_comes_back_says_so(captured) -> None:
    table = stays(
        captured(
            {"a": listing(finding(2), packages=NEW)},
            {"a": listing(finding(**FIX), finding(2))},
            {"a": listing(finding(2), packages=NEW)},
            {"a": listing(finding(**FIX), finding(2))},
        )
    )
    assert table["vulnerability_id"].tolist() == ["CVE-2024-0001"]
    assert row(table) == [1, FIXED, True, False]
    assert table["came_back"].tolist() == [True]


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
