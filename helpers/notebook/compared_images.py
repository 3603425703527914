"""The images that are compared: a study's capture and its frames, and a way to count and weigh."""

import copy
from functools import cached_property
from pathlib import Path
from typing import Self

import pandas as pd

from helpers.charts.look import LIGHT, Look
from helpers.comparability import scan_consistency
from helpers.errors import ParameterInvalid
from helpers.frames import Frames
from helpers.studies import load
from helpers.studies.study import Facts, Study, open_study
from helpers.text import i18n
from helpers.text.i18n import ENGLISH
from helpers.verdict import tradeoff
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import Lens

EVERY = "all"
"""The name of all captures of a study together."""


class ComparedImages:
    """The images of a study's capture under a lens and weights; frames are loaded when asked for.

    `Comparison` says what the parameters are. What is loaded or computed of one capture is a
    cached property, here and below: another lens shares it, another capture starts without it.
    """

    def __init__(
        self,
        study: str,
        capture: str = "",
        language: str = ENGLISH,
        theme: str = LIGHT,
        transparent: bool = False,
        *,
        mixed: bool = False,
        save_to: str = "",
        source: str = "recorded",
        db: str = "",
    ) -> None:
        self.language, self._look = language, Look(theme, transparent)
        self._mixed = mixed
        self._folder = Path(save_to).expanduser() if save_to else None
        with i18n.speaking(language):
            i18n.fonts()
            self.study: Study = open_study(study)
        if source not in ("recorded", "live"):
            raise ParameterInvalid(f"source {source!r} is none of recorded, live")
        if source == "live":
            # Who looks at what is recorded needs neither Docker nor what talks to it.
            from helpers.capture.session import capture as capture_now

            capture = capture_now(study, db=Path(db) if db else None).folder.name
        self.capture = self.study.facts(capture).capture
        self.lens = Lens(known_by=str(self.study.known_by or ""))
        self.weights = dict(WEIGHTS)

    def __repr__(self) -> str:
        about = f"{self.study.name!r}, {self.capture!r}, lens={self.lens.label!r}"
        return f"{type(self).__name__}({about})"

    def counting(
        self,
        lens: str = lenses.FINDINGS,
        fixable: bool = False,
        severity: str = lenses.SCANNER,
        known_by: str = "",
        place: str = "",
    ) -> Self:
        """Return the same images, counted through another lens.

        `known_by` is a day; empty is the study's own, `ever` leaves nothing out for its date.
        Raises `ParameterInvalid` for an unknown lens.
        """
        other = copy.copy(self)
        day = lenses.day(known_by, self.study.known_by)
        other.lens = lenses.checked(Lens(lens, fixable, severity, day, place))
        return other

    def weighing(
        self,
        fixable: float = WEIGHTS["fixable"],
        serious: float = WEIGHTS["serious"],
        unfixed: float = WEIGHTS["unfixed"],
        size: float = WEIGHTS["size"],
        ended: float = WEIGHTS["ended"],
        old_runtime: float = WEIGHTS["old_runtime"],
    ) -> Self:
        """Return the same images with other weights. Raises `ParameterInvalid` for one below 0."""
        other = copy.copy(self)
        given = (fixable, serious, unfixed, size, ended, old_runtime)
        other.weights = tradeoff.check(dict(zip(WEIGHTS, given, strict=True)))
        return other

    def at(self, capture: str) -> Self:
        """Return another capture of the study, counted alike. Raises `StudyInvalid`."""
        return self._other(self.study, capture)

    def _other(self, study: Study, capture: str) -> Self:
        other = copy.copy(self)
        for name in [*vars(other)]:
            if isinstance(getattr(type(self), name, None), cached_property):
                del vars(other)[name]
        other.study = study
        other.capture = capture if capture == EVERY else study.facts(capture).capture
        return other

    @cached_property
    def _every(self) -> Self:
        """All captures of the study together."""
        return self._other(self.study, EVERY)

    @cached_property
    def _frames(self) -> Frames:
        return load.load_study(self.study.name, self.capture)

    @property
    def frames(self) -> Frames:
        """The frames of what was scanned.

        Raises `StudyInvalid` if the images were not scanned alike and that is not allowed.
        """
        return scan_consistency.require(self._frames, self._mixed)

    @property
    def images(self) -> pd.DataFrame:
        """The images, one a row."""
        return self._frames.images

    @property
    def findings(self) -> pd.DataFrame:
        """All findings, one a row, whatever the lens. Raises `StudyInvalid` as `frames` does."""
        return self.frames.findings

    @property
    def counted_findings(self) -> pd.DataFrame:
        """The findings that the lens counts, with their severity under it."""
        return lenses.apply(self.findings, self.lens)

    @property
    def packages(self) -> pd.DataFrame:
        """The installed packages, one a row."""
        return self._frames.packages

    @cached_property
    def layers(self) -> pd.DataFrame:
        """The layers, one a row; none of images that were not read."""
        return load.load_layers(self.study.name, self.capture)

    @cached_property
    def files(self) -> pd.DataFrame:
        """The files of the merged file systems, one a row; none of images that were not read."""
        return load.load_files(self.study.name, self.capture)

    @cached_property
    def _published(self) -> pd.DataFrame:
        """The numbers that others published about the images."""
        return load.load_published(self.study.name)

    @property
    def _facts(self) -> Facts:
        """What is recorded of how the capture was made."""
        return self.study.facts(self.capture)
