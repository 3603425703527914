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

from helpers.answers.chart_data import Bars, Series
from helpers.charts import bar_chart, colours
from helpers.slides.outline import row_name
from helpers.slides.style import Theme, dress, paint, write
from helpers.text import escape
from helpers.text.i18n import t

SMALL = 14
"""Size of the smallest letters of a chart, in points."""

_PATTERNS = {"//": MSO_PATTERN.WIDE_UPWARD_DIAGONAL, ".": MSO_PATTERN.LARGE_GRID}
"""matplotlib's hatches in PowerPoint; of dots LibreOffice makes the lines of the other."""

_URL = re.compile(r"(?i)\s*(https?|ftps?|mailto|internal|external):")

_FORMATS = ("#,##0", "#,##0.0")
"""How numbers are written, without decimals and with one."""

_DIGIT_SHARE, _MARGIN_SHARE = 0.011, 0.005
"""Share of the longest bar that a digit of a segment's number takes, and the room around it."""


def cell(text: str) -> str:
    """Return text for a chart's workbook, which takes none for a formula or a link.

    >>> cell("=1+1"), cell("https://x"), cell("node:24")
    ("'=1+1", "'https://x", 'node:24')
    """
    safe = str(escape.csv_cell(text))
    return f"'{safe}" if _URL.match(safe) else safe


def bars(slide: Any, chart: Bars, box: tuple[float, ...], theme: Theme) -> Any:
    """Put bars on a slide, `box` in points; return the frame that they are in.

    Stacked ones have an invisible series more, whose labels are the ends of the bars.
    """
    stacked, parts = bar_chart.is_stacked(chart), bar_chart.parts(chart)
    data = CategoryChartData(number_format=_FORMATS[bool(chart.decimals)])
    data.categories = [cell(name) for name in _categories(chart)]
    for part in parts:
        data.add_series(cell(part.name if stacked else chart.axis), part.values)
    totals = [
        total if measured else None
        for total, measured in zip(chart.totals, chart.measured, strict=True)
    ]
    if stacked:
        # A legend shows names, so this one has none.
        data.add_series(" ", totals)
    most = bar_chart.limit(chart, box[2], theme.scale)
    kind = XL_CHART_TYPE.BAR_STACKED if stacked else XL_CHART_TYPE.BAR_CLUSTERED
    frame = slide.shapes.add_chart(kind, *map(Pt, box), data)
    shown, plot = frame.chart, frame.chart.plots[0]
    size = theme.letters(18 if len(totals) <= 4 else 16 if len(totals) <= 8 else SMALL)
    begin(shown, theme, size)
    plot.gap_width = 60
    for part, series in zip(parts, plot.series, strict=False):
        _colour(series, chart, part, theme)
        if stacked:
            _numbers(series, chart, part, size, theme, most)
    last = plot.series[-1]
    if stacked:
        plot.overlap = 100
        last.format.fill.background()
        last.format.line.fill.background()
        legend(shown, theme)
    for place, (end, total) in enumerate(zip(chart.ends, totals, strict=True)):
        if end and total is not None:
            _end(_label(last, place), end, total, size, theme, stacked)
    _axes(shown, theme, size, most)
    return frame


def begin(chart: Any, theme: Theme, size: float) -> None:
    """Give a chart its letters, and neither title nor legend: a slide has a title."""
    chart.has_title = chart.has_legend = False
    dress(chart.font, theme, size, theme.ink)


def legend(chart: Any, theme: Theme, hidden: Sequence[int] = ()) -> None:
    """Add a legend above a chart, without some of its series.

    Of bars none can be left out: programs do not agree on how they are numbered.
    """
    chart.has_legend = True
    shown = chart.legend
    shown.position, shown.include_in_layout = XL_LEGEND_POSITION.TOP, False
    dress(shown.font, theme, theme.letters(16), theme.ink)
    for place in reversed(hidden):
        entry, index, gone = map(OxmlElement, ("c:legendEntry", "c:idx", "c:delete"))
        index.set("val", str(place))
        gone.set("val", "1")
        entry.extend([index, gone])
        shown._element.find(qn("c:legendPos")).addnext(entry)


def axis_of_numbers(axis: Any, title: str, number: str, theme: Theme) -> None:
    """Dress an axis of numbers, written in a format, and say what they are."""
    axis.has_major_gridlines = True
    paint(axis.major_gridlines.format.line.color, theme.line, theme)
    axis.major_gridlines.format.line.width = Pt(0.75)
    axis.major_tick_mark = XL_TICK_MARK.NONE
    paint(axis.format.line.color, theme.line, theme)
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = number, False
    dress(axis.tick_labels.font, theme, theme.letters(SMALL), theme.ink)
    axis.has_title = True
    run = axis.axis_title.text_frame.paragraphs[0].add_run()
    write(run, title, theme, theme.letters(SMALL), theme.ink)


def write_label(
    label: Any, text: str, theme: Theme, size: float, colour: str, bold: bool = False
) -> None:
    """Write a label's text; what comes after its first line is smaller."""
    frame = label.text_frame
    frame.word_wrap = False
    for place, line in enumerate(text.split("\n")):
        paragraph = frame.add_paragraph() if place else frame.paragraphs[0]
        run = paragraph.add_run()
        smaller = max(size - 2, theme.letters(SMALL))
        write(run, line, theme, smaller if place else size, colour, bold and not place)


def form(step: float) -> str:
    """Return how the numbers of an axis are written: with a decimal if its steps have some."""
    return _FORMATS[step != int(step)]


def ground(label: Any, theme: Theme) -> None:
    """Give a label the slide's ground, if that is one colour: nothing runs through its words."""
    if not theme.plain:
        return
    fill = FillFormat.from_fill_parent(label._dLbl.get_or_add_spPr())
    fill.solid()
    paint(fill.fore_color, theme.paper, theme)


def _categories(chart: Bars) -> list[str]:
    """Return the names of bars; what was not measured has no bar, and its name says so."""
    return [
        row_name(*row) if measured else f"{row_name(*row)}: {t('not measured')}"
        for row, measured in zip(chart.rows, chart.measured, strict=True)
    ]


def _label(series: Any, place: int) -> Any:
    return series.points[place].data_label


def _colour(series: Any, chart: Bars, part: Series, theme: Theme) -> None:
    shade = theme.shade if bar_chart.is_stacked(chart) else theme.single
    looks = [bar_chart.style(chart, part, row) for row, _ in enumerate(part.values)]
    fills = [(shade(colours.main(look)), look.get("hatch", "")) for look in looks]
    _fill(series.format, *fills[0], theme)
    for place, own in enumerate(fills):
        if own != fills[0]:
            _fill(series.points[place].format, *own, theme)


def _fill(form: Any, colour: str, hatch: str, theme: Theme) -> None:
    if hatch:
        form.fill.patterned()
        form.fill.pattern = _PATTERNS[hatch]
        paint(form.fill.fore_color, colour, theme)
        paint(form.fill.back_color, theme.paper, theme)
    else:
        form.fill.solid()
        paint(form.fill.fore_color, colour, theme)
    paint(form.line.color, colour if hatch else theme.paper, theme)
    form.line.width = Pt(0.75)


def _numbers(
    series: Any, chart: Bars, part: Series, size: float, theme: Theme, most: float
) -> None:
    """Write into each segment its number, where there is room for it."""
    style = colours.style(chart.palette, part.key)
    for place, value in enumerate(part.values):
        digits = f"{value or 0:,.{chart.decimals}f}"
        share = _DIGIT_SHARE * len(digits) + _MARGIN_SHARE
        if not value or value < most * share:
            continue
        label = _label(series, place)
        shade = theme.shade(colours.main(style))
        dress(
            label.font,
            theme,
            max(size - 2, theme.letters(SMALL)),
            theme.ink if "hatch" in style else colours.ink_on(shade),
        )
        if "hatch" in style:
            ground(label, theme)


def _end(label: Any, end: str, total: float, size: float, theme: Theme, stacked: bool) -> None:
    """Write what is said at the end of a bar; a number alone stays one that follows the data."""
    if stacked and end == f"{total:,.0f}":
        dress(label.font, theme, size, theme.ink, bold=True)
    else:
        write_label(label, end, theme, size, theme.ink, bold=True)
    label.position = XL_LABEL_POSITION.INSIDE_BASE if stacked else XL_LABEL_POSITION.OUTSIDE_END


def _axes(shown: Any, theme: Theme, size: float, most: float) -> None:
    names = shown.category_axis
    # The first row is the uppermost, so the last one is where numbers are high.
    names.reverse_order = True
    names.major_tick_mark = XL_TICK_MARK.NONE
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    names.has_major_gridlines = False
    paint(names.format.line.color, theme.faint, theme)
    dress(names.tick_labels.font, theme, size, theme.ink)
    # Numbers are in the bars and at their ends.
    numbers = shown.value_axis
    numbers.minimum_scale, numbers.maximum_scale = 0, most
    numbers.visible = numbers.has_major_gridlines = False
