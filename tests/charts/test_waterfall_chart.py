"""The waterfall: steps from one size to another, named and signed."""

from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from helpers.answers.chart_data import Step, Waterfall
from helpers.charts import waterfall_chart
from helpers.charts.colours import DOWN, UP, WHOLE
from tests.charts.conftest import names, texts


def steps(*rows: tuple[str, str, float, float], part: str = "part") -> Waterfall:
    return Waterfall([Step(label, part, *rest) for label, *rest in rows], "size (MB)")


PATH = steps(
    ("one", "total", 0, 100),
    ("node", "step", 100, 130.05),
    ("docs", "step", 130.05, 90),
    ("OS packages: 3 smaller changes", "rest", 90, 85),
    ("two", "total", 0, 85),
)


def test_steps_begin_where_the_one_before_ended(ax: Axes) -> None:
    assert waterfall_chart.draw(PATH, ax) is ax
    spans = [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches]
    assert spans == [(0, 100), (100, 130.05), (90, 130.05), (85, 90), (0, 85)]
    assert texts(ax) == ["100.0 MB", "+30.1", "−40.0", "−5.0", "85.0 MB"]
    assert names(ax)[:2] == ["one", "node"]


def test_larger_and_smaller_differ_in_colour_and_several_changes_are_hatched(ax: Axes) -> None:
    waterfall_chart.draw(PATH, ax)
    edges = [to_hex(p.get_edgecolor()).upper() for p in ax.patches]
    assert edges == [WHOLE, UP, DOWN, DOWN, WHOLE]
    assert [p.get_hatch() for p in ax.patches] == [None, None, None, "//", None]
