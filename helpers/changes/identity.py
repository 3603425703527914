"""Whether two scans are of the same image, and how that is known."""

import numpy as np
import pandas as pd

PACKAGES, IMAGE_ID, DIGEST, NAME_AND_TIME = "packages", "image-id", "digest", "name-and-time"
LEVELS = (PACKAGES, IMAGE_ID, DIGEST, NAME_AND_TIME)
"""What identifies an image, the strongest first: its package list, the digest of its config, that
of its manifest or index, and its name with its build time."""

WEAK = frozenset({NAME_AND_TIME})
"""Levels that are likely right, but not proof."""

COLUMNS = ["listed", "image_id", "digest", "architecture", "artifact", "created_at"]
"""Columns of scans that this uses, where known; `listed` names a package list."""

_FIRST_IMAGES = 2013
"""Year of the first Docker images; earlier build times are fixed or missing."""


def compared(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return whether the scans in each row of two frames are of the same image.

    Both have the same index and, where known, `COLUMNS`. `same` is NA if unknown, and `level` is
    the deciding one of `LEVELS`, or empty. Equal ids decide even if package lists differ, as in a
    broken scan. An index has one digest for several architectures, so these are compared as well. A
    name needs a build time, and times of reproducible builds (such as 1970) do not count.
    """
    same = pd.Series(pd.NA, index=before.index, dtype="boolean")
    level = pd.Series("", index=before.index, dtype="object")
    alike = {name: _equal(before, after, name) for name in COLUMNS}
    other_architecture = alike["architecture"].eq(False).fillna(False)
    times = [_time(frame) for frame in (before, after)]
    built = times[0].eq(times[1]).astype("boolean").mask(times[0].isna() | times[1].isna())
    # Another name decides nothing: an image can have several.
    by_name = built.mask(~alike["artifact"].fillna(False))
    digest = alike["digest"].mask(alike["digest"].fillna(False) & other_architecture, False)
    equal_ids = alike["image_id"].where(alike["image_id"].fillna(False))
    ways = (
        (PACKAGES, alike["listed"].where(alike["listed"].fillna(False))),
        (IMAGE_ID, equal_ids),
        (PACKAGES, alike["listed"]),
        (IMAGE_ID, alike["image_id"]),
        (DIGEST, digest),
        (NAME_AND_TIME, by_name.mask(by_name.fillna(False) & other_architecture, False)),
    )
    for name, known in ways:
        decides = same.isna() & known.notna()
        same, level = same.mask(decides, known), level.mask(decides, name)
    return pd.DataFrame({"same": same, "level": level})


def _equal(before: pd.DataFrame, after: pd.DataFrame, column: str) -> pd.Series:
    """Return whether a column is equal; NA if a value is missing."""
    if column not in before or column not in after:
        return pd.Series(pd.NA, index=before.index, dtype="boolean")
    then, now = before[column], after[column]
    return then.eq(now).astype("boolean").mask(then.isna() | now.isna())


def _time(scans: pd.DataFrame) -> pd.Series:
    """Return the build times of images, where they identify the image."""
    if "created_at" not in scans:
        return pd.Series(pd.NaT, index=scans.index, dtype="datetime64[us, UTC]")
    built = pd.to_datetime(scans["created_at"], utc=True, errors="coerce")
    return built.where(np.asarray(built.dt.year.ge(_FIRST_IMAGES), dtype=bool))
