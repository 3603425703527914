"""What is shown, to keep: files to download, and texts to copy."""

from collections.abc import Callable
from typing import Any, NamedTuple

import traitlets
from anywidget import AnyWidget

from helpers import paths
from helpers.text.i18n import t


class File(NamedTuple):
    """A file to download."""

    name: str
    type: str
    content: bytes


class Keep(AnyWidget):
    """Buttons that download a file of a kind, made when asked for, and that copy a text.

    `make` returns the file of a kind, or nothing if there is none. The texts are also shown.
    """

    _esm = paths.KEEP_SCRIPT
    _css = paths.WIDGET_STYLE

    kinds: Any = traitlets.List().tag(sync=True)
    texts: Any = traitlets.List().tag(sync=True)
    copied = traitlets.Unicode().tag(sync=True)

    def __init__(self, kinds: dict[str, str], make: Callable[[str], File | None]) -> None:
        super().__init__(kinds=[*map(list, kinds.items())], copied=t("copied"))
        self._make = make
        self.on_msg(self._receive)

    def _receive(self, _: Any, message: dict[str, Any], __: list[Any]) -> None:
        if file := self._make(str(message["kind"])):
            self.send({"name": file.name, "type": file.type}, [file.content])
