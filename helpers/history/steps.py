"""From one capture to the next: what appeared and went in each image, and whose doing it was."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.answers.answer import Answer
from helpers.answers.chart import Bars
from helpers.frames import SCANNED, SEVERITIES, SEVERITY
from helpers.history.series import KEYS, Series
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, bullets, listed, name, number, paragraph, say
from helpers.text.titles import Part, fitted
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import changes, counting
from helpers.vulnerabilities.changes import (
    APPEARED,
    DATABASE,
    GONE,
    IMAGE,
    RERATED,
    SCANNER,
    STATEMENT,
    UNKNOWN,
)

_SHOWN = ["vulnerability_id", "package", "package_path", "source_package"]
MOVES = [
    *("variant", "earlier", "later", *_SHOWN),
    *("change", "severity_before", "severity_after", "reason"),
]


SEVERAL = msg("one of several")
"""Reasons of which any may be the one, in a figure."""

_PARTS = {cause: cause for cause in (IMAGE, DATABASE, SCANNER, STATEMENT, SEVERAL, UNKNOWN)}

_FEW = 8
"""Images of which each has a bar for what appeared and one for what went."""


class Steps(NamedTuple):
    """The steps of a series.

    `pairs` has a row a variant and two consecutive sound scans of it: `variant, earlier, later,
    earlier_at, at, before, after` (counts under the lens), and whether `image, scanner, database`
    differ (NA: not known). `moves` has a row a finding that appeared, went or was re-rated, as
    `vulnerabilities.changes` has them, with `package_path` and `source_package`.
    """

    pairs: pd.DataFrame
    moves: pd.DataFrame


def steps(series: Series, sound: pd.DataFrame) -> Steps:
    """Return the steps of a series between its sound scans, whatever the lens.

    What is the same finding, and what is due to what, is as in `vulnerabilities.changes.changes`,
    over all captures at once.
    """
    # Images stand in the order of the study, and each one's scans in time.
    first = sound.groupby("variant", sort=False).ngroup()
    ordered = sound.assign(_image=first).sort_values(
        ["_image", "at", "capture"], kind="stable", ignore_index=True
    )
    pairs = _pairs(ordered)
    return Steps(pairs.drop(columns=["list_before", "list_after"]), _moves(series, ordered, pairs))


def counts(found: Steps) -> pd.DataFrame:
    """Return what each step is due to: a row a step and reason.

    `variant, earlier, later, at, reason, appeared, gone, re_rated`, and `before` and `after`, the
    counts under the lens. A step in which no finding changed has no row.
    """
    keys = ["variant", "earlier", "later"]
    sizes = found.moves.groupby([*keys, "reason", "change"], observed=True).size()
    wide = sizes.unstack(fill_value=0).reindex(columns=[APPEARED, GONE, RERATED], fill_value=0)
    table = wide.astype("int64").rename(columns={RERATED: "re_rated"}).reset_index()
    table = table.rename_axis(columns=None).astype(dict.fromkeys(keys, "str"))
    about = found.pairs[[*keys, "at", "before", "after"]]
    table = table.merge(about, on=keys, how="left")
    shown = [*keys, "at", "reason", "appeared", "gone", "re_rated", "before", "after"]
    return table.sort_values(["variant", "at", "reason"], kind="stable", ignore_index=True)[shown]


def answer(found: Steps) -> Answer:
    """Answer what each step of each image is due to."""
    table = counts(found)
    if found.pairs.empty:
        lacks = t("No image was measured in two captures, so it is not known how counts changed.")
        return Answer("steps", text=paragraph(lacks), table=table, lacks=lacks)
    variants = [*found.pairs["variant"].unique()]
    lines = [_line(v, table[table["variant"].eq(v)], found.pairs) for v in variants]
    note = t(
        "Each scan is compared with the sound one before it, and all findings count, whatever the "
        "lens. What changed in a package that stayed is not the image's doing."
    )
    return Answer(
        "steps",
        _title(table, variants),
        bullets(lines) + paragraph(note),
        table,
        chart(table, variants),
        word(msg("findings that appeared, went or were re-rated")),
        searchable=len(table) > _MANY_ROWS,
    )


_MANY_ROWS = 12


def chart(table: pd.DataFrame, variants: list[str]) -> Bars:
    """Return how many findings appeared and went in each image, by what that is due to.

    Of many images one bar each, of all that changed.
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
    counted = msg("findings that appeared, went or were re-rated")
    if len(variants) <= _FEW:
        counted = msg("findings that appeared or went")
    return counting.stacked(bars, "reason", shown or {UNKNOWN: UNKNOWN}, "cause", counted, rows)


def _title(table: pd.DataFrame, variants: list[str]) -> str:
    parts = []
    for variant in variants:
        ours = table[table["variant"].eq(variant)]
        changed = ours[["appeared", "gone", "re_rated"]].sum(axis=1)
        whole, own = int(changed.sum()), int(changed[ours["reason"].eq(IMAGE)].sum())
        text = t(
            "{variant} {part:,} of {whole}",
            variant=short_name(variant),
            part=own,
            whole=f"{whole:,}",
        )
        parts.append(Part(text, (own,)))
    return fitted(t("Changes that are the image's doing"), parts)


def _line(variant: str, table: pd.DataFrame, pairs: pd.DataFrame) -> Phrase:
    """Return how many findings of an image changed over all steps, and by what."""
    by_reason = table.groupby("reason", sort=False)[["appeared", "gone", "re_rated"]].sum()
    order = by_reason.sum(axis=1).sort_values(ascending=False, kind="stable").index
    reasons = [
        say(
            "{reason}: {appeared:,} appeared, {gone:,} went, {re_rated:,} re-rated",
            reason=word(reason),
            **by_reason.loc[reason].to_dict(),
        )
        for reason in order
    ]
    steps_ = number(int(pairs["variant"].eq(variant).sum()), "step")
    text = say("{variant}, {steps}: ", variant=name(variant), steps=steps_)
    return text + (listed(reasons, "; ") if reasons else t("nothing changed"))


def _pairs(ordered: pd.DataFrame) -> pd.DataFrame:
    """Return each two consecutive scans of an image, and what differs."""
    before = ordered.groupby("variant", sort=False).shift()
    there = before["capture"].notna()
    pairs = pd.DataFrame(
        {
            "variant": ordered["variant"],
            "earlier": before["capture"],
            "later": ordered["capture"],
            "earlier_at": before["at"],
            "at": ordered["at"],
            "before": before["count"],
            "after": ordered["count"],
            "list_before": before["listed"],
            "list_after": ordered["listed"],
            IMAGE: _differ(before, ordered, "listed").fillna(_differ(before, ordered, "image_id")),
            SCANNER: _any(
                _differ(before, ordered, "scanner"), _differ(before, ordered, "scanner_version")
            ),
            DATABASE: _differ(before, ordered, "db_sha256").fillna(
                _differ(before, ordered, "db_updated_at")
            ),
        }
    )
    return pairs[there]


def _differ(before: pd.DataFrame, after: pd.DataFrame, column: str) -> pd.Series:
    """Return whether a column differs; NA where it is not known of both."""
    then, now = before[column], after[column]
    differs = then.ne(now).astype("boolean")
    return differs.mask(then.isna() | now.isna())


def _any(first: pd.Series, second: pd.Series) -> pd.Series:
    """Return whether one of two differs; NA where one of them is not known."""
    return (first | second).mask(first.isna() | second.isna())


def _moves(series: Series, ordered: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that appeared, went or were re-rated, with the reason."""
    rows, joined = _joined(series.presence, ordered, pairs.index)
    there = rows["there"].to_numpy()
    level = rows["severity"].cat.codes.to_numpy()
    was, is_ = joined["then"].to_numpy(), joined["now"].to_numpy()
    # Of -1, which is no row, the last row is taken and not used.
    then, now = (was >= 0) & there[was], (is_ >= 0) & there[is_]
    changed = np.where(then & now, level[was] != level[is_], then | now)
    joined, was, is_, then, now = (each[changed] for each in (joined, was, is_, then, now))
    found = rows.iloc[np.where(now, is_, was)]
    names = np.array(SEVERITIES, dtype=object)
    moves = pd.DataFrame(
        {
            "step": joined["step"].to_numpy(),
            **{name: found[name].astype("str").to_numpy(dtype=object) for name in _SHOWN},
            "named": found["named"].to_numpy(),
            "change": np.select([~then, ~now], [APPEARED, GONE], RERATED).astype(object),
            "severity_before": np.where(then, names[level[was]], None),
            "severity_after": np.where(now, names[level[is_]], None),
            "suppressed": ((was >= 0) & ~there[was]) | ((is_ >= 0) & ~there[is_]),
        }
    )
    about = ["variant", "earlier", "later", "list_before", "list_after", IMAGE]
    moves = moves.join(pairs[about].assign(base=_bases(pairs)), on="step")
    moves = moves.assign(reason=_reasons(moves, series.installed))
    moves = moves.sort_values(["step", *KEYS], kind="stable", ignore_index=True)
    return moves[MOVES].astype({"severity_before": SEVERITY, "severity_after": SEVERITY})


def _joined(
    presence: pd.DataFrame, ordered: pd.DataFrame, steps: pd.Index
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of sound scans, and which of them are one finding before and after a step.

    `step` is the place of the later scan in `ordered`, `then` and `now` are places of rows, or -1.
    """
    keys = ["variant", "capture"]
    places = ordered[keys].assign(scan=range(len(ordered)))
    # Texts are compared once a scan, and not once a finding.
    code = presence.groupby(keys, observed=True, sort=False).ngroup()
    scans = presence.loc[~code.duplicated(), keys].astype("str").merge(places, "left", on=keys)
    scan = scans["scan"].fillna(-1).astype("int64").to_numpy()[code]
    rows, scan = presence[scan >= 0], scan[scan >= 0]
    finding = rows.groupby(KEYS, observed=True, sort=False).ngroup().to_numpy()
    # A finding in a scan as one number: that of the next scan is one higher.
    here = finding * (len(ordered) + 2) + scan
    order = np.argsort(here)
    rows, scan, here = rows.iloc[order], scan[order], here[order]
    is_step = np.zeros(len(ordered) + 1, dtype=bool)
    is_step[steps] = True
    follows = np.r_[False, np.diff(here) == 1]
    is_followed = np.r_[follows[1:], False]
    row = np.arange(len(here))
    now = pd.DataFrame({"step": scan, "then": np.where(follows, row - 1, -1), "now": row})
    gone = pd.DataFrame({"step": scan + 1, "then": row, "now": -1})
    both = pd.concat([now[is_step[scan]], gone[is_step[scan + 1] & ~is_followed]])
    return rows, both


def _bases(pairs: pd.DataFrame) -> pd.Series:
    """Return what changes of a step are due to as long as their package stayed."""
    lists = pairs["list_before"].notna() & pairs["list_after"].notna()
    by_image = pairs[IMAGE].fillna(False) & ~lists
    known = pd.DataFrame({IMAGE: by_image, SCANNER: pairs[SCANNER], DATABASE: pairs[DATABASE]})
    known = known.fillna(False).astype("bool")
    texts = [
        changes.either([name for name, differs in zip(known, row, strict=True) if differs])
        for row in known.to_numpy()
    ]
    return pd.Series(texts, index=pairs.index, dtype="object")


def _reasons(moves: pd.DataFrame, installed: pd.DataFrame) -> pd.Series:
    """Return what each move is due to."""
    lists = moves["list_before"].notna() & moves["list_after"].notna()
    other = np.where(moves["change"].eq(APPEARED), moves["list_before"], moves["list_after"])
    on_list = _are_on(moves["named"], pd.Series(other, index=moves.index), installed)
    differs = moves[IMAGE].fillna(False).astype("bool") & lists
    by_image = differs & moves["change"].ne(RERATED) & ~on_list
    return moves["base"].mask(by_image, IMAGE).mask(moves["suppressed"], changes.STATEMENT)


def _are_on(named: pd.Series, listed: pd.Series, installed: pd.DataFrame) -> pd.Series:
    """Return whether each package is on the list beside it."""
    asked = pd.DataFrame({"listed": listed.astype("str"), "named": named})
    distinct = asked.drop_duplicates()
    needed = installed[installed["listed"].isin(distinct["listed"].unique())]
    found = distinct.merge(needed.assign(there=True), how="left", on=["listed", "named"])
    return (
        asked.merge(found, how="left", on=["listed", "named"])["there"]
        .notna()
        .set_axis(named.index)
    )
