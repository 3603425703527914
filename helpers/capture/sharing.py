"""Store unchanged files once, as hard links between captures.

This is safe because evidence is never edited: files are written once, or written elsewhere and
renamed, which does not affect other links.
"""

import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from helpers import whole


def link(source: str, target: str) -> None:
    """Make a file a hard link to another, or a copy if the file system has no links.

    Replaces an existing file. Raises `OSError` if both fail; copies are atomic.
    """
    place = Path(target)
    place.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        # No links here, or too many of this file. On a full disk the copy fails, too.
        with whole.new_file(place) as part:
            shutil.copy2(source, part)


def share(staged: Path, before: Path) -> None:
    """Hard-link each file of a capture that an earlier capture has, too.

    Files are the same if their relative paths and bytes are. Files stay as they are if there are no
    links, or if the other file is pruned meanwhile. Raises `OSError` for an unreadable file.
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
    """Return the bytes freed by removing folders: of files with no links elsewhere."""
    found = [path.lstat() for each in folders for path in each.rglob("*") if path.is_file()]
    links = Counter((status.st_dev, status.st_ino) for status in found)
    sizes = {
        (s.st_dev, s.st_ino): s.st_size for s in found if links[s.st_dev, s.st_ino] == s.st_nlink
    }
    return sum(sizes.values())
