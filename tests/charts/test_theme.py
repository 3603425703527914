"""The theme of figures: its colours stand out as on white."""

from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure

from helpers.charts import look, theme
from helpers.charts.colours import INK, SEVERITY, ink_on, luminance
from helpers.charts.look import DARK, Look
from helpers.frames import SEVERITIES

COLOURS = [SEVERITY[severity]["color"] for severity in SEVERITIES]
PAPER = luminance(look.PAPER[DARK])


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_what_stands_out_on_white_stands_out_on_dark() -> None:
    on_white = list(map(luminance, COLOURS))
    on_dark = [luminance(theme.dark(colour)) for colour in COLOURS]
    assert on_white == sorted(on_white, reverse=True)
    assert on_dark == sorted(on_dark)
    assert all(value > 1.5 * PAPER for value in on_dark)


def test_ink_that_is_readable_on_a_colour_is_readable_on_the_dark_one() -> None:
    assert all(contrast(theme.dark(c), theme.dark(ink_on(c))) >= 3 for c in COLOURS)


def test_a_marker_and_the_ground_of_a_text_are_darkened_once() -> None:
    figure = Figure()
    axes = figure.subplots()
    (dot,) = axes.plot([0], [0], "o", color=INK)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    text = axes.text(0, 0, "end of life", bbox=box)
    bars = axes.bar([0], [1], color=COLOURS[0])
    theme.dress(figure, Look(DARK))
    assert dot.get_markerfacecolor() == theme.dark(INK)
    assert to_rgba(text.get_bbox_patch().get_edgecolor())[3] == 0, "no frame where there was none"
    assert to_rgb(bars[0].get_facecolor()[:3]) == to_rgb(theme.dark(COLOURS[0]))
    assert all(contrast(t.get_color(), look.PAPER[DARK]) >= 4.5 for t in axes.get_xticklabels())
