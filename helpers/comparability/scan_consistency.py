"""Whether the images of one capture were scanned alike: one scanner, one database."""

from typing import Any

import pandas as pd

from helpers.errors import StudyInvalid
from helpers.frames import UNKNOWN_COUNT, Frames
from helpers.text import escape
from helpers.text.i18n import ENGLISH, msg, speaking, t, word
from helpers.text.markdown import listed, name

MIXED = msg("variants scanned with DIFFERENT scanners or databases")
"""What every figure says of such a study, where it is allowed."""


def require(frames: Frames, allow_mixed: bool = False) -> Frames:
    """Return the frames as they are if one scanner and one database made each capture.

    Raises `StudyInvalid` if not, unless it is allowed: counts that different databases gave are
    not comparable, since a database grows every day.
    """
    # What goes wrong is told in English, whatever figures speak.
    with speaking(ENGLISH):
        by_capture = _ways(frames.images)
    for capture, ways in by_capture.items():
        if len(ways) > 1 and not allow_mixed:
            told = [f"  {' and '.join(variants)} with {way}" for way, variants in ways.items()]
            head = f"capture {capture} was" if capture else "these images were"
            raise StudyInvalid(
                "\n".join([f"{head} not scanned alike, so its counts cannot be compared:", *told])
                + "\nScan all anew with one scanner and database, or allow it (--mixed, or the "
                "parameter mixed=true): every figure then says so"
            )
    return frames


def mark(images: pd.DataFrame) -> str:
    """Return what a figure has to say of images that were not scanned alike; else nothing."""
    return word(MIXED) if any(len(ways) > 1 for ways in _ways(images).values()) else ""


def sentence(images: pd.DataFrame) -> str:
    """Return that images were scanned alike, or how they were not."""
    lines = []
    for capture, ways in _ways(images).items():
        if len(ways) > 1:
            lines += [f"**{_unlike(capture)}**", ""]
            for way, variants in ways.items():
                who, how = listed(map(name, variants)), escape.markdown(way)
                lines.append("- " + t("{variants} with {way}", variants=who, way=how))
            lines.append("")
    alike = msg("All were scanned with one scanner and one database.")
    return "\n".join(lines).rstrip() or word(alike)


def _unlike(capture: str) -> str:
    if not capture:
        return word(msg("The images were not scanned alike, so no count can be compared:"))
    return t(
        "The images of capture {capture} were not scanned alike, so no count can be compared:",
        capture=escape.markdown(capture),
    )


def _ways(images: pd.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Return, by capture, each way in which images were scanned, with its variants.

    A way is a scanner and a database, known by its digest, else its day, else the day of the scan.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for row in images[~images["status"].isin(UNKNOWN_COUNT)].itertuples():
        ways = found.setdefault(row.capture, {})
        ways.setdefault(_way(row), []).append(row.variant)
    return found


def _way(row: Any) -> str:
    scanner = f"{row.scanner} {row.scanner_version}"
    if pd.isna(row.scanner_version):
        scanner = t("{scanner} of unknown version", scanner=row.scanner)
    day, digest = row.db_updated_at, row.db_sha256
    if pd.notna(day) or pd.notna(digest):
        told = word(msg("unknown day")) if pd.isna(day) else f"{day:%Y-%m-%d}"
        told += f" ({digest[:12]})" if pd.notna(digest) else ""
        return t("{scanner}, the database of {day}", scanner=scanner, day=told)
    if pd.notna(row.scanned_at):
        return t(
            "{scanner}, a database not recorded, on {day:%Y-%m-%d}",
            scanner=scanner,
            day=row.scanned_at,
        )
    return t("{scanner}, a database not recorded", scanner=scanner)
