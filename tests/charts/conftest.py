"""What tests of charts share: axes in the kit's style, and what stands on them."""

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import paths


@pytest.fixture
def ax() -> Axes:
    with mpl.rc_context(fname=paths.STYLE):
        return Figure().subplots()


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def names(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def legend(ax: Axes) -> list[str]:
    shown = ax.get_legend()
    return [text.get_text() for text in shown.get_texts()] if shown else []
