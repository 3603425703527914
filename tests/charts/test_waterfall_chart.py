"""The waterfall: steps from one size to another, named and signed."""

from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from helpers.answers.chart_data import Step, Waterfall
from helpers.charts import waterfall_chart
from helpers.charts.colours import DOWN, UP, WHOLE
from helpers.text import i18n
from tests.charts.conftest import legend, names, texts


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
    assert ax.get_xlabel() == "size (MB)"


def test_larger_and_smaller_differ_in_colour_and_several_changes_are_hatched(ax: Axes) -> None:
    waterfall_chart.draw(PATH, ax)
    edges = [to_hex(p.get_edgecolor()).upper() for p in ax.patches]
    assert edges == [WHOLE, UP, DOWN, DOWN, WHOLE]
    assert [p.get_hatch() for p in ax.patches] == [None, None, None, "//", None]


def test_a_long_name_keeps_its_beginning_or_is_its_short_label(ax: Axes) -> None:
    long = "package manager: " + ", ".join(f"package-{n}" for n in range(20))
    rows = [("a" * 90, "total", 0, 9), (long, "step", 9, 8), ("b", "total", 0, 8)]
    waterfall_chart.draw(steps(*rows, part="package manager"), ax)
    assert names(ax)[1].startswith("package manager: package-0")
    assert all(len(label) <= 46 for label in names(ax))
    ax.clear()
    waterfall_chart.draw(steps(*rows, part=f"/app/{'x' * 90}"), ax)
    assert names(ax)[1].startswith("/app/x")
    assert len(names(ax)[1]) <= 46


def test_images_without_a_byte_are_drawn(ax: Axes) -> None:
    waterfall_chart.draw(steps(("one", "total", 0, 0), ("two", "total", 0, 0)), ax)
    assert texts(ax) == ["0.0 MB", "0.0 MB"]


def test_a_strange_name_is_drawn_as_text(ax: Axes) -> None:
    waterfall_chart.draw(steps(("a\u202eb\x1b", "total", 0, 1)), ax)
    assert "\u202e" not in names(ax)[0]
    assert "\x1b" not in names(ax)[0]


def test_in_korean_the_legend_is_korean(ax: Axes) -> None:
    with i18n.speaking("ko"):
        waterfall_chart.draw(PATH, ax)
    assert legend(ax) == ["더 큼", "더 작음", "여러 변화"]
