"""Runs commands of the kit that end at a moment: when they are about to change something.

They are killed there, or the disk is full or read-only from there on.
"""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psutil

_SECONDS = 900
"""After which a command hangs."""

_END_SECONDS = 30
"""How long what a killed command has started may go on: a scan is not told of its end."""

_SUBREAPER = 36
"""Orphans become children of this process: https://man7.org/linux/man-pages/man2/prctl.2.html"""

_own: set[psutil.Process] = set()
"""Processes that are no command's."""

_MODULES = (
    *("helpers.cli", "helpers.capture.session", "helpers.capture.kept_reports"),
    *("helpers.capture.fleet", "helpers.runs.run", "helpers.runs.html", "helpers.gate.judgement"),
)

_is_warm = False

_DISK = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "shutil.rmtree"}
_FREES = {"os.remove", "os.rmdir", "shutil.rmtree"}
_OTHERS = {"subprocess.Popen", "http.client.send"}
_ERRORS = {"full": errno.ENOSPC, "readonly": errno.EROFS}

_COMMAND = "from tests.support import killed; killed.main()"


def main() -> None:
    """Run a command with a fault; the first two arguments say at which change, and which."""
    from helpers.cli import main

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
        main()
    finally:
        print(f"changes: {count}", file=sys.stderr)


def _is_write(path: object, mode: str | None, flags: int) -> bool:
    """Return whether a file is opened to be written."""
    if isinstance(mode, str):
        return bool({*mode} & {*"wxa+"})
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and path != os.devnull


def run(at: int, *command: object, fault: str = "kill") -> subprocess.CompletedProcess[str]:
    """Run a command with a fault at its change of that number, if it makes so many.

    `fault` is `kill`, or from there on the disk is `full` or `readonly`.
    """
    words = [str(at), fault, *map(str, command)]
    # Not pipes: what a killed command has started holds them open. Nor files: a disk may be full.
    out, err = (os.fdopen(os.memfd_create(name), "w+") for name in ("out", "err"))
    with out, err:
        if _is_warm:
            status = _forked(words, out.fileno(), err.fileno())
        else:
            code = [sys.executable, "-c", _COMMAND, *words]
            done = subprocess.run(code, stdout=out, stderr=err, check=False, timeout=_SECONDS)
            status = done.returncode
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
    return subprocess.CompletedProcess(words, status, *texts)


def warm_up() -> None:
    """Import what commands need, so that from now on they are forked and need not."""
    global _is_warm
    for module in _MODULES:
        import_module(module)
    _is_warm = True


def _forked(words: list[str], out: int, err: int) -> int:
    """Run a command in a fork of this process; return its exit status."""
    sys.stdout.flush()
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    status = 1
    try:
        for number, to in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(number, to)
        sys.argv = ["helpers", *words]
        main()
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def changes(*command: object, fault: str = "kill") -> int:
    """Run a command to its end; return how many changes it makes."""
    done = run(0, *command, fault=fault)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rpartition("changes: ")[2])


def moments(*command: object, step: int = 1, first: int = 1) -> Iterator[int]:
    """Run a command again and again, killed at its first change, at a later one, and so on.

    Yields the moment each time that it was killed, and ends when it comes to its end. A run begins
    with what the run before it left.
    """
    at = first
    while True:
        done = run(at, *command)
        if done.returncode != -signal.SIGKILL:
            assert done.returncode == 0, done.stderr
            return
        yield at
        at += step


def adopt() -> None:
    """Make what killed commands have started children of this process, on Linux."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    _own.update(psutil.Process().children(recursive=True))


def orphans() -> list[str]:
    """Return what a command has started and that does not end; needs `adopt`."""
    children = {*psutil.Process().children(recursive=True)} - _own
    _, alive = psutil.wait_procs(children, timeout=_END_SECONDS)
    return [" ".join(process.cmdline()) for process in alive if process.is_running()]
