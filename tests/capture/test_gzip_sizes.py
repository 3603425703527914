"""A layer is weighed once, by however many variants and captures it is asked of."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers.capture.gzip_sizes import Weights
from helpers.images.archive import Layer

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


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    def fail(*_: Any) -> int:
        raise ValueError("damaged")

    weights = Weights(tmp_path / "sizes.json", fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="damaged"):
            weights.of(None, LAYER)
    weights.keep()
    assert "sha256:a" not in (tmp_path / "sizes.json").read_text()


def test_who_waits_for_a_damaged_archive_weighs_its_own(tmp_path: Path) -> None:
    waiting, asked = threading.Event(), []

    def weigh(archive: Any, _: Layer) -> int:
        asked.append(archive)
        if archive == "damaged":
            waiting.set()
            time.sleep(0.2)
            raise ValueError("damaged")
        return 42

    weights = Weights(tmp_path / "sizes.json", weigh)
    with ThreadPoolExecutor(2) as pool:
        damaged = pool.submit(weights.of, "damaged", LAYER)
        waiting.wait()
        whole = pool.submit(weights.of, "whole", LAYER)
        assert whole.result() == 42
        assert "damaged" in str(damaged.exception())
    assert asked == ["damaged", "whole"]
