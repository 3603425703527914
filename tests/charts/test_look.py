"""The look of figures: themes, a ground or none, and fonts."""

import pandas as pd
import pytest
from matplotlib import rc_context
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from PIL import Image

from helpers import paths
from helpers.charts import bar_charts, look
from helpers.charts.bar_charts import COLOURS, luminance
from helpers.errors import FontMissing, ParameterInvalid
from helpers.frames import SEVERITIES, Frames
from helpers.notebook.display import Exhibits
from helpers.text import i18n
from helpers.vulnerabilities import counting


@pytest.fixture(autouse=True)
def afterwards_light():
    yield
    look.use()


@pytest.fixture
def counts(blog: Frames) -> pd.DataFrame:
    return counting.severity_counts(blog.findings, blog.images)


def test_what_stands_out_on_white_stands_out_on_dark() -> None:
    on_white = [luminance(COLOURS[severity]) for severity in SEVERITIES]
    on_dark = [luminance(look.dark(COLOURS[severity])) for severity in SEVERITIES]
    assert on_white == sorted(on_white, reverse=True)
    assert on_dark == sorted(on_dark)
    paper = luminance(look.PAPER[look.DARK])
    assert all(value > 1.5 * paper for value in on_dark)


def test_ink_that_is_readable_on_a_colour_is_readable_on_the_dark_one() -> None:
    for colour in COLOURS.values():
        ground, ink = luminance(look.dark(colour)), luminance(look.dark(bar_charts.ink_on(colour)))
        high, low = max(ground, ink), min(ground, ink)
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_a_dark_figure_has_no_white_in_it_and_a_light_one_has(tmp_path, blog, counts) -> None:
    corners = {}
    for theme in look.THEMES:
        look.use(theme)
        show = Exhibits("blog-2022", blog.images, str(tmp_path / theme))
        show.figure("severity", bar_charts.severity_breakdown, counts, "title")
        with Image.open(tmp_path / theme / "figures/severity.png") as png:
            picture = png.convert("RGB")
            corners[theme] = picture.getpixel((2, 2))
            whites = sum(n for n, c in picture.getcolors(1 << 24) or [] if min(c) > 250)
        assert (whites > 1000) == (theme == look.LIGHT)
    assert corners == {"light": (255, 255, 255), "dark": (22, 24, 27)}


def test_every_text_of_a_dark_figure_has_contrast(counts) -> None:
    look.use(look.DARK)
    with rc_context(fname=paths.STYLE):
        figure = Figure()
        ax = bar_charts.severity_breakdown(counts, figure.subplots())
        look.dress(figure)
    paper = luminance(look.PAPER[look.DARK])
    texts = [*ax.get_yticklabels(), *ax.get_xticklabels(), *ax.get_legend().get_texts()]
    for text in texts:
        ink = luminance(text.get_color())
        assert (ink + 0.05) / (paper + 0.05) >= 4.5, text.get_text()
    assert to_rgb(ax.patches[0].get_facecolor()[:3]) == to_rgb(look.dark(COLOURS["CRITICAL"]))


def test_a_transparent_figure_has_no_ground(tmp_path, blog, counts) -> None:
    look.use(transparent=True)
    show = Exhibits("blog-2022", blog.images, str(tmp_path))
    show.figure("severity", bar_charts.severity_breakdown, counts, "title")
    with Image.open(tmp_path / "figures/severity.png") as png:
        alpha = png.convert("RGBA").getchannel("A")
        assert alpha.getpixel((2, 2)) == 0
        assert alpha.getextrema() == (0, 255)


def test_a_theme_or_a_language_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ParameterInvalid, match="theme 'sepia' is none of light, dark"):
        look.use("sepia")
    with pytest.raises(ParameterInvalid, match="language 'eo' is none of en, ko"):
        look.use(language="eo")


def test_without_a_font_for_a_language_the_error_names_the_package(monkeypatch) -> None:
    monkeypatch.setattr(fontManager, "ttflist", [])
    with pytest.raises(FontMissing, match="fonts-noto-cjk"):
        look.use(language="ko")
    assert i18n.spoken() == "en", "and nothing has changed"
    look.use(language="en")


def test_a_marker_and_the_ground_of_a_text_are_darkened_once() -> None:
    look.use(look.DARK)
    figure = Figure()
    axes = figure.subplots()
    (dot,) = axes.plot([0], [0], "o", color=bar_charts.INK)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    text = axes.text(0, 0, "end of life", bbox=box)
    look.dress(figure)
    assert dot.get_markerfacecolor() == look.dark(bar_charts.INK)
    assert to_rgba(text.get_bbox_patch().get_edgecolor())[3] == 0, "no frame where there was none"
