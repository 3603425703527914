"""The choice under every capture and way of counting, and what it hangs on."""

from collections.abc import Mapping

import pandas as pd

from helpers import confounders, lenses, tradeoff
from helpers import sizes as sizes_of
from helpers.frames import Frames
from helpers.lenses import Lens
from helpers.load import load_published, load_study
from helpers.study import open_study
from helpers.words import listed, name

COLUMNS = [
    "study",
    "capture",
    "counted",
    "choice",
    "score",
    "next",
    "next_score",
    "as_it_is",
    "weighed",
]


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
    """Return the choice under each capture and way of counting, one row each.

    `study, capture, counted, choice, score, next, next_score, as_it_is, weighed`. `as_it_is`:
    whether operating system and runtime of the choice were still supported, as far as is known.
    """
    rows = []
    for capture in sorted(frames.images["capture"].unique()):
        of = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        for counted in lenses.COUNTED:
            able, _ = candidates(of, published, size, lens._replace(counted=counted))
            ranked = tradeoff.scores(able, weights)
            if ranked.empty or not tradeoff.weighed(able, weights):
                continue
            first, second = ranked.iloc[0], ranked.iloc[1] if len(ranked) > 1 else None
            old = able.set_index("variant").loc[first["variant"], ["ended", "old_runtime"]]
            told = [study, capture, counted, first["variant"], first["score"]]
            then = [None, None] if second is None else [second["variant"], second["score"]]
            used = ", ".join(tradeoff.weighed(able, weights)).replace("_", " ")
            rows.append([*told, *then, not old.fillna(0).any(), used])
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
    return both.drop_duplicates(["study", "capture", "counted"], ignore_index=True)


def sentence(choices: pd.DataFrame) -> str:
    """Return whether the choice hangs on the capture or the way of counting, with each."""
    if choices.empty:
        return "Under no capture could anything be weighed."
    lines, heads = [], []
    for study, own in choices.groupby("study", sort=False):
        same = own["choice"].nunique() == 1
        told = "the same however counted" if same else "it hangs on when and how one counts"
        heads.append(f"{name(study)}: {told}")
        keys = ["capture", "choice", "as_it_is"]
        for (capture, choice, fit), rows in own.groupby(keys, sort=False):
            ways = own[own["capture"].eq(capture)]["counted"].nunique()
            by = "" if len(rows) == ways else f", by {listed(rows['counted'])}"
            which = (
                name(choice) if fit else f"none as it is; {name(choice)} comes first, unsupported"
            )
            lines.append(f"- {name(study)}, {capture}{by}: {which}")
    return "\n".join([f"The choice at the same weights ({'; '.join(heads)}):", "", *lines])
