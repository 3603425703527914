"""The text of a JSON file: gzipped or not, UTF-8, 16 or 32, with or without BOM.

The first bytes decide whether it can be JSON, before anything large is read.
"""

import json
import os
from io import BufferedReader
from pathlib import Path

import numpy as np

from helpers import compressed
from helpers.errors import ReportInvalid

MAX_BYTES = 2**30
"""Largest report in bytes of JSON: ten times a very large one."""

MAX_RATIO = 200
"""How many times its own size a gzip file may become, beyond `MAX_UNZIPPED`; reports become 40."""

MAX_UNZIPPED = 100_000_000
"""Bytes that any gzip file may become."""

MAX_VALUES = 4_000_000
"""How many values, told by commas, any file may have: small ones take 50 times their text in
memory."""

BYTES_A_VALUE = 15
"""A larger file may have one for so many bytes; the densest of 108 real reports has one for 22."""

VALUES_A_BYTE = 2
"""A larger gzip file may have so many for each of its bytes; reports have 0.5."""

_PIECE = 2**20

HEAD_BYTES = 2**16

Text = bytes | bytearray | memoryview

_AGAIN = "Copy it again, or unzip it"
RESCAN = "Scan the image again with `trivy image --format json --output FILE IMAGE`"


def read(path: str | os.PathLike[str]) -> Text:
    """Return a file's JSON text as UTF-8, unzipped. Raises `ReportInvalid`."""
    try:
        with Path(path).open("rb") as file:
            return _text(file, path, os.fstat(file.fileno()).st_size)
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise ReportInvalid(path, problem, "Check the path") from error


def _text(file: BufferedReader, path: str | os.PathLike[str], size: int) -> Text:
    """Return the text of an open file of so many bytes as UTF-8; a pipe has none."""
    if compressed.is_gzip(file.peek(2)):
        limit = min(max(MAX_UNZIPPED, MAX_RATIO * size) if size else MAX_BYTES, MAX_BYTES)
        text: Text = compressed.unzipped(
            file, limit, lambda problem: ReportInvalid(path, problem, _AGAIN)
        )
        encoding = _encoding(text[:HEAD_BYTES], path, None)
        most = max(MAX_VALUES, VALUES_A_BYTE * size)
    else:
        encoding = _encoding(file.peek(HEAD_BYTES)[:HEAD_BYTES], path, size or None)
        text = _whole(file, size) if size <= MAX_BYTES else b""
        if max(size, len(text)) > MAX_BYTES:
            raise ReportInvalid(path, f"more than {MAX_BYTES:,} bytes", "Split it by image")
        most = max(MAX_VALUES, len(text) // BYTES_A_VALUE)
    if len(text) > MAX_VALUES and _values(text) > most:
        raise ReportInvalid(path, f"more than {most:,} JSON values", "Split it by image")
    if encoding == "utf-8":
        return text[3:] if bytes(text[:3]) == b"\xef\xbb\xbf" else text
    return str(text, encoding).lstrip("\ufeff").encode()


def _whole(file: BufferedReader, size: int) -> Text:
    """Return at most `size` bytes of a file; of a pipe, which has none, as many as there may be.

    NumPy allocates huge pages if it can, which makes 100 MB three times as fast as `file.read()`.
    """
    if not size:
        return file.read(MAX_BYTES + 1)
    buffer = np.empty(size, np.uint8).data
    return buffer[: file.readinto(buffer)]


def _values(text: Text) -> int:
    """Return how many commas a text has, in pieces that fit the processor's cache."""
    every = np.frombuffer(text, np.uint8)
    pieces = (every[at : at + _PIECE] for at in range(0, len(every), _PIECE))
    return sum(int(np.count_nonzero(piece == ord(","))) for piece in pieces)


def _encoding(head: Text, path: str | os.PathLike[str], size: int | None) -> str:
    """Return the encoding of JSON from its first bytes. Raises `ReportInvalid` for other files."""
    length = "" if size is None else f" ({size:,} bytes)"
    head = bytes(head)
    if not head:
        raise ReportInvalid(path, "empty", RESCAN)
    encoding = json.detect_encoding(head)
    text = head.decode(encoding, "replace").lstrip("\ufeff").lstrip()
    if text.startswith(("{", "[", "n")):
        return encoding.removesuffix("-sig")
    if b"\0" in head:
        kind = "nothing but zeros" if not head.strip(b"\0") else "binary data"
        raise ReportInvalid(path, f"{kind}{length}, not JSON", RESCAN)
    kind = "only white space" if not text else "not JSON"
    if text.startswith("<"):
        kind = "HTML or XML, not JSON"
    raise ReportInvalid(path, f"{kind}{length}", f"{RESCAN} (tables cannot be loaded)")
