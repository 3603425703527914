"""Shares files between captures: what has not changed is stored once, as hard links to one file.

That is safe because evidence is never edited: a file of it is written once under a name of its own,
or written beside its place and renamed there, which leaves the other links as they are.
"""

import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from helpers import whole


def link(source: str, target: str) -> None:
    """Make a file a hard link to another, or a copy where the file system has no links.

    A file that is there is replaced. Raises `OSError` if neither can be made; a copy is whole.
    """
    place = Path(target)
    place.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        # Other than a full disk, which the copy meets too: no links here, or too many of this file.
        with whole.new_file(place) as part:
            shutil.copy2(source, part)


def share(staged: Path, before: Path) -> None:
    """Make each file of a capture that an earlier one has too a hard link to that one's.

    Files are the same if their place in the folder and their bytes are. Where there are no links,
    the files stay as they are, and so does one whose other is pruned meanwhile. Raises `OSError` if
    one cannot be read.
    """
    for path in [*staged.rglob("*")]:
        other = before / path.relative_to(staged)
        if path.is_symlink() or not path.is_file():
            continue
        try:
            if path.samefile(other) or not filecmp.cmp(path, other, shallow=False):
                continue
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            with whole.new_file(path) as linked:
                os.link(other, linked)
        except OSError:
            return


def freed_bytes(folders: Iterable[Path]) -> int:
    """Return the bytes that the removal of folders frees: of files with all links in these."""
    found = [path.lstat() for each in folders for path in each.rglob("*") if path.is_file()]
    links = Counter((status.st_dev, status.st_ino) for status in found)
    sizes = {
        (s.st_dev, s.st_ino): s.st_size for s in found if links[s.st_dev, s.st_ino] == s.st_nlink
    }
    return sum(sizes.values())
