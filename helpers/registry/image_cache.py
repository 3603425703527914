"""Keeps files of images from registries by their digest, so that each is read once.

A file is written beside its place, checked, and moved there whole. What a killed run left of it is
where the next one goes on. Images share their files; the least recently used ones go first.
"""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Protocol

from helpers import own_file, whole
from helpers.errors import ArchiveInvalid, NoSpace, RegistryFailed
from helpers.images.oci import Descriptor
from helpers.text.units import megabytes

LIMIT_BYTES = 20 * 10**9
"""Bytes that stay in the cache after a capture, unless `KIT_CACHE_GB` says otherwise."""

_RETRY = "Try again; the kit has removed the damaged copy from its cache"
_CHUNK = 2**20
_TRIES = 5
"""Times that a broken answer is taken up again without `_PROGRESS` bytes more."""

_PAUSE_SECONDS = 0.2
_PROGRESS = 2**20
_SLOW_SECONDS, _SLOW_BYTES = 60.0, 2**16
"""A registry that sends less in that time is too slow to wait for."""

_FORGOTTEN_SECONDS = 7 * 24 * 3600
"""Age from which an unfinished file is removed."""

_LARGEST_GB = 10**9
_SPARE_BYTES = 2**28
"""Free space that the disk keeps."""

Opened = AbstractContextManager[tuple[int, Iterable[bytes]]]


class _Source(Protocol):
    """What files are read from: a repository."""

    @property
    def name(self) -> str:
        """Return its name."""

    def blob(self, digest: str, start: int) -> Opened:
        """Open a file from a byte on."""


class ImageCache:
    """A folder of files by digest."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "sha256"
        self._parts = folder / "partial"

    def size(self) -> int:
        """Return the bytes of all files, also of unfinished ones."""
        return sum(size for _, size, _ in self._listed())

    def link(
        self,
        source: _Source,
        wanted: Descriptor,
        place: Path,
        on_bytes: Callable[[int], None] = lambda count: None,
    ) -> None:
        """Put a file of an image in a place, read from its registry if the cache has none.

        `on_bytes` gets the number of bytes as they come. Raises `RegistryFailed` and `NoSpace`.
        """
        digest = wanted.digest.removeprefix("sha256:")
        kept = self._files / digest
        while not _linked(kept, place):
            self._read(source, wanted, kept, on_bytes)
        if (size := place.stat().st_size) != wanted.size:
            self.forget_damaged(place.parent)
            raise RegistryFailed(
                f"{source.name}: its manifest says that {wanted.digest} has {wanted.size:,} bytes, "
                f"but it has {size:,}. {_RETRY}"
            )
        on_bytes(wanted.size)

    def small(self, digest: str, limit: int) -> bytes | None:
        """Return a manifest or a config; `None` if there is none that is whole."""
        kept = self._files / digest.removeprefix("sha256:")
        try:
            if kept.stat().st_size > limit:
                return None
            content = kept.read_bytes()
            os.utime(kept)
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == kept.name else None

    def keep_small(self, digest: str, content: bytes) -> None:
        """Keep a manifest or a config, which has been checked; a full disk keeps none."""
        kept = self._files / digest.removeprefix("sha256:")
        with contextlib.suppress(OSError):
            self._files.mkdir(parents=True, exist_ok=True)
            self._parts.mkdir(exist_ok=True)
            with _locked(self._parts / kept.name) as part:
                part.truncate(0)
                part.write(content)
                part.flush()
                _move(part, self._parts / kept.name, kept)

    @contextmanager
    def naming(self, image: str, layout: Path) -> Iterator[None]:
        """Name an image whose layout is read, and invalid: the user does not know that folder.

        Damaged files of it are then removed from the cache.
        """
        try:
            yield
        except ArchiveInvalid as error:
            damaged = self.forget_damaged(layout / "blobs" / "sha256")
            remedy = _RETRY if damaged else "Build and push it again"
            raise ArchiveInvalid(image, error.problem, remedy) from error

    def forget_damaged(self, folder: Path) -> list[str]:
        """Remove files whose links in a folder do not have their digest; return their names."""
        damaged = []
        for link in sorted(folder.iterdir()):
            kept = self._files / link.name
            if own_file.sha256(link) != link.name and kept.exists():
                kept.unlink(missing_ok=True)
                damaged.append(link.name)
        return damaged

    def prune(self, limit: int | None = None) -> int:
        """Remove files, the least recently used first, until the rest fits; return removed bytes.

        Unfinished files go if they are a week old, if they are there whole, or if nothing is to be
        kept. What a run uses stays, because it has links of its own.
        """
        limit = _limit() if limit is None else limit
        left = removed = 0
        now = time.time()
        for at, size, path in sorted(self._listed(), reverse=True):
            is_part = path.parent == self._parts
            is_old = now - at > _FORGOTTEN_SECONDS
            is_useless = is_old or not limit or (self._files / path.name).exists()
            if left + size <= limit and not (is_part and is_useless):
                left += size
                continue
            with contextlib.suppress(OSError):
                if is_part:
                    removed += size if _removed(path) else 0
                else:
                    path.unlink()
                    removed += size
        return removed

    def _listed(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each file was last used, its bytes and its path."""
        for folder in (self._files, self._parts):
            for path in folder.glob("*"):
                with contextlib.suppress(OSError):
                    stat = path.stat()
                    yield stat.st_mtime, stat.st_size, path

    def _read(
        self, source: _Source, wanted: Descriptor, kept: Path, on_bytes: Callable[[int], None]
    ) -> None:
        """Read a file into the cache, from where an earlier run got to."""
        for folder in (self._files, self._parts):
            folder.mkdir(parents=True, exist_ok=True)
        with _locked(self._parts / kept.name) as part:
            if kept.exists():
                # Another run was faster.
                (self._parts / kept.name).unlink()
                return
            part.seek(0, os.SEEK_END)
            is_resumed = 0 < part.tell() <= wanted.size
            if not is_resumed:
                part.truncate(0)
            _check_space(self._parts, wanted.size - part.seek(0, os.SEEK_END), source.name)
            _fill(part, source, wanted, on_bytes)
            if _digest(part) != kept.name and is_resumed:
                # What was there was damaged.
                part.truncate(0)
                _fill(part, source, wanted, on_bytes)
            path = self._parts / kept.name
            if _digest(part) != kept.name:
                path.unlink()
                raise RegistryFailed(
                    f"{source.name}: its registry sent content that does not match "
                    f"sha256:{kept.name}. Try again later"
                )
            part.flush()
            os.fsync(part.fileno())
            _move(part, path, kept)


def _move(file: BufferedRandom, part: Path, kept: Path) -> None:
    """Move a whole file to its place, where none writes to it; what is unfinished can be."""
    part.rename(kept)
    # Not by its place: another run may have pruned it by now.
    os.fchmod(file.fileno(), 0o444)


def _fill(
    part: BufferedRandom, source: _Source, wanted: Descriptor, on_bytes: Callable[[int], None]
) -> None:
    """Append what is missing of a file; a broken answer is taken up where it ended."""
    failures, mark = 0, part.seek(0, os.SEEK_END)
    while (at := part.seek(0, os.SEEK_END)) < wanted.size:
        problem = RegistryFailed(f"{source.name}: its registry ended the answer too early", True)
        try:
            with source.blob(wanted.digest, at) as (start, chunks):
                part.truncate(start)
                part.seek(start)
                _copy(part, chunks, source, wanted, on_bytes)
        except RegistryFailed as error:
            if not error.broke_off:
                raise
            problem = error
        if part.tell() >= wanted.size:
            return
        has_progress = part.tell() - mark >= _PROGRESS
        failures, mark = (0, part.tell()) if has_progress else (failures + 1, mark)
        if failures == _TRIES:
            raise RegistryFailed(
                f"{problem} ({part.tell():,} of {wanted.size:,} bytes received). "
                "Try again: the download resumes"
            )
        time.sleep(_PAUSE_SECONDS * 2**failures)


def _copy(
    part: BufferedRandom,
    chunks: Iterable[bytes],
    source: _Source,
    wanted: Descriptor,
    on_bytes: Callable[[int], None],
) -> None:
    """Append an answer. Raises `RegistryFailed` for one that is too long or too slow."""
    since, mark = time.monotonic(), part.tell()
    for chunk in chunks:
        if part.tell() + len(chunk) > wanted.size:
            part.truncate(0)
            raise RegistryFailed(
                f"{source.name}: its registry sent more than the {wanted.size:,} bytes of "
                f"{wanted.digest}. Try again later"
            )
        part.write(chunk)
        on_bytes(part.tell())
        if time.monotonic() - since > _SLOW_SECONDS:
            if part.tell() - mark < _SLOW_BYTES:
                raise RegistryFailed(
                    f"{source.name}: its registry is too slow ({part.tell() - mark:,} bytes in "
                    f"{_SLOW_SECONDS:.0f} s). Try again: the download resumes"
                )
            since, mark = time.monotonic(), part.tell()


def _digest(part: BufferedRandom) -> str:
    part.seek(0)
    return hashlib.file_digest(part, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[BufferedRandom]:
    """Open a file that one thread of one process has at a time."""
    while True:
        with path.open("a+b") as file:
            whole.lock(file)
            # Who had it before may have moved it to its place.
            if _is_at(path, file):
                yield file
                return


def _is_at(path: Path, file: BufferedReader | BufferedRandom) -> bool:
    """Return whether a path still leads to an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _removed(path: Path) -> bool:
    """Remove an unfinished file unless a thread or a process writes to it."""
    with path.open("rb") as file:
        # Without the lock, another run could begin to write to what is removed now.
        if is_left := whole.lock(file, wait=False) and _is_at(path, file):
            path.unlink()
    return is_left


def _linked(kept: Path, place: Path) -> bool:
    """Link or copy a file of the cache to a place; return whether there is one."""
    if place.exists():
        # An image may have a layer twice.
        return True
    # Another run may prune it at any moment.
    with contextlib.suppress(FileNotFoundError):
        try:
            os.utime(kept)
            place.hardlink_to(kept)
        except OSError:
            # Another disk, or one without links.
            shutil.copyfile(kept, place)
        return True
    return False


def _check_space(folder: Path, needed: int, name: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed + _SPARE_BYTES > free:
        raise NoSpace(
            f"{name}: a layer needs {megabytes(needed)} MB, {megabytes(_SPARE_BYTES)} MB must stay "
            f"free, and {folder} has {megabytes(free)} MB. Free some space, or set KIT_DATA to "
            "another folder"
        )


def _limit() -> int:
    """Return the bytes that may stay: as the user says, if that is a number."""
    try:
        gigabytes = float(os.environ.get("KIT_CACHE_GB", ""))
    except ValueError:
        return LIMIT_BYTES
    return int(gigabytes * 10**9) if 0 <= gigabytes < _LARGEST_GB else LIMIT_BYTES
