"""Reports of a user's own in explore: dropped, or named by a path on this machine."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from helpers.errors import KitError
from helpers.explore import controls
from helpers.explore.upload import Dropzone
from helpers.studies import origin
from helpers.studies.origin import Origin
from helpers.text import escape
from helpers.text.i18n import t

_LONGEST = 60
"""Letters of a file's name that are shown."""


class OwnReports:
    """The reports that were taken, by name, and the widgets to take them and to forget them all.

    `joined` is called when a report has been taken, `refused` when one cannot be, with the reason,
    and `forgotten` when all are gone.
    """

    def __init__(
        self,
        joined: Callable[[], None],
        refused: Callable[[KitError], None],
        forgotten: Callable[[], None],
    ) -> None:
        self.reports: dict[str, Origin] = {}
        self._joined, self._refused, self._forgotten = joined, refused, forgotten
        self.drop = Dropzone(t("Drop Trivy or Grype reports here, or choose files"), self._take)
        self.path = widgets.Text(
            placeholder=t("or enter a path on this machine"),
            continuous_update=False,
            layout=widgets.Layout(width="16.2rem"),
        )
        self.path.observe(self._take_path, "value")
        self.forget = controls.button(t("Remove own reports"), self._forget)
        self.box = widgets.VBox([self.drop, self.path, self.forget])

    def _take(self, name: str, file: Path) -> None:
        """Take a report, or say why it cannot be."""
        try:
            found = origin.of_report(name, file)
        except KitError as error:
            self._refused(error)
            return
        self.reports[_free(escape.short(Path(name).name, _LONGEST), self.reports)] = found
        self._joined()

    def _take_path(self, change: dict[str, Any]) -> None:
        # No path has a NUL in it.
        if given := str(change["new"]).replace("\0", "").strip():
            path = Path(given)
            # Of a user that is not there, there is no home.
            with suppress(RuntimeError):
                path = path.expanduser()
            self._take(given, path)
            self.path.value = ""

    def _forget(self) -> None:
        self.reports.clear()
        self._forgotten()


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a name that none has yet, with a number if it has to be."""
    number = 1
    while (free := name if number == 1 else f"{name} ({number})") in taken:
        number += 1
    return free
