"""Kills commands that write at moments by chance: what was recorded before stays as it was.

`python -m tests.support.kills [COUNT [SEED]]` does so in a temporary folder, with the offline
database of the folder that KIT_SHARED names.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers import paths
from helpers.studies.load import load_study
from helpers.studies.study import names, open_study
from tests.conftest import finding, trivy
from tests.support import killed, series

SLOW = ("compare", "reproduce", "slides")
"""Commands that run notebooks."""


class Case(NamedTuple):
    """A command, and what has to be made anew before it."""

    command: tuple[object, ...]
    prepare: Callable[[], None] = lambda: None


def cases(work: Path, db: Path) -> dict[str, Case]:
    """Return the commands that write, by name; make what they need in a folder."""
    sbom = paths.ROOT / "data/studies/blog-2022/sources/node-8-alpine.cdx.json"
    report, kev, kept = work / "report.json", work / "kev.json", work / "kept"
    report.write_text(json.dumps(trivy(finding(), finding(2))))
    entry = {"cveID": "CVE-2024-0001", "dateAdded": "2024-02-01"}
    about = {"catalogVersion": "2024.02.01", "dateReleased": "2024-02-01T00:00:00Z", "count": 1}
    kev.write_text(json.dumps({**about, "vulnerabilities": [entry]}))
    for day in range(1, 6):
        for name in ("app", "web"):
            path = kept / f"2024-01-{day:02}" / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(trivy(finding(day))))
    shutil.copytree(paths.ROOT / "data" / "studies", paths.studies())
    _write_study("mine", f'sbom = "{sbom}"', f'report = "{report}"')

    def unscored() -> None:
        for path in paths.study("blog-2022").glob("*/exploitation.json"):
            path.unlink()

    def no_study(name: str) -> Callable[[], None]:
        return lambda: shutil.rmtree(paths.study(name), ignore_errors=True)

    def new_series() -> None:
        no_study("series")()
        series.make(paths.data(), 9, 2)

    offline = ("--db", db, "--fresh")
    return {
        "capture": Case(("capture", "mine", *offline)),
        "gate": Case(("gate", sbom, sbom, "--fail-on", "none", "--db", db)),
        "history": Case(("history", "kept", "--from", kept), no_study("kept")),
        "prune": Case(("prune", "series", "--keep", "month"), new_series),
        "risk": Case(("risk", "blog-2022", "--kev", kev), unscored),
        "reproduce": Case(("reproduce", "blog-2022")),
        "slides": Case(("slides", "blog-2022")),
        "compare": Case(("compare", f"one={report}", f"two={report}", "--study", "both", *offline)),
    }


def kill(case: Case, at: int) -> bool:
    """Kill a command at a change, run it again, and look at what is there; return if it was killed.

    What is wrong is an `AssertionError`.
    """
    case.prepare()
    before = evidence()
    done = killed.run(at, *case.command)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    _compare(before, evidence())
    again = killed.run(0, *case.command)
    # What was written before it was killed is not added twice.
    assert again.returncode == 0 or "has KEV of" in again.stderr, again.stderr
    _compare(before, evidence())
    for name in names():
        if open_study(name).captures():
            assert load_study(name, "all").images["status"].eq("scanned").all(), name
    assert not left(), f"left: {left()}"
    return done.returncode != 0


def evidence() -> dict[str, str]:
    """Return the digest of every file of every capture that a reader sees."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in names()
        for capture in open_study(name).captures()
        for path in sorted(paths.capture(name, capture).rglob("*"))
        if path.is_file()
    }


def left() -> list[str]:
    """Return what killed commands left, in studies, runs and the folder for temporary files."""
    patterns = ("runs/.*", "studies/*/.*", "studies/*/*/.*", "studies/gate-*", "cache/**/*.part")
    places = map(paths.data().glob, patterns)
    found = [path.name for place in places for path in place]
    # Python itself tries with a file of four bytes whether the folder can be written.
    temporary = Path(tempfile.gettempdir()).iterdir()
    return found + [path.name for path in temporary if path.is_dir() or path.stat().st_size > 4]


def _compare(before: dict[str, str], after: dict[str, str]) -> None:
    captures = {Path(path).parents[1 if "capture.json" not in path else 0] for path in after}
    for path, digest in before.items():
        # A capture that is pruned goes as a whole.
        is_there = any(Path(path).is_relative_to(capture) for capture in captures)
        assert after.get(path, "" if is_there else digest) == digest, path


def _write_study(name: str, *sources: str) -> None:
    text = 'title = "t"\nquestion = "q?"\nabout = "a"\n'
    for number, source in enumerate(sources):
        text += f'[[variants]]\nname = "v{number}"\n{source}\n'
    paths.study(name).mkdir(parents=True)
    (paths.study(name) / "study.toml").write_text(text)


def main(arguments: Sequence[str]) -> None:
    """Kill commands so many times, and print what happened."""
    count = int(arguments[0]) if arguments else 60
    seed = int(arguments[1]) if len(arguments) > 1 else random.randrange(10**6)
    print(f"{count} kills, seed {seed}")
    choose, total, began = random.Random(seed), Counter[str](), time.monotonic()
    shared = Path(os.environ.get("KIT_SHARED") or paths.ROOT.parent / "shared")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("data", "tmp"):
            (work / name).mkdir()
        tempfile.tempdir = str(work / "tmp")
        os.environ |= {"KIT_DATA": str(work / "data"), "TMPDIR": str(work / "tmp")}
        os.environ |= {"KIT_EPSS": "none", "KIT_KEV": "none"}
        found = cases(work, shared / "vulndb")
        known: dict[str, int] = {}
        for name, case in found.items():
            case.prepare()
            known[name] = killed.changes(*case.command)
        print("changes:", known)
        weighed = [name for name in found for _ in range(1 if name in SLOW else 3)]
        while sum(total.values()) < count:
            name = choose.choice(weighed)
            at = choose.randint(1, known[name])
            print(f"{sum(total.values()) + 1}: {name} at change {at}")
            try:
                total[name] += kill(found[name], at)
            except AssertionError:
                print("WRONG")
                traceback.print_exc(file=sys.stdout)
                total[name] += 1
        tempfile.tempdir = None
    print(f"{dict(total)} in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
