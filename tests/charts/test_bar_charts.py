"""Charts: what is drawn is what the frame says, in colours that survive greyscale."""

import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from helpers import paths
from helpers.charts import bar_charts
from helpers.frames import SEVERITIES, Frames
from helpers.sizes import image_sizes as sizes_of
from helpers.studies.load import load_published
from helpers.text import i18n
from helpers.vulnerabilities import counting, fixes
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy


@pytest.fixture
def ax() -> Axes:
    with mpl.rc_context(fname=paths.STYLE):
        return Figure().subplots()


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def names(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_bars_are_the_counts_stacked_from_critical(ax: Axes, blog: Frames) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    assert bar_charts.severity_breakdown(counts, ax) is ax
    widths = {bars.get_label(): [bar.get_width() for bar in bars] for bars in ax.containers}
    assert widths == {
        "CRITICAL": [3, 3],
        "HIGH": [31, 1],
        "MEDIUM": [12, 3],
        "LOW": [2, 12],
        "UNKNOWN": [0, 0],
    }
    assert [bar.get_x() for bar in ax.containers[1]] == [3, 3]
    assert names(ax) == ["nodejs-alpine", "nodejs-distroless"]
    assert {"48", "19"} <= set(texts(ax))
    assert ax.get_xlabel() == "number of findings"


def test_the_legend_has_every_severity_in_the_order_of_the_bars(ax: Axes, blog: Frames) -> None:
    bar_charts.severity_breakdown(counting.severity_counts(blog.findings, blog.images), ax)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(reversed(SEVERITIES))


def test_captures_of_a_variant_stand_together(ax: Axes, both: Frames) -> None:
    bar_charts.severity_breakdown(counting.severity_counts(both.findings, both.images), ax)
    assert names(ax) == [
        "nodejs-alpine\n2022-02",
        "nodejs-alpine\n2026-11",
        "nodejs-distroless\n2022-02",
        "nodejs-distroless\n2026-11",
    ]
    assert texts(ax)[-4:] == ["48", "49", "19", "107"]


def test_a_clean_image_shows_0_and_an_unmeasured_one_says_so(ax: Axes, frames_of) -> None:
    loaded = frames_of(clean=trivy(), one=trivy(finding()))
    images = missing_image(loaded.images, "lost")
    bar_charts.severity_breakdown(counting.severity_counts(loaded.findings, images), ax)
    assert texts(ax)[-3:] == ["0", "1", "not measured"]


def test_a_chart_of_nothing_but_clean_images_is_drawn(ax: Axes, frames_of) -> None:
    loaded = frames_of(clean=trivy())
    bar_charts.severity_breakdown(counting.severity_counts(loaded.findings, loaded.images), ax)
    assert texts(ax) == ["0"]


def test_size_bars_are_megabytes_with_the_difference_at_the_end(ax: Axes, blog: Frames) -> None:
    sizes = sizes_of.table(blog.images, load_published("blog-2022"))
    table = sizes_of.differences(sizes, "published", "nodejs-alpine")
    bar_charts.size_difference(table, ax, measured_as="as published")
    assert [bar.get_width() for bar in ax.containers[0]] == [76.9, 118.0]
    assert texts(ax) == ["76.9 MB\nbaseline", "118.0 MB\n+41.1 MB, ×1.53"]
    assert ax.get_xlabel() == "image size, as published (MB = 10⁶ bytes)"


def test_an_unknown_size_says_so(ax: Axes, frames_of) -> None:
    images = frames_of(a=trivy(), b=trivy(Metadata={"Size": 10_000_000})).images
    sizes = sizes_of.table(images, load_published("blog-2022").iloc[:0])
    bar_charts.size_difference(sizes_of.differences(sizes, "unpacked"), ax)
    assert texts(ax) == ["10.0 MB\nbaseline", "not measured"]


def test_a_count_without_a_known_os_is_marked(ax: Axes, frames_of) -> None:
    loaded = frames_of(clean=trivy(), scratch=trivy(Metadata={}))
    bar_charts.severity_breakdown(counting.severity_counts(loaded.findings, loaded.images), ax)
    assert texts(ax) == ["0", "0 (OS not looked at)"]


def test_the_baseline_is_drawn_at_its_size(ax: Axes, blog: Frames) -> None:
    sizes = sizes_of.table(blog.images, load_published("blog-2022"))
    bar_charts.size_difference(sizes_of.differences(sizes, "published", "nodejs-alpine"), ax)
    assert [list(line.get_xdata()) for line in ax.lines] == [[76.9, 76.9]]


@pytest.mark.parametrize("rows", [7, 12, 24])
def test_names_of_many_rows_do_not_overlap(rows: int, frames_of) -> None:
    loaded = frames_of(**{f"image-with-a-long-name-{n:02d}": trivy(finding()) for n in range(rows)})
    with mpl.rc_context(fname=paths.STYLE):
        figure = Figure()
        ax = figure.subplots()
        bar_charts.severity_breakdown(counting.severity_counts(loaded.findings, loaded.images), ax)
        figure.suptitle("Two lines\nof a title")
        figure.draw_without_rendering()
        names = [label.get_window_extent() for label in ax.get_yticklabels()]
        ends = [text.get_window_extent() for text in ax.texts[-rows:]]
    for boxes in (names, ends):
        assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    "name", ["$x^2$", "<b>", "a\x1b[31m", "x" * 300, "a\u202eb", "한국어 이미지"]
)
def test_strange_names_are_drawn_as_text(ax: Axes, frames_of, name: str) -> None:
    loaded = frames_of(app=trivy(finding()))
    images = loaded.images.assign(variant=name)
    findings = loaded.findings.assign(variant=name)
    bar_charts.severity_breakdown(counting.severity_counts(findings, images), ax)
    shown = names(ax)[0]
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.split("\n"))) <= 21


# Simulated colour vision: Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


@pytest.mark.parametrize("vision", VISIONS)
def test_severity_colours_are_told_apart_by_lightness_alone(vision: str) -> None:
    def lightness(colour: str) -> float:
        """CIE L* of a colour as that vision sees it."""
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(VISIONS[vision] @ linear, 0, 1) @ [0.2126, 0.7152, 0.0722]
        return 116 * seen ** (1 / 3) - 16

    steps = [lightness(bar_charts.COLOURS[severity]) for severity in SEVERITIES]
    gaps = [lighter - darker for lighter, darker in itertools.pairwise(steps)]
    assert min(gaps) > 6, dict(zip(SEVERITIES, steps, strict=True))


@pytest.mark.parametrize("colour", bar_charts.COLOURS.values())
def test_numbers_are_readable_on_their_segments(colour: str) -> None:
    light, dark = sorted(
        (bar_charts.luminance(colour), bar_charts.luminance(bar_charts.ink_on(colour)))
    )
    assert (dark + 0.05) / (light + 0.05) >= 4.5


def test_a_chart_does_not_change_its_frame(ax: Axes, blog: Frames) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    before = counts.copy(deep=True)
    bar_charts.severity_breakdown(counts, ax)
    pd.testing.assert_frame_equal(counts, before)


def test_in_korean_bars_legends_and_axes_are_korean_and_names_stay(ax: Axes, frames_of) -> None:
    loaded = frames_of(app=trivy(finding(), Metadata={"OS": {"Family": "alpine", "Name": "3"}}))
    split = fixes.split(loaded.findings, loaded.images, Lens())
    with i18n.speaking("ko"):
        bar_charts.fixable(split, ax, Lens().label)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["수정 가능", "미수정"]
    assert ax.get_xlabel() == "건수: 발견 항목"
    assert "1\nOS 미수정 항목: 관측 불가" in texts(ax)
    assert names(ax)[0] == "app"


def test_in_korean_what_was_not_measured_is_marked_too(ax: Axes, frames_of) -> None:
    loaded = frames_of(app=trivy(finding()))
    counts = counting.severity_counts(loaded.findings, missing_image(loaded.images, "lost"))
    with i18n.speaking("ko"):
        bar_charts.severity_breakdown(counts, ax)
    assert [t.get_style() for t in ax.texts if t.get_text() == "측정되지 않음"] == ["italic"]
    assert [t.get_text() for t in ax.get_legend().get_texts()][:2] == ["치명적", "높음"]
