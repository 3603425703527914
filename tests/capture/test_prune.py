"""A series is thinned without losing the first and last of anything, whole or not at all."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from helpers.capture import prune
from helpers.studies.study import Captured, Database, Facts, Study, Variant, open_study
from tests.support import series
from tests.support.command_line import run


def made(day: int, image: str = "a", db: int = 0, scanner: str = "1", status: str = "scanned"):
    """What is recorded of a capture of one image."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    variants = {"app": Captured(status, "image", identity=image)}
    known = Database(updated_at=at + timedelta(db))
    return Facts("s", f"{day:03}", at + timedelta(day), "0", "trivy", scanner, known, variants)


def kept(facts: list[Facts], keep: str = "month", default: str = "") -> list[str]:
    """The days that stay."""
    about = Study("t", "q", "a", [Variant("app", image="app")], default, name="s")
    stays = prune.staying(about, facts, keep)
    return [name.lstrip("0") or "0" for name in (f.capture for f in facts) if name in stays]


def test_the_first_and_last_of_each_image_stay() -> None:
    assert kept([made(day, "aaabbbaaa"[day]) for day in range(9)]) == ["0", "2", "3", "5", "6", "8"]


def test_a_failed_variant_neither_begins_nor_ends_an_image() -> None:
    facts = [
        made(day, "aaaaa"[day], status="failed" if day == 2 else "scanned") for day in range(5)
    ]
    assert kept(facts) == ["0", "4"]


@pytest.mark.parametrize(
    ("keep", "stay"),
    [
        ("day", [*range(14)]),
        ("week", [0, 6, 7, 13]),
        ("month", [0, 13]),
    ],
)
def test_the_first_and_last_of_each_database_stay(keep: str, stay: list[int]) -> None:
    # The first is of a Monday.
    assert kept([made(day, db=day) for day in range(14)], keep) == [*map(str, stay)]


def test_another_scanner_and_the_default_stay() -> None:
    facts = [made(day, scanner="1" if day < 4 else "2") for day in range(9)]
    assert kept(facts, default="006") == ["0", "3", "4", "6", "8"]


def test_lists_of_packages_are_known_by_their_packages(empty_data: Path) -> None:
    """Their digests change each time that they are written."""
    about = series.make(empty_data, 8, 1, study="s")
    facts = [open_study("s").facts(name) for name in about.captures]
    variant = facts[0].variants["nodejs-alpine"]
    for number, each in enumerate(facts):
        changed = Captured(variant.status, "report", identity=f"sha256:{number}")
        each.variants["nodejs-alpine"] = changed
    stays = prune.staying(open_study("s"), facts, "month")
    assert about.images["nodejs-alpine"] == []
    assert stays == {about.captures[0], about.captures[-1], about.scanner, before(about)}


def before(about: series.Series) -> str:
    return about.captures[about.captures.index(about.scanner) - 1]


def test_it_says_what_would_go_and_frees_what_it_said(empty_data: Path) -> None:
    names = series.make(empty_data, 20, 3).captures
    said = run("prune", "series", "--keep", "month", "--dry-run")
    assert open_study("series").captures() == names
    size = used(empty_data)
    done = run("prune", "series", "--keep", "month")
    left = open_study("series").captures()
    gone = [name for name in names if name not in left]
    assert gone
    told = said.stdout.replace("would go", "removed ").replace("would free", "freed")
    assert told == done.stdout
    assert [line.split()[-1] for line in done.stdout.splitlines()[:-1]] == gone
    freed = f"{(size - used(empty_data)) / 1000:,.0f} kB"
    assert freed in done.stdout


def used(folder: Path) -> int:
    """The bytes of all files, each once."""
    files = {(s.st_ino, s.st_size) for p in folder.rglob("*.*") if (s := p.stat()) and p.is_file()}
    return sum(size for _, size in files)


def test_two_at_once_take_turns(empty_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = series.make(empty_data, 20, 3).captures
    staying, second = prune.staying, list[prune.Pruned]()
    other = threading.Thread(target=lambda: second.append(prune.prune("series", "day")))

    def beside(*arguments: Any) -> set[str]:
        if not other.ident:
            other.start()
            other.join(1)
        return staying(*arguments)

    monkeypatch.setattr(prune, "staying", beside)
    first = prune.prune("series", "month")
    other.join()
    left = open_study("series").captures()
    assert sorted([*first.gone, *second[0].gone, *left]) == names
    assert (first.kept, second[0].kept) == (len(names) - len(first.gone), len(left))
