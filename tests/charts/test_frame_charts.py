"""Charts of an analyst's own frames: as the answers' own, and clear about what a frame lacks."""

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers import Comparison, charts
from helpers.charts import frame_charts
from helpers.errors import FrameInvalid
from tests.charts.conftest import names

STEPS = pd.DataFrame(
    {
        "label": ["a", "npm", "b"],
        "kind": ["total", "step", "total"],
        "start_bytes": [0, 9_000_000, 0],
        "end_bytes": [9_000_000, 7_000_000, 7_000_000],
    }
)
CELLS = pd.DataFrame({"property": ["shells"], "variant": ["a"], "value": ["bash"]})
FOUND = pd.DataFrame(
    {"variant": ["a", "b"], "vulnerability_id": ["CVE-1", "CVE-1"], "severity": ["HIGH", "HIGH"]}
)

DRAWN: dict[str, tuple[Callable[..., Axes], pd.DataFrame]] = {
    "waterfall": (charts.waterfall, STEPS),
    "matrix": (charts.matrix, CELLS),
    "overlap": (charts.overlap, FOUND),
}


@pytest.fixture
def ax() -> Axes:
    return Figure().subplots()


@pytest.fixture(scope="module")
def rebuilt() -> Comparison:
    return Comparison("rebuilt-2026")


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_drawn_on_the_axes_which_come_back(name: str, ax: Axes) -> None:
    draw, frame = DRAWN[name]
    before, settings = frame.copy(), dict(mpl.rcParams)
    assert draw(frame, ax) is ax
    assert ax.patches or ax.lines or ax.collections
    FigureCanvasAgg(ax.get_figure(root=True)).draw()
    pd.testing.assert_frame_equal(frame, before)
    assert dict(mpl.rcParams) == settings


@pytest.mark.parametrize("name", DRAWN)
def test_a_missing_column_is_named(name: str, ax: Axes) -> None:
    draw, frame = DRAWN[name]
    for column in frame:
        with pytest.raises(FrameInvalid, match=f"charts.{name}: no column '{column}'; there are:"):
            draw(frame.drop(columns=column), ax)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("waterfall", {"kind": ["total", "up", "total"]}, "'up', which is not one of total, step"),
        ("waterfall", {"start_bytes": [0, 8_000_000, 0]}, "'npm' starts at 8,000,000"),
        ("overlap", {"severity": ["BAD", "LOW"]}, "'BAD', which is not one of CRITICAL"),
    ],
)
def test_what_would_draw_something_wrong_is_refused(
    name: str, change: dict[str, Any], said: str, ax: Axes
) -> None:
    draw, frame = DRAWN[name]
    with pytest.raises(FrameInvalid, match=said):
        draw(frame.assign(**change), ax)


def test_answers_tables_give_the_answers_charts(rebuilt: Comparison) -> None:
    steps = rebuilt.sizes.waterfall()
    drawn = frame_charts.waterfall(steps.table, "")
    assert [(s.label, s.kind, s.start, s.end) for s in drawn.steps] == [
        (s.label, s.kind, s.start, s.end) for s in steps.chart.steps
    ]
    overlap, every = rebuilt.vulnerabilities.overlap().chart, rebuilt.images["variant"].tolist()
    assert frame_charts.overlap(rebuilt.findings, every, overlap.upward) == overlap
    table = rebuilt.surface.tools().table.melt("property", var_name="variant")
    found = frame_charts.matrix(table)
    assert found.columns == every
    states = dict(zip(found.rows, found.cells, strict=True))
    assert [cell.state for cell in states["shells"]] == ["found", "found", "none", "none"]


def test_a_name_is_never_a_formula(ax: Axes) -> None:
    ax.barh(["one", "two", "three"], [1, 2, 3])
    charts.waterfall(STEPS.assign(label=["$\\frac{1$ \x1b[31m\u202e", "npm", "b"]), ax)
    FigureCanvasAgg(ax.get_figure(root=True)).draw()
    shown = names(ax)[0]
    assert "$" in shown
    assert not {"\x1b", "\u202e"} & {*shown}
