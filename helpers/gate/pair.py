"""An image before and after a change: two images of one capture, or one of two captures."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from helpers.comparability import end_of_life
from helpers.errors import NotComparable
from helpers.frames import NO_OS, UNKNOWN_COUNT, Frames
from helpers.images import reference
from helpers.text import escape
from helpers.text.i18n import Message
from helpers.vulnerabilities import lenses

BEFORE, AFTER = "before", "after"


class Note(NamedTuple):
    """What there is to know besides a result: a code for programs, and a message that says it.

    `foreign` values of it are texts of reports.
    """

    code: str
    text: str
    foreign: tuple[str, ...] = ()


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
    def findings(self) -> pd.DataFrame:
        """Return its findings. One is `exploited` if the catalog that was given has it.

        Its day does not matter here: what is known today is what a change is held against.
        """
        found = self.frames.findings
        is_listed = found["exploited"] | found["kev_added_at"].notna()
        return found.assign(exploited=is_listed.mask(found["exploited"].isna()))


class Pair(NamedTuple):
    """An image before and after; `name` is empty if there is one pair only."""

    name: str
    before: Side
    after: Side

    @property
    def sides(self) -> dict[str, Side]:
        """Return both sides by name."""
        return {BEFORE: self.before, AFTER: self.after}


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
        raise NotComparable(f"no variant {variant!r}; choose one of {', '.join(known)}")
    return [
        Pair(
            name,
            *(Side(f"{name}, {day}", _only(frames, variant=name, capture=day)) for day in days),
        )
        for name in ([variant] if variant else known)
        for days in [(before, after)]
    ]


def check(pair: Pair) -> list[Note]:
    """Return the notes on a comparison.

    Raises `NotComparable` if what the image brought cannot be determined: an image was not
    measured, or the scanners differ.
    """
    for side in pair.sides.values():
        status, reason = side.image["status"], side.image["reason"]
        if status in UNKNOWN_COUNT:
            why = f" ({reason})" if pd.notna(reason) else ""
            others = ", or compare another one with --variant NAME" if pair.name else ""
            raise NotComparable(
                f"{side.label}: its vulnerabilities are unknown; status: {status}{why}. "
                f"Scan it again, then compare{others}"
            )
    notes = _without_system(pair)
    versions = [side.image["scanner_version"] for side in pair.sides.values()]
    first, second = (
        f"{side.image['scanner']} {'of an unknown version' if pd.isna(version) else version}"
        for side, version in zip(pair.sides.values(), versions, strict=True)
    )
    if first != second:
        raise NotComparable(
            f"not scanned alike: {pair.before.label} by {first}, {pair.after.label} by {second}. "
            "Differences may come from the scanner; scan both with the same version"
        )
    if pd.isna(versions[0]):
        text = Message(
            "The reports do not name the scanner's version: newly published findings may come from "
            "a newer scanner."
        )
        notes.append(Note("scanner-version-not-recorded", text))
    return [*notes, *_of_images(pair), *_without_advisories(pair.after)]


def _of_images(pair: Pair) -> Iterator[Note]:
    """Yield that the two are of other repositories or for other platforms."""
    first, second = (side.image for side in pair.sides.values())
    names = [reference.repository_of(str(image["artifact"] or "")) for image in (first, second)]
    if all(names) and names[0] != names[1]:
        text = Message(
            "The repositories differ: {first}, {second}.",
            first=names[0],
            second=names[1],
        )
        yield Note("other-image", text, ("first", "second"))
    platforms = [first["architecture"], second["architecture"]]
    if pd.notna(platforms).all() and platforms[0] != platforms[1]:
        text = Message(
            "The platforms differ: {first}, {second}.",
            first=escape.short(platforms[0], 80),
            second=escape.short(platforms[1], 80),
        )
        yield Note("other-platform", text, ("first", "second"))


def _without_advisories(side: Side) -> Iterator[Note]:
    """Yield that an image's release may have no advisories: nothing is found, and it is unknown."""
    family, release = (str(side.image[name] or "") for name in ("os_family", "os_version"))
    packages, found = side.frames.packages, side.frames.findings
    is_clean = packages["package_class"].eq("os-pkgs").any()
    is_clean &= not found["package_class"].eq("os-pkgs").any()
    if is_clean and end_of_life.is_unknown(family, release):
        text = Message(
            "No findings in OS packages of {system}: the scanner may have no advisories for this "
            "release.",
            system=escape.short(f"{family} {release}", 80),
        )
        yield Note("release-without-advisories", text, ("system",))


def _without_system(pair: Pair) -> list[Note]:
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
        text = Message(
            "OS packages were not checked: no operating system was recognised in either image."
        )
        return [Note("no-system", text)]
    return []


def _only(frames: Frames, **wanted: str) -> Frames:
    """Return the rows of one image of each frame."""
    columns, values = [*wanted], [*wanted.values()]
    chosen = (frame[frame[columns].eq(values).all(axis=1)] for frame in frames)
    return Frames(*(frame.reset_index(drop=True) for frame in chosen))
