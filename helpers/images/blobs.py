"""The files of an image archive, read in place from a tar or folder, and decompressed.

Only names in the archive can be opened, so none leads out of it.
"""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import IO, BinaryIO, cast

from helpers.compressed import CHUNK, FILES, compressed_by, unpack, unpacked_limit
from helpers.errors import ArchiveInvalid
from helpers.images.tar import BLOCK, TarStream

MAX_BLOBS = 100_000
MAX_NAMES = 2**24
MAX_LINKS = 8
"""Maximum files of an archive, letters of their names, and chained links: old Docker links equal
layers."""

SAVE = "Save the image again with `docker save --output FILE IMAGE`"


class Blobs:
    """The files of one archive by name: in a tar their offset and size, in a folder their size."""

    def __init__(
        self, path: Path, tar: IO[bytes] | None, places: dict[str, tuple[int, int]], whole: bool
    ) -> None:
        self.path = path
        self._tar = tar
        self._places = places
        self._whole = whole

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def size(self, name: str) -> int:
        """Return the size of a file in bytes. Raises `ArchiveInvalid` if it is missing."""
        if name not in self._places:
            cut = "" if self._whole else ": the file is cut off"
            raise ArchiveInvalid(self.path, f"has no {name[:200]!r}{cut}", SAVE)
        return self._places[name][1]

    def file(self, name: str) -> Path | None:
        """Return the path of a file; `None` in a tar, and for links, which may lead anywhere."""
        path = self.path / name
        return path if self._tar is None and name in self and not path.is_symlink() else None

    def open(self, name: str) -> BinaryIO:
        """Return the bytes of a file. Raises `ArchiveInvalid` if it is missing."""
        size = self.size(name)
        if self._tar is None:
            return (self.path / name).open("rb")
        part = _Part(self._tar, self._places[name][0], size)
        return cast(BinaryIO, io.BufferedReader(part, CHUNK))


@contextmanager
def open_blobs(path: Path) -> Iterator[Blobs]:
    """Open the files of an archive: a tar, which may be compressed, or a folder in OCI layout.

    Raises `ArchiveInvalid` if it cannot be read or is neither.
    """
    with ExitStack() as stack:
        try:
            blobs = _folder(path) if path.is_dir() else _tar(path, _plain(path, stack))
        except OSError as error:
            problem = f"cannot be read ({error.strerror or error})"
            raise ArchiveInvalid(path, problem, "Check the path and the free disk space") from error
        yield blobs


def _plain(path: Path, stack: ExitStack) -> IO[bytes]:
    """Return an archive's file, decompressed if need be.

    Layers are read in any order, so a compressed archive is decompressed as a whole, to an unnamed
    file that vanishes when closed.
    """
    if path.exists() and not path.is_file():
        raise ArchiveInvalid(path, "neither a file nor a folder", SAVE)
    file = stack.enter_context(path.open("rb"))
    if not compressed_by(file, FILES):
        return file

    def fail(problem: str) -> ArchiveInvalid:
        return ArchiveInvalid(path, problem, SAVE)

    plain = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    limit = unpacked_limit(file, path.stat().st_size, FILES)
    shutil.copyfileobj(unpack(file, limit, fail, known=FILES), plain, CHUNK)
    plain.seek(0)
    return plain


def _folder(path: Path) -> Blobs:
    """Return the files of an OCI layout in a folder; other files there are ignored."""
    found = [path / "index.json", *path.glob("blobs/*/*")]
    places = {f.relative_to(path).as_posix(): (0, f.stat().st_size) for f in found if f.is_file()}
    if "index.json" not in places:
        raise ArchiveInvalid(path, "a folder without index.json, so not an OCI layout", SAVE)
    return Blobs(path, None, places, True)


def _tar(path: Path, file: IO[bytes]) -> Blobs:
    """Return the files of a tar archive."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(BLOCK)
    file.seek(0)
    if not head:
        raise ArchiveInvalid(path, "cut off" if path.stat().st_size else "an empty file", SAVE)
    for start, kind in ((b"PK", "a zip file"), (b"{", "JSON"), (b"<", "HTML or XML")):
        if head.startswith(start) and b"ustar" not in head:
            raise ArchiveInvalid(path, f"{kind}, not an image archive", SAVE)

    def fail(problem: str) -> ArchiveInvalid:
        return ArchiveInvalid(path, f"not a complete image archive: {problem}", SAVE)

    tar = TarStream(cast(BinaryIO, file), fail)
    places: dict[str, tuple[int, int]] = {}
    links: dict[str, str] = {}
    letters = 0
    for entry in tar:
        letters += len(entry.name) + len(entry.linkname)
        if letters > MAX_NAMES:
            raise fail(f"names of more than {MAX_NAMES:,} letters")
        name = normpath(entry.name)
        if entry.isreg():
            if entry.offset_data + entry.size > size:
                raise ArchiveInvalid(path, f"cut off inside {name[:200]!r}", SAVE)
            places[name] = (entry.offset_data, entry.size)
        elif entry.issym():
            links[name] = normpath(join(dirname(name), entry.linkname))
        elif entry.islnk():
            links[name] = normpath(entry.linkname)
        if len(places) + len(links) > MAX_BLOBS:
            raise fail(f"more than {MAX_BLOBS:,} files")
    for name, target in links.items():
        for _ in range(MAX_LINKS):
            target = links.get(target, target)
        if target in places:
            places.setdefault(name, places[target])
    return Blobs(path, file, places, tar.ended)


class _Part(io.RawIOBase):
    """A part of a file. Parts may be read alternately, but not concurrently."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file = file
        self._offset = offset
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Return True: it is readable."""
        return True

    def seekable(self) -> bool:
        """Return True: it is seekable."""
        return True

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position in the part."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + position, 0)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read as much as fits; 0 at the end of the part."""
        self._file.seek(self._offset + self._at)
        wanted = memoryview(buffer)[: max(self._size - self._at, 0)]
        count: int = self._file.readinto(wanted)  # type: ignore[attr-defined]
        self._at += count
        return count
