"""The choice between two images does not depend on a third."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.verdict import ranking
from helpers.verdict.tradeoff import WEIGHTS
from tests.verdict.made import able

IMAGES = st.tuples(
    st.integers(0, 60),
    st.none() | st.integers(1, 900),
    st.integers(0, 20),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([None, 0, 0, 1]),
)


def table_of(rows: list[tuple]) -> pd.DataFrame:
    fixable, sizes, serious, exploited, ended = zip(*rows, strict=True)
    more = {"serious": list(serious), "exploited": list(exploited), "ended": list(ended)}
    return able(*zip(fixable, sizes, strict=True), **more)


def test_a_third_worse_image_does_not_turn_the_choice() -> None:
    """A third one sets no measure: points are of a fixed scale."""
    two = able((0, 200), (6, 100))
    assert ranking.best(two, WEIGHTS) == ranking.best(able((0, 200), (6, 100), (900, 200)), WEIGHTS)


def test_a_third_without_a_known_size_takes_the_size_from_no_one() -> None:
    two = able((9, 100), (9, 400))
    three = able((9, 100), (9, 400), (90, None))
    assert ranking.best(two, WEIGHTS) == ranking.best(three, WEIGHTS) == ["a"]


@pytest.mark.slow
@given(st.lists(IMAGES, min_size=3, max_size=6))
def test_the_choice_beats_each_other_image_also_where_these_two_are_alone(rows) -> None:
    table = table_of(rows)
    chosen = ranking.best(table, WEIGHTS)
    for other in table["variant"]:
        if len(chosen) == 1 and other != chosen[0]:
            two = table[table["variant"].isin([chosen[0], other])]
            assert ranking.best(two, WEIGHTS) == chosen


@pytest.mark.slow
@given(st.lists(IMAGES, min_size=3, max_size=6))
def test_leaving_out_another_image_does_not_change_a_choice(rows) -> None:
    table = table_of(rows)
    chosen = ranking.best(table, WEIGHTS)
    found = ranking.without_each(table, WEIGHTS)
    if len(chosen) == 1:
        others = found[found["without"].ne(chosen[0])]
        assert {str(choice) for choice in others["choice"]} == set(chosen)


@given(st.lists(IMAGES, min_size=2, max_size=6), st.randoms())
def test_the_order_of_the_images_does_not_matter(rows, random) -> None:
    table = table_of(rows)
    order = [*table.index]
    random.shuffle(order)
    assert set(ranking.best(table.loc[order], WEIGHTS)) == set(ranking.best(table, WEIGHTS))
