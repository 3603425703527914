"""The command line in this process, which need not import everything for each command."""

import contextlib
import io
import signal
import sys
from typing import NamedTuple

import pytest

from helpers import cli


class Done(NamedTuple):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def run(*arguments: object, **environment: str) -> Done:
    """Run a command of the kit; whatever is not an error of the kit's is raised."""
    status, out, err = 0, io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["helpers", *map(str, arguments)])
        # Signals are for pytest to handle.
        patch.setattr(signal, "getsignal", lambda _: None)
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            cli.main()
        except SystemExit as stop:
            status = int(stop.code or 0)
    return Done(status, out.getvalue(), err.getvalue())
