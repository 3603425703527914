"""A figure in a notebook whose parts are buttons: one that is pressed says which it is."""

from collections.abc import Sequence
from typing import Any

import traitlets
from anywidget import AnyWidget

from helpers import paths
from helpers.explore.parts import Part
from helpers.notebook.display import SHOWN_PIXELS


class Picture(AnyWidget):
    """A picture below its title and above its footer, or a sentence in its place.

    They are text of the page, which can be read where the picture is small, and selected.

    `pressed` is the number of the part that was chosen, or -1. It is `busy` from a change until
    what was chosen is shown.
    """

    _esm = paths.PICTURE_SCRIPT
    _css = paths.WIDGET_STYLE

    png = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    footer = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int(SHOWN_PIXELS).tag(sync=True)
    parts: Any = traitlets.List().tag(sync=True)
    pressed = traitlets.Int(-1).tag(sync=True)
    busy = traitlets.Bool(default_value=False).tag(sync=True)

    def show(self, png: bytes, title: str, footer: str = "", parts: Sequence[Part] = ()) -> None:
        """Show a figure with its title and footer, its parts as buttons; none is pressed.

        Without a figure the title says why there is none.
        """
        shown = [{"label": part.label, **part.place._asdict()} for part in parts]
        with self.hold_sync():
            self.pressed, self.png, self.alt, self.footer = -1, png, title, footer
            self.parts, self.busy = shown, False
