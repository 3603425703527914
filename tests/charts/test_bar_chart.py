"""Bars: as long as the data say, named, with their numbers in them and their ends at their ends."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from helpers.answers.chart_data import PAST, QUIET, STRONG, Bars, Series
from helpers.charts import bar_chart, colours, figure
from helpers.frames import SEVERITIES, Frames
from helpers.vulnerabilities import counting, shown_counts
from tests.charts.conftest import legend, names, texts


def breakdown(loaded: Frames) -> Bars:
    counts = counting.severity_counts(loaded.findings, loaded.images)
    chart = shown_counts.severity_bars(counts, "findings")
    assert isinstance(chart, Bars)
    return chart


def highs(*counts: float | None, rows: list[tuple[str, str]] | None = None) -> Bars:
    """Bars of severities of which each has HIGH only."""
    named = rows or [(f"v{n}", "") for n in range(len(counts))]
    ends = ["not measured" if count is None else f"{count:,}" for count in counts]
    others = [None if count is None else 0.0 for count in counts]
    series = [
        Series(severity, severity, list(counts if severity == "HIGH" else others))
        for severity in reversed(SEVERITIES)
    ]
    measured = [count is not None for count in counts]
    return Bars(named, series, ends, "number of findings", "severity", measured)


def groups(**sizes: list[float]) -> Bars:
    """Stacked megabytes by group."""
    series = [Series(key.replace("_", " "), key, values) for key, values in sizes.items()]
    rows = [(name, "") for name in "abcdefgh"[: len(series[0].values)]]
    chart = Bars(rows, series, [], "size (MB)", "group", [True] * len(rows), 1)
    chart.ends = [f"{total:,.1f} MB" for total in chart.totals]
    return chart


def sizes(*values: float | None, baseline: int | None = 0) -> Bars:
    """Sizes with their difference to the baseline."""
    ends = ["not measured" if value is None else f"{value} MB\nbaseline" for value in values]
    rows = [(f"v{n}", "") for n in range(len(values))]
    measured = [value is not None for value in values]
    series = [Series("size", "size", list(values))]
    return Bars(rows, series, ends, "size (MB)", "size", measured, 1, baseline)


def test_counts_are_stacked_from_critical_with_the_total_at_the_end(ax: Axes, blog: Frames) -> None:
    assert bar_chart.draw(breakdown(blog), ax) is ax
    widths = {drawn.get_label(): [bar.get_width() for bar in drawn] for drawn in ax.containers}
    assert widths == {
        "CRITICAL": [3, 3],
        "HIGH": [31, 1],
        "MEDIUM": [12, 3],
        "LOW": [2, 12],
    }
    assert [bar.get_x() for bar in ax.containers[1]] == [3, 3]
    assert names(ax) == ["nodejs-alpine", "nodejs-distroless"]
    assert texts(ax)[-2:] == ["48", "19"]
    assert legend(ax) == ["CRITICAL", "HIGH", "MEDIUM", "LOW"], "UNKNOWN does not occur"


def test_a_clean_image_shows_0_and_an_unmeasured_one_says_so(ax: Axes) -> None:
    bar_chart.draw(highs(0, 1, None), ax)
    assert texts(ax)[-3:] == ["0", "1", "not measured"]
    assert [text.get_style() for text in ax.texts[-3:]] == ["normal", "normal", "italic"]


@pytest.mark.parametrize("chart", [highs(0), highs(None), sizes(0.0), groups(app=[0.0])])
def test_bars_without_length_are_drawn(ax: Axes, chart: Bars) -> None:
    bar_chart.draw(chart, ax)
    assert bar_chart.limit(chart) > 0
    assert texts(ax) == chart.ends


def test_megabytes_are_stacked_and_groups_that_nobody_has_are_left_out(ax: Axes) -> None:
    bar_chart.draw(groups(OS_packages=[10.0, 1400.0], runtime=[0.0, 0.0], app=[200.0, 90.0]), ax)
    spans = [(bar.get_y() + 0.31, bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert spans == [(0, 0, 10), (1, 0, 1400), (0, 10, 200), (1, 1400, 90)]
    assert legend(ax) == ["OS_packages", "app"]
    # A part that is too thin for its number has none; a thousand has no decimal.
    assert texts(ax) == ["1,400", "200.0", "90.0", "210.0 MB", "1,490.0 MB"]


def test_a_size_has_the_difference_at_its_end_and_no_number_in_it(ax: Axes) -> None:
    bar_chart.draw(sizes(76.9, 118.0, None), ax)
    assert [bar.get_width() for bar in ax.patches] == [76.9, 118.0, 0]
    assert texts(ax) == ["76.9 MB\nbaseline", "118.0 MB\nbaseline", "not measured"]
    assert legend(ax) == []


def test_the_baseline_has_a_line_and_the_image_that_is_meant_the_strong_colour(ax: Axes) -> None:
    chart = sizes(76.9, 118.0, 60.0, baseline=1)
    chart.tones = [QUIET, STRONG, PAST]
    bar_chart.draw(chart, ax)
    assert [list(line.get_xdata()) for line in ax.lines] == [[118, 118]]
    fills = [to_hex(bar.get_facecolor()).upper() for bar in ax.patches]
    assert fills == [colours.BASELINE, colours.BAR, "#FFFFFF"]
    assert [bar.get_hatch() for bar in ax.patches] == [None, None, "//"]


@pytest.mark.parametrize(
    "chart", [highs(3, 10), sizes(76.9, 118.0), groups(app=[0.4, 0.7]), highs(1, 2)]
)
def test_what_is_said_at_the_ends_is_within_the_figure(chart: Bars) -> None:
    chart.ends = [end.replace("baseline", "+1,234.5 MB, past support") for end in chart.ends]
    drawn = figure.figure(chart)
    drawn.draw_without_rendering()
    (ax,) = drawn.axes
    ends = [text for text in ax.texts if text.get_text() in chart.ends]
    assert all(text.get_window_extent().x1 <= drawn.bbox.width for text in ends)
    longest = max(bar.get_window_extent().x1 for bar in ax.patches)
    assert longest > 0.6 * drawn.bbox.width, "bars use the width"


@pytest.mark.parametrize("rows", [7, 12, 24])
def test_names_of_many_rows_do_not_overlap(rows: int) -> None:
    named = [(f"image-with-a-long-name-{n:02d}", "") for n in range(rows)]
    drawn = figure.figure(highs(*range(rows), rows=named), "Two lines of a title " * 4)
    drawn.draw_without_rendering()
    (ax,) = drawn.axes
    for boxes in (
        [label.get_window_extent() for label in ax.get_yticklabels()],
        [text.get_window_extent() for text in ax.texts[-rows:]],
    ):
        assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))


@pytest.mark.parametrize(
    "name", ["$x^2$", "<b>", "a\x1b[31m", "x" * 300, "a\u202eb", "한국어 이미지"]
)
def test_strange_names_are_drawn_as_text(ax: Axes, name: str) -> None:
    bar_chart.draw(highs(1, rows=[(name, "")]), ax)
    (shown,) = names(ax)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.split("\n"))) <= 21


def test_places_are_where_parts_are_drawn() -> None:
    chart = highs(4, 0, None, 9)
    chart.series[0].values[0] = 2.0
    drawn = figure.figure(chart, "A title", "a footer")
    found = bar_chart.places(chart, drawn)
    assert [(place.bar, place.key, place.value) for place in found] == [
        (0, "CRITICAL", 2),
        (0, "HIGH", 4),
        (3, "HIGH", 9),
    ]
    (ax,) = drawn.axes
    boxes = [bar.get_window_extent() for bar in ax.patches if bar.get_width()]
    boxes.sort(key=lambda box: (-box.y0, box.x0))
    width, height = drawn.bbox.size
    for place, box in zip(found, boxes, strict=True):
        expected = (box.x0 / width, 1 - box.y1 / height, box.width / width, box.height / height)
        assert np.allclose(place.place, expected)
