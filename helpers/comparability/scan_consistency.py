"""Whether the images of one capture were scanned alike: one scanner, one database."""

from typing import Any

import pandas as pd

from helpers.errors import StudyInvalid
from helpers.frames import UNKNOWN_COUNT, Frames
from helpers.text.i18n import ENGLISH, msg, speaking, t, word
from helpers.text.rich import Text, bullets, listed, name, paragraph, say

MIXED = msg("variants scanned with DIFFERENT scanners or databases")
"""What every figure says of images that were not scanned alike."""


def require(frames: Frames, allow_mixed: bool = False) -> Frames:
    """Return the frames unchanged if one scanner and one database made each capture.

    Raises `StudyInvalid` if not, unless it is allowed: counts by different databases are not
    comparable, because a database grows every day.
    """
    if allow_mixed:
        return frames
    # Errors are in English in every language.
    with speaking(ENGLISH):
        by_capture = _ways(frames.images)
    for capture, ways in by_capture.items():
        if len(ways) > 1:
            lines = [f"  {' and '.join(variants)} with {how}" for how, variants in ways.items()]
            head = f"capture {capture} was" if capture else "these images were"
            raise StudyInvalid(
                "\n".join([f"{head} not scanned alike, so its counts cannot be compared:", *lines])
                + "\nScan all again with one scanner and database, or allow it (--mixed, or the "
                "parameter mixed=true): every figure then says so"
            )
    return frames


def mark(images: pd.DataFrame) -> str:
    """Return what a figure says of images that were not scanned alike; empty if they were."""
    return word(MIXED) if any(len(ways) > 1 for ways in _ways(images).values()) else ""


def text(images: pd.DataFrame) -> Text:
    """Return that images were scanned alike, or how they were not."""
    found = Text()
    for capture, ways in _ways(images).items():
        if len(ways) < 2:
            continue
        head = say("**The images were not scanned alike, so no count can be compared:**")
        if capture:
            head = say(
                "**The images of capture {capture} were not scanned alike, so no count can be "
                "compared:**",
                capture=capture,
            )
        lines = (
            say("{variants} with {way}", variants=listed(map(name, variants)), way=how)
            for how, variants in ways.items()
        )
        found += paragraph(head) + bullets(lines)
    return found or paragraph(t("All were scanned with one scanner and one database."))


def _ways(images: pd.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Return by capture each way in which images were scanned, with its variants.

    A way is a scanner and a database, known by its digest, else its day, else the day of the scan.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for row in images[~images["status"].isin(UNKNOWN_COUNT)].itertuples():
        ways = found.setdefault(row.capture, {})
        ways.setdefault(way(row), []).append(row.variant)
    return found


def way(row: Any) -> str:
    """Return how an image of the frame was scanned: with which scanner and database."""
    scanner = f"{row.scanner} {row.scanner_version}"
    if pd.isna(row.scanner_version):
        scanner = t("{scanner} of unknown version", scanner=row.scanner)
    day, digest = row.db_updated_at, row.db_sha256
    if pd.notna(day) or pd.notna(digest):
        database = t("unknown day") if pd.isna(day) else f"{day:%Y-%m-%d}"
        database += f" ({digest[:12]})" if pd.notna(digest) else ""
        return t("{scanner}, the database of {day}", scanner=scanner, day=database)
    if pd.notna(row.scanned_at):
        return t(
            "{scanner}, a database not recorded, on {day:%Y-%m-%d}",
            scanner=scanner,
            day=row.scanned_at,
        )
    return t("{scanner}, a database not recorded", scanner=scanner)
