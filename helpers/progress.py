"""Progress bars: drawn on a terminal, as lines of text in a notebook, and nowhere else."""

import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar

from tqdm import tqdm

from helpers.text.i18n import t
from helpers.text.units import megabytes

_FORMAT = "{desc:50.50} {bar} {n_fmt}/{total_fmt} {elapsed}"
_SECONDS = 0.5
"""Least time between two numbers of bytes that are shown."""

_COLUMNS = 90
"""Width of a line in a notebook, which has no width of its own."""


def bar(name: str, total: int, position: int = 0) -> tqdm:
    """Return a progress bar of `total` steps, drawn on line `position` of several."""
    options: dict[str, Any] = {"desc": name, "total": total, "bar_format": _FORMAT, "leave": False}
    if _in_notebook():
        return _Line(**options, ncols=_COLUMNS)
    return tqdm(**options, position=position, disable=None, dynamic_ncols=True)


def tell(text: str) -> None:
    """Write a line to standard error, above the bars."""
    tqdm.write(text, file=sys.stderr)


def show_bytes(bar: tqdm, name: str) -> Callable[[int, int], None]:
    """Return a function that shows how much of an image was read."""
    shown = 0.0

    def show(read: int, total: int) -> None:
        nonlocal shown
        if read < total and time.monotonic() - shown < _SECONDS:
            return
        shown = time.monotonic()
        text = t(
            "{name}: {read} of {total} MB", name=name, read=megabytes(read), total=megabytes(total)
        )
        bar.set_description_str(text)

    return show


def _in_notebook() -> bool:
    """Return whether this is a kernel: standard error is no terminal, but output is shown."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class _Line(tqdm):  # type: ignore[misc]
    """A progress bar as a line of text. All lines share one output, removed with the last line."""

    lines: ClassVar[dict[int, str]] = {}
    output: ClassVar[Any] = None

    def __init__(self, **options: Any) -> None:
        # With gui=True tqdm draws nothing itself.
        super().__init__(gui=True, disable=False, file=sys.stdout, **options)
        self.refresh()

    def display(self, *_: Any, **__: Any) -> None:
        """Show all lines."""
        with self.get_lock():
            self.lines[id(self)] = str(self)
            self._show()

    def close(self) -> None:
        """Remove the line."""
        super().close()
        with self.get_lock():
            if self.lines.pop(id(self), None) is not None:
                self._show()

    @classmethod
    def _show(cls) -> None:
        from IPython.display import clear_output, display

        text = {"text/plain": "\n".join(cls.lines.values())}
        if not cls.lines:
            # The copy of a headless run must not keep the progress.
            cls.output = None
            clear_output()
        elif cls.output is None:
            cls.output = display(text, raw=True, display_id=True)
        else:
            cls.output.update(text, raw=True)
