"""A few captures stand for all of a long series."""

from datetime import date, timedelta
from itertools import pairwise

from helpers.studies.landmarks import landmarks
from helpers.studies.provenance import some_of_many

DAYS = [str(date(2024, 1, 1) + timedelta(number)) for number in range(500)]


def test_up_to_twelve_are_all_and_nothing_is_said() -> None:
    assert landmarks(DAYS[:12]) == DAYS[:12]
    assert landmarks([]) == []
    assert not some_of_many(DAYS[:12], 12)


def test_of_more_there_are_the_first_the_newest_and_what_is_needed() -> None:
    found = landmarks(DAYS, [DAYS[7], "2031-01"])
    assert len(found) == 12
    assert found == sorted(found)
    assert {DAYS[0], DAYS[7], DAYS[-1]} <= {*found}
    assert some_of_many(found, 500)


def test_they_are_spread_evenly_in_time_and_not_over_the_captures() -> None:
    # Half of all captures are of one day.
    dense = [f"{DAYS[0]}.{number:03}" for number in range(2, 500)]
    found = landmarks([DAYS[0], *dense, *DAYS[1:]])
    assert sum(name.startswith(DAYS[0]) for name in found) < 3
    days = [date.fromisoformat(name[:10]) for name in found]
    gaps = [(after - before).days for before, after in pairwise(days)]
    assert max(gaps) < 60
