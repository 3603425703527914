"""Ends commands that write at moments by chance: what was recorded before stays as it was.

`python -m tests.support.kills [COUNT [SEED [FAULT [NAME…]]]]` does so in a temporary folder, with
the offline database of the folder that KIT_SHARED names. FAULT is `kill`, or from that moment on
the disk is `full` or `readonly`, or it is `small`: a real one that is full in the middle of a file,
for which root is needed. NAME is a command of `cases`, all of them if there is none. What commands
left on a daemon is looked for, too: it has to be there for this alone.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import docker
from docker.errors import DockerException

from helpers import paths
from helpers.studies.load import load_study
from helpers.studies.study import names, open_study
from tests.conftest import finding, trivy
from tests.support import fleets, killed, package_lists, registries, series
from tests.support import image_archives as images
from tests.support.studies import dockerfile, write_study

SLOW = ("compare", "fleet run", "live", "reproduce", "slides")
"""Commands that run notebooks."""

_LARGE = 2**22
"""Kilobytes of a disk that is large enough."""

SERVER = r"""FROM debian:trixie
COPY a.txt /
RUN echo 1 > /b.txt
EXPOSE 8080
CMD perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalPort => 8080); \
  while ($c = $s->accept) { print $c "HTTP/1.0 200 OK\r\n\r\n"; close $c }'
"""

NEEDS_BUILDKIT = "# syntax=docker/dockerfile:1\nFROM scratch\nCOPY --chmod=644 a.txt /\n"


class Case(NamedTuple):
    """A command, what has to be made anew before it, and what it has made when it is right."""

    command: tuple[object, ...]
    prepare: Callable[[], object] = lambda: None
    made: Callable[[], object] = lambda: None


def cases(work: Path, db: Path) -> dict[str, Case]:
    """Return the commands that write, by name; make what they need in a folder."""
    sbom = paths.ROOT / "data/studies/blog-2022/sources/node-8-alpine.cdx.json"
    report, kev, kept, output = (work / name for name in ("r.json", "kev.json", "kept", "output"))
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
    one = images.docker_save(work / "one.tar", _root("one"))
    two = images.docker_save(work / "two.tar", _root("one", "two"))
    sources = {"sbom": sbom, "report": report, "archive": one}
    write_study(paths.data(), **{kind: f'{kind} = "{path}"' for kind, path in sources.items()})
    (work / "list").write_text(f"{sbom}\n{one}\n{two}\n")
    many = fleets.reports(work / "many", 6)

    def unscored() -> None:
        for path in paths.study("blog-2022").glob("*/exploitation.json"):
            path.unlink()

    def new_series() -> None:
        _no(paths.study("series"))()
        series.make(paths.data(), 9, 2)

    def filled() -> None:
        place = paths.images_cache() / "sha256"
        place.mkdir(parents=True, exist_ok=True)
        for number in range(5):
            (place / f"{number:064}").write_bytes(b"x")

    offline = ("--db", db, "--fresh")
    gate = ("gate", sbom, one, "--fail-on", "none", "--db", db)
    return {
        "capture": Case(("capture", "mine", *offline), made=lambda: variants("mine")),
        "gate": Case(gate),
        "gate --output": Case(
            (*gate, "--output", output),
            lambda: output.unlink(missing_ok=True),
            output.read_bytes,
        ),
        "history": Case(
            ("history", "kept", "--from", kept),
            _no(paths.study("kept")),
            lambda: {path: digest for path, digest in evidence().items() if "/kept/" in path},
        ),
        "prune": Case(
            ("prune", "series", "--keep", "month"),
            new_series,
            lambda: open_study("series").captures(),
        ),
        "risk": Case(("risk", "blog-2022", "--kev", kev), unscored),
        "cache --prune": Case(("cache", "--prune"), filled, _cached),
        "fleet capture": Case(
            ("fleet", "capture", work / "list", "--name", "mine", "--db", db),
            _no(paths.fleet("mine")),
            lambda: scans(paths.fleet("mine")),
        ),
        "fleet run": Case(
            ("fleet", "run", many, "--name", "many"),
            _no(paths.fleet("many")),
            lambda: tables("many"),
        ),
        "reproduce": Case(("reproduce", "blog-2022"), made=lambda: tables("blog-2022")),
        "slides": Case(("slides", "blog-2022"), made=lambda: tables("blog-2022")),
        "compare": Case(("compare", f"one={report}", f"two={report}", "--study", "both", *offline)),
    }


def of_registry(work: Path, db: Path, registry: registries.Registry) -> dict[str, Case]:
    """Return the commands that ask a registry."""
    for tag, packages in (("1", ()), ("2", ("two",))):
        registry.image("app", _root("one"), _root(*packages), tag=tag)
    references = [f"{registry.host}/app:{tag}" for tag in "12"]
    write_study(
        paths.data(), "pulled", one=f'image = "{references[0]}"', two=f'image = "{references[1]}"'
    )
    (work / "references").write_text("\n".join(references))
    pinned = registry.database("trivy-db", "db", db / "db", "trivy.db")
    no_images = _no(paths.images_cache())

    def no_databases() -> None:
        for folder in _databases():
            shutil.rmtree(folder)

    return {
        "capture --from registry": Case(
            ("capture", "pulled", "--from", "registry", "--db", db, "--fresh"),
            no_images,
            lambda: (variants("pulled"), _cached()),
        ),
        "fleet capture of a registry": Case(
            ("fleet", "capture", work / "references", "--name", "pulled", "--db", db),
            lambda: (no_images(), _no(paths.fleet("pulled"))()),
            lambda: (scans(paths.fleet("pulled")), _cached()),
        ),
        "capture --db-repository": Case(
            ("capture", "mine", "--db-repository", pinned, "--fresh"),
            no_databases,
            lambda: sorted(path.name for folder in _databases() for path in folder.rglob("*")),
        ),
    }


def of_daemon(work: Path, db: Path) -> dict[str, Case]:
    """Return the commands that build on a daemon and start containers."""
    built = {
        name: dockerfile(work / "context" / name, text)
        for name, text in (("classic", SERVER), ("buildkit", NEEDS_BUILDKIT))
    }
    write_study(paths.data(), "built", **built, local='image = "debian:trixie"')
    write_study(paths.data(), "lively", classic=built["classic"])
    offline = ("--db", db, "--fresh")
    return {
        "capture of builds": Case(("capture", "built", *offline), made=lambda: variants("built")),
        "live": Case(("live", "lively", *offline), made=lambda: variants("lively")),
    }


def _no(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def _root(*packages: str) -> bytes:
    """The files of an Alpine image with packages."""
    listed = "".join(f"P:{name}\nV:1.2.5-r0\nA:x86_64\n\n" for name in packages).encode()
    release = images.file("etc/os-release", b'ID=alpine\nVERSION_ID="3.23.0"\n')
    return images.tar(release, images.file("lib/apk/db/installed", listed))


def _cached() -> list[str]:
    """The files of the cache of images, also unfinished ones."""
    return sorted(f"{each.parent.name}/{each.name}" for each in paths.images_cache().glob("*/*"))


def _databases() -> list[Path]:
    return [*(paths.data() / "cache").glob("trivy-*")]


def scans(fleet: Path) -> dict[str, object]:
    """Return the results of each image's scan."""
    found = package_lists.images(fleet)
    return {each["image"]: package_lists.results(fleet / each["scan"]) for each in found}


def variants(study: str) -> dict[str, object]:
    """Return what the newest capture of a study has of each variant."""
    opened = open_study(study)
    newest = opened.captures()[-1]
    return {
        name: (
            one.status,
            one.error,
            sorted(path.name for path in paths.evidence(study, newest, name).iterdir()),
        )
        for name, one in opened.facts(newest).variants.items()
    }


def tables(run: str) -> dict[str, str]:
    """Return the digests of a run's tables, and the names of its other files, which are whole."""
    folder = paths.run(run)
    made: dict[str, str] = json.loads((folder / "run.json").read_text())["made"]
    for name, digest in made.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    return {name: digest if name.endswith(".csv") else "" for name, digest in made.items()}


def end(
    case: Case,
    at: int,
    fault: str = "kill",
    expected: object = None,
    leftovers: Callable[[], list[str]] = lambda: left(),
) -> bool:
    """End a command at a change, run it again, and look at what is there; return if it was ended.

    `expected` is what it makes. What is wrong is an `AssertionError`.
    """
    case.prepare()
    before = evidence()
    if fault == "small":
        with _room(at):
            done = killed.run(0, *case.command)
    else:
        done = killed.run(at, *case.command, fault=fault)
    _check_ended(done, "full" if fault == "small" else fault)
    _compare(before, evidence())
    again = killed.run(0, *case.command)
    # What was written before it was killed is not added twice.
    assert again.returncode == 0 or "has KEV of" in again.stderr, again.stderr
    _compare(before, evidence())
    if expected is not None:
        assert (made := case.made()) == expected, f"it made {made}, not {expected}"
    new = {Path(path).relative_to(paths.studies()).parts[0] for path in evidence().keys() - before}
    for name in new:
        statuses = load_study(name, open_study(name).captures()[-1]).images["status"]
        assert not statuses.isin(["failed", "missing"]).any(), (name, [*statuses])
    assert not (found := leftovers()), f"left: {found}"
    return done.returncode != 0


@contextlib.contextmanager
def _room(kilobytes: int) -> Iterator[None]:
    """Leave so much room on the disk of this run, for as long as the block runs."""
    disk = paths.data().parent
    used = shutil.disk_usage(disk).used // 1024
    _resize(disk, used + kilobytes)
    try:
        yield
    finally:
        _resize(disk, _LARGE)


def _resize(disk: Path, kilobytes: int) -> None:
    options = f"remount,size={kilobytes}k"
    subprocess.run(["mount", "--options", options, str(disk)], check=True)


def _needed(case: Case) -> int:
    """Run a command; return how many kilobytes more than before were in use at any time."""
    disk = paths.data().parent
    before = most = shutil.disk_usage(disk).used
    ended = threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(0.005):
            most = max(most, shutil.disk_usage(disk).used)

    looking = threading.Thread(target=look)
    looking.start()
    killed.changes(*case.command)
    ended.set()
    looking.join()
    return (most - before) // 1024 + 1


def _check_ended(done: subprocess.CompletedProcess[str], fault: str) -> None:
    """Check how a command ended: killed, or with an error that says where and what to do."""
    status, told = done.returncode, done.stderr
    if fault == "kill":
        assert status in (0, -signal.SIGKILL), (status, told)
        return
    assert status in (0, 1, 2), (status, told)
    assert "Traceback" not in told, told
    if status:
        full = "disk is full|No space left|that stay free"
        problem = full if fault == "full" else "ead-only file system"
        assert re.search(f"{problem}|temporary directory", told), told
        # Trivy's own error stands below that of the kit.
        assert "/" in told[told.index("Error: ") :], told
        assert re.search("[Ff]ree some space|KIT_DATA|TMPDIR|Name another file", told), told


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
    """Return what ended commands left in the data folder and in that for temporary files."""
    found = [
        str(path.relative_to(paths.data()))
        for path in paths.data().rglob("*")
        if (path.name.startswith((".", "gate-")) or path.suffix == ".part") and path.name != ".lock"
    ]
    # Python itself tries with a file of four bytes whether the folder can be written.
    temporary = Path(tempfile.gettempdir()).iterdir()
    return found + [path.name for path in temporary if path.is_dir() or path.stat().st_size > 4]


def on_daemon() -> list[str]:
    """Return the containers, networks, volumes and untagged images on a daemon."""
    with contextlib.suppress(DockerException), contextlib.closing(docker.from_env()) as client:
        own = ("bridge", "host", "none")
        networks = [each for each in client.networks.list() if each.name not in own]
        others = [*client.containers.list(all=True), *client.volumes.list(), *networks]
        untagged = client.images.list(filters={"dangling": True})
        return [f"{type(each).__name__} {each.id}" for each in (*others, *untagged)]
    return []


def _compare(before: dict[str, str], after: dict[str, str]) -> None:
    captures = {Path(path).parents[1 if "capture.json" not in path else 0] for path in after}
    for path, digest in before.items():
        # A capture that is pruned goes as a whole.
        is_there = any(Path(path).is_relative_to(capture) for capture in captures)
        assert after.get(path, "" if is_there else digest) == digest, path


def main(arguments: Sequence[str]) -> None:
    """End commands so many times, and print what happened."""
    count = int(arguments[0]) if arguments else 60
    seed = int(arguments[1]) if len(arguments) > 1 else random.randrange(10**6)
    fault = arguments[2] if len(arguments) > 2 else "kill"
    print(f"{count} times, seed {seed}, {fault}", flush=True)
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if fault == "small":
            subprocess.run(["mount", "-t", "tmpfs", "none", str(work)], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(work)], check=True)
            _resize(work, _LARGE)
        for name in ("data", "tmp", "home", "registry"):
            (work / name).mkdir()
        registry = None
        if shutil.which("docker-registry"):
            registry = stack.enter_context(registries.serving(work / "registry"))
        killed.adopt()
        killed.warm_up()
        tempfile.tempdir = str(work / "tmp")
        os.environ |= {"KIT_DATA": str(work / "data"), "TMPDIR": str(work / "tmp")}
        os.environ |= {"KIT_EPSS": "none", "KIT_KEV": "none", "HOME": str(work / "home")}
        shared = Path(os.environ.get("KIT_SHARED") or paths.ROOT.parent / "shared")
        found = cases(work, shared / "vulndb")
        if registry:
            found |= of_registry(work, shared / "vulndb", registry)
        with contextlib.suppress(DockerException):
            docker.from_env().close()
            found |= of_daemon(work, shared / "vulndb")
        _end_all({name: found[name] for name in arguments[3:] or found}, count, seed, fault)
        print("home:", sorted(path.name for path in (work / "home").iterdir()))
        tempfile.tempdir = None


def _end_all(found: dict[str, Case], count: int, seed: int, fault: str) -> None:
    """End commands so many times; print each, and how many moments there were."""

    def leftovers() -> list[str]:
        return [*left(), *on_daemon(), *killed.orphans()]

    choose, began, wrong = random.Random(seed), time.monotonic(), 0
    times, moments = Counter[str](), defaultdict[str, set[int]](set)
    known: dict[str, int] = {}
    unit = "kB" if fault == "small" else "changes"
    expected: dict[str, object] = {}
    for name, case in found.items():
        case.prepare()
        if fault == "small":
            known[name] = _needed(case)
        else:
            known[name] = killed.changes(*case.command, fault=fault)
        expected[name] = case.made()
        print(f"{name}: {known[name]} {unit}", *leftovers(), flush=True)
    weighed = [name for name in found for _ in range(1 if name in SLOW else 4)]
    for number in range(1, count + 1):
        name = choose.choice(weighed)
        at = choose.randint(unit == "changes", known[name])
        print(f"{number}: {name} at {at} {unit}", flush=True)
        try:
            times[name] += end(found[name], at, fault, expected[name], leftovers)
        except Exception:
            print("WRONG")
            wrong += 1
            traceback.print_exc(file=sys.stdout)
        moments[name].add(at)
    for name in found:
        print(f"{name:28} {times[name]:4} at {len(moments[name])} of {known[name]} {unit}")
    print(f"{count}, {wrong} wrong, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
