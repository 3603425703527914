"""A layer is weighed once, by however many variants and captures it is asked of."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.archive import Layer
from helpers.weights import Weights

LAYER = Layer("layer 1 of 1", "sha256:a", None, None, 0, "blob")


def weigher(asked: list[str]) -> Callable[[Any, Layer], int]:
    def weigh(_: Any, layer: Layer) -> int:
        asked.append(layer.diff_id)
        return 42

    return weigh


def test_side_by_side_and_from_one_capture_to_the_next(tmp_path: Path) -> None:
    asked: list[str] = []
    path = tmp_path / "cache/sizes.json"
    weights = Weights(path, weigher(asked))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(weights.of(None, LAYER))) for _ in range(9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    weights.keep()
    assert Weights(path, weigher(asked)).of(None, LAYER) == 42
    assert (found, asked) == ([42] * 9, ["sha256:a"])
    assert [p.name for p in path.parent.iterdir()] == ["sizes.json"]


def test_what_another_gzip_weighed_is_weighed_again(tmp_path: Path) -> None:
    asked: list[str] = []
    path = tmp_path / "sizes.json"
    for kept in ('{"zlib-ng 0.1, level 6": {"sha256:a": 7}}', "[1", '{"a": 3}', "\xff"):
        path.write_text(kept, encoding="latin-1")
        assert Weights(path, weigher(asked)).of(None, LAYER) == 42
    assert len(asked) == 4


def test_a_failure_is_told_to_all_and_not_kept(tmp_path: Path) -> None:
    def fail(*_: Any) -> int:
        raise ValueError("damaged")

    weights = Weights(tmp_path / "sizes.json", fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="damaged"):
            weights.of(None, LAYER)
    weights.keep()
    assert "sha256:a" not in (tmp_path / "sizes.json").read_text()


def test_a_place_that_cannot_be_written_to_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    weights = Weights(tmp_path / "cache/sizes.json", weigher([]))
    assert weights.of(None, LAYER) == 42
    weights.keep()
