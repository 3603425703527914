"""Runs a command of the kit that ends when it is about to change something.

It is killed there, or the disk is full or read-only from there on.
"""

import errno
import os
import pkgutil
import signal
import subprocess
import sys
from typing import Any

_SECONDS = 900
"""After which a command hangs."""

_DISK = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "shutil.rmtree"}
_FREES = {"os.remove", "os.rmdir", "shutil.rmtree"}
_OTHERS = {"subprocess.Popen", "http.client.send"}
_ERRORS = {"full": errno.ENOSPC, "readonly": errno.EROFS}

_COMMAND = "from tests.support import killed; killed.main()"


def main() -> None:
    """Call a function with a fault; the first arguments are its name, the change, and the fault."""
    call = pkgutil.resolve_name(sys.argv.pop(1))
    at, fault = int(sys.argv.pop(1)), sys.argv.pop(1)
    count, number = 0, _ERRORS.get(fault)

    def hook(event: str, values: tuple[Any, ...]) -> None:
        nonlocal count
        is_change = event in _DISK or (event == "open" and _is_write(*values))
        if not is_change and (number or event not in _OTHERS):
            return
        count += 1
        if not number and count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        if number and 0 < at <= count and not (fault == "full" and event in _FREES):
            raise OSError(number, os.strerror(number), values[0])

    sys.addaudithook(hook)
    try:
        call()
    finally:
        print(f"changes: {count}", file=sys.stderr)


def _is_write(path: object, mode: str | None, flags: int) -> bool:
    """Return whether a file is opened to be written."""
    if isinstance(mode, str):
        return bool({*mode} & {*"wxa+"})
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and path != os.devnull


def run(
    at: int, *command: object, fault: str = "kill", call: str = "helpers.cli:main"
) -> subprocess.CompletedProcess[str]:
    """Run a command with a fault at its change of that number, if it makes so many.

    `fault` is `kill`, or from there on the disk is `full` or `readonly`.
    """
    words = [call, str(at), fault, *map(str, command)]
    # Not pipes: what a killed command has started holds them open. Nor files: a disk may be full.
    out, err = (os.fdopen(os.memfd_create(name), "w+") for name in ("out", "err"))
    with out, err:
        code = [sys.executable, "-c", _COMMAND, *words]
        status = subprocess.run(code, stdout=out, stderr=err, check=False, timeout=_SECONDS)
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(words, status.returncode, out.read(), err.read())


def changes(*command: object, fault: str = "kill", call: str = "helpers.cli:main") -> int:
    """Run a command to its end; return how many changes it makes."""
    done = run(0, *command, fault=fault, call=call)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rpartition("changes: ")[2])
