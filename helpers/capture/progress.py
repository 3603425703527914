"""Progress bars: drawn on a terminal, as lines of text in a notebook, and nowhere else."""

import sys
from typing import Any, ClassVar

from tqdm import tqdm

_FORMAT = "{desc:50.50} {bar} {n_fmt}/{total_fmt} {elapsed}"
_COLUMNS = 90
"""Width of a line in a notebook, which has no width of its own."""


def bar(name: str, total: int, position: int = 0) -> tqdm:
    """Return a progress bar of `total` steps, drawn on line `position` of several."""
    options: dict[str, Any] = {"desc": name, "total": total, "bar_format": _FORMAT, "leave": False}
    if _in_notebook():
        return _Line(**options, ncols=_COLUMNS)
    return tqdm(**options, position=position, disable=None, dynamic_ncols=True)


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
