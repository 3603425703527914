"""What appears whole or not at all, by one process at a time, and what a killed one left of it.

What is unfinished lies beside its place, and its name says whose it is: `.NAME.OWNER.part`. A
folder that another one is about to replace is `.NAME.OWNER.old` for a moment. Whoever works there
next clears up after processes that have ended.
"""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from helpers import processes

_OWNED = re.compile(r"[.-](?P<pid>\d+)[@-](?P<machine>[0-9a-f]{8})(?:\.|$)")
"""The owner in the name of something; the name of a study has no `@`."""

_TRIES, _PAUSE_SECONDS = 50, 0.02


def write(place: Path, content: bytes) -> None:
    """Write a file whole or not at all; clear up beside it. Raises `OSError`."""
    clear_up(place.parent)
    with new_file(place) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def new_file(place: Path) -> Iterator[Path]:
    """Yield the path of a file to make, which is then moved to its place."""
    part = _beside(place)
    try:
        yield part
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """Make a folder beside a place, to be moved there when it is finished; else it is removed."""
    folder = _beside(place)
    # A killed process may have had the number of this one.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        discard(folder)


def move(folder: Path, place: Path) -> None:
    """Move a finished folder to its place, where it replaces an older one.

    Whoever calls this has the folder of that place `alone`, and has cleared it up.
    """
    old = _beside(place, "old")
    if place.exists():
        place.rename(old)
    try:
        folder.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a folder, if there is one, that threads may still write to.

    They are not waited for: under its new name they no longer find it.
    """
    gone = _beside(folder.with_name("gone"))
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(OSError):
        folder.rename(gone)
    for _ in range(_TRIES):
        for left in (gone, folder):
            shutil.rmtree(left, ignore_errors=True)
        if not gone.exists():
            return
        # A thread had found its place before, and makes one file more.
        time.sleep(_PAUSE_SECONDS)


def temporary_folder(what: str, folder: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder of this process, which others clear up if it is killed."""
    prefix = f"kit-{what}.{processes.this_process()}."
    return tempfile.TemporaryDirectory(prefix=prefix, dir=folder, ignore_cleanup_errors=True)


def clear_up(folder: Path | None = None, is_alone: bool = False) -> None:
    """Remove what killed processes left in a folder, else in that for temporary files.

    A folder that was moved away, and none to its place, is moved back. With `is_alone` no other
    process works there, on whatever machine, and all that is unfinished goes.
    """
    lying: list[Path] = []
    with suppress(OSError):
        lying += Path(folder or tempfile.gettempdir()).iterdir()
    for left in lying:
        if not (found := _OWNED.search(left.name)):
            continue
        owner, is_old = f"{found['pid']}@{found['machine']}", left.suffix == ".old"
        # Who moves folders is alone: an old one of this process is of an earlier one of its number.
        is_left = is_alone or (is_old and owner == processes.this_process())
        if not is_left and processes.runs(owner):
            continue
        if is_old and not (place := left.with_name(left.name[1 : found.start()])).exists():
            left.rename(place)
        shutil.rmtree(left, ignore_errors=True)
        with suppress(OSError):
            left.unlink()


def has_others(place: Path) -> bool:
    """Return whether another process, which runs, makes something for a place."""
    owners = {path.name.split(".")[-2] for path in place.parent.glob(f".{place.name}.*.part")}
    return any(map(processes.runs, owners - {processes.this_process()}))


def mark(folder: Path) -> Path:
    """Return the path of a file that says, while there is one, that this process uses a folder."""
    return _beside(folder / "made")


@contextmanager
def alone(place: Path, wait: bool = True) -> Iterator[bool]:
    """Have a folder, or a file that is made for this, for oneself; yield whether one has it.

    Who does not wait may not. The lock ends with its process.
    """
    handle = os.open(place, os.O_RDONLY if place.is_dir() else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield lock(handle, wait)
    finally:
        os.close(handle)


def lock(file: int | IO[bytes], wait: bool = True, shared: bool = False) -> bool:
    """Lock an open file or folder until it is closed; return whether that could be done.

    Where the file system has no locks, each process is taken to be alone.
    """
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _beside(place: Path, kind: str = "part") -> Path:
    return place.with_name(f".{place.name}.{processes.this_process()}.{kind}")
