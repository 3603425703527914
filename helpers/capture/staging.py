"""Writes a capture next to its final folder; the session then moves it there whole."""

import errno
import shutil
from datetime import datetime
from pathlib import Path

from helpers import paths, processes
from helpers.errors import KitError, NoSpace, StudyInvalid
from helpers.studies.study import CAPTURE_NAME, Study


def check_name(study: Study, name: str) -> None:
    """Raise `StudyInvalid` if a capture's name is invalid or in use; empty is valid."""
    if name and not CAPTURE_NAME.fullmatch(name):
        raise StudyInvalid(f"capture {name!r}: name it by its date, like 2026-11 or 2026-11-24")
    if name and paths.capture(study.name, name).exists():
        raise StudyInvalid(
            f"{paths.capture(study.name, name)} exists, and evidence is never overwritten; "
            "choose another name"
        )


def stage(study: Study) -> Path:
    """Return a new folder inside the study's; remove those of killed captures."""
    folder = paths.study(study.name)
    for leftover in folder.glob(".capture.*.part"):
        if not processes.runs(leftover.name.split(".")[2]):
            shutil.rmtree(leftover, ignore_errors=True)
    staged = folder / f".capture.{processes.this_process()}.part"
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
    except OSError as error:
        raise disk_error(error, folder) from error
    return staged


def destination(study: Study, name: str, started: datetime) -> Path:
    """Return a capture's final folder: its name, else its day, numbered from the second on."""
    if name:
        return paths.capture(study.name, name)
    day = started.strftime("%Y-%m-%d")
    names = [day, *(f"{day}.{number:03}" for number in range(2, 1000))]
    folders = (paths.capture(study.name, name) for name in names)
    return next(folder for folder in folders if not folder.exists())


def disk_error(error: OSError, path: Path) -> KitError:
    """Return the kit's error for an `OSError` at a path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(
            f"{path}: the disk is full. Free some space, or name another data folder with KIT_DATA"
        )
    return KitError(f"{error.filename or path}: {error.strerror or error}")
