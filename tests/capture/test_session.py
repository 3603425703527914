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
from pathlib import Path

import pandas as pd
import pytest

from helpers import cli, paths, processes
from helpers.capture import daemon as docker
from helpers.capture import smoke_test, trivy_program, vulndb
from helpers.capture.daemon import Daemon
from helpers.capture.session import capture
from helpers.capture.staging import disk_error
from helpers.errors import (
    CaptureFailed,
    DaemonUnavailable,
    ImageNotFound,
    KitError,
    NoSpace,
    ScanFailed,
)
from helpers.images import metadata as image_json
from helpers.studies import study
from helpers.studies.load import load_files, load_layers, load_study
from tests.support import image_archives as images

pytestmark = pytest.mark.usefixtures("trivy_on_path", "standins")

DOCKERFILE = "FROM rebuilt/alpine:3.23\nENV TOKEN=hunter2-hunter2\nCOPY {file} /app/\nEXPOSE 3000\n"
SERVES = 'CMD ["sh", "-c", "while true; do echo ok | nc -l -p 3000; done"]\n'


@pytest.fixture
def db(shared: Path) -> Path:
    return shared / "vulndb"


Make = Callable[..., str]


@pytest.fixture
def make(data: Path, tmp_path: Path) -> Make:
    """Writes the study `mine` of variants: TOML lines, or the text of a Dockerfile."""

    def of(**variants: str) -> str:
        text = 'title = "t"\nquestion = "q?"\nabout = "a"\n'
        for name, told in variants.items():
            if "FROM" in told:
                folder = tmp_path / "context" / name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "Dockerfile").write_text(told)
                (folder / "a.txt").write_text(name)
                told = f'dockerfile = "{folder / "Dockerfile"}"'
            text += f'[[variants]]\nname = "{name}"\n{told}\n'
        path = data / "studies" / "mine"
        path.mkdir(exist_ok=True)
        (path / "study.toml").write_text(text)
        return "mine"

    return of


def state(data: Path) -> dict[str, bytes]:
    """Everything that is recorded."""
    files = (data / "studies").rglob("*")
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def app(file: str = "a.txt") -> str:
    return DOCKERFILE.format(file=file) + SERVES


@pytest.fixture(scope="module")
def saved(daemon: Daemon, standins: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image's archive."""
    path = tmp_path_factory.mktemp("saved") / "alpine.tar"
    daemon.save("rebuilt/alpine:3.23", path)
    return path


def test_a_capture_holds_every_part_of_the_evidence(make: Make, db: Path, daemon: Daemon) -> None:
    outcome = capture(make(one=app()), db=db, coverage="partial")
    assert (outcome.failures, outcome.broken, outcome.unchanged) == ({}, {}, False)
    assert sorted(path.name for path in (outcome.folder / "one").iterdir()) == sorted(
        [paths.REPORT, paths.IMAGE, paths.FILES, paths.SMOKE, paths.LOG]
    )
    image = load_study("mine").images.iloc[0]
    assert (image["status"], image["os_family"]) == ("scanned", "alpine")
    assert image["answers"]
    assert image["shell"] == "/bin/sh"
    assert image["base"] == "rebuilt/alpine:3.23"
    assert image["size_unpacked_source"] == "files"
    assert image["size_compressed_source"] == "gzip"
    layers, files = load_layers("mine"), load_files("mine")
    assert layers["from_base"].tolist() == [True] * (len(layers) - 1) + [False]
    assert layers["size_bytes"].sum() == image["size_unpacked_bytes"]
    assert layers["compressed_bytes"].sum() == image["size_compressed_bytes"]
    told = files.set_index("path").loc["app/a.txt"]
    assert (told["size_bytes"], told["layer"]) == (3, len(layers) - 1)
    assert files.set_index("path").loc["bin/busybox", "package"] == "busybox"
    facts = study.open_study("mine").facts()
    assert facts.builder == daemon.builder()
    assert facts.builder["builder"] == "classic"
    assert facts.variants["one"].identity == image["image_id"]
    told = image_json.read(outcome.folder / "one" / paths.IMAGE, image_json.Image)
    assert told is not None
    assert told.base_id == (daemon.find("rebuilt/alpine:3.23") or {})["Id"]


def test_values_of_the_environment_reach_no_evidence(make: Make, db: Path) -> None:
    """Not even those that a build prints, a label repeats or a dying app cries out."""
    lines = "ARG KEY=hunter2-by-default\nRUN env; echo $KEY > /key\nLABEL again=$TOKEN\n"
    lines += "HEALTHCHECK CMD echo $TOKEN\n"
    cries = 'CMD ["sh", "-c", "echo Error: no access with $TOKEN $(cat /key); exit 3"]\n'
    outcome = capture(make(one=DOCKERFILE.format(file="a.txt") + lines + cries), db=db)
    assert outcome.broken == {"one": "it ended with status 3: Error: no access with … …"}
    folder = outcome.folder / "one"
    for path in folder.iterdir():
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = subprocess.run(["zcat", path], capture_output=True, check=True).stdout
        assert b"hunter2" not in content, path
        if path.name in (paths.REPORT, paths.IMAGE, paths.LOG):
            assert b"TOKEN" in content, path


def test_what_has_not_changed_is_not_captured_again(make: Make, db: Path, data: Path) -> None:
    first = capture(make(one=app(), two=app()), db=db)
    before = state(data)
    again = capture("mine", db=db)
    assert again.unchanged
    assert again.folder == first.folder
    assert state(data) == before
    make(one=app(), two=app() + "LABEL changed=yes\n")
    third = capture("mine", db=db)
    facts = study.open_study("mine").facts()
    assert facts.capture == third.folder.name != first.folder.name
    assert facts.variants["one"].unchanged_since == first.folder.name
    assert not facts.variants["two"].unchanged_since
    assert (third.folder / "one" / paths.FILES).is_file()
    fourth = capture("mine", db=db, fresh=True)
    assert not study.open_study("mine").facts().variants["one"].unchanged_since
    assert study.open_study("mine").captures() == [
        outcome.folder.name for outcome in (first, third, fourth)
    ]


def test_another_db_or_another_setting_is_a_change(make: Make, db: Path, shared: Path) -> None:
    capture(make(one=app()), db=db)
    assert not capture("mine", db=shared / "evidence/blog-2022/asof-2022-02").unchanged
    capture("mine", db=db)
    toml = paths.study("mine") / "study.toml"
    toml.write_text(toml.read_text() + "start = false\n")
    outcome = capture("mine", db=db)
    assert not outcome.unchanged
    assert not (outcome.folder / "one" / paths.SMOKE).exists()
    missing = study.open_study("mine").facts().variants["one"].missing
    assert missing == {"smoke": "study.toml says not to start it"}


def test_a_base_that_is_another_now_is_a_change(make: Make, db: Path, daemon: Daemon) -> None:
    name = "kit-tests:moving-base"
    make(one=f'image = "rebuilt/node-alpine:24"\nbase = "{name}"\nstart = false')
    known = []
    try:
        for base in (None, "rebuilt/alpine:3.23", "gcr.io/distroless/nodejs"):
            if base:
                daemon._client.images.get(base).tag(name)
            assert not capture("mine", db=db).unchanged
            known.append(load_layers("mine")["from_base"].tolist())
            assert capture("mine", db=db).unchanged
    finally:
        daemon._client.images.remove(name)
    rest = len(known[1]) - 1
    assert rest > 0
    assert known == [[pd.NA] * (rest + 1), [True] + [False] * rest, [pd.NA] * (rest + 1)]


def test_the_base_of_an_archive_is_known_where_there_is_a_daemon(
    make: Make, db: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(one=f'archive = "{saved}"\nbase = "rebuilt/alpine:3.23"')
    capture("mine", db=db)
    assert load_layers("mine")["from_base"].tolist() == [True]
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    capture("mine", db=db)
    assert load_layers("mine")["from_base"].isna().all()
    assert load_study("mine").images["base"].tolist() == ["rebuilt/alpine:3.23"]


def test_an_image_of_nothing_at_all_is_told_as_such(make: Make, db: Path) -> None:
    outcome = capture(make(good=app(), none="FROM scratch\nLABEL a=b\n"), db=db)
    assert "the image has no layers" in outcome.failures["none"]


def test_an_image_that_is_small_but_broken_shows_as_broken(make: Make, db: Path) -> None:
    outcome = capture(make(one=DOCKERFILE.format(file="a.txt") + 'CMD ["false"]\n'), db=db)
    assert outcome.broken == {"one": "it ended with status 1: it printed nothing"}
    again = capture("mine", db=db)
    assert again.broken == outcome.broken
    assert not again.unchanged, "it may have been short of time, so it is asked again"
    image = load_study("mine").images.iloc[0]
    assert (image["status"], image["answers"], image["reason"]) == (
        *("broken", False, outcome.broken["one"]),
    )


@pytest.mark.parametrize("part", [paths.REPORT, paths.IMAGE, paths.FILES, paths.SMOKE])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_damaged_evidence_is_captured_anew(make: Make, db: Path, part: str, damage: str) -> None:
    path = capture(make(one=app()), db=db).folder / "one" / part
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:40])
    else:
        path.unlink()
    again = capture("mine", db=db)
    assert not again.unchanged
    assert (again.folder / "one" / part).stat().st_size > 40


def test_what_builds_have_in_common_is_built_once(make: Make, db: Path, tmp_path: Path) -> None:
    """They take turns, so that each finds it in the builder's cache; side by side none would."""
    begins = f"FROM rebuilt/alpine:3.23\nRUN head -c 9 /dev/urandom > /once # {time.time_ns()}\n"
    told = {}
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(f"{begins}LABEL name={name}\n")
        told[name] = f'dockerfile = "{tmp_path / name}"\ncontext = "{tmp_path}"'
    assert capture(make(**told), db=db).failures == {}
    layers = load_layers("mine")
    once = layers[layers["created_by"].str.contains("urandom")]
    assert once["variant"].tolist() == ["one", "two", "three"]
    assert once["diff_id"].nunique() == 1


def test_an_image_for_another_platform_is_not_taken_for_the_one_that_is_meant(
    make: Make, db: Path
) -> None:
    make(one='image = "rebuilt/alpine:3.23"\nplatform = "linux/arm64"')
    with pytest.raises(CaptureFailed, match=r"rebuilt/alpine:3\.23"):
        capture("mine", db=db)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_at_once(
    make: Make, db: Path, data: Path, daemon: Daemon, number: signal.Signals
) -> None:
    make(one=DOCKERFILE.format(file="a.txt") + 'CMD ["sleep", "1000"]\n')
    before = state(data)
    command = [sys.executable, "-m", "helpers", "capture", "mine", "--db", str(db)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    of_this = processes.this_process().replace(f"{os.getpid()}@", f"{running.pid}@")
    label = {"label": f"{docker.LABEL}={of_this}"}
    while not daemon._client.containers.list(filters=label):
        time.sleep(0.1)
        assert running.poll() is None
    running.send_signal(number)
    assert "Stopped. What was there before is untouched." in running.communicate(timeout=6)[1]
    assert running.returncode == 128 + number
    assert state(data) == before
    assert daemon._client.containers.list(all=True, filters=label) == []


def test_one_that_fails_is_recorded_and_the_others_go_on(make: Make, db: Path) -> None:
    outcome = capture(make(good=app(), bad="FROM scratch\nCOPY none /\n"), db=db)
    assert list(outcome.failures) == ["bad"]
    images = load_study("mine").images.set_index("variant")
    assert images["status"].to_dict() == {"good": "scanned", "bad": "failed"}
    assert "step 2/2 failed: COPY none /" in images.loc["bad", "reason"]
    assert [path.name for path in (outcome.folder / "bad").iterdir()] == [paths.LOG]
    assert "COPY none" in (outcome.folder / "bad" / paths.LOG).read_text()


def test_where_dockerfiles_are_and_what_is_in_them_is_not_recorded(
    make: Make, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "bad").write_text("FROM scratch\nENV A=1 hunter2-hunter2\n")
    monkeypatch.setattr(paths, "dockerfiles", lambda: folder)
    bad, none = 'dockerfile = "bad"', 'dockerfile = "none"'
    outcome = capture(make(good='image = "rebuilt/alpine:3.23"', bad=bad, none=none), db=db)
    assert outcome.failures["bad"].startswith("bad: ")
    assert outcome.failures["none"].startswith("none: no such Dockerfile")
    recorded = (outcome.folder / "capture.json").read_text()
    assert str(folder) not in recorded
    assert "hunter2" not in recorded


def test_if_all_fail_nothing_is_recorded(make: Make, db: Path, data: Path) -> None:
    make(one="FROM scratch\nCOPY none /\n", two='image = "no-such-image-anywhere:1"')
    before = state(data)
    with pytest.raises(CaptureFailed, match=r"(?s)one: .*step 2/2.*two: no-such-image-anywhere:1"):
        capture("mine", db=db)
    assert state(data) == before
    assert study.open_study("mine").captures() == []


def test_a_report_that_scans_no_os_or_an_image_of_nothing_is_captured(make: Make, db: Path) -> None:
    outcome = capture(make(one="FROM scratch\nCOPY a.txt /\n"), db=db)
    assert outcome.failures == {}
    assert load_study("mine").images["status"].tolist() == ["no-os"]
    assert load_layers("mine")["from_base"].tolist() == [False], "nothing is below it"


def a_million_files() -> bytes:
    thousand = images.tar(*(images.file(f"d/{number}") for number in range(1000)))
    entries = thousand[: 1000 * 512]
    return entries * 1000 + bytes(1024)


def ten_gigabytes() -> bytes:
    """A layer with a file that is said to have ten gigabytes, all zeros, well compressed."""
    head = tarfile.TarInfo("zeros")
    head.size = 10 * 2**30
    return gzip.compress(head.tobuf(tarfile.GNU_FORMAT) + bytes(2**26), 9)


class TestWhatGoesWrong:
    """Each real condition: its own error and remedy, exit 1, and the evidence untouched."""

    @pytest.fixture(autouse=True)
    def untouched(self, make: Make, data: Path) -> Iterator[None]:
        make(one=app())
        before = state(data)
        yield
        assert state(data) == before
        assert not list((data / "studies/mine").glob(".*"))

    def run(self, *arguments: object, **environment: str) -> str:
        """Run the command line, which has to exit 1, and return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "helpers", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def test_daemon_stopped(self, db: Path, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(tmp_path / "docker.sock"))
        for name in ("docker.sock", "none.sock"):
            host = f"unix://{tmp_path / name}"
            said = self.run("capture", "mine", "--db", db, DOCKER_HOST=host)
            assert said.startswith(f"Error: no Docker daemon answers at {host}. Start it (")

    @pytest.mark.parametrize("config", ["[1]", '{"auths": 3}', '"x"'])
    def test_a_docker_configuration_that_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str
    ) -> None:
        (tmp_path / "config.json").write_text(config)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(DaemonUnavailable, match=r"Docker's own config\.json .* Mend or remove"):
            docker.connect()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_no_permission_on_the_socket(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = Path("/tmp") / f"kit-socket-{os.getpid()}"
        folder.mkdir(mode=0o755)
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(folder / "docker.sock"))
                server.listen()
                (folder / "docker.sock").chmod(0o600)
                monkeypatch.setenv("DOCKER_HOST", f"unix://{folder / 'docker.sock'}")
                os.seteuid(65534)
                try:
                    with pytest.raises(DaemonUnavailable, match=r"no permission .* group docker"):
                        docker.connect()
                finally:
                    os.seteuid(0)
        finally:
            shutil.rmtree(folder)

    def test_no_trivy(self, db: Path) -> None:
        said = self.run("capture", "mine", "--db", db, PATH="/no/where")
        assert "Error: trivy is not on the PATH, and its container image is not to be had" in said
        assert "Install it: https://trivy.dev" in said

    def test_no_db_while_offline(self, tmp_path: Path) -> None:
        said = self.run("capture", "mine", "--db", tmp_path)
        assert "no vulnerability DB (db/trivy.db) in this folder" in said

    def test_a_db_that_cannot_be_fetched(self, tmp_path: Path) -> None:
        with pytest.raises(ScanFailed, match="no usable vulnerability DB") as caught:
            vulndb.download(trivy_program.find(), tmp_path, "localhost:9/no/db@sha256:" + "0" * 64)
        assert caught.value.reason == "no-db"

    def test_an_image_reference_with_a_typo(self, daemon: Daemon) -> None:
        with pytest.raises(ImageNotFound, match=r"Did you mean rebuilt/alpine:3\.23"):
            daemon.pull("rebuilt/alpin:3.23")
        with pytest.raises(ImageNotFound, match="Check its name"):
            daemon.pull("Node:24")

    def test_an_archive_cut_in_half(
        self, make: Make, db: Path, saved: Path, tmp_path: Path, data: Path
    ) -> None:
        half = tmp_path / "half.tar"
        half.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
        said = self.run("compare", half, "--study", "mine-too", "--db", db)
        assert said.startswith(f"Error: {half.name}: ")
        assert "Save the image again" in said
        assert not (data / "studies/mine-too").exists(), "nothing is left of it"

    @pytest.mark.parametrize(
        ("layer", "said"),
        [
            (lambda: images.tar(images.file("a/../../etc/passwd")), "leads out of the image"),
            (lambda: images.tar(images.file("/etc/passwd")), "absolute"),
            (
                lambda: images.tar(
                    images.file("x", pax_headers={"GNU.sparse.map": "0,4", "GNU.sparse.size": "9"})
                ),
                "a sparse file",
            ),
            (lambda: gzip.compress(a_million_files(), 1), "more than 500,000 entries"),
            (lambda: ten_gigabytes(), "decompress"),
        ],
        ids=["dot-dot", "absolute", "sparse", "million", "ten-gigabytes"],
    )
    def test_an_archive_that_no_builder_makes(
        self,
        db: Path,
        tmp_path: Path,
        data: Path,
        layer: Callable[[], bytes],
        said: str,
    ) -> None:
        path = images.docker_save(tmp_path / "hostile.tar", layer())
        told = self.run("compare", path, "--study", "mine-too", "--db", db)
        assert f"Error: {path.name}: " in told
        assert said in told
        assert not (data / "studies/mine-too").exists(), "nothing is left of it"

    def test_a_container_that_never_answers(
        self, make: Make, db: Path, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits = DOCKERFILE.format(file="a.txt") + 'CMD ["sleep", "1000"]\n'
        (data / "studies/silent").mkdir()
        toml = paths.study("mine") / "study.toml"
        before = toml.read_bytes()
        make(one=waits)
        toml.rename(data / "studies/silent/study.toml")
        toml.write_bytes(before)
        monkeypatch.setattr(smoke_test, "SECONDS", 2.0)
        with pytest.raises(SystemExit, match="1"):
            cli.commands(["capture", "silent", "--db", str(db)], standalone_mode=False)
        images_of = load_study("silent").images
        assert images_of["status"].tolist() == ["broken"]
        assert images_of["reason"].tolist() == [
            "no answer on port 3000 within 2 s: it printed nothing"
        ]
        shutil.rmtree(data / "studies/silent")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk to fill")
    def test_a_full_disk(self, db: Path, tmp_path: Path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small], check=True)
        try:
            shutil.copytree(paths.study("mine"), small / "studies/mine")
            said = self.run("capture", "mine", "--db", db, KIT_DATA=str(small))
            assert "the disk is full. Free some space, or name another data folder" in said
            assert [path.name for path in (small / "studies/mine").iterdir()] == ["study.toml"]
        finally:
            subprocess.run(["umount", small], check=True)


def test_a_full_disk_is_told_whoever_meets_it() -> None:
    said = trivy_program._failure("x", "FATAL write /tmp/x: no space left on device")
    assert said.reason == "no-space"
    assert isinstance(disk_error(OSError(errno.ENOSPC, "full"), Path("x")), NoSpace)
    other = disk_error(OSError(errno.EACCES, "Permission denied", "y"), Path("x"))
    assert isinstance(other, KitError)
    assert str(other) == "y: Permission denied"


def test_killed_at_any_moment_it_leaves_what_was_there_and_the_next_run_completes(
    make: Make, db: Path, data: Path
) -> None:
    make(one=app(), two=app() + "RUN echo two > /two\n")
    command = [sys.executable, "-m", "helpers", "capture", "mine", "--db", str(db), "--fresh"]
    begin = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - begin
    captures, rounds = 1, 20
    for moment in range(rounds):
        before = {name: content for name, content in state(data).items() if "/.capture" not in name}
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * (moment + 0.5) / rounds)
        running.send_signal(signal.SIGKILL)
        running.wait()
        found = study.open_study("mine").captures()
        after = {name: content for name, content in state(data).items() if "/.capture" not in name}
        # Either it was not there yet, or whole; and what was there before is as it was.
        assert len(found) - captures in (0, 1)
        captures = len(found)
        assert before.items() <= after.items()
        assert load_study("mine", "all").images["status"].eq("scanned").all()
        assert len(load_study("mine", "all").images) == 2 * captures
        assert load_files("mine").groupby("variant")["path"].count().gt(50).all()
    subprocess.run(command, check=True, capture_output=True)
    assert len(study.open_study("mine").captures()) == captures + 1
    assert not list((data / "studies/mine").glob(".*")), "the next run clears what was left"
