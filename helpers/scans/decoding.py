"""The text of a JSON file: gzipped or not, UTF-8 or UTF-16, with or without BOM.

The first bytes decide whether it can be JSON, before anything large is read.
"""

import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np
from zlib_ng import gzip_ng, zlib_ng

from helpers.errors import ReportInvalid

MAX_BYTES = 2**30
"""Largest report in bytes of JSON: ten times a very large one."""

MAX_RATIO = 200
"""How many times its own size a gzip file may become, beyond `MAX_UNZIPPED`; reports become 40."""

MAX_UNZIPPED = 100_000_000
"""Bytes that any gzip file may become."""

MAX_VALUES = 4_000_000
"""About how many values, told by commas and brackets, any file may have: small ones take 50 times
their text in memory."""

BYTES_A_VALUE = 15
"""A larger file may have one for so many bytes; the densest of 108 real reports has one for 22."""

VALUES_A_BYTE = 2
"""A larger gzip file may have so many for each of its bytes; reports have 0.5."""

_SAMPLES, _SAMPLE = 256, 2**12
"""How many pieces of a text its values are counted in, and of how many bytes."""

_IS_VALUE = np.isin(np.arange(256), [*b",[{"])

_PART = 2**24
"""Bytes of a large file that are read at a time, in each of `_READERS` threads."""

_READERS = 2

HEAD_BYTES = 2**16

_DAMAGED = (EOFError, cast("type[Exception]", zlib_ng.error))

Text = bytes | bytearray | memoryview

RESCAN = "Scan the image again with `trivy image --format json --output FILE IMAGE`"


def read(path: str | os.PathLike[str]) -> Text:
    """Return a file's JSON text as UTF-8, unzipped. Raises `ReportInvalid`."""
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.peek(2)[:2] == b"\x1f\x8b":
                limit = max(MAX_UNZIPPED, MAX_RATIO * size) if size else MAX_BYTES
                with gzip_ng.open(file) as unzipped:
                    text = _text(unzipped, path, None, min(limit, MAX_BYTES))
                most = max(MAX_VALUES, VALUES_A_BYTE * size)
            else:
                text = _text(file, path, size or None, MAX_BYTES)
                most = max(MAX_VALUES, len(text) // BYTES_A_VALUE)
            if _values(text) > most:
                raise ReportInvalid(path, f"more than {most:,} JSON values", "Split it by image")
            return text
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise ReportInvalid(path, f"broken gzip ({error})", "Copy it again") from error
        problem = error.strerror or str(error)
        raise ReportInvalid(path, f"cannot be read ({problem})", "Check the path") from error
    except _DAMAGED as error:
        raise ReportInvalid(path, "gzip that is cut off or damaged", "Copy it again") from error


def _text(
    file: BufferedReader | gzip.GzipFile, path: str | os.PathLike[str], size: int | None, limit: int
) -> Text:
    """Return the text of an open file as UTF-8, of at most so many bytes."""
    encoding = _encoding(file.peek(HEAD_BYTES)[:HEAD_BYTES], path, size)
    if size is not None and size > limit:
        raise _too_large(path, limit)
    text: Text = _whole(file, size) if size else bytearray()
    if chunk := file.read(2**20):
        # A pipe or gzip has no known size, and a file may have grown.
        grown = bytearray(text)
        while chunk:
            grown += chunk
            if len(grown) > limit:
                raise _too_large(path, limit)
            chunk = file.read(2**20)
        text = grown
    if encoding == "utf-8":
        return text[3:] if bytes(text[:3]) == b"\xef\xbb\xbf" else text
    return str(text, encoding).lstrip("\ufeff").encode()


def _values(text: Text) -> float:
    """Return about how many values a long text has, by pieces of it; a short one cannot have many.

    Counting in all of it would take a tenth of the time of decoding. The pieces are drawn anew each
    time, so that nobody can write around them.
    """
    if len(text) <= MAX_VALUES:
        return 0
    every = np.frombuffer(text, np.uint8)
    starts = np.random.default_rng().integers(0, len(text) - _SAMPLE, _SAMPLES)
    counts = [np.count_nonzero(_IS_VALUE[every[at : at + _SAMPLE]]) for at in starts]
    return float(np.mean(counts)) / _SAMPLE * len(text)


def _too_large(path: str | os.PathLike[str], limit: int) -> ReportInvalid:
    if limit < MAX_BYTES:
        problem = f"gzip of more than {limit:,} bytes, over {MAX_RATIO} times the file's"
        return ReportInvalid(path, problem, "Unzip it if it is to be read all the same")
    return ReportInvalid(path, f"more than {MAX_BYTES:,} bytes", "Split it by image")


def _whole(file: BufferedReader | gzip.GzipFile, size: int) -> memoryview:
    """Return at most `size` bytes of a file, and leave it there.

    NumPy allocates huge pages if it can, which makes 100 MB three times as fast as `file.read()`;
    two threads, which fill them side by side, take half of that again.
    """
    buffer = np.empty(size, np.uint8).data
    if size <= _PART:
        return buffer[: file.readinto(buffer)]
    starts = range(0, size, _PART)
    parts = [buffer[start : start + _PART] for start in starts]
    with ThreadPoolExecutor(_READERS) as pool:
        counts = pool.map(lambda part, at: _fill(file.fileno(), part, at), parts, starts)
    end = 0
    for part, count in zip(parts, counts, strict=True):
        end += count
        if count < len(part):
            # The file was cut off meanwhile: what other threads may have read is not its own.
            break
    file.seek(end)
    return buffer[:end]


def _fill(file: int, part: memoryview, at: int) -> int:
    """Read a part of a file from a position on, and return how many bytes there were."""
    done = 0
    while done < len(part) and (count := os.preadv(file, [part[done:]], at + done)):
        done += count
    return done


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
