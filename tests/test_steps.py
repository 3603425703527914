"""Where the difference between two images' sizes is: steps that add up."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import groups, languages, steps
from helpers.errors import ParameterInvalid
from helpers.load import load_files, load_layers, load_study
from tests.conftest import image_of

MB = 1_000_000


def parts(**variants: list[tuple]) -> pd.DataFrame:
    """Sizes as `groups.sizes` has them: group, component, bytes and what it is made of."""
    rows = [(v, *(*row, "")[:4]) for v, listed in variants.items() for row in listed]
    columns = ["variant", "group", "component", "size_bytes", "what"]
    table = pd.DataFrame(rows, columns=columns)
    order = pd.CategoricalDtype(list(groups.GROUPS), ordered=True)
    return table.astype({"group": order, "size_bytes": "Int64", "what": "str"})


@pytest.fixture(scope="module")
def rebuilt() -> pd.DataFrame:
    images = load_study("rebuilt-2026").images
    files, layers = load_files("rebuilt-2026"), load_layers("rebuilt-2026")
    return groups.sizes(groups.grouped(files, layers, images), layers)


VARIANTS = ["node-24-debian", "node-24-alpine", "node-24-distroless", "node-8-distroless"]


@pytest.mark.parametrize("first", VARIANTS)
@pytest.mark.parametrize("second", VARIANTS)
def test_they_lead_from_one_total_to_the_other_to_the_byte(rebuilt, first, second) -> None:
    table = steps.steps(rebuilt, first, second)
    totals = rebuilt.groupby("variant")["size_bytes"].sum()
    inner = table[~table["kind"].eq(steps.TOTAL)]
    assert table["end_bytes"].iloc[0] == totals[first]
    assert table["end_bytes"].iloc[-1] == totals[second]
    assert inner["difference_bytes"].sum() == totals[second] - totals[first]
    assert (inner["start_bytes"] + inner["difference_bytes"]).equals(inner["end_bytes"])
    assert inner["start_bytes"].tolist() == table["end_bytes"].tolist()[: len(inner)]
    assert len(inner) <= steps.MOST_NAMED + len(groups.GROUPS) + 1
    assert inner[inner["kind"].eq(steps.REST)]["changes"].gt(1).all()


def test_the_runtime_is_a_step_by_its_two_versions(rebuilt) -> None:
    table = steps.steps(rebuilt, "node-8-distroless", "node-24-distroless")
    assert list(
        table[["label", "kind", "difference_bytes"]].itertuples(index=False, name=None)
    ) == [
        ("node-8-distroless", "total", 63_671_682),
        ("node 8.17.0 → 24.19.0", "step", 90_960_895),
        ("documentation", "step", 98_547),
        ("node-24-distroless", "total", 154_731_124),
    ]
    assert steps.headline(table) == (
        "node-8-distroless → node-24-distroless, 63.7 → 154.7 MB; node 8.17.0 → 24.19.0: +91.0, "
        "documentation: +0.1"
    )


def test_steps_name_what_both_sides_are_made_of(rebuilt) -> None:
    labels = steps.steps(rebuilt, "node-24-debian", "node-24-alpine")["label"].tolist()
    assert labels[1:8] == [
        "translations",
        "shells and commands: coreutils … → busybox",
        "C library: libc6, libc-bin → musl, musl-utils",
        "documentation",
        "node 24.19.0",
        "package manager: libapt-pkg7.0 … → libapk …",
        "perl: perl-base",
    ]


def test_what_has_no_step_of_its_own_is_small_and_it_is_said_how_small(rebuilt) -> None:
    table = steps.steps(rebuilt, "node-24-debian", "node-24-alpine")
    rest = table[table["kind"].eq(steps.REST)]
    assert rest["label"].tolist() == [
        "OS packages: 43 smaller changes",
        "everything else: 28 smaller changes",
    ]
    assert rest["largest_bytes"].max() < 0.006 * 319_476_224
    assert steps.sentence(table) == (
        "From **node-24-debian** to **node-24-alpine** it is −101.3 MB: +11.1 and −112.4 MB, in "
        "steps that add up to the byte. A change of 0.5% of the larger image has a step "
        "of its own, up to 10 of them. 71 changes without a step of their own, none larger "
        "than 1.6 MB, come to 15.4 of the 123.5 MB that moved (up and down added, so that nothing "
        "cancels out)."
    )


def test_up_and_down_do_not_cancel_out_in_what_is_left() -> None:
    table = steps.steps(
        parts(
            a=[("OS packages", "big", 100 * MB), ("OS packages", "x", 400_000)],
            b=[("OS packages", "big", 50 * MB), ("OS packages", "y", 400_000)],
        ),
        "a",
        "b",
    )
    rest = table[table["kind"].eq(steps.REST)].iloc[0]
    assert rest["difference_bytes"] == 0
    assert rest["gross_bytes"] == 800_000
    assert rest["largest_bytes"] == 400_000


def test_no_more_have_a_name_than_a_slide_holds_and_the_largest_unnamed_is_told() -> None:
    many = [("OS packages", f"p{n}", (100 - n) * MB) for n in range(40)]
    table = steps.steps(parts(a=many, b=[("app", "x", 1 * MB)]), "a", "b")
    assert table["kind"].eq(steps.STEP).sum() == steps.MOST_NAMED + 1
    assert "none larger than 90.0 MB" in steps.sentence(table)


def test_equal_images_have_no_steps() -> None:
    table = steps.steps(parts(a=[("app", "x", 5)], b=[("app", "x", 5)]), "a", "b")
    assert table["kind"].tolist() == ["total", "total"]
    assert steps.sentence(table) == "**a** and **b** do not differ in any part."
    assert steps.headline(table).endswith("; no step by name")


def test_an_image_without_files_has_no_steps() -> None:
    table = steps.steps(parts(a=[("app", "x", 5)]), "a", "b")
    assert table.empty
    assert steps.headline(table) == "Where a difference of sizes comes from is not known"
    assert "not known" in steps.sentence(table)


SIZES = st.lists(
    st.tuples(st.sampled_from(groups.GROUPS), st.sampled_from("abcdefgh"), st.integers(1, 2**40)),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)  # fmt: skip


@given(SIZES, SIZES)
def test_whatever_the_sizes_they_add_up_and_little_is_left_unnamed(first, second) -> None:
    table = steps.steps(parts(a=first, b=second), "a", "b")
    inner = table[~table["kind"].eq(steps.TOTAL)]
    totals = [sum(row[2] for row in side) for side in (first, second)]
    assert inner["difference_bytes"].sum() == totals[1] - totals[0]
    changes = {row[:2]: row[2] for row in second}
    for key, size in ((row[:2], row[2]) for row in first):
        changes[key] = changes.get(key, 0) - size
    assert inner["gross_bytes"].sum() == sum(map(abs, changes.values()))
    named = inner["kind"].eq(steps.STEP).sum()
    rest = inner[inner["kind"].eq(steps.REST)]["largest_bytes"]
    if named < steps.MOST_NAMED:
        assert rest.empty or rest.max() < steps.SMALL * max(totals)


def test_they_begin_at_the_baseline_if_its_files_are_known_and_end_farthest_from_it() -> None:
    sizes = parts(a=[("app", "x", 5)], b=[("app", "x", 9)], c=[("app", "x", 6)])
    images = pd.concat([image_of(name) for name in "abc"])
    assert steps.start(sizes, pd.DataFrame({"baseline": ["b"]})) == "b"
    assert steps.start(sizes, pd.DataFrame({"baseline": ["no files"]})) == "a"
    assert steps.start(sizes, pd.DataFrame({"baseline": [pd.NA]})) == "a"
    assert steps.farthest(sizes, images, "a") == "b"
    assert steps.farthest(sizes, images, "a", "c") == "c"
    assert steps.farthest(sizes[sizes["variant"].eq("a")], images, "a") == ""
    assert steps.start(sizes.iloc[:0], pd.DataFrame({"baseline": [pd.NA]})) == ""


def test_the_farthest_is_one_with_the_same_runtime_if_there_is_one() -> None:
    sizes = parts(a=[("app", "x", 5)], b=[("app", "x", 9)], c=[("app", "x", 6)])
    runtimes = {"a": "node 24.1.0", "b": "node 8.0.0", "c": "node 24.1.0"}
    images = pd.concat([image_of(name, runtime=runtime) for name, runtime in runtimes.items()])
    assert steps.farthest(sizes, images, "a") == "c"
    assert steps.farthest(sizes, images, "b") == "a"


def test_an_image_without_files_cannot_be_wanted() -> None:
    with pytest.raises(ParameterInvalid, match="against 'x': its files are not known; known of: a"):
        steps.farthest(parts(a=[("app", "x", 5)]), image_of("a"), "a", "x")


def test_in_korean_steps_are_said_and_their_frame_stays_english(rebuilt) -> None:
    english = steps.steps(rebuilt, "node-24-debian", "node-24-alpine")
    with languages.speaking("ko"):
        table = steps.steps(rebuilt, "node-24-debian", "node-24-alpine")
        labels = [steps.said(label) for label in table["label"]]
        said, title = steps.sentence(table), steps.headline(table)
    assert table.equals(english)
    assert labels[-3:] == [
        "OS 패키지: 작은 변화 43건",
        "그 밖의 모든 것: 작은 변화 28건",
        "node-24-alpine",
    ]
    assert said.startswith("**node-24-debian**에서 **node-24-alpine**까지 −101.3 MB입니다.")
    assert "번역 파일: −32.1" in title
