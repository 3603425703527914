"""What tests of captures share."""

from collections.abc import Iterator
from pathlib import Path

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
