"""What moving all images to each base would change: what pairs show, an estimate of the rest."""

from datetime import date
from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart import Interval, Intervals
from helpers.fleet import bars, bootstrap, distributions, groups, image_table, pairs
from helpers.fleet.groups import Packages
from helpers.text.i18n import t
from helpers.text.rich import Phrase, bullets, name, number, paragraph, say
from helpers.text.titles import first_fitting
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.lenses import Lens


def moves(images: pd.DataFrame, found: pd.DataFrame, packages: Packages) -> pd.DataFrame:
    """Return what a move from a family to another would change: one row a move.

    `target, source, images, now, observed, observed_now, observed_change, pairs, repositories,
    groups, share, low, high`: the images of the source and the sum of their counts; how many of
    them are there on the target as well, their sum, and by how much they differ there. For the
    others `share` is by which the sum of the pairs changes, -1 for all of it, with its interval, NA
    where there are too few groups of repositories for one. A share, because a difference of large
    images would take more from small ones than they have. All intervals hold together, as those of
    `pairs.compared`. `found` are the pairs of `pairs.found`, `packages` are `groups.packages`.
    """
    known = image_table.counted(images)
    known = known[known["family"].ne(image_table.NO_FAMILY)]
    size = known.groupby("family").agg(images=("variant", "size"), now=("count", "sum"))
    swapped = {"first": "second", "second": "first", "first_count": "second_count"}
    swapped |= {"second_count": "first_count"}
    back = found.assign(difference=-found["difference"]).rename(columns=swapped)
    both = pd.concat([found, back], ignore_index=True)
    parts = {key: (rows, _sums(rows, packages)) for key, rows in both.groupby(["first", "second"])}
    # A move and its way back are one comparison each.
    level = pairs.each_at([len(sums) for _, sums in parts.values()])
    rows = []
    for target in sorted(set(both["first"])):
        for source in size.index.drop(target, errors="ignore"):
            if (source, target) not in parts:
                rows.append((target, source, *size.loc[source], *_NO_PAIRS))
                continue
            paired, sums = parts[source, target]
            seen = (len(paired), paired["first_count"].sum(), paired["difference"].sum())
            number_of = (len(paired), paired["repository"].nunique(), len(sums))
            estimate = (
                bootstrap.ratio(
                    sums["difference"].to_numpy(), sums["first_count"].to_numpy(), level
                )
                if len(sums)
                else (None, None, None)
            )
            rows.append((target, source, *size.loc[source], *seen, *number_of, *estimate))
    columns = ["target", "source", "images", "now", "observed", "observed_now", "observed_change"]
    columns += ["pairs", "repositories", "groups", "share", "low", "high"]
    types = {**dict.fromkeys(columns[2:10], "Int64"), **dict.fromkeys(columns[10:], "Float64")}
    return pd.DataFrame(rows, columns=columns).astype(types)


_NO_PAIRS = (0, 0, 0, 0, 0, 0, None, None, None)


def _sums(rows: pd.DataFrame, packages: Packages) -> pd.DataFrame:
    """Return `first_count` and `difference` of each group of repositories.

    A group that has nothing on the first says nothing of a share.
    """
    group = groups.of(rows, packages)
    sums = rows.groupby(group)[["first_count", "difference"]].sum().astype("float64")
    return sums[sums["first_count"].gt(0)]


def totals(moves: pd.DataFrame) -> pd.DataFrame:
    """Return what moving all to each family would change, that which takes away most first.

    `target, images, observed, unknown, now, observed_now, observed_change, change, low, high`:
    `images` are those of which pairs say something, `observed` those that are there on the target
    as well, `unknown` all others; `now` and `observed_now` are the sums of their counts, `change`
    is what the former would change by: what is observed, and an estimate of what is not. `low` to
    `high` is NA where nothing is estimated.
    The intervals of `moves` hold all together, and so do sums of them: the ends of a sum are the
    sums of the ends. That is wider than needed, as not all will be off to one side.
    """
    sure = moves["low"].notna()
    rest = (moves["now"] - moves["observed_now"]).astype("Float64").where(sure, 0)
    rows = moves.assign(
        unknown=(moves["images"] - moves["observed"]).where(~sure, 0),
        images=moves["images"].where(sure, moves["observed"]),
        now=moves["now"].where(sure, moves["observed_now"]),
        estimated=sure & moves["images"].gt(moves["observed"]),
        **{
            name: moves["observed_change"].astype("Float64") + (moves[column] * rest).fillna(0)
            for name, column in _ENDS.items()
        },
    )
    whole = ["images", "observed", "unknown", "now", "observed_now", "observed_change"]
    table = rows.groupby("target")[[*whole, *_ENDS]].sum()
    estimated = rows.groupby("target")["estimated"].any()
    table = table.assign(low=table["low"].where(estimated), high=table["high"].where(estimated))
    order = ["change", "target"]
    return table.reset_index().sort_values(order, ignore_index=True)


_ENDS = {"change": "share", "low": "low", "high": "high"}


def answer(images: pd.DataFrame, lens: Lens, packages: Packages = pairs.UNKNOWN) -> Answer:
    """Answer what moving every image to each base would change, with how sure that is."""
    short = totals(moves(images, pairs.found(images), packages))
    if short.empty:
        lacks = t("No app is there on two bases that were counted, so no move can be estimated.")
        return Answer("moving", table=short, counted=lens.label, lacks=lacks)
    ended = image_table.ended(images)
    # Stable: of those with advisories, and of the others, that which takes away most is first.
    rows = short.assign(ended=short["target"].isin(ended))
    rows = rows.sort_values("ended", kind="stable", ignore_index=True)
    better = rows[rows["change"].lt(0)]
    shown = (rows if better.empty else better).head(bars.MOST)
    text = bullets([_line(row, ended.get(row.target)) for row in shown.itertuples()])
    text += paragraph(_note(short, shown)) + distributions.slim(shown["target"])
    return Answer(
        "moving",
        _title(better, lens),
        text,
        short,
        _chart(shown, lens),
        lens.label,
        role=SUMMARY,
    )


def _note(short: pd.DataFrame, shown: pd.DataFrame) -> Phrase:
    note = say(
        "Observed is what an image's pair on the other base has less: a count, not an estimate."
    )
    if shown["low"].notna().any():
        note += " " + say(
            "The rest is estimated, **if these images change by the same share as the pairs do**: "
            "an interval is as wide as those of all moves together."
        )
    else:
        note += " " + say(
            "The rest is **not estimated**: too few groups of repositories that share no packages."
        )
    if shown["change"].lt(0).any() and (worse := int(short["change"].ge(0).sum())):
        note += " " + t(
            "Moves to {families} make it no better.", families=number(worse, "other family")
        )
    return note + (" " + t("Whether an app runs on another base nobody tried."))


def _chart(shown: pd.DataFrame, lens: Lens) -> Intervals:
    rows = [
        Interval(
            t("to {family}", family=row.target),
            float(row.change),
            None if pd.isna(row.low) else float(row.low),
            None if pd.isna(row.high) else float(row.high),
            t(
                "{observed:,} of {images} observed",
                observed=row.observed,
                images=number(row.images + row.unknown, "image"),
            ),
        )
        for row in shown.itertuples()
    ]
    across = t("change of the sum of {counted}", counted=lens.label)
    return Intervals(rows, across, t("fewer"), t("more"))


def _title(better: pd.DataFrame, lens: Lens) -> str:
    """Return which move would take away most for sure, else which is observed to, or that none is.

    A base that no advisories follow is no place to move to, however few it has.
    """
    better = better[~better["ended"]]
    sure = better[better["high"].lt(0).fillna(False)]
    told = better[better["observed_change"].lt(0)] if sure.empty else sure
    if told.empty:
        return t("No move to a base with advisories is sure to take away {what}", what=lens.short)
    row = told.iloc[0]
    values = {
        "images": number(row["images"], "image"),
        "family": short_name(row["target"]),
        "count": -row["change"],
    }
    if sure.empty:
        values["images"] = number(row["observed"], "image")
        values["count"] = -row["observed_change"]
        return first_fitting(
            (
                t(
                    "{images} have {count:,} fewer {what} on {family}: others may not",
                    what=lens.short,
                    **values,
                ),
                t("{images} have {count:,} fewer on {family}: others may not", **values),
            )
        )
    values |= {"low": -row["high"], "high": -row["low"]}
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
    text = name(t("to {family}", family=row.target)) + ": "
    text += say(
        "observed {change:+,} of {now:,} in {images}",
        change=row.observed_change,
        now=row.observed_now,
        images=number(row.observed, "image"),
    )
    if pd.notna(row.low):
        text += say(
            "; with an estimate of {others} about {change:+,.0f} ({low:+,.0f} to {high:+,.0f}) "
            "of {now:,}",
            others=number(row.images - row.observed, "other image"),
            change=row.change,
            low=row.low,
            high=row.high,
            now=row.now,
        )
        if row.low <= 0 <= row.high:
            text += t(", which may be chance")
    if ended:
        text += say("; **its advisories ended on {day}**, so that few is no good sign", day=ended)
    if row.unknown:
        text += say(
            "; what {images} would change by is not known", images=number(row.unknown, "image")
        )
    return text
