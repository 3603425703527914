"""Reads mutants of every kind of file: `python -m tests.fuzz.run COUNT [KIND …] [--seed SEED]`.

Prints a table and keeps each wrong input below a temporary folder, with what makes it again:
`python -m tests.fuzz.run NUMBER KIND --seed SEED --only` reads that one input and shows why.
"""

import argparse
import contextlib
import math
import re
import resource
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import archives, exploitation, own_files, registries, reports, vex, words
from tests.fuzz.kind import MOST_SECONDS, Kind, Outcome, stop_after, trial

KINDS: dict[str, Kind] = {
    name: kind
    for family in (reports, exploitation, vex, archives, own_files, registries, words)
    for name, kind in family.KINDS.items()
}
"""Every kind of file, by its name."""

_TOO_LONG = 10
"""Seconds of the processor after which an input is given up."""

_ROUND = 10_000
"""Inputs of a round, in which it is each kind's turn once."""

_OF_ONE_CAUSE = 3
"""Inputs with one cause that are kept."""

_MOST_MEMORY = 6_000_000_000


class Finding(NamedTuple):
    """An input that is wrong: which one it is, why, and its bytes."""

    kind: str
    seed: str
    number: int
    why: str
    content: bytes

    @property
    def cause(self) -> str:
        """Return what inputs with one cause have in common: the error and where it was raised."""
        lines = [line for line in self.why.strip().splitlines() if line.strip()]
        where = [line.strip() for line in lines if line.lstrip().startswith("File ")]
        return re.sub(r"[\d,.]+|'[^']*'|\"[^\"]*\"", "…", f"{lines[-1]:.160}") + " ".join(
            where[-1:]
        )


@dataclass
class Tally:
    """What became of a kind's inputs; of findings with one cause the first three."""

    inputs: int = 0
    accepted: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)

    def line(self, name: str) -> str:
        """Return the line of a table."""
        rate = self.inputs / max(self.seconds, 0.001)
        refused = self.inputs - self.accepted
        wrong = self.causes.total()
        return f"{name:20}{self.inputs:9}{self.accepted:9}{refused:9}{rate:9.0f}{wrong:7}"


HEADING = f"{'kind':20}{'inputs':>9}{'accepted':>9}{'refused':>9}{'a second':>9}{'wrong':>7}"


def fuzz(
    name: str, kind: Kind, numbers: range, seed: str, folder: Path, tally: Tally
) -> Iterator[Finding]:
    """Read some mutants of a kind, add them to a tally, and yield what is found anew."""
    for number in numbers:
        start = time.process_time()
        outcome = one(name, kind, seed, number, folder)
        if outcome.seconds > MOST_SECONDS:
            # What is slow once may have been imported, or drawn first.
            outcome = one(name, kind, seed, number, folder)
        tally.inputs += 1
        tally.accepted += outcome.accepted
        tally.seconds += time.process_time() - start
        if outcome.wrong:
            content = (folder / kind.name).read_bytes()
            finding = Finding(name, seed, number, outcome.wrong, content)
            tally.causes[finding.cause] += 1
            if tally.causes[finding.cause] <= _OF_ONE_CAUSE:
                tally.findings.append(finding)
                yield finding


def one(name: str, kind: Kind, seed: str, number: int, folder: Path) -> Outcome:
    """Read the mutant of a kind that a seed and a number make."""
    with _limited():
        return trial(kind, f"{seed} {name} {number}", folder)


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    stop_after(_TOO_LONG)
    try:
        yield
    finally:
        stop_after(0)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz.run", description=__doc__)
    parser.add_argument("count", type=int, help="how many inputs, divided over the kinds")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="makes the same inputs again")
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(KINDS))
    parser.add_argument("--only", action="store_true", help="read only the input of that number")
    given = parser.parse_args(arguments)
    names = given.kinds or [*KINDS]
    if unknown := {*names} - {*KINDS}:
        parser.error(f"no such kind: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    if given.only:
        return _again(names[0], given.seed, given.count)
    print(f"seed {given.seed}", flush=True)
    tallies = {name: Tally() for name in names}
    # What stops it is Ctrl-C or `kill`: what was read until then is told.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        _rounds(tallies, given.count, given.seed)
    print("\n".join([HEADING, *(tally.line(name) for name, tally in tallies.items())]))
    return int(any(tally.findings for tally in tallies.values()))


def _rounds(tallies: Mapping[str, Tally], count: int, seed: str) -> None:
    """Read so many mutants in all, some of each kind in turn, and print what is found."""
    weights = {name: KINDS[name].weight for name in tallies}
    rounds = math.ceil(count / _ROUND)
    shares = {name: math.ceil(count * of / sum(weights.values())) for name, of in weights.items()}
    with tempfile.TemporaryDirectory(prefix="kit-fuzz-") as folder:
        for number in range(rounds):
            for name, tally in tallies.items():
                numbers = range(*(shares[name] * n // rounds for n in (number, number + 1)))
                for found in fuzz(name, KINDS[name], numbers, seed, Path(folder), tally):
                    print(_kept(found), flush=True)
            done = sum(tally.inputs for tally in tallies.values())
            print(f"{done:,} of {count:,} read", file=sys.stderr, flush=True)


def _again(name: str, seed: str, number: int) -> int:
    with tempfile.TemporaryDirectory(prefix="kit-fuzz-") as folder:
        outcome = one(name, KINDS[name], seed, number, Path(folder))
        print((Path(folder) / KINDS[name].name).read_bytes()[:20_000].decode(errors="replace"))
    print(outcome.wrong or ("accepted" if outcome.accepted else "refused"))
    return int(bool(outcome.wrong))


def _kept(found: Finding) -> str:
    """Keep a wrong input, and return what is said of it."""
    folder = Path(tempfile.gettempdir()) / "kit-fuzz" / found.seed
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.kind}-{found.number}"
    path.write_bytes(found.content)
    again = f"python -m tests.fuzz.run {found.number} {found.kind} --seed {found.seed} --only"
    return f"  {path}\n  {again}\n    {found.cause}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
