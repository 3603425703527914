"""Releases of Trivy that were not its project's, and which images were scanned with one."""

import pandas as pd

from helpers.frames import UNKNOWN_COUNT
from helpers.text.i18n import t
from helpers.text.rich import Text, listed, name, paragraph, say

NOT_THE_PROJECTS = frozenset({"0.69.4", "0.69.5", "0.69.6"})
"""Published in March 2026 by somebody who had broken into the project, to steal credentials:
https://github.com/advisories/GHSA-69fq-xp46-6x23"""

REMEDY = (
    "Remove it, replace the credentials that it could read, and install 0.69.3 or earlier, or 0.70 "
    "or newer, from the project (https://github.com/aquasecurity/trivy/releases)"
)


def is_not_the_projects(version: str | None) -> bool:
    """Return whether a version of Trivy's is one that the project did not publish.

    >>> is_not_the_projects("v0.69.5"), is_not_the_projects("0.69.3")
    (True, False)
    """
    plain = (version or "").strip().removeprefix("v")
    return plain.partition("-")[0].partition("+")[0] in NOT_THE_PROJECTS


def scanned_with(images: pd.DataFrame) -> list[str]:
    """Return the images that were scanned with a release of Trivy that was not the project's."""
    asked = images[images["scanner"].eq("trivy") & ~images["status"].isin(UNKNOWN_COUNT)]
    versions = asked["scanner_version"].astype(object)
    is_one = versions.map(lambda version: pd.notna(version) and is_not_the_projects(version))
    return list(dict.fromkeys(asked[is_one.astype(bool)]["variant"]))


def mark(images: pd.DataFrame) -> str:
    """Return what a figure says of images that were scanned so; empty if none was."""
    return t("scanned with a COMPROMISED Trivy") if scanned_with(images) else ""


def text(images: pd.DataFrame) -> Text:
    """Return which images were scanned so, and what to do; empty if none was."""
    found = scanned_with(images)
    if not found:
        return Text()
    return paragraph(
        say(
            "**Scanned with a compromised release of Trivy** (0.69.4 to 0.69.6, March"
            " 2026): {variants}. Scan again with another release, and replace the "
            "credentials that the scanner could read.",
            variants=listed(map(name, found)),
        )
    )
