"""History, gate and the changes between two captures tell the same of the same pair."""

from collections import Counter
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

from helpers.changes import between, causes
from helpers.changes.causes import STATEMENT
from helpers.changes.engine import APPEARED, GONE, RERATED, STAYED
from helpers.errors import NotComparable
from helpers.frames import Frames
from helpers.gate import difference
from helpers.gate.difference import CAME, UNCHANGED, WENT
from helpers.gate.pair import AFTER, BEFORE, Pair, Side
from helpers.history import series, steps
from helpers.vulnerabilities.lenses import PLAIN
from tests.changes.strategies import image

_WORDS = {
    APPEARED: ("newly-published", "brought", "no-longer-declared"),
    GONE: ("withdrawn", "removed", "declared-harmless"),
}


def both(before: Frames, after: Frames) -> Frames:
    parts = zip(before, after, strict=True)
    found = (pd.concat([a.assign(capture=BEFORE), b.assign(capture=AFTER)]) for a, b in parts)
    return Frames(*(frame.reset_index(drop=True) for frame in found))


def word(change: str, reason: str) -> str:
    """What the gate calls a change with its reason."""
    if change not in _WORDS:
        return UNCHANGED
    by_image = bool(causes.may_be_image(pd.Series([reason])).iloc[0])
    return _WORDS[change][1 if by_image else 2 if reason == STATEMENT else 0]


def told(rows: pd.DataFrame) -> Counter[tuple[str, ...]]:
    """What the history says, in the words of the gate."""
    what = ["vulnerability_id", "package", "severity_before", "severity_after"]
    texts = rows[what].astype("str").itertuples(index=False, name=None)
    words = map(word, rows["change"], rows["reason"])
    return Counter((each, *text) for each, text in zip(words, texts, strict=True))


@pytest.mark.slow
@settings(max_examples=60)
@given(image(), image())
def test_history_gate_and_two_captures_tell_the_same(before: Frames, after: Frames) -> None:
    whole = both(before, after)
    pair = Pair("", Side(BEFORE, before), Side(AFTER, after))
    every = between.changes(whole, BEFORE, AFTER)
    kept = series.series([whole], PLAIN)
    ordered = kept.scans.assign(at=kept.scans["capture"].map({BEFORE: 0, AFTER: 1}))
    stepped = steps.steps(kept, ordered)
    moved = every[every["change"].ne(STAYED)]
    assert told(stepped.moves) == told(moved)
    assert Counter(stepped.moves["certainty"]) == Counter(moved["certainty"])
    try:
        table = difference.difference(pair).table
    except NotComparable:
        return
    table = table[table["change"].isin([*CAME, *WENT, UNCHANGED])]
    names = table["vulnerability_id"].fillna("")
    ours: Counter[Any] = Counter(
        zip(
            table["change"],
            names,
            table["package"],
            table["severity_before"].astype("str"),
            table["severity_after"].astype("str"),
            strict=True,
        )
    )
    assert ours == told(every)
    assert {RERATED, STAYED, APPEARED, GONE} >= {*every["change"]}
