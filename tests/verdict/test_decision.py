"""Decision: what to ship, because of which numbers and by which day, and its figure."""

from datetime import date

import pandas as pd
import pytest

from helpers import Comparison
from helpers.answers.chart import Bars
from helpers.errors import ParameterInvalid
from helpers.frames import Frames, make
from helpers.studies.load import load_published
from helpers.verdict import decision, decision_figure, ranking, wording
from helpers.verdict.decision import Decision, decide
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy
from tests.verdict.test_tradeoff import EVEN, able

NOTHING = make("published", {})
FIXABLE = Lens("vulnerabilities")


def decided(table: pd.DataFrame, weights=WEIGHTS, capture: str = "c", **more) -> Decision:
    given = {"day": "2026-11-24", "by_scan": False, "lens": FIXABLE, "kind": "unpacked"} | more
    ranked = ranking.scores(table, weights)
    return Decision(capture, weights=weights, candidates=table, ranked=ranked, **given)


def because(table: pd.DataFrame, weights=WEIGHTS, **more) -> str:
    return wording.because(decided(table, weights, **more)).plain


class TestBecause:
    """The numbers that decided, with their unit and lens."""

    @pytest.mark.parametrize(
        ("table", "weights", "text"),
        [
            (able((6, 1), (19, 1), (27, 1)), EVEN, "6 fixable vulnerabilities against 19 and 27"),
            (able((6, 1), (19, 1)), EVEN, "6 fixable vulnerabilities against 19"),
            (
                able((1, 1), *((n, 1) for n in (12, 10, 19, 17))),
                EVEN,
                "1 fixable vulnerability against 10 to 19 in the other 4",
            ),
            (
                able((6, 1), (16, 1), serious=[1, 13]),
                WEIGHTS,
                "6 fixable vulnerabilities against 16, 1 of them HIGH or CRITICAL against 13",
            ),
            (
                able((7, 10), (7, 20), (7, 30)),
                EVEN,
                "10.0 MB unpacked against 20.0 and 30.0, with 7 fixable vulnerabilities each",
            ),
            (
                able((0, 1), (6, 1), serious=[0, 3]),
                WEIGHTS,
                "0 fixable vulnerabilities against 6",
            ),
            (able((7, 10), (9, 90)), EVEN, "10.0 MB unpacked against 90.0"),
            (able((5, 5), (5, 5), ended=[0, 1]), EVEN, "it is the only one that is supported"),
        ],
        ids="three two many serious none size larger-lead support-alone".split(),
    )
    def test_the_largest_lead_is_told(self, table, weights, text: str) -> None:
        assert because(table, weights).startswith(text)

    def test_the_lens_stands_with_the_number(self) -> None:
        lens = FIXABLE._replace(known_by="2026-08-31", place="os")
        text = because(able((6, 1), (19, 1)), EVEN, lens=lens)
        where = "(in OS packages, published by 2026-08-31)"
        assert text == f"6 fixable vulnerabilities {where} against 19"

    def test_who_is_past_support_is_no_measure_for_who_is_not(self) -> None:
        table = able((7, 20), (7, 5), (7, 30), old_runtime=[0, 1, 0])
        found = decided(table, EVEN)
        assert found.best == ["a"]
        assert wording.because(found).plain.startswith("20.0 MB unpacked against 30.0 of the ")
        assert "; past support: b (Node.js 2 since 2026-01-01)." in wording.choice(found).plain

    def test_what_the_first_is_worse_in_is_told_too(self) -> None:
        text = wording.choice(decided(able((0, 40), (25, 30)), EVEN)).plain
        assert text.endswith("; it is worse in unpacked size (40.0 MB against 30.0).")

    def test_no_number_is_told_twice(self) -> None:
        found = decided(able((8, 10), (5, 10), serious=[0, 5]), WEIGHTS)
        assert found.best == ["a"]
        assert wording.choice(found).plain.endswith(
            ": 0 fixable vulnerabilities rated HIGH or CRITICAL against 5; "
            "it is worse in fixable vulnerabilities (8 against 5)."
        )


class TestExploited:
    """What has a fix and is known to be exploited comes first, with its id and since when."""

    table = able((9, 9), (1, 1), exploited=[0, 1], known_exploited=["", "CVE-1 since 2023-11-21"])

    def test_it_decides_and_is_told_first(self) -> None:
        found = decided(self.table)
        assert found.best == ["a"]
        assert decision.decisive(found) == "exploited"
        assert wording.because(found).plain == (
            "0 vulnerabilities known to be exploited against 1, and 9 fixable "
            "vulnerabilities against 1"
        )
        assert wording.headline(found) == (
            "Ship a: 0 vulnerabilities known to be exploited against 1"
        )
        text = wording.choice(found).plain
        assert text.endswith("; known to be exploited: b (CVE-1 since 2023-11-21).")

    @pytest.mark.parametrize(
        "columns",
        [
            {"candidate": [False, True], "why_not": ["no", None]},
            {"ended": [1, 1]},
            {"exploited": [1, 1], "fixable": [1, 1], "size": [5, 5]},
        ],
        ids=["alone", "none", "tie"],
    )
    def test_it_is_told_whatever_is_chosen(self, columns) -> None:
        table = able(
            (9, 9),
            (1, 1),
            **{"exploited": [0, 1], "known_exploited": ["", "CVE-1 since 2023"]} | columns,
        )
        text = wording.choice(decided(table)).plain
        assert "; known to be exploited: b (CVE-1 since 2023)" in text

    def test_in_many_images_it_is_counted(self) -> None:
        table = able(*[(1, 1)] * 4, exploited=[1] * 4, known_exploited=["CVE-1 since 2023"] * 4)
        assert wording.exploited(decided(table)).plain.endswith(
            "exploited: CVE-1 since 2023, in 4 images"
        )
        assert not wording.exploited(decided(able((1, 1))))


class TestPastSupport:
    """Nothing that is past its support is shipped as it is."""

    def test_where_all_are_each_is_named_with_its_count(self) -> None:
        text = wording.choice(decided(able((26, 1), (57, 2), ended=[1, 1]), EVEN)).plain
        assert text == (
            "Ship none of these as it is, build on a supported base (database of 2026-11-24): "
            "a, past its support (Os 1 since 2026-01-01), has 26 fixable vulnerabilities, "
            "b, past its support (Os 1 since 2026-01-01), has 57."
        )

    def test_of_many_it_is_said_from_where_to_where_they_go(self) -> None:
        table = able(*((n, n) for n in (3, 1, 4, 2)), ended=[1] * 4)
        assert (
            "all are past their support, and have 1 to 4"
            in wording.choice(decided(table, EVEN)).plain
        )

    def test_what_is_supported_comes_before_what_is_not_however_good(self) -> None:
        table = able((1, 1), (9, 9), (10, 10), old_runtime=[1, 0, 0])
        found = decided(table, EVEN)
        assert (found.best, found.ships, [*found.rivals["variant"]]) == (["b"], True, ["c"])
        alone = decided(able((1, 1), (9, 9), ended=[1, 0]), EVEN)
        assert (alone.best, [*alone.rivals["variant"]]) == (["b"], ["a"])

    def test_support_without_a_weight_does_not_count_but_is_told(self) -> None:
        found = decided(able((1, 1), (2, 2), old_runtime=[1, 0]), {"size": 1.0})
        assert (found.best, found.ships) == (["a"], True)
        assert "; past support: a (Node.js 2 since" in wording.choice(found).plain

    def test_it_is_judged_by_the_day_of_the_evidence_or_by_a_given_one(self, blog: Frames) -> None:
        published = load_published("blog-2022")
        then = decide(blog, published, "", FIXABLE, WEIGHTS)
        assert (then.best, then.ships) == (["nodejs-distroless"], True)
        today = decide(blog, published, "", FIXABLE, WEIGHTS, date(2026, 11, 25))
        assert (today.best, today.ships) == (["nodejs-distroless"], False)


class TestDays:
    """By which evidence, what other evidence said, and how old it is."""

    def test_without_a_database_the_day_is_that_of_the_scan(self, blog: Frames) -> None:
        images = blog.images.assign(
            db_updated_at=pd.NaT, scanned_at=pd.Timestamp("2021-08-25T10:00", tz="UTC")
        )
        found = decide(
            blog._replace(images=images), load_published("blog-2022"), "", FIXABLE, WEIGHTS
        )
        assert wording.source(found) == "scan of 2021-08-25"
        assert wording.source(found._replace(day="")) == ""

    def test_other_captures_are_told_once_for_neighbours_that_choose_alike(self) -> None:
        a, b = able((1, 1), (9, 2)), able((9, 2), (1, 1))
        now = decided(a, EVEN)
        assert not wording.on_other_days(now, [])
        same = wording.on_other_days(now, [decided(a, EVEN, day="2022-01-01")]).plain
        assert same == "What was right earlier: the same by the database of 2022-01-01."
        days = [decided(b, EVEN, day=f"2022-0{month}-01") for month in (1, 2)]
        two = wording.on_other_days(now, [*days, decided(a, EVEN, day="2022-03-01")]).plain
        assert two == (
            "What was right earlier: b by the database of 2022-01-01 (1 fixable vulnerability "
            "against 9); a by the database of 2022-03-01 (1 fixable vulnerability against 9)."
        )
        after = wording.on_other_days(now, [decided(b, EVEN, day="2026-12-01")]).plain
        assert after.startswith("On other days: b by ")

    def test_of_many_changes_it_is_said_how_many(self) -> None:
        a, b = able((1, 1), (9, 2)), able((9, 2), (1, 1))
        others = [decided(t, EVEN, day=f"2022-0{n}-01") for n, t in enumerate([a, b, a, b, b], 1)]
        text = wording.on_other_days(decided(a, EVEN), others).plain
        assert text == "What was right earlier: the choice changed 3 times in 5 captures."

    @pytest.mark.parametrize(
        ("today", "text"),
        [
            (date(2026, 11, 25), ""),
            (date(2027, 2, 24), ""),
            (date(2027, 2, 25), "This evidence is 3 months old: scan again before you decide."),
            (date(2028, 11, 25), "This evidence is 2 years old: scan again before you decide."),
        ],
    )
    def test_old_evidence_is_warned_of(self, today: date, text: str) -> None:
        assert wording.old(decided(able((1, 1))), today).plain == text

    def test_what_counting_all_would_choose_is_told_if_it_is_another(self) -> None:
        a, b = able((1, 1), (9, 2)), able((9, 2), (1, 1))
        lens = FIXABLE._replace(known_by="2026-08-31")
        found = decided(a, EVEN, lens=lens)
        assert wording.by_all_known(found, decided(b, EVEN)).plain.endswith(" it would be b.")
        assert not wording.by_all_known(found, decided(a, EVEN))
        assert not wording.by_all_known(decided(a, EVEN), decided(b, EVEN))


class TestFigure:
    """The figure shows what decided."""

    def test_of_counts_that_decided_the_first_and_the_last_capture_stand_beside(self) -> None:
        shown = Comparison("blog-2022", "newest").counting("vulnerabilities").recommendation()
        assert shown.title == (
            "Fixable vulnerabilities, 2022-02 → 2026-11: nodejs-alpine 25 → 26, "
            "nodejs-distroless 0 → 57"
        )
        assert isinstance(shown.chart, Bars)
        assert shown.chart.ends == [
            *("25, past support", "26, past support"),
            *("0", "57, 1 exploited, past support"),
        ]
        assert shown.answer.counted == "fixable vulnerabilities"
        assert " · KEV of 2026-08-07 · " in shown.footer, "it says what is exploited"

    def test_what_was_not_scanned_alike_has_none(self, blog: Frames) -> None:
        other = blog.images.assign(scanner_version=["0.76.0", "0.77.0"])
        frames = blog._replace(images=other)
        found = decide(frames, load_published("blog-2022"), "", FIXABLE, WEIGHTS)
        assert decision_figure.drawn(found, [], frames, NOTHING)[1] is None

    def test_of_a_size_that_decided_it_is_the_sizes(self) -> None:
        shown = Comparison("rebuilt-2026").counting("vulnerabilities").recommendation()
        assert isinstance(shown.chart, Bars)
        ends = [end.partition("\n")[0] for end in shown.chart.ends]
        assert ends == ["63.7 MB, past support", "154.7 MB", "218.2 MB", "319.5 MB"]
        assert shown.chart.baseline == 1
        assert shown.answer.counted == "unpacked size"
        assert not shown.answer.by_scanner

    def test_the_table_has_what_was_weighed_and_who_came_first_in_each_capture(self) -> None:
        table = Comparison("blog-2022").counting("vulnerabilities").recommendation().table
        assert table[["capture", "variant", "fixable", "serious", "first"]].to_numpy().tolist() == [
            ["2022-02", "nodejs-alpine", 25, 18, False],
            ["2022-02", "nodejs-distroless", 0, 0, True],
            ["2026-11", "nodejs-alpine", 26, 19, True],
            ["2026-11", "nodejs-distroless", 57, 21, False],
        ]


def test_the_size_is_the_wanted_one_else_the_first_that_all_have(blog: Frames, frames_of) -> None:
    published = load_published("blog-2022")
    found = decide(blog, published, "", Lens(), WEIGHTS)
    assert found.kind == "published"
    assert found.candidates["size"].tolist() == [76_900_000, 118_000_000]
    sized = trivy(finding(), Metadata={"OS": {"Family": "debian", "Name": "12.1"}, "Size": 10})
    assert decide(frames_of(a=sized), NOTHING, "", Lens(), WEIGHTS).kind == "unpacked"
    with pytest.raises(ParameterInvalid, match="known: published"):
        decide(blog, published, "unpacked", Lens(), WEIGHTS)
