"""Widths of text: those that matplotlib draws, and of letters of East Asia their height."""

import pytest
from matplotlib.textpath import TextPath

from helpers.charts.lettering import width


def test_letters_of_east_asia_are_as_wide_as_high() -> None:
    assert width("한국", 20) == 40


@pytest.mark.parametrize("text", ["node-24-distroless", "WWW"])
def test_latin_letters_are_as_wide_as_they_are_drawn(text: str) -> None:
    drawn = TextPath((0, 0), text, size=20).get_extents().width
    assert width(text, 20) == pytest.approx(drawn, rel=0.1)
    assert width(text, 20, bold=True) > width(text, 20)
