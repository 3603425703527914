"""Bytes as bars: what an image is made of, and the steps from one size to another."""

from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from helpers.charts import bar_charts, stacks
from helpers.sizes import file_groups, waterfall
from helpers.text import i18n

MB = 1_000_000


def axes() -> Axes:
    return Figure(figsize=(12.8, 7.2)).subplots()


def parts(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["variant", "group", "size_bytes"])


def test_a_bar_an_image_as_long_as_its_parts_in_the_order_of_the_groups() -> None:
    table = parts(
        ("b", file_groups.APP, 2 * MB),
        ("b", file_groups.OS, 10 * MB),
        ("a", file_groups.OS, 4 * MB),
    )
    ax = stacks.stacked(table, axes())
    spans = [(p.get_y() + p.get_height() / 2, p.get_x(), p.get_width()) for p in ax.patches]
    assert spans == [(0, 0, 10), (1, 0, 4), (0, 10, 2), (1, 4, 0)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
    assert [text.get_text() for text in ax.texts] == ["10.0", "4.0", "2.0", "12.0 MB", "4.0 MB"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        file_groups.OS,
        file_groups.APP,
    ]
    assert ax.get_xlabel() == "unpacked size (MB = 10⁶ bytes)"


def test_a_part_too_thin_for_its_number_has_none_and_is_drawn_all_the_same() -> None:
    ax = stacks.stacked(
        parts(("a", file_groups.OS, 100 * MB), ("a", file_groups.APP, 1 * MB)), axes()
    )
    assert [text.get_text() for text in ax.texts] == ["100.0", "101.0 MB"]
    assert [p.get_width() for p in ax.patches] == [100, 1]


def test_what_is_hidden_is_hatched() -> None:
    ax = stacks.stacked(parts(("a", file_groups.OS, MB), ("a", file_groups.HIDDEN, MB)), axes())
    assert [p.get_hatch() for p in ax.patches] == [None, "//"]


def test_neighbouring_groups_differ_in_greyscale() -> None:
    solid = [style["color"] for style in stacks.GROUP_COLOURS.values() if "color" in style]
    lights = [bar_charts.luminance(colour) for colour in solid]
    assert all(abs(one - two) > 0.02 for one, two in pairwise(lights))
    assert set(stacks.GROUP_COLOURS) == set(file_groups.GROUPS)


@pytest.mark.parametrize("size", [0, 1, 2**62])
def test_sizes_of_nothing_and_of_too_much_are_drawn(size: int) -> None:
    ax = stacks.stacked(parts(("a", file_groups.OS, size)), axes())
    assert [p.get_width() for p in ax.patches] == ([size / MB] if size else [])


def test_without_files_it_says_so() -> None:
    assert (
        "not known"
        not in stacks.stacked(parts(("a", file_groups.OS, 1)), axes()).texts[0].get_text()
    )
    ax = stacks.stacked(parts(), axes())
    assert ax.texts[0].get_text() == "The files of no image are known."


def path(*rows: tuple) -> pd.DataFrame:
    """Steps: label, kind, start and end in MB."""
    told = [(label, label, kind, a * MB, b * MB, (b - a) * MB) for label, kind, a, b in rows]
    columns = ["label", "part", "kind", "start_bytes", "end_bytes", "difference_bytes"]
    return pd.DataFrame(told, columns=columns)


PATH = path(
    ("one", waterfall.TOTAL, 0, 100),
    ("node", waterfall.STEP, 100, 130),
    ("docs", waterfall.STEP, 130, 90),
    ("OS packages: 3 smaller changes", waterfall.REST, 90, 85),
    ("two", waterfall.TOTAL, 0, 85),
)


def test_steps_begin_where_the_one_before_ended() -> None:
    ax = stacks.waterfall(PATH, axes())
    spans = [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches]
    assert spans == [(0, 100), (100, 130), (90, 130), (85, 90), (0, 85)]
    assert [text.get_text() for text in ax.texts] == [
        "100.0 MB",
        "+30.0",
        "−40.0",
        "−5.0",
        "85.0 MB",
    ]
    assert [label.get_text() for label in ax.get_yticklabels()][:2] == ["one", "node"]


def test_larger_and_smaller_differ_in_colour_and_what_has_no_name_is_hatched() -> None:
    ax = stacks.waterfall(PATH, axes())
    edges = [to_hex(p.get_edgecolor()) for p in ax.patches]
    wanted = [stacks.WHOLE, stacks.UP, stacks.DOWN, stacks.DOWN, stacks.WHOLE]
    assert edges == [colour.lower() for colour in wanted]
    assert [p.get_hatch() for p in ax.patches] == [None, None, None, "//", None]


def test_a_long_name_keeps_its_beginning_and_what_it_is_of() -> None:
    long = "package manager: " + ", ".join(f"package-{n}" for n in range(20))
    table = path(
        ("a" * 90, waterfall.TOTAL, 0, 9),
        (long, waterfall.STEP, 9, 8),
        ("b", waterfall.TOTAL, 0, 8),
    )
    table["part"] = ["a" * 90, "package manager", "b"]
    labels = [label.get_text() for label in stacks.waterfall(table, axes()).get_yticklabels()]
    assert labels[1].startswith("package manager: package-0")
    assert all(len(label) <= waterfall.ROOM for label in labels)


def test_without_steps_it_says_so() -> None:
    assert stacks.waterfall(PATH.iloc[:0], axes()).texts[0].get_text() == (
        "Of two images the files are not known."
    )


def test_in_korean_legend_and_axis_are_korean() -> None:
    with i18n.speaking("ko"):
        ax = stacks.stacked(parts(("a", file_groups.OS, MB), ("a", file_groups.TOOLS, MB)), axes())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["OS 패키지", "번들 도구"]
    assert ax.get_xlabel() == "압축 해제 크기(MB = 10⁶바이트)"


def test_in_korean_steps_are_korean() -> None:
    rows = {"label": ["OS packages: 39 smaller changes"], "part": ["OS packages"], "kind": ["rest"]}
    sizes = {f"{of}_bytes": [MB] for of in ("start", "end", "difference")}
    with i18n.speaking("ko"):
        ax = stacks.waterfall(pd.DataFrame({**rows, **sizes}), axes())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["OS 패키지: 작은 변화 39건"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["더 큼", "더 작음", "여러 변화"]
