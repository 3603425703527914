"""A figure in a notebook whose bars are buttons: one that is pressed says which it is."""

import base64
from typing import Any, NamedTuple

import pandas as pd
import traitlets
from anywidget import AnyWidget
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import paths
from helpers.frames import SEVERITIES
from helpers.notebook.display import SHOWN_PIXELS, Shown
from helpers.text.i18n import t, word


class Bar(NamedTuple):
    """A part of a bar, and where it is, as shares of the picture's width and height, from above."""

    variant: str
    severity: str
    number: int
    left: float
    top: float
    width: float
    height: float

    @property
    def label(self) -> str:
        """Return what the bar says, in words."""
        told = {"variant": self.variant, "severity": word(self.severity), "number": self.number}
        return t("{variant} {severity}: {number:,}", **told)


def bars(ax: Axes, counts: pd.DataFrame) -> list[Bar]:
    """Return the bars that `charts.severity_breakdown` drew of counts, one image a variant.

    Row by row, the worst severity first; what counts nothing has no bar.
    """
    figure = ax.figure
    assert isinstance(figure, Figure)
    across, up = figure.bbox.width, figure.bbox.height
    found = []
    for row, variant in enumerate(counts["variant"].unique()):
        # The chart stacks the worst first.
        for severity, drawn in zip(reversed(SEVERITIES), ax.containers, strict=False):
            patch = drawn.patches[row]  # type: ignore[attr-defined]
            if not (number := round(patch.get_width())):
                continue
            box = patch.get_window_extent()
            place = (box.x0 / across, 1 - box.y1 / up, box.width / across, box.height / up)
            found.append(Bar(str(variant), severity, number, *place))
    return found


class Picture(AnyWidget):
    """A picture; `pressed` is the variant and severity of the bar that was chosen, or empty."""

    _esm = paths.PICTURE_SCRIPT
    _css = paths.WIDGET_STYLE

    png = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int(SHOWN_PIXELS).tag(sync=True)
    bars: Any = traitlets.List().tag(sync=True)
    pressed = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def show(self, shown: Shown, drawn: list[Bar] | None = None) -> None:
        """Show a figure, its bars as buttons; none is pressed."""
        told = [{**bar._asdict(), "label": bar.label} for bar in drawn or []]
        with self.hold_sync():
            self.pressed, self.png, self.alt, self.bars = [], shown.png, shown.alt, told

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # The picture itself is for where no widget can be: a copy that ran headless, a web page.
        told: Any = super()._repr_mimebundle_(**kwargs)
        png = base64.b64encode(self.png).decode()
        metadata = {"image/png": {"width": self.width, "alt": self.alt}}
        return {**told[0], "image/png": png, "text/plain": self.alt}, metadata
