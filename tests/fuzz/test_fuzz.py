"""A short run of the fuzzer, each time with other inputs; and whether it finds what is wrong."""

import secrets
from pathlib import Path
from random import Random

import pytest

from helpers.scans import summary
from tests.fuzz.kind import Kind
from tests.fuzz.run import KINDS, Tally, fuzz, one

_EACH, _LEAST = 30, 3
"""Inputs of each kind of the usual weight, and least of those that take long."""


@pytest.mark.parametrize("name", KINDS)
def test_every_mutant_is_read_right_or_refused_and_some_are_read(name: str, tmp_path: Path) -> None:
    kind, seed, tally = KINDS[name], secrets.token_hex(4), Tally()
    count = max(_LEAST, min(_EACH, round(_EACH * kind.weight / 2)))
    told = [
        f"python -m tests.fuzz.run {found.number} {name} --seed {seed} --only\n{found.why}"
        for found in fuzz(name, kind, range(count), seed, tmp_path, tally)
    ]
    assert not told, "\n".join(told)
    more = (one(name, kind, "accepted", number, tmp_path).accepted for number in range(400))
    assert tally.accepted or any(more)


def test_a_reader_that_drops_a_row_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    right = summary.row
    monkeypatch.setattr(
        summary,
        "row",
        lambda path: {**right(path), "findings": max(0, right(path)["findings"] - 1)},
    )
    [found, *_] = fuzz("trivy", KINDS["trivy"], range(60), "planted", tmp_path, Tally())
    assert "summary: read" in found.why


def test_a_reader_that_raises_another_error_is_found(tmp_path: Path) -> None:
    def check(path: Path, random: Random) -> None:
        if b"\0" in path.read_bytes():
            raise ValueError("embedded null byte")

    kind = Kind(lambda random: random.choice((b"x", b"\0")), check)
    tally = Tally()
    found = [*fuzz("planted", kind, range(60), "planted", tmp_path, tally)]
    assert 0 < tally.accepted < 60
    assert {each.content for each in found} == {b"\0"}
