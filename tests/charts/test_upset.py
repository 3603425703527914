"""The overlap's matrix: a bar a combination, and below it the dots of who shares it."""

import itertools

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers import paths
from helpers.charts import upset
from helpers.charts.bar_charts import INK
from helpers.frames import SEVERITIES, Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.vulnerabilities import overlap
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy


@pytest.fixture
def ax() -> Axes:
    with mpl.rc_context(fname=paths.STYLE):
        return Figure().subplots()


def draw(frames: Frames, ax: Axes, lens: Lens = Lens(), most: int = 12) -> pd.DataFrame:  # noqa: B008
    listing = overlap.listing(frames.findings, frames.images, lens)
    table = overlap.combinations(listing, most)
    assert upset.overlap(table, ax, overlap.variants(listing), overlap.label(lens)) is ax
    return table


def heights(ax: Axes) -> list[float]:
    """Heights of the bars, whatever their severities."""
    return [sum(bar.get_height() for bar in column) for column in zip(*ax.containers, strict=True)]


def shared(ax: Axes) -> list[list[int]]:
    """The rows of the full dots of each column, from the top."""
    rows = list(ax.get_yticks())
    full = [line for line in ax.lines if line.get_color() == INK and line.get_marker() == "o"]
    return [[rows.index(y) for y in line.get_ydata()] for line in full]


def labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.fixture
def six(frames_of) -> Frames:
    """Six images; the first has all vulnerabilities, each other one less."""
    return frames_of(
        **{
            f"registry-example-com-team-image-{n}": trivy(*(finding(i) for i in range(6 - n)))
            for n in range(6)
        }
    )


def test_a_bar_a_combination_with_its_number_and_the_dots_of_who_has_it(ax: Axes) -> None:
    matched = load_study("matched-2026")
    draw(matched, ax, Lens("vulnerabilities", known_by="2026-08-31"))
    assert heights(ax) == [17, 13, 9, 2]
    assert [text.get_text() for text in ax.texts] == ["17", "13", "9", "2"]
    assert labels(ax) == ["node-24-alpine", "node-24-slim", "node-24-distroless"]
    assert shared(ax) == [[1], [1, 2], [0, 2], [2]]
    assert list(ax.get_yticks()) == sorted(ax.get_yticks(), reverse=True)


def test_bars_are_stacked_from_critical(ax: Axes, blog: Frames) -> None:
    draw(blog, ax)
    found = {bars.get_label(): [bar.get_height() for bar in bars] for bars in ax.containers}
    assert found == {
        "CRITICAL": [2, 3],
        "HIGH": [16, 1],
        "MEDIUM": [6, 2],
        "LOW": [1, 10],
        "UNKNOWN": [0, 0],
    }
    assert [bar.get_y() for bar in ax.containers[1]] == [2, 3]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(reversed(SEVERITIES))


def test_axes_say_what_is_counted_and_what_dots_mean(ax: Axes, blog: Frames) -> None:
    draw(blog, ax, Lens(fixable=True, known_by="2022-02-28"))
    told = ax.get_ylabel().replace("\n", " ")
    assert told == "number of fixable vulnerabilities, published by 2022-02-28"
    assert ax.get_xlabel() == "● in these variants, and in no other"


def test_a_line_joins_those_who_share_and_every_variant_has_a_faint_dot(ax: Axes, six) -> None:
    draw(six, ax)
    assert shared(ax) == [list(range(n)) for n in range(1, 7)]
    joined = [line for line in ax.lines if line.get_linestyle() == "-" and line.get_marker() == "o"]
    assert len(joined) == 6
    faint = [line for line in ax.lines if line.get_marker() == "o" and line not in joined]
    assert [len(line.get_ydata()) for line in faint] == [6] * 6


def test_bars_stand_above_the_line_and_all_dots_below_it_in_the_picture(ax: Axes, six) -> None:
    draw(six, ax)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert bottom < min(ax.get_yticks()) < max(ax.get_yticks()) < 0
    assert top > max(heights(ax))
    bars = ax.containers[0]
    assert left < bars[0].get_x()
    assert bars[-1].get_x() + bars[-1].get_width() < right
    assert [0, 0] in [list(line.get_ydata()) for line in ax.lines]


def test_other_combinations_have_a_word_in_place_of_dots(ax: Axes, six: Frames) -> None:
    table = draw(six, ax, most=4)
    assert table["variants"].iloc[-1] == overlap.REST
    assert heights(ax) == [1, 1, 1, 3]
    assert len(shared(ax)) == 3
    assert "other\ncombinations" in [text.get_text() for text in ax.texts]


def test_who_has_nothing_is_still_named(ax: Axes, frames_of) -> None:
    draw(frames_of(clean=trivy(), one=trivy(finding())), ax)
    assert labels(ax) == ["clean", "one"]
    assert shared(ax) == [[1]]


def test_a_strange_name_is_drawn_as_text(ax: Axes, frames_of) -> None:
    frames = frames_of(app=trivy(finding()))
    strange = {"variant": "a\u202eb\x1b" + "x" * 300}
    draw(Frames(*(frame.assign(**strange) for frame in frames)), ax)
    (name,) = labels(ax)
    assert "\u202e" not in name
    assert "\x1b" not in name
    assert len(name) <= 24


@pytest.mark.parametrize("variants", [2, 6])
def test_names_and_numbers_do_not_overlap(six: Frames, variants: int) -> None:
    with mpl.rc_context(fname=paths.STYLE):
        figure = Figure()
        ax = figure.subplots()
        draw(six._replace(images=six.images.iloc[:variants]), ax)
        figure.suptitle("Two lines\nof a title")
        FigureCanvasAgg(figure).draw()
        names = [label.get_window_extent() for label in ax.get_yticklabels()]
        words = [text.get_window_extent() for text in ax.texts]
        whole = figure.bbox
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(names))
    assert not any(one.overlaps(other) for one, other in itertools.combinations(words, 2))
    assert min(box.x0 for box in names) >= whole.x0


def test_in_korean_all_that_is_no_name_is_korean(frames_of, ax: Axes) -> None:
    reports = {f"v{n}": trivy(finding(n), finding(n + 1)) for n in range(4)}
    with i18n.speaking("ko"):
        draw(frames_of(**reports), ax, most=3)
    assert "그\n밖의\n조합" in [text.get_text() for text in ax.texts]
    assert (ax.get_ylabel(), ax.get_legend().get_texts()[0].get_text()) == (
        "건수: 취약점",
        "치명적",
    )
    assert ax.get_xlabel().endswith("이 변형들에만 있고 다른 변형에는 없음")
