"""An image before and after a change: two images of one capture, or one of two captures."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from helpers.errors import NotComparable
from helpers.frames import NO_OS, UNKNOWN_COUNT, Frames
from helpers.text.i18n import message
from helpers.vulnerabilities import changes, lenses

BEFORE, AFTER = "before", "after"


class Side(NamedTuple):
    """One image: what it is called, and its frames."""

    label: str
    frames: Frames

    @property
    def image(self) -> pd.Series:
        """Return its row of `images`."""
        return self.frames.images.iloc[0]

    @property
    def standing(self) -> pd.DataFrame:
        """Return its findings that no statement takes out of the counts."""
        return lenses.standing(self.frames.findings)

    @property
    def installed(self) -> frozenset[str] | None:
        """Return its packages with version and path; `None` if they are not listed."""
        packages, findings = self.frames.packages, self.frames.findings
        # An image may have none, and then the list says so.
        has_none = findings.empty and pd.notna(self.image["packages"])
        if packages.empty and not has_none:
            return None
        return frozenset(installed_names(packages, "version"))


class Pair(NamedTuple):
    """An image before and after; `name` is empty if there is one pair only."""

    name: str
    before: Side
    after: Side

    @property
    def sides(self) -> dict[str, Side]:
        """Return both sides by name."""
        return {BEFORE: self.before, AFTER: self.after}


_BETWEEN = "\x1f"
"""Stands between the parts of a name: no package has it. (`str.cat` leaves out a NUL.)"""


def installed_names(rows: pd.DataFrame, version: str) -> pd.Series:
    """Return package, version and path of rows of packages or findings as one text each."""
    columns = (rows[name].fillna("").astype("str") for name in ("package", version, "package_path"))
    package, number, path = columns
    return package.str.cat([number, path], sep=_BETWEEN)


def stayed(own: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Return what the other image has too: at that path, or at one that it alone has.

    Both are of `installed_names`. A package in that version that went to another folder is no new
    one. Of more copies than went it is not known which is new, so each counts as new.
    """
    went, came = (
        Counter(name.rpartition(_BETWEEN)[0] for name in names)
        for names in (other - own, own - other)
    )
    moved = {package for package, copies in came.items() if copies <= went[package]}
    return other | {name for name in own - other if name.rpartition(_BETWEEN)[0] in moved}


def of_variants(frames: Frames, labels: Mapping[str, str]) -> Pair:
    """Return the variants `before` and `after` of one capture as a pair, with labels by name."""
    first, second = (Side(labels[name], _only(frames, variant=name)) for name in (BEFORE, AFTER))
    return Pair("", first, second)


def of_captures(frames: Frames, before: str, after: str, variant: str = "") -> list[Pair]:
    """Return each variant of two captures as a pair, or the one that is named.

    Raises `NotComparable` for an unknown variant.
    """
    known = list(dict.fromkeys(frames.images["variant"]))
    if variant and variant not in known:
        raise NotComparable(f"no variant {variant!r}; there are {', '.join(known)}")
    return [
        Pair(
            name,
            *(Side(f"{name}, {day}", _only(frames, variant=name, capture=day)) for day in days),
        )
        for name in ([variant] if variant else known)
        for days in [(before, after)]
    ]


def check(pair: Pair) -> list[str]:
    """Return what has to be known of a comparison, as messages.

    Raises `NotComparable` if it cannot be told what the image brought: an image was not measured,
    or the scanners differ.
    """
    for side in pair.sides.values():
        status, reason = side.image["status"], side.image["reason"]
        if status in UNKNOWN_COUNT:
            why = f" ({reason})" if pd.notna(reason) else ""
            others = ", or compare another one with --variant NAME" if pair.name else ""
            raise NotComparable(
                f"{side.label}: its vulnerabilities are not known, it is {status}{why}. "
                f"Scan it again, then compare{others}"
            )
    notes = _without_system(pair)
    first, second = (
        [side.image["scanner"], side.image["scanner_version"]] for side in pair.sides.values()
    )
    unknown = [pd.isna(version) for _, version in (first, second)]
    if first[0] != second[0] or (first[1] != second[1] if not any(unknown) else not all(unknown)):
        ways = (
            f"{side.label} by {scanner} {'of an unknown version' if pd.isna(number) else number}"
            for side, (scanner, number) in zip(pair.sides.values(), (first, second), strict=True)
        )
        raise NotComparable(
            f"not scanned alike: {', '.join(ways)}. What differs may be the scanner's doing; scan "
            "both with one version of one scanner"
        )
    if all(unknown):
        notes.append(
            message(
                "The reports do not say which version of the scanner made them: what counts as "
                "newly published may come from a newer scanner."
            )
        )
    return notes


def _without_system(pair: Pair) -> list[str]:
    """Return that of both images no system was recognized; raise if of one, or nothing is known."""
    without = [side for side in pair.sides.values() if side.image["status"] == NO_OS]
    nothing = [side for side in without if side.frames.packages.empty and side.standing.empty]
    if len(without) == 1 or nothing:
        raise NotComparable(
            f"{(nothing or without)[0].label}: no operating system with known packages was found "
            "in it, so its OS packages were not checked, and what seems removed may still be "
            "there. Scan the whole image with a scanner that knows its system"
        )
    if without:
        return [
            message(
                "No operating system was recognised in either image: OS packages were not checked."
            )
        ]
    return []


def same_database(pair: Pair) -> bool | None:
    """Return whether one database served both; `None` if that is not known."""
    sides = pair.sides.items()
    parts = [side.frames.images.assign(variant="", capture=name) for name, side in sides]
    images = pd.concat(parts, ignore_index=True)
    empty = pair.after.frames.packages.iloc[:0]
    frames = Frames(images, pair.after.frames.findings.iloc[:0], empty)
    differs = changes.causes(frames, BEFORE, AFTER)[changes.DATABASE].iloc[0]
    return None if differs is pd.NA else not differs


def same_image(pair: Pair) -> bool | None:
    """Return whether both are the same: by their packages, else their id; `None`: not known."""
    before, after = (side.installed for side in pair.sides.values())
    if before is not None and after is not None:
        return before == after
    first, second = (side.image["image_id"] for side in pair.sides.values())
    return None if pd.isna(first) or pd.isna(second) else bool(first == second)


def _only(frames: Frames, **wanted: str) -> Frames:
    """Return the rows of one image of each frame."""
    parts = []
    for frame in frames:
        chosen = pd.Series(True, index=frame.index)
        for column, value in wanted.items():
            chosen &= frame[column].eq(value)
        parts.append(frame[chosen].reset_index(drop=True))
    return Frames(*parts)
