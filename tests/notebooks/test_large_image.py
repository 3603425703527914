"""The cost of a large image: its inventory, and the notebooks that go through its files."""

from pathlib import Path

import pytest

from helpers import paths
from helpers.studies.load import load_files
from tests.support import large

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("large")


@pytest.fixture(scope="module")
def evidence(data: Path) -> Path:
    return large.study(data)


def test_an_inventory_of_100_000_files_takes_less_than_two_megabytes(
    evidence: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (evidence / paths.FILES).stat().st_size < 2_000_000
    monkeypatch.setenv("KIT_DATA", str(data))
    files = load_files(large.STUDY)
    assert len(files) == 100_000
    assert 950_000_000 < files["size_bytes"].sum() < 1_050_000_000


def test_sizes_and_attack_surface_take_little_more_than_before_and_less_than_a_gigabyte(
    evidence: Path, data: Path, tmp_path: Path
) -> None:
    cost = large.cost(data, tmp_path, "03-image-size", "04-attack-surface")
    assert cost.times < large.MOST
    assert cost.memory_bytes < 1_000_000_000
    figures = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert {"size-by-group", "size-by-layer", "attack-surface", "coverage", "slimmer"} <= figures
