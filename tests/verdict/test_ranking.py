"""Ranking: fixed points, who beats whom, ties, and where another weight would choose."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.frames import Frames
from helpers.verdict import ranking, tradeoff
from tests.verdict.made import EVEN, able
from tests.verdict.test_tradeoff import ALPINE, DISTROLESS, candidates


def doublings(value: float) -> float:
    return 0.1 * np.log2(1 + value)


class TestScores:
    """Scores: weights times fixed points, the best first."""

    def test_of_the_posts_images(self, blog: Frames) -> None:
        table = ranking.scores(candidates(blog, "blog-2022"), EVEN).set_index("variant")
        assert table.index.tolist() == [DISTROLESS, ALPINE]
        assert table["supported"].tolist() == [True, False]
        parts = table[["fixable", "size", "ended", "old_runtime"]].astype(float)
        assert parts.loc[DISTROLESS].tolist() == pytest.approx([0, doublings(118), 0, 0])
        assert parts.loc[ALPINE].tolist() == pytest.approx([doublings(25), doublings(76.9), 1, 1])

    def test_a_score_is_the_sum_of_its_parts(self) -> None:
        table = able((5, 10), (20, 40), (0, 20), unfixed=[1, 2, 0], ended=[0, 1, 0])
        weights = {"fixable": 2.0, "unfixed": 0.5, "size": 1.5, "ended": 3.0}
        scored = ranking.scores(table, weights)
        parts = scored.drop(columns=["variant", "supported", "score"])
        assert list(parts) == list(weights)
        assert scored["score"].tolist() == pytest.approx(parts.sum(axis=1).tolist())
        score = scored.set_index("variant")["score"]["b"]
        assert score == pytest.approx(
            2 * doublings(20) + 0.5 * doublings(2) + 1.5 * doublings(40) + 3
        )

    def test_what_is_not_known_of_one_is_compared_between_the_others(self) -> None:
        table = able((1, 10), (1, 90), (2, None))
        assert ranking.weighed(table, EVEN) == ["fixable", "size", "ended", "old_runtime"]
        assert ranking.best(table.iloc[:2], EVEN) == ["a"]
        assert ranking.scores(table, EVEN)["size"].isna().sum() == 1
        alone = able((1, 10), (2, None))
        assert "size" not in ranking.weighed(alone, EVEN)

    def test_what_has_no_weight_or_no_candidate_is_not_weighed(self) -> None:
        assert ranking.weighed(able((1, 1)), {"size": 1.0, "fixable": 0.0}) == ["size"]
        nobody = able((1, 1), candidate=[False])
        assert ranking.weighed(nobody, EVEN) == []
        assert ranking.scores(nobody, EVEN).empty
        assert ranking.best(nobody, EVEN) == []

    def test_one_more_that_is_known_to_be_exploited_outweighs_all_else_by_default(self) -> None:
        worst = {"unfixed": [0, 99, 99], "serious": [0, 9999, 9999]}
        table = able((0, 1), (9999, 999), (9999, 900), exploited=[3, 2, 0], **worst)
        assert ranking.scores(table, tradeoff.WEIGHTS)["variant"].tolist() == ["c", "b", "a"]
        alike = table.assign(exploited=pd.array([3, 3, 3], dtype="Int64"))
        assert ranking.scores(alike, tradeoff.WEIGHTS)["variant"].tolist() == ["a", "c", "b"]

    def test_support_comes_before_what_is_exploited(self) -> None:
        table = able((1, 1), (1, 1), exploited=[1, 0], ended=[0, 1])
        assert ranking.scores(table, tradeoff.WEIGHTS)["variant"].tolist() == ["a", "b"]

    def test_what_is_exploited_and_has_no_fix_comes_after_what_has_one(self) -> None:
        table = able((0, 1), (2, 1), exploited=[1, 2], exploited_unfixed=[1, 0])
        assert ranking.best(table, tradeoff.WEIGHTS) == ["b"]
        assert ranking.best(table, {"fixable": 0.0, "size": 1.0}) == ["a", "b"]


class TestBest:
    """One is better than another only if a rebuild cannot have made the difference."""

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([(100, 10), (101, 10)], "ab"),
            ([(0, 10), (3, 10)], "ab"),
            ([(0, 10), (4, 10)], "a"),
            ([(100, 10), (121, 10)], "ab"),
            ([(100, 10), (124, 10)], "a"),
            ([(7, 100), (7, 101)], "ab"),
            ([(7, 100), (7, 103)], "a"),
            ([(8, 100), (7, 200)], "a"),
            ([(3, 90), (0, 100)], "ab"),
        ],
        ids=[
            *("one-of-100", "three", "four", "twenty-one-of-121", "twenty-four"),
            *("one-percent", "three-percent", "smaller", "torn"),
        ],
    )
    def test_of_two(self, rows, expected: str) -> None:
        assert ranking.best(able(*rows), {"fixable": 1.0, "size": 1.0}) == list(expected)

    def test_three_that_beat_each_other_in_a_circle_are_a_tie(self) -> None:
        table = able((0, None), (20, 10), (5, 9000), unfixed=[90, None, 0])
        weights = {"fixable": 1.0, "size": 1.0, "unfixed": 1.0}
        beats = ranking.pairs(table).beats(weights)
        assert [beats[0, 1], beats[1, 2], beats[2, 0]] == [True] * 3
        assert ranking.best(table, weights) == ["a", "b", "c"]

    def test_a_larger_step_by_the_studys_own_history_ties_more(self) -> None:
        table = able((0, 10), (4, 10))
        assert ranking.best(table, EVEN, rebuild=3.0) == ["a", "b"]


def test_what_a_rebuild_brings_is_that_of_the_study_if_it_has_enough(both: Frames) -> None:
    first = both.images[both.images["capture"].eq("2022-02")].iloc[[0]]
    days = [f"2026-01-{day:02}" for day in range(1, 13)]
    images = pd.concat([first.assign(capture=day, image_id=f"sha256:{day}") for day in days])
    finding = both.findings.iloc[[0]].assign(variant=first["variant"].iloc[0])
    # Two of eleven rebuilds bring 12 more, or take them back.
    counts = [16 if n == 6 else 4 for n in range(len(days))]
    findings = pd.concat(
        [finding.assign(capture=day) for day, n in zip(days, counts, strict=True) for _ in range(n)]
    )
    frames = both._replace(
        images=images.reset_index(drop=True), findings=findings.reset_index(drop=True)
    )
    lens = ranking.Lens()
    assert ranking.of_history(frames, lens) == pytest.approx(12 / 4)
    same = frames._replace(images=frames.images.assign(image_id="sha256:1"))
    assert ranking.of_history(same, lens) == ranking.REBUILD


NUMBERS = st.tuples(
    st.integers(0, 30), st.integers(1, 300), st.integers(0, 9), st.booleans(), st.integers(0, 2)
)
WEIGHTS = st.fixed_dictionaries(
    dict.fromkeys([*EVEN, "exploited"], st.sampled_from([0.0, 0.3, 1.0, 2.5]))
)


def table_of(rows) -> pd.DataFrame:
    fixable, sizes, unfixed, ended, exploited = zip(*rows, strict=True)
    more = {"unfixed": list(unfixed), "ended": list(map(int, ended))}
    return able(*zip(fixable, sizes, strict=True), exploited=list(exploited), **more)


class TestFlips:
    """Flips: beyond the weight the choice is another, and before it it is not."""

    @settings(max_examples=50, deadline=None)
    @given(st.lists(NUMBERS, min_size=2, max_size=5), WEIGHTS)
    def test_a_flip_is_where_a_choice_made_anew_is_another(self, rows, weights) -> None:
        table = table_of(rows)
        now = ranking.best(table, weights)
        found = ranking.flips(table, weights)
        for row in found.itertuples():
            at, before = row.weight, weights[row.criterion]
            assert at >= before if row.above else at <= before
            if abs(at - before) > 1e-5:
                between = (before + at) / 2
                assert ranking.best(table, weights | {row.criterion: between}) == now
            if at > 1e-5 or row.above:
                beyond = max(at + (1e-6 if row.above else -1e-6), 0.0)
                assert ranking.best(table, weights | {row.criterion: beyond}) != now
        flipped = set(zip(found["criterion"], found["above"], strict=True))
        for criterion in weights:
            if (criterion, False) not in flipped:
                assert ranking.best(table, weights | {criterion: 0.0}) == now
            if (criterion, True) not in flipped:
                assert ranking.best(table, weights | {criterion: 1e6}) == now

    def test_a_weight_that_has_to_fall_is_below(self) -> None:
        table = able((0, 300), (9, 10))
        found = ranking.flips(table, {"fixable": 1.0, "size": 0.5})
        gap = doublings(300) - doublings(10)
        assert found[["criterion", "above", "variant"]].to_numpy().tolist() == [
            ["fixable", False, "b"],
            ["size", True, "b"],
        ]
        assert found["weight"].tolist() == pytest.approx(
            [0.5 * gap / doublings(9), doublings(9) / gap]
        )

    def test_on_a_tie_the_least_more_of_a_weight_decides(self) -> None:
        table = able((1, 1), (1, 1), unfixed=[20, 1])
        found = ranking.flips(table, {"fixable": 0.7, "size": 0.1})
        assert found.to_dict("records") == [
            {"criterion": "unfixed", "weight": 0, "above": True, "variant": "b"}
        ]
