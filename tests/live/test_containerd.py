"""The image store of containerd, the default from Docker 29 on, in a second daemon."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import paths
from helpers.capture.session import capture
from helpers.containers.daemon import Daemon, connect
from helpers.errors import DaemonUnavailable
from helpers.images import file_inventory
from helpers.images.archive import open_archive
from helpers.studies.load import load_files, load_layers, load_study
from helpers.studies.study import open_study
from tests.support.live import LIVE, unless_live
from tests.support.studies import write_study

BASE = "rebuilt/alpine:3.23"
APP = f"""FROM {BASE}
COPY a.txt /app/
EXPOSE 3000
CMD ["sh", "-c", "while true; do echo ok | nc -l -p 3000; done"]
"""


@pytest.fixture(scope="module")
def store(daemon: Daemon, standins: list[str]) -> Iterator[str]:
    """The address of a daemon with containerd's store, which has the base of the first one."""
    if not LIVE:
        pytest.skip("a second daemon is only started with KIT_REQUIRE_LIVE=1")
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        unless_live("starting a second daemon needs root and dockerd")
    # The path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="kit-store-"))
    (folder / "daemon.json").write_text(json.dumps({"features": {"containerd-snapshotter": True}}))
    host = f"unix://{folder}/socket"
    # Without a bridge dockerd removes docker0, so it gets a network namespace without one.
    command = ["unshare", "--net", "dockerd"]
    command += ["--host", host, "--bridge", "none", "--iptables=false"]
    # The machine's containerd, if any, serves other daemons too.
    command += ["--containerd-namespace=kit", "--containerd-plugins-namespace=kit-plugins"]
    files = {
        **{"config-file": "daemon.json", "pidfile": "pid"},
        **{"data-root": "data", "exec-root": "exec"},
    }
    command += [f"--{option}={folder / name}" for option, name in files.items()]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", host)
            _wait(folder / "log")
            daemon.save(BASE, folder / "base.tar")
            subprocess.run(["docker", "load", "--input", folder / "base.tar"], check=True)
        yield host
    finally:
        running.terminate()
        running.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(log: Path) -> None:
    for _ in range(300):
        try:
            connect()
        except DaemonUnavailable:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the second daemon did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def other(store: str, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """The daemon with containerd's store."""
    monkeypatch.setenv("DOCKER_HOST", store)
    return connect()


def test_what_it_saves_is_the_same_image_and_the_same_files(
    daemon: Daemon, other: Daemon, tmp_path: Path
) -> None:
    assert other.engine()["store"] == "containerd"
    assert daemon.engine()["store"] != "containerd"
    inventories = []
    for number, source in enumerate((daemon, other)):
        path = tmp_path / f"{number}.tar"
        source.save(BASE, path)
        with open_archive(path) as archive:
            inventories.append((archive.image_id, file_inventory.take(archive)))
    assert inventories[0] == inventories[1]
    assert len(inventories[0][1].files) > 100


@pytest.mark.parametrize("copy", ["COPY", "COPY --link"])
def test_a_capture_with_it_has_all_evidence(
    other: Daemon, empty_data: Path, db: Path, trivy_on_path: None, with_buildx: None, copy: str
) -> None:
    """Whichever builder builds."""
    outcome = capture(write_study(empty_data, one=APP.replace("COPY", copy)), db=db)
    assert outcome == (outcome.folder, {}, {}, False, {}, "", {})
    assert open_study("mine").facts().builder["store"] == "containerd"
    assert {path.name for path in (outcome.folder / "one").iterdir()} == {
        *(paths.REPORT, paths.IMAGE, paths.FILES, paths.SMOKE, paths.LOG)
    }
    image = load_study("mine").images.iloc[0]
    columns = ["status", "os_family", "base", "answers"]
    assert image[columns].tolist() == ["scanned", "alpine", BASE, True]
    assert load_layers("mine")["from_base"].tolist() == [True, False]
    files = load_files("mine").set_index("path")
    assert files.loc["app/a.txt", "size_bytes"] == 3
    assert files.loc["bin/busybox", "package"] == "busybox"
    assert capture("mine", db=db).unchanged
