"""Compressed files, recognised by their first bytes and decompressed within limits."""

import bz2
import hashlib
import io
import lzma
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from zlib_ng import gzip_ng, zlib_ng

from helpers.errors import KitError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Fail = Callable[[str], KitError]
"""Makes the error of a problem."""

CHUNK = 2**20
"""Bytes that are read at a time."""

MAX_UNPACKED = 64 * 10**9
BOMB_BYTES = 10**9
BOMB_RATIO = 200
"""A file may expand to `BOMB_BYTES`, or to `BOMB_RATIO` times its size, but not to more than
`MAX_UNPACKED`."""

MAX_MEMORY = 2**28
"""Most bytes of memory for xz, whose files say how much they need: `xz -9` a quarter of this, a
hostile file 4 GB. zstd's library refuses a window of more than 128 MiB by itself, see
`ZSTD_WINDOWLOG_LIMIT_DEFAULT` in its manual."""

WANTS = f"reading it takes more than {MAX_MEMORY // 2**20} MiB of memory"
_TOO_MUCH = "Memory usage limit"
"""The error about such a file, and the words of xz's library."""

LAYERS = ("gzip", "zstd")
FILES = (*LAYERS, "xz", "bzip2")
"""Compression of layers that container engines know, and of whole archives."""

_MAGIC = {
    "gzip": b"\x1f\x8b",
    "zstd": b"\x28\xb5\x2f\xfd",
    "xz": b"\xfd7zXZ\0",
    "bzip2": b"BZh",
}
_PIECE = 2**13
_DAMAGED = (OSError, EOFError, zlib_ng.error, zstd.ZstdError, lzma.LZMAError)


def is_gzip(start: bytes) -> bool:
    """Return whether the first bytes of a file are those of gzip."""
    return start.startswith(_MAGIC["gzip"])


def unzipped(file: IO[bytes], limit: int, fail: Fail) -> bytes:
    """Return what is gzipped in a file. Raises `fail`'s error if that is damaged or too large."""
    try:
        with gzip_ng.GzipNGFile(fileobj=file, mode="rb") as unpacked:
            content: bytes = unpacked.read(limit + 1)
    except _DAMAGED as error:  # type: ignore[misc]
        raise fail("gzip that is cut off or damaged") from error
    if len(content) > limit:
        raise fail(f"gzip of more than {limit:,} bytes")
    return content


def document(content: bytes, limit: int, fail: Fail) -> bytes:
    """Return a text, unzipped if it is gzipped, without a byte order mark, or raise as `unzipped`.

    The limit is for what came, too.
    """
    if len(content) > limit:
        raise fail(f"more than {limit:,} bytes")
    if is_gzip(content):
        content = unzipped(io.BytesIO(content), limit, fail)
    return content.removeprefix(b"\xef\xbb\xbf")


def compressed_by(file: IO[bytes], known: tuple[str, ...] = LAYERS) -> str:
    """Return which of the `known` compressions a file has; empty for none of them."""
    start = file.read(max(map(len, _MAGIC.values())))
    file.seek(0)
    return next((name for name in known if start.startswith(_MAGIC[name])), "")


def unpacked_limit(file: IO[bytes], size: int, known: tuple[str, ...] = LAYERS) -> int:
    """Return to how many bytes a file of `size` bytes may expand."""
    if not compressed_by(file, known):
        return size
    return min(max(BOMB_BYTES, BOMB_RATIO * size), MAX_UNPACKED)


def unpacked_in_all(files: Iterable[tuple[int, bool]]) -> int:
    """Return to how many bytes files may expand together: a size of each, and if it is compressed.

    Few of the files of an image are as small for their content as one may be.
    """
    sizes = [*files]
    compressed = sum(size for size, is_compressed in sizes if is_compressed)
    plain = sum(size for size, is_compressed in sizes if not is_compressed)
    return min(max(BOMB_BYTES, BOMB_RATIO * compressed) + plain, MAX_UNPACKED)


def unpack(
    file: IO[bytes],
    limit: int,
    fail: Fail,
    diff_id: str = "",
    known: tuple[str, ...] = LAYERS,
    count: Callable[[int], None] = lambda size: None,
) -> BinaryIO:
    """Return the content of a file, decompressed if its compression is `known`.

    Reading raises `fail`'s error if the file is damaged, expands to more than `limit`, or at its
    end does not have the digest `diff_id`. `count` gets the bytes so far.
    """
    checked = _Checked(_opened(file, known), file, limit, fail, diff_id, count)
    return cast(BinaryIO, io.BufferedReader(checked, CHUNK))


def head(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, decompressed; none if it is damaged.

    Raises `OSError` if it cannot be opened, and `MemoryError` if it needs more than `MAX_MEMORY`.
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
            return io.BufferedReader(_Streams(file, zstd.ZstdDecompressor), _PIECE)
        case "xz":
            begin = partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, MAX_MEMORY)
            return io.BufferedReader(_Streams(file, begin), _PIECE)
        case "bzip2":
            return io.BufferedReader(_Streams(file, bz2.BZ2Decompressor), _PIECE)
    return file


class _Readable(io.RawIOBase):
    def readable(self) -> bool:
        """Return that it can be read."""
        return True


class _Streams(_Readable):
    """The content of a zstd, xz or bzip2 file, which may hold several streams in a row.

    The standard library's own readers have no memory limit for xz.
    """

    def __init__(
        self,
        file: IO[bytes],
        begin: Callable[[], zstd.ZstdDecompressor | lzma.LZMADecompressor | bz2.BZ2Decompressor],
    ) -> None:
        self._file = file
        self._begin = begin
        self._decompressor = begin()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what fits; 0 at the end."""
        content = b""
        while not content:
            piece = b""
            if self._decompressor.eof:
                # Parallel compressors write several streams; xz may pad them with zeros.
                piece = self._decompressor.unused_data.lstrip(b"\0")
                while not piece and (more := self._file.read(_PIECE)):
                    piece = more.lstrip(b"\0")
                if not piece:
                    return 0
                self._decompressor = self._begin()
            elif self._decompressor.needs_input and not (piece := self._file.read(_PIECE)):
                raise EOFError("it ends before its end mark")
            content = self._decompressor.decompress(piece, len(buffer))
        buffer[: len(content)] = content
        return len(content)


class _Checked(_Readable):
    """The bytes of a stream, counted and hashed."""

    def __init__(
        self,
        stream: Any,
        file: IO[bytes],
        limit: int,
        fail: Fail,
        diff_id: str,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._stream = stream
        self._file = file
        self._limit = limit
        self._fail = fail
        self._diff_id = diff_id
        self._hash = hashlib.sha256()
        self._on_bytes = on_bytes
        self._count = 0

    def close(self) -> None:
        """Close the underlying file."""
        self._file.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what fits; 0 at the end, where the digest is checked."""
        try:
            count: int = self._stream.readinto(buffer)
        except _DAMAGED as error:  # type: ignore[misc]
            too_much = _TOO_MUCH in str(error)
            raise self._fail(WANTS if too_much else f"cut off or damaged ({error})") from error
        self._count += count
        if self._count > self._limit:
            raise self._fail(f"a decompression bomb: it expands to more than {self._limit:,} bytes")
        self._on_bytes(self._count)
        if self._diff_id and count:
            self._hash.update(memoryview(buffer)[:count])
        elif self._diff_id and f"sha256:{self._hash.hexdigest()}" != self._diff_id:
            raise self._fail("cut off or damaged: its digest is not its DiffID")
        return count
