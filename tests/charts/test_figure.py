"""Figures: every kind of chart is drawn, with a title and a footer, and turned into files."""

import base64
import io
import re
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure
from PIL import Image

from helpers import paths
from helpers.answers.chart_data import (
    Bars,
    Cell,
    Chart,
    Combination,
    Curve,
    Curves,
    Line,
    Matrix,
    Overlap,
    Point,
    Points,
    Series,
    Step,
    Timeline,
    Waterfall,
    decoded,
    encoded,
)
from helpers.charts import figure as figures
from helpers.charts import fonts
from helpers.charts.look import DARK, LIGHT, PAPER, Look
from helpers.text import i18n

BARS = Bars([("a", "")], [Series("HIGH", "HIGH", [1.0])], ["1"], "findings", "severity", [True])
CHARTS: list[Chart] = [
    BARS,
    Points([Point("a", 1, 1, "a")], "x", "y"),
    Curves([Curve("a", [(date(2024, 1, 1), 1), (date(2024, 6, 1), 2)])], [], [], "x", "y"),
    Timeline([Line("a", [[(date(2024, 1, 1), 1), (date(2024, 6, 1), 2)]])], [], "x", "y"),
    Waterfall([Step("a", "a", "total", 0, 1)], "x"),
    Matrix(["shells"], ["a"], [[Cell("found", "sh", 1)]]),
    Overlap(["a"], [("HIGH", "HIGH")], [Combination(["a"], [1])], "x", "y"),
]


def picture(figure: Figure) -> Image.Image:
    return Image.open(io.BytesIO(figures.png(figure)))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: type(chart).__name__)
def test_every_kind_of_chart_is_drawn_also_after_a_way_through_json(chart: Chart) -> None:
    first, second = (
        figures.figure(one, "A title", "a footer") for one in (chart, decoded(encoded(chart)))
    )
    assert figures.svg(first) == figures.svg(second), "the same each time"
    with Image.open(io.BytesIO(figures.quick(figures.figure(chart, is_quick=True)))) as shown:
        assert shown.width == 1152
        assert 324 <= shown.height <= 648


def test_a_title_has_two_lines_at_most_and_a_footer_as_many_as_it_takes_and_none_overlap() -> None:
    drawn = figures.figure(BARS, "word " * 60, "source " * 40 + "\x1b", subtitle="findings")
    title, subtitle, footer = drawn.texts
    assert title.get_text().count("\n") == 1
    assert title.get_text().endswith(" …")
    assert footer.get_text().count("\n") == 2
    assert footer.get_text().endswith("\\x1b")
    (ax,) = drawn.axes
    boxes = [part.get_window_extent() for part in (footer, ax, ax.get_legend(), subtitle, title)]
    assert all(below.y1 < above.y0 for below, above in pairwise(boxes))


def test_no_room_is_kept_for_a_title_and_a_footer_that_there_are_none_of() -> None:
    (bare,), (full,) = (
        figures.figure(BARS, *words).axes for words in ((), ("A title", "a footer"))
    )
    assert bare.get_position().y1 > full.get_position().y1
    assert bare.get_position().y0 < full.get_position().y0
    assert picture(figures.figure(BARS, tall=5.8)).size == (2560, 1160)


def test_a_dark_figure_has_no_white_in_it_and_a_light_one_has() -> None:
    for theme in (LIGHT, DARK):
        shown = picture(figures.figure(BARS, "A title", "a footer", Look(theme))).convert("RGB")
        assert "#{:02X}{:02X}{:02X}".format(*shown.getpixel((2, 2))) == PAPER[theme]
        whites = sum(n for n, colour in shown.getcolors(1 << 24) or [] if min(colour) > 250)
        assert (whites > 1000) == (theme == LIGHT)


def test_a_transparent_figure_has_no_ground() -> None:
    shown = picture(figures.figure(BARS, "A title", look=Look(transparent=True)))
    alpha = shown.convert("RGBA").getchannel("A")
    assert alpha.getpixel((2, 2)) == 0
    assert alpha.getextrema() == (0, 255)


def test_the_kits_font_has_the_letters_of_every_language() -> None:
    for language in i18n.known():
        with i18n.speaking(language):
            drawn = figures.figure(BARS, i18n.t("CRITICAL"))
            family = drawn.texts[0].get_fontfamily()
    regular = TTFont(paths.FONTS / f"{fonts.FAMILY}-Regular.otf").getBestCmap()
    assert family[0] == fonts.FAMILY
    with paths.LANGUAGES.open(encoding="utf-8") as rows:
        assert {*map(ord, rows.read())} - {ord("\n"), *map(ord, "↶✕")} <= set(regular)


def test_a_page_holds_the_letters_that_it_has_and_no_others() -> None:
    page = fonts.embedded("<style>/* the font */</style>한 <style>/* the font */</style>")
    face = r"font-weight: (\d+); src: url\(data:font/woff;base64,(.*?)\)"
    regular, bold = re.findall(face, page)
    assert (regular[0], bold[0]) == ("400", "700")
    letters = {chr(code) for code in TTFont(io.BytesIO(base64.b64decode(bold[1]))).getBestCmap()}
    assert {"한", "t"} <= letters < {*"<style>/* the font */</style>한 "} | {"\xa0"}
    assert page.count("@font-face") == 2, "only at the first place, which is the page's own"


def strangely(data: Any) -> Any:
    """What JSON holds of a chart, with strange names."""
    if isinstance(data, dict):
        return {key: strangely(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return list(map(strangely, data))
    return "a\u202e\x1b$x^2$" if data == "a" else data


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: type(chart).__name__)
def test_strange_names_are_drawn_as_text(chart: Chart) -> None:
    chart = decoded(strangely(encoded(chart)))
    drawn = figures.svg(figures.figure(chart, "A title \u202e", "\x1b")).decode()
    assert "$x^2$" in drawn
    assert not {"\u202e", "\x1b"} & {*drawn}
