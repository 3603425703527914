"""Trade-off: who is dominated, how stated weights score, and where another weight would choose."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.answers.chart_data import Points
from helpers.errors import ParameterInvalid
from helpers.frames import Frames, make
from helpers.studies.load import load_published, load_study
from helpers.text.units import MB
from helpers.verdict import ranking, tradeoff
from helpers.verdict.decision import decide
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, suppressing, trivy
from tests.verdict.made import EVEN, VULNERABILITIES, able

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
NOT_CANDIDATES = ["broken", "no-os", "not-looked", "missing", "failed"]


def candidates(frames: Frames, published: str = "", lens: Lens = VULNERABILITIES) -> pd.DataFrame:
    numbers = load_published(published) if published else make("published", {})
    return decide(frames, numbers, "", lens, EVEN).candidates


def front(table: pd.DataFrame) -> list[str]:
    return table[table["front"].fillna(False)]["variant"].tolist()


class TestCandidates:
    """What is weighed of each variant."""

    def test_of_the_posts_images(self, blog: Frames) -> None:
        table = candidates(blog, "blog-2022").drop(columns=["status", "why_not", "built_at"])
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        assert rows == [
            {"exploited": 0, "likely": 0, "unscored": 0, "known_exploited": ""}
            | {"exploited_unfixed": 0, "no_fix_exploited": "", "unfixed_serious": None}
            | {"variant": ALPINE, "fixable": 25, "unfixed": None, "size": 76_900_000, "ended": 1}
            | {"old_runtime": 1, "blind": True, "serious": 18, "fixable_of_base": None}
            | {"past_support": "Alpine 3.11.2 since 2021-11-01, Node.js 8.17.0 since 2019-12-31"}
            | {"mixed": False, "partial": True, "candidate": True, "front": False},
            {"exploited": 0, "likely": 0, "unscored": 0, "known_exploited": ""}
            | {"exploited_unfixed": 0, "no_fix_exploited": "", "unfixed_serious": 4}
            | {"variant": DISTROLESS, "fixable": 0, "unfixed": 16, "size": 118_000_000, "ended": 0}
            | {"old_runtime": 0, "blind": False, "serious": 0, "fixable_of_base": None}
            | {
                "past_support": "",
                "mixed": False,
                "partial": True,
                "candidate": True,
                "front": True,
            },
        ]
        days = candidates(blog, "blog-2022")["built_at"].dt.strftime("%Y-%m-%d")
        assert days.tolist() == ["2019-12-24", "2022-02-14"]

    def test_what_of_it_the_base_brought_is_known_where_all_layers_are(self) -> None:
        rebuilt = load_study("rebuilt-2026")
        assert candidates(rebuilt)["fixable_of_base"].tolist() == [0, 0, 0, 0]
        brought = rebuilt.findings["from_base"].fillna(False) | rebuilt.findings["variant"].eq(
            "node-24-debian"
        )
        table = candidates(rebuilt._replace(findings=rebuilt.findings.assign(from_base=brought)))
        assert table["fixable_of_base"].tolist() == [7, 0, 0, 0]
        partly = brought.astype("boolean")
        partly[0] = pd.NA
        table = candidates(rebuilt._replace(findings=rebuilt.findings.assign(from_base=partly)))
        assert table["fixable_of_base"].isna().tolist() == [True, False, False, False]

    def test_what_is_suppressed_need_not_have_a_layer_that_is_known(self, frames_of) -> None:
        report = suppressing(trivy(finding(1, FixedVersion="2")), finding(2, FixedVersion="2"))
        frames = frames_of(app=report)
        brought = frames.findings.assign(from_base=pd.array([True, None], dtype="boolean"))
        table = candidates(frames._replace(findings=brought))
        assert table[["fixable", "fixable_of_base"]].to_numpy().tolist() == [[1, 1]]

    def test_what_base_and_app_both_bring_counts_once_and_for_the_base(self, frames_of) -> None:
        twice = [finding(1, PkgName=name, FixedVersion="2") for name in ("a", "b")]
        unfixed = finding(2)
        frames = frames_of(a=trivy(*twice, finding(3, FixedVersion="2"), unfixed))
        brought = pd.array([True, False, False, True], dtype="boolean")
        table = candidates(frames._replace(findings=frames.findings.assign(from_base=brought)))
        assert table[["fixable", "fixable_of_base", "unfixed"]].to_numpy().tolist() == [[2, 1, 1]]

    def test_serious_are_fixable_ones_rated_high_or_critical(self, frames_of) -> None:
        levels = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN"]
        found = [finding(n, Severity=level, FixedVersion="2") for n, level in enumerate(levels)]
        unfixed = finding(9, Severity="HIGH")
        assert candidates(frames_of(a=trivy(*found, unfixed)))["serious"].tolist() == [2]

    def test_of_what_is_fixable_it_is_told_what_is_exploited_and_what_is_likely_to_be(self) -> None:
        table = candidates(load_study("blog-2022", "2026-11"), "blog-2022").set_index("variant")
        assert table["exploited"].to_dict() == {ALPINE: 0, DISTROLESS: 1}
        assert table["likely"].to_dict() == {ALPINE: 8, DISTROLESS: 10}
        above = VULNERABILITIES._replace(epss=0.5)
        higher = candidates(load_study("blog-2022", "2026-11"), "blog-2022", above)
        assert higher["likely"].tolist() == [5, 8], "none that the lens leaves out"
        assert table["known_exploited"][DISTROLESS] == "CVE-2023-4911 since 2023-11-21"
        by_day = VULNERABILITIES._replace(known_by="2023-11-20")
        earlier = candidates(load_study("blog-2022", "2026-11"), "blog-2022", by_day)
        assert earlier["exploited"].tolist() == [0, 0], "it was not known yet"
        assert earlier["known_exploited"].tolist() == ["", ""]

    def test_what_has_no_fix_is_among_them_and_what_was_declared_harmless_is_not(
        self, blog: Frames
    ) -> None:
        known = {"exploited": True, "kev_added_at": blog.findings["published_at"].max()}
        every = blog._replace(findings=blog.findings.assign(**known))
        assert candidates(every)["exploited"].tolist() == [25, 16]
        assert candidates(every)["exploited_unfixed"].tolist() == [0, 16]
        harmless = every._replace(findings=every.findings.assign(suppressed=True))
        assert candidates(harmless)["exploited"].tolist() == [0, 0]
        several = candidates(every)["known_exploited"][0]
        assert several.count(" since ") == 25

    def test_without_evidence_it_is_not_known_and_of_what_was_not_scored_neither(
        self, frames_of, blog: Frames
    ) -> None:
        table = candidates(frames_of(a=trivy(finding(FixedVersion="2")), clean=trivy()))
        assert table["exploited"].tolist() == table["likely"].tolist() == [pd.NA, 0]
        assert table["known_exploited"].tolist() == ["", ""]
        unscored = blog._replace(findings=blog.findings.assign(epss=pd.NA))
        assert candidates(unscored)[["likely", "unscored"]].to_numpy().tolist() == [[0, 25], [0, 0]]

    def test_scores_of_several_days_weigh_nothing_and_counts_by_them_are_mixed(self, blog) -> None:
        days = blog.images["epss_day"] + pd.to_timedelta([0, 7], unit="D")
        other = blog._replace(images=blog.images.assign(epss_day=days))
        assert candidates(other)["likely"].isna().all()
        assert not candidates(other)["mixed"].any()
        assert candidates(other, lens=VULNERABILITIES._replace(epss=0.01))["mixed"].all()

    def test_a_partial_database_is_marked_image_by_image(self, blog: Frames) -> None:
        def partial(*coverage: str | None) -> list[bool]:
            codes = pd.array(coverage, dtype=blog.images["db_coverage"].dtype)
            images = blog.images.assign(db_coverage=codes)
            return candidates(blog._replace(images=images))["partial"].tolist()

        assert partial("partial: Debian only", None) == [True, False]
        assert partial("full", "partial") == [False, True]

    @pytest.mark.parametrize("status", NOT_CANDIDATES)
    def test_what_is_broken_or_not_fully_scanned_is_none_and_not_on_the_front(
        self, frames_of, status: str
    ) -> None:
        sized = {"OS": {"Family": "debian", "Name": "12.1"}, "Size": 10 * MB}
        frames = frames_of(
            good=trivy(finding(FixedVersion="2"), Metadata=sized | {"Size": 20 * MB}),
            tiny=trivy(Metadata=sized),
        )
        spoilt = frames.images.assign(status=["scanned", status])
        table = candidates(frames._replace(images=spoilt)).set_index("variant")
        assert table["candidate"].to_dict() == {"good": True, "tiny": False}
        assert front(table.reset_index()) == ["good"]
        assert pd.isna(table.loc["tiny", "front"])
        assert table.loc["tiny", "why_not"]
        assert ranking.scores(table.reset_index(), EVEN)["variant"].tolist() == ["good"]


class TestPareto:
    """The front: nothing is as good in both and better in one."""

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([(1, 9), (9, 1)], "ab"),
            ([(1, 1), (9, 9)], "a"),
            ([(1, 9), (5, 5), (9, 1), (6, 6)], "abc"),
            ([(1, 1), (1, 1)], "ab"),
            ([(1, 1), (1, 1), (1, 2)], "ab"),
            ([(1, 5), (1, 4)], "b"),
            ([(5, 1), (4, 1)], "b"),
            ([(0, 5)], "a"),
            ([], ""),
        ],
        ids="trade better three equal equal-and-worse size-alone count-alone one none".split(),
    )
    def test_who_is_on_it(self, rows, expected: str) -> None:
        assert front(able(*rows)) == list(expected)

    def test_who_cannot_be_placed_is_neither_on_it_nor_dominates(self) -> None:
        table = able((0, None), (None, 1), (5, 5))
        assert table["front"].isna().tolist() == [True, True, False]
        assert front(table) == ["c"]

    def test_who_is_past_its_support_is_not_on_it_and_dominates_nobody(self) -> None:
        table = able((0, 1), (5, 5), (9, 9), ended=[1, 0, None])
        assert table["front"].tolist() == [False, True, False]

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8))
    def test_every_dominated_one_is_dominated_by_one_on_the_front(self, rows) -> None:
        table = able(*rows)
        on_it = [row for row, there in zip(rows, table["front"], strict=True) if there]
        for row, there in zip(rows, table["front"], strict=True):
            better = [o for o in on_it if o != row and o[0] <= row[0] and o[1] <= row[1]]
            assert bool(better) == (not there)


class TestWeights:
    """Weights: numbers of zero or more."""

    @pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
    def test_others_are_refused_by_the_name_of_their_parameter(self, weight: float) -> None:
        with pytest.raises(ParameterInvalid, match=f"weight_size {weight} is not a number of 0"):
            tradeoff.check({"fixable": 1.0, "size": weight})


class TestChart:
    """The trade-off's chart: a point a variant, the front, and who has no place on it."""

    @staticmethod
    def chart(table: pd.DataFrame) -> Points:
        chart = tradeoff.tradeoff_answer(table, VULNERABILITIES, "unpacked").chart
        assert isinstance(chart, Points)
        return chart

    def test_the_front_has_its_corners_by_size_and_the_dominated_are_apart(self) -> None:
        chart = self.chart(able((0, 40), (9, 10), (4, 20), (9, 40)))
        assert chart.front == [(10, 9), (20, 4), (40, 0)]
        assert [point.name for point in chart.points if point.group == "dominated"] == ["d"]
