"""The smoke test's question to a port, where no container is needed."""

import time

import pytest

from helpers.containers import smoke_test


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_container_that_has_ended_was_not_reached() -> None:
    nobody = 2**22 + 1  # above the highest process id of Linux
    reply = smoke_test.ask("127.0.0.1", 1, time.monotonic() + 0.1, nobody)
    assert reply == smoke_test.Reply(False)
