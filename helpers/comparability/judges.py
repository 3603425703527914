"""Who judges an image's OS packages: whose advisories say which of them are vulnerable.

`judges.csv` has a line for each name that reports use: a data source of Trivy's, the beginning of a
namespace of Grype's, an operating system. Add lines for more.
"""

import csv
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import pandas as pd

from helpers import paths
from helpers.frames import UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, word
from helpers.text.rich import AND, Text, listed, name, paragraph, say

VENDOR, THIRD_PARTY, DISTRIBUTION, PUBLIC = "vendor", "third-party", "distribution", "public"
"""Kinds of judges: who makes the image or patches it; somebody else, unknown to the table; the
distribution; a database for everybody's packages, such as NVD's."""

_RANK = (VENDOR, THIRD_PARTY, DISTRIBUTION, PUBLIC)
"""Who of several is told: a vendor that patches Debian's packages says more of a zero than Debian,
and what NVD has besides a distribution judges all images alike."""

_KINDS = {
    VENDOR: msg("the image's vendor"),
    THIRD_PARTY: msg("a feed unknown to the kit"),
    DISTRIBUTION: msg("the distribution"),
    PUBLIC: msg("a public database"),
}

_LONGEST = 40


class Judge(NamedTuple):
    """One line of the table: a party, its kind, and by which packages its images are known."""

    party: str
    kind: str
    packages: str = ""


def judged_by(
    sources: Iterable[str],
    supplier: str | None,
    family: str | None,
    packages: Callable[[], Iterable[str]] = tuple,
) -> str | None:
    """Return the party whose advisories judge an image's OS packages, or `None` if not known.

    `sources` are those of the findings in OS packages. Without any it is the supplier, or a vendor
    whose patched `packages` (names with versions) the image has, or else the operating system's.

    >>> judged_by(["debian"], None, "debian"), judged_by([], "rapidfort", "ubuntu")
    ('Debian', 'RapidFort')
    """
    found = {judge(source) for source in sources}
    if supplier:
        found.add(judge(supplier))
    elif not found:
        found |= _by_packages(packages())
    if known := _table().get((family or "").lower()):
        found.add(known)
    if not found:
        return None
    kind = min((each.kind for each in found), key=_RANK.index)
    return ", ".join(sorted({each.party for each in found if each.kind == kind}))


def judge(source: str) -> Judge:
    """Return who stands behind a data source of Trivy's or a namespace of Grype's.

    A name that the table does not have is somebody else's feed, and named as it came.
    """
    known = _table().get(source.partition(":")[0].lower())
    return known or Judge(escape.short(source, _LONGEST), THIRD_PARTY)


def kind(party: str) -> str:
    """Return the kind of a party that `judged_by` returned."""
    return _kinds().get(party.partition(", ")[0], THIRD_PARTY)


def own(rows: pd.DataFrame) -> dict[str, str]:
    """Return the variants that a vendor or a third party judges, with its name, if others differ.

    `rows` have `variant` and `judged_by`. Empty if one party judges all: then no count is another's
    judgement. Two distributions are judges of their own packages, too, and none is named.
    """
    known = rows.dropna(subset="judged_by")
    if known["judged_by"].nunique() < 2:
        return {}
    zipped = zip(known["variant"], known["judged_by"], strict=True)
    return {each: party for each, party in zipped if kind(party) in (VENDOR, THIRD_PARTY)}


def of_its_own(images: pd.DataFrame) -> dict[str, str]:
    """Return those images of the frame whose capture has others that another party judges."""
    counted = images[~images["status"].isin(UNKNOWN_COUNT)]
    found: dict[str, str] = {}
    for _, rows in counted.groupby("capture", dropna=False):
        found |= own(rows)
    return found


def text(images: pd.DataFrame) -> Text:
    """Return who judges which images where a vendor or a third party judges some; else nothing."""
    if not of_its_own(images):
        return Text()
    counted = images[~images["status"].isin(UNKNOWN_COUNT)].drop_duplicates("variant")
    each = (
        say(
            "{variants} by {party} ({kind})",
            variants=listed(map(name, rows["variant"]), last=AND),
            party=escape.plain(str(party)),
            kind=word(_KINDS[kind(str(party))]),
        )
        for party, rows in counted.groupby("judged_by", sort=False)
    )
    return paragraph(
        say(
            "**Not judged alike:** {each}. A vendor decides what counts as vulnerable"
            " in its own image, so a low count may be only its judgement.",
            each=listed(each, "; "),
        )
    )


@cache
def _table() -> dict[str, Judge]:
    with paths.JUDGES.open(encoding="utf-8", newline="") as file:
        return {
            line["name"]: Judge(line["party"], line["kind"], line["packages"])
            for line in csv.DictReader(file)
        }


@cache
def _kinds() -> dict[str, str]:
    return {each.party: each.kind for each in _table().values()}


def _by_packages(packages: Iterable[str]) -> set[Judge]:
    """Return the vendors that some packages are known to be patched by."""
    patterns = {each: re.compile(each.packages) for each in _table().values() if each.packages}
    return {each for name in packages for each, wanted in patterns.items() if wanted.search(name)}
