"""Where a capture is written: beside its place, and moved there whole."""

import errno
import shutil
from datetime import datetime
from pathlib import Path

from helpers import paths, processes
from helpers.errors import KitError, NoSpace, StudyInvalid
from helpers.studies.study import CAPTURE_NAME, Study


def check_name(study: Study, name: str) -> None:
    """Raise `StudyInvalid` if a capture cannot have that name."""
    if name and not CAPTURE_NAME.fullmatch(name):
        raise StudyInvalid(f"capture {name!r}: name it by its date, like 2026-11 or 2026-11-24")
    if name and paths.capture(study.name, name).exists():
        raise StudyInvalid(
            f"{paths.capture(study.name, name)} exists, and evidence is never overwritten; "
            "name another"
        )


def stage(study: Study) -> Path:
    """Return a new folder in the study's; clear away what killed captures left of theirs."""
    folder = paths.study(study.name)
    for left in folder.glob(".capture.*.part"):
        if not processes.runs(left.name.split(".")[2]):
            shutil.rmtree(left, ignore_errors=True)
    staged = folder / f".capture.{processes.this_process()}.part"
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
    except OSError as error:
        raise disk_error(error, folder) from error
    return staged


def place(study: Study, name: str, started: datetime) -> Path:
    """Return where a capture goes: under its name, else under its day, numbered if need be."""
    if name:
        return paths.capture(study.name, name)
    day = started.strftime("%Y-%m-%d")
    names = [day, *(f"{day}.{number:03}" for number in range(2, 1000))]
    places = (paths.capture(study.name, each) for each in names)
    return next(place for place in places if not place.exists())


def disk_error(error: OSError, path: Path) -> KitError:
    """Return the kit's error for what a disk refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(
            f"{path}: the disk is full. Free some space, or name another data folder with KIT_DATA"
        )
    return KitError(f"{error.filename or path}: {error.strerror or error}")
