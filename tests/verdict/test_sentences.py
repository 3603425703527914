"""What is said of made decisions: a file that a person reads, renewed by running this module."""

from datetime import date
from pathlib import Path

import pandas as pd

from helpers.comparability.confounders import AGE, RUNTIME
from helpers.frames import make
from helpers.text import i18n
from helpers.verdict import cautions, recommendation, takeaways, tradeoff
from helpers.verdict.cautions import Caution
from helpers.verdict.decision import Decision
from helpers.verdict.tradeoff import WEIGHTS
from tests.support.golden_runs import _blocks, _talk
from tests.verdict.made import EVEN, VULNERABILITIES, able, decided

FILE = Path(__file__).with_name("sentences.txt")
TODAY = date(2026, 11, 25)
TWO = {"fixable": 1.0, "size": 1.0}
NONE = make("findings", {})

BY_DAY = VULNERABILITIES._replace(known_by="2026-08-31")
KNOWN = {"exploited": [0, 2], "known_exploited": ["", "CVE-1 since 2023-11-21"]}
BARE = {"exploited": [1], "exploited_unfixed": [1], "known_exploited": ["CVE-1 since 2023"]}
BARE |= {"no_fix_exploited": ["CVE-1 since 2023"]}
OUT = {"candidate": [True, True, False], "why_not": ["", "", "its capture failed"]}
BUILT = pd.to_datetime(["2026-02-01", "2026-01-25", "2026-01-24", "2026-03-01"], utc=True)
LONG = able((1, 9), (9, 1)).assign(variant=[f"registry-example-com-team-{n}" for n in "xy"])

DECISIONS = {
    "fewer than both": decided(able((6, 1), (19, 1), (27, 1)), EVEN),
    "fewer than one of many": decided(able((1, 1), *((n, 1) for n in (12, 10, 19, 17))), EVEN),
    "serious ones": decided(able((6, 1), (16, 1), serious=[1, 13])),
    "worse in what is fixable": decided(able((8, 10), (5, 10), serious=[0, 5])),
    "worse in size": decided(able((0, 40), (25, 30)), EVEN),
    "smaller": decided(able((7, 10), (7, 20), (7, 30)), EVEN),
    "size not known": decided(able((1, 10), (2, None), (3, 90)), TWO),
    "the only supported one": decided(able((5, 5), (5, 5), ended=[0, 1]), EVEN),
    "smallest past its support": decided(able((7, 20), (7, 5), (7, 30), old_runtime=[0, 1, 0])),
    "support without a weight": decided(able((1, 1), (2, 2), old_runtime=[1, 0]), {"size": 1.0}),
    "support not known": decided(able((1, 1), (2, 2), ended=[None, 1]), EVEN),
    "all past support": decided(able((26, 1), (57, 2), ended=[1, 1]), EVEN),
    "many past support": decided(able(*((n, n) for n in (3, 1, 4, 2)), ended=[1] * 4), EVEN),
    "one, past support": decided(able((1, 1), ended=[1]), EVEN),
    "by a day and a place": decided(
        able((6, 1), (19, 1), built_at=BUILT[:2]), EVEN, lens=BY_DAY._replace(place="os")
    ),
    "built after the day": decided(
        able((6, 1), (19, 1), built_at=BUILT[:2]),
        lens=BY_DAY._replace(known_by="2026-01-31"),
    ),
    "younger": decided(able((1, 1), (2, 2), (3, 3), (4, 4), built_at=BUILT), EVEN),
    "exploited": decided(able((9, 9), (1, 1), **KNOWN)),
    "exploited, of less weight": decided(
        able((9, 9), (1, 1), **KNOWN), WEIGHTS | {"exploited": 0.5}
    ),
    "exploited, to be updated": decided(
        able((1, 1), exploited=[1], known_exploited=["CVE-1 since 2023"])
    ),
    "exploited in many": decided(
        able(*[(1, 1)] * 4, exploited=[1] * 4, known_exploited=["CVE-1 since 2023"] * 4)
    ),
    "exploited without a fix": decided(able((1, 1), **BARE)),
    "exploited in all, without a fix": decided(
        able((1, 1), (90, 90), **{column: values * 2 for column, values in BARE.items()})
    ),
    "exploitation not known": decided(able((1, 1), (2, 2), exploited=[None, 0], likely=[None, 0])),
    "scores": decided(able((5, 1), (9, 2), likely=[1, 0], unscored=[4, 0]), EVEN | {"likely": 1.0}),
    "nobody": decided(able((1, 1), candidate=[False], why_not=["no"]), EVEN),
    "too many": decided(able(*[(n, n) for n in range(31)]), EVEN),
    "no weight": decided(able((1, 1), (2, 2)), dict.fromkeys(EVEN, 0.0)),
    "nothing known": decided(able((1, None), (2, 1)), {"size": 1.0}),
    "unlike": decided(able((1, 1), (2, 2), mixed=[True, True]), EVEN),
    "unlike scores": decided(
        able((1, 1), (2, 2), mixed=[True, True]), EVEN, lens=VULNERABILITIES._replace(epss=0.1)
    ),
    "not scanned": decided(
        able((1, 1), candidate=[False], why_not=["no"], status=["not-scanned"]), EVEN
    ),
    "alike": decided(able((1, 2), (1, 2)), TWO),
    "torn": decided(able((1, 2), (2, 1), (9, 9)), TWO),
    "left out": decided(able((1, 1), (2, 2), (0, 1), **OUT), EVEN),
    "unfixed weighed": decided(able((1, 1), (2, 2), unfixed=[2, 4]), EVEN | {"unfixed": 1.0}),
    "unfixed not seen": decided(able((1, 1), (2, 2), unfixed=[None, 4], blind=[True, False])),
    "more unfixed and serious": decided(able((1, 1), (9, 9), unfixed_serious=[50, 3]), EVEN),
    "base": decided(able((2, 9), (3, 1), (4, 4), fixable_of_base=[1, 0, None], **OUT), EVEN),
    "partial": decided(able((1, 1), (2, 2), partial=[False, True]), EVEN),
    "another weight": decided(able((0, 300), (9, 10)), {"fixable": 1.0, "size": 0.5}),
    "could not be weighed": decided(able((1, None), (1, None)), EVEN),
    "names that are long": decided(LONG),
    "names that are long, of a size": decided(LONG.assign(size=LONG["size"].iloc[0])),
    "no place": decided(able((1, None), (1, None), (1, None), (1, None))),
    "best in both": decided(able((1, 1), (1, 1), (9, 2))),
    "cautions": decided(
        able((1, 1), (9, 2), (9, 3)),
        evidence=(
            Caution(cautions.SCANNER_COMPROMISED, ("a",)),
            Caution(cautions.JUDGED_BY_VENDOR, ("a",), {"parties": {"a": "Acme"}}),
            Caution(cautions.LANGUAGE, ("a", "b", "c"), {"types": ("node-pkg", "other")}),
            Caution(cautions.RUNTIME, ("b",), {"runtimes": {"b": "node 24.1.0"}}),
            Caution(cautions.DECLARED, ("a",), {"counts": {"a": 3}, "by": ("Me",)}),
            Caution(cautions.EXPLOITED_DECLARED, ("a",), {"ids": {"a": ("CVE-1", "CVE-2")}}),
        ),
        counting_declared=decided(able((9, 1), (1, 2), (9, 3))),
    ),
}

A, B = able((1, 1), (9, 2)), able((9, 2), (1, 1))
DAYS = [decided(t, EVEN, day=f"2022-0{n}-01") for n, t in enumerate([A, B, A, B, B], 1)]
OTHERS = {
    "the same earlier": DAYS[:1],
    "another earlier": DAYS[1:3],
    "many changes": DAYS,
    "later": [decided(B, EVEN, day="2026-12-01")],
    "another by all that is known": [],
    "old": [],
}


def lines(
    found: Decision,
    others: list[Decision] | None = None,
    ever: Decision | None = None,
    today: date = TODAY,
) -> list[str]:
    """What is said of a decision."""
    others, ever = others or [], ever or found
    trade_off = tradeoff.tradeoff_answer(found.candidates, found.lens, found.kind)
    closing = takeaways.answer([], takeaways.next_steps(found, NONE, [], True, today), found)
    return [
        *_blocks(recommendation.text(found, others, ever, today)),
        *_talk(recommendation._talk(found, others, ever, today)),
        *_blocks(recommendation.weights_answer(found).text),
        f"trade-off: {trade_off.title}",
        f"  {getattr(trade_off.chart, 'note', '')}",
        *(line for talk in (*trade_off.talks, *closing.talks) for line in _talk(talk)),
    ]


def said() -> str:
    """What is said of all of them."""
    parts = {name: lines(found) for name, found in DECISIONS.items()}
    now = decided(A, EVEN, lens=BY_DAY)
    for name, others in OTHERS.items():
        ever = decided(B, EVEN) if "all" in name else None
        today = date(2028, 11, 25) if name == "old" else TODAY
        parts[name] = lines(now, others, ever, today)
    differing = takeaways.next_steps(DECISIONS["partial"], NONE, [AGE, RUNTIME], False, TODAY)
    parts["steps"] = differing
    return (
        "\n".join(line.rstrip() for name in parts for line in (f"== {name}", *parts[name])) + "\n"
    )


def test_made_decisions_are_told_in_these_words() -> None:
    assert said() == FILE.read_text(encoding="utf-8")


def test_they_are_told_in_each_language() -> None:
    with i18n.speaking("ko"):
        assert "이미지를 배포하십시오" in "\n".join(lines(DECISIONS["younger"]))


if __name__ == "__main__":
    FILE.write_text(said(), encoding="utf-8")
