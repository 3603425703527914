"""The trade-off's chart: a point a variant, the front, and who has no place on it."""

import itertools

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from helpers import paths
from helpers.charts import scatter
from helpers.frames import Frames
from helpers.sizes.image_sizes import MB
from helpers.studies.load import load_published, load_study
from helpers.text import i18n
from helpers.verdict import sensitivity, tradeoff
from helpers.vulnerabilities.lenses import Lens


@pytest.fixture
def ax() -> Axes:
    with mpl.rc_context(fname=paths.STYLE):
        return Figure().subplots()


def able(*rows: tuple[str, int | None, int | None], status: str = "scanned") -> pd.DataFrame:
    """Candidates by name, fixable vulnerabilities and megabytes, and the status of the last."""
    names, fixable, sizes = zip(*rows, strict=True)
    statuses = ["scanned"] * (len(rows) - 1) + [status]
    table = pd.DataFrame(
        {
            "variant": names,
            "fixable": pd.array(fixable, dtype="Int64"),
            "size": pd.array([s if s is None else s * MB for s in sizes], dtype="Int64"),
            "candidate": [s == "scanned" for s in statuses],
            "why_not": [None if s == "scanned" else f"it is {s}" for s in statuses],
            "ended": pd.array([0] * len(rows), dtype="Int64"),
            "old_runtime": pd.array([0] * len(rows), dtype="Int64"),
        }
    )
    return table.assign(front=tradeoff.pareto(table))


def draw(table: pd.DataFrame, ax: Axes, counted: str = "vulnerabilities") -> None:
    assert scatter.tradeoff(table, ax, "unpacked", counted) is ax


def points(ax: Axes) -> list[list[list[float]]]:
    """Points of those on the front, and of those that are dominated."""
    return [dots.get_offsets().tolist() for dots in ax.collections]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def lost(ax: Axes) -> str:
    """What is said, below the axis, of those that have no point."""
    return ax.get_xlabel().partition("\n")[2].replace("\n", " ")


def of_study(name: str, frames: Frames) -> pd.DataFrame:
    lens = Lens("vulnerabilities")
    return sensitivity.candidates(frames, load_published(name), "", lens)[0]


def test_a_point_a_variant_by_size_and_fixable_vulnerabilities(ax: Axes, blog: Frames) -> None:
    draw(of_study("blog-2022", blog), ax)
    assert points(ax) == [[[76.9, 25], [118, 0]], []]
    assert texts(ax) == [
        "nodejs-alpine\n76.9 MB, 25, unsupported",
        "nodejs-distroless\n118.0 MB, 0",
    ]


@pytest.mark.parametrize("what", ["ended", "old_runtime"])
def test_who_is_past_its_support_is_marked_and_of_whom_that_is_not_known_is_not(
    ax: Axes, what: str
) -> None:
    past = pd.array([1, 0, None], dtype="Int64")
    draw(able(("a", 3, 1), ("b", 2, 2), ("c", 1, 3)).assign(**{what: past}), ax)
    assert [text.endswith(", unsupported") for text in texts(ax)] == [True, False, False]


def test_who_is_dominated_is_a_hollow_point(ax: Axes) -> None:
    draw(of_study("rebuilt-2026", load_study("rebuilt-2026")), ax)
    front, dominated = ax.collections
    assert [[round(size), count] for size, count in front.get_offsets().tolist()] == [[64, 7]]
    assert len(dominated.get_offsets()) == 3
    assert dominated.get_facecolor().tolist() == [[1, 1, 1, 1]]
    assert front.get_facecolor().tolist() != [[1, 1, 1, 1]]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "on the Pareto front",
        "dominated by another",
    ]


def test_the_front_is_a_line_of_steps_through_its_points(ax: Axes) -> None:
    draw(able(("a", 9, 10), ("b", 4, 20), ("c", 0, 40), ("d", 9, 40)), ax)
    (line,) = ax.lines
    assert line.get_drawstyle() == "steps-post"
    corners = list(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert corners[1:4] == [(10, 9), (20, 4), (40, 0)]
    assert corners[0][0] == 10
    assert corners[0][1] == pytest.approx(ax.get_ylim()[1])
    assert corners[-1] == (pytest.approx(ax.get_xlim()[1]), 0)


def test_axes_say_unit_size_and_what_is_counted(ax: Axes) -> None:
    draw(able(("a", 9, 10), ("b", 4, 20)), ax, "fixable vulnerabilities, published by 2026-08-31")
    assert ax.get_xlabel() == "image size, unpacked (MB = 10⁶ bytes)"
    assert ax.get_ylabel().replace("\n", " ") == (
        "number of fixable vulnerabilities, published by 2026-08-31"
    )
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlim()[1] > 20
    assert ax.get_ylim()[0] < 0
    assert ax.get_ylim()[1] > 9


@pytest.mark.parametrize("status", ["broken", "failed", "no-os"])
def test_who_is_no_candidate_is_named_with_the_reason_and_not_placed(ax: Axes, status) -> None:
    draw(able(("a", 9, 10), ("b", 4, 20), ("tiny", 0, 1), status=status), ax)
    assert points(ax) == [[[10, 9], [20, 4]], []]
    assert len(texts(ax)) == 2
    assert lost(ax) == f"not placed: tiny (it is {status})"


def test_a_broken_image_of_a_study_is_named(ax: Axes, blog: Frames) -> None:
    images = blog.images.assign(status=["scanned", "broken"])
    draw(of_study("blog-2022", blog._replace(images=images)), ax)
    assert lost(ax) == "not placed: nodejs-distroless (it did not answer when it was started)"


def test_who_has_no_known_size_is_not_placed_either(ax: Axes) -> None:
    draw(able(("a", 9, 10), ("b", 4, None)), ax)
    assert lost(ax) == "not placed: b (size not known)"


def test_of_many_that_have_no_place_the_first_are_named(ax: Axes) -> None:
    draw(able(*((name, 1, None) for name in "abc")), ax)
    assert lost(ax) == "not placed: " + ", ".join(f"{n} (size not known)" for n in "abc")
    other = Figure().subplots()
    draw(able(*((name, 1, None) for name in "abcd")), other)
    assert lost(other) == "not placed: a (size not known), b (size not known), and 2 more"


def test_without_a_place_for_anybody_nothing_but_that_is_drawn(ax: Axes) -> None:
    draw(able(("a", 1, None)), ax)
    assert points(ax) == [[], []]
    assert not len(ax.lines)
    assert texts(ax) == []


def test_counts_are_whole_numbers_on_the_axis_too(ax: Axes) -> None:
    draw(able(("a", 1, 10), ("b", 0, 20)), ax)
    assert all(tick == int(tick) for tick in ax.get_yticks())


def test_a_strange_name_is_drawn_as_text(ax: Axes) -> None:
    draw(able(("a\u202eb", 1, 1), ("c\x1b", 1, None), ("x" * 300, 2, 2)), ax)
    told = [*texts(ax), ax.get_xlabel()]
    assert all("\u202e" not in text and "\x1b" not in text for text in told)
    assert max(len(line) for text in texts(ax) for line in text.split("\n")) < 50


LONG = "registry-example-com-team-image-"
FAR = [(40, 80), (0, 400)]
CLOSE = [(10, 100), (11, 104)]
EQUAL = [(10, 100)] * 2
NONE = [(0, 100), (0, 104)]
SIX_FAR = [(60, 50), (50, 100), (40, 200), (30, 300), (20, 400), (0, 500)]
SIX_CLOSE = [(7, 319), (7, 218), (7, 154), (7, 63), (0, 400), (9, 300)]
SIX_EQUAL = [(10, 100)] * 6
SIX_CLUSTERED = [(100, 1000), (98, 1040), (96, 990), (3, 80), (5, 60), (1, 120)]


@pytest.mark.parametrize(
    "rows",
    [FAR, CLOSE, EQUAL, NONE, SIX_FAR, SIX_CLOSE, SIX_CLUSTERED, SIX_EQUAL],
    ids="two-far two-close two-equal two-none six-far six-close six-clustered six-equal".split(),
)
@pytest.mark.parametrize("past", [0, 1], ids=["supported", "unsupported"])
def test_names_do_not_overlap_and_stay_in_the_picture(
    rows: list[tuple[int, int]], past: int
) -> None:
    named = [(f"{LONG}{n}", count, size) for n, (count, size) in enumerate(rows)]
    worn = pd.array([past] * len(rows), dtype="Int64")
    with mpl.rc_context(fname=paths.STYLE):
        figure = Figure()
        ax = figure.subplots()
        draw(able(*named).assign(old_runtime=worn), ax)
        figure.suptitle("Two lines\nof a title")
        FigureCanvasAgg(figure).draw()
        # Of the names alone: the lines from points to their names may cross.
        boxes = [Text.get_window_extent(text) for text in ax.texts]
        legend = ax.get_legend()
        assert legend is not None
        above = legend.get_window_extent()
        whole = figure.bbox
    assert len(boxes) == len(rows)
    assert all(text.get_text().endswith(", unsupported") == bool(past) for text in ax.texts)
    assert not any(box.overlaps(above) for box in boxes)
    meeting = [
        (rows[i], rows[j])
        for (i, one), (j, other) in itertools.combinations(enumerate(boxes), 2)
        if one.overlaps(other)
    ]
    assert meeting == []
    assert all(box.x1 <= whole.x1 and box.y0 >= whole.y0 for box in boxes)


def totals(*rows: tuple) -> pd.DataFrame:
    """Totals of `exposure`: variant, executables and libraries, and what is counted."""
    table = pd.DataFrame(rows, columns=["variant", "binaries", "count"])
    return table.astype({"binaries": "Int64", "count": "Int64"})


def test_what_is_counted_stands_against_executables_and_libraries(ax: Axes) -> None:
    scatter.executables(totals(("a", 656, 32), ("b", 20, 7)), ax, "vulnerabilities")
    assert points(ax) == [[[656, 32], [20, 7]]]
    assert texts(ax) == ["b\n20 files, 7", "a\n656 files, 32"]
    assert ax.get_xlabel() == "number of executables and shared libraries (ELF files)"
    assert ax.get_ylabel() == "number of vulnerabilities"


def test_an_image_of_which_one_is_not_known_has_no_point_and_is_named(ax: Axes) -> None:
    scatter.executables(totals(("a", 656, 32), ("b", None, 7), ("c", 3, None)), ax, "findings")
    assert points(ax) == [[[656, 32]]]
    assert ax.get_xlabel().endswith("not placed, files or scan not known: b, c")


def test_images_of_one_place_have_names_apart(ax: Axes) -> None:
    scatter.executables(totals(("a", 5, 5), ("b", 5, 5), ("c", 5, 5)), ax, "findings")
    assert len({text.xyann for text in ax.texts}) == 3


def test_without_executables_it_says_so(ax: Axes) -> None:
    scatter.executables(totals(("b", None, 7)), ax, "findings")
    assert texts(ax) == ["Executables are known of no image that was scanned."]


def test_in_korean_all_that_is_no_name_is_korean(ax: Axes) -> None:
    with i18n.speaking("ko"):
        draw(able(("a", 3, 20), ("b", 5, 30), ("lost", 2, None)), ax, "취약점")
    assert ax.get_xlabel() == (
        "이미지 크기(압축 해제, MB = 10⁶바이트)\n표시되지 않음: lost (크기를 알 수 없음)"
    )
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    assert told == ["파레토 전선에 있음", "더 나은 변형이 있음"]
