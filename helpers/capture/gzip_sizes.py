"""Sizes of layers when gzipped: each layer is compressed once, and its size is cached."""

import contextlib
from collections import defaultdict
from collections.abc import Callable
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
    """Gzipped bytes of layers by DiffID, cached in a file between captures.

    A DiffID fixes a layer's content, so its size never changes with the same gzip.
    """

    def __init__(self, path: Path, measure: Callable[[Archive, Layer], int] = gzip_size) -> None:
        self._path = path
        self._measure = measure
        self._sizes = self._cached()
        self._locks = defaultdict[str, Lock](Lock)

    def size(self, archive: Archive, layer: Layer) -> int:
        """Return the bytes of a layer's tar when gzipped here. Raises `ArchiveInvalid`."""
        with self._locks[layer.diff_id]:
            # An error in another archive does not affect this one.
            if layer.diff_id not in self._sizes:
                self._sizes[layer.diff_id] = self._measure(archive, layer)
            return self._sizes[layer.diff_id]

    def save(self) -> None:
        """Write the sizes to the file; without it they are measured again."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole.write(self._path, msgspec.json.encode({_GZIP: dict(sorted(self._sizes.items()))}))

    def _cached(self) -> dict[str, int]:
        try:
            cached = own_file.read(self._path, dict[str, dict[str, Size]], FileInvalid, "Remove it")
        except FileInvalid:
            # All can be measured again.
            return {}
        return (cached or {}).get(_GZIP, {})
