"""The day of the run: the clock's, or the one that repeats a run."""

from datetime import UTC, date, datetime

import pytest

from helpers import clock


def test_today_is_a_day_in_utc_or_the_one_that_repeats_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1645999200")
    assert clock.today() == date(2022, 2, 27)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "no number")
    assert abs((clock.today() - datetime.now(UTC).date()).days) <= 1
