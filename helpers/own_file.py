"""Reads and writes the kit's own files: whole, and with errors that say which and why."""

import contextlib
import fcntl
import glob
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from helpers import processes
from helpers.errors import FileInvalid

MAX_BYTES = 2**26
"""Largest file of the kit's own in bytes; those of large images have some 100 kB."""

GONE = ".gone.*.part"
"""Names of folders that a kill left when they were discarded."""

_TRIES, _PAUSE_SECONDS = 50, 0.02

T = TypeVar("T")


def read(
    path: Path,
    kind: type[T],
    error: type[FileInvalid],
    remedy: str,
    decode: Callable[..., Any] = msgspec.json.decode,
) -> T | None:
    """Return what a file holds; `None` if there is no such file.

    Raises an error of the given class, with its remedy, if the file cannot be read, has more than
    `MAX_BYTES`, or holds something else.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise error(path, "not a file", remedy)
        if status.st_size > MAX_BYTES:
            raise error(path, f"more than {MAX_BYTES:,} bytes", remedy)
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as reason:
        problem = f"cannot be read ({reason.strerror or reason})"
        raise error(path, problem, "Check its permissions and its disk") from reason
    try:
        return decode(content, type=kind)  # type: ignore[no-any-return]
    except RecursionError as reason:
        raise error(path, "invalid content: it is nested too deep", remedy) from reason
    # A number may have too many digits, and a text be no UTF-8: both are a `ValueError`.
    except (msgspec.MsgspecError, ValueError) as reason:
        raise error(path, f"invalid content: {reason}", remedy) from reason


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; remove what killed processes left. Raises `OSError`."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        if not processes.runs(leftover.name.split(".")[-2]):
            leftover.unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{processes.this_process()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Remove a folder, if there is one, that threads may still write to.

    They are not waited for: under its new name they no longer find it.
    """
    gone = folder.with_name(f".gone.{processes.this_process()}.part")
    shutil.rmtree(gone, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rename(gone)
    for _ in range(_TRIES):
        for left in (gone, folder):
            shutil.rmtree(left, ignore_errors=True)
        if not gone.exists():
            return
        # A thread had found its place before, and makes one file more.
        time.sleep(_PAUSE_SECONDS)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time change a folder, where its file system has locks."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
