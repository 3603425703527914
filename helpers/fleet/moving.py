"""What moving every image to each base would change, if all are as the pairs are."""

from collections.abc import Collection
from datetime import date
from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart import Interval, Intervals
from helpers.fleet import bootstrap, image_table, pairs
from helpers.text.i18n import t
from helpers.text.rich import Phrase, bullets, name, number, paragraph, say
from helpers.text.titles import first_fitting
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.lenses import Lens


def moves(images: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return what a move from a family to another would change: one row a move.

    `target, source, images, now, pairs, repositories, share, low, high`: the images of the source
    and the sum of their counts; the mean share by which the count of the pairs changes, -1 for all
    of it, with its interval, NA where there are too few repositories for one. A share, because a
    difference of large images would take more from small ones than they have. All intervals hold
    together, as those of `pairs.compared`. `found` are the pairs of `pairs.found`.
    """
    known = image_table.counted(images)
    known = known[known["family"].ne(image_table.NO_FAMILY)]
    size = known.groupby("family").agg(images=("variant", "size"), now=("count", "sum"))
    swapped = {"first": "second", "second": "first", "first_count": "second_count"}
    swapped |= {"second_count": "first_count"}
    both = pd.concat([found, found.rename(columns=swapped)], ignore_index=True)
    groups = {key: _shares(rows) for key, rows in both.groupby(["first", "second"])}
    enough = sum(len(shares) >= bootstrap.least(pairs.LEVEL) for shares in groups.values())
    level = 1 - (1 - pairs.LEVEL) / max(enough, 1)
    rows = []
    for target in sorted(set(both["first"])):
        for source in size.index.drop(target, errors="ignore"):
            shares = groups.get((source, target), _NO_SHARES)
            count = int((both["first"].eq(source) & both["second"].eq(target)).sum())
            repositories = len(shares)
            estimate = bootstrap.mean(shares.to_numpy(), level) if repositories else _NONE
            rows.append((target, source, *size.loc[source], count, repositories, *estimate))
    columns = ["target", "source", "images", "now", "pairs", "repositories", "share", "low", "high"]
    types = {**dict.fromkeys(columns[2:6], "Int64"), **dict.fromkeys(columns[6:], "Float64")}
    return pd.DataFrame(rows, columns=columns).astype(types)


_NONE = (None, None, None)
_NO_SHARES = pd.Series(dtype="float64")


def _shares(rows: pd.DataFrame) -> pd.Series:
    """Return by which share the count of each repository's pairs changes from first to second.

    A repository that has nothing on the first says nothing of a share.
    """
    sums = rows.groupby("repository")[["first_count", "second_count"]].sum().astype("float64")
    sums = sums[sums["first_count"].gt(0)]
    return sums["second_count"] / sums["first_count"] - 1


def totals(moves: pd.DataFrame) -> pd.DataFrame:
    """Return what moving all to each family would change, that which takes away most first.

    `target, images, unknown, now, change, low, high`: `images` are those of families of which pairs
    say something, `unknown` those of which none does; `now` is the sum of the counts of the former,
    `change` what it would change by. The intervals of `moves` hold all together, and so do sums of
    them: the ends of a sum are the sums of the ends. That is wider than needed, as not all will be
    off to one side.
    """
    sure = moves["low"].notna()
    whole = moves["now"].astype("Float64")
    rows = moves.assign(
        unknown=moves["images"].where(~sure, 0),
        images=moves["images"].where(sure, 0),
        now=moves["now"].where(sure, 0),
        **{name: moves[column] * whole for name, column in _ENDS.items()},
    )
    table = rows[sure].groupby("target")[[*_ENDS]].sum()
    table = rows.groupby("target")[["images", "unknown", "now"]].sum().join(table)
    order = ["change", "target"]
    return table.reset_index().sort_values(order, na_position="last", ignore_index=True)


_ENDS = {"change": "share", "low": "low", "high": "high"}


def answer(images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what moving every image to each base would change, with how sure that is."""
    short = totals(moves(images, pairs.found(images)))
    known = short[short["change"].notna()]
    if known.empty:
        lacks = t(
            "No two bases have pairs in enough repositories, so it cannot be estimated what moving "
            "would change."
        )
        return Answer("moving", table=short, counted=lens.label, lacks=lacks)
    note = say(
        "An estimate, **if the other images change by the same share as the pairs do**, on "
        "average. Its interval is as wide as those of all moves together. Whether an app runs on "
        "another base nobody tried."
    )
    ended = image_table.ended(images)
    return Answer(
        "moving",
        _title(known, ended, lens),
        bullets(_line(row, ended.get(row.target)) for row in known.itertuples()) + paragraph(note),
        short,
        _chart(known, lens),
        lens.label,
        role=SUMMARY,
    )


def _chart(known: pd.DataFrame, lens: Lens) -> Intervals:
    rows = [
        Interval(
            t("all to {family}", family=row.target),
            float(row.change),
            float(row.low),
            float(row.high),
            number(row.images, "image"),
        )
        for row in known.itertuples()
    ]
    across = t("change of the sum of {counted}", counted=lens.label)
    return Intervals(rows, across, t("fewer"), t("more"))


def _title(known: pd.DataFrame, ended: Collection[str], lens: Lens) -> str:
    """Return which move would take away most for sure, or that none does.

    A base that no advisories follow is no place to move to, however few it has.
    """
    sure = known[known["high"].lt(0) & ~known["target"].isin(ended)]
    if sure.empty:
        return t("No move to a base with advisories is sure to take away {what}", what=lens.short)
    row = sure.iloc[0]
    values = {
        "images": number(row["images"], "image"),
        "family": short_name(row["target"]),
        "count": -row["change"],
        "low": -row["high"],
        "high": -row["low"],
    }
    return first_fitting(
        (
            t(
                "Moving {images} to {family} takes away about {count:,.0f} {what} ({low:,.0f} to "
                "{high:,.0f})",
                what=lens.short,
                **values,
            ),
            t(
                "{images} to {family}: about {count:,.0f} fewer ({low:,.0f} to {high:,.0f})",
                **values,
            ),
        )
    )


def _line(row: Any, ended: date | None) -> Phrase:
    text = name(t("all to {family}", family=row.target)) + ": "
    text += say(
        "about {change:+,.0f} ({low:+,.0f} to {high:+,.0f}) of {now:,} in {images}",
        change=row.change,
        low=row.low,
        high=row.high,
        now=row.now,
        images=number(row.images, "image"),
    )
    if row.low <= 0 <= row.high:
        text += t(", which may be chance")
    if ended:
        text += say("; **its advisories ended on {day}**, so that few is no good sign", day=ended)
    if row.unknown:
        text += say("; of {images} no pairs say anything", images=number(row.unknown, "image"))
    return text
