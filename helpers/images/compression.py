"""What is compressed, told by its first bytes whatever anyone calls it, and decompressed in bounds.

Layers are what engines of containers understand; an archive as a whole may be anything that people
compress files with.
"""

import bz2
import hashlib
import io
import lzma
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import zstandard
from zlib_ng import gzip_ng, zlib_ng

from helpers.images.tar import CHUNK, Fail

MAX_UNPACKED = 64 * 10**9
BOMB_BYTES = 10**9
BOMB_RATIO = 200
"""What is compressed may become more than `BOMB_BYTES` only if that is not `BOMB_RATIO` times as
much as it was, and never more than `MAX_UNPACKED`."""

MAX_MEMORY = 2**28
"""Most bytes of memory for xz, of which a file says itself how much it wants: `xz -9` wants a
quarter of this, a hostile one 4 GB. zstd has a bound of its own."""

WANTS = f"compressed so that reading it takes more than {MAX_MEMORY // 2**20} MiB; xz -9 does not"
_TOO_MUCH = "Memory usage limit"
"""What is told of such a file, and what its library says."""

LAYERS = ("gzip", "zstd")
FILES = (*LAYERS, "xz", "bzip2")
"""What layers may be compressed by, and what whole archives."""

_BEGINS = {
    "gzip": b"\x1f\x8b",
    "zstd": b"\x28\xb5\x2f\xfd",
    "xz": b"\xfd7zXZ\0",
    "bzip2": b"BZh",
}
_PIECE = 2**13
_DAMAGED = (OSError, EOFError, zlib_ng.error, zstandard.ZstdError, lzma.LZMAError)


def compressed_by(file: IO[bytes], known: tuple[str, ...] = LAYERS) -> str:
    """Return what of `known` a file is compressed by; empty if by none of it."""
    head = file.read(max(map(len, _BEGINS.values())))
    file.seek(0)
    return next((name for name in known if head.startswith(_BEGINS[name])), "")


def unpacked_limit(file: IO[bytes], size: int, known: tuple[str, ...] = LAYERS) -> int:
    """Return how many bytes may come out of a file of a size."""
    if not compressed_by(file, known):
        return size
    return min(max(BOMB_BYTES, BOMB_RATIO * size), MAX_UNPACKED)


def unpack(
    file: IO[bytes],
    limit: int,
    fail: Fail,
    diff_id: str = "",
    known: tuple[str, ...] = LAYERS,
) -> BinaryIO:
    """Return what is in a file, decompressed if it is compressed by what is `known`.

    Reading raises `fail`'s error if that is damaged, if it becomes more than `limit`, or if in the
    end it is not what the DiffID is of.
    """
    stream = _opened(file, known)
    return cast(BinaryIO, io.BufferedReader(_Checked(stream, file, limit, fail, diff_id), CHUNK))


def head(path: Path, size: int) -> bytes:
    """Return the first bytes of what is in a file; none if nothing comes out of it.

    Raises `OSError` if it cannot be opened, and `MemoryError` if it wants more than `MAX_MEMORY`.
    """
    with path.open("rb") as file:
        try:
            return bytes(_opened(file, FILES).read(size))
        except lzma.LZMAError as error:
            if _TOO_MUCH in str(error):
                raise MemoryError(WANTS) from error
            return b""
        except _DAMAGED:  # type: ignore[misc]
            return b""


def _opened(file: IO[bytes], known: tuple[str, ...]) -> Any:
    match compressed_by(file, known):
        case "gzip":
            return gzip_ng.GzipNGFile(fileobj=file, mode="rb")
        case "zstd":
            return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        case "xz":
            begin = partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, MAX_MEMORY)
            return io.BufferedReader(_Streams(file, begin), _PIECE)
        case "bzip2":
            return io.BufferedReader(_Streams(file, bz2.BZ2Decompressor), _PIECE)
    return file


class _Streams(io.RawIOBase):
    """What comes out of a file of xz or bzip2, of which several may stand one behind the other.

    The standard library's own files would give xz as much memory as it wants.
    """

    def __init__(
        self, file: IO[bytes], begin: Callable[[], lzma.LZMADecompressor | bz2.BZ2Decompressor]
    ) -> None:
        self._file = file
        self._begin = begin
        self._one = begin()

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what fits; 0 at the end."""
        content = b""
        while not content:
            given = b""
            if self._one.eof:
                # Parallel xz and bzip2 write many; xz may fill up with zeros.
                given = self._one.unused_data.lstrip(b"\0")
                while not given and (more := self._file.read(_PIECE)):
                    given = more.lstrip(b"\0")
                if not given:
                    return 0
                self._one = self._begin()
            elif self._one.needs_input and not (given := self._file.read(_PIECE)):
                raise EOFError("it ends before its end mark")
            content = self._one.decompress(given, len(buffer))
        buffer[: len(content)] = content
        return len(content)


class _Checked(io.RawIOBase):
    """The bytes of a stream, counted and hashed."""

    def __init__(
        self,
        stream: Any,
        file: IO[bytes],
        limit: int,
        fail: Fail,
        diff_id: str,
    ) -> None:
        self._stream = stream
        self._file = file
        self._limit = limit
        self._fail = fail
        self._diff_id = diff_id
        self._hash = hashlib.sha256()
        self._count = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def close(self) -> None:
        """Close the file that the bytes come from."""
        self._file.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what fits; 0 at the end, where all must have been what it should be."""
        try:
            count: int = self._stream.readinto(buffer)
        except _DAMAGED as error:  # type: ignore[misc]
            wants = _TOO_MUCH in str(error)
            raise self._fail(WANTS if wants else f"cut off or damaged ({error})") from error
        self._count += count
        if self._count > self._limit:
            raise self._fail(f"compressed to less than a {BOMB_RATIO}th: more than "
                             f"{self._limit:,} bytes come out of it")  # fmt: skip
        if self._diff_id and count:
            self._hash.update(memoryview(buffer)[:count])
        elif self._diff_id and f"sha256:{self._hash.hexdigest()}" != self._diff_id:
            raise self._fail("cut off or damaged: it is not what its DiffID says")
        return count
