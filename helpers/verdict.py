"""The choice under every capture and way of counting, and what it hangs on."""

from collections.abc import Mapping

import pandas as pd

from helpers import confounders, lenses, tradeoff
from helpers import sizes as sizes_of
from helpers.frames import Frames
from helpers.lenses import Lens
from helpers.words import listed, name

COLUMNS = ["capture", "counted", "choice", "score", "next", "next_score", "as_it_is"]


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
    frames: Frames, published: pd.DataFrame, size: str, lens: Lens, weights: Mapping[str, float]
) -> pd.DataFrame:
    """Return the choice under each capture and way of counting, one row each.

    `capture, counted, choice, score, next, next_score, as_it_is`. `as_it_is`: whether operating
    system and runtime of the choice were still supported, as far as that is known.
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
            told = [capture, counted, first["variant"], first["score"]]
            then = [None, None] if second is None else [second["variant"], second["score"]]
            rows.append([*told, *then, not old.fillna(0).any()])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"score": "Float64", "next_score": "Float64"})


def sentence(choices: pd.DataFrame) -> str:
    """Return whether the choice hangs on the capture or the way of counting, with each."""
    if choices.empty:
        return "Under no capture could anything be weighed."
    winners = list(dict.fromkeys(choices["choice"]))
    if len(winners) == 1:
        head = f"**The same under every capture and way of counting:** {name(winners[0])}."
    else:
        head = "**The choice hangs on when and how one counts:**"
    lines = []
    for (capture, choice, fit), rows in choices.groupby(
        ["capture", "choice", "as_it_is"], sort=False
    ):
        worn = "" if fit else ", which is no longer supported itself"
        lines.append(f"- {capture}, by {listed(rows['counted'])}: {name(choice)}{worn}")
    return "\n".join([head, "", *lines])
