"""A figure in a notebook whose bars are buttons: one that is pressed says which it is."""

import base64
from collections.abc import Iterable
from typing import Any, NamedTuple

import traitlets
from anywidget import AnyWidget
from matplotlib.figure import Figure

from helpers import paths
from helpers.answers.chart import Bars, Chart
from helpers.charts.bar_chart import places
from helpers.notebook.display import SHOWN_PIXELS
from helpers.text.i18n import t


class Bar(NamedTuple):
    """A part of a bar, and where it is, as shares of the figure's width and height, from above.

    `name` is the severity's in the language that was spoken.
    """

    variant: str
    severity: str
    name: str
    number: int
    left: float
    top: float
    width: float
    height: float

    @property
    def label(self) -> str:
        """Return what the bar says, in words."""
        return t(
            "{variant} {severity}: {number:,}",
            variant=self.variant,
            severity=self.name,
            number=self.number,
        )


def bars(chart: Chart, figure: Figure) -> list[Bar]:
    """Return the bars of a severity breakdown, one image a row, on a figure of it.

    Row by row, the worst severity first; what counts nothing has no bar.
    """
    if not isinstance(chart, Bars):
        return []
    names = {series.key: series.name for series in chart.series}
    return [
        Bar(chart.rows[place.row][0], place.key, names[place.key], round(place.value), *place[3:])
        for place in places(chart, figure)
    ]


class Picture(AnyWidget):
    """A picture, or a sentence in its place.

    `pressed` is the variant and severity of the bar that was chosen, or empty.
    """

    _esm = paths.PICTURE_SCRIPT
    _css = paths.WIDGET_STYLE

    png = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int(SHOWN_PIXELS).tag(sync=True)
    bars: Any = traitlets.List().tag(sync=True)
    pressed = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def show(self, png: bytes, alt: str, buttons: Iterable[Bar] = ()) -> None:
        """Show a figure with its alternative text, its bars as buttons; none is pressed."""
        shown = [{**bar._asdict(), "label": bar.label} for bar in buttons]
        with self.hold_sync():
            self.pressed, self.png, self.alt, self.bars = [], png, alt, shown

    def explain(self, why: str) -> None:
        """Say in place of a figure why there is none."""
        self.show(b"", why)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # The picture itself is for where no widget can be: a copy that ran headless, a web page.
        widget: Any = super()._repr_mimebundle_(**kwargs)
        if not self.png:
            return {**widget[0], "text/plain": self.alt}, {}
        png = base64.b64encode(self.png).decode()
        metadata = {"image/png": {"width": self.width, "alt": self.alt}}
        return {**widget[0], "image/png": png, "text/plain": self.alt}, metadata
