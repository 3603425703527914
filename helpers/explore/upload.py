"""A place in a notebook to drop files on: each arrives in pieces and is whole in a private file."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget

from helpers import paths, whole
from helpers.scans.decoding import MAX_BYTES

_MOST_BYTES = MAX_BYTES + 1
"""Bytes of a file that are kept: one more than a reader takes, so that the reader refuses it."""


class Dropzone(AnyWidget):
    """Hands the name of each file that was dropped, and a file with what it holds, to `taken`.

    The file is gone when `taken` returns, and its path has nothing of the name in it.
    """

    _esm = paths.DROPZONE_SCRIPT
    _css = paths.WIDGET_STYLE

    words = traitlets.Unicode().tag(sync=True)

    def __init__(self, words: str, taken: Callable[[str, Path], None]) -> None:
        super().__init__(words=words)
        self._taken = taken
        self._folder = whole.temporary_folder("dropped")
        self._files: dict[str, Path] = {}
        self._numbers = count()
        self.on_msg(self._receive)

    def _receive(self, _: Any, message: dict[str, Any], pieces: list[Any]) -> None:
        if message["first"]:
            new = Path(self._folder.name, f"{next(self._numbers)}.part")
            new.touch()
            self._files[message["id"]] = new
        path = self._files.get(message["id"])
        if path is None:
            # Its beginning went to another kernel.
            return
        if path.stat().st_size < _MOST_BYTES:
            with path.open("ab") as file:
                file.writelines(pieces)
        if message["last"]:
            del self._files[message["id"]]
            try:
                self._taken(str(message["name"]), path)
            finally:
                path.unlink()
