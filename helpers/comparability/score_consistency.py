"""Whether counts by EPSS can be compared: by scores of one day, and over time of one model.

A new model moves scores with nothing changed in any image: from 13 to 20 June 2026, when FIRST went
from v2025.03.14 to v2026.06.15, the median of all ids went from 0.003 to 0.007.
"""

from typing import NamedTuple

import pandas as pd

from helpers.errors import StudyInvalid
from helpers.frames import UNKNOWN_COUNT
from helpers.text.i18n import ENGLISH, msg, speaking, t, word
from helpers.text.rich import AND, Phrase, listed, say

MIXED = msg("variants with EPSS scores of DIFFERENT days or models")
"""What every figure says of images of one capture that have them."""


class Scores(NamedTuple):
    """Whose scores images have: of a day, made by a model, which is empty if it is not stated."""

    day: str
    model: str

    @property
    def told(self) -> str:
        """Return both in words."""
        if self.model:
            return t("EPSS of {day} ({model})", day=self.day, model=self.model)
        return t("EPSS of {day}", day=self.day)


def of(images: pd.DataFrame) -> pd.Series:
    """Return the `Scores` of each image; none of one that has none or was not measured.

    Nothing was found in such an image, or no count by EPSS is made of it. Grype does not state the
    model: it is that of other scores of the same day, of which FIRST publishes one file.
    """
    measured = ~images["status"].isin(UNKNOWN_COUNT) & images["epss_day"].notna()
    days, models = images["epss_day"].dt.strftime("%Y-%m-%d"), images["epss_model"].fillna("")
    found = [
        Scores(day, model) if is_known else None
        for day, model, is_known in zip(days, models, measured, strict=True)
    ]
    stated: dict[str, set[str]] = {}
    for scores in filter(None, found):
        stated.setdefault(scores.day, set()).update({scores.model} - {""})
    same_day = [
        Scores(scores.day, *stated[scores.day])
        if scores and not scores.model and len(stated[scores.day]) == 1
        else scores
        for scores in found
    ]
    return pd.Series(same_day, images.index, dtype=object)


def by_capture(images: pd.DataFrame) -> dict[str, dict[Scores, list[str]]]:
    """Return the variants by capture and by the scores that they have, if they have some."""
    found: dict[str, dict[Scores, list[str]]] = {}
    for row, scores in zip(images.itertuples(), of(images), strict=True):
        if scores is not None:
            found.setdefault(row.capture, {}).setdefault(scores, []).append(row.variant)
    return found


def require(images: pd.DataFrame, allow_mixed: bool = False) -> None:
    """Raise `StudyInvalid` if images of one capture have scores of several days or models.

    Unless it is allowed: their counts by EPSS are not comparable.
    """
    if allow_mixed:
        return
    # Errors are in English in every language.
    with speaking(ENGLISH):
        for capture, scores in by_capture(images).items():
            if len(scores) > 1:
                lines = [f"  {' and '.join(v)} with {found.told}" for found, v in scores.items()]
                head = f"images of capture {capture}" if capture else "these images"
                raise StudyInvalid(
                    "\n".join([f"{head} have other scores, so counts by EPSS differ:", *lines])
                    + "\nCapture all again on one day, or allow it (--mixed, or the parameter "
                    "mixed=true): every figure then says so"
                )


def is_mixed(images: pd.DataFrame) -> bool:
    """Return whether images of one capture have scores of several days or models."""
    return any(len(scores) > 1 for scores in by_capture(images).values())


def mark(images: pd.DataFrame) -> str:
    """Return what a figure of counts by EPSS says of images with unlike scores; empty if alike."""
    if is_mixed(images):
        return word(MIXED)
    models, is_known = _models(images)
    if len(models) > 1:
        return t("scores of {count} models: a difference is no trend", count=len(models))
    return "" if is_known else t("scores of an unknown model: a difference may be no trend")


def across(images: pd.DataFrame) -> Phrase:
    """Return that the scores of captures are of several models, if so: no difference is a trend."""
    models, is_known = _models(images)
    if len(models) > 1:
        return say(
            "**A difference is no trend:** the scores of these captures are of {count} models, "
            "{models}, and a new model moves them with nothing changed in any image.",
            count=len(models),
            models=listed(models, last=AND),
        )
    if not is_known:
        return say(
            "**A difference may be no trend:** which model made the scores of these captures is "
            "not stated, and another one moves them with nothing changed in any image."
        )
    return Phrase()


def _models(images: pd.DataFrame) -> tuple[list[str], bool]:
    """Return the models of scores, and whether it is known that there are no others."""
    every = {scores for scores in of(images) if scores is not None}
    models = sorted({scores.model for scores in every} - {""})
    return models, len(every) < 2 or all(scores.model for scores in every)
