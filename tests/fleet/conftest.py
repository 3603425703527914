"""A cluster for all tests of fleets, and a data folder for each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from helpers import Fleet, paths
from helpers.fleet import cluster, reading
from helpers.fleet.cluster import Cluster
from helpers.fleet.reading import Reading
from tests.support import fleets


@pytest.fixture(scope="session")
def opened() -> Iterator[Cluster]:
    """Has its workers in this process: what goes to other processes is for `test_cluster`."""
    options = {
        "n_workers": 1,
        "threads_per_worker": 2,
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": 50,
    }
    with (
        LocalCluster(processes=False, **options) as made,
        cluster.open(made.scheduler_address) as one,
    ):
        yield one


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("KIT_DATA", str(folder))
    return folder


@pytest.fixture
def read(opened: Cluster, data: Path) -> Callable[..., Reading]:
    """Reads scans as the fleet `f`."""

    def done(scans: object, name: str = "f") -> Reading:
        return reading.read(str(scans), name, opened)

    return done


@pytest.fixture
def opened_fleet(opened: Cluster, data: Path) -> Callable[..., Fleet]:
    """Opens a recorded fleet of tables of facts."""

    def of(name: str, **given: Any) -> Fleet:
        place = paths.ROOT / "data" / "fleets" / name
        return Fleet(str(place), scheduler=opened.client.scheduler.address, **given)

    return of


@pytest.fixture
def counts(read: Callable[..., Reading]) -> Callable[..., fleets.Plain]:
    """Counts a fleet after reading it once more."""

    def counted(scans: object, name: str = "f") -> fleets.Plain:
        return fleets.counted(fleets.Here(read(scans, name).store))

    return counted
