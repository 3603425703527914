"""Bars on slides as native charts: PowerPoint draws them, and their data can be edited there."""

import re
from collections.abc import Sequence
from typing import Any

from pptx.chart.data import CategoryChartData
from pptx.dml.fill import FillFormat
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_TICK_LABEL_POSITION,
    XL_TICK_MARK,
)
from pptx.enum.dml import MSO_PATTERN
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Pt

from helpers.charts import bar_charts
from helpers.charts.chart_data import Bars, Series
from helpers.slides.style import Theme, dress, rgb, write
from helpers.text import escape

SMALL = 14
"""Size of the smallest letters of a chart, in points."""

_PATTERNS = {"//": MSO_PATTERN.WIDE_UPWARD_DIAGONAL, ".": MSO_PATTERN.LARGE_GRID}
"""matplotlib's hatches in PowerPoint; of dots LibreOffice makes the lines of the other."""

_URL = re.compile(r"(?i)\s*(https?|ftps?|mailto|internal|external):")

_DIGIT_SHARE, _MARGIN_SHARE = 0.011, 0.005
"""Share of the longest bar that a digit of a segment's number takes, and the room around it."""


def cell(text: str) -> str:
    """Return text for a chart's workbook, which takes none for a formula or a link.

    >>> cell("=1+1"), cell("https://x"), cell("node:24")
    ("'=1+1", "'https://x", 'node:24')
    """
    safe = str(escape.csv_cell(text))
    return f"'{safe}" if _URL.match(safe) else safe


def bars(slide: Any, told: Bars, box: tuple[float, ...], theme: Theme) -> Any:
    """Put bars on a slide, `box` in points; return the frame that they are in.

    Stacked ones have a series more that is not seen: it carries what is said at their ends.
    """
    stacked = len(told.series) > 1
    data = CategoryChartData(number_format=_format(told.series))
    data.categories = list(map(cell, told.categories))
    for one in told.series:
        data.add_series(cell(one.name), one.values)
    totals = _totals(told.series)
    if stacked:
        # Without a name, for a legend shows it.
        data.add_series(" ", totals)
    kind = XL_CHART_TYPE.BAR_STACKED if stacked else XL_CHART_TYPE.BAR_CLUSTERED
    frame = slide.shapes.add_chart(kind, *map(Pt, box), data)
    chart, plot = frame.chart, frame.chart.plots[0]
    size = 18 if len(totals) <= 4 else 16 if len(totals) <= 8 else SMALL
    begin(chart, theme, size)
    plot.gap_width = 60
    for one, series in zip(told.series, plot.series, strict=False):
        _colour(series, one, theme)
        if stacked:
            _numbers(series, one, told.longest, size, theme)
    last = plot.series[-1]
    if stacked:
        plot.overlap = 100
        last.format.fill.background()
        last.format.line.fill.background()
        legend(chart, theme)
    for place, (end, total) in enumerate(zip(told.ends, totals, strict=True)):
        if end:
            _end(_label(last, place), end, total, size, theme, stacked)
    _axes(chart, told, theme, size)
    return frame


def begin(chart: Any, theme: Theme, size: float) -> None:
    """Give a chart its letters, and neither title nor legend: a slide has a title."""
    chart.has_title = chart.has_legend = False
    dress(chart.font, size, theme.ink)


def legend(chart: Any, theme: Theme, hidden: Sequence[int] = ()) -> None:
    """Add a legend above a chart, without some of its series.

    Of bars none can be left out: programs do not agree on how they are numbered.
    """
    chart.has_legend = True
    shown = chart.legend
    shown.position, shown.include_in_layout = XL_LEGEND_POSITION.TOP, False
    dress(shown.font, 16, theme.ink)
    for place in reversed(hidden):
        entry, index, gone = map(OxmlElement, ("c:legendEntry", "c:idx", "c:delete"))
        index.set("val", str(place))
        gone.set("val", "1")
        entry.extend([index, gone])
        shown._element.find(qn("c:legendPos")).addnext(entry)


def axis_of_numbers(axis: Any, title: str, number: str, theme: Theme) -> None:
    """Dress an axis of numbers, written in a format, and say what they are."""
    axis.has_major_gridlines = True
    axis.major_gridlines.format.line.color.rgb = rgb(theme.line)
    axis.major_gridlines.format.line.width = Pt(0.75)
    axis.major_tick_mark = XL_TICK_MARK.NONE
    axis.format.line.color.rgb = rgb(theme.line)
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = number, False
    dress(axis.tick_labels.font, SMALL, theme.ink)
    axis.has_title = True
    write(axis.axis_title.text_frame.paragraphs[0].add_run(), title, SMALL, theme.ink)


def say(label: Any, text: str, size: float, colour: str, bold: bool = False) -> None:
    """Write a label's own words; what comes after its first line is smaller."""
    frame = label.text_frame
    frame.word_wrap = False
    for place, line in enumerate(text.split("\n")):
        paragraph = frame.add_paragraph() if place else frame.paragraphs[0]
        run = paragraph.add_run()
        write(run, line, max(size - 2, SMALL) if place else size, colour, bold and not place)


def form(*numbers: float) -> str:
    """Return how numbers are written: with a decimal if one of them has some."""
    return "#,##0" if all(number == int(number) for number in numbers) else "#,##0.0"


def ground(label: Any, theme: Theme) -> None:
    """Give a label the slide's ground, so that nothing runs through its words."""
    fill = FillFormat.from_fill_parent(label._dLbl.get_or_add_spPr())
    fill.solid()
    fill.fore_color.rgb = rgb(theme.paper)


def _totals(series: list[Series]) -> list[float | None]:
    columns = zip(*(one.values for one in series), strict=True)
    return [None if None in column else sum(filter(None, column)) for column in columns]


def _format(series: list[Series]) -> str:
    return form(*(value for one in series for value in one.values if value is not None))


def _label(series: Any, place: int) -> Any:
    return series.points[place].data_label


def _colour(series: Any, told: Series, theme: Theme) -> None:
    first = told.colours[0] if told.colours else theme.ink
    _fill(series.format, first, told.hatch, theme)
    for place, colour in enumerate(told.colours):
        if colour != first:
            _fill(series.points[place].format, colour, told.hatch, theme)


def _fill(form: Any, colour: str, hatch: str, theme: Theme) -> None:
    if hatch:
        form.fill.patterned()
        form.fill.pattern = _PATTERNS[hatch]
        form.fill.fore_color.rgb, form.fill.back_color.rgb = rgb(colour), rgb(theme.paper)
    else:
        form.fill.solid()
        form.fill.fore_color.rgb = rgb(colour)
    form.line.color.rgb = rgb(colour if hatch else theme.paper)
    form.line.width = Pt(0.75)


def _numbers(series: Any, told: Series, longest: float, size: float, theme: Theme) -> None:
    """Write into each segment its number, where there is room for it."""
    decimals = _format([told]).count(".")
    for place, value in enumerate(told.values):
        digits = f"{value or 0:,.{decimals}f}"
        if value and value >= longest * (_DIGIT_SHARE * len(digits) + _MARGIN_SHARE):
            ink = theme.ink if told.hatch else bar_charts.ink_on(told.colours[place])
            dress(_label(series, place).font, size - 2, ink)
            if told.hatch:
                ground(_label(series, place), theme)


def _end(
    label: Any, end: str, total: float | None, size: float, theme: Theme, stacked: bool
) -> None:
    """Write what is said at the end of a bar; a number alone stays one that follows the data."""
    if stacked and total is not None and end == f"{total:,.0f}":
        dress(label.font, size, theme.ink, bold=True)
    else:
        say(label, end, size, theme.ink, bold=True)
    label.position = XL_LABEL_POSITION.INSIDE_BASE if stacked else XL_LABEL_POSITION.OUTSIDE_END


def _axes(chart: Any, told: Bars, theme: Theme, size: float) -> None:
    names = chart.category_axis
    # The first row is the uppermost, so the last one is where numbers are high.
    names.reverse_order = True
    names.major_tick_mark = XL_TICK_MARK.NONE
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    names.has_major_gridlines = False
    names.format.line.color.rgb = rgb(theme.faint)
    dress(names.tick_labels.font, size, theme.ink)
    numbers = chart.value_axis
    numbers.minimum_scale, numbers.maximum_scale, numbers.major_unit = 0, told.longest, told.step
    numbers.tick_label_position = XL_TICK_LABEL_POSITION.HIGH
    axis_of_numbers(numbers, told.axis, form(told.step), theme)
