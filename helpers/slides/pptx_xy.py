"""Points and curves on slides as native charts between two axes of numbers or of days."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import log10
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

from helpers.answers.chart import Curves, Points
from helpers.charts import colours, curve_chart, point_chart
from helpers.charts.axes import Ranges
from helpers.charts.labels import Place, Rect, Spot, places, thin
from helpers.charts.lettering import LEADING, width
from helpers.slides import pptx_bars, style
from helpers.slides.style import Theme, paint, rgb
from helpers.text import escape
from helpers.text.i18n import t

EXCEL_EPOCH = 25569
"""Days from the first day of Excel's calendar to that of charts, 1970-01-01."""

_SIZE, _MARKER = 16, 14
"""Size of letters of a label and of a marker, in points."""

_SHAPES = {"o": XL_MARKER_STYLE.CIRCLE, "D": XL_MARKER_STYLE.DIAMOND}
"""matplotlib's markers in PowerPoint."""

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


class _Label(NamedTuple):
    """What is said of a point: to its left or right, and how far up in units of the axis.

    `rises` says what of the text is there: its foot (1), its middle (0) or its head (-1). Without
    `up` the label goes where there is room.
    """

    text: str
    colour: str
    bold: bool = False
    left: bool = False
    up: float | None = None
    rises: int = 0


class _Trace(NamedTuple):
    """A series: a line if it has a width, else markers, with labels by the point's place.

    Without a name it is not in the legend; `note` names it in the workbook. Its markers are so many
    times `larger` than the others.
    """

    note: str
    points: list[tuple[float, float]]
    colour: str
    labels: dict[int, _Label]
    name: str = ""
    width: float = 0.0
    dashed: bool = False
    hollow: bool = False
    shape: Any = XL_MARKER_STYLE.CIRCLE
    larger: float = 1.0


class _Plot(NamedTuple):
    """Series between two axes of numbers; with `days`, across are days of Excel's.

    `band` is what is shaded from bottom to top: from where to where across. With `log` the axis
    across is logarithmic. `marker` is the size of markers in points; 0: the usual one.
    """

    traces: list[_Trace]
    across: str
    upward: str
    ranges: Ranges
    days: bool = False
    band: tuple[float, float] | None = None
    log: bool = False
    marker: int = 0

    @property
    def bottom(self) -> float:
        return max(self.ranges.y[0], 0.0)


def points(slide: Any, chart: Points, box: tuple[float, ...], theme: Theme) -> Any:
    """Put points on a slide, `box` in points; return the frame that they are in."""
    traces = []
    if corners := point_chart.front(chart):
        line = theme.shade(colours.BASELINE)
        traces.append(_Trace(t("a line to read by"), corners, line, {}, width=3.0))
    for group, members in point_chart.groups(chart).items():
        look, full = colours.style("points", group), point_chart.is_full(group)
        labels = {
            place: _Label(point_chart.label(chart, point), theme.ink, bold=full)
            for place, point in enumerate(members)
            if point.label
        }
        name = chart.groups.get(group, "")
        where = [(point.x, point.y) for point in members]
        shade, shape = theme.single(look["edgecolor"]), _SHAPES[look.get("marker", "o")]
        larger = point_chart.LARGER.get(group, 1.0)
        note = name or chart.upward
        trace = _Trace(
            note, where, shade, labels, name, hollow=not full, shape=shape, larger=larger
        )
        traces.append(trace)
    ranges = point_chart.ranges(chart)
    if chart.limit:
        foot, head = ((chart.limit.at, y) for y in (max(ranges.y[0], 0.0), ranges.y[1]))
        grey = theme.shade(colours.FAINT)
        label = chart.limit.label
        traces.append(_Trace(label, [foot, head], grey, {}, width=2.0, dashed=True))
    marker = round(theme.letters(_MARKER * point_chart.marker(chart) / point_chart.MARKER))
    plot = _Plot(traces, chart.across, chart.upward, ranges, log=chart.log, marker=marker)
    return _draw(slide, plot, box, theme)


def curves(slide: Any, chart: Curves, box: tuple[float, ...], theme: Theme) -> Any:
    """Put curves on a slide, `box` in points; return the frame that they are in."""
    ranges, layout = curve_chart.ranges(chart), curve_chart.layout(chart)
    names = {label.index: label for label in layout.names}
    mark_labels = {label.index: label for label in layout.marks}
    traces = []
    for place, curve in enumerate(chart.curves):
        shade = theme.shade(colours.curve(place))
        live, after = curve_chart.pieces(curve)
        lines = [(after, 3.0, True), (live, 3.5, False)]
        end = names[place]
        name = _Label(end.text, shade, bold=True, up=end.height - end.count)
        for path, thick, dashed in lines:
            corners = [(_excel(day), count) for day, count in curve_chart.corners(path)]
            is_last = dashed or not after
            labels = {len(corners) - 1: name} if is_last else {}
            line = _Trace(curve.name, corners, shade, labels, "", thick, dashed)
            traces += [line] if corners else []
    top = ranges.y[1]
    for day, text in chart.events:
        foot, head = (_excel(day), ranges.y[0]), (_excel(day), top)
        words = _Label(escape.short(text, 32), theme.ink, up=-0.01 * top, rises=-1)
        grey = theme.shade(colours.FAINT)
        traces.append(_Trace(text, [foot, head], grey, {1: words}, width=1.6, dashed=True))
    for place, mark in enumerate(chart.marks):
        shade = theme.shade(colours.curve(mark.curve))
        labels = {}
        if written := mark_labels.get(place):
            up = written.height - mark.count
            labels = {0: _Label(written.text, shade, left=True, up=up, rises=1)}
        where = [(_excel(mark.day), mark.count)]
        traces.append(_Trace(mark.label, where, shade, labels, hollow=not mark.last))
    left, right = (x + EXCEL_EPOCH for x in ranges.x)
    signs = {
        curve_chart.DOTTED: (theme.ink, 3.0, True),
        curve_chart.SHADED: (theme.shade(colours.BAND), 12.0, False),
    }
    for sign, text in curve_chart.legend(chart).items():
        # A line without length, which only the legend shows.
        corner = [(left, ranges.y[0])] * 2
        colour, thick, dashed = signs[sign]
        traces.append(_Trace(text, corner, colour, {}, text, thick, dashed))
    band = curve_chart.incomplete(chart)
    plot = _Plot(
        traces,
        chart.across,
        chart.upward,
        ranges._replace(x=(left, right)),
        days=True,
        band=(_excel(band[0]), _excel(band[1])) if band else None,
    )
    return _draw(slide, plot, box, theme)


def _excel(day: date) -> float:
    return curve_chart.number(day) + EXCEL_EPOCH


def _draw(slide: Any, plot: _Plot, box: tuple[float, ...], theme: Theme) -> Any:
    data = XyChartData(number_format="General")
    # LibreOffice loses what comes before a longer series.
    traces = sorted(plot.traces, key=lambda trace: -len(trace.points))
    for trace in traces:
        series = data.add_series(pptx_bars.cell(trace.note))
        for x, y in trace.points:
            series.add_data_point(x, y)
    if plot.band:
        _shade(slide, plot.band, plot, box, theme)
    kind = XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS
    frame = slide.shapes.add_chart(kind, *map(Pt, box), data)
    chart = frame.chart
    pptx_bars.begin(chart, theme, theme.letters(pptx_bars.SMALL))
    area = (_LEFT, _TOP, _width(plot), _HEIGHT)
    _place_plot(chart, area)
    where = _placed(plot, box, theme) if plot.days else _free(plot, box, area, theme)
    for trace, series in zip(traces, chart.plots[0].series, strict=True):
        _style(series, trace, theme, plot.marker)
        for place, label in trace.labels.items():
            ground = _ground(plot, trace.points[place][0], theme)
            if found := where[id(label)]:
                _label(series.points[place], label, found, box, ground)
        if trace.labels:
            _leaders(series, theme)
    _axes(chart, plot, theme)
    if any(trace.name for trace in traces):
        pptx_bars.legend(chart, theme, [n for n, trace in enumerate(traces) if not trace.name])
    return frame


def _shade(
    slide: Any, band: tuple[float, float], plot: _Plot, box: tuple[float, ...], theme: Theme
) -> None:
    """Put a band on a slide, under the chart: of points and curves no series is one."""
    start, end = marks(*plot.ranges.x)[0], plot.ranges.x[1]
    left, right = (
        box[0] + box[2] * (_LEFT + _width(plot) * (min(max(x, start), end) - start) / (end - start))
        for x in band
    )
    place = (left, box[1] + box[3] * _TOP, right - left, box[3] * _HEIGHT)
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(Pt, place))
    shape.fill.solid()
    paint(shape.fill.fore_color, theme.shade(colours.BAND), theme)
    shape.line.fill.background()
    shape.shadow.inherit = False


def _ground(plot: _Plot, x: float, theme: Theme) -> Theme:
    """Return a theme with the ground that there is at a place across."""
    is_shaded = plot.band and plot.band[0] <= x < plot.band[1]
    return theme._replace(paper=theme.shade(colours.BAND)) if is_shaded else theme


def _width(plot: _Plot) -> float:
    return _WIDTH_OF_CURVES if plot.days else _WIDTH


def _axes(chart: Any, plot: _Plot, theme: Theme) -> None:
    across, upward = chart.category_axis, chart.value_axis
    (left, right), (_, top), step, upward.major_unit = plot.ranges
    form = pptx_bars.form(step)
    if plot.days:
        left, step, form = marks(left, right)
    across.minimum_scale, across.maximum_scale, across.major_unit = left, right, step
    if plot.log:
        form = "General"
        base = OxmlElement("c:logBase")
        base.set("val", "10")
        across._element.find(qn("c:scaling")).insert(0, base)
    upward.minimum_scale, upward.maximum_scale = plot.bottom, top
    pptx_bars.axis_of_numbers(across, plot.across, form, theme)
    pptx_bars.axis_of_numbers(upward, plot.upward, pptx_bars.form(plot.ranges.y_step), theme)
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


def _style(series: Any, trace: _Trace, theme: Theme, size: int = 0) -> None:
    series.smooth = False
    line, marker = series.format.line, series.marker
    if trace.width:
        paint(line.color, trace.colour, theme)
        line.width = Pt(trace.width)
        line.dash_style = MSO_LINE.ROUND_DOT if trace.dashed else MSO_LINE.SOLID
        marker.style = XL_MARKER_STYLE.NONE
        return
    line.fill.background()
    size = size or round(theme.letters(_MARKER))
    marker.style, marker.size = trace.shape, round(size * trace.larger)
    marker.format.fill.solid()
    # LibreOffice draws no edges of markers: what is empty is pale.
    pale = style.mixed(trace.colour, theme.paper)
    paint(marker.format.fill.fore_color, pale if trace.hollow else trace.colour, theme)
    paint(marker.format.line.color, trace.colour, theme)
    marker.format.line.width = Pt(2.5)


def _placed(plot: _Plot, box: tuple[float, ...], theme: Theme) -> dict[int, Place | None]:
    """Return the places of labels that are the same in a figure."""
    scale = _HEIGHT * box[3] / (plot.ranges.y[1] - plot.bottom)
    return {
        id(label): Place(
            label.left, (label.up or 0) * scale + label.rises * _tall(label, theme) / 2
        )
        for trace in plot.traces
        for label in trace.labels.values()
    }


def _free(
    plot: _Plot, box: tuple[float, ...], area: Sequence[float], theme: Theme
) -> dict[int, Place | None]:
    """Return places of labels where they cover nothing; none of a label without such a place."""
    (start, end), (_, top), *_ = plot.ranges
    left, above, width, height = (part * box[2 + at % 2] for at, part in enumerate(area))

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x, y = point[0], (top - point[1]) / (top - plot.bottom)
        ends = (log10(start), log10(end), log10(x)) if plot.log else (start, end, x)
        return left + (ends[2] - ends[0]) / (ends[1] - ends[0]) * width, above + y * height

    labels = [(n, trace.points[p]) for trace in plot.traces for p, n in trace.labels.items()]
    marker = plot.marker or theme.letters(_MARKER)
    spots = [
        Spot(*at(point), marker, _wide(label, theme), _tall(label, theme))
        for label, point in labels
    ]
    # No label covers the markers of points without one.
    bare = [
        Spot(*at(point), marker, 0, 0)
        for trace in plot.traces
        if not trace.width
        for place, point in enumerate(trace.points)
        if place not in trace.labels
    ]
    lines = [
        thin(*a, *b)
        for trace in plot.traces
        if trace.width
        for a, b in pairwise(map(at, trace.points))
    ]
    wanted = [*range(len(spots))] if bare else None
    room = Rect(left, above, left + width, above + height)
    found = places([*spots, *bare], lines, room, wanted)[: len(spots)]
    return {id(label): place for (label, _), place in zip(labels, found, strict=True)}


def _tall(label: _Label, theme: Theme) -> float:
    return theme.letters(_SIZE) * LEADING * (1 + label.text.count("\n"))


def _wide(label: _Label, theme: Theme) -> float:
    size = theme.letters(_SIZE)
    return max(width(line, size, label.bold) for line in label.text.split("\n"))


def _label(point: Any, label: _Label, place: Place, box: tuple[float, ...], theme: Theme) -> None:
    """Write a point's label, on a ground of its own: no line runs through the words."""
    shown = point.data_label
    size = theme.letters(_SIZE)
    pptx_bars.write_label(shown, label.text, theme, size, label.colour, label.bold)
    pptx_bars.ground(shown, theme)
    shown.position = XL_LABEL_POSITION.LEFT if place.left else XL_LABEL_POSITION.RIGHT
    if abs(place.up) > 2 or place.off:
        right = -place.off if place.left else place.off
        moved = _layout({"x": right / box[2], "y": -place.up / box[3]})
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
