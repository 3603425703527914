"""What layers weigh when gzipped: each is weighed once, and what it weighed is kept."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import msgspec

from helpers import processes
from helpers.images.archive import GZIP_LEVEL, Archive, Layer, gzip_size

_BY = f"zlib-ng {version('zlib-ng')}, level {GZIP_LEVEL}"


class Weights:
    """Bytes of layers when gzipped here, by DiffID; a file keeps them from one capture to the next.

    A layer's DiffID says what is in it, so what it weighed once it weighs forever, by one gzip.
    """

    def __init__(self, path: Path, weigh: Callable[[Archive, Layer], int] = gzip_size) -> None:
        self._path = path
        self._weigh = weigh
        self._lock = Lock()
        self._of: dict[str, Future[int]] = {}
        for diff_id, size in self._kept().items():
            self._of[diff_id] = Future()
            self._of[diff_id].set_result(size)

    def of(self, archive: Archive, layer: Layer) -> int:
        """Return the bytes of a layer when its tar is gzipped here. Raises `ArchiveInvalid`."""
        while True:
            with self._lock:
                mine = layer.diff_id not in self._of
                future = self._of.setdefault(layer.diff_id, Future())
            if mine:
                break
            # What is wrong with another archive says nothing of this one: it is weighed itself.
            if future.exception() is None:
                return future.result()
        try:
            future.set_result(self._weigh(archive, layer))
        except BaseException as error:
            with self._lock:
                del self._of[layer.diff_id]
            future.set_exception(error)
            raise
        return future.result()

    def keep(self) -> None:
        """Write what is known to the file; what cannot be written is only weighed again."""
        with self._lock:
            known = {diff_id: size.result() for diff_id, size in self._of.items() if size.done()}
        part = self._path.with_suffix(f".{processes.this_process()}.part")
        with contextlib.suppress(OSError):
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(msgspec.json.encode({_BY: dict(sorted(known.items()))}))
            part.replace(self._path)

    def _kept(self) -> dict[str, int]:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, int]])
        except (OSError, msgspec.MsgspecError):
            return {}
        return kept.get(_BY, {})
