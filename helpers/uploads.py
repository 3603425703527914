"""Reports of a user's own: bytes or a path become frames of a variant with a name of its own."""

import re
from collections.abc import Collection
from pathlib import Path

from helpers import escape, load
from helpers.errors import ReportInvalid
from helpers.frames import Frames

RESERVED = frozenset({"vulnerability_id", "severity", "variants", "packages", "fixed"})
"""Names that a variant cannot have beside the columns of `overlap.listing`."""

_LONGEST = 48


def read(name: str, file: Path, taken: Collection[str] = ()) -> Frames:
    """Return the frames of the report in a file that a user gave under a name.

    Its variant is named after that, and unlike those that are taken. Raises `ReportInvalid`.
    """
    told = variant(name, taken)
    try:
        found = load.load_reports(file)
    except ReportInvalid as error:
        # The file may lie where the user has never been.
        raise ReportInvalid(escape.short(name, 80), error.problem, error.remedy) from error
    images, findings, packages = (part.assign(variant=told) for part in found)
    # Nor does its path say anything.
    return Frames(images.assign(report=told), findings, packages)


def variant(name: str, taken: Collection[str] = ()) -> str:
    """Return a variant's name for a file's name: letters, digits, `.`, `_` and `-`, and no other's.

    >>> variant("C:/x/my app$.json.gz"), variant("app.json", {"app"})
    ('my-app', 'app-2')
    """
    text = re.split(r"[/\\]", name)[-1]
    for suffix in (".gz", ".json"):
        text = text.removesuffix(suffix)
    text = re.sub(r"[^\w.-]+", "-", text).strip("-._")[:_LONGEST] or "report"
    every = {*taken, *RESERVED}
    number = 1
    while (told := text if number == 1 else f"{text}-{number}") in every:
        number += 1
    return told
