"""The compared images: the frames of a study's capture, with a lens and weights."""

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pandas as pd

from helpers import frames
from helpers.changes import between
from helpers.comparability import scan_consistency
from helpers.errors import ParameterInvalid, choose
from helpers.frames import Frames, named_together
from helpers.notebook.styled import Language, Styled, Theme
from helpers.studies import landmarks, load, loose, origin
from helpers.studies.landmarks import FEW, MOST
from helpers.studies.loose import LooseStudy
from helpers.studies.origin import Origin
from helpers.studies.study import Facts, Study, open_study
from helpers.surface import scan_coverage
from helpers.text import i18n
from helpers.text.i18n import t
from helpers.verdict import tradeoff
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import Lens, Own

EVERY = "all"
"""The name of all captures of a study together."""


_FIELDS = "\n".join(
    f"{field.parameter} : {' or '.join(map(repr, filter(None, field.values or ()))) or 'optional'}"
    f"\n    {field.help}"
    for field in lenses.FIELDS.values()
)
"""The fields of a lens, for a docstring."""


class ComparedImages(Styled):
    """The images of a study's capture under a lens and weights; frames are loaded on demand.

    `Comparison` documents the parameters. Loaded and computed parts are cached properties: another
    lens shares them, other images start without them.
    """

    _by_lens: tuple[str, ...] = ()
    """Cached properties that another lens does not share."""

    _by_weights: tuple[str, ...] = ()
    """Cached properties that other weights do not share."""

    others: tuple[Origin, ...] = ()
    """The origins of images beside those of the capture."""

    _only: tuple[str, ...] = ()
    _whole: Self | None = None
    """All images, if these are a selection."""

    def __init__(self, study: str, capture: str | None = None, *, mixed: bool = False) -> None:
        self.study: Study = open_study(study)
        self._mixed = mixed
        capture = self.study.facts(capture or "").capture
        self._begin(capture, origin.of_study(self.study.name, capture))

    @classmethod
    def from_reports(
        cls, reports: str | Path | Iterable[str | Path], *, mixed: bool = False
    ) -> Self:
        """Return the images of reports: one a file of Trivy or Grype, named after the file.

        Raises `ReportInvalid`, and `ParameterInvalid` without a report.
        """
        found = load.load_reports(reports)
        if found.images.empty:
            raise ParameterInvalid("no report is given; name at least one file")
        return cls._loose(found, loose.REPORTS, mixed)

    @classmethod
    def from_frames(
        cls,
        findings: pd.DataFrame,
        images: pd.DataFrame,
        packages: pd.DataFrame | None = None,
        *,
        mixed: bool = False,
    ) -> Self:
        """Return images of frames that have the data dictionary's columns, and maybe more.

        Raises `FrameInvalid` for a missing column or a value of another type.
        """
        return cls._loose(loose.checked(findings, images, packages), loose.FRAMES, mixed)

    @classmethod
    def _loose(cls, frames: Frames, capture: str, mixed: bool) -> Self:
        made = cls.__new__(cls)
        made.study = loose.of_images(frames.images, capture)
        made._mixed = mixed
        named = Frames(*(frame.assign(capture=capture) for frame in frames))
        made._begin(capture, Origin("", capture, lambda: named))
        return made

    def _begin(self, capture: str, images: Origin) -> None:
        self.capture, self.origin = capture, images
        self.lens = Lens(known_by=str(self.study.known_by or ""))
        self.weights = dict(WEIGHTS)

    def style(
        self,
        language: Language | str | None = None,
        theme: Theme | str | None = None,
        transparent: bool | None = None,
        save_to: str | Path | None = None,
    ) -> Self:
        """As `Styled.style`; a study's texts are read in its language, too."""
        other = super(ComparedImages, self._without_cache()).style(
            language, theme, transparent, save_to
        )
        if other.language != self.language:
            with i18n.speaking(other.language):
                if self.has_study:
                    other.study = open_study(self.study.name)
                else:
                    other.study = loose.of_images(self.images, self.capture)
        return other

    style.__doc__ = Styled.style.__doc__

    def __repr__(self) -> str:
        about = f"{self.study.name!r}, {self.capture!r}, lens={self.lens.label!r}"
        return f"{type(self).__name__}({about})"

    def where(self, **fields: Any) -> Self:  # noqa: D417
        """Return the same images, of which only some findings count, or are counted otherwise.

        What is not given stays as it is: `c.where(fixable=True).where(place="app")` counts what
        both say.

        Parameters
        ----------
        {fields}

        Raises
        ------
        ParameterInvalid
            for an unknown value
        TypeError
            for an unknown parameter

        Examples
        --------
        >>> from helpers import Comparison
        >>> c = Comparison("blog-2022").where(lens="vulnerabilities", fixable=True)

        """
        return self.under(lenses.given(self.lens, self.study.known_by, **fields))

    vars(where)["__signature__"] = lenses.SIGNATURE
    where.__doc__ = inspect.cleandoc(where.__doc__ or "").format(fields=_FIELDS)

    def with_filter(
        self, chosen: Callable[[pd.DataFrame], pd.DataFrame | pd.Series], label: str
    ) -> Self:
        """Return the same images, of which only the findings count that a function chooses.

        A vulnerability counts if one of its findings does.

        Parameters
        ----------
        chosen : function
            gets the findings, and returns those that count, or a flag for each
        label : str
            what they are called in titles, axes and footers

        Raises
        ------
        ParameterInvalid
            without a label, and later if the function returns something else

        Examples
        --------
        >>> from helpers import Comparison
        >>> c = Comparison("blog-2022")
        >>> c = c.with_filter(lambda findings: findings["package"].eq("openssl"), "of openssl")

        """
        if not label.strip():
            raise ParameterInvalid("with_filter(…) needs a label")
        return self.under(self.lens._replace(own=(*self.lens.own, Own(chosen, label))))

    def under(self, lens: Lens) -> Self:
        """Return the same images under a whole lens. Raises `ParameterInvalid` for an unknown one.

        Examples
        --------
        >>> from helpers import Comparison
        >>> c = Comparison("blog-2022").under(Comparison("rebuilt-2026").lens)

        """
        other = copy.copy(self)
        other.lens = lenses.checked(lens)
        for name, value in [*vars(other).items()]:
            if name in self._by_lens:
                del vars(other)[name]
            elif name != "_whole" and isinstance(value, ComparedImages):
                vars(other)[name] = value.under(lens)
        return other

    def with_images(self, *others: str | Path) -> Self:
        """Return these images and others, as if all were in one capture.

        Each of `others` is a study (its newest capture), `study/capture`, or a Trivy or Grype
        report file. All are counted by this study's day; their `capture` joins all names. Raises
        `StudyInvalid` and `ReportInvalid`, and rejects differently scanned images as `frames` does.
        """
        if self._whole is not None:
            every = self._whole.with_images(*others)
            here = {*self._whole.images["variant"]}
            new = [name for name in every.images["variant"] if name not in here]
            return every.only(*self._only, *new).under(self.lens)
        return self.of_origins(self.origin, *self.others, *map(origin.named, others))

    def of_origins(self, first: Origin, *others: Origin) -> Self:
        """Return the images of some origins; the first is the study's capture."""
        other = self._without_cache()
        other.origin, other.others = first, others
        return other

    def only(self, *variants: str) -> Self:
        """Return some of these images. Raises `ParameterInvalid` for an unknown one."""
        known = self.images["variant"].tolist()
        if missing := [name for name in variants if name not in known]:
            raise ParameterInvalid(f"there is no image {missing[0]!r}; {choose(missing[0], known)}")
        other = self._without_cache()
        other._only, other._whole = variants, self
        return other

    def with_weights(
        self,
        *,
        exploited: float | None = None,
        likely: float | None = None,
        fixable: float | None = None,
        serious: float | None = None,
        unfixed: float | None = None,
        size: float | None = None,
        ended: float | None = None,
        old_runtime: float | None = None,
    ) -> Self:
        """Return the same images, whose verdict weighs differently; what is not given stays.

        Parameters
        ----------
        exploited, likely, fixable, serious, unfixed, size, ended, old_runtime : float, optional
            0 or more; `c.weights` has what each is

        Raises
        ------
        ParameterInvalid
            for one below 0

        Examples
        --------
        >>> from helpers import Comparison
        >>> answer = Comparison("blog-2022").with_weights(size=3).verdict.recommendation()

        """
        given = {
            "exploited": exploited,
            "likely": likely,
            "fixable": fixable,
            "serious": serious,
            "unfixed": unfixed,
            "size": size,
            "ended": ended,
            "old_runtime": old_runtime,
        }
        other = copy.copy(self)
        new = {name: weight for name, weight in given.items() if weight is not None}
        other.weights = tradeoff.check(self.weights | new)
        for name in self._by_weights:
            vars(other).pop(name, None)
        return other

    def at(self, capture: str) -> Self:
        """Return another capture of the study, counted alike. Raises `StudyInvalid`."""
        return self.of_study(self.study, capture)

    def of_study(self, study: Study, capture: str = "") -> Self:
        """Return the images of a study's capture, counted alike. Raises `StudyInvalid`."""
        return self._of(study, study.facts(capture).capture)

    def _of(self, study: Study, capture: str, captures: Sequence[str] = ()) -> Self:
        other = self._without_cache()
        other.study, other.capture = study, capture
        if not isinstance(study, LooseStudy):
            other.origin = origin.of_study(study.name, capture, captures)
        # Across captures there are no other studies.
        other.others, other._whole = (), None
        if self._whole is not None and study is self.study:
            whole = copy.copy(other)
            other._only, other._whole = self._only, whole
        return other

    def _read(self, captures: list[str]) -> Frames:
        """Return the frames of captures of the study, of these images."""
        if not self.has_study:
            return self.frames
        frames = load.load_study(self.study.name, captures)
        if self._whole is not None:
            frames = Frames(*map(self._some, frames))
        return scan_consistency.require(frames, self._mixed)

    def _between(self, earlier: str, later: str) -> tuple[Frames, str, str]:
        """Return the frames of two captures: the named ones, else the first and the last."""
        names = between.pair(self.captures_of_study, earlier, later)
        loaded = self.every
        if not {*names} <= {*self.landmarks}:
            loaded = self._of(self.study, EVERY, names)
        return loaded.frames, *names

    def _without_cache(self) -> Self:
        other = copy.copy(self)
        for name in [*vars(other)]:
            if isinstance(getattr(type(self), name, None), cached_property):
                del vars(other)[name]
        return other

    @cached_property
    def landmarks(self) -> list[str]:
        """The captures of the study that represent all."""
        needed = (self.study.facts().capture, self.capture)
        few = FEW if len(self.captures_of_study) > MOST else MOST
        return landmarks.landmarks(self.captures_of_study, needed, few)

    @cached_property
    def captures_of_study(self) -> list[str]:
        """The names of all captures of the study, oldest first."""
        return self.study.captures()

    @cached_property
    def every(self) -> Self:
        """All captures of the study together, or those that represent many."""
        return self._of(self.study, EVERY, self.landmarks)

    @property
    def has_study(self) -> bool:
        """Whether the images are of a study, and not of reports or frames."""
        return not isinstance(self.study, LooseStudy)

    @property
    def _origins(self) -> tuple[Origin, ...]:
        return (self.origin, *self.others)

    @property
    def days_beside(self) -> dict[str, str]:
        """The count-by days of other studies, if any, by study."""
        studies = {found.study for found in self.others if found.study} - {self.study.name}
        days = {name: str(open_study(name).known_by or "") for name in sorted(studies)}
        return {name: day for name, day in days.items() if day}

    @property
    def _names(self) -> list[dict[str, str]]:
        """The unique names of each origin's images, by their own names."""
        return origin.names(self._origins)

    def _joined(self, part: Callable[[Origin], pd.DataFrame]) -> pd.DataFrame:
        captures = dict.fromkeys(found.capture for found in self._origins if found.capture)
        return origin.joined(self._origins, part, " + ".join(captures))

    def _loaded(self, name: str) -> pd.DataFrame:
        if self._whole is not None:
            return self._some(getattr(self._whole, name))
        return self._joined(lambda found: getattr(found, name))

    def _some(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of these images."""
        return frame[frame["variant"].isin(self._only)].reset_index(drop=True)

    @cached_property
    def _frames(self) -> Frames:
        if self._whole is not None:
            return Frames(*map(self._some, self._whole._frames))
        images = self._joined(lambda found: found.frames.images)
        findings = self._joined(lambda found: found.frames.findings)
        if self.others:
            findings = named_together(findings)
        packages = self._joined(lambda found: found.frames.packages)
        return Frames(images, findings, packages)

    @property
    def frames(self) -> Frames:
        """The frames of what was scanned.

        Raises `StudyInvalid` if the images were scanned differently and `mixed` is off, or if the
        lens counts by EPSS scores and these are of several days.
        """
        also = [scan_consistency.SCORES] if self.lens.epss else []
        return scan_consistency.require(self._frames, self._mixed, *also)

    @property
    def images(self) -> pd.DataFrame:
        """The images, one a row."""
        return _handed_out(self._frames.images)

    @property
    def findings(self) -> pd.DataFrame:
        """All findings, one a row, whatever the lens. Raises `StudyInvalid` as `frames` does."""
        return _handed_out(self.frames.findings)

    @property
    def counted_findings(self) -> pd.DataFrame:
        """The findings that the lens counts, with their severity under it."""
        return lenses.apply(self.findings, self.lens)

    @property
    def packages(self) -> pd.DataFrame:
        """The installed packages, one a row."""
        return _handed_out(self._frames.packages)

    @cached_property
    def layers(self) -> pd.DataFrame:
        """The layers, one a row; none of images that were not read."""
        return self._loaded("layers")

    @cached_property
    def statements(self) -> pd.DataFrame:
        """VEX statements about the ids found, one statement and id a row."""
        return self._loaded("statements")

    @cached_property
    def files(self) -> pd.DataFrame:
        """The files of the merged file systems, one a row; none of images that were not read."""
        return self._loaded("files")

    @cached_property
    def published_numbers(self) -> pd.DataFrame:
        """The numbers that others published about the images."""
        if not self.has_study:
            return frames.make("published", {})
        numbers = load.load_published(self.study.name)
        return numbers if self._whole is None else self._some(numbers)

    @property
    def _facts(self) -> Facts:
        """The record of how the capture was made."""
        return self.study.facts(self.capture)

    @property
    def _shown(self) -> tuple[str, str]:
        """Return the studies and own reports of these images, and their captures."""
        if not self.others:
            return self.study.name, ""
        shown = {*self.images["variant"]}
        named: list[str] = []
        captures: list[str] = []
        for found, new in zip(self._origins, self._names, strict=True):
            names = [name for name in new.values() if name in shown]
            if found.study and names:
                named.append(found.study)
                captures.append(found.capture)
            elif names:
                named += [t("own report {name}", name=name) for name in names]
        return " + ".join(dict.fromkeys(named)), " + ".join(dict.fromkeys(captures))

    @property
    def _across(self) -> Self:
        """All captures of the study, or these images if others are beside them."""
        return self if self.others else self.every

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """How much of each image's executables and libraries the scanner looked at."""
        if self._whole is not None:
            return self._some(self._whole.coverage)
        return scan_coverage.coverage(self.files, self.images, self.packages)


def _handed_out(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame for a user: what is changed in it changes no later answer.

    Columns are copied when one is written to.
    """
    return frame.copy(deep=False)
