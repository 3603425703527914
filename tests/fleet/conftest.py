"""The real fleet of the shared folder, in some parts."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from helpers.fleet.partition import Partition
from tests.conftest import unless_live
from tests.support import fleet_frames as fleets


@pytest.fixture(scope="session")
def real_files(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The reports of 297 images."""
    archive = shared / "fleet" / "reports.tar.gz"
    if not archive.exists():
        unless_live("there is no fleet/reports.tar.gz in the shared folder")
    folder = tmp_path_factory.mktemp("fleet")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return sorted(folder.rglob("*.json"))


@pytest.fixture(scope="session")
def real_parts(real_files: list[Path]) -> list[Partition]:
    return fleets.parts(real_files)


@pytest.fixture(scope="session")
def real_reports(real_files: list[Path]) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in real_files]
