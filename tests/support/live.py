"""What is missing is skipped, or fails where everything has to be there."""

import os

import pytest

LIVE = os.environ.get("KIT_REQUIRE_LIVE") == "1"
"""Whether everything has to be there."""


def unless_live(reason: str) -> None:
    """Skip a test for a reason, or fail for it where everything has to be there."""
    if LIVE:
        pytest.fail(f"KIT_REQUIRE_LIVE=1, but {reason}")
    pytest.skip(reason)
