"""Charts on axes of any figure: in the size of the axes, and nothing of them cut off or covered."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import TightLayoutEngine
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from helpers import charts
from helpers.charts import colours
from helpers.errors import ParameterInvalid
from helpers.frames import SEVERITIES
from helpers.text import i18n
from tests.charts.conftest import names

LONG = "registry.example.com/team/backend-service"


def variants(count: int) -> list[str]:
    return [f"{LONG}-{n:02d}" for n in range(count)]


def bars(ax: Axes, count: int) -> None:
    rows = [
        (name, severity, (7 * place + 3 * level) % 97)
        for place, name in enumerate(variants(count))
        for level, severity in enumerate(SEVERITIES)
    ]
    frame = pd.DataFrame(rows, columns=["variant", "severity", "count"])
    charts.bars(frame, ax, label="number of vulnerabilities, fixable, as of 2026-11-24")


def sizes(ax: Axes, count: int) -> None:
    names = variants(count)
    frame = pd.DataFrame(
        {"variant": names, "size_bytes": [10**8 + 10**7 * n for n in range(count)]}
    )
    charts.sizes(frame, ax, baseline=names[-1])


def groups(ax: Axes, count: int) -> None:
    rows = [
        (name, group, 10**7 * (place + at))
        for place, name in enumerate(variants(count))
        for at, group in enumerate(colours.GROUP)
    ]
    charts.sizes(pd.DataFrame(rows, columns=["variant", "group", "size_bytes"]), ax, by="group")


def points(ax: Axes, count: int) -> None:
    frame = pd.DataFrame(
        {
            "variant": variants(count),
            "size_bytes": [10**7 * (3 + 11 * n % 40) for n in range(count)],
            "count": [17 * n % 60 for n in range(count)],
            "front": [n < 2 for n in range(count)],
        }
    )
    charts.points(frame, ax)


def curves(ax: Axes, count: int) -> None:
    rows = [
        (name, date(2020 + year, 1 + place % 12, 1), year * (place + 2), date(2024, 1, 1))
        for place, name in enumerate(variants(min(count, 6)))
        for year in range(6)
    ]
    columns = ["variant", "day", "count", "supported_until"]
    events = {"the post, early 2022": date(2022, 2, 9)}
    charts.curves(pd.DataFrame(rows, columns=columns), ax, events=events)


def waterfall(ax: Axes, count: int) -> None:
    ends = [3 * 10**8 - 10**7 * n for n in range(count + 1)]
    rows = [(LONG, "total", 0, ends[0])]
    rows += [(f"{LONG} {n}", "step", ends[n], ends[n + 1]) for n in range(count)]
    rows += [(f"{LONG} 2", "total", 0, ends[-1])]
    columns = ["label", "kind", "start_bytes", "end_bytes"]
    charts.waterfall(pd.DataFrame(rows, columns=columns), ax)


def matrix(ax: Axes, count: int) -> None:
    rows = [
        (title, name, "none" if at % 2 else "bash, dash, rbash and sh")
        for at, title in enumerate(("shells", "package managers", "network tools"))
        for name in variants(min(count, 6))
    ]
    charts.matrix(pd.DataFrame(rows, columns=["property", "variant", "value"]), ax)


def overlap(ax: Axes, count: int) -> None:
    names = variants(min(count, 6))
    rows = [
        (name, f"CVE-{n}", SEVERITIES[n % 5])
        for n in range(40)
        for place, name in enumerate(names)
        if n % (place + 1) == 0
    ]
    charts.overlap(pd.DataFrame(rows, columns=["variant", "vulnerability_id", "severity"]), ax)


KINDS = [bars, sizes, groups, points, curves, waterfall, matrix, overlap]


def plain(*shape: int, **options: Any) -> tuple[Figure, list[Axes]]:
    drawn, found = plt.subplots(*shape, squeeze=False, **options)
    return drawn, list(found.flat)


def bare() -> tuple[Figure, list[Axes]]:
    drawn = Figure(figsize=(12.8, 7.2))
    return drawn, [drawn.subplots()]


def placed() -> tuple[Figure, list[Axes]]:
    drawn = Figure()
    return drawn, [drawn.add_axes((0.1, 0.1, 0.8, 0.8))]


def parts() -> tuple[Figure, list[Axes]]:
    drawn = Figure(figsize=(12, 5))
    return drawn, [part.subplots() for part in drawn.subfigures(1, 2)]


FIGURES: dict[str, Callable[[], tuple[Figure, list[Axes]]]] = {
    "plain": plain,
    "slide": bare,
    "beside": lambda: plain(1, 2, figsize=(12, 5)),
    "small": lambda: plain(2, 2),
    "tall": lambda: plain(3, 1, figsize=(5, 10)),
    "wide": lambda: plain(figsize=(14, 3)),
    "placed": placed,
    "parts": parts,
    "constrained": lambda: plain(1, 2, layout="constrained", figsize=(12, 5)),
    "tight": lambda: plain(2, 1, layout="tight", figsize=(8, 9)),
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def boxes(ax: Axes) -> dict[str, Bbox]:
    """Where the texts of axes are that are seen."""
    shown: list[Text] = [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label]
    if legend := ax.get_legend():
        shown += legend.get_texts()
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        shown += [label for at, label in ticks if low <= at <= high and ax.axison]
    # Of a name alone, without the line from its point to it.
    return {
        f"{n} {text.get_text()}": Text.get_window_extent(text)
        for n, text in enumerate(shown)
        if text.get_visible() and text.get_text()
    }


def check(drawn: Figure, found: list[Axes]) -> None:
    """Nothing is cut off by the figure or covers another text of any axes."""
    # A tight layout goes by the size that axes have, so the first one is only nearly right.
    for _ in range(2 if isinstance(drawn.get_layout_engine(), TightLayoutEngine) else 1):
        FigureCanvasAgg(drawn)
        # Where things are is known without their pixels.
        drawn.draw_without_rendering()
    every = {}
    for place, ax in enumerate(found):
        for text, box in boxes(ax).items():
            inside = (drawn.bbox.x1 - box.x1, drawn.bbox.y1 - box.y1, box.x0, box.y0)
            assert min(inside) >= 0, text
            every[f"{place} {text}"] = box
        if legend := ax.get_legend():
            box = legend.get_window_extent()
            assert min(box.x0, drawn.bbox.x1 - box.x1) >= 0
    texts = [*every]
    x0, y0, x1, y1 = np.array([box.extents for box in every.values()]).T[..., None]
    shared = np.minimum(
        np.minimum(x1, x1.T) - np.maximum(x0, x0.T), np.minimum(y1, y1.T) - np.maximum(y0, y0.T)
    )
    # Letters do not reach to the edges of their boxes.
    covered = np.argwhere(np.triu(shared >= 2, k=1))
    assert [(texts[one], texts[other]) for one, other in covered] == []


@pytest.mark.parametrize(
    ("shape", "count"), [("plain", 1), ("small", 1), *((shape, 12) for shape in FIGURES)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_all_is_within_the_figure_and_nothing_is_covered(
    kind: Callable[[Axes, int], None], shape: str, count: int
) -> None:
    drawn, found = FIGURES[shape]()
    for ax in found:
        kind(ax, count)
        ax.set_title("A title of one's own")
    check(drawn, found)


@pytest.mark.parametrize("other", KINDS)
def test_charts_of_several_kinds_stand_below_each_other(
    other: Callable[[Axes, int], None],
) -> None:
    drawn, found = plain(2, 4, figsize=(22, 8))
    for ax, kind in zip(found, [other] * 4 + [curves, waterfall, matrix, points], strict=True):
        kind(ax, 6)
        ax.set_title("A title of one's own")
    check(drawn, found)


@pytest.mark.parametrize("kind", KINDS)
def test_in_another_language_all_is_within_the_figure_too(
    kind: Callable[[Axes, int], None],
) -> None:
    with i18n.speaking("ko"):
        (font,) = i18n.fonts()
        drawn, found = plain(1, 2, figsize=(12, 5))
        for ax in found:
            kind(ax, 4)
            ax.set_title("한국어 제목")
            written = [*ax.texts, ax.title, ax.xaxis.label, *ax.get_yticklabels()]
            assert {text.get_fontfamily()[0] for text in written} == {font}
        check(drawn, found)


def test_letters_and_lines_are_as_large_as_on_a_figure_of_the_kit_of_that_size() -> None:
    sizes_of = {}
    for width in (6.4, 12.8, 25.6):
        _, (ax,) = plain(figsize=(width, width * 7.2 / 12.8))
        bars(ax, 3)
        sizes_of[width] = [ax.get_yticklabels()[0].get_size(), ax.texts[-1].get_size()]
        assert ax.patches[0].get_linewidth() in (0, pytest.approx(width / 12.8))
    assert sizes_of[12.8] == [20, 19], "those of the kit"
    assert sizes_of[6.4] == [10, 9.5]
    assert sizes_of[25.6] == [40, 38]


def test_nothing_of_the_analysts_settings_changes_nor_do_they_change_the_chart() -> None:
    drawn, (plainly,) = plain()
    bars(plainly, 2)
    FigureCanvasAgg(drawn).draw()
    with plt.style.context("ggplot"), mpl.rc_context({"text.parse_math": True, "font.size": 30}):
        before = dict(mpl.rcParams)
        drawn, (ax,) = plain()
        bars(ax, 2)
        FigureCanvasAgg(drawn).draw()
        assert dict(mpl.rcParams) == before
        ours, theirs = (
            [text for text in on.findobj(Text) if text.get_text()] for on in (plainly, ax)
        )
        for one, other in zip(ours, theirs, strict=True):
            assert (one.get_size(), one.get_color()) == (other.get_size(), other.get_color())
        assert ax.get_facecolor() == plainly.get_facecolor()


def test_a_name_is_never_a_formula_whatever_was_on_the_axes_before() -> None:
    drawn, (ax,) = plain()
    ax.barh(["one", "two"], [1, 2])
    FigureCanvasAgg(drawn).draw()
    hostile = "$\\frac{1$ \x1b[31m\u202e"
    charts.bars(pd.DataFrame({"variant": [hostile], "count": [3]}), ax, by="")
    FigureCanvasAgg(drawn).draw()
    (shown,) = names(ax)
    assert "$" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert not ax.get_yticklabels()[0].get_parse_math()


def test_what_was_on_the_axes_goes_and_their_title_stays() -> None:
    _, (ax,) = plain()
    ax.set_title("mine")
    for _ in range(2):
        points(ax, 3)
    assert (ax.get_title(), len(ax.collections), len(ax.texts)) == ("mine", 2, 3)


def test_names_of_points_follow_the_size_of_the_figure() -> None:
    drawn, (ax,) = plain()
    points(ax, 12)
    FigureCanvasAgg(drawn).draw()
    before = [text.get_window_extent().bounds for text in ax.texts]
    drawn.set_size_inches(12, 9)
    check(drawn, [ax])
    assert len(ax.texts) == 12
    assert before != [text.get_window_extent().bounds for text in ax.texts]


def test_of_nothing_the_axes_say_so() -> None:
    drawn, (ax,) = plain()
    points(ax, 3)
    charts.bars(pd.DataFrame({"variant": [], "severity": [], "count": []}), ax)
    (text,) = ax.texts
    assert "nothing is counted" in text.get_text().replace("\n", " ")
    assert not ax.axison
    FigureCanvasAgg(drawn).draw()
    assert len(ax.texts) == 1


def test_several_axes_are_none() -> None:
    _, found = plt.subplots(1, 2)
    with pytest.raises(ParameterInvalid, match="needs one Axes, not ndarray"):
        bars(found, 1)


def test_an_engine_that_the_analyst_chose_stays() -> None:
    drawn, (ax,) = plain(layout="tight")
    engine = drawn.get_layout_engine()
    bars(ax, 2)
    assert drawn.get_layout_engine() is engine
