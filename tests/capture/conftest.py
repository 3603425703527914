"""What tests of captures share."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.capture.daemon import Daemon
from tests.support.builds import Builder
from tests.support.registries import Registry, serving


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
