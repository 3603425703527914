"""Where the difference between two images' sizes is: steps that add up."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import ParameterInvalid
from helpers.sizes import file_groups, waterfall
from helpers.studies.load import load_files, load_layers, load_study
from tests.conftest import image_of


def parts(**variants: list[tuple]) -> pd.DataFrame:
    """Sizes as `file_groups.sizes` has them: group, component, bytes and what it is made of."""
    rows = [(v, *(*row, "")[:4]) for v, listed in variants.items() for row in listed]
    columns = ["variant", "group", "component", "size_bytes", "what"]
    table = pd.DataFrame(rows, columns=columns)
    order = pd.CategoricalDtype(list(file_groups.GROUPS), ordered=True)
    return table.astype({"group": order, "size_bytes": "Int64", "what": "str"})


@pytest.fixture(scope="module")
def rebuilt() -> pd.DataFrame:
    images = load_study("rebuilt-2026").images
    files, layers = load_files("rebuilt-2026"), load_layers("rebuilt-2026")
    return file_groups.sizes(file_groups.grouped(files, layers, images), layers)


VARIANTS = ["node-24-debian", "node-24-alpine", "node-24-distroless", "node-8-distroless"]


@pytest.mark.parametrize("first", VARIANTS)
@pytest.mark.parametrize("second", VARIANTS)
def test_they_lead_from_one_total_to_the_other_to_the_byte(rebuilt, first, second) -> None:
    table = waterfall.bars(rebuilt, first, second)
    totals = rebuilt.groupby("variant")["size_bytes"].sum()
    inner = table[~table["kind"].eq(waterfall.TOTAL)]
    assert table["end_bytes"].iloc[0] == totals[first]
    assert table["end_bytes"].iloc[-1] == totals[second]
    assert inner["difference_bytes"].sum() == totals[second] - totals[first]
    assert (inner["start_bytes"] + inner["difference_bytes"]).equals(inner["end_bytes"])
    assert inner["start_bytes"].tolist() == table["end_bytes"].tolist()[: len(inner)]
    assert len(inner) <= waterfall.MOST_NAMED + len(file_groups.GROUPS) + 1
    assert inner[inner["kind"].eq(waterfall.REST)]["changes"].gt(1).all()


def test_the_farthest_image_has_the_same_runtime_if_one_does() -> None:
    sizes = parts(a=[("app", "x", 5)], b=[("app", "x", 9)], c=[("app", "x", 6)])
    runtimes = {"a": "node 24.1.0", "b": "node 8.0.0", "c": "node 24.1.0"}
    images = pd.concat([image_of(name, runtime=runtime) for name, runtime in runtimes.items()])
    assert waterfall.farthest(sizes, images, "a") == "c"
    assert waterfall.farthest(sizes, images, "b") == "a"


def test_the_runtime_is_a_step_by_its_two_versions(rebuilt) -> None:
    table = waterfall.bars(rebuilt, "node-8-distroless", "node-24-distroless")
    columns = ["label", "kind", "difference_bytes"]
    assert list(table[columns].itertuples(index=False, name=None)) == [
        ("node-8-distroless", "total", 63_671_682),
        ("node 8.17.0 → 24.19.0", "step", 90_960_895),
        ("documentation", "step", 98_547),
        ("node-24-distroless", "total", 154_731_124),
    ]
    back = waterfall.bars(rebuilt, "node-24-distroless", "node-8-distroless")
    assert back["label"].iloc[1] == "node 24.19.0 → 8.17.0"


def test_an_image_without_files_has_no_steps() -> None:
    answer = waterfall.bars_answer(waterfall.bars(parts(a=[("app", "x", 5)]), "a", "b"))
    assert answer.table.empty
    assert answer.chart is None
    assert answer.lacks == answer.text.plain


SIZES = st.lists(
    st.tuples(
        st.sampled_from(file_groups.GROUPS), st.sampled_from("abcdefgh"), st.integers(1, 2**40)
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)  # fmt: skip


@given(SIZES, SIZES)
def test_whatever_the_sizes_they_add_up_and_little_is_left_unnamed(first, second) -> None:
    table = waterfall.bars(parts(a=first, b=second), "a", "b")
    inner = table[~table["kind"].eq(waterfall.TOTAL)]
    totals = [sum(row[2] for row in side) for side in (first, second)]
    assert inner["difference_bytes"].sum() == totals[1] - totals[0]
    changes = {row[:2]: row[2] for row in second}
    for key, size in ((row[:2], row[2]) for row in first):
        changes[key] = changes.get(key, 0) - size
    assert inner["gross_bytes"].sum() == sum(map(abs, changes.values()))
    named = inner["kind"].eq(waterfall.STEP).sum()
    rest = inner[inner["kind"].eq(waterfall.REST)]["largest_bytes"]
    if named < waterfall.MOST_NAMED:
        assert rest.empty or rest.max() < waterfall.SMALL * max(totals)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # Five bytes of a thousand have a step of their own.
        ((-5, -5, 0, 0), [1, 1]),
        # Smaller ones share that of their group if they come to five, up or down.
        ((-3, -2, -1, -1), [2, 2]),
        ((4, -4, -1, -1), [2, 2]),
        ((2, -2, -1, -1), [4]),
    ],
)
def test_a_change_has_a_step_from_half_a_percent_on(changes: tuple, expected: list[int]) -> None:
    keys = [("app", "x"), ("app", "y"), ("runtime", "x"), ("runtime", "y")]
    sides = [
        [(*key, 250 + change) for key, change in zip(keys, each, strict=True)]
        for each in ((0,) * 4, changes)
    ]
    table = waterfall.bars(parts(a=sides[0], b=sides[1]), "a", "b")
    assert table[~table["kind"].eq(waterfall.TOTAL)]["changes"].tolist() == expected


def test_they_begin_at_the_baseline_if_its_files_are_known_and_end_farthest_from_it() -> None:
    sizes = parts(a=[("app", "x", 5)], b=[("app", "x", 9)], c=[("app", "x", 6)])
    images = pd.concat([image_of(name) for name in "abc"])
    assert waterfall.start(sizes, pd.DataFrame({"baseline": ["b"]})) == "b"
    assert waterfall.start(sizes, pd.DataFrame({"baseline": ["no files"]})) == "a"
    assert waterfall.start(sizes, pd.DataFrame({"baseline": [pd.NA]})) == "a"
    assert waterfall.farthest(sizes, images, "a") == "b"
    assert waterfall.farthest(sizes, images, "a", "c") == "c"
    assert waterfall.farthest(sizes[sizes["variant"].eq("a")], images, "a") == ""
    assert waterfall.start(sizes.iloc[:0], pd.DataFrame({"baseline": [pd.NA]})) == ""


def test_an_image_without_files_cannot_be_wanted() -> None:
    with pytest.raises(
        ParameterInvalid, match="against 'x': no list of its files; choose one of: a"
    ):
        waterfall.farthest(parts(a=[("app", "x", 5)]), image_of("a"), "a", "x")
