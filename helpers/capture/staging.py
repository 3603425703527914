"""Write a capture next to its final folder; the session then renames it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

from helpers import paths, whole
from helpers.errors import StudyInvalid, disk_error
from helpers.studies.study import CAPTURE_NAME, Study, going

_STAGED = "capture"


def check_name(study: Study, name: str) -> None:
    """Raise `StudyInvalid` if a capture's name is invalid or in use; empty is valid."""
    if name and not CAPTURE_NAME.fullmatch(name):
        raise StudyInvalid(f"capture {name!r}: name it by its date, like 2026-11 or 2026-11-24")
    if name and paths.capture(study.name, name).exists():
        raise StudyInvalid(
            f"{paths.capture(study.name, name)} exists, and evidence is never overwritten; "
            "choose another name"
        )


@contextmanager
def stage(study: Study) -> Iterator[Path]:
    """Yield a new folder for a capture of a study; clean up after killed processes.

    Raises `NoSpace` and `KitError` for disk errors.
    """
    folder = paths.study(study.name)
    try:
        whole.clear_up()
        whole.clear_up(folder)
        with whole.new_folder(folder / _STAGED) as staged:
            yield staged
    except OSError as error:
        raise disk_error(error, folder) from error


def is_only_one(study: Study) -> bool:
    """Return whether no other process captures a study."""
    return not whole.has_others(paths.study(study.name) / _STAGED)


def destination(study: Study, name: str, started: datetime) -> Path:
    """Return a capture's final folder: its name, else its day, numbered from the second on.

    A name that was taken meanwhile is numbered, and so is that of a capture being removed.
    """
    name = name or started.strftime("%Y-%m-%d")
    names = (f"{name}.{number:03}" if number > 1 else name for number in count(1))
    folders = (paths.capture(study.name, name) for name in names)
    # In this order: removed captures stay listed until all are gone.
    return next(
        folder
        for folder in folders
        if not folder.exists() and folder.name not in going(paths.study(study.name))
    )
