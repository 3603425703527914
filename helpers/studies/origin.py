"""Origins of images: a study's capture, or a report of a user's; and several side by side."""

import re
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import pandas as pd

from helpers import frames
from helpers.errors import ReportInvalid
from helpers.frames import Frames
from helpers.studies import load, variant_names
from helpers.studies.study import RESERVED, open_study
from helpers.studies.variant_names import Names
from helpers.text import escape

_LONGEST = 48


class Origin:
    """Where images come from. Each frame is loaded when it is first asked for.

    `study` and `capture` are empty for a report.
    """

    def __init__(
        self,
        study: str,
        capture: str,
        load_frames: Callable[[], Frames],
        captures: Sequence[str] = (),
    ) -> None:
        self.study, self.capture, self._load_frames = study, capture, load_frames
        self._captures = [*captures] or [capture]

    @cached_property
    def frames(self) -> Frames:
        """The images, their findings and packages. Raises `StudyInvalid` or `ReportInvalid`."""
        return self._load_frames()

    @cached_property
    def layers(self) -> pd.DataFrame:
        """The layers; a report has none."""
        if not self.study:
            return frames.make("layers", {})
        return load.load_layers(self.study, self._captures)

    @cached_property
    def files(self) -> pd.DataFrame:
        """The files of the merged file systems; a report has none."""
        if not self.study:
            return frames.make("files", {})
        return load.load_files(self.study, self._captures)

    @cached_property
    def statements(self) -> pd.DataFrame:
        """The VEX statements about ids that were found; a report has none."""
        if not self.study:
            return frames.make("statements", {})
        return load.load_statements(self.study, self._captures)


def of_study(name: str, capture: str, captures: Sequence[str] = ()) -> Origin:
    """Return the images of a study's capture, or of several `captures` together under its name."""
    wanted = [*captures] or [capture]
    return Origin(name, capture, lambda: load.load_study(name, wanted), wanted)


def named(name: str | Path) -> Origin:
    """Return what a user names: `study`, `study/capture`, or the file of a report (`.json`, `.gz`).

    Of a study without a capture it is the newest one. Raises `StudyInvalid` for a study or capture
    that is not there, `ReportInvalid` for a file that is no report.
    """
    if isinstance(name, Path) or name.endswith((".json", ".gz")):
        return of_report(Path(name).name, Path(name).expanduser())
    study, _, capture = name.partition("/")
    found = open_study(study)
    return of_study(study, found.facts(capture or found.captures()[-1]).capture)


def of_report(name: str, file: Path) -> Origin:
    """Return the image of a report in a file that a user gave under a name, which names it.

    The report is read now, for the file may soon be gone. Raises `ReportInvalid`.
    """
    variant = variant_name(name)
    with suppress(OSError):
        # A pipe would be waited for.
        if not stat.S_ISREG(file.stat().st_mode):
            raise ReportInvalid(
                escape.short(name, 80), "not a regular file", "Pass the file of a report"
            )
    try:
        found = load.load_reports(file)
    except ReportInvalid as error:
        # The file may lie where the user has never been.
        raise ReportInvalid(escape.short(name, 80), error.problem, error.remedy) from error
    images, findings, packages = (part.assign(variant=variant) for part in found)
    # Nor does its path say anything.
    read = Frames(images.assign(report=variant), findings, packages)
    return Origin("", "", lambda: read)


def variant_name(name: str) -> str:
    """Return a variant's name for a file's name: letters, digits, `.`, `_` and `-`.

    >>> variant_name("C:/x/my app$.json.gz")
    'my-app'
    """
    text = re.split(r"[/\\]", name)[-1]
    for suffix in (".gz", ".json"):
        text = text.removesuffix(suffix)
    name = re.sub(r"[^\w.-]+", "-", text).strip("-._")[:_LONGEST]
    return "report" if not name or name.casefold() in RESERVED else name


def names(origins: Sequence[Origin]) -> list[dict[str, str]]:
    """Return for each origin what its images are named beside the others, by their own names.

    Those of earlier origins keep their names. One that is named like one of them has its study's
    name before its own, its capture's if that is of the first one's study, or a number.
    """
    taken: list[Names] = []
    found = []
    for origin in origins:
        own = origin.frames.images["variant"].drop_duplicates().tolist()
        whose = origin.capture if origin.study == origins[0].study else origin.study
        named = [Names([name, *([f"{whose}-{name}"] if whose else [])]) for name in own]
        new = variant_names.unique([*taken, *named])[len(taken) :]
        taken += [Names([name], is_chosen=True) for name in new]
        found.append(dict(zip(own, new, strict=True)))
    return found


def joined(
    origins: Sequence[Origin], part: Callable[[Origin], pd.DataFrame], capture: str
) -> pd.DataFrame:
    """Return one frame of all origins side by side, as if all were of one capture.

    `part` returns the frame of one. So a check covers whether all images were scanned alike.
    """
    if len(origins) == 1:
        return part(origins[0])
    renamed = [
        part(origin).assign(
            variant=lambda frame, new=new: frame["variant"].map(new).astype("str"),
            capture=capture,
        )
        for origin, new in zip(origins, names(origins), strict=True)
    ]
    return pd.concat(renamed, ignore_index=True)
