"""A file that a user names as evidence: regular, and read no further than a limit."""

import stat
from pathlib import Path

from helpers.errors import FileInvalid


def read(path: Path, most: int, invalid: type[FileInvalid]) -> bytes:
    """Return a file's bytes: at most one more than `most`, by which it is seen to be too large.

    Raises `invalid`, which names the file, if it cannot be read or is none: a pipe would be waited
    for.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise invalid(path, "not a regular file", "Save it and pass its path")
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise invalid(path, problem, "Check the path") from error
