"""Days to fix: what is fixed in the step in which its fix came out, and how sure a median is."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers import Comparison
from helpers.history import kaplan_meier
from helpers.history.time_to_fix import FIXED
from tests.cases.made import finding, report, study

OLD, NEW = ("openssl 3.0.1",), ("openssl 3.0.2",)
DAYS = [f"2024-01-{day:02}" for day in (1, 8, 15, 22)]


def stays(data: Any, *captures: dict[str, Any]) -> pd.DataFrame:
    comparison = Comparison(study(data, dict(zip(DAYS, captures, strict=False))))
    return comparison._history.stays


def rows(table: pd.DataFrame, variant: str = "a") -> list[tuple[str, int, str, bool]]:
    ours = table[table["variant"].eq(variant)]
    columns = ["vulnerability_id", "days", "end", "start_seen"]
    return sorted(ours[columns].itertuples(index=False, name=None))


def test_what_goes_with_its_package_before_a_scan_names_its_fix_took_no_days(empty_data) -> None:
    library = finding(3, package="libssl3", SrcName="openssl")
    found = finding(1), finding(2, fix="3.0.2"), finding(3), library
    table = stays(
        empty_data,
        {"a": report(*found, packages=(*OLD, "libssl3 3.0.1"))},
        {"a": report(*found, packages=(*OLD, "libssl3 3.0.1"))},
        # The third is still in another package of the same source.
        {"a": report(library, packages=(*NEW, "libssl3 3.0.1"))},
    )
    assert rows(table) == [
        ("CVE-2024-0001", 0, FIXED, True),
        ("CVE-2024-0002", 14, FIXED, False),
    ]


def test_one_vulnerability_under_two_ids_is_one_stay(empty_data) -> None:
    cve = finding(1, fix="3.0.2")
    ghsa = cve | {"VulnerabilityID": "GHSA-aaaa-bbbb-cccc", "VendorIDs": ["CVE-2024-0001"]}
    table = stays(
        empty_data,
        {"a": report(packages=OLD)},
        {"a": report(cve, ghsa, packages=OLD)},
        {"a": report(ghsa, packages=OLD)},
        {"a": report(packages=NEW)},
    )
    assert rows(table) == [("CVE-2024-0001", 14, FIXED, True)]


def test_another_image_tells_what_this_one_had_until_the_same_step(empty_data) -> None:
    table = stays(
        empty_data,
        {"a": report(packages=OLD), "b": report(packages=OLD)},
        {"a": report(packages=NEW), "b": report(finding(1, fix="3.0.2"), packages=OLD)},
        {"a": report(packages=NEW), "b": report(packages=NEW)},
    )
    assert rows(table) == [("CVE-2024-0001", 0, FIXED, True)]
    assert rows(table, "b") == [("CVE-2024-0001", 7, FIXED, True)]


def test_what_was_fixed_before_its_fix_was_known_or_after_is_none_of_these(empty_data) -> None:
    table = stays(
        empty_data,
        {"a": report(packages=OLD), "b": report(packages=OLD), "c": report(packages=NEW)},
        {"a": report(packages=NEW), "b": report(packages=OLD), "c": report(packages=NEW)},
        {"a": report(packages=NEW), "b": report(finding(1, fix="3.0.2"), packages=OLD)},
    )
    assert rows(table) == []
    assert rows(table, "c") == []


def test_another_release_of_the_system_or_a_database_fixes_nothing_at_once(empty_data) -> None:
    table = stays(
        empty_data,
        {
            "a": report(finding(1), packages=OLD, os="debian 12.5"),
            "b": report(finding(2), packages=OLD),
            "c": report(finding(3), packages=OLD, os="debian 12.5"),
        },
        {
            "a": report(packages=NEW, os="debian 13.0"),
            "b": report(packages=OLD),
            "c": report(packages=NEW, os="debian 12.6"),
        },
    )
    assert table["vulnerability_id"].tolist() == ["CVE-2024-0003"]


@pytest.mark.parametrize(("groups", "has"), [(4, False), (5, True)])
def test_a_median_has_an_interval_if_there_were_rebuilds_enough(groups: int, has: bool) -> None:
    days = pd.Series([7.0, 14.0, 21.0, 28.0] * 10, dtype="Int64")
    ended = pd.Series([False] * 40)
    low, high = kaplan_meier.interval(days, ended, [at % groups for at in range(40)])
    assert (low is not None, high is not None) == (has, has)
    if low is not None:
        assert low <= kaplan_meier.median(days, ended) <= (high or np.inf)


def test_one_rebuild_that_fixed_many_is_one_of_the_rebuilds() -> None:
    days = pd.Series([7] * 60 + [35] * 20, dtype="Int64")
    ended = pd.Series([False] * 80)
    each = kaplan_meier.interval(days, ended, range(80))
    whole = kaplan_meier.interval(days, ended, [0] * 60 + [1 + at // 2 for at in range(20)])
    assert each == (7.0, 7.0)
    assert whole == (7.0, 35.0)


def test_an_end_that_was_not_seen_has_no_day() -> None:
    days = pd.Series([7] * 20 + [30] * 20, dtype="Int64")
    running = pd.Series([False] * 20 + [True] * 20)
    low, high = kaplan_meier.interval(
        days, running, [at % 10 + 10 * (at >= 20) for at in range(40)]
    )
    assert (low, high) == (7.0, None)


def simulated(rng: np.random.Generator, weeks: int = 80) -> tuple[pd.DataFrame, float]:
    """Stays of fixes that come out at random, with every rebuild bringing in all that are out.

    Rebuilds come at random, once in 35 days, and scans every week. Also returned is the median of
    the true stays, by the minute and with their ends.
    """
    end = weeks * 7
    rebuilds = np.cumsum(rng.exponential(35, size=200))
    out = np.sort(np.repeat(rng.uniform(0, end, size=60), rng.geometric(0.2, size=60)))
    fixed = rebuilds[np.searchsorted(rebuilds, out)]
    start, until = (np.ceil(when / 7) * 7 for when in (out, fixed))
    is_open = until > end
    found = {
        "days": np.where(is_open, end - start, until - start),
        "at_least": is_open,
        "group": np.minimum(until, end + 1),
    }
    return pd.DataFrame(found), float(np.median(fixed - out))


def test_the_median_and_its_interval_are_right_where_the_truth_is_known() -> None:
    rng, truth = np.random.default_rng(1), 35 * np.log(2)
    rows = []
    for _ in range(200):
        found, true = simulated(rng)
        seen = found[found["days"].gt(0)]
        low, high = kaplan_meier.interval(found["days"], found["at_least"], found["group"])
        rows.append(
            {
                "median": kaplan_meier.median(found["days"], found["at_least"]),
                "without": kaplan_meier.median(seen["days"], seen["at_least"]),
                "true": true,
                # Days are whole weeks, so an end is half a week fine.
                "covers": (low or 0) - 3.5 <= truth <= (high or np.inf) + 3.5,
            }
        )
    means = pd.DataFrame(rows).astype("float64").mean()
    assert abs(means["median"] - means["true"]) < 1.5
    assert means["without"] - means["true"] > 2.5, "without zeros it is too high"
    assert 0.9 <= means["covers"] <= 0.995
