"""Official images of 2016 to 2018: steps and days to fix, from lists and advisories alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers import Comparison
from helpers.changes.causes import DATABASE, IMAGE
from helpers.changes.engine import APPEARED, GONE
from helpers.history import time_to_fix
from helpers.history.time_to_fix import FIXED, OPEN
from tests.support import replayed
from tests.support.debian_versions import is_older
from tests.support.replayed import Replay

TAGS = ("debian:jessie", "debian:stretch-slim", "node:8-slim")

Found = dict[tuple[str, str], tuple[str, str]]
"""Version and source package by id and package."""


@pytest.fixture(scope="module")
def replay(
    shared: Path, trivy_on_path: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Replay, Comparison]]:
    fleet = shared / "fleet"
    if not (fleet / "sboms.py").is_file():
        pytest.skip("no fleet/ among other projects' reports")
    work = tmp_path_factory.mktemp("replayed")
    found = replayed.make(fleet, work / "data", work / "trivy", "node-2017", TAGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(work / "data"))
        yield found, Comparison(replayed.NAME)


def found_in(replay: Replay, name: str, day: str) -> Found:
    """What a database of a day finds in the list of that day, by Debian's order of versions."""
    release = replay.systems[name, day]
    return {
        (vulnerability, package.name): (package.version, package.source)
        for package in replay.lists[name][day].values()
        for vulnerability, fixed, known in replay.advisories.get((release, package.source), [])
        if known <= day and is_older(package.source_version, fixed)
    }


def series_of(replay: Replay, name: str) -> list[tuple[str, Found, set[tuple[str, str]]]]:
    days = sorted(replay.lists[name])
    return [
        (
            day,
            found_in(replay, name, day),
            {(p.name, p.version) for p in replay.lists[name][day].values()},
        )
        for day in days
    ]


def test_counts_are_those_of_lists_and_advisories(replay) -> None:
    made, comparison = replay
    table = comparison.history.counts().table
    for name in made.lists:
        ours = table[table["variant"].eq(name) & table["count"].notna()]
        expected = [(day, len(found)) for day, found, _ in series_of(made, name)]
        assert list(zip(ours["capture"], ours["count"], strict=True)) == expected
    assert table["why_broken"].eq("").all()


def test_each_step_is_due_to_what_the_lists_say(replay) -> None:
    made, comparison = replay
    expected: Counter[tuple[Any, ...]] = Counter()
    for name in made.lists:
        for (first, before, had), (second, after, has) in pairwise(series_of(made, name)):
            step = name, first, second
            for key in after.keys() - before.keys():
                own = (key[1], after[key][0]) not in had
                expected[*step, *key, APPEARED, IMAGE if own else DATABASE] += 1
            for key in before.keys() - after.keys():
                own = (key[1], before[key][0]) not in has
                expected[*step, *key, GONE, IMAGE if own else DATABASE] += 1
    columns = ["variant", "earlier", "later", "vulnerability_id", "package", "change", "reason"]
    moves = comparison._history.steps.moves[columns].astype("str")
    assert Counter(moves.itertuples(index=False, name=None)) == expected
    assert {key[-1] for key in expected} == {IMAGE, DATABASE}, "both happened"
    assert len(expected) > 50


def test_days_to_fix_are_those_of_lists_and_advisories(replay) -> None:
    made, comparison = replay
    series = {
        name: [
            (day, {(key[0], source) for key, (_, source) in found.items()})
            for day, found, _ in series_of(made, name)
        ]
        for name in made.lists
    }
    known: dict[tuple[str, str], str] = {}
    for day, found in sorted((each for one in series.values() for each in one), key=lambda x: x[0]):
        for key in found:
            known.setdefault(key, day)
    first_day = min(known.values())
    expected = {}
    for name, scans in series.items():
        for key in {key for _, found in scans for key in found}:
            there = [place for place, (_, found) in enumerate(scans) if key in found]
            start = there[0]
            end = next((p for p in range(start, len(scans)) if key not in scans[p][1]), None)
            until = scans[-1][0] if end is None else scans[end][0]
            days = (date.fromisoformat(until) - date.fromisoformat(scans[start][0])).days
            # The fix was out before this image was first looked at, or before anything was.
            late = start == 0 and (known[key] < scans[0][0] or known[key] == first_day)
            expected[name, *key] = (days, OPEN if end is None else FIXED, not late)
    # Another image had the version that this one had until the step in which the fix came out.
    versions = {
        (key[0], source, key[1], version)
        for name in made.lists
        for _, found, _ in series_of(made, name)
        for key, (version, source) in found.items()
    }
    at_once = {
        (name, vulnerability, source): (0, FIXED, True)
        for name in made.lists
        for (first, _, had), (second, after, has) in pairwise(series_of(made, name))
        for vulnerability, source, package, version in versions
        if (package, version) in had - has
        and first < known[vulnerability, source] <= second
        and (vulnerability, source) not in {(key[0], each) for key, (_, each) in after.items()}
    }
    assert at_once
    expected = at_once | expected
    table = comparison.history.time_to_fix().table
    keys = ["variant", "vulnerability_id", "source_package", "days", "end", "start_seen"]
    found_ = {row[:3]: row[3:] for row in table[keys].itertuples(index=False, name=None)}
    assert found_ == expected
    ends = Counter(end for _, end, _ in expected.values())
    assert ends[OPEN] > 0
    assert ends[FIXED] > 20
    short = time_to_fix.by_image(table, [*made.lists])
    assert short["fixed"].sum() == ends[FIXED]
