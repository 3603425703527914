"""Whether the images of a fleet were scanned alike, and how many in each way."""

from functools import partial

import pandas as pd

from helpers.comparability import scan_consistency
from helpers.errors import NotComparable
from helpers.fleet.partition import Partition, Reduction
from helpers.frames import UNKNOWN_COUNT
from helpers.text.i18n import ENGLISH, speaking, t, word
from helpers.text.rich import Text, bullets, number, paragraph, say
from helpers.text.titles import begun

_HOW = ["scanner", "scanner_version", "db_updated_at", "db_sha256", "scanned_at"]


def ways(images: pd.DataFrame) -> pd.DataFrame:
    """Return each way in which images were scanned: `way, images`, that of most images first.

    A way is a scanner and a database, as `scan_consistency` tells them apart.
    """
    known = images[~images["status"].isin(UNKNOWN_COUNT)][_HOW]
    # Of a database without a digest and a date the day of the scan is what is known.
    nothing = known["db_updated_at"].isna() & known["db_sha256"].isna()
    known = known.assign(
        db_updated_at=known["db_updated_at"].dt.floor("D"),
        scanned_at=known["scanned_at"].dt.floor("D").where(nothing),
    )
    counts = known.groupby(_HOW, dropna=False, sort=False).size().rename("images").reset_index()
    counts["way"] = [scan_consistency.way(row) for row in counts.itertuples()]
    found = counts.groupby("way", sort=False)["images"].sum().reset_index()
    return found.sort_values(["images", "way"], ascending=[False, True], ignore_index=True)


def require(images: pd.DataFrame, mixed: bool = False) -> pd.DataFrame:
    """Return the images if they were scanned alike; raises `NotComparable` unless it is allowed."""
    with speaking(ENGLISH):
        found = ways(images)
    if mixed or len(found) < 2:
        return images
    lines = [f"  {number(row.images, 'scan')} with {row.way}" for row in found.itertuples()]
    shown = (
        lines if len(lines) <= _MOST else [*lines[:_MOST], f"  and {len(lines) - _MOST} more ways"]
    )
    raise NotComparable(
        "\n".join(
            ["these images were not scanned alike, so their counts cannot be compared:", *shown]
        )
        + "\nScan all again with one scanner and database, or allow it (--mixed, or the parameter "
        "mixed=true): every figure then says so"
    )


_MOST = 10
"""Ways that are told one by one."""


def mark(images: pd.DataFrame) -> str:
    """Return what a figure says of images that were not scanned alike; empty if they were."""
    return word(scan_consistency.MIXED) if len(ways(images)) > 1 else ""


def warning(images: pd.DataFrame) -> Text:
    """Return that images were not scanned alike, in one line; nothing if they were."""
    told = mark(images)
    return paragraph(say("**{told}**", told=begun(told)), role="choice") if told else Text()


def reduction() -> Reduction:
    """Return the reduction to how each image was scanned, one row an image."""
    columns = ["status", *_HOW]
    return Reduction(partial(_images, columns=columns), {"images": columns})


def _images(part: Partition, columns: list[str]) -> pd.DataFrame:
    return part.images[columns]


def text(images: pd.DataFrame) -> Text:
    """Return with what the images were scanned, and that they were not scanned alike."""
    found = ways(images)
    if found.empty:
        return Text()
    lines = [
        say("{images} with {way}", images=number(row.images, "scan"), way=row.way)
        for row in found.head(_MOST).itertuples()
    ]
    if len(found) == 1:
        way = found["way"].iloc[0]
        known = images[~images["status"].isin(UNKNOWN_COUNT)]
        if known[["db_updated_at", "db_sha256"]].isna().all(axis=1).any():
            return paragraph(
                t("Scanned with {way}: whether with one database is **not known**.", way=way)
            )
        return paragraph(t("Scanned alike: {way}.", way=way))
    if len(found) > _MOST:
        lines.append(say("and {count:,} more ways", count=len(found) - _MOST))
    head = say("**The images were not scanned alike, so no count can be compared:**")
    return paragraph(head) + bullets(lines)
