"""Whether the images of a fleet were scanned with one scanner and database."""

import pandas as pd

from helpers.comparability import scan_consistency
from helpers.errors import NotComparable
from helpers.text.i18n import ENGLISH, speaking, t, word
from helpers.text.rich import Text, bullets, name, number, paragraph, say
from helpers.text.titles import begun

_MOST = 10
"""Ways that are listed."""


def ways(images: pd.DataFrame) -> dict[str, int]:
    """Return in how many scans each way in which images were scanned was used, the most first."""
    found = [(way.told, count) for way, count in scan_consistency.counts(images).items()]
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))


def require(images: pd.DataFrame, mixed: bool = False) -> pd.DataFrame:
    """Return the images if they were scanned alike; raises `NotComparable` unless it is allowed."""
    with speaking(ENGLISH):
        found = ways(images)
        lines = [f"{number(count, 'scan')} with {way}" for way, count in found.items()]
    if mixed or len(found) < 2:
        return images
    more = [f"and {len(lines) - _MOST} more ways"] if len(lines) > _MOST else []
    raise NotComparable(scan_consistency.refusal("these images were", [*lines[:_MOST], *more]))


def mark(images: pd.DataFrame) -> str:
    """Return what a figure says of images that were not scanned alike; empty if they were."""
    return word(scan_consistency.MIXED[scan_consistency.SCANS]) if len(ways(images)) > 1 else ""


def warning(images: pd.DataFrame) -> Text:
    """Return that images were not scanned alike, in one line; nothing if they were."""
    told = mark(images)
    return paragraph(name(begun(told)), role="choice") if told else Text()


def text(images: pd.DataFrame) -> Text:
    """Return with what the images were scanned, and that they were not scanned alike."""
    found = ways(images)
    if not found:
        return Text()
    if len(found) == 1:
        return paragraph(t("All images were scanned with {way}.", way=next(iter(found))))
    lines = [
        say("{images} with {way}", images=number(count, "scan"), way=way)
        for way, count in [*found.items()][:_MOST]
    ]
    more = ["…"] if len(found) > _MOST else []
    head = say(
        "**The images were scanned with different scanners or databases, so "
        "their counts cannot be compared:**"
    )
    return paragraph(head) + bullets([*lines, *more])
