"""The kit's own files: read with errors that say which and why, and the form of its records."""

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from helpers.errors import FileInvalid

MAX_BYTES = 2**26
"""Largest file of the kit's own in bytes; those of large images have some 100 kB."""

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


def record(value: Any, indent: int = 1) -> bytes:
    """Return a record as a file holds it: JSON with a line for each field."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent) + b"\n"


def sha256(path: Path) -> str:
    """Return the digest of a file. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
