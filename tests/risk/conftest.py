"""Frames of reports with scores and a catalog that tests choose."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from helpers.frames import Frames

DAY = pd.Timestamp("2026-08-15T12:00Z")


def known(frames: Frames, scores: dict[str, float], added: dict[str, str] | None = None) -> Frames:
    """Return frames as if a capture knew these scores, and a catalog with these days."""
    ids = frames.findings["vulnerability_id"]
    since = pd.to_datetime(ids.map(added or {}), utc=True).astype("datetime64[us, UTC]")
    findings = frames.findings.assign(
        epss=ids.map(scores).astype("Float64"),
        epss_day=DAY,
        cve_id=ids.where(ids.isin([*scores, *(added or {})])),
        kev_added_at=since,
        exploited=since.notna().astype("boolean"),
    )
    images = frames.images.assign(
        epss_day=DAY, epss_model="v2026.06.15", kev_day=DAY, kev_source="kev.json"
    )
    return Frames(images, findings, frames.packages)


@pytest.fixture
def scored(frames_of: Callable[..., Frames]) -> Callable[..., Frames]:
    """Frames of reports, with what is known of exploitation."""

    def loaded(
        scores: dict[str, float], added: dict[str, str] | None = None, **reports: Any
    ) -> Frames:
        return known(frames_of(**reports), scores, added)

    return loaded
