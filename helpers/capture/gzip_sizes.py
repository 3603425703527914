"""Sizes of layers when gzipped: each layer is compressed once, and its size is cached."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import msgspec

from helpers import own_file, whole
from helpers.errors import FileInvalid
from helpers.images.archive import GZIP_LEVEL, Archive, Layer, gzip_size
from helpers.images.metadata import Size

_GZIP = f"zlib-ng {version('zlib-ng')}, level {GZIP_LEVEL}"


class GzipSizes:
    """Gzipped bytes of layers by DiffID, cached in a file from one capture to the next.

    A DiffID fixes a layer's content, so its size never changes with the same gzip.
    """

    def __init__(self, path: Path, measure: Callable[[Archive, Layer], int] = gzip_size) -> None:
        self._path = path
        self._measure = measure
        self._lock = Lock()
        self._sizes: dict[str, Future[int]] = {}
        for diff_id, size in self._cached().items():
            self._sizes[diff_id] = Future()
            self._sizes[diff_id].set_result(size)

    def size(self, archive: Archive, layer: Layer) -> int:
        """Return the bytes of a layer's tar when gzipped here. Raises `ArchiveInvalid`."""
        while True:
            with self._lock:
                is_first = layer.diff_id not in self._sizes
                future = self._sizes.setdefault(layer.diff_id, Future())
            if is_first:
                break
            # An error in another archive says nothing about this one, so try again.
            if future.exception() is None:
                return future.result()
        try:
            future.set_result(self._measure(archive, layer))
        except BaseException as error:
            with self._lock:
                del self._sizes[layer.diff_id]
            future.set_exception(error)
            raise
        return future.result()

    def save(self) -> None:
        """Write the known sizes to the file; without it they are measured again."""
        with self._lock:
            sizes = {name: future.result() for name, future in self._sizes.items() if future.done()}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole.write(self._path, msgspec.json.encode({_GZIP: dict(sorted(sizes.items()))}))

    def _cached(self) -> dict[str, int]:
        try:
            cached = own_file.read(self._path, dict[str, dict[str, Size]], FileInvalid, "Remove it")
        except FileInvalid:
            # All can be measured again.
            return {}
        return (cached or {}).get(_GZIP, {})
