"""Made candidates, and the decision between them."""

import pandas as pd

from helpers.text.units import MB
from helpers.verdict import ranking, tradeoff
from helpers.verdict.decision import Decision
from helpers.vulnerabilities.lenses import Lens

EVEN = {"fixable": 1.0, "unfixed": 0.0, "size": 1.0, "ended": 1.0, "old_runtime": 1.0}
"""The default weights, but that HIGH and CRITICAL ones count as much as others."""

VULNERABILITIES = Lens("vulnerabilities")

COUNTS = {*tradeoff.CRITERIA, "exploited_unfixed", "unfixed_serious", "unscored"}


def able(*rows: tuple, **columns: list) -> pd.DataFrame:
    """Candidates by fixable vulnerabilities and megabytes, named a, b, c …"""
    number = len(rows)
    fixable, sizes = zip(*rows, strict=True) if rows else ((), ())
    counts = {
        **dict.fromkeys(COUNTS, [0] * number),
        "fixable": fixable,
        "size": [size if size is None else size * MB for size in sizes],
        "fixable_of_base": [None] * number,
    }
    given = {
        "variant": [*"abcdefgh", *(f"n{n}" for n in range(9, 99))][:number],
        "status": ["scanned"] * number,
        **dict.fromkeys(("known_exploited", "no_fix_exploited"), [""] * number),
        **dict.fromkeys(("blind", "mixed", "partial"), [False] * number),
        "built_at": pd.to_datetime([None] * number, utc=True),
        "candidate": [True] * number,
        "why_not": [None] * number,
    }
    given |= counts | columns
    ends = {"ended": "Os 1 since 2026-01-01", "old_runtime": "Node.js 2 since 2026-01-01"}
    past = zip(given["ended"], given["old_runtime"], strict=True)
    given["past_support"] = [
        ", ".join(text for text, is_past in zip(ends.values(), row, strict=True) if is_past == 1)
        for row in past
    ]
    types = dict.fromkeys(("past_support", "known_exploited", "no_fix_exploited"), "object")
    table = pd.DataFrame(given).astype({**dict.fromkeys(counts, "Int64"), **types})
    table = table.astype({"candidate": "bool"})
    return table.assign(front=tradeoff.pareto(table))


def decided(table: pd.DataFrame, weights=tradeoff.WEIGHTS, capture: str = "c", **more) -> Decision:
    """The decision between candidates."""
    given = {"day": "2026-11-24", "by_scan": False, "lens": VULNERABILITIES, "kind": "unpacked"}
    ranked = ranking.scores(table, weights)
    return Decision(capture, weights=weights, candidates=table, ranked=ranked, **given | more)
