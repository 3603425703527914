"""Steps of a series: the same as the changes between two captures, for all pairs at once."""

import random
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from helpers.changes import between
from helpers.changes.engine import RERATED
from helpers.frames import Frames
from helpers.history import steps
from tests.conftest import finding, suppressing, trivy
from tests.gate.conftest import listing
from tests.history.conftest import kept, stepped

KEYS = ["variant", "earlier", "later", "vulnerability_id", "package", "change", "reason"]


def rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    levels = frame[["severity_before", "severity_after"]].astype("str").fillna("")
    whole = frame[KEYS].astype("str").join(levels)
    return sorted(whole.itertuples(index=False, name=None))


def expected(frames: Frames) -> list[tuple[str, ...]]:
    """What `changes` says of every two consecutive captures of each image."""
    found = []
    for variant, images in frames.images.groupby("variant", sort=False):
        ours = Frames(*(frame[frame["variant"].eq(variant)] for frame in frames))
        known = sorted(images[~images["status"].eq("failed")]["capture"])
        for earlier, later in pairwise(known):
            found += rows(between.movers(between.changes(ours, earlier, later)))
    return sorted(found)


def anything(random_: random.Random) -> dict[str, Any]:
    """A report with findings in packages that are often listed, at any level, and suppressed."""
    packages = {name: str(random_.randint(1, 2)) for name in ("curl", "openssl", "zlib")}
    found = [
        finding(
            random_.randint(1, 4),
            PkgName=name,
            InstalledVersion=version,
            Severity=random_.choice(["LOW", "HIGH"]),
            PkgPath=random_.choice(["", "", "x"]),
        )
        for name, version in packages.items()
        for _ in range(random_.randint(0, 3))
    ]
    if random_.random() < 0.2:
        report = trivy(*found)
    else:
        report = listing(*found, packages=", ".join(" ".join(pair) for pair in packages.items()))
    return suppressing(report, *found[:1]) if found and random_.random() < 0.3 else report


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_every_pair_of_captures_is_as_changes_says(captured, seed: int) -> None:
    random_ = random.Random(seed)
    frames = captured(
        *(
            {
                "a": anything(random_),
                "b": anything(random_),
                "about": {
                    "image_id": random_.choice(["1", "2", None]),
                    "db_sha256": random_.choice(["x", "y", None]),
                    "scanner_version": random_.choice(["1", "1", "2", None]),
                },
            }
            for _ in range(6)
        )
    )
    lost = frames.images["variant"].eq("a") & frames.images["capture"].eq("2024-01-03")
    frames = frames._replace(
        images=frames.images.assign(status=frames.images["status"].mask(lost, "failed"))
    )
    found = kept(frames, 2)
    whole = steps.steps(found, found.scans[found.scans["status"].ne("failed")])
    assert rows(whole.moves) == expected(frames)
    assert rows(whole.moves), "something changed"


def test_a_broken_scan_is_stepped_over(captured) -> None:
    many = [finding(number) for number in range(12)]
    lower = [*many[:-1], finding(11, Severity="LOW")]
    frames = captured({"a": listing(*many)}, {"a": listing()}, {"a": listing(*lower)})
    _, found = stepped(kept(frames))
    assert found.pairs[["earlier", "later"]].to_numpy().tolist() == [["2024-01-01", "2024-01-03"]]
    moved = found.moves[["vulnerability_id", "change", "severity_before", "severity_after"]]
    assert moved.to_numpy().tolist() == [["CVE-2024-0011", RERATED, "HIGH", "LOW"]]
