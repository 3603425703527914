"""Charts of an analyst's own frames: as the answers' own, and clear about what a frame lacks."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import Comparison, charts
from helpers.answers.chart import Bars, Cell, Curves, Matrix, Overlap, Points, Waterfall
from helpers.charts import frame_charts
from helpers.errors import FrameInvalid, ParameterInvalid
from tests.charts.conftest import legend, names, texts

BARS = pd.DataFrame(
    {"variant": ["a", "a", "b"], "severity": ["HIGH", "LOW", "HIGH"], "count": [3, 1, 2]}
)
SIZES = pd.DataFrame({"variant": ["a", "b"], "size_bytes": [10_000_000, 25_000_000]})
POINTS = SIZES.assign(count=[4, 2])
CURVES = pd.DataFrame({"variant": ["a", "a"], "day": ["2024-01-01", "2025-01-01"], "count": [1, 4]})
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
    "bars": (charts.bars, BARS),
    "sizes": (charts.sizes, SIZES),
    "points": (charts.points, POINTS),
    "curves": (charts.curves, CURVES),
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


def test_every_chart_is_there() -> None:
    public = {
        name
        for name, thing in vars(charts).items()
        if getattr(thing, "__doc__", "")
        and (callable(thing) and thing.__module__ == "helpers.charts")
    }
    assert public == set(DRAWN)


def test_who_imports_the_package_does_not_wait_for_matplotlib() -> None:
    code = (
        "import sys\nfrom helpers import charts\nassert charts.bars\n"
        "assert not {'matplotlib', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_drawn_on_the_axes_which_come_back(name: str, ax: Axes) -> None:
    draw, frame = DRAWN[name]
    before = frame.copy()
    assert draw(frame, ax) is ax
    assert ax.patches or ax.lines or ax.collections
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", DRAWN)
def test_the_docstring_names_each_column_and_a_missing_one_is_named(name: str, ax: Axes) -> None:
    draw, frame = DRAWN[name]
    for column in frame.columns:
        assert f"`{column}`" in (draw.__doc__ or "")
        others = frame.drop(columns=column)
        with pytest.raises(FrameInvalid) as caught:
            draw(others, ax)
        said = str(caught.value)
        assert said.startswith(f"charts.{name}: no column '{column}'; there are: ")
        assert all(other in said for other in others)
        assert "rename" in said


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_no_frame_is_said_to_be_none(name: str, ax: Axes) -> None:
    with pytest.raises(FrameInvalid, match=f"charts.{name}: needs a DataFrame, not a Series"):
        DRAWN[name][0](pd.Series([1]), ax)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("count", ["3", "many", "2"], "'count' has no numbers, but 3, many, 2.*to_numeric"),
        ("count", [True, False, True], "'count' has no numbers"),
        ("count", [3, -1, 2], "'count' has -1, and neither"),
        ("count", [3, np.inf, 2], "'count' has inf"),
        ("count", [3, 1.5, 2], "'count' has 1.5, which is no count"),
        ("severity", ["High", "LOW", "HIGH"], "has High, which is none of CRITICAL, HIGH"),
        ("severity", ["LOW", "LOW", "HIGH"], "2 rows for variant 'a', severity 'LOW'.*groupby"),
        ("variant", ["a", None, "b"], "'variant' is empty in row 1"),
        ("variant", ["a\x1b", "a\x1b", "b"], "nothing"),
    ],
)
def test_what_is_wrong_with_a_column_is_said(
    column: str, values: list[Any], said: str, ax: Axes
) -> None:
    frame = BARS.assign(**{column: values})
    if said == "nothing":
        charts.bars(frame, ax)
        return
    with pytest.raises(FrameInvalid, match=said):
        charts.bars(frame, ax)


def test_a_column_in_the_index_is_said_to_be_there(ax: Axes) -> None:
    with pytest.raises(FrameInvalid, match=r"'variant' is in the index.*reset_index"):
        charts.bars(BARS.set_index("variant"), ax)
    with pytest.raises(FrameInvalid, match="2 columns are named 'count'"):
        charts.bars(pd.concat([BARS, BARS[["count"]]], axis=1), ax)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("curves", {"day": ["soon", "later"]}, "'day' has no days, but soon, later"),
        ("curves", {"day": [1, 2]}, "'day' has no days"),
        ("curves", {"count": [1, None]}, "'count' is empty for variant 'a'"),
        ("points", {"front": ["yes", "no"]}, "'front' is not true or false"),
        ("waterfall", {"kind": ["total", "up", "total"]}, "up, which is none of total, step, rest"),
        ("waterfall", {"start_bytes": [0, 8_000_000, 0]}, "'npm' starts at 8,000,000"),
        ("waterfall", {"end_bytes": [None] * 3}, "'a' has no start or no end"),
        ("matrix", {"state": ["good"]}, "good, which is none of found, none"),
        ("overlap", {"severity": ["BAD", "LOW"]}, "BAD, which is none of CRITICAL"),
    ],
)
def test_so_it_is_of_other_charts(name: str, change: dict[str, Any], said: str, ax: Axes) -> None:
    draw, frame = DRAWN[name]
    with pytest.raises(FrameInvalid, match=rf"charts\.{name}: .*{said}"):
        draw(frame.assign(**change), ax)


def test_a_baseline_and_variants_that_do_not_fit_are_refused(ax: Axes) -> None:
    with pytest.raises(ParameterInvalid, match="baseline 'c' has no size; known of: a, b"):
        charts.sizes(SIZES, ax, baseline="c")
    with pytest.raises(ParameterInvalid, match="do not name 'b'"):
        charts.overlap(FOUND, ax, variants=["a"])


def test_what_was_not_measured_is_not_zero(ax: Axes) -> None:
    frame = pd.DataFrame({"variant": ["a", "b"], "count": pd.array([0, None], "Int64")})
    charts.bars(frame, ax, by="")
    assert texts(ax) == ["0", "not measured"]
    frame = pd.DataFrame({"variant": ["a", "b"], "size_bytes": [1e6, None], "group": "app"})
    charts.sizes(frame, ax, by="group")
    assert texts(ax)[-2:] == ["1.0 MB", "not measured"]
    charts.points(POINTS.assign(count=[1, None]), ax)
    assert ax.get_xlabel().endswith("\nnot placed: b")


def test_parts_of_ones_own_have_colours_up_to_six(ax: Axes) -> None:
    frame = pd.DataFrame({"variant": "a", "type": list("uvwxyz"), "count": range(6)})
    charts.bars(frame, ax, by="type")
    assert legend(ax) == list("uvwxyz")
    assert len({bar.get_facecolor() for bar in ax.patches}) == 6
    more = pd.concat([frame, pd.DataFrame({"variant": ["a"], "type": ["t"], "count": [1]})])
    with pytest.raises(FrameInvalid, match="'type' has 7 parts, and there are colours for 6"):
        charts.bars(more, ax, by="type")


def test_rows_stand_in_the_frames_order_and_a_second_name_below_the_first(ax: Axes) -> None:
    frame = pd.DataFrame({"variant": ["b", "a", "b"], "capture": ["x", "x", "y"], "count": 1})
    charts.bars(frame, ax, by="")
    assert names(ax) == ["b\nx", "b\ny", "a\nx"]


def test_answers_tables_give_the_answers_charts(rebuilt: Comparison) -> None:
    def bars(answer: Any, **how: Any) -> tuple[Bars, Bars]:
        own = {"by": "part", "count": "count", "rows": ("variant", "capture"), **how}
        return frame_charts.bars(answer.table, label=answer.chart.axis, **own), answer.chart

    pairs = [
        bars(rebuilt.severity(), by="severity"),
        bars(rebuilt.by_package(), by="severity", rows=("package", "variant")),
        bars(rebuilt.severity_scales(), by="severity", rows=("variant", "scale")),
        bars(rebuilt.places()),
        bars(rebuilt.slimmer()),
    ]
    for answer, by in (
        (rebuilt.size_groups(), "group"),
        (rebuilt.layer_sizes(), "part"),
        (rebuilt.scan_coverage(), "part"),
    ):
        found = frame_charts.sizes(answer.table, by, "size_bytes", "", "")
        found.axis = answer.chart.axis
        pairs.append((found, answer.chart))
    apart = rebuilt.size_difference()
    found = frame_charts.sizes(apart.table, "", "bytes", "node-24-debian", "")
    found.axis = found.series[0].name = apart.chart.axis
    pairs.append((found, apart.chart))
    for found, own in pairs:
        assert found == own


def test_so_do_points_curves_steps_and_the_frame_of_findings(rebuilt: Comparison) -> None:
    tradeoff = rebuilt.tradeoff()
    frame = tradeoff.table.rename(columns={"size": "size_bytes"})
    found = frame_charts.points(frame, "size_bytes", "fixable", "", tradeoff.chart.upward)
    assert isinstance(found, Points)
    assert {point.name: point for point in found.points} == {
        point.name: point for point in tradeoff.chart.points
    }
    assert (found.front, found.groups) == (tradeoff.chart.front, tradeoff.chart.groups)
    growth = Comparison("blog-2022").growth()
    lines = frame_charts.curves(growth.table, "count", {}, None, "")
    assert isinstance(lines, Curves)
    assert [line.points for line in lines.curves] == [line.points for line in growth.chart.curves]
    steps = rebuilt.size_steps()
    drawn = frame_charts.waterfall(steps.table, "")
    assert isinstance(drawn, Waterfall)
    assert [(s.label, s.kind, s.start, s.end) for s in drawn.steps] == [
        (s.label, s.kind, s.start, s.end) for s in steps.chart.steps
    ]
    every = rebuilt.images["variant"].tolist()
    shared = frame_charts.overlap(rebuilt.findings, every, "")
    assert isinstance(shared, Overlap)
    assert shared == rebuilt.overlap().chart


def test_a_table_with_a_column_a_variant_becomes_a_matrix(rebuilt: Comparison) -> None:
    table = rebuilt.attack_surface().table.melt("property", var_name="variant")
    found = frame_charts.matrix(table)
    assert isinstance(found, Matrix)
    assert found.columns == rebuilt.images["variant"].tolist()
    states = dict(zip(found.rows, found.cells, strict=True))
    assert [cell.state for cell in states["shells"]] == ["found", "found", "none", "none"]


def test_cells_that_lack_were_not_measured_and_headings_stand_together() -> None:
    frame = pd.DataFrame(
        {
            "property": ["shells", "setuid", "tools"],
            "variant": ["a", "a", "b"],
            "value": ["bash", None, "none"],
            "heading": ["ways in", "privileges", "ways in"],
        }
    )
    found = frame_charts.matrix(frame)
    missing = Cell("not measured", "not measured")
    assert found.rows == ["shells", "tools", "setuid"]
    assert found.groups == ["ways in", "ways in", "privileges"]
    assert found.cells == [
        [Cell("found", "bash"), missing],
        [missing, Cell("none", "none")],
        [missing, missing],
    ]


def test_a_curve_after_its_support_is_dotted(ax: Axes) -> None:
    charts.curves(CURVES.assign(supported_until=pd.Timestamp("2024-06-01")), ax)
    assert legend(ax) == ["support has ended: hardly any new advisories"]
    chart = frame_charts.curves(
        CURVES.assign(day=pd.to_datetime(CURVES["day"])), "count", {}, date(2024, 8, 1), ""
    )
    assert chart.complete == date(2024, 8, 1)
    assert chart.curves[0].points == [(date(2024, 1, 1), 1), (date(2025, 1, 1), 4)]
