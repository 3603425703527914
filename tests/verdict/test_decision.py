"""Decision: what to ship, because of which numbers and by which day, and its figure."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from helpers.errors import ParameterInvalid
from helpers.frames import Frames, make
from helpers.studies.load import load_published
from helpers.verdict import decision, decision_figure, wording
from helpers.verdict.decision import decide
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy
from tests.verdict.made import EVEN, VULNERABILITIES, able, decided

NOTHING = make("published", {})


class TestPastSupport:
    """Nothing that is past its support is shipped as it is."""

    def test_what_is_supported_comes_before_what_is_not_however_good(self) -> None:
        table = able((1, 1), (9, 9), (10, 10), old_runtime=[1, 0, 0])
        found = decided(table, EVEN)
        assert (found.best, found.ships, [*found.rivals["variant"]]) == (["b"], True, ["c"])
        alone = decided(able((1, 1), (9, 9), ended=[1, 0]), EVEN)
        assert (alone.best, [*alone.rivals["variant"]]) == (["b"], ["a"])

    def test_it_is_judged_by_the_day_of_the_evidence_or_by_a_given_one(self, blog: Frames) -> None:
        published = load_published("blog-2022")
        then = decide(blog, published, "", VULNERABILITIES, WEIGHTS)
        assert (then.best, then.ships) == (["nodejs-distroless"], True)
        today = decide(blog, published, "", VULNERABILITIES, WEIGHTS, date(2026, 11, 25))
        assert (today.best, today.ships) == (["nodejs-distroless"], False)
        for on, ended in ((date(2026, 8, 31), 0), (date(2026, 9, 1), 1)):
            found = decide(blog, published, "", VULNERABILITIES, WEIGHTS, on).able
            assert found["ended"]["nodejs-distroless"] == ended, "the last day is supported"


class TestDays:
    """By which evidence, what other evidence said, and how old it is."""

    def test_without_a_database_the_day_is_that_of_the_scan(self, blog: Frames) -> None:
        images = blog.images.assign(
            db_updated_at=pd.NaT, scanned_at=pd.Timestamp("2021-08-25T10:00", tz="UTC")
        )
        found = decide(
            blog._replace(images=images), load_published("blog-2022"), "", VULNERABILITIES, WEIGHTS
        )
        assert wording.source(found) == "scan of 2021-08-25"
        assert wording.source(replace(found, day="")) == ""

    @pytest.mark.parametrize(
        ("today", "text"),
        [
            (date(2027, 2, 24), ""),
            (date(2027, 2, 25), "This evidence is 3 months old. Scan again before you decide."),
        ],
    )
    def test_old_evidence_is_warned_of(self, today: date, text: str) -> None:
        assert wording.old(decided(able((1, 1))), today).plain == text


class TestFigure:
    """The figure shows what decided."""

    def test_what_was_not_scanned_alike_has_none(self, blog: Frames) -> None:
        other = blog.images.assign(scanner_version=["0.76.0", "0.77.0"])
        frames = blog._replace(images=other)
        found = decide(frames, load_published("blog-2022"), "", VULNERABILITIES, WEIGHTS)
        assert decision_figure.drawn(found, [], frames, NOTHING)[1] is None


def test_the_size_is_the_wanted_one_else_the_first_that_all_have(blog: Frames, frames_of) -> None:
    published = load_published("blog-2022")
    found = decide(blog, published, "", Lens(), WEIGHTS)
    assert found.kind == "published"
    assert found.candidates["size"].tolist() == [76_900_000, 118_000_000]
    sized = trivy(finding(), Metadata={"OS": {"Family": "debian", "Name": "12.1"}, "Size": 10})
    assert decide(frames_of(a=sized), NOTHING, "", Lens(), WEIGHTS).kind == "unpacked"
    with pytest.raises(ParameterInvalid, match="known: published"):
        decide(blog, published, "unpacked", Lens(), WEIGHTS)


def test_so_many_images_are_no_choice() -> None:
    sizes = [(n, n) for n in range(1, decision.MOST + 2)]
    few, many = (decided(able(*rows), EVEN) for rows in (sizes[:-1], sizes))
    assert (few.best, many.best) == (["a"], [])
    assert [reason.code for reason in many.reasons] == [decision.TOO_MANY]
