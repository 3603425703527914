"""What moving all images to each base would change: what pairs show, an estimate of the rest."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import Intervals
from helpers.fleet import bars, bootstrap, groups, image_table, pairs, prediction
from helpers.fleet.groups import Packages
from helpers.text.i18n import t, word
from helpers.text.rich import Phrase, number, paragraph, say
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.lenses import Lens


class _Move(NamedTuple):
    """The pairs of a target, and the images of other families that are not there.

    `means` are the groups' mean counts, by source.
    """

    target: str
    paired: pd.DataFrame
    unpaired: pd.DataFrame
    means: dict[str, pd.DataFrame]

    def known(self, least: int) -> list[str]:
        """Return the sources of which enough groups have pairs to predict the other images."""
        enough = (s for s, each in self.means.items() if each["first_count"].gt(0).sum() >= least)
        return [s for s in enough if self.unpaired["family"].eq(s).any()]


def totals(images: pd.DataFrame, found: pd.DataFrame, packages: Packages) -> pd.DataFrame:
    """Return what moving all to each family would change, that which takes away most first.

    `target, images, observed, unknown, now, observed_now, observed_change, change, low, high,
    likely, paired_median, unpaired_median`. `observed` are the images that are there on the target
    as well, `images` those and the ones whose change their pairs predict, `unknown` all others;
    `now` and `observed_now` are the sums of their counts, `change` is what the former would change
    by: what is observed, and by the share of `pairs.compared` what is not. `low` to `high` is its
    prediction interval, NA where nothing is predicted; those of all targets hold together, as those
    of pairs do. `likely` is the change to expect of the target that was chosen as the best, by
    `bootstrap.shrunk`. The medians are of the images with and without pairs, of the families of
    which some are predicted. `found` are the pairs of `pairs.found`, `packages` are
    `groups.packages`.
    """
    moves = [*_moves(images, found, packages)]
    most = [
        max((int(move.means[s]["first_count"].gt(0).sum()) for s in move.known(0)), default=0)
        for move in moves
    ]
    level = pairs.each_at(most)
    least = bootstrap.least(level)
    rows = [_total(move, move.known(least), level) for move in moves]
    table = pd.DataFrame(rows, columns=_COLUMNS).astype(_TYPES)
    table["likely"] = _likely(table)
    table = table.drop(columns=["rest", "error"])
    return table.sort_values(["change", "target"], ignore_index=True)


_COUNTS = ["images", "observed", "unknown", "now", "observed_now", "observed_change"]
_NUMBERS = ["change", "low", "high", "likely", "paired_median", "unpaired_median", "rest", "error"]
_COLUMNS = ["target", *_COUNTS, *_NUMBERS]
_TYPES = {**dict.fromkeys(_COUNTS, "Int64"), **dict.fromkeys(_NUMBERS, "Float64")}


def _moves(images: pd.DataFrame, found: pd.DataFrame, packages: Packages) -> Iterator[_Move]:
    known = image_table.counted(images)
    known = known[known["family"].ne(image_table.NO_FAMILY)]
    swapped = {
        f"{one}{column}": f"{other}{column}"
        for one, other in (("first", "second"), ("second", "first"))
        for column in ("", "_count", "_variant")
    }
    back = found.assign(difference=-found["difference"]).rename(columns=swapped)
    both = pd.concat([found, back], ignore_index=True)
    for target, paired in both.groupby("second"):
        group = groups.of(paired, packages)
        means = {
            source: pairs.by_group(rows, group[rows.index])
            for source, rows in paired.groupby("first")
        }
        is_other = known["family"].ne(target) & ~known["variant"].isin(paired["first_variant"])
        unpaired = known[is_other]
        unpaired = unpaired.assign(group=groups.alone(unpaired, packages))
        yield _Move(str(target), paired, unpaired, means)


def _total(move: _Move, sources: list[str], level: float) -> tuple[object, ...]:
    """Return the row of a target, `rest` and `error` of which are what the prediction is of."""
    of = move.unpaired[move.unpaired["family"].isin(sources)]
    paired = move.paired
    observed = (paired["first_count"].sum(), paired["difference"].sum())
    counts = (len(paired) + len(of), len(paired), len(move.unpaired) - len(of))
    row = (move.target, *counts, observed[0] + of["count"].sum(), *observed)
    if not sources:
        return (*row, observed[1], *[None] * 7)
    means = {s: move.means[s] for s in sources}
    first = pd.DataFrame({s: each["first_count"] for s, each in means.items()}).fillna(0)
    second = pd.DataFrame({s: each["second_count"] for s, each in means.items()}).fillna(0)
    rest = of["count"].astype("float64").groupby([of["group"], of["family"]]).sum()
    rest = rest.unstack(fill_value=0)[sources]
    made = prediction.total(first.to_numpy(), (second - first).to_numpy(), rest.to_numpy(), level)
    ends = (None if end is None else observed[1] + end for end in (made.low, made.high))
    medians = (
        paired.loc[paired["first"].isin(sources), "first_count"].median(),
        of["count"].median(),
    )
    return (*row, observed[1] + made.change, *ends, None, *medians, rest.sum(axis=None), made.error)


def _likely(table: pd.DataFrame) -> pd.Series:
    """Return the change to expect of each target: of what is predicted by a share, a part."""
    predicted = table["change"] - table["observed_change"].astype("Float64")
    # A share of what is more, before or after, so that no move from small images outweighs others.
    of = pd.Series(np.maximum(table["rest"], table["rest"] + predicted)).clip(lower=1)
    ends = (
        (table[end] - table["observed_change"].astype("Float64")) / of for end in ("low", "high")
    )
    found = pairs.likely(predicted / of, table["error"] / of, *ends) * of
    return table["observed_change"].astype("Float64") + found


def answer(images: pd.DataFrame, lens: Lens, packages: Packages) -> Answer:
    """Answer what moving every image to each base would change, with how sure that is."""
    short = totals(images, pairs.found(images), packages)
    if short.empty:
        return Answer("moving", table=short, counted=lens.label, lacks=word(pairs.NO_PAIRS))
    ended = image_table.ended(images)
    # Stable: of those with advisories, and of the others, that which takes away most is first.
    rows = short.assign(ended=short["target"].isin(ended))
    rows = rows.sort_values("ended", kind="stable", ignore_index=True)
    better = rows[rows["change"].lt(0)]
    shown = (rows if better.empty else better).head(bars.MOST)
    text = paragraph(_note(short, shown))
    title = _title(better, lens)
    return Answer("moving", title, text, short, _chart(shown, lens), lens.label, role=SUMMARY)


def _note(short: pd.DataFrame, shown: pd.DataFrame) -> Phrase:
    note = say("Observed are images that exist on both bases.")
    if shown["low"].isna().all():
        return note + " " + say("The rest is **not estimated**: too few independent groups.")
    note += " " + say("The rest is predicted, **if it changes by the same share**.")
    return note + " " + pairs.intervals(int(short["low"].notna().sum()))


def _chart(shown: pd.DataFrame, lens: Lens) -> Intervals:
    rows = [
        bars.interval(
            t("to {family}", family=row.target),
            *(row.change, row.low, row.high),
            t(
                "{observed:,} of {images} observed",
                observed=row.observed,
                images=number(row.images + row.unknown, "image"),
            )
            + (word(pairs.ENDED) if row.ended else ""),
        )
        for row in shown.itertuples()
    ]
    across = t("change of the sum of {counted}", counted=lens.label)
    return Intervals(rows, across, t("fewer"), t("more"))


def best(table: pd.DataFrame, ended: Collection[str] = ()) -> Any | None:
    """Return the row of `totals` that likely takes away most, of those that do so for sure.

    Sure is also what was observed of every image. A base that no advisories follow is no place to
    move to, however few it has.
    """
    is_whole = table["unknown"].eq(0) & table["images"].eq(table["observed"])
    is_sure = table["high"].lt(0).fillna(is_whole & table["change"].lt(0))
    sure = table[is_sure & ~table["target"].isin([*ended])]
    change = sure["likely"].fillna(sure["change"]).astype("float64")
    return None if sure.empty else sure.loc[change.idxmin()]


def _title(better: pd.DataFrame, lens: Lens) -> str:
    """Return which move takes away most for sure, else which is observed to, or that none is."""
    better = better[~better["ended"]]
    row = best(better)
    seen = better[better["observed_change"].lt(0)]
    if row is None and seen.empty:
        return t("No move to a supported base is sure to reduce {what}", what=lens.short)
    if row is None or pd.isna(row["low"]):
        row = seen.iloc[0] if row is None else row
        return t(
            "{images} have {count:,} fewer on {family}",
            images=number(row["observed"], "image"),
            family=short_name(row["target"]),
            count=-row["observed_change"],
        )
    return t(
        "Moving {images} to {family}: about {count:,.0f} fewer ({low:,.0f} to {high:,.0f}), if all "
        "change like the pairs",
        images=number(row["images"], "image"),
        family=short_name(row["target"]),
        count=-row["likely"],
        low=-row["high"],
        high=-row["low"],
    )
