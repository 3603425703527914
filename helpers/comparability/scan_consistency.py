"""Whether the images of one capture were scanned alike: one scanner, one database, for the same."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import StudyInvalid
from helpers.frames import UNKNOWN_COUNT, Frames
from helpers.text.i18n import ENGLISH, msg, speaking, t, word
from helpers.text.rich import Text, bullets, listed, name, paragraph, say

MANY = 10
"""Findings that no newer database brings at once to packages that had none."""

_IMAGE = ["capture", "variant"]
_PACKAGE = ["package_class", "package_type", "package", "version"]

MIXED = msg("variants scanned with DIFFERENT scanners or databases")
"""What every figure says of images that were not scanned alike."""


def require(frames: Frames, allow_mixed: bool = False) -> Frames:
    """Return the frames unchanged if one scanner and one database made each capture.

    Raises `StudyInvalid` if not, unless it is allowed: counts by different databases are not
    comparable, because a database grows every day. Always raises it if of one image, or one list of
    packages, one scan found something and another nothing: no such zero is a count.
    """
    for false in false_zeros(frames):
        same = "the same image" if false.is_image else "the same packages"
        where = f"capture {false.capture}: " if false.capture else ""
        raise StudyInvalid(
            f"{where}{false.variant} has no findings, but {false.other} has {false.found:,} of "
            f"{same}, so the scan of {false.variant} looked for something else or left out what "
            f"it found. Scan it again with --scanners vuln and without --severity and "
            f"--ignore-unfixed, or leave {false.variant} out"
        )
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


class FalseZero(NamedTuple):
    """A scan without findings, and another that has some of the same image or packages."""

    capture: str
    variant: str
    other: str
    found: int
    is_image: bool


def false_zeros(frames: Frames) -> list[FalseZero]:
    """Return the scans that found nothing where another one of their capture shows the contrary.

    The other one is of the same image, or of the same packages of the same system. It has ten
    findings or more, or was made alike: a few may have come with a newer database.
    """
    images = frames.images[~frames.images["status"].isin(UNKNOWN_COUNT)]
    counts = frames.findings.groupby(_IMAGE, observed=True).size()
    found = counts.reindex(pd.MultiIndex.from_frame(images[_IMAGE]), fill_value=0).to_numpy()
    rows = [*images.assign(found=found).itertuples()]
    others = [row for row in rows if row.found]
    if len(others) in (0, len(rows)):
        return []
    false = []
    for row in (row for row in rows if not row.found):
        for other in others:
            if other.capture != row.capture or other.variant == row.variant:
                continue
            is_image = pd.notna(row.image_id) and row.image_id == other.image_id
            is_told = other.found >= MANY or way(other) == way(row)
            if is_told and (is_image or _has_same_packages(row, other, frames.packages)):
                names = row.capture, row.variant, other.variant
                false.append(FalseZero(*names, int(other.found), bool(is_image)))
                break
    return false


def _has_same_packages(row: Any, other: Any, packages: pd.DataFrame) -> bool:
    """Return whether two images have one system, one list of packages, and one judge of them."""
    # Without packages, and mostly by their number, it is told without a look at the lists.
    alike = ("packages", "os_family", "os_version", "judged_by")
    if not all(_is_same(row, other, column) for column in alike):
        return False
    of_capture = packages[packages["capture"].eq(row.capture)]
    first, second = (
        of_capture[of_capture["variant"].eq(name)][_PACKAGE].fillna("").sort_values(_PACKAGE)
        for name in (row.variant, other.variant)
    )
    return bool(row.packages) and np.array_equal(first.to_numpy(), second.to_numpy())


def _is_same(row: Any, other: Any, column: str) -> bool:
    values = getattr(row, column), getattr(other, column)
    return all(map(pd.notna, values)) and values[0] == values[1]


def mark(images: pd.DataFrame) -> str:
    """Return what a figure says of images that were not scanned alike; empty if they were."""
    return word(MIXED) if any(len(ways) > 1 for ways in _ways(images).values()) else ""


def has_one_database(images: pd.DataFrame) -> bool:
    """Return whether one database is known to have been used for the images of each capture."""
    scanned = images[~images["status"].isin(UNKNOWN_COUNT)]
    is_named = scanned[["db_updated_at", "db_sha256"]].notna().any(axis=1).all()
    return bool(is_named) and all(len(ways) < 2 for ways in _ways(images).values())


def text(images: pd.DataFrame) -> Text:
    """Return that images were scanned alike, or how they were not."""
    found, by_capture = Text(), _ways(images)
    for capture, ways in by_capture.items():
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
    if found or not by_capture:
        return found
    if not has_one_database(images):
        return paragraph(t("Whether one database was used is not known: reports do not name it."))
    if len(by_capture) > 1:
        return paragraph(t("In each capture, all were scanned with one scanner and one database."))
    return paragraph(t("All were scanned with one scanner and one database."))


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
