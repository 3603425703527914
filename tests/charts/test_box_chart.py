"""Distributions and intervals: drawn where their numbers are, and marked by what they say."""

from matplotlib.axes import Axes

from helpers.answers.chart_data import Box, Boxes, Interval, Intervals
from helpers.charts import box_chart, interval_chart
from tests.charts.conftest import names, texts


def test_a_box_goes_from_quartile_to_quartile_and_its_line_to_the_ends(ax: Axes) -> None:
    chart = Boxes([Box("debian 9", 180, 3, 300, 412, 500, 1480, "412 · 180 images")], "findings")
    box_chart.draw(chart, ax)
    (box,) = ax.patches
    assert (box.get_x(), box.get_x() + box.get_width()) == (300, 500)
    spans = [segment[:, 0].tolist() for drawn in ax.collections for segment in drawn.get_segments()]
    assert spans == [[3, 1480], [3, 3], [1480, 1480], [412, 412]]
    assert names(ax) == ["debian 9"]
    assert "412 · 180 images" in texts(ax)


def test_of_few_images_there_is_no_box(ax: Axes) -> None:
    box_chart.draw(Boxes([Box("alpine", 4, 1, 2, 3, 4, 5)], "findings"), ax)
    assert not ax.patches
    assert ax.lines[-1].get_xdata().tolist() == [3]


def test_a_dot_is_hollow_where_the_interval_holds_zero(ax: Axes) -> None:
    rows = [
        Interval("found", -300, -420, -180),
        Interval("not found", -30, -120, 20),
        Interval("not known", None, None, None, "2 pairs: too few"),
        Interval("at zero", 5, 0, 10),
    ]
    interval_chart.draw(Intervals(rows, "difference", "fewer", "more"), ax)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    filled = [dot.get_markerfacecolor() != "white" for dot in dots]
    assert filled == [True, False, False]
    assert len(ax.collections) == 3
    assert {"2 pairs: too few", "← fewer", "more →"} <= {*texts(ax)}
