"""Read the entries of a tar in order from a forward-only stream, with the standard tarfile.

It rejects what tarfile accepts in a hostile tar: gigabyte headers, endless backward seeks, damaged
headers taken for the end. For each problem it raises what the caller's `fail` returns.
"""

import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from helpers.compressed import CHUNK, Fail

MAX_HEADER = 2**20
"""Maximum bytes of an entry's headers; long names and extended attributes take a few kilobytes."""

MAX_LONG_HEADERS = 2**24
_LONG = 2**13
"""Maximum total bytes of long headers in a tar; most headers are shorter than `_LONG`."""

BLOCK = tarfile.BLOCKSIZE

_DIGITS = re.compile(rb"\d+")
_MAX_DIGITS = 255


class TarStream:
    """Iterates over the entries of a tar; `content` reads the current entry's content.

    `read`, `seek` and `tell` are for tarfile, which reads from this object.
    """

    def __init__(self, stream: BinaryIO, fail: Fail) -> None:
        self._stream = stream
        self._fail = fail
        self._seekable = stream.seekable()
        self._at = 0
        self._header_bytes = 0
        self._long_headers = 0
        self._last = b""

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """Yield the entries. Raises `ArchiveInvalid` for a damaged or hostile tar."""
        try:
            tar = tarfile.TarFile(
                fileobj=self,  # type: ignore[arg-type]
                encoding="utf-8",
                errors="surrogateescape",
            )
            # As in container engines, no global header applies to later entries.
            tar.pax_headers = _Ignored()
            # It has read the first entry, and would skip a damaged one.
            any_entry = tar.firstmember is not None  # type: ignore[attr-defined]
            while any_entry and (entry := tar.next()) is not None:
                # tarfile would keep every entry in memory.
                tar.members.clear()  # type: ignore[attr-defined]
                self._header_bytes = 0
                if entry.size < 0:
                    raise self._fail(f"entry {entry.name!r} has a negative size")
                yield entry
        except tarfile.ReadError as error:
            if self._at:
                raise self._fail(f"an incomplete tar ({error})") from error
            # Container engines accept zero bytes as a tar without entries.
        except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
            raise self._fail("a tar with invalid headers") from error
        if self._last.strip(b"\0"):
            # tarfile takes a damaged header for the end.
            raise self._fail(f"damaged at byte {self._at - len(self._last):,} of the tar")

    @property
    def ended(self) -> bool:
        """Return whether the tar has an end mark; one that is cut off has none."""
        return len(self._last) == BLOCK

    def content(self, size: int) -> bytes:
        """Return the next bytes of the current entry's content, at most `size`."""
        content = self._stream.read(size)
        self._at += len(content)
        return content

    def read(self, size: int) -> bytes:
        """Return the next header for tarfile."""
        self._header_bytes += size
        if size < 0 or self._header_bytes > MAX_HEADER:
            raise self._fail(f"an entry with a header of more than {MAX_HEADER:,} bytes")
        self._long_headers += size * (self._header_bytes > _LONG)
        if self._long_headers > MAX_LONG_HEADERS:
            raise self._fail(f"long headers of more than {MAX_LONG_HEADERS:,} bytes in all")
        self._last = self.content(size)
        if size > BLOCK and max(map(len, _DIGITS.findall(self._last)), default=0) > _MAX_DIGITS:
            # Python before 3.11.10 needs hours for such a header.
            raise self._fail(f"an entry with a number of more than {_MAX_DIGITS} digits")
        return self._last

    def tell(self) -> int:
        """Return the position in the tar."""
        return self._at

    def seek(self, position: int) -> None:
        """Go forward to a position, or to the end if that comes first."""
        if position < self._at:
            raise self._fail("an entry that points back to an earlier one")
        if self._seekable:
            self._stream.seek(position)
            self._at = position
        while self._at < position and self.content(min(position - self._at, CHUNK)):
            pass


class _Ignored(dict[str, str]):
    """Global headers; each later entry would get a copy."""

    def __setitem__(self, key: str, value: str) -> None:
        """Leave it out."""

    def copy(self) -> dict[str, str]:
        """Return the initial headers of an entry: none."""
        return {}
