"""Points and curves on slides as native charts between two axes of numbers or of days."""

from typing import Any

from pptx.chart.data import XyChartData
from pptx.dml.fill import FillFormat
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE
from pptx.oxml.ns import qn
from pptx.oxml.xmlchemy import OxmlElement
from pptx.util import Pt

from helpers import drawing, fitting, lettering
from helpers.languages import t
from helpers.lettering import Theme, rgb
from helpers.native import Label, Points, Trace

_SIZE = 16
"""Size of letters of a label, in points."""

_LEFT, _TOP, _HEIGHT = 0.085, 0.1, 0.71
_WIDTH, _WIDTH_OF_CURVES = 0.89, 0.7
"""Where the points are on their chart, as shares of it; curves are named to the right of it."""

_MONTH, _YEAR = 30.4375, 365.25
_UNITS = (
    *((days, "yyyy-mm-dd") for days in (1.0, 2.0, 7.0, 14.0)),
    *((months * _MONTH, "yyyy-mm") for months in (1, 2, 3, 6)),
    *((years * _YEAR, "yyyy") for years in (1, 2, 5, 10, 20)),
)
"""Days between two marks on an axis of days, and how marks are written then."""

_MOST_MARKS = 9


def points(slide: Any, told: Points, box: tuple[float, ...], theme: Theme) -> Any:
    """Put points and curves on a slide, `box` in points; return the frame that they are in."""
    data = XyChartData(number_format="General")
    # LibreOffice loses what comes before a longer series.
    traces = sorted(told.traces, key=lambda trace: -len(trace.points))
    for trace in traces:
        series = data.add_series(drawing.cell(_name(trace, told)))
        for x, y in trace.points:
            series.add_data_point(x, y)
    kind = XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS
    frame = slide.shapes.add_chart(kind, *map(Pt, box), data)
    chart = frame.chart
    drawing.begin(chart, theme, drawing.SMALL)
    width = _WIDTH_OF_CURVES if told.days else _WIDTH
    _place_plot(chart, (_LEFT, _TOP, width, _HEIGHT))
    for trace, series in zip(traces, chart.plots[0].series, strict=True):
        _style(series, trace, theme)
        for label in trace.labels:
            _label(series, label, told, box[3], theme)
    _axes(chart, told, theme)
    named = [trace.marked and bool(trace.name) for trace in traces]
    if any(named):
        drawing.legend(chart, theme, [place for place, is_it in enumerate(named) if not is_it])
    return frame


def _name(trace: Trace, told: Points) -> str:
    """Return what a series is called in the chart's workbook."""
    if trace.name or (trace.marked and not told.days):
        return trace.name or told.upward
    return trace.labels[0].text.replace("\n", " ") if trace.labels else t("a line to read by")


def _axes(chart: Any, told: Points, theme: Theme) -> None:
    across, upward = chart.category_axis, chart.value_axis
    (left, right), (bottom, top) = told.x_range, told.y_range
    form, (across.major_unit, upward.major_unit) = "#,##0", told.steps
    if told.days:
        unit, form = _marks(right - left)
        # A mark amid its month or year is written as that one, whatever the leap years.
        left, across.major_unit = left // unit * unit + min(unit, _MONTH) / 2, unit
    across.minimum_scale, across.maximum_scale = left, right
    upward.minimum_scale, upward.maximum_scale = max(bottom, 0), top
    drawing.axis_of_numbers(across, told.across, form, theme)
    drawing.axis_of_numbers(upward, told.upward, "#,##0", theme)
    across.has_major_gridlines = False
    across.tick_label_position = upward.tick_label_position = XL_TICK_LABEL_POSITION.LOW


def _marks(span: float) -> tuple[float, str]:
    """Return after how many days an axis of so many has a mark, and how marks are written."""
    return next((one for one in _UNITS if span / one[0] <= _MOST_MARKS), _UNITS[-1])


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
    marker.style, marker.size = XL_MARKER_STYLE.CIRCLE, 14
    marker.format.fill.solid()
    # LibreOffice draws no edges of markers: what is empty is pale.
    pale = lettering.mixed(trace.colour, theme.paper)
    marker.format.fill.fore_color.rgb = rgb(trace.colour if trace.filled else pale)
    marker.format.line.color.rgb, marker.format.line.width = rgb(trace.colour), Pt(2.5)


def _label(series: Any, label: Label, told: Points, tall: float, theme: Theme) -> None:
    """Write a point's label beside it, as far up or down as on the picture."""
    shown = series.points[label.point].data_label
    drawing.say(shown, label.text, _SIZE, label.colour, label.bold)
    # No line runs through the words.
    ground = shown._dLbl.get_or_add_spPr()
    FillFormat.from_fill_parent(ground).solid()
    FillFormat.from_fill_parent(ground).fore_color.rgb = rgb(theme.paper)
    shown.position = XL_LABEL_POSITION.LEFT if label.left else XL_LABEL_POSITION.RIGHT
    bottom, top = max(told.y_range[0], 0), told.y_range[1]
    lines = 1 + label.text.count("\n")
    line = _SIZE * fitting.LEADING / tall
    lift = label.up / (top - bottom) * _HEIGHT + label.rises * lines * line / 2
    if abs(lift) > line / 4:
        shown._dLbl.find(qn("c:idx")).addnext(_layout({"x": 0.0, "y": -lift}))


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
