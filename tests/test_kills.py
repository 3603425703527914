"""Commands that are ended when they are about to change something, and run again."""

import hashlib
import json
import re
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers import paths
from helpers.studies.load import load_study
from helpers.studies.study import names, open_study
from tests.conftest import finding, trivy
from tests.support import fleets, killed, package_lists, series
from tests.support import image_archives as images
from tests.support.studies import write_study

STUDY = "blog-2022"


class Case(NamedTuple):
    """A command, what has to be made anew before it, and what it has made when it is right."""

    command: tuple[object, ...]
    prepare: Callable[[], object] = lambda: None
    made: Callable[[], object] = lambda: None


def a_capture(work: Path, db: Path) -> Case:
    report, archive = a_report(work), images.docker_save(work / "one.tar", root("one"))
    write_study(paths.data(), app=f'report = "{report}"', web=f'archive = "{archive}"')
    return Case(("capture", "mine", "--db", db, "--fresh"), made=lambda: variants("mine"))


def a_gate(work: Path, db: Path) -> Case:
    output = work / "gate.md"
    pair = [images.docker_save(work / f"{n}.tar", root("one", "two"[:n])) for n in (2, 3)]
    command = ("gate", *pair, "--fail-on", "none", "--db", db, "--output", output)
    return Case(command, lambda: output.unlink(missing_ok=True), output.read_bytes)


def a_history(work: Path, _: Path) -> Case:
    for day in range(1, 4):
        for name in ("app", "web"):
            path = work / "kept" / f"2024-01-{day:02}" / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(trivy(finding(day))))
    return Case(("history", "kept", "--from", work / "kept"), no(paths.study("kept")), evidence)


def a_prune(*_: Path) -> Case:
    def prepare() -> None:
        no(paths.study("series"))()
        series.make(paths.data(), 9, 2)

    command = ("prune", "series", "--keep", "month")
    return Case(command, prepare, lambda: open_study("series").captures())


def a_risk(work: Path, _: Path) -> Case:
    kev = work / "kev.json"
    entry = {"cveID": "CVE-2024-0001", "dateAdded": "2024-02-01"}
    about = {"catalogVersion": "2024.02.01", "dateReleased": "2024-02-01T00:00:00Z", "count": 1}
    kev.write_text(json.dumps({**about, "vulnerabilities": [entry]}))

    def prepare() -> None:
        for path in paths.study(STUDY).glob("*/exploitation.json"):
            path.unlink()

    return Case(("risk", STUDY, "--kev", kev), prepare)


def a_pruned_cache(*_: Path) -> Case:
    place = paths.images_cache() / "sha256"

    def prepare() -> None:
        place.mkdir(parents=True, exist_ok=True)
        for number in range(5):
            (place / f"{number:064}").write_bytes(b"x")

    return Case(("cache", "--prune"), prepare, lambda: [*place.iterdir()])


def a_captured_fleet(work: Path, db: Path) -> Case:
    archives = [images.docker_save(work / f"{n}.tar", root("one", "two"[:n])) for n in (1, 2, 3)]
    (work / "list").write_text("\n".join(map(str, archives)))
    fleet = paths.fleet("mine")
    command = ("fleet", "capture", work / "list", "--name", "mine", "--db", db)
    return Case(command, no(fleet), lambda: package_lists.content(fleet))


def a_read_fleet(work: Path, _: Path) -> Case:
    command = ("fleet", "run", fleets.reports(work / "many", 6), "--name", "many")
    return Case(command, no(paths.fleet("many")), lambda: tables("many"))


def a_comparison(work: Path, db: Path) -> Case:
    report = a_report(work)
    sources = (f"one={report}", f"two={report}", "--study", "both", "--db", db)
    return Case(("compare", *sources), no(paths.study("both")))


CASES = (
    (a_capture, "kill"),
    (a_capture, "full"),
    (a_capture, "readonly"),
    (a_gate, "kill"),
    (a_gate, "full"),
    (a_history, "kill"),
    (a_prune, "kill"),
    (a_risk, "kill"),
    (a_pruned_cache, "kill"),
    (a_captured_fleet, "kill"),
    (a_captured_fleet, "full"),
    (a_read_fleet, "kill"),
    (a_comparison, "kill"),
)


@pytest.mark.usefixtures("trivy_on_path")
@pytest.mark.parametrize(("make", "fault"), CASES)
def test_what_was_recorded_stays_and_the_next_run_is_right(
    make: Callable[[Path, Path], Case],
    fault: str,
    empty_data: Path,
    tmp_path: Path,
    db: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (empty_data / "cache").unlink()
    shutil.copytree(paths.ROOT / "data" / "studies" / STUDY, paths.study(STUDY))
    case = make(tmp_path, db)
    case.prepare()
    changes, expected = killed.changes(*case.command, fault=fault), case.made()
    case.prepare()
    before = evidence()
    done = killed.run(changes * 2 // 3, *case.command, fault=fault)
    check_ended(done.returncode, done.stderr, fault)
    check_recorded(before)
    again = killed.run(0, *case.command)
    # What was written before it was killed is not added twice.
    assert again.returncode == 0 or "has KEV of" in again.stderr, again.stderr
    check_recorded(before)
    assert case.made() == expected
    assert left() == []


def check_ended(status: int, told: str, fault: str) -> None:
    """Check how a command ended: killed, or with an error that says where and what to do."""
    if fault == "kill":
        assert status == -signal.SIGKILL, (status, told)
        return
    assert status in (0, 1, 2), (status, told)
    assert "Traceback" not in told, told
    if status:
        full = "disk is full|No space left|must stay free"
        problem = full if fault == "full" else "ead-only file system"
        assert re.search(f"{problem}|temporary directory", told), told
        # Trivy's own error stands below that of the kit.
        assert "/" in told[told.index("Error: ") :], told
        assert re.search("[Ff]ree some space|KIT_DATA|TMPDIR|Pass another file", told), told


def check_recorded(before: dict[str, str]) -> None:
    """Check that captures are as they were, or went as a whole, and that new ones are whole."""
    after = evidence()
    captures = {Path(path).parents[1 if "capture.json" not in path else 0] for path in after}
    for path, digest in before.items():
        is_there = any(Path(path).is_relative_to(capture) for capture in captures)
        assert after.get(path, "" if is_there else digest) == digest, path
    for name in {
        Path(path).relative_to(paths.studies()).parts[0] for path in after.keys() - before
    }:
        statuses = load_study(name, "all").images["status"]
        assert not statuses.isin(["failed", "missing"]).any(), (name, [*statuses])


def evidence() -> dict[str, str]:
    """The digest of every file of every capture that a reader sees."""
    return {
        str(path): digest(path)
        for name in names()
        for capture in open_study(name).captures()
        for path in sorted(paths.capture(name, capture).rglob("*"))
        if path.is_file()
    }


def left() -> list[str]:
    """What ended commands left in the data folder and in that for temporary files."""
    found = [
        str(path.relative_to(paths.data()))
        for path in paths.data().rglob("*")
        if (path.name.startswith((".", "gate-")) or path.suffix == ".part") and path.name != ".lock"
    ]
    # Python itself tries with a file of four bytes whether the folder can be written.
    temporary = Path(tempfile.gettempdir()).iterdir()
    return found + [path.name for path in temporary if path.is_dir() or path.stat().st_size > 4]


def variants(study: str) -> dict[str, object]:
    """What the newest capture of a study has of each variant."""
    opened = open_study(study)
    newest = opened.captures()[-1]
    return {
        name: (
            one.status,
            one.error,
            sorted(p.name for p in paths.evidence(study, newest, name).iterdir()),
        )
        for name, one in opened.facts(newest).variants.items()
    }


def tables(run: str) -> dict[str, str]:
    """The digests of a run's tables, and the names of its other files, which are whole."""
    folder = paths.run(run)
    made: dict[str, str] = json.loads((folder / "run.json").read_text())["made"]
    assert {name: digest(folder / name) for name in made} == made
    return {name: told if name.endswith(".csv") else "" for name, told in made.items()}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def a_report(work: Path) -> Path:
    report = work / "report.json"
    report.write_text(json.dumps(trivy(finding(), finding(2))))
    return report


def root(*packages: str) -> bytes:
    """The files of an Alpine image with packages."""
    listed = "".join(f"P:{name}\nV:1.2.5-r0\nA:x86_64\n\n" for name in packages).encode()
    release = images.file("etc/os-release", b'ID=alpine\nVERSION_ID="3.23.0"\n')
    return images.tar(release, images.file("lib/apk/db/installed", listed))


def no(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)
