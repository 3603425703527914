"""What tests share: the recorded evidence, a copy of it to spoil, and outside material if any."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pandas as pd
import pytest
from docker.errors import DockerException
from hypothesis import HealthCheck, settings

from helpers import frames, paths
from helpers.building import buildx
from helpers.containers.daemon import Daemon, connect
from helpers.errors import DaemonUnavailable, KitError
from helpers.frames import Frames
from helpers.images import file_owners, image_rows
from helpers.images.file_inventory import File
from helpers.studies.load import load_reports, load_study
from helpers.studies.study import names as study_names
from tests.support import clock
from tests.support import standins as made_standins
from tests.support.builds import Builder
from tests.support.live import unless_live
from tests.support.registries import Registry, serving

STUDY = "blog-2022"

# How long an example takes says more about the machine than about the kit. A failing one is printed
# so that it can be tried elsewhere, and what a fixture makes is the same for all. `make test` tries
# the same examples each time; `make test-all` others too (`--hypothesis-profile random`).
settings.register_profile(
    "random",
    max_examples=200,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile(
    "fixed", settings.get_profile("random"), derandomize=True, max_examples=30
)
settings.load_profile("fixed")

OUTSIDE = {
    *("daemon", "client", "office", "shared", "registry_here", "registry_secured"),
    *("hostile_run", "presented", "small", "opened"),
}
"""Fixtures for which a test is slow: programs and files from outside, full runs, a cluster."""

ALONE = ("finished", "presented", "hostile_run")
"""Fixtures that take long to make: what needs one is tested by one process."""

# Tests stop the kit by signals. Who starts tests with `nohup` or `&` ignores some of these, and
# each process would inherit that: a test would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Before anything runs: processes that tests start have this day too.
clock.stop()
# No test asks the publishers of EPSS and KEV, unless it says so.
os.environ.update(KIT_EPSS="none", KIT_KEV="none")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and say which tests go to one process where several test side by side.

    What is built and captured on the daemon is so in one process. What takes longest comes first.
    """
    tests = Path(__file__).parent
    groups = {}
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        folder = item.path.relative_to(tests).parts[0] if item.path.is_relative_to(tests) else ""
        if needed & OUTSIDE or folder in ("browser", "fuzz", "live"):
            item.add_marker("slow")
        alone = [name for name in ALONE if name in needed]
        given = item.get_closest_marker("xdist_group")
        if needed & {"daemon", "client"}:
            group = "live" if folder == "live" else "daemon"
        elif given:
            group = given.args[0]
        else:
            group = alone[0] if alone else item.nodeid.partition("::")[0]
        if not given:
            item.add_marker(pytest.mark.xdist_group(group))
        groups[item.nodeid] = group
    items.sort(key=lambda item: groups[item.nodeid].endswith(".py"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in a few lines what was skipped and why."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
    )
    if reasons:
        terminalreporter.section("skipped")
    for reason, count in reasons.most_common(8):
        terminalreporter.write_line(f"{count:5} {reason}")
    if len(reasons) > 8:
        terminalreporter.write_line(f"      and {len(reasons) - 8} more reasons")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name no test by bytes, which may have the time in them, nor by texts that nobody reads.

    Each process has to find the same names.
    """
    is_long = isinstance(val, str) and len(val) > 200
    return argname if is_long or isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with other projects' reports, the source material and the offline DB."""
    folder = Path(os.environ.get("KIT_SHARED") or paths.ROOT.parent / "shared")
    if not (folder / "corpus" / "index.tsv").is_file():
        unless_live("there is no folder with corpus/, evidence/ and vulndb/ (KIT_SHARED names it)")
    return folder


@pytest.fixture(scope="session")
def trivy_on_path() -> None:
    """Trivy is beside this Python where tests are installed; its folder may not be on the PATH."""
    beside = Path(sys.executable).parent
    if (beside / "trivy").exists():
        os.environ["PATH"] = f"{beside}{os.pathsep}{os.environ['PATH']}"
    if not shutil.which("trivy"):
        unless_live("trivy is not installed")


@pytest.fixture(scope="session")
def daemon() -> Daemon:
    """A real Docker daemon."""
    try:
        return connect()
    except DaemonUnavailable as error:
        unless_live(str(error))
        raise


@pytest.fixture(scope="session")
def with_buildx(daemon: Daemon) -> None:
    """BuildKit can be used."""
    if not buildx.version():
        unless_live("docker buildx is not installed")


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    """Docker's own client, for what tests ask past the kit."""
    try:
        connected = docker.from_env()
        connected.ping()
    except DockerException as error:
        unless_live(f"no Docker daemon answers ({error})")
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def standins(daemon: Daemon) -> list[str]:
    """Names of bases made from packages, as stand-ins for images of registries."""
    if not daemon.find("debian:trixie"):
        unless_live("there is no debian:trixie on the daemon to make the other bases from")
    try:
        return made_standins.made(daemon)
    except KitError as error:
        unless_live(f"the bases of the tests cannot be built here: {error}")
        raise


@pytest.fixture(scope="session")
def db(shared: Path) -> Path:
    """The folder of the offline vulnerability DB."""
    return shared / "vulndb"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of all data folders of tests: each layer is gzipped once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def empty_data(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder without studies."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cache").symlink_to(cache)
    monkeypatch.setenv("KIT_DATA", str(folder))
    return folder


@pytest.fixture
def data(empty_data: Path) -> Path:
    """A data folder with a copy of the recorded studies."""
    shutil.copytree(paths.ROOT / "data" / "studies", empty_data / "studies")
    return empty_data


@pytest.fixture(scope="session")
def blog() -> Frames:
    """The default capture of the blog's study."""
    return load_study(STUDY)


@pytest.fixture(scope="session")
def both() -> Frames:
    """Both captures of the blog's study."""
    return load_study(STUDY, "all")


def kit(data: Path, *arguments: str, cwd: Path | None = None) -> str:
    """Run a command over a data folder; return what it prints."""
    command = [sys.executable, "-m", "helpers", *arguments]
    environment = {**os.environ, "KIT_DATA": str(data)}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the blog's study that `make reproduce` leaves, made from another folder."""
    folder = tmp_path_factory.mktemp("elsewhere")
    data = folder / "data"
    data.mkdir()
    (data / "studies").symlink_to(paths.ROOT / "data" / "studies")
    assert "report   data/runs/blog-2022/report.html" in kit(data, "reproduce", cwd=folder)
    return data / "runs" / "blog-2022"


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a study whose files, packages and words are hostile."""
    from tests.support import hostile

    data = tmp_path_factory.mktemp("hostile") / "data"
    shutil.copytree(paths.ROOT / "data" / "studies", data / "studies")
    hostile.spoil(data)
    kit(data, "reproduce", "rebuilt-2026")
    return data / "runs" / "rebuilt-2026"


@pytest.fixture(scope="session")
def presented(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the slides of a study once, with parameters; returns the run's folder.

    A study is recorded, or is one of those that `strange` writes.
    """
    from helpers.capture.session import capture
    from helpers.runs import run_folder
    from tests.support import strange

    data = tmp_path_factory.mktemp("presented") / "data"
    (data / "studies").mkdir(parents=True)
    recorded = study_names()
    for one in recorded:
        (data / "studies" / one).symlink_to(paths.ROOT / "data" / "studies" / one)

    def present(name: str, **given: str) -> Path:
        run = data / "runs" / run_folder.name(name, given)
        if run.exists():
            return run
        if name not in recorded:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("KIT_DATA", str(data))
                capture(getattr(strange, name)(data))
        kit(data, "slides", name, *(f"--param={key}={value}" for key, value in given.items()))
        return run

    return present


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a report: bytes as they are, anything else as JSON."""

    def written(content: Any, name: str = "report.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return written


def finding(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A finding as Trivy writes it."""
    return {
        "VulnerabilityID": f"CVE-2024-{number:04d}",
        "PkgName": "openssl",
        "InstalledVersion": "3.0.1",
        "Severity": "HIGH",
        **fields,
    }


def trivy(*findings: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A report of one image as Trivy writes it."""
    result = {"Target": "app (debian 12.1)", "Class": "os-pkgs", "Type": "debian"}
    return {
        "SchemaVersion": 2,
        "ArtifactName": "app:latest",
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "12.1"}},
        "Results": [{**result, "Vulnerabilities": list(findings)}],
        **fields,
    }


def suppressing(report: dict[str, Any], *found: dict[str, Any]) -> dict[str, Any]:
    """A report of Trivy's in which a document suppresses some findings as well."""
    report["Results"][0]["ExperimentalModifiedFindings"] = [
        {
            "Type": "vulnerability",
            "Status": "not_affected",
            "Statement": "component_not_present",
            "Source": "vex.json",
            "Finding": each,
        }
        for each in found
    ]
    return report


@pytest.fixture
def frames_of(write: Write) -> Iterator[Callable[..., Frames]]:
    """Loads reports given by variant name."""

    def loaded(**reports: Any) -> Frames:
        return load_reports([write(content, f"{name}.json") for name, content in reports.items()])

    return loaded


def missing_image(images: pd.DataFrame, variant: str) -> pd.DataFrame:
    """The images and one more, of which there is no report."""
    row = images.iloc[[0]].assign(variant=variant, status="missing", scanner_version=None)
    return pd.concat([images, row], ignore_index=True)


def files_of(*listed: File, variant: str = "app", capture: str = "") -> pd.DataFrame:
    """The frame `files` of one image's inventory."""
    owned = file_owners.of(list(listed))
    return frames.make("files", image_rows.files(variant, capture, owned))


def file(path: str, size: int = 1, **fields: Any) -> File:
    """A row of an inventory: a regular file of root's, readable by all, in the lowest layer."""
    told = {"kind": "file", "mode": 0o644, "uid": 0, "gid": 0, "layer": 0, **fields}
    return File(path, size_bytes=size, **told)


def program(path: str, size: int = 1, **fields: Any) -> File:
    """An ELF program that anybody may start."""
    return file(path, size, **{"mode": 0o755, "elf": "executable", **fields})


def link(path: str, target: str, **fields: Any) -> File:
    """A symbolic link."""
    return file(path, 0, **{"kind": "symlink", "mode": 0o777, "target": target, **fields})


def image_of(variant: str = "app", **fields: Any) -> pd.DataFrame:
    """The frame `images` with one that was scanned."""
    told = {"variant": variant, "capture": "", "status": "scanned", **fields}
    return frames.make("images", {name: [value] for name, value in told.items()})


def packages_of(*listed: dict[str, Any]) -> pd.DataFrame:
    """The frame `packages` of one image; each an OS package unless it says otherwise."""
    default = {"variant": "app", "capture": "", "package_class": "os-pkgs", "place": "os"}
    full = [{**default, **package} for package in listed]
    names = frames.columns("packages")
    return frames.make("packages", {name: [p.get(name) for p in full] for name in names})


def layers_of(*listed: tuple[int, str, bool | None]) -> pd.DataFrame:
    """The frame `layers` of one image: bytes, instruction and whether the base has it, of each."""
    sizes, texts, of_base = zip(*listed, strict=True) if listed else ((), (), ())
    columns = {
        "variant": ["app"] * len(listed),
        "capture": [""] * len(listed),
        "position": list(range(len(listed))),
        "size_bytes": sizes,
        "created_by": texts,
        "from_base": of_base,
    }
    return frames.make("layers", columns)


@pytest.fixture(scope="session")
def registry_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry on this machine."""
    with serving(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def registry_secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry on this machine with TLS and `htpasswd`."""
    with serving(tmp_path_factory.mktemp("secured"), secured=True) as running:
        yield running


@pytest.fixture
def builder(daemon: Daemon, tmp_path: Path) -> Builder:
    """Builds the text of a Dockerfile."""
    return Builder(daemon, tmp_path)


@pytest.fixture
def check_stop(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Checks that a stop inside a function ends what a command has started and nothing else."""

    def check(command: Callable[[], object], owner: object, name: str) -> None:
        started = list[subprocess.Popen[bytes]]()

        def stop(*_: object) -> None:
            started.append(subprocess.Popen(["sleep", "60"]))
            raise KeyboardInterrupt

        monkeypatch.setattr(owner, name, stop)
        with subprocess.Popen(["sleep", "60"]) as other:
            with pytest.raises(KeyboardInterrupt):
                command()
            assert {each.wait(10) for each in started} == {-signal.SIGKILL}
            assert other.poll() is None
            other.kill()

    return check


@pytest.fixture
def as_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a user's Docker configuration, and what else has passwords."""

    def write(**config: Any) -> None:
        folder = tmp_path / "docker"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config))
        monkeypatch.setenv("DOCKER_CONFIG", str(folder))

    return write
