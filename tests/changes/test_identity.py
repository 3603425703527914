"""Which scans are of one image: by what tells it best, and not known where nothing does."""

from typing import Any

import pandas as pd
import pytest

from helpers.changes import identity
from helpers.changes.identity import DIGEST, IMAGE_ID, NAME_AND_TIME, PACKAGES
from tests.conftest import trivy

NAMED = {"artifact": "app:1", "created_at": pd.Timestamp("2024-01-01", tz="UTC")}


def compared(*scans: dict[str, Any]) -> tuple[bool | None, str]:
    unknown = dict.fromkeys(identity.COLUMNS)
    sides = (pd.DataFrame([unknown | known], dtype="object") for known in scans)
    (row,) = identity.compared(*sides).itertuples()
    return (None if pd.isna(row.same) else bool(row.same)), row.level


@pytest.mark.parametrize(
    ("before", "after", "same", "level"),
    [
        ({"listed": "a", "image_id": "1"}, {"listed": "a", "image_id": "2"}, True, PACKAGES),
        ({"listed": "a", "image_id": "1"}, {"listed": "b", "image_id": "1"}, True, IMAGE_ID),
        ({"listed": "a", "image_id": "1"}, {"listed": "b", "image_id": "2"}, False, PACKAGES),
        ({"listed": "a", "image_id": "1"}, {"image_id": "1"}, True, IMAGE_ID),
        ({"image_id": "1"}, {"image_id": "2"}, False, IMAGE_ID),
        ({"digest": "d"}, {"digest": "d"}, True, DIGEST),
        ({"digest": "d"}, {"digest": "e", **NAMED}, False, DIGEST),
        (
            {"digest": "d", "architecture": "amd64"},
            {"digest": "d", "architecture": "arm64"},
            False,
            DIGEST,
        ),
        (NAMED, NAMED, True, NAME_AND_TIME),
        (NAMED, NAMED | {"artifact": "app:2"}, None, ""),
        (NAMED, {"artifact": "app:1"}, None, ""),
        (
            NAMED | {"created_at": pd.Timestamp("1970-01-01", tz="UTC")},
            NAMED | {"created_at": pd.Timestamp("1970-01-01", tz="UTC")},
            None,
            "",
        ),
        ({"listed": "a"}, {"image_id": "1"}, None, ""),
    ],
)
def test_the_strongest_level_that_both_have_decides(
    before: dict[str, Any], after: dict[str, Any], same: bool | None, level: str
) -> None:
    assert compared(before, after) == (same, level)
    assert compared(after, before) == (same, level)


def test_of_several_digests_that_of_the_artifacts_repository_is_the_images(frames_of) -> None:
    digests = [f"{name}@sha256:{number:064x}" for number, name in enumerate(["other", "app"])]
    report = trivy(ArtifactName="app:1", Metadata={"RepoDigests": digests})
    images = frames_of(app=report).images
    assert images["digest"].tolist() == [f"sha256:{1:064x}"]
