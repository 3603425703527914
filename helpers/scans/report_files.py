"""The files of a folder that may be reports, in it and in all folders below."""

import os
from pathlib import Path
from typing import NamedTuple

from helpers import paths

SUFFIXES = (".json", ".json.gz")


class ReportFiles(NamedTuple):
    """What is in a folder: files, links that lead out of it, and folders that cannot be read.

    Among the files are links that lead nowhere.
    """

    files: list[os.DirEntry[str]]
    outside: list[os.DirEntry[str]]
    unread: list[OSError]


def within(folder: Path) -> ReportFiles:
    """Return the JSON files of a folder, in no order.

    A capture's and a fleet's other evidence is left out, and so are pipes, which would be waited
    for. Links to folders and links out of the folder are not followed.
    """
    found = ReportFiles([], [], [])
    root, ahead = folder.resolve(), [os.fspath(folder)]
    while ahead:
        try:
            with os.scandir(ahead.pop()) as entries:
                inside = list(entries)
        except OSError as error:
            found.unread.append(error)
            continue
        for entry in inside:
            is_link = entry.is_symlink()
            if entry.is_dir(follow_symlinks=False):
                ahead.append(entry.path)
            elif is_link and entry.is_dir():
                if _leads_out(entry, root):
                    found.outside.append(entry)
            elif not entry.name.lower().endswith(SUFFIXES) or paths.is_other_evidence(entry.path):
                continue
            elif is_link and _leads_out(entry, root):
                found.outside.append(entry)
            elif entry.is_file() or (is_link and not Path(entry).exists()):
                found.files.append(entry)
    return found


def _leads_out(link: os.DirEntry[str], root: Path) -> bool:
    return not Path(link).resolve().is_relative_to(root)
