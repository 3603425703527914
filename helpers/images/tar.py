"""The entries of a tar in order, from a stream that may only go forward, by the standard tarfile.

What tarfile would do with a hostile tar is prevented here: read a header of a gigabyte, seek
backwards for ever, or take a damaged header for the end. Everything that is wrong raises what the
caller's `fail` makes of a problem.
"""

import re
import tarfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

from helpers.errors import ArchiveInvalid

CHUNK = 2**20

MAX_HEADER = 2**20
"""Most bytes of headers of one entry; long names and extended attributes take some kilobytes."""

BLOCK = tarfile.BLOCKSIZE

_DIGITS = re.compile(rb"\d+")
_MAX_DIGITS = 255

Fail = Callable[[str], ArchiveInvalid]


class TarStream:
    """Iterates over the entries of a tar; `content` reads of the one that it stands at.

    It is the file that tarfile reads, too: that needs `read`, `seek` and `tell`.
    """

    def __init__(self, stream: BinaryIO, fail: Fail) -> None:
        self._stream = stream
        self._fail = fail
        self._seekable = stream.seekable()
        self._at = 0
        self._header_bytes = 0
        self._last = b""

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """Yield the entries. Raises `ArchiveInvalid` for a tar that is damaged or hostile."""
        try:
            tar = tarfile.TarFile(
                fileobj=self,  # type: ignore[arg-type]
                encoding="utf-8",
                errors="surrogateescape",
            )
            while (entry := tar.next()) is not None:
                # Otherwise tarfile keeps all entries that it has seen.
                tar.members.clear()  # type: ignore[attr-defined]
                self._header_bytes = 0
                if entry.size < 0:
                    raise self._fail(f"entry {entry.name!r} has a negative size")
                yield entry
        except tarfile.ReadError as error:
            if self._at:
                raise self._fail(f"not a whole tar ({error})") from error
            # Nothing at all is a tar without entries, as for container engines.
        except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
            raise self._fail("a tar with headers that make no sense") from error
        if self._last.strip(b"\0"):
            # tarfile takes that for the end.
            raise self._fail(f"damaged at byte {self._at - len(self._last):,} of the tar")

    @property
    def ended(self) -> bool:
        """Return whether the tar has its end mark, which one that was cut off has not."""
        return len(self._last) == BLOCK

    def content(self, size: int) -> bytes:
        """Return the next bytes of the current entry's content, which may be fewer than wanted."""
        content = self._stream.read(size)
        self._at += len(content)
        return content

    def read(self, size: int) -> bytes:
        """Return the next header for tarfile."""
        self._header_bytes += size
        if size < 0 or self._header_bytes > MAX_HEADER:
            raise self._fail(f"an entry with a header of more than {MAX_HEADER:,} bytes")
        self._last = self.content(size)
        if size > BLOCK and max(map(len, _DIGITS.findall(self._last)), default=0) > _MAX_DIGITS:
            # Python before 3.11.10 would look at such a header for hours.
            raise self._fail(f"an entry with a number of more than {_MAX_DIGITS} digits")
        return self._last

    def tell(self) -> int:
        """Return the position in the tar."""
        return self._at

    def seek(self, position: int) -> None:
        """Go forward to a position, or to the end if that comes first."""
        if position < self._at:
            raise self._fail("an entry that leads back to an earlier one")
        if self._seekable:
            self._stream.seek(position)
            self._at = position
        while self._at < position and self.content(min(position - self._at, CHUNK)):
            pass
