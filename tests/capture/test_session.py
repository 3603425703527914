"""Captures with a real daemon and a real Trivy: whole or not at all, whatever goes wrong."""

import errno
import gzip
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from helpers import paths, processes
from helpers.capture import evidence
from helpers.capture.session import Outcome, capture
from helpers.containers import daemon as docker
from helpers.containers import smoke_test
from helpers.containers.daemon import Daemon
from helpers.errors import (
    CaptureFailed,
    DaemonUnavailable,
    ImageNotFound,
    KitError,
    NoSpace,
    disk_error,
)
from helpers.images import metadata
from helpers.scanning import trivy_program
from helpers.studies import study
from helpers.studies.load import load_files, load_layers, load_study
from tests.support import image_archives as images
from tests.support.command_line import run
from tests.support.studies import dockerfile, write_study

pytestmark = pytest.mark.usefixtures("trivy_on_path", "standins")

ALPINE = "rebuilt/alpine:3.23"
APP = f"FROM {ALPINE}\nENV TOKEN=hunter2-hunter2\nCOPY a.txt /app/\nEXPOSE 3000\n"
SERVES = APP + 'CMD ["sh", "-c", "while true; do echo ok | nc -l -p 3000; done"]\n'
WAITS = APP + 'CMD ["sleep", "1000"]\n'
TWO = {"one": SERVES, "two": SERVES + "RUN echo two > /two\n"}

Write = Callable[..., str]
Capture = Callable[..., Outcome]


@pytest.fixture
def write(empty_data: Path) -> Write:
    """Writes a study into a data folder without any other."""
    return partial(write_study, empty_data)


@pytest.fixture
def capture_mine(db: Path) -> Capture:
    """Captures the study `mine`."""
    return partial(capture, "mine", db=db)


@pytest.fixture(scope="module")
def captured_once(
    daemon: Daemon, standins: list[str], trivy_on_path: None, db: Path, tmp_path_factory
) -> Path:
    """A data folder with a capture of two variants."""
    folder = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(folder))
        outcome = capture(write_study(folder, **TWO), db=db)
        assert outcome == (outcome.folder, {}, {}, False, {}, "", {})
    return folder


@pytest.fixture
def captured(captured_once: Path, empty_data: Path) -> Path:
    """The folder of that capture in a copy; its study is `mine`."""
    shutil.copytree(captured_once / "studies", empty_data / "studies")
    return paths.capture("mine", study.open_study("mine").captures()[0])


def recorded() -> dict[str, bytes]:
    """Everything in the studies' folders."""
    files = paths.studies().rglob("*")
    return {str(path): path.read_bytes() for path in files if path.is_file()}


@pytest.fixture(scope="module")
def saved(daemon: Daemon, standins: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image's archive."""
    path = tmp_path_factory.mktemp("saved") / "alpine.tar"
    daemon.save(ALPINE, path)
    return path


def test_a_capture_holds_every_part_of_the_evidence(captured: Path, daemon: Daemon) -> None:
    assert {path.name for path in (captured / "one").iterdir()} == {
        *(paths.REPORT, paths.IMAGE, paths.FILES, paths.SMOKE, paths.LOG)
    }
    image = load_study("mine").images.set_index("variant").loc["one"]
    columns = ["status", "os_family", "answers", "shell", "base"]
    assert image[columns].tolist() == ["scanned", "alpine", True, "/bin/sh", ALPINE]
    assert image[["size_unpacked_source", "size_compressed_source"]].tolist() == ["files", "gzip"]
    layers, files = (load("mine").query("variant == 'one'") for load in (load_layers, load_files))
    assert layers["from_base"].tolist() == [True] * (len(layers) - 1) + [False]
    assert layers["size_bytes"].sum() == image["size_unpacked_bytes"]
    assert layers["compressed_bytes"].sum() == image["size_compressed_bytes"]
    files = files.set_index("path")
    assert files.loc["app/a.txt", ["size_bytes", "layer"]].tolist() == [3, len(layers) - 1]
    assert files.loc["bin/busybox", "package"] == "busybox"
    facts = study.open_study("mine").facts()
    assert facts.builder == {**daemon.engine(), "builder": "classic"}
    assert facts.variants["one"].identity == image["image_id"]
    described = metadata.read(captured / "one" / paths.IMAGE, metadata.Image)
    assert described is not None
    assert described.base_id == (daemon.find(ALPINE) or {})["Id"]


def test_values_of_the_environment_reach_no_evidence(
    write: Write, capture_mine: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even those that a build prints, a label repeats, or a dying app or an error quotes."""
    lines = "ARG KEY=hunter2-by-default\nRUN env; echo $KEY > /key\nLABEL again=$TOKEN\n"
    lines += "HEALTHCHECK CMD echo $TOKEN\n"
    dies = 'CMD ["sh", "-c", "echo Error: no access with $TOKEN $(cat /key); exit 3"]\n'
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "bad").write_text("FROM scratch\nENV A=1 hunter2-hunter2\n")
    monkeypatch.setattr(paths, "dockerfiles", lambda: folder)
    write(one=APP + lines + dies, bad='dockerfile = "bad"', none='dockerfile = "none"')
    outcome = capture_mine()
    assert outcome.broken == {"one": "it ended with status 3: Error: no access with … …"}
    for path in (outcome.folder / "one").iterdir():
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert b"hunter2" not in content, path
        if path.name in (paths.REPORT, paths.IMAGE, paths.LOG):
            assert b"TOKEN" in content, path
    # Nor do the folders of this machine.
    assert outcome.failures["bad"].startswith("bad: ")
    assert outcome.failures["none"].startswith("none: no such Dockerfile")
    text = (outcome.folder / "capture.json").read_text()
    assert str(folder) not in text
    assert "hunter2" not in text


def test_what_has_not_changed_is_not_captured_again(
    captured: Path, write: Write, capture_mine: Capture
) -> None:
    before = recorded()
    again = capture_mine()
    assert (again.unchanged, again.folder) == (True, captured)
    assert recorded() == before
    write(**{**TWO, "two": SERVES + "LABEL changed=yes\n"})
    third = capture_mine()
    facts = study.open_study("mine").facts()
    assert facts.capture == third.folder.name != captured.name
    assert facts.variants["one"].unchanged_since == captured.name
    assert not facts.variants["two"].unchanged_since
    assert (third.folder / "one" / paths.FILES).is_file()
    fourth = capture_mine(fresh=True)
    assert not study.open_study("mine").facts().variants["one"].unchanged_since
    names = [folder.name for folder in (captured, third.folder, fourth.folder)]
    assert study.open_study("mine").captures() == names


def test_another_db_or_another_setting_is_a_change(
    captured: Path, write: Write, capture_mine: Capture, shared: Path
) -> None:
    other = shared / "evidence/blog-2022/asof-2022-02"
    assert not capture_mine(db=other, coverage="partial").unchanged
    assert study.open_study("mine").facts().db.coverage == "partial"
    assert not capture_mine(db=other).unchanged, "another coverage"
    toml = paths.study("mine") / "study.toml"
    toml.write_text(toml.read_text() + "start = false\n")
    outcome = capture_mine(db=other)
    facts = study.open_study("mine").facts().variants
    assert facts["one"].unchanged_since
    assert not facts["two"].unchanged_since
    assert not (outcome.folder / "two" / paths.SMOKE).exists()
    assert facts["two"].missing == {"smoke": "study.toml says not to start it"}


def test_a_base_that_is_another_now_is_a_change(
    write: Write, capture_mine: Capture, daemon: Daemon, tmp_path: Path
) -> None:
    name = "kit-tests:moving-base"
    write(one=f'{dockerfile(tmp_path / "one", APP)}\nbase = "{name}"\nstart = false')
    from_base = []
    try:
        for base in (None, ALPINE, "gcr.io/distroless/nodejs"):
            if base:
                daemon._client.images.get(base).tag(name)
            assert not capture_mine().unchanged
            from_base.append(load_layers("mine")["from_base"].tolist())
            assert capture_mine().unchanged
    finally:
        daemon._client.images.remove(name)
    assert from_base == [[pd.NA] * 2, [True, False], [pd.NA] * 2]


def test_a_broken_image_shows_as_broken_and_is_started_again(
    write: Write, capture_mine: Capture, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke_test, "SECONDS", 1.0)
    write(ends=APP + 'CMD ["false"]\n', waits=WAITS)
    done = run("capture", "mine", "--db", db)
    broken = {
        "ends": "it ended with status 1: it printed nothing",
        "waits": "no answer on port 3000 within 1 s: it printed nothing",
    }
    assert done.status == 1
    for name, why in broken.items():
        assert f"Error: {name} was captured, but it is broken: {why}\n" in done.stderr
    again = capture_mine()
    assert (again.broken, again.unchanged) == (broken, False), "it may have been short of time"
    columns = ["variant", "status", "answers", "reason"]
    assert load_study("mine", again.folder.name).images[columns].to_numpy().tolist() == [
        [name, "broken", False, why] for name, why in broken.items()
    ]


@pytest.mark.parametrize("part", [paths.REPORT, paths.IMAGE, paths.FILES, paths.SMOKE])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_damaged_evidence_is_not_complete(captured: Path, part: str, damage: str) -> None:
    facts = study.open_study("mine").facts().variants["one"]
    assert evidence.is_complete(captured / "one", facts)
    path = captured / "one" / part
    path.write_bytes(path.read_bytes()[:40]) if damage == "cut" else path.unlink()
    assert not evidence.is_complete(captured / "one", facts)


def test_what_builds_have_in_common_is_built_once(
    write: Write, capture_mine: Capture, tmp_path: Path
) -> None:
    """They take turns, so that each finds it in the builder's cache; side by side none would."""
    begins = f"FROM {ALPINE}\nRUN head -c 9 /dev/urandom > /once # {time.time_ns()}\n"
    variants = {}
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(f"{begins}LABEL name={name}\n")
        variants[name] = f'dockerfile = "{tmp_path / name}"\ncontext = "{tmp_path}"'
    write(**variants)
    assert capture_mine().failures == {}
    layers = load_layers("mine")
    once = layers[layers["created_by"].str.contains("urandom")]
    assert once["variant"].tolist() == ["one", "two", "three"]
    assert once["diff_id"].nunique() == 1


def test_it_stops_at_once_and_cleanly(write: Write, db: Path, daemon: Daemon) -> None:
    write(one=WAITS)
    before = recorded()
    command = [sys.executable, "-m", "helpers", "capture", "mine", "--db", str(db)]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # One after another: a smoke test gives up after 20 seconds.
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        owner = processes.this_process().replace(f"{os.getpid()}@", f"{process.pid}@")
        label = {"label": f"{docker.LABEL}={owner}"}
        while not daemon._client.containers.list(filters=label):
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(number)
        assert "Stopped. Existing files are unchanged." in process.communicate(timeout=30)[1]
        assert process.returncode == 128 + number
        assert daemon._client.containers.list(all=True, filters=label) == []
    assert recorded() == before


def test_a_variant_that_fails_is_recorded_and_the_others_go_on(
    write: Write, capture_mine: Capture
) -> None:
    write(
        good=SERVES,
        bad="FROM scratch\nCOPY none /\n",
        empty="FROM scratch\nLABEL a=b\n",
        other=f'image = "{ALPINE}"\nplatform = "linux/arm64"',
        plain="FROM scratch\nCOPY a.txt /\n",
    )
    outcome = capture_mine()
    images = load_study("mine").images.set_index("variant")
    assert images["status"].to_dict() == {
        **{"good": "scanned", "bad": "failed", "empty": "failed", "other": "failed"},
        "plain": "no-os",
    }
    assert outcome.failures.keys() == {"bad", "empty", "other"}
    assert "step 2/2 failed: COPY none /" in images.loc["bad", "reason"]
    assert [path.name for path in (outcome.folder / "bad").iterdir()] == [paths.LOG]
    assert "COPY none" in (outcome.folder / "bad" / paths.LOG).read_text()
    assert "the image has no layers" in outcome.failures["empty"]
    assert ALPINE in outcome.failures["other"], "an image of another platform is not taken"
    layers = load_layers("mine").set_index("variant")
    assert layers.loc[["plain"], "from_base"].tolist() == [False], "nothing is below it"


def test_if_all_fail_nothing_is_recorded(write: Write, capture_mine: Capture) -> None:
    write(one="FROM scratch\nCOPY none /\n", two='image = "no-such-image-anywhere:1"')
    before = recorded()
    with pytest.raises(CaptureFailed, match=r"(?s)one: .*step 2/2.*two: no-such-image-anywhere:1"):
        capture_mine()
    assert recorded() == before


def ten_gigabytes() -> bytes:
    """A layer with a file that is said to have ten gigabytes, all zeros, well compressed."""
    head = tarfile.TarInfo("zeros")
    head.size = 10 * 2**30
    return gzip.compress(head.tobuf(tarfile.GNU_FORMAT) + bytes(2**26), 9)


class TestWhatGoesWrong:
    """Each real condition: its own error and remedy, exit 1, and the evidence untouched."""

    @pytest.fixture(autouse=True)
    def untouched(self, write: Write) -> Iterator[None]:
        write(one=SERVES)
        before = recorded()
        yield
        assert recorded() == before
        assert [path.name for path in paths.studies().iterdir()] == ["mine"]
        assert [path.name for path in paths.study("mine").iterdir()] == ["study.toml"]

    def error(self, *arguments: object, **environment: str) -> str:
        """Run a command, which has to fail, and return its error."""
        done = run(*arguments, **environment)
        assert done.status == 1, done
        return done.stderr

    @pytest.mark.parametrize("exists", [True, False])
    def test_daemon_stopped(self, db: Path, tmp_path: Path, exists: bool) -> None:
        if exists:
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(str(tmp_path / "socket"))
        host = f"unix://{tmp_path / 'socket'}"
        error = self.error("capture", "mine", "--db", db, DOCKER_HOST=host)
        assert error.startswith(f"Error: no Docker daemon answers at {host}. Start it (")

    @pytest.mark.parametrize("config", ["[1]", '{"auths": 3}', '"x"'])
    def test_an_invalid_docker_configuration(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str
    ) -> None:
        (tmp_path / "config.json").write_text(config)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(DaemonUnavailable, match=r"Docker's config\.json .* Fix or remove it"):
            docker.connect()

    def test_an_image_reference_with_a_typo(self, daemon: Daemon) -> None:
        with pytest.raises(ImageNotFound, match=r"Did you mean rebuilt/alpine:3\.23"):
            daemon.pull("rebuilt/alpin:3.23")
        with pytest.raises(ImageNotFound, match="Check its name"):
            daemon.pull("Node:24")

    @pytest.mark.parametrize(
        ("problem", "layer"),
        [
            ("Save the image again", None),
            ("leads out of the image", lambda: images.tar(images.file("a/../../etc/passwd"))),
            ("decompress", ten_gigabytes),
        ],
        ids=["cut in half", "dot-dot", "ten gigabytes"],
    )
    def test_an_archive_that_no_builder_makes(
        self,
        db: Path,
        saved: Path,
        tmp_path: Path,
        problem: str,
        layer: Callable[[], bytes] | None,
    ) -> None:
        path = tmp_path / "hostile.tar"
        if layer:
            images.docker_save(path, layer())
        else:
            path.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
        error = self.error("compare", path, "--study", "not-made", "--db", db)
        assert error.startswith(f"Error: {path.name}: ")
        assert problem in error

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk to fill")
    def test_a_full_disk(self, db: Path, tmp_path: Path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small], check=True)
        try:
            shutil.copytree(paths.study("mine"), small / "studies/mine")
            error = self.error("capture", "mine", "--db", db, KIT_DATA=str(small))
            assert "the disk is full. Free some space, or set KIT_DATA to another folder" in error
            assert [path.name for path in (small / "studies/mine").iterdir()] == ["study.toml"]
        finally:
            subprocess.run(["umount", small], check=True)


def test_without_trivy_the_rest_is_captured(write: Write, db: Path, empty_data: Path) -> None:
    write(one=SERVES)
    done = run("capture", "mine", "--db", db, PATH="/no/where")
    assert done.status == 0
    assert "Not scanned: trivy is not on the PATH, and its container image cannot be" in done.stderr
    assert "Install it: brew install trivy" in done.stderr
    image = load_study("mine").images.iloc[0]
    assert (image["status"], image["answers"]) == ("not-scanned", True)


def test_a_full_disk_is_reported_by_whoever_meets_it() -> None:
    for cause in ("write /tmp/x", "DB error: failed to download vulnerability DB: write /tmp/x"):
        error = trivy_program._failure("x", f"FATAL {cause}: no space left on device")
        assert error.reason == "no-space"
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        assert isinstance(disk_error(OSError(code, "full"), Path("x")), NoSpace)
    other = disk_error(OSError(errno.EACCES, "Permission denied", "y"), Path("x"))
    assert isinstance(other, KitError)
    assert str(other).startswith("y: Permission denied. Check its permissions")
    nowhere = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    assert "set TMPDIR" in str(disk_error(nowhere, Path("x")))
