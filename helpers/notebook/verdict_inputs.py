"""Inputs of a verdict besides its images: other captures, matched images and claims."""

from datetime import date
from functools import cache, cached_property, partial
from typing import NamedTuple

import pandas as pd

from helpers import clock
from helpers.notebook.compared_images import ComparedImages
from helpers.studies.study import open_study
from helpers.verdict import attribution, claims, ranking, sensitivity
from helpers.verdict.decision import Decision, decide


class Ages(NamedTuple):
    """How much two images differ, and how much two others of about the same age do.

    `differences` has one row per capture, from `attribution.difference`; `day` is the capture of
    the post's day, since later ones may lack advisories for one image. `matched` is the same for
    images of one age, counted by the day `known_by`; `None` if there are none.
    """

    differences: pd.DataFrame
    day: str
    matched: pd.DataFrame | None
    known_by: str


class VerdictInputs:
    """The inputs of a verdict on some images.

    `beside` names the study with matched images; by default the study names it.
    """

    def __init__(self, images: ComparedImages) -> None:
        self._images = images
        self._decided = cache(partial(self._decide, images))
        self._aged = cache(self._ages)

    def decision(self, size: str) -> Decision:
        """Return the decision on the images; for the newest capture by today's support."""
        return self._decided(size)

    def by_all_known(self, size: str) -> Decision:
        """Return the decision if publication dates do not limit the count."""
        lens = self._images.lens._replace(known_by="")
        return self._decide(self._images.under(lens), size)

    def by_other_captures(self, size: str) -> list[Decision]:
        """Return the decisions by other captures, and by this one on its day if different.

        Uses captures that represent many; empty if other images are beside these.
        """
        if self._images.others:
            return []
        ours, found = self.decision(size), []
        for capture in self._images.landmarks:
            is_ours = capture == self._images.capture
            chosen = self._decide(self._images.at(capture), size, with_today=not is_ours)
            # This capture's own day only counts if it is past.
            is_past = not is_ours or _newest_day(self._images.images) < clock.today()
            if is_past and (not is_ours or chosen.outcome != ours.outcome):
                found.append(chosen)
        return found

    def choices(self, size: str, beside: str = "") -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the choice for each way of counting, also for the matched images."""
        of = self._images
        name, known_by = of.study.name, str(of.study.known_by or "")
        numbers, weights, today = of.published_numbers, of.weights, clock.today()
        every = of.every.frames
        ours = sensitivity.choices(
            name, every, numbers, size, of.lens, weights, known_by, today, self._rebuild
        )
        pair = self._matched(beside)
        if pair is None:
            return ours, None
        name, known_by = pair.study.name, str(pair.study.known_by or "")
        # With the size that all have, counted by that study's day.
        view = of.lens._replace(known_by=known_by)
        theirs = sensitivity.choices(
            name, pair.frames, pair.published_numbers, "", view, weights, today=today
        )
        return ours, theirs

    @cached_property
    def _rebuild(self) -> float:
        """The effect of one rebuild, from the study's captures if they suffice."""
        of = self._images
        if len(of.captures_of_study) <= ranking.ENOUGH // max(len(of.images), 1):
            return ranking.REBUILD
        return ranking.of_history(of.every.frames, of.lens)

    def _decide(self, images: ComparedImages, size: str, with_today: bool = True) -> Decision:
        is_newest = images.captures_of_study[-1] == images.capture
        day = clock.today() if with_today and is_newest else None
        numbers, weights = images.published_numbers, images.weights
        return decide(images.frames, numbers, size, images.lens, weights, day, self._rebuild)

    @cached_property
    def claims(self) -> pd.DataFrame:
        """The verdict on each claim of the post."""
        of = self._images
        numbers, known_by = of.published_numbers, of.lens.known_by
        return claims.claims(of.every.frames, numbers, of.files, _roles(of), of.capture, known_by)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """How much the images differ in each capture, and their age difference."""
        of = self._images
        return attribution.difference(of.study.name, of.every.frames, *_roles(of), of.lens)

    def ages(self, beside: str = "") -> Ages:
        """Return how much the images differ, and how much matched ones do."""
        return self._aged(beside)

    def _ages(self, beside: str) -> Ages:
        of, pair = self._images, self._matched(beside)
        day = of.study.facts().capture
        if pair is None:
            return Ages(self.differences, day, None, "")
        name, known_by = pair.study.name, str(pair.study.known_by or "")
        matched = attribution.difference(
            name, pair.frames, *_roles(pair), of.lens._replace(known_by=known_by)
        )
        return Ages(self.differences, day, matched, known_by)

    def _matched(self, beside: str) -> ComparedImages | None:
        name = beside or self._images.study.beside
        return self._images.of_study(open_study(name)) if name else None


def _newest_day(images: pd.DataFrame) -> date:
    """Return the last day of a scan or database, if known."""
    newest = images[["db_updated_at", "scanned_at"]].max().max()
    return date.max if pd.isna(newest) else newest.date()


def _roles(images: ComparedImages) -> tuple[str | None, str | None]:
    return images.study.by_role("alpine"), images.study.by_role("distroless")
