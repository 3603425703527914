"""How far long work has come: bars on a terminal, lines in a notebook, nothing where is neither."""

import sys
from typing import Any, ClassVar

from tqdm import tqdm

_FORM = "{desc:50.50} {bar} {n_fmt}/{total_fmt} {elapsed}"
_COLUMNS = 90
"""Width of a line in a notebook, which does not tell its own."""


def bar(name: str, total: int, place: int = 0) -> tqdm:
    """Return a progress bar of so many steps; `place` is its line, among others at a time."""
    told: dict[str, Any] = {"desc": name, "total": total, "bar_format": _FORM, "leave": False}
    if _in_notebook():
        return _Line(**told, ncols=_COLUMNS)
    return tqdm(**told, position=place, disable=None, dynamic_ncols=True)


def _in_notebook() -> bool:
    """Return whether this runs in a kernel, whose errors are no terminal but do reach somebody."""
    shell = sys.modules.get("IPython")
    return shell is not None and hasattr(shell.get_ipython(), "kernel")


class _Line(tqdm):  # type: ignore[misc]
    """A progress bar among others as lines of one output, which is gone with the last of them."""

    lines: ClassVar[dict[int, str]] = {}
    shown: ClassVar[Any] = None

    def __init__(self, **told: Any) -> None:
        # By this word tqdm leaves it to others to draw.
        super().__init__(gui=True, disable=False, file=sys.stdout, **told)
        self.refresh()

    def display(self, *_: Any, **__: Any) -> None:
        """Show all lines."""
        with self.get_lock():
            self.lines[id(self)] = str(self)
            self._show()

    def close(self) -> None:
        """Take the line away."""
        super().close()
        with self.get_lock():
            if self.lines.pop(id(self), None) is not None:
                self._show()

    @classmethod
    def _show(cls) -> None:
        from IPython.display import clear_output, display

        text = {"text/plain": "\n".join(cls.lines.values())}
        if not cls.lines:
            # A copy that ran headless shall not hold what was shown on the way.
            cls.shown = None
            clear_output()
        elif cls.shown is None:
            cls.shown = display(text, raw=True, display_id=True)
        else:
            cls.shown.update(text, raw=True)
