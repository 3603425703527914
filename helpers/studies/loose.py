"""A study of images that come from reports or frames: it has no folder, and one capture."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from helpers import frames, paths
from helpers.errors import FrameInvalid, StudyInvalid
from helpers.frames import Frames
from helpers.studies.study import NEWEST, OTHERS, Captured, Database, Facts, Study, Variant
from helpers.text import escape
from helpers.text.i18n import t

REPORTS, FRAMES = "reports", "frames"
"""Names of the one capture: what the images come from."""


class LooseStudy(Study, frozen=True):
    """Images without a study's folder. `default_capture` is their only capture."""

    captured_at: datetime = datetime.fromtimestamp(0, UTC)

    def captures(self) -> list[str]:
        """Return the name of the one capture."""
        return [self.default_capture]

    def has(self, capture: str) -> bool:
        """Return whether the one capture has that name."""
        return capture == self.default_capture

    def facts(self, capture: str = "") -> Facts:
        """Return the record of the one capture: others scanned. Raises `StudyInvalid`."""
        if capture not in ("", NEWEST, self.default_capture):
            raise StudyInvalid(
                f"there is no capture {capture!r}: these images come from {self.default_capture}. "
                "Open a study to compare captures"
            )
        variants = {variant.name: Captured("scanned") for variant in self.variants}
        return Facts(
            self.name,
            self.default_capture,
            self.captured_at,
            "",
            "",
            "",
            Database(),
            variants,
            scanner_is=OTHERS,
        )

    def published(self) -> Path:
        """Return the path of published numbers, which there are none of."""
        return paths.studies() / self.name / "published.csv"


def of_images(images: pd.DataFrame, origin: str) -> LooseStudy:
    """Return a study of images that come from `REPORTS` or `FRAMES`; the first is the baseline."""
    names = images["variant"].tolist()
    newest = images["scanned_at"].max()
    return LooseStudy(
        title=t("Own reports"),
        question="",
        about="",
        variants=[Variant(name, report=name) for name in names],
        default_capture=origin,
        baseline=names[0] if names else "",
        name=t("own reports"),
        captured_at=datetime.now(UTC) if pd.isna(newest) else newest.to_pydatetime(),
    )


def checked(
    findings: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame | None = None
) -> Frames:
    """Return copies of frames that a user made, with the types of the data dictionary.

    Columns of the user's own stay. Raises `FrameInvalid` for a missing column, for a value of
    another type, and for findings of an image that is not in `images`.
    """
    given = {"images": images, "findings": findings}
    if packages is None:
        packages = frames.make("packages", {})
    typed = {name: _typed(name, frame) for name, frame in (given | {"packages": packages}).items()}
    known = {*typed["images"]["variant"]}
    for name in ("findings", "packages"):
        if unknown := [each for each in typed[name]["variant"].unique() if each not in known]:
            raise FrameInvalid(
                f"{name}: the image {unknown[0]!r} is not in `images`; add its row there"
            )
    return Frames(**typed)


def _typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    columns = frames.dictionary()[name]
    for column in columns:
        if column.name not in frame:
            raise FrameInvalid(
                f"{name}: no column {column.name!r}. data/README.md describes the columns; "
                f"`c.{name}` of a comparison has them all"
            )
        levels = getattr(column.dtype, "categories", None)
        if levels is not None:
            unknown = frame[column.name][
                frame[column.name].notna() & ~frame[column.name].isin(levels)
            ]
            if len(unknown):
                raise FrameInvalid(
                    f"{name}: column {column.name!r} has {escape.short(unknown.iloc[0], 40)!r}; "
                    f"it needs one of {', '.join(levels)}"
                )
    try:
        types = {column.name: column.dtype for column in columns}
        return frame.reset_index(drop=True).astype(types)
    except (TypeError, ValueError) as error:
        raise FrameInvalid(f"{name}: {error}") from error
