"""A run's folder: its name, and what of the run before it stays."""

import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from helpers import own_file, paths
from helpers.charts.look import LIGHT
from helpers.errors import FileInvalid, StudyInvalid
from helpers.text import escape
from helpers.text.i18n import ENGLISH

RECORD = "run.json"
FAILED = ".failed"

_OF_ONE_RUN = ("figures", "tables", "notebooks")
"""Folders in which a file that a run did not make is out of date, unless it is the user's."""


class Record(Struct):
    """What `run.json` says of the files in its folder.

    `made` has the SHA-256 digests of what the run made, `kept` of what earlier runs made and this
    one kept. `renamed` has the new names of files that the user edited, by the old ones.
    """

    study: str = ""
    started: datetime | None = None
    made: dict[str, str] | None = None
    kept: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


def name(study: str, look: Mapping[str, Any]) -> str:
    """Return the name of a run's folder: the study's, and what is unusual in its look.

    `look` are typed parameters; all but `language`, `theme` and `transparent` are ignored.

    >>> name("today", {}), name("today", {"language": "ko", "theme": "dark", "transparent": True})
    ('today', 'today.ko.dark.transparent')
    """
    language, theme = look.get("language", ENGLISH), look.get("theme", LIGHT)
    parts = [
        language if language != ENGLISH else "",
        theme if theme != LIGHT else "",
        "transparent" if look.get("transparent") else "",
    ]
    return ".".join(filter(None, [study, *parts]))


def read(folder: Path) -> Record:
    """Return what a run's `run.json` says; an empty record if there is none or it is damaged."""
    try:
        return own_file.read(folder / RECORD, Record, FileInvalid, "Remove it") or Record()
    except FileInvalid:
        return Record()


def check(folder: Path, study: str) -> None:
    """Raise `StudyInvalid` if a folder holds the run of another study."""
    other = read(folder).study
    if other not in ("", study):
        raise StudyInvalid(
            f"{paths.shown(folder)} holds the run of study {escape.short(other, 80)!r}; "
            "give this run another name (NAME=…, --name), or rename that study"
        )


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 digests of the files in a folder, by their path in it."""
    return {path.relative_to(folder).as_posix(): _digest(path) for path in _files(folder)}


def carry_over(old: Path, new: Path) -> Record:
    """Copy what stays of an old run's files into the folder of a new one; return their names.

    The user's files stay, and so does what the user edited: under another name if the new run has a
    file of that name. What the kit made stays if the new run does not make it, as slides; but no
    figure, table or notebook does.
    """
    made, stays = _made(old), Record()
    for path in _files(old):
        relative = path.relative_to(old)
        file = relative.as_posix()
        if file == RECORD:
            continue
        target = new / relative
        if file in made and _digest(path) == made[file]:
            if target.exists() or relative.parts[0] in _OF_ONE_RUN:
                continue
            stays.kept[file] = made[file]
        elif target.exists():
            target = _free(relative, path, old, new)
            stays.renamed[file] = target.relative_to(new).as_posix()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target, follow_symlinks=False)
    return stays


def discard(folder: Path) -> None:
    """Remove what the kit made in a run's folder, and the folder if the user has nothing in it."""
    made = _made(folder)
    found = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    found.pop(RECORD, None)
    users = {file for file, path in found.items() if made.get(file) != _digest(path)}
    if not users:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for file in found.keys() - users:
        found[file].unlink()


def _made(folder: Path) -> dict[str, str]:
    """Return the digests of the files in a run's folder that the kit made, as it made them."""
    record = read(folder)
    if record.made is not None:
        return record.made | record.kept
    # What nothing is recorded of is the kit's where it is what a run makes.
    return {
        file: digest
        for file, digest in digests(folder).items()
        if file.partition("/")[0] in _OF_ONE_RUN or file == "report.html"
    }


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files and links in a folder, in order; a link is not followed."""
    return (path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file())


def _digest(path: Path) -> str:
    """Return a file's digest; of a link, which the kit makes none of, nothing."""
    return "" if path.is_symlink() else own_file.sha256(path)


def _free(relative: Path, path: Path, *folders: Path) -> Path:
    """Return the path for a file that was edited, in the last folder: with the day of that."""
    day = datetime.fromtimestamp(path.lstat().st_mtime).strftime("%Y-%m-%d")
    for number in count(1):
        numbered = f"{relative.stem}.edited-{day}{f'-{number}' * (number > 1)}{relative.suffix}"
        found = relative.with_name(numbered)
        if not any((folder / found).exists() for folder in folders):
            break
    return folders[-1] / found
