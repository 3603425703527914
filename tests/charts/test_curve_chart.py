"""Curves: a step line an image, the end of its support, and days that are marked."""

from datetime import date, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import num2date
from matplotlib.lines import Line2D

from helpers.answers.chart_data import Curve, Curves, Mark
from helpers.charts import curve_chart
from helpers.charts.figure import figure
from helpers.text import i18n
from tests.charts.conftest import legend, texts

JANUARY, MARCH, JUNE, NEXT = (
    date(2024, 1, 1), date(2024, 3, 1), date(2024, 6, 1), date(2025, 1, 1),
)  # fmt: skip


def chart(*found: Curve, marks: list[Mark] | None = None, **fields) -> Curves:
    words = {"across": "day of publication", "upward": "number of findings"}
    return Curves(list(found), marks or [], fields.pop("events", []), **words, **fields)


def curve(name: str = "a", until: date | None = None, last: float = 9.0) -> Curve:
    return Curve(name, [(JANUARY, 2.0), (JUNE, 5.0), (NEXT, last)], until)


def steps(ax: Axes) -> list[Line2D]:
    return [line for line in ax.lines if line.get_drawstyle() == "steps-post"]


def path(line: Line2D) -> list[tuple[float, float]]:
    return list(zip(line.get_xdata(), line.get_ydata(), strict=True))


def at(day: date, count: float) -> tuple[float, float]:
    return curve_chart.number(day), count


def test_a_curve_is_a_line_in_steps_named_at_its_end_with_its_last_count(ax: Axes) -> None:
    assert curve_chart.draw(chart(curve()), ax) is ax
    _, line = steps(ax)
    assert path(line) == [at(JANUARY, 2), at(JUNE, 5), at(NEXT, 9)]
    assert texts(ax) == ["a 9"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("day of publication", "number of findings")


def test_after_the_end_of_support_a_line_is_dotted(ax: Axes) -> None:
    curve_chart.draw(chart(curve(until=MARCH)), ax)
    after, live = steps(ax)
    assert path(live) == [at(JANUARY, 2), at(MARCH, 2)]
    assert path(after) == [at(MARCH, 2), at(JUNE, 5), at(NEXT, 9)]
    assert (live.get_linestyle(), after.get_linestyle() == "-") == ("-", False)
    assert live.get_color() == after.get_color()


def test_corners_of_a_line_in_steps() -> None:
    points = [(JANUARY, 2.0), (JUNE, 5.0), (NEXT, 5.0)]
    assert curve_chart.corners(points) == [(JANUARY, 2), (JUNE, 2), (JUNE, 5), (NEXT, 5)]
    assert curve_chart.corners([]) == []


def test_the_last_end_of_support_is_a_full_dot_and_an_end_of_several_images_is_said_once(
    ax: Axes,
) -> None:
    marks = [
        Mark(0, MARCH, 2, "Debian 11: end of life", False),
        Mark(1, MARCH, 2, "Debian 11: end of life", False),
        Mark(1, JUNE, 5, "Debian 11: end of LTS", True),
    ]
    curve_chart.draw(chart(curve("a"), curve("b"), marks=marks), ax)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [path(dot) for dot in dots] == [[at(MARCH, 2)], [at(MARCH, 2)], [at(JUNE, 5)]]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [True, True, False]
    assert texts(ax)[:2] == ["Debian 11:\nend of life", "Debian 11:\nend of LTS"]


def test_days_of_which_facts_are_not_complete_are_a_band(ax: Axes) -> None:
    found = chart(curve(), complete=JUNE)
    curve_chart.draw(found, ax)
    (band,) = ax.patches
    start, end = curve_chart.number(JUNE), curve_chart.number(NEXT)
    assert (band.get_x(), band.get_width()) == (start, end - start)
    assert curve_chart.incomplete(found) == (JUNE, NEXT)
    assert curve_chart.incomplete(chart(curve(), complete=NEXT)) is None
    assert curve_chart.incomplete(chart(curve())) is None


def test_the_legend_says_what_dotted_lines_and_a_shaded_ground_mean(ax: Axes) -> None:
    curve_chart.draw(chart(curve(until=MARCH), complete=JUNE), ax)
    assert legend(ax) == [
        "support has ended: hardly any new advisories",
        "after 2024-06-01: facts incomplete, counts too low",
    ]
    dotted, shaded = ax.get_legend().legend_handles
    after, _ = steps(ax)
    assert dotted.get_linestyle() == after.get_linestyle()
    assert shaded.get_facecolor() == ax.patches[0].get_facecolor()
    assert curve_chart.legend(chart(curve())) == {}


@pytest.mark.parametrize("language", i18n.known())
@given(
    begin=st.dates(date(1999, 1, 1), date(2030, 12, 31)),
    span=st.integers(3, 40) | st.integers(40, 7400),
)
@example(begin=date(2026, 11, 24), span=3)
@example(begin=date(2026, 12, 20), span=20)
@example(begin=date(2000, 2, 5), span=25)
@example(begin=date(2006, 5, 2), span=7300)
@settings(max_examples=8)
def test_the_first_tick_has_its_year_and_so_has_each_later_year(
    language: str, begin: date, span: int
) -> None:
    points = [(begin, 1.0), (begin + timedelta(days=span), 2.0)]
    with i18n.speaking(language):
        drawn = figure(chart(Curve("a", points)))
    FigureCanvasAgg(drawn).draw()
    (ax,) = drawn.axes
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    # One that is close to the next has no name.
    ticks = [tick for tick in ticks if tick.label1.get_text()]
    assert 2 <= len(ticks) <= 10
    seen = set()
    for tick in ticks:
        year = str(num2date(tick.get_loc()).year)
        assert year in seen or year in tick.label1.get_text()
        seen.add(year)
    boxes = [tick.label1.get_window_extent() for tick in ticks]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes)), "they are apart"


def test_the_axes_have_all_days_and_counts_in_them(ax: Axes) -> None:
    found = chart(curve())
    curve_chart.draw(found, ax)
    (left, right), (bottom, top), _, step = curve_chart.ranges(found)
    assert (ax.get_xlim(), ax.get_ylim()) == ((left, right), (bottom, top))
    assert left < curve_chart.number(JANUARY) < curve_chart.number(NEXT) < right
    assert (bottom, top, step) == (0, pytest.approx(10.8), 2)


@pytest.mark.parametrize("variants", [2, 6])
def test_names_of_lines_that_end_together_do_not_overlap(variants: int) -> None:
    found = chart(*(curve(f"image-{n}-{'x' * 40}") for n in range(variants)))
    drawn = figure(found, "Two lines of a title " * 4, "a footer")
    FigureCanvasAgg(drawn).draw()
    boxes = [text.get_window_extent() for text in drawn.axes[0].texts]
    assert len(boxes) == variants
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert max(box.x1 for box in boxes) <= drawn.bbox.x1
    assert max(box.y1 for box in boxes) <= drawn.bbox.y1
