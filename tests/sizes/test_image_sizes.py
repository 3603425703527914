"""Sizes: which are known, what each is worth, and how far apart images are."""

import pandas as pd
import pytest

from helpers import frames
from helpers.errors import ParameterInvalid
from helpers.sizes import image_sizes
from helpers.studies.load import load_published
from tests.conftest import image_of

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
MB = 1_000_000


def table(**sizes: int | None) -> pd.DataFrame:
    """The sizes of images, by their unpacked bytes; `broken` is one that does not work."""
    images = [
        image_of(
            variant,
            size_unpacked_bytes=size,
            size_unpacked_source="files",
            status="broken" if variant == "broken" else "scanned",
        )
        for variant, size in sizes.items()
    ]
    return image_sizes.table(pd.concat(images), frames.make("published", {}))


@pytest.fixture
def published(blog) -> pd.DataFrame:
    return image_sizes.table(blog.images, load_published("blog-2022"))


def test_a_size_that_others_published_is_in_bytes_and_says_where_it_was_printed(published) -> None:
    known = published.dropna(subset="bytes")
    assert known["kind"].unique().tolist() == ["published"]
    assert dict(zip(known["variant"], known["bytes"], strict=True)) == {
        ALPINE: 76_900_000,
        DISTROLESS: 118_000_000,
    }
    assert known["origin"].unique().tolist() == ["blog post, output of docker images"]


def test_the_first_size_that_all_have_is_compared_or_else_one_that_some_have(
    blog, published
) -> None:
    assert image_sizes.known_size(published) == "published"
    one = blog.images.assign(size_unpacked_bytes=pd.array([10, None], dtype="Int64"))
    assert (
        image_sizes.known_size(image_sizes.table(one, load_published("blog-2022"))) == "published"
    )
    assert image_sizes.known_size(table(a=10, b=30)) == "unpacked"
    assert image_sizes.known_size(table(a=None, b=30)) == "unpacked"
    with pytest.raises(ParameterInvalid, match="choose one of unpacked, compressed, published"):
        image_sizes.known_size(published, "big")
    with pytest.raises(ParameterInvalid, match="known: published"):
        image_sizes.known_size(published, "unpacked")


def test_the_studys_own_baseline_gives_way_if_it_has_no_size() -> None:
    sizes = table(a=None, b=10)
    assert image_sizes.known_baseline(sizes, "unpacked", preferred="a") == ""
    assert image_sizes.known_baseline(sizes, "unpacked", preferred="b") == "b"
    assert image_sizes.known_baseline(sizes, "unpacked", wanted="b", preferred="a") == "b"
    with pytest.raises(ParameterInvalid, match="baseline 'a' has no unpacked size"):
        image_sizes.known_baseline(sizes, "unpacked", wanted="a")
    with pytest.raises(ParameterInvalid, match="baseline 'x' has no unpacked size"):
        image_sizes.difference_answer(sizes, "", "unpacked", "x")


def test_without_a_baseline_the_smallest_that_works_is_one() -> None:
    assert set(image_sizes.differences(table(a=9, b=5), "unpacked")["baseline"]) == {"b"}
    assert set(image_sizes.differences(table(a=9, broken=5), "unpacked")["baseline"]) == {"a"}
    assert set(image_sizes.differences(table(broken=5), "unpacked")["baseline"]) == {"broken"}


def test_bars_end_in_a_size_and_how_far_it_is_from_the_baseline() -> None:
    sizes = table(a=2 * MB, b=MB, broken=3 * MB, lost=None)
    answer = image_sizes.difference_answer(sizes, "a", "unpacked")
    assert answer.table["difference_bytes"].tolist()[:3] == [-MB, 0, MB]
    assert answer.table["ratio"].tolist()[:3] == [0.5, 1.0, 1.5]
    chart = answer.chart
    assert [row[0] for row in chart.rows] == ["b", "a", "broken", "lost"]
    assert chart.series[0].values == [1.0, 2.0, 3.0, None]
    assert chart.measured == [True, True, True, False]
    assert chart.ends == [
        "1.0 MB\n−1.0 MB, ×0.50",
        "2.0 MB\nbaseline",
        "3.0 MB (broken)\n+1.0 MB, ×1.50",
        "not measured",
    ]
    assert chart.baseline == 1
    assert answer.source == "", "all are measured alike"
    assert image_sizes.difference_answer(table(a=None), "").chart.baseline is None


def test_stacked_bars_have_the_parts_that_there_are_and_their_total_at_the_end() -> None:
    columns = {"variant": ["a", "a", "b"], "part": ["y", "x", "y"], "size_bytes": [MB, MB, 5e9]}
    chart = image_sizes.stacked(pd.DataFrame(columns), "part", ("x", "none", "y"), "p", "size")
    assert [(part.key, part.values) for part in chart.series] == [
        ("x", [1.0, 0.0]),
        ("y", [1.0, 5000.0]),
    ]
    assert chart.ends == ["2.0 MB", "5,000 MB"]
    empty = pd.DataFrame({**columns, "size_bytes": [0, 0, 0]})
    assert image_sizes.stacked(empty, "part", ("x", "y"), "p", "size").ends == ["0.0 MB", "0.0 MB"]
