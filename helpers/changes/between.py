"""What changed between two captures of the same variants, and why."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from helpers.answers.answer import Answer
from helpers.changes import engine, scans
from helpers.changes.causes import CAUSES
from helpers.changes.engine import APPEARED, GONE, RERATED, STAYED
from helpers.changes.scans import KEYS, Scans
from helpers.errors import ParameterInvalid, choose
from helpers.frames import SEVERITIES, SEVERITY, UNKNOWN_COUNT, Frames
from helpers.text.i18n import t, word
from helpers.text.rich import Phrase, bullets, listed, name, number, paragraph, say

COLUMNS = [
    *("variant", "earlier", "later", "vulnerability_id", "package", "change"),
    *("severity_before", "severity_after", "reason", "certainty"),
]


def pair(captures: Iterable[str], earlier: str = "", later: str = "") -> tuple[str, str]:
    """Return two captures, oldest first: the named ones, else the first and the last.

    One capture alone is both. Raises `ParameterInvalid` for an unknown capture.
    """
    found = [*dict.fromkeys(captures)]
    for wanted in filter(None, (earlier, later)):
        if wanted not in found:
            raise ParameterInvalid(f"there is no capture {wanted!r}; {choose(wanted, found)}")
    return earlier or (found[0] if found else ""), later or (found[-1] if found else "")


def changes(frames: Frames, earlier: str, later: str) -> pd.DataFrame:
    """Return how every finding of two captures changed, one row each.

    `variant, earlier, later, vulnerability_id, package, change, severity_before, severity_after,
    reason, certainty`; a change is `appeared`, `gone`, `re-rated` or `stayed`. Suppressed findings
    do not count. Reasons and certainties come from `causes`: `image` if the package was not
    installed in that version both times, `statement` if one capture suppresses the finding, else
    `scanner` or `database`. Variants not measured in both captures are left out.
    """
    return _compared(frames, earlier, later)[0]


def consecutive(
    kept: Scans, ordered: pd.DataFrame, every: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return pairs of consecutive scans of an image, and what changed between them.

    The pairs come from `engine.pairs`, the changes from `engine.changed` without those that never
    counted, with each finding's keys, severities and the `variant, earlier, later` of its pair.
    """
    pairs = engine.pairs(ordered)
    rows, changes = engine.changed(kept, ordered, pairs, every)
    changes = changes[changes["change"].ne(engine.HIDDEN)]
    was, is_ = changes["then"].to_numpy(), changes["now"].to_numpy()
    there, level = rows["there"].to_numpy(), rows["severity"].cat.codes.to_numpy()
    then, now = (was >= 0) & there[was], (is_ >= 0) & there[is_]
    found = rows.iloc[np.where(now, is_, was)]
    names = np.array(SEVERITIES, dtype=object)
    texts = {
        name: found[name].astype("str").to_numpy(dtype=object) for name in (*KEYS, "source_package")
    }
    severities = {
        "severity_before": np.where(then, names[level[was]], None),
        "severity_after": np.where(now, names[level[is_]], None),
    }
    table = changes.assign(**texts, **severities).astype(dict.fromkeys(severities, SEVERITY))
    table = table.join(pairs[["variant", "earlier", "later"]], on="step")
    return pairs, table.sort_values(["step", *KEYS], kind="stable", ignore_index=True)


def movers(changes: pd.DataFrame) -> pd.DataFrame:
    """Return findings that appeared, went or were re-rated; a missing severity is empty."""
    table = changes[changes["change"].ne(STAYED)].reset_index(drop=True)
    levels = ["severity_before", "severity_after"]
    return table.assign(**{level: table[level].astype("str").fillna("") for level in levels})


def counted(changes: pd.DataFrame, by: list[str], kinds: list[str]) -> pd.DataFrame:
    """Return how many findings changed, one column per kind of change, grouped by columns."""
    sizes = changes.groupby([*by, "change"], sort=False, observed=True).size()
    table = sizes.unstack(fill_value=0).reindex(columns=kinds, fill_value=0).astype("int64")
    return table.rename(columns={RERATED: "re_rated"}).reset_index().rename_axis(columns=None)


def answer(frames: Frames, earlier: str, later: str) -> Answer:
    """Answer what changed between two captures, and why."""
    table, causes = _compared(frames, earlier, later)
    lacks = ""
    if table.empty:
        lacks = t("No image was measured in two captures.")
        text = paragraph(lacks)
    else:
        moved = counted(table, COLUMNS[:3], [APPEARED, GONE, RERATED, STAYED])
        text = bullets(_line(row, causes.loc[row.variant]) for row in moved.itertuples())
    return Answer("changes", text=text, table=movers(table), searchable=True, lacks=lacks)


def _line(row: Any, differs: pd.Series) -> Phrase:
    """Return how many findings of a variant changed; `differs` are its causes."""
    known = differs.dropna()
    return say(
        "{variant}, {earlier} → {later}: {appeared} appeared, {gone:,} went, {re_rated:,} "
        "re-rated, {stayed:,} unchanged ({why})",
        variant=name(row.variant),
        earlier=row.earlier,
        later=row.later,
        appeared=number(row.appeared, "finding"),
        gone=row.gone,
        re_rated=row.re_rated,
        stayed=row.stayed,
        why=_why(list(known.index[known]), list(known.index[~known])),
    )


def _why(different: list[str], same: list[str]) -> Phrase:
    """Return which causes differ in the later capture and which are the same."""
    none = [t("none")]
    return say(
        "changed: {different}; unchanged: {same}",
        different=listed(map(word, different or none)),
        same=listed(map(word, same or none)),
    )


def _compared(frames: Frames, earlier: str, later: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the `changes`, and which of `CAUSES` differ, by variant (NA: not known)."""
    kept = scans.kept(frames)
    known = kept.scans[~kept.scans["status"].isin(UNKNOWN_COUNT)]
    first, second = (known[known["capture"].eq(day)] for day in (earlier, later))
    both = second["variant"][second["variant"].isin(first["variant"])]
    if earlier == later:
        both = both.iloc[:0]
    # Variants keep the order of the later capture.
    place = {variant: at for at, variant in enumerate(both)}
    ordered = pd.concat([first, second], ignore_index=True)
    ordered = ordered[ordered["variant"].isin(both)]
    ordered = ordered.sort_values(
        "variant", key=lambda column: column.map(place), kind="stable", ignore_index=True
    )
    pairs, table = consecutive(kept, ordered, every=True)
    return table[COLUMNS], pairs.set_index("variant")[[*CAUSES]]
