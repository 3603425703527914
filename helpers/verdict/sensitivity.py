"""The choice under every capture and way of counting, and what it hangs on."""

from collections.abc import Mapping
from itertools import product

import pandas as pd

from helpers.comparability import confounders
from helpers.frames import Frames
from helpers.sizes import image_sizes as sizes_of
from helpers.studies.load import load_published, load_study
from helpers.studies.study import open_study
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name
from helpers.verdict import tradeoff
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import EVER, Lens

COLUMNS = [
    *("study", "capture", "published_by", "counted", "choice", "score", "next", "next_score"),
    *("supported", "weighed"),
]

_HANGS = {
    "capture": msg("the capture"),
    "published_by": msg("the day that is counted by"),
    "counted": msg("what is counted"),
}

_WEIGHED = {
    "fixable": msg("fixable"),
    "unfixed": msg("unfixed"),
    "size": msg("size"),
    "ended": msg("ended"),
    "old_runtime": msg("old runtime"),
}


def candidates(
    frames: Frames, published: pd.DataFrame, size: str, lens: Lens
) -> tuple[pd.DataFrame, str]:
    """Return what `tradeoff` weighs of the images of one capture, and the size that counts.

    `size` is the wanted one, empty the first that all have. Raises `ParameterInvalid`.
    """
    known = sizes_of.table(frames.images, published)
    kind = sizes_of.known_size(known, size)
    support = confounders.confounders(frames.images)
    return tradeoff.candidates(frames.findings, frames.images, known, support, kind, lens), kind


def choices(
    study: str,
    frames: Frames,
    published: pd.DataFrame,
    size: str,
    lens: Lens,
    weights: Mapping[str, float],
) -> pd.DataFrame:
    """Return the choice under each capture, way of counting, and day that is counted by, if any.

    `study, capture, published_by, counted, choice, score, next, next_score, supported, weighed`.
    `supported`: whether operating system and runtime of the choice still were, as far as is known.
    Variants that tie for the best score are one choice, joined by `or`; `weighed` are the words of
    what has a weight.
    """
    rows = []
    for capture in sorted(frames.images["capture"].unique()):
        of = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        for day, counted in product(dict.fromkeys([lens.known_by, ""]), lenses.COUNTED):
            view = lens._replace(counted=counted, known_by=day)
            able, _ = candidates(of, published, size, view)
            ranked = tradeoff.scores(able, weights)
            used = tradeoff.weighed(able, weights)
            if ranked.empty or not used or able["mixed"].any():
                continue
            first = tradeoff.best(ranked)
            rest = ranked.iloc[len(first) :]
            old = able.set_index("variant").loc[first, ["ended", "old_runtime"]]
            told = [study, capture, day or EVER, view.short, listed(first, t(" or "))]
            then = rest.iloc[0][["variant", "score"]].tolist() if len(rest) else [None, None]
            fit = not old.fillna(0).any(axis=None)
            words = listed(word(_WEIGHED[criterion]) for criterion in used)
            rows.append([*told, ranked["score"].iloc[0], *then, fit, words])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"score": "Float64", "next_score": "Float64"})


def of_study(name: str, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return `choices` of the default capture of another study, as known by its own day.

    No row for an empty name. Raises `StudyInvalid` if there is no such study.
    """
    if not name:
        return pd.DataFrame(columns=COLUMNS)
    lens = Lens(known_by=str(open_study(name).known_by or ""))
    return choices(name, load_study(name), load_published(name), "", lens, weights)


def together(ours: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the choices of two studies, each once."""
    both = pd.concat([part for part in (ours, others) if len(part)] or [ours])
    keys = ["study", "capture", "published_by", "counted"]
    return both.drop_duplicates(keys, ignore_index=True)


def sentence(choices: pd.DataFrame) -> str:
    """Return what the choice hangs on, study by study, with each choice."""
    if choices.empty:
        return t("Under no capture could anything be weighed.")
    lines = []
    for study, own in choices.groupby("study", sort=False):
        hangs = [word(told) for column, told in _HANGS.items() if _varies(own, column)]
        if hangs:
            what = listed(hangs, t(" and on "))
            lines.append(t("- {study}: the choice hangs on {what}.", study=name(study), what=what))
        else:
            told = t("- {study}: the choice is always the same.", study=name(study))
            if own["next"].isna().all():
                told = t("- {study}: there is nothing else to choose.", study=name(study))
            lines.append(told)
        keys = ["capture", "published_by", "choice", "supported"]
        for (capture, day, choice, fit), rows in own.groupby(keys, sort=False):
            peers = own[own["capture"].eq(capture) & own["published_by"].eq(day)]
            ways = listed(rows["counted"])
            first = name(choice)
            told = t(
                "    - {capture}{until}{by}: {which} (weighed: {weighed})",
                capture=capture,
                until="" if day == EVER else t(", published by {day}", day=day),
                by=t(", by {ways}", ways=ways) if len(rows) < len(peers) else "",
                which=first
                if fit
                else t("none as it is; {first} comes first, past its support", first=first),
                weighed=rows["weighed"].iloc[0],
            )
            lines.append(told)
    return "\n".join([t("At the same weights:"), "", *lines])


def _varies(own: pd.DataFrame, column: str) -> bool:
    """Return whether the choice changes with one column while the others stay the same."""
    others = [key for key in _HANGS if key != column]
    return bool(own.groupby(others)["choice"].nunique().gt(1).any())
