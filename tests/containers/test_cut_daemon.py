"""A daemon that goes away at any request: an error of that variant, never a traceback."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import paths, processes
from helpers.capture.session import capture
from helpers.errors import KitError, ScanFailed
from helpers.scanning import trivy_program
from helpers.studies.load import load_study
from tests.conftest import Write, finding, trivy
from tests.support import cut_daemon
from tests.support import image_archives as images
from tests.support.cut_daemon import CutDaemon
from tests.support.studies import dockerfile, write_study

LONG = "KIT_LONG" in os.environ
"""Whether each request is the last one once, and not only each third."""

LAYER = images.tar(images.file("etc/os-release", b"ID=alpine\nVERSION_ID=3.23.0\n"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CutDaemon]:
    archive = images.docker_save(tmp_path / "app.tar", LAYER, tags=(cut_daemon.IMAGE,))
    identity = "sha256:" + hashlib.sha256(images.config_of((LAYER,))).hexdigest()
    with (
        # A socket's path has to be short.
        tempfile.TemporaryDirectory() as folder,
        cut_daemon.started(Path(folder), archive.read_bytes(), identity) as server,
    ):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/socket")

        def none(_: object) -> None:
            raise ScanFailed("there is no scanner", "no-scanner")

        # Nothing is scanned, which takes no part in this.
        monkeypatch.setattr(trivy_program, "find", none)
        yield server


@pytest.mark.slow
def test_cut_at_each_request_the_others_are_kept(
    server: CutDaemon, empty_data: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(
        empty_data,
        image=f'image = "{cut_daemon.IMAGE}"',
        built=dockerfile(empty_data / "context" / "Dockerfile", "FROM scratch\nCOPY a.txt /\n"),
        report=f'report = "{write(trivy(finding()))}"',
    )
    assert capture(study, fresh=True, images_from="daemon").failures == {}
    requests = len(server.asked)
    assert requests > 20
    for server.cut in range(1, requests + 1, 1 if LONG else 3):
        server.asked.clear()
        server.left.update(containers=0, networks=0)
        try:
            outcome = capture(study, fresh=True, images_from="daemon")
        except KitError as error:
            raise AssertionError(f"{server.asked[-1]}: {error}") from error
        assert not [why for why in outcome.failures.values() if "unexpected" in why]
        assert load_study(study).images.set_index("variant")["status"]["report"] == "scanned"
    assert "Traceback" not in capsys.readouterr().err
    assert not [*paths.study(study).glob(".*")]


def test_an_image_that_a_build_replaces_goes_with_a_run_that_is_alone(
    server: CutDaemon, empty_data: Path
) -> None:
    lines = dockerfile(empty_data / "context" / "Dockerfile", "FROM scratch\nCOPY a.txt /\n")
    study = write_study(empty_data, built=lines)
    server.replaced, server.names = True, ["mine:1"]
    other = processes.this_process().replace(f"{os.getpid()}@", f"{os.getppid()}@")
    beside = paths.study(study) / f".capture.{other}.part"
    beside.mkdir()
    capture(study, fresh=True)
    # It has a name by which it is found, also if this process is killed when the build is done.
    assert server.names == ["mine:1", "base-image-notebooks:mine.built.before-000000000000"]
    beside.rmdir()
    server.replaced = False
    capture(study, fresh=True)
    assert server.names == ["mine:1"]


def test_of_a_build_that_is_killed_no_context_is_left(
    server: CutDaemon, empty_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be large, and have what is secret."""
    lines = dockerfile(empty_data / "context" / "Dockerfile", "FROM scratch\nCOPY a.txt /\n")
    temporary, found = tmp_path / "temporary", list[Path]()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    server.on_build = lambda: found.extend([temporary, *temporary.iterdir()])
    capture(write_study(empty_data, built=lines), fresh=True)
    assert found == [temporary]
