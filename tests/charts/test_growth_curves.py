"""Curves over time: a step line an image, the end of its support, and days that are marked."""

import itertools
from datetime import date

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import num2date
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers import paths
from helpers.charts import growth_curves
from helpers.comparability import confounders
from helpers.frames import Frames, make
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.vulnerabilities import growth
from helpers.vulnerabilities.lenses import Lens

NO_EVENTS: dict[str, date] = {}


@pytest.fixture(scope="module")
def newest() -> Frames:
    return load_study("blog-2022", "2026-11")


@pytest.fixture
def ax() -> Axes:
    with mpl.rc_context(fname=paths.STYLE):
        return Figure().subplots()


def draw(frames: Frames, ax: Axes, events=NO_EVENTS, lens: Lens = Lens()) -> pd.DataFrame:  # noqa: B008
    table = growth.growth(frames.findings, frames.images, lens)
    ends = confounders.ends(confounders.confounders(frames.images))
    assert growth_curves.growth(table, ax, ends, events, growth.label(lens)) is ax
    return table


def many(number: int, length: int = 0) -> pd.DataFrame:
    """Curves of images with long names that all end at the same count."""
    days = pd.to_datetime(["2024-01-01", "2024-06-01", "2025-01-01"], utc=True)
    return pd.concat(
        pd.DataFrame(
            {"capture": "", "variant": f"image-{n}-{'x' * length}", "day": days, "count": [n, 9, 9]}
        )
        for n in range(number)
    )


NO_ENDS = confounders.ends(confounders.confounders(make("images", {})))


def steps(ax: Axes) -> list[Line2D]:
    return [line for line in ax.lines if line.get_drawstyle() == "steps-post"]


def is_dot(line: Line2D) -> bool:
    """Whether a line is a mark on another: a single dot."""
    return line.get_marker() == "o"


def days(line: Line2D) -> list[str]:
    return [f"{pd.Timestamp(day):%Y-%m-%d}" for day in line.get_xdata(orig=True)]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_step_line_an_image_is_what_the_frame_says(ax: Axes, blog: Frames) -> None:
    table = draw(blog._replace(images=blog.images.iloc[1:]), ax)
    (line,) = steps(ax)
    assert days(line) == ["2022-02-14", "2022-02-28"]
    assert list(line.get_ydata()) == table["count"].tolist() == [15, 15]


def test_after_the_last_advisories_a_line_is_dotted(ax: Axes, newest: Frames) -> None:
    draw(newest, ax)
    after, live, end, distroless = steps(ax)
    assert live.get_linestyle() == distroless.get_linestyle() == "-"
    assert after.get_linestyle() != "-"
    assert after.get_color() == live.get_color() != distroless.get_color()
    assert max(days(live)) <= "2021-11-01" == days(after)[0]
    assert after.get_ydata()[0] == live.get_ydata()[-1] == 28
    assert list(after.get_ydata())[-1] == 49
    assert days(end) == ["2026-08-31", "2026-11-24"]


def test_a_line_that_begins_after_the_end_of_support_is_all_dotted(ax: Axes, newest) -> None:
    images = newest.images.iloc[:1].assign(created_at=pd.Timestamp("2022-06-01", tz="UTC"))
    draw(newest._replace(images=images), ax)
    (line,) = [line for line in steps(ax) if len(line.get_xdata())]
    assert line.get_linestyle() != "-"
    assert days(line) == ["2022-06-01", "2022-08-05", "2026-11-24"]
    assert not any(is_dot(line) for line in ax.lines)


def test_each_end_of_support_is_marked_on_its_line_and_the_last_is_a_full_dot(
    ax: Axes, newest: Frames
) -> None:
    draw(newest, ax)
    dots = [line for line in ax.lines if is_dot(line)]
    marked = [
        (days(dot)[0], dot.get_ydata()[0], dot.get_markerfacecolor() != "white") for dot in dots
    ]
    assert marked == [
        ("2021-11-01", 28, True),
        ("2024-08-14", marked[1][1], False),
        ("2026-08-31", 107, True),
    ]
    table = growth.growth(newest.findings, newest.images, Lens())
    assert marked[1][1] == growth.on(table, "2024-08-14")["nodejs-distroless"]
    assert texts(ax)[:3] == [
        "Alpine 3.11.2:\nend of life",
        "Debian 11.2:\nend of life",
        "Debian 11.2:\nend of LTS",
    ]


def test_an_end_that_is_still_to_come_is_not_drawn(ax: Axes, blog: Frames) -> None:
    draw(blog, ax)
    assert [text for text in texts(ax) if "Debian" in text] == []


def test_each_line_is_named_with_its_last_count(ax: Axes, newest: Frames) -> None:
    draw(newest, ax)
    assert texts(ax)[3:] == ["nodejs-alpine 49", "nodejs-distroless 107"]


def test_events_are_marked_on_their_days(ax: Axes, newest: Frames) -> None:
    draw(newest, ax, {"the post, early 2022": date(2022, 2, 28)})
    (line,) = [line for line in ax.lines if line not in steps(ax) and not is_dot(line)]
    assert [day[:10] for day in days(line)] == ["2022-02-28"] * 2
    assert texts(ax)[-1].strip() == "the post, early 2022"


def test_axes_say_what_is_counted_and_that_days_are_of_publication(ax: Axes, newest) -> None:
    draw(newest, ax, lens=Lens("vulnerabilities", fixable=True, known_by="2022-02-28"))
    assert ax.get_ylabel().replace("\n", " ") == "number of fixable vulnerabilities"
    assert ax.get_xlabel() == "day of publication (UTC)"
    first, last = (num2date(x).date() for x in ax.get_xlim())
    assert first < date(2019, 12, 24)
    assert last > date(2026, 11, 24)
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > 57


@pytest.mark.parametrize("built", ["2022-02-28", "2022-02-26"])
def test_images_without_time_to_grow_have_no_lines_but_say_so(ax: Axes, blog, built) -> None:
    images = blog.images.assign(created_at=pd.Timestamp(built, tz="UTC"))
    draw(blog._replace(images=images), ax)
    assert not len(ax.lines)
    assert "No time has passed" in "".join(texts(ax))


def test_three_days_are_time_to_grow_in_and_no_images_are_none(ax: Axes, blog: Frames) -> None:
    images = blog.images.assign(created_at=pd.Timestamp("2022-02-25", tz="UTC"))
    draw(blog._replace(images=images), ax)
    assert len(steps(ax)) >= 2
    other = Figure().subplots()
    draw(blog._replace(images=images.assign(status="failed")), other)
    assert not len(other.lines)


def test_more_images_than_colours_are_all_drawn(ax: Axes) -> None:
    growth_curves.growth(many(8), ax, NO_ENDS, NO_EVENTS, "findings")
    assert len(steps(ax)) == 8
    assert len({line.get_color() for line in steps(ax)[:6]}) == 6


@pytest.mark.parametrize("variants", [2, 6])
def test_names_of_lines_that_end_together_do_not_overlap(variants: int) -> None:
    with mpl.rc_context(fname=paths.STYLE):
        figure = Figure()
        ax = figure.subplots()
        growth_curves.growth(many(variants, 40), ax, NO_ENDS, NO_EVENTS, "findings")
        figure.suptitle("Two lines\nof a title")
        FigureCanvasAgg(figure).draw()
        boxes = [text.get_window_extent() for text in ax.texts]
        whole = figure.bbox
    assert len(boxes) == variants
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert max(box.x1 for box in boxes) <= whole.x1
    assert max(box.y1 for box in boxes) <= whole.y1


def test_a_strange_name_is_drawn_as_text(ax: Axes) -> None:
    table = many(1).assign(variant="a\u202eb\x1b")
    growth_curves.growth(table, ax, NO_ENDS, {"\u202ewhat": date(2024, 3, 1)}, "findings")
    assert all("\u202e" not in text and "\x1b" not in text for text in texts(ax))


def test_in_korean_days_events_and_ends_are_korean(newest: Frames, ax: Axes) -> None:
    with i18n.speaking("ko"):
        draw(newest, ax)
    days = ax.xaxis.get_major_formatter().format_ticks(ax.get_xticks())
    assert days[:2] == ["2019년", "2020년"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("공개일(UTC)", "건수: 발견 항목")
    told = [text.get_text() for text in ax.texts]
    assert "Debian 11.2:\n지원 종료" in told
    assert "Debian 11.2:\nLTS 종료" in told
