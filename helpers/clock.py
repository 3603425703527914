"""The day of the run, by which support is judged."""

import os
from datetime import UTC, date, datetime


def today() -> date:
    """Return today's day in UTC.

    `SOURCE_DATE_EPOCH` (seconds since 1970) replaces the clock, so that a run can be repeated:
    https://reproducible-builds.org/specs/source-date-epoch/.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    if seconds.isdecimal():
        return datetime.fromtimestamp(int(seconds), UTC).date()
    return datetime.now(UTC).date()
