"""A difference below what one rebuild brings is a tie, and what it is of is said."""

import pytest

from helpers.verdict import cautions, decision, ranking
from helpers.verdict.tradeoff import WEIGHTS
from tests.verdict.made import able, decided


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ([(100, 10), (101, 10)], ["a", "b"]),
        ([(0, 10), (2, 10)], ["a", "b"]),
        ([(0, 10), (30, 10)], ["a"]),
        ([(7, 154), (7, 218)], ["a"]),
    ],
    ids=["one-of-a-hundred", "two", "thirty", "equal-and-smaller"],
)
def test_who_is_chosen_of_two(rows, best: list[str]) -> None:
    assert decided(able(*rows)).best == best


def test_a_tie_has_no_reason_and_names_what_differs() -> None:
    found = decided(able((100, 10), (101, 10)))
    assert (found.code, found.reasons) == (decision.TIED, ())
    told = found.caution(cautions.TIE)
    assert told is not None
    assert told.values["values"] == {"fixable": (100, 101)}


def test_what_a_rebuild_may_bring_does_not_lead_the_reasons() -> None:
    found = decided(able((9, 10), (11, 90)))
    assert [reason.code for reason in found.reasons] == ["size"]
    assert decision.decisive(found) == "size"


def test_the_only_supported_one_is_that_and_what_it_is_worse_in() -> None:
    found = decided(able((5, 90), (5, 10), ended=[0, 1]))
    assert [reason.code for reason in found.reasons] == [decision.SUPPORTED, decision.WORSE]
    assert found.reasons[1].criteria == ("size",)


def test_support_is_a_weight_that_changes_the_choice() -> None:
    table = able((5, 90), (5, 10), ended=[0, 1])
    found = ranking.flips(table, WEIGHTS)
    assert ["ended", 0.0, False, "b"] in found.to_numpy().tolist()
