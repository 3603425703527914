"""A layer is gzipped once, however many variants and captures ask for its size."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers.capture.gzip_sizes import GzipSizes
from helpers.images.archive import Layer

LAYER = Layer("layer 1 of 1", "sha256:a", None, None, 0, "blob")


class Gzip:
    """Measures every layer as 42 bytes, and counts."""

    def __init__(self) -> None:
        self.measured: list[str] = []

    def __call__(self, _: Any, layer: Layer) -> int:
        self.measured.append(layer.diff_id)
        return 42


def test_side_by_side_and_from_one_capture_to_the_next(tmp_path: Path) -> None:
    gzip, path = Gzip(), tmp_path / "cache/sizes.json"
    sizes = GzipSizes(path, gzip)
    with ThreadPoolExecutor(9) as pool:
        assert list(pool.map(lambda _: sizes.size(None, LAYER), range(9))) == [42] * 9
    sizes.save()
    assert GzipSizes(path, gzip).size(None, LAYER) == 42
    assert gzip.measured == ["sha256:a"]
    assert [p.name for p in path.parent.iterdir()] == ["sizes.json"]


@pytest.mark.parametrize(
    "cached", ['{"zlib-ng 0.1, level 6": {"sha256:a": 7}}', "[1", '{"a": 3}', "\xff", "[" * 10**5]
)
def test_a_size_of_another_gzip_or_a_damaged_file_is_measured_again(
    tmp_path: Path, cached: str
) -> None:
    gzip, path = Gzip(), tmp_path / "sizes.json"
    path.write_text(cached, encoding="latin-1")
    assert GzipSizes(path, gzip).size(None, LAYER) == 42
    assert len(gzip.measured) == 1
