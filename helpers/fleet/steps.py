"""From one scan of a reference to the next: was it another image, and did its count change?"""

from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.fleet import drift
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number, paragraph, say
from helpers.vulnerabilities.lenses import Lens

OTHER = msg("another image")

LACKS = msg("No reference was scanned twice, so nothing is known of changes.")


def found(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return each scan of a reference with the one before it: `key, part, before, after, change`.

    `scanned` is `tally.images`. `part` is `drift.SAME`, `OTHER` or `drift.UNKNOWN`, by
    `changes.identity` and without package lists; `before` and `after` are what the lens counts.
    """
    rows = drift.dated(scanned)
    before = rows.groupby("key").shift(1)
    is_step = before["variant"].notna()
    first = before[is_step]
    second = rows[is_step].reset_index(drop=True)
    is_same = drift.identical(
        first.assign(key=second["key"].to_numpy()).reset_index(drop=True), second
    )
    part = is_same.astype("object").map({True: drift.SAME, False: OTHER})
    counts = first["count"].to_numpy(), second["count"].to_numpy()
    table = pd.DataFrame(
        {
            "key": second["key"],
            "part": part.where(part.notna(), drift.UNKNOWN),
            "before": pd.array(counts[0], dtype="Int64"),
            "after": pd.array(counts[1], dtype="Int64"),
        }
    )
    return table.assign(change=table["after"] - table["before"])


def table(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return the steps of `found`, added up: `part, steps, changed, up, down, change`."""
    rows = found(scanned)
    change = rows["change"]
    signs = rows.assign(steps=1, changed=change.ne(0), up=change.gt(0), down=change.lt(0)).fillna(
        {"changed": False, "up": False, "down": False}
    )
    sums = signs.groupby("part", sort=False)[["steps", "changed", "up", "down", "change"]].sum()
    order = [each for each in (drift.SAME, OTHER, drift.UNKNOWN) if each in sums.index]
    return sums.loc[order].astype("Int64").rename_axis("part").reset_index()


def _lacks(scanned: pd.DataFrame) -> str:
    return word(drift.SEVERAL if scanned["scanner"].nunique() > 1 else LACKS)


def answer(scanned: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how often a count changes from one scan of a reference to the next, and why."""
    made = table(scanned)
    if made.empty:
        return Answer("steps", table=made, counted=lens.label, lacks=_lacks(scanned))
    rows: dict[Any, Any] = made.set_index("part").to_dict("index")
    same = rows.get(drift.SAME, dict.fromkeys(made.columns, 0))
    title = t(
        "{changed:,} of {all:,} counts changed",
        changed=int(made["changed"].sum()),
        all=int(made["steps"].sum()),
    )
    if rows.keys() - {drift.UNKNOWN}:
        title += t("; {same:,} of them with the same image", same=int(same["changed"]))
    text = say(
        "A step is from one scan of a reference to the next. {steps} are of the same image: what "
        "changes there is the database's doing, or the scanner's.",
        steps=number(int(same["steps"]), "step"),
    )
    return Answer("steps", title, paragraph(text), made, counted=lens.label)
