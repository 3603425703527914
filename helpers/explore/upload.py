"""A place in a notebook to drop files on: each arrives in pieces and is whole in a private file."""

import re
import tempfile
from collections.abc import Callable, Collection
from itertools import count
from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget

from helpers import paths
from helpers.errors import ReportInvalid
from helpers.frames import Frames
from helpers.scans.decoding import MAX_BYTES
from helpers.studies import load
from helpers.studies.study import RESERVED
from helpers.text import escape

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
        self._folder = tempfile.TemporaryDirectory(prefix="kit-dropped.")
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


_LONGEST = 48


def read(name: str, file: Path, taken: Collection[str] = ()) -> Frames:
    """Return the frames of the report in a file that a user gave under a name.

    Its variant is named after that, and unlike those that are taken. Raises `ReportInvalid`.
    """
    new = variant(name, taken)
    try:
        found = load.load_reports(file)
    except ReportInvalid as error:
        # The file may lie where the user has never been.
        raise ReportInvalid(escape.short(name, 80), error.problem, error.remedy) from error
    images, findings, packages = (part.assign(variant=new) for part in found)
    # Nor does its path say anything.
    return Frames(images.assign(report=new), findings, packages)


def variant(name: str, taken: Collection[str] = ()) -> str:
    """Return a variant's name for a file's name: letters, digits, `.`, `_` and `-`, and no other's.

    >>> variant("C:/x/my app$.json.gz"), variant("app.json", {"app"})
    ('my-app', 'app-2')
    """
    text = re.split(r"[/\\]", name)[-1]
    for suffix in (".gz", ".json"):
        text = text.removesuffix(suffix)
    text = re.sub(r"[^\w.-]+", "-", text).strip("-._")[:_LONGEST] or "report"
    every = {*taken, *RESERVED}
    number = 1
    while (name := text if number == 1 else f"{text}-{number}") in every:
        number += 1
    return name
