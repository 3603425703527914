"""The text of a JSON file: gzipped or not, UTF-8 or UTF-16, with or without BOM.

The first bytes decide whether it can be JSON, before anything large is read.
"""

import gzip
import io
import os
import zlib
from pathlib import Path

import numpy as np

from helpers.errors import ReportInvalid

MAX_BYTES = 2**30
"""Largest report in bytes of JSON: ten times a very large one."""

HEAD_BYTES = 2**16

Text = bytes | bytearray | memoryview

RESCAN = "Scan the image again with `trivy image --format json --output FILE IMAGE`"


def read(path: str | os.PathLike[str]) -> Text:
    """Return a file's JSON text as UTF-8, unzipped. Raises `ReportInvalid`."""
    try:
        with Path(path).open("rb") as file:
            if file.peek(2)[:2] == b"\x1f\x8b":
                with gzip.open(file) as unzipped:
                    return _text(unzipped, path, None)
            return _text(file, path, os.fstat(file.fileno()).st_size or None)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise ReportInvalid(path, f"broken gzip ({error})", "Copy it again") from error
        problem = error.strerror or str(error)
        raise ReportInvalid(path, f"cannot be read ({problem})", "Check the path") from error
    except (EOFError, zlib.error) as error:
        raise ReportInvalid(path, "gzip that is cut off or damaged", "Copy it again") from error


def _text(
    file: io.BufferedReader | gzip.GzipFile, path: str | os.PathLike[str], size: int | None
) -> Text:
    """Return the text of an open file as UTF-8."""
    encoding = _encoding(file.peek(HEAD_BYTES)[:HEAD_BYTES], path, size)
    too_large = ReportInvalid(path, f"more than {MAX_BYTES:,} bytes", "Split it by image")
    if size is not None and size > MAX_BYTES:
        raise too_large
    text: Text = _whole(file, size) if size else bytearray()
    if chunk := file.read(2**20):
        # A pipe or gzip has no known size, and a file may have grown.
        grown = bytearray(text)
        while chunk:
            grown += chunk
            if len(grown) > MAX_BYTES:
                raise too_large
            chunk = file.read(2**20)
        text = grown
    if encoding == "utf-8":
        return text[3:] if bytes(text[:3]) == b"\xef\xbb\xbf" else text
    return str(text, encoding).lstrip("\ufeff").encode()


def _whole(file: io.BufferedReader | gzip.GzipFile, size: int) -> memoryview:
    """Return at most `size` bytes of a file.

    NumPy allocates huge pages if it can, which makes 100 MB six times as fast as `file.read()`,
    which takes as long as decoding.
    """
    buffer = np.empty(size, np.uint8).data
    return buffer[: file.readinto(buffer)]


def _encoding(head: bytes, path: str | os.PathLike[str], size: int | None) -> str:
    """Return the encoding of JSON from its first bytes. Raises `ReportInvalid` for other files."""
    length = "" if size is None else f" ({size:,} bytes)"
    if not head:
        raise ReportInvalid(path, "empty", RESCAN)
    for start, encoding in (
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
        (b"{\0", "utf-16-le"),
        (b"[\0", "utf-16-le"),
        (b"\0{", "utf-16-be"),
        (b"\0[", "utf-16-be"),
    ):
        if head.startswith(start):
            return encoding
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"\0" in head:
        kind = "nothing but zeros" if not head.strip(b"\0") else "binary data"
        raise ReportInvalid(path, f"{kind}{length}, not JSON", RESCAN)
    if text[:1] not in (b"{", b"[", b"n"):
        kind = "only white space" if not text else "not JSON"
        if text[:1] == b"<":
            kind = "HTML or XML, not JSON"
        raise ReportInvalid(path, f"{kind}{length}", f"{RESCAN} (a table cannot be loaded)")
    return "utf-8"
