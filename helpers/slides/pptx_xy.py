"""Points and curves on slides as native charts between two axes of numbers or of days."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

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

from helpers.charts.chart_data import EXCEL_EPOCH, Label, Points, Trace
from helpers.slides import pptx_bars, style, text_layout
from helpers.slides.style import Theme, rgb
from helpers.slides.text_layout import Place, Rect, Spot, places
from helpers.text.i18n import t

_SIZE, _MARKER = 16, 14
"""Size of letters of a label and of a marker, in points."""

_LEFT, _TOP, _HEIGHT = 0.085, 0.1, 0.71
_WIDTH, _WIDTH_OF_CURVES = 0.89, 0.7
"""Where the points are on their chart, as shares of it; curves are named to the right of it."""

_WEEK, _YEAR = 7.0, 365.25
_DAYS = (1.0, 2.0, _WEEK, 2 * _WEEK, 4 * _WEEK, 8 * _WEEK, 13 * _WEEK, 26 * _WEEK)
_YEARS = tuple(_YEAR * years for years in (1, 2, 5, 10, 20))
"""Days between two marks on an axis of days: as many between all, as PowerPoint has it."""

_NEW_YEAR = 36892
"""Excel's 2001-01-01: years of 365.25 days later, it is the first of January again, until 2100."""

_MOST_DAYS, _MOST_YEARS = 6, 9
"""How often a mark may follow another; a whole date is wider than a year."""


def points(slide: Any, told: Points, box: tuple[float, ...], theme: Theme) -> Any:
    """Put points and curves on a slide, `box` in points; return the frame that they are in."""
    data = XyChartData(number_format="General")
    # LibreOffice loses what comes before a longer series.
    traces = sorted(told.traces, key=lambda trace: -len(trace.points))
    for trace in traces:
        series = data.add_series(pptx_bars.cell(_name(trace, told)))
        for x, y in trace.points:
            series.add_data_point(x, y)
    for band in told.bands:
        _shade(slide, band, told, box)
    kind = XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS
    frame = slide.shapes.add_chart(kind, *map(Pt, box), data)
    chart = frame.chart
    pptx_bars.begin(chart, theme, pptx_bars.SMALL)
    plot = (_LEFT, _TOP, _width(told), _HEIGHT)
    _place_plot(chart, plot)
    where = _as_drawn(told, box) if told.days else _free(told, box, plot)
    for trace, series in zip(traces, chart.plots[0].series, strict=True):
        _style(series, trace, theme)
        for label in trace.labels:
            ground = _ground(told, trace.points[label.point][0], theme)
            _label(series, label, where[id(label)], box[3], ground)
        if trace.labels:
            _leaders(series, theme)
    _axes(chart, told, theme)
    named = [trace.marked and bool(trace.name) for trace in traces]
    if any(named):
        pptx_bars.legend(chart, theme, [place for place, is_it in enumerate(named) if not is_it])
    return frame


def _shade(
    slide: Any, band: tuple[float, float, str], told: Points, box: tuple[float, ...]
) -> None:
    """Put a band on a slide, under the chart: of points and curves no series is one."""
    start, end = marks(*told.x_range)[0] if told.days else told.x_range[0], told.x_range[1]
    left, right = (
        box[0] + box[2] * (_LEFT + _width(told) * (min(max(x, start), end) - start) / (end - start))
        for x in band[:2]
    )
    place = (left, box[1] + box[3] * _TOP, right - left, box[3] * _HEIGHT)
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(Pt, place))
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(band[2])
    shape.line.fill.background()
    shape.shadow.inherit = False


def _ground(told: Points, x: float, theme: Theme) -> Theme:
    """Return a theme with the ground that there is at a place across."""
    shades = (shade for left, right, shade in told.bands if left <= x < right)
    return theme._replace(paper=next(shades, theme.paper))


def _width(told: Points) -> float:
    return _WIDTH_OF_CURVES if told.days else _WIDTH


def _name(trace: Trace, told: Points) -> str:
    """Return what a series is called in the chart's workbook."""
    if trace.name or (trace.marked and not told.days):
        return trace.name or told.upward
    return trace.labels[0].text.replace("\n", " ") if trace.labels else t("a line to read by")


def _axes(chart: Any, told: Points, theme: Theme) -> None:
    across, upward = chart.category_axis, chart.value_axis
    (left, right), (bottom, top) = told.x_range, told.y_range
    across.major_unit, upward.major_unit = told.steps
    form = pptx_bars.form(told.steps[0])
    if told.days:
        left, across.major_unit, form = marks(*told.x_range)
    across.minimum_scale, across.maximum_scale = left, right
    upward.minimum_scale, upward.maximum_scale = max(bottom, 0), top
    pptx_bars.axis_of_numbers(across, told.across, form, theme)
    pptx_bars.axis_of_numbers(upward, told.upward, pptx_bars.form(told.steps[1]), theme)
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
    fits = (one for one in _YEARS if (right - left) / one <= _MOST_YEARS)
    return left - (left - _NEW_YEAR) % _YEAR, next(fits, _YEARS[-1]), "yyyy"


def _style(series: Any, trace: Trace, theme: Theme) -> None:
    series.smooth = False
    line, marker = series.format.line, series.marker
    if trace.width:
        line.color.rgb, line.width = rgb(trace.colour), Pt(trace.width)
        line.dash_style = MSO_LINE.ROUND_DOT if trace.dashed else MSO_LINE.SOLID
    else:
        line.fill.background()
    if not trace.marked:
        marker.style = XL_MARKER_STYLE.NONE
        return
    marker.style, marker.size = XL_MARKER_STYLE.CIRCLE, _MARKER
    marker.format.fill.solid()
    # LibreOffice draws no edges of markers: what is empty is pale.
    pale = style.mixed(trace.colour, theme.paper)
    marker.format.fill.fore_color.rgb = rgb(trace.colour if trace.filled else pale)
    marker.format.line.color.rgb, marker.format.line.width = rgb(trace.colour), Pt(2.5)


def _as_drawn(told: Points, box: tuple[float, ...]) -> dict[int, Place]:
    """Return the places of labels that they have on the picture."""
    bottom, top = max(told.y_range[0], 0), told.y_range[1]
    return {
        id(label): Place(
            label.left,
            label.up / (top - bottom) * _HEIGHT * box[3] + label.rises * _tall(label) / 2,
        )
        for trace in told.traces
        for label in trace.labels
    }


def _free(
    told: Points, box: tuple[float, ...], plot: tuple[float, float, float, float]
) -> dict[int, Place]:
    """Return places of labels where they cover nothing."""
    (start, end), (bottom, top) = told.x_range, (max(told.y_range[0], 0), told.y_range[1])
    left, above, width, height = (part * box[2 + at % 2] for at, part in enumerate(plot))

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x, y = ((point[0] - start) / (end - start), (top - point[1]) / (top - bottom))
        return left + x * width, above + y * height

    labels = [(label, trace.points[label.point]) for trace in told.traces for label in trace.labels]
    spots = [Spot(*at(point), _MARKER, _wide(label), _tall(label)) for label, point in labels]
    lines = [
        Rect(min(a[0], b[0]), min(a[1], b[1]) - 2, max(a[0], b[0]) + 2, max(a[1], b[1]))
        for trace in told.traces
        if trace.width
        for a, b in pairwise(map(at, trace.points))
    ]
    found = places(spots, lines, Rect(left, above, left + width, above + height))
    return {id(label): place for (label, _), place in zip(labels, found, strict=True)}


def _tall(label: Label) -> float:
    return _SIZE * text_layout.LEADING * (1 + label.text.count("\n"))


def _wide(label: Label) -> float:
    return max(text_layout.width(line, _SIZE, label.bold) for line in label.text.split("\n"))


def _label(series: Any, label: Label, place: Place, tall: float, theme: Theme) -> None:
    """Write a point's label, on a ground of its own: no line runs through the words."""
    shown = series.points[label.point].data_label
    pptx_bars.say(shown, label.text, _SIZE, label.colour, label.bold)
    pptx_bars.ground(shown, theme)
    shown.position = XL_LABEL_POSITION.LEFT if place.left else XL_LABEL_POSITION.RIGHT
    if abs(place.up) > 2:
        shown._dLbl.find(qn("c:idx")).addnext(_layout({"x": 0.0, "y": -place.up / tall}))


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
    told = {"layoutTarget": "inner", "xMode": "edge", "yMode": "edge"}
    area.insert(0, _layout({**told, **dict(zip("xywh", place, strict=True))}))


def _layout(told: dict[str, Any]) -> Any:
    layout, manual = OxmlElement("c:layout"), OxmlElement("c:manualLayout")
    for name, value in told.items():
        part = OxmlElement(f"c:{name}")
        part.set("val", value if isinstance(value, str) else f"{value:.4f}")
        manual.append(part)
    layout.append(manual)
    return layout
