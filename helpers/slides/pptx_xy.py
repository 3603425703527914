"""Curves on slides as native charts, on an axis of days."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from pptx.chart.data import XyChartData
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE
from pptx.enum.shapes import MSO_SHAPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Pt

from helpers.answers.chart_data import Curves
from helpers.charts import colours, curve_chart
from helpers.charts.axes import Ranges
from helpers.charts.lettering import LEADING
from helpers.slides import pptx_bars, style
from helpers.slides.style import Theme, paint, rgb
from helpers.text import escape

EXCEL_EPOCH = 25569
"""Days from the first day of Excel's calendar to that of charts, 1970-01-01."""

_SIZE, _MARKER = 16, 14
"""Size of letters of a label and of a marker, in points."""

_LEFT, _TOP, _WIDTH, _HEIGHT = 0.085, 0.1, 0.7, 0.71
"""Where curves are on their chart, as shares of it; they are named to the right of it."""

_WEEK, _YEAR = 7.0, 365.25
_DAYS = (1.0, 2.0, _WEEK, 2 * _WEEK, 4 * _WEEK, 8 * _WEEK, 13 * _WEEK, 26 * _WEEK)
_YEARS = tuple(_YEAR * years for years in (1, 2, 5, 10, 20))
"""Days between two marks on an axis of days: as many between all, as PowerPoint has it."""

_NEW_YEAR = 36892
"""Excel's 2001-01-01: years of 365.25 days later, it is the first of January again, until 2100."""

_MOST_DAYS, _MOST_YEARS = 6, 9
"""How often a mark may follow another; a whole date is wider than a year."""


class _Label(NamedTuple):
    """What is said of a point: to its left or right, and how far up in units of the axis.

    `rises` says what of the text is there: its foot (1), its middle (0) or its head (-1).
    """

    text: str
    colour: str
    bold: bool = False
    left: bool = False
    up: float = 0.0
    rises: int = 0


class _Trace(NamedTuple):
    """A series: a line if it has a width, else markers, with labels by the point's place.

    Without a name it is not in the legend; `note` names it in the workbook.
    """

    note: str
    points: list[tuple[float, float]]
    colour: str
    labels: dict[int, _Label]
    name: str = ""
    width: float = 0.0
    dashed: bool = False
    hollow: bool = False


def curves(slide: Any, chart: Curves, box: tuple[float, ...], theme: Theme) -> Any:
    """Put curves on a slide, `box` in points; return the frame that they are in."""
    ranges = curve_chart.ranges(chart)
    left, right = (x + EXCEL_EPOCH for x in ranges.x)
    ranges = ranges._replace(x=(left, right))
    # LibreOffice loses what comes before a longer series.
    traces = sorted(_traces(chart, ranges, theme), key=lambda trace: -len(trace.points))
    data = XyChartData(number_format="General")
    for trace in traces:
        series = data.add_series(pptx_bars.cell(trace.note))
        for x, y in trace.points:
            series.add_data_point(x, y)
    days = curve_chart.incomplete(chart)
    band = (_excel(days[0]), _excel(days[1])) if days else (right, right)
    if days:
        _shade(slide, band, ranges, box, theme)
    kind = XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS
    frame = slide.shapes.add_chart(kind, *map(Pt, box), data)
    shown = frame.chart
    pptx_bars.begin(shown, theme, theme.letters(pptx_bars.SMALL))
    _place_plot(shown, (_LEFT, _TOP, _WIDTH, _HEIGHT))
    scale = _HEIGHT * box[3] / ranges.y[1]
    shaded = theme._replace(paper=theme.shade(colours.BAND))
    for trace, series in zip(traces, shown.plots[0].series, strict=True):
        _style(series, trace, theme)
        for place, label in trace.labels.items():
            # The ground that there is at its place across.
            ground = shaded if band[0] <= trace.points[place][0] < band[1] else theme
            tall = theme.letters(_SIZE) * LEADING * (1 + label.text.count("\n"))
            up = label.up * scale + label.rises * tall / 2
            _label(series.points[place], label, up / box[3], ground)
        if trace.labels:
            _leaders(series, theme)
    _axes(shown, chart, ranges, theme)
    if any(trace.name for trace in traces):
        pptx_bars.legend(shown, theme, [n for n, trace in enumerate(traces) if not trace.name])
    return frame


def _traces(chart: Curves, ranges: Ranges, theme: Theme) -> Iterator[_Trace]:
    """Yield the curves, each with its name at its end, then events, marks and legend."""
    layout = curve_chart.layout(chart)
    ends = {label.index: label for label in layout.names}
    for place, curve in enumerate(chart.curves):
        shade, end = theme.shade(colours.curve(place)), ends[place]
        name = _Label(end.text, shade, bold=True, up=end.height - end.count)
        live, after = curve_chart.pieces(curve)
        for path, thick, dashed in ((after, 3.0, True), (live, 3.5, False)):
            corners = [(_excel(day), count) for day, count in curve_chart.corners(path)]
            labels = {len(corners) - 1: name} if dashed or not after else {}
            if corners:
                yield _Trace(curve.name, corners, shade, labels, "", thick, dashed)
    top = ranges.y[1]
    for day, text in chart.events:
        words = _Label(escape.short(text, 32), theme.ink, up=-0.01 * top, rises=-1)
        line = [(_excel(day), 0.0), (_excel(day), top)]
        yield _Trace(text, line, theme.shade(colours.FAINT), {1: words}, width=1.6, dashed=True)
    said = {label.index: label for label in layout.marks}
    for place, mark in enumerate(chart.marks):
        shade, labels = theme.shade(colours.curve(mark.curve)), {}
        if written := said.get(place):
            up = written.height - mark.count
            labels = {0: _Label(written.text, shade, left=True, up=up, rises=1)}
        dot = [(_excel(mark.day), mark.count)]
        yield _Trace(mark.label, dot, shade, labels, hollow=not mark.last)
    signs = {
        curve_chart.DOTTED: (theme.ink, 3.0, True),
        curve_chart.SHADED: (theme.shade(colours.BAND), 12.0, False),
    }
    for sign, text in curve_chart.legend(chart).items():
        # A line without length, which only the legend shows.
        colour, thick, dashed = signs[sign]
        yield _Trace(text, [(ranges.x[0], 0.0)] * 2, colour, {}, text, thick, dashed)


def _excel(day: date) -> float:
    return curve_chart.number(day) + EXCEL_EPOCH


def _shade(
    slide: Any, band: tuple[float, float], ranges: Ranges, box: tuple[float, ...], theme: Theme
) -> None:
    """Put a band of days on a slide, under the chart, of which no series is one."""
    start, end = marks(*ranges.x)[0], ranges.x[1]
    left, right = (
        box[0] + box[2] * (_LEFT + _WIDTH * (min(max(x, start), end) - start) / (end - start))
        for x in band
    )
    place = (left, box[1] + box[3] * _TOP, right - left, box[3] * _HEIGHT)
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(Pt, place))
    shape.fill.solid()
    paint(shape.fill.fore_color, theme.shade(colours.BAND), theme)
    shape.line.fill.background()
    shape.shadow.inherit = False


def _axes(shown: Any, chart: Curves, ranges: Ranges, theme: Theme) -> None:
    across, upward = shown.category_axis, shown.value_axis
    left, step, form = marks(*ranges.x)
    across.minimum_scale, across.maximum_scale, across.major_unit = left, ranges.x[1], step
    upward.minimum_scale, upward.maximum_scale = ranges.y
    upward.major_unit = ranges.y_step
    pptx_bars.axis_of_numbers(across, chart.across, form, theme)
    pptx_bars.axis_of_numbers(upward, chart.upward, pptx_bars.form(ranges.y_step), theme)
    across.has_major_gridlines = False
    across.tick_label_position = upward.tick_label_position = XL_TICK_LABEL_POSITION.LOW


def marks(left: float, right: float) -> tuple[float, float, str]:
    """Return where an axis of days begins, the days between its marks, and how they are written.

    A mark is on the day that it names: months are not alike, so it names a day, or a year by its
    first one. `left` and `right` are days of Excel's.
    """
    for days in _DAYS:
        if (right - left) / days <= _MOST_DAYS:
            first = date(1970, 1, 1) + timedelta(days=int(left) - EXCEL_EPOCH)
            # What has room for it begins with a month.
            spare = first.day - 1 if days > 2 * _WEEK else 0
            return float(int(left) - spare), days, "yyyy-mm-dd"
    fits = (days for days in _YEARS if (right - left) / days <= _MOST_YEARS)
    return left - (left - _NEW_YEAR) % _YEAR, next(fits, _YEARS[-1]), "yyyy"


def _style(series: Any, trace: _Trace, theme: Theme) -> None:
    series.smooth = False
    line, marker = series.format.line, series.marker
    if trace.width:
        paint(line.color, trace.colour, theme)
        line.width = Pt(trace.width)
        line.dash_style = MSO_LINE.ROUND_DOT if trace.dashed else MSO_LINE.SOLID
        marker.style = XL_MARKER_STYLE.NONE
        return
    line.fill.background()
    marker.style, marker.size = XL_MARKER_STYLE.CIRCLE, round(theme.letters(_MARKER))
    marker.format.fill.solid()
    # LibreOffice draws no edges of markers: what is empty is pale.
    pale = style.mixed(trace.colour, theme.paper)
    paint(marker.format.fill.fore_color, pale if trace.hollow else trace.colour, theme)
    paint(marker.format.line.color, trace.colour, theme)
    marker.format.line.width = Pt(2.5)


def _label(point: Any, label: _Label, up: float, theme: Theme) -> None:
    """Write a point's label, on a ground of its own, so far `up` as a share of the chart."""
    shown = point.data_label
    size = theme.letters(_SIZE)
    pptx_bars.write_label(shown, label.text, theme, size, label.colour, label.bold)
    pptx_bars.ground(shown, theme)
    shown.position = XL_LABEL_POSITION.LEFT if label.left else XL_LABEL_POSITION.RIGHT
    if up:
        moved = _layout({"x": 0.0, "y": -up})
        shown._dLbl.find(qn("c:idx")).addnext(moved)


def _leaders(series: Any, theme: Theme) -> None:
    """Have lines from points to labels that are away from them: an extension of 2012."""
    series._element.find(qn("c:dLbls")).append(
        parse_xml(
            f'<c:extLst {nsdecls("c", "a")}><c:ext uri="{{CE6537A1-D6FC-4f65-9D91-7224C49458BB}}" '
            'xmlns:c15="http://schemas.microsoft.com/office/drawing/2012/chart">'
            '<c15:showLeaderLines val="1"/><c15:leaderLines><c:spPr><a:ln w="9525"><a:solidFill>'
            f'<a:srgbClr val="{rgb(theme.faint)}"/></a:solidFill></a:ln></c:spPr>'
            "</c15:leaderLines></c:ext></c:extLst>"
        )
    )


def _place_plot(chart: Any, place: tuple[float, ...]) -> None:
    """Say where on its chart the plot is: labels are placed by shares of the chart."""
    area = chart._chartSpace.chart.plotArea
    for old in area.findall(qn("c:layout")):
        area.remove(old)
    modes = {"layoutTarget": "inner", "xMode": "edge", "yMode": "edge"}
    area.insert(0, _layout({**modes, **dict(zip("xywh", place, strict=True))}))


def _layout(values: dict[str, Any]) -> Any:
    layout, manual = OxmlElement("c:layout"), OxmlElement("c:manualLayout")
    for name, value in values.items():
        part = OxmlElement(f"c:{name}")
        part.set("val", value if isinstance(value, str) else f"{value:.4f}")
        manual.append(part)
    layout.append(manual)
    return layout
