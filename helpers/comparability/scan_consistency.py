"""Whether scans may be compared: made with one scanner and database, with EPSS scores of one day.

A new model moves scores with nothing changed in any image: from 13 to 20 June 2026, when FIRST went
from v2025.03.14 to v2026.06.15, the median of all ids went from 0.003 to 0.007.
"""

from collections.abc import Hashable
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import StudyInvalid, advice
from helpers.frames import UNKNOWN_COUNT, Frames
from helpers.text.i18n import ENGLISH, msg, speaking, t, word
from helpers.text.rich import AND, Phrase, Text, bullets, listed, name, paragraph, say

SCANS, SCORES = "scans", "scores"
"""What may be unlike: scanners or databases, or the days or models of EPSS scores."""

MIXED = {
    SCANS: msg("variants scanned with DIFFERENT scanners or databases"),
    SCORES: msg("variants with EPSS scores of DIFFERENT days or models"),
}
"""What every figure says of images that are unlike."""

_REFUSALS = {
    SCANS: (
        "not scanned alike, so its counts cannot be compared:",
        "Scan all again with one scanner and database",
    ),
    SCORES: ("have other scores, so counts by EPSS differ:", "Capture all again on one day"),
}

MANY = 10
"""Findings that no newer database brings at once to packages that had none."""

_HOW = ["scanner", "scanner_version", "db_updated_at", "db_sha256", "scanned_at"]
_IMAGE = ["capture", "variant"]
_PACKAGE = ["package_class", "package_type", "package", "version"]


class Way(NamedTuple):
    """How an image was scanned; what is not known is empty.

    Databases are known by `digest` and `day`; without both `scanned_on` is the day of the scan.
    """

    scanner: str
    version: str
    day: str
    digest: str
    scanned_on: str

    @property
    def told(self) -> str:
        """Return it in words."""
        scanner = f"{self.scanner} {self.version}"
        if not self.scanner:
            scanner = t("an unknown scanner")
        elif not self.version:
            scanner = t("{scanner} of unknown version", scanner=self.scanner)
        if self.day or self.digest:
            database = self.day or t("unknown day")
            database += f" ({self.digest})" if self.digest else ""
            return t("{scanner}, the database of {day}", scanner=scanner, day=database)
        if self.scanned_on:
            return t(
                "{scanner}, a database not recorded, on {day:%Y-%m-%d}",
                scanner=scanner,
                day=date.fromisoformat(self.scanned_on),
            )
        return t("{scanner}, a database not recorded", scanner=scanner)


class Scores(NamedTuple):
    """Whose scores an image has: of a day, made by a model, which is empty if it is not stated."""

    day: str
    model: str

    @property
    def told(self) -> str:
        """Return both in words."""
        if self.model:
            return t("EPSS of {day} ({model})", day=self.day, model=self.model)
        return t("EPSS of {day}", day=self.day)


class Unlike(NamedTuple):
    """Why images of a capture may not be compared: `code` says what is unlike.

    `ways` are the labels of the images' rows by how they were scanned, or by their scores.
    """

    code: str
    capture: str
    ways: dict[Way | Scores, list[Hashable]]


def unlike(images: pd.DataFrame, code: str = SCANS) -> list[Unlike]:
    """Return the captures whose scans may not be compared, each with its ways."""
    each = scans(images) if code == SCANS else scores(images)
    found: dict[str, dict[Way | Scores, list[Hashable]]] = {}
    for capture, row, way in zip(images["capture"][each.index], each.index, each, strict=True):
        found.setdefault(capture, {}).setdefault(way, []).append(row)
    return [Unlike(code, capture, ways) for capture, ways in found.items() if len(ways) > 1]


def scans(images: pd.DataFrame) -> pd.Series:
    """Return the `Way` of each image that was counted."""
    place, ways = _numbered(images)
    return pd.Series([ways[at] for at in place], place.index, dtype=object)


def counts(images: pd.DataFrame) -> dict[Way, int]:
    """Return how many images were counted by each way."""
    place, ways = _numbered(images)
    found: dict[Way, int] = {}
    for at, count in place.value_counts(sort=False).items():
        found[ways[at]] = found.get(ways[at], 0) + count
    return found


def _numbered(images: pd.DataFrame) -> tuple[pd.Series, list[Way]]:
    """Return the number of each counted image's way, and the ways: few of 100,000s of scans."""
    how = images[~images["status"].isin(UNKNOWN_COUNT)][_HOW]
    is_unnamed = how["db_updated_at"].isna() & how["db_sha256"].isna()
    how = how.assign(
        db_updated_at=how["db_updated_at"].dt.floor("D"),
        scanned_at=how["scanned_at"].dt.floor("D").where(is_unnamed),
    )
    place = how.groupby(_HOW, dropna=False, sort=False).ngroup()
    first = how[~place.duplicated()]
    days = {column: first[column].dt.strftime("%Y-%m-%d") for column in _HOW[2::2]}
    first = first.assign(db_sha256=first["db_sha256"].str[:12], **days).fillna("")
    return place, [Way(*row) for row in first.itertuples(index=False, name=None)]


def scores(images: pd.DataFrame) -> pd.Series:
    """Return the `Scores` of each image that was counted and has some.

    Nothing was found in others, or no count by EPSS is made of them. Grype does not state the
    model: it is that of other scores of the same day, of which FIRST publishes one file.
    """
    known = images[~images["status"].isin(UNKNOWN_COUNT) & images["epss_day"].notna()]
    days, models = known["epss_day"].dt.strftime("%Y-%m-%d"), known["epss_model"].fillna("")
    stated = {day: {*of_day} - {""} for day, of_day in models.groupby(days)}
    found = [
        Scores(day, model or (min(stated[day]) if len(stated[day]) == 1 else ""))
        for day, model in zip(days, models, strict=True)
    ]
    return pd.Series(found, known.index, dtype=object)


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
    way = scans(frames.images)
    images = frames.images.loc[way.index]
    counts = frames.findings.groupby(_IMAGE, observed=True).size()
    found = counts.reindex(pd.MultiIndex.from_frame(images[_IMAGE]), fill_value=0).to_numpy()
    rows = [*images.assign(found=found, way=way).itertuples()]
    others = [row for row in rows if row.found]
    if len(others) in (0, len(rows)):
        return []
    false = []
    for row in (row for row in rows if not row.found):
        for other in others:
            if other.capture != row.capture or other.variant == row.variant:
                continue
            is_image = pd.notna(row.image_id) and row.image_id == other.image_id
            is_told = other.found >= MANY or other.way == row.way
            if is_told and (is_image or _has_same_packages(row, other, frames.packages)):
                names = row.capture, row.variant, other.variant
                false.append(FalseZero(*names, int(other.found), bool(is_image)))
                break
    return false


def _has_same_packages(row: Any, other: Any, packages: pd.DataFrame) -> bool:
    """Return whether two images have one system, one list of packages, and one judge of them."""
    # Without packages, and mostly by their number, it is told without a look at the lists.
    for column in ("packages", "os_family", "os_version", "judged_by"):
        ours, theirs = getattr(row, column), getattr(other, column)
        if pd.isna(ours) or pd.isna(theirs) or ours != theirs:
            return False
    of_capture = packages[packages["capture"].eq(row.capture)]
    first, second = (
        of_capture[of_capture["variant"].eq(name)][_PACKAGE].fillna("").sort_values(_PACKAGE)
        for name in (row.variant, other.variant)
    )
    return bool(row.packages) and np.array_equal(first.to_numpy(), second.to_numpy())


def require(frames: Frames, allow_mixed: bool = False, *codes: str) -> Frames:
    """Return the frames unchanged if the images of each capture may be compared.

    Raises `StudyInvalid` if not, unless it is allowed: counts by different databases are not
    comparable, because a database grows every day. `SCORES` among the codes asks also for scores of
    one day. Always raises it if of one image, or one list of packages, one scan found something
    and another nothing: no such zero is a count.
    """
    if not allow_mixed and SCORES in codes:
        _require(frames.images, SCORES)
    for false in false_zeros(frames):
        same = "the same image" if false.is_image else "the same packages"
        where = f"capture {false.capture}: " if false.capture else ""
        raise StudyInvalid(
            f"{where}{false.variant} has no findings, but {false.other} has {false.found:,} of "
            f"{same}, so the scan of {false.variant} looked for something else or left out what "
            f"it found. Scan it again with --scanners vuln and without --severity and "
            f"--ignore-unfixed, or leave {false.variant} out"
        )
    if not allow_mixed:
        _require(frames.images, SCANS)
    return frames


def _require(images: pd.DataFrame, code: str) -> None:
    """Raise `StudyInvalid` for the first capture whose scans may not be compared."""
    for found in unlike(images, code)[:1]:
        head = f"capture {found.capture}" if found.capture else "these images"
        if code == SCANS:
            head += " was" if found.capture else " were"
        elif found.capture:
            head = f"images of {head}"
        # Errors are in English in every language.
        with speaking(ENGLISH):
            lines = [
                f"{' and '.join(images['variant'][rows])} with {way.told}"
                for way, rows in found.ways.items()
            ]
        raise StudyInvalid(refusal(head, lines, code))


def refusal(who: str, lines: list[str], code: str = SCANS) -> str:
    """Return why images may not be compared, and what to do, as an error's text in English."""
    why, remedy = _REFUSALS[code]
    allow = advice("MIXED=1", "--mixed, or the parameter mixed=true")
    return "\n  ".join([f"{who} {why}", *lines]) + (
        f"\n{remedy}, or allow it ({allow}): every figure then says so"
    )


def mark(images: pd.DataFrame) -> str:
    """Return what a figure says of images that were not scanned alike; empty if they were."""
    return word(MIXED[SCANS]) if unlike(images) else ""


def scores_mark(images: pd.DataFrame) -> str:
    """Return what a figure of counts by EPSS says of images with unlike scores; empty if alike."""
    if unlike(images, SCORES):
        return word(MIXED[SCORES])
    models, is_known = _models(images)
    if len(models) > 1:
        return t("scores of {count} models: a difference is not a trend", count=len(models))
    return "" if is_known else t("scores of an unknown model: a difference may not be a trend")


def scores_across(images: pd.DataFrame) -> Phrase:
    """Return that the scores of captures are of several models, if so: no difference is a trend."""
    models, is_known = _models(images)
    if len(models) > 1:
        return say(
            "**A difference is not a trend:** the scores come from {count} models, "
            "{models}. A new model changes scores even if no image changes.",
            count=len(models),
            models=listed(models, last=AND),
        )
    if not is_known:
        return say(
            "**A difference may not be a trend:** the model behind these scores is "
            "unknown. Another model changes scores even if no image changes."
        )
    return Phrase()


def _models(images: pd.DataFrame) -> tuple[list[str], bool]:
    """Return the models of scores, and whether it is known that there are no others."""
    every = {*scores(images)}
    models = {each.model for each in every}
    return sorted(models - {""}), len(every) < 2 or "" not in models


def has_one_database(images: pd.DataFrame) -> bool:
    """Return whether one database is known to have been used for the images of each capture."""
    scanned = images[~images["status"].isin(UNKNOWN_COUNT)]
    is_named = scanned[["db_updated_at", "db_sha256"]].notna().any(axis=1).all()
    return bool(is_named) and not unlike(images)


def text(images: pd.DataFrame) -> Text:
    """Return that images were scanned alike, or how they were not."""
    found = Text()
    for capture, ways in ((each.capture, each.ways) for each in unlike(images)):
        head = say(
            "**The images were scanned with different scanners or databases, "
            "so their counts cannot be compared:**"
        )
        if capture:
            head = say(
                "**The images of capture {capture} were scanned with different "
                "scanners or databases, so their counts cannot be compared:**",
                capture=capture,
            )
        lines = (
            say(
                "{variants} with {way}",
                variants=listed(map(name, images["variant"][rows])),
                way=way.told,
            )
            for way, rows in ways.items()
        )
        found += paragraph(head) + bullets(lines)
    captures = images[~images["status"].isin(UNKNOWN_COUNT)]["capture"].nunique(dropna=False)
    if found or not captures:
        return found
    if not has_one_database(images):
        return paragraph(
            t("The reports do not name their database, so it is unknown whether it was one.")
        )
    if captures > 1:
        return paragraph(t("In each capture, all were scanned with one scanner and one database."))
    return paragraph(t("All were scanned with one scanner and one database."))
