"""What appeared and went in each image from one capture to the next, and why."""

from typing import NamedTuple

import pandas as pd

from helpers.answers.answer import Answer
from helpers.answers.chart_data import Bars
from helpers.changes import between, causes, engine
from helpers.changes.causes import CAUSES, DATABASE, IMAGE, SCANNER, SEVERAL, STATEMENT, UNKNOWN
from helpers.changes.engine import APPEARED, GONE, RERATED
from helpers.changes.scans import Scans
from helpers.frames import SCANNED
from helpers.history.series import Series
from helpers.text.i18n import msg, t, word
from helpers.text.rich import paragraph
from helpers.text.titles import fitted, part_of, unknown
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import shown_counts
from helpers.vulnerabilities.captures import ONE_CAPTURE

_SHOWN = ["vulnerability_id", "package", "package_path", "source_package"]
MOVES = [
    *("variant", "earlier", "later", *_SHOWN),
    *("change", "severity_before", "severity_after", "reason", "certainty"),
]

_PARTS = {cause: cause for cause in (IMAGE, DATABASE, SCANNER, STATEMENT, SEVERAL, UNKNOWN)}
"""Causes in a figure; all combinations of possible causes are one part."""

_FEW = 8
"""Up to this many images, each has a bar for what appeared and one for what went."""


class Steps(NamedTuple):
    """The steps of a series.

    `pairs` has one row per two consecutive sound scans of a variant: `variant, earlier, later,
    earlier_at, at, before, after` (counts under the lens), whether `image, scanner, database`
    differ (NA: not known), and `list_before, list_after`, their package lists. `moves` has one row
    per finding that appeared, went or was re-rated, as in `changes.between`, with `package_path`
    and `source_package`.
    """

    pairs: pd.DataFrame
    moves: pd.DataFrame


def steps(series: Series, sound: pd.DataFrame) -> Steps:
    """Return the steps of a series between its sound scans, whatever the lens."""
    ordered = engine.order(sound.sort_values(["at", "capture"], kind="stable"))
    kept = Scans(series.scans, series.presence, series.installed)
    pairs, moves = between.consecutive(kept, ordered, every=False)
    before = ordered.shift().loc[pairs.index]
    after = ordered.loc[pairs.index]
    shown = pairs[["variant", "earlier", "later", *CAUSES, "list_before", "list_after"]].assign(
        earlier_at=before["at"], at=after["at"], before=before["count"], after=after["count"]
    )
    return Steps(shown, moves[MOVES])


def counts(found: Steps) -> pd.DataFrame:
    """Return the causes of each step: one row per step, cause and certainty.

    `variant, earlier, later, at, reason, certainty, appeared, gone, re_rated`, and `before` and
    `after`, the counts under the lens. A step without changed findings has no row.
    """
    keys = ["variant", "earlier", "later"]
    kinds = ["reason", "certainty"]
    table = between.counted(found.moves, [*keys, *kinds], [APPEARED, GONE, RERATED])
    table = table.astype(dict.fromkeys(keys, "str"))
    about = found.pairs[[*keys, "at", "before", "after"]]
    table = table.merge(about, on=keys, how="left")
    shown = [*keys, "at", *kinds, "appeared", "gone", "re_rated", "before", "after"]
    return table.sort_values(["variant", "at", *kinds], kind="stable", ignore_index=True)[shown]


def answer(steps: Steps) -> Answer:
    """Answer why the findings of each image changed."""
    table = counts(steps)
    if steps.pairs.empty:
        lacks = word(ONE_CAPTURE)
        return Answer("steps", text=paragraph(lacks), table=table, lacks=lacks)
    variants = [*steps.pairs["variant"].unique()]
    note = t(
        "Each scan is compared with the sound scan before it. All findings count, under any lens. "
        "A change in an unchanged package is not caused by the image."
    )
    return Answer(
        "steps",
        _title(table, variants),
        paragraph(note),
        table,
        chart(table, variants),
        word(msg("changed findings")),
        searchable=len(table) > _MANY_ROWS,
    )


_MANY_ROWS = 12


def chart(table: pd.DataFrame, variants: list[str]) -> Bars:
    """Return how many findings appeared and went in each image, by cause.

    Many images have one bar each, with all changes.
    """
    reason = table["reason"].where(table["reason"].isin(_PARTS), SEVERAL)
    kinds = {"appeared": ["appeared"], "gone": ["gone"]}
    if len(variants) > _FEW:
        kinds = {"": ["appeared", "gone", "re_rated"]}
    parts = []
    for kind, columns in kinds.items():
        change = word({"appeared": APPEARED, "gone": GONE}.get(kind, ""))
        summed = table.assign(reason=reason, count=table[columns].sum(axis=1))
        summed = summed.groupby(["variant", "reason"])["count"].sum()
        every = pd.MultiIndex.from_product([variants, _PARTS], names=["variant", "reason"])
        parts.append(summed.reindex(every, fill_value=0).reset_index().assign(change=change))
    bars = pd.concat(parts, ignore_index=True).assign(status=SCANNED)
    bars = bars.sort_values("variant", key=lambda column: column.map(variants.index), kind="stable")
    shown = {
        part: text for part, text in _PARTS.items() if bars[bars["reason"].eq(part)]["count"].any()
    }
    rows = ("variant", "change")
    counted = msg("changed findings")
    return shown_counts.stacked(bars, "reason", shown or {UNKNOWN: UNKNOWN}, "cause", counted, rows)


def _title(table: pd.DataFrame, variants: list[str]) -> str:
    parts = []
    for variant in variants:
        ours = table[table["variant"].eq(variant)]
        changed = ours[["appeared", "gone", "re_rated"]].sum(axis=1)
        whole, own = int(changed.sum()), int(changed[ours["reason"].eq(IMAGE)].sum())
        if whole and causes.is_open(ours["reason"]).all():
            parts.append(unknown(variant))
            continue
        parts.append(part_of(short_name(variant), own, whole))
    return fitted(t("Changes caused by the image itself"), parts)
