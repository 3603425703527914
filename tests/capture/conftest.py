"""What tests of captures share."""

from collections.abc import Iterator

import pytest

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
