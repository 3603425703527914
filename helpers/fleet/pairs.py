"""Apps that exist on two bases: what the count differs by, and how sure that is."""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import Intervals
from helpers.fleet import bars, bootstrap, groups, image_table
from helpers.fleet.groups import Packages
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, Text, number, paragraph, say
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import fixes
from helpers.vulnerabilities.lenses import Lens

COLUMNS = [
    *("app", "repository", "first", "second", "first_variant", "second_variant"),
    *("first_count", "second_count", "difference"),
]
LEVEL = 0.95
"""How often all intervals that are shown hold, together."""

UNKNOWN: Packages = MappingProxyType({})
"""Of no image it is known which packages it has."""

NO_PAIRS = msg("No app was counted on two bases, so bases cannot be compared.")
ENDED = msg("; advisories ended")


def found(images: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs: one row an app and two families that it is on.

    `app, repository, first, second, first_variant, second_variant, first_count, second_count,
    difference`; families in the order of their names, `difference` is second less first. Only
    images whose counts say something are paired, of one architecture; of several images of an app
    on one family the newest, as `newest` says.
    """
    keys = ["app", "architecture"]
    known = newest(image_table.placed(images))[[*keys, "repository", "family", "variant", "count"]]
    both = known.merge(known.drop(columns="repository"), on=keys, suffixes=("", "_2"))
    both = both[both["family"].lt(both["family_2"])]
    table = pd.DataFrame(
        {
            "app": both["app"],
            # That of the reference which the app is named after.
            "repository": [app.rpartition(":")[0] or app for app in both["app"]],
            "first": both["family"],
            "second": both["family_2"],
            "first_variant": both["variant"],
            "second_variant": both["variant_2"],
            "first_count": both["count"].astype("Int64"),
            "second_count": both["count_2"].astype("Int64"),
        }
    )
    table["difference"] = table["second_count"] - table["first_count"]
    return table[COLUMNS].sort_values(["first", "second", "app"], ignore_index=True)


_PLACE = ["app", "architecture", "family"]


def newest(images: pd.DataFrame) -> pd.DataFrame:
    """Return the image of each app on each family that stands for it: the newest one.

    Where it is not known of all when they were built, it is that of the latest day of scans. Where
    that leaves several, there is none: neither a name nor the order of a day's scans says an age.
    """
    known = _candidates(images)
    is_dated = known["created_at"].notna().groupby([known[key] for key in _PLACE]).transform("all")
    known = known.assign(_at=known["created_at"].where(is_dated, known["scanned_at"].dt.floor("D")))
    last = known.groupby(_PLACE)["_at"].transform("max")
    # Of a single image no time need be known.
    is_last = known["_at"].eq(last) | ~known.duplicated(_PLACE, keep=False)
    known = known[is_last].drop(columns="_at")
    return known[~known.duplicated(_PLACE, keep=False)]


def _candidates(images: pd.DataFrame) -> pd.DataFrame:
    known = image_table.counted(images)
    known = known[known["app"].notna() & known["family"].ne(image_table.NO_FAMILY)]
    return known.assign(architecture=known["architecture"].astype("object").fillna(""))


def compared(pairs: pd.DataFrame, packages: Packages = UNKNOWN) -> pd.DataFrame:
    """Return what the pairs of each two families come to, those of most groups first.

    `first, second, pairs, repositories, groups, median, mean, share, low, high, likely,
    first_fewer, second_fewer, equal`: `first` is the family that has more in the mean. `groups` are
    of repositories that share packages, by `groups.packages`. `median` is of all pairs. `mean` is
    of the groups, each with the mean of its repositories, and these with that of their pairs, so
    that what is often there does not outweigh the others. `share` is that mean by the groups' mean
    count on `first`: -0.4 where `second` has 40 % fewer. `low` to `high` is its interval, NA where
    there are too few groups. The intervals are so wide that all of them together hold at `LEVEL`
    (Bonferroni: each at 1 - 0.05 / the number of comparisons of six groups or more). `likely` is
    what to expect of a share that was chosen as the largest, by `bootstrap.shrunk`.
    """
    columns = ["first", "second"]
    parts = [
        (key, rows, by_group(rows, groups.of(rows, packages)))
        for key, rows in pairs.groupby(columns, sort=False)
    ]
    level = each_at([len(each) for _, _, each in parts])
    table = []
    for key, rows, each in parts:
        first, second = (each[name].to_numpy() for name in ("first_count", "second_count"))
        difference = rows["difference"].astype("int64")
        if second.sum() > first.sum():
            key, first, second, difference = key[::-1], second, first, -difference
        table.append(
            (*key, len(rows), rows["repository"].nunique(), len(each), difference.median(),
             (second - first).mean(), *bootstrap.ratio(second - first, first, level),
             int(difference.gt(0).sum()), int(difference.lt(0).sum()),
             int(difference.eq(0).sum()))
        )  # fmt: skip
    names = [*columns, "pairs", "repositories", "groups", "median", "mean", "share", "low", "high"]
    names += ["likely", "first_fewer", "second_fewer", "equal"]
    whole = ("pairs", "repositories", "groups", "first_fewer", "second_fewer", "equal")
    types = {**dict.fromkeys(whole, "Int64"), **dict.fromkeys(names[5:11], "Float64")}
    made = pd.DataFrame(table, columns=names).astype(types)
    made["likely"] = likely(made["share"], made["likely"], made["low"], made["high"])
    order = ["groups", "repositories", "pairs", *columns]
    return made.sort_values(order, ascending=[*[False] * 3, True, True], ignore_index=True)


def likely(shares: pd.Series, errors: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    """Return what to expect of shares by `bootstrap.shrunk`, never outside of their intervals.

    NA where there is no interval.
    """
    known = low.notna()
    drawn = bootstrap.shrunk(*(each[known].to_numpy("float64") for each in (shares, errors)))
    found = pd.Series(drawn, shares.index[known], dtype="Float64")
    return found.clip(low[known], high[known]).reindex(shares.index)


def each_at(sizes: Iterable[int]) -> float:
    """Return the level of each interval at which all of them together hold at `LEVEL`.

    `sizes` are the groups of each comparison.
    """
    enough = sum(size >= bootstrap.least(LEVEL) for size in sizes)
    return 1 - (1 - LEVEL) / max(enough, 1)


def by_group(pairs: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Return the mean counts of each group's repositories on both families, by group."""
    counts = pairs[["first_count", "second_count"]].astype("float64")
    each = counts.groupby([group.rename("group"), pairs["repository"]]).mean()
    return each.groupby(level="group").mean()


def answer(images: pd.DataFrame, lens: Lens, packages: Packages) -> Answer:
    """Answer what apps that exist on two bases differ by, with how sure that is."""
    pairs = found(images)
    table = compared(pairs, packages)
    if table.empty:
        return Answer("pairs", table=table, counted=lens.label, lacks=word(NO_PAIRS))
    ended = image_table.ended(images)
    least = bootstrap.least(each_at(table["groups"]))
    text = paragraph(_note(table, least)) + _several(images) + _dependent(pairs, packages)
    text += _blind(table, images, lens)
    title = _title(table, ended)
    return Answer("pairs", title, text, table, _chart(table, ended, lens), lens.label, role=SUMMARY)


def _chart(table: pd.DataFrame, ended: Mapping[str, date], lens: Lens) -> Intervals:
    """Return by which share each two families differ, those of most groups first."""
    rows = [
        bars.interval(
            t("{first} → {second}", first=row.first, second=row.second),
            *(100 * row.share, 100 * row.low, 100 * row.high),
            t(
                "{pairs}, {groups}",
                pairs=number(row.pairs, "pair"),
                groups=number(row.groups, "group"),
            )
            + (word(ENDED) if flattered(row.second, row.first, ended) else ""),
        )
        for row in table.head(bars.MOST).itertuples()
    ]
    across = t("difference in {counted} per image, in %", counted=lens.label)
    return Intervals(rows, across, t("fewer after the arrow"), t("more after the arrow"))


def sure(table: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons whose interval does not have zero in it: `second` has fewer."""
    return table[table["high"].lt(0).fillna(False)]


def flattered(few: str, many: str, ended: Mapping[str, date]) -> bool:
    """Return whether advisories of the one with fewer ended first, so that few is no good sign."""
    return few in ended and (many not in ended or ended[few] < ended[many])


def _title(table: pd.DataFrame, ended: Mapping[str, date]) -> str:
    """Return the largest difference that is sure, or that there is none."""
    known = table[table["low"].notna()]
    if known.empty:
        return t("Too few independent repositories to compare bases")
    clear = [*sure(table).itertuples()]
    certain = [row for row in clear if not flattered(row.second, row.first, ended)]
    if not certain:
        if clear:
            return t("The only clear differences are where advisories ended first")
        return t("No clear difference between bases")
    row: Any = min(certain, key=lambda row: row.likely)
    return t(
        "{few}: about {share:.0%} fewer than {many} ({low:.0%} to {high:.0%})",
        few=short_name(row.second),
        many=short_name(row.first),
        share=-row.likely,
        low=-row.high,
        high=-row.low,
    )


def _note(table: pd.DataFrame, least: int) -> Phrase:
    known = int(table["low"].notna().sum())
    note = say(
        "The two images of an app may differ in more than the base: `slim` tags also omit "
        "compilers and headers. Repositories that share packages count as one group."
    )
    if known:
        note += " " + intervals(known)
    if known < len(table):
        note += " " + t("Fewer than {least} groups give no interval.", least=least)
    return note


def intervals(count: int) -> Phrase:
    """Return how many intervals hold together, and that a title has a smaller estimate."""
    text = say(
        "The intervals hold together at {level:.0%} (bootstrap over groups).",
        level=LEVEL,
    )
    if count > 1:
        text += " " + t(
            "The title shrinks the largest estimate, which is usually too large (empirical Bayes)."
        )
    return text


def _several(images: pd.DataFrame) -> Text:
    """Return which image counts where an app has several on one base, if one does."""
    images = image_table.placed(images)
    places = _candidates(images)[_PLACE]
    if not places.duplicated().any():
        return Text()
    text = say(
        "If an app has several images on one base, the newest counts; without build dates, the "
        "last scanned."
    )
    counted = pd.MultiIndex.from_frame(newest(images)[_PLACE])
    lost = places[~pd.MultiIndex.from_frame(places).isin(counted)]
    if len(lost):
        text += " " + say(
            "**Left out:** {apps} without a known newest image.",
            apps=number(lost["app"].nunique(), "app"),
        )
    return paragraph(text)


def _dependent(pairs: pd.DataFrame, packages: Packages) -> Text:
    """Return of how many images it is not known what they share, if of any."""
    lost = {*pairs["first_variant"], *pairs["second_variant"]} - {*packages}
    if not lost:
        return Text()
    return paragraph(
        say(
            "Intervals **may be too narrow**: package list and base are unknown for {images}.",
            images=number(len(lost), "image"),
        )
    )


def _blind(table: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Text:
    """Return in which families nothing unfixed can be seen, if that is counted."""
    if lens.fixable:
        return Text()
    shown = {*table["first"], *table["second"]}
    blind = images[images["os_family"].isin(fixes.BLIND) & images["family"].isin(shown)]
    if blind.empty or len(set(blind["family"])) == len(shown):
        return Text()
    return paragraph(
        say(
            "Advisories for {families} omit unfixed vulnerabilities: **compare fixable ones**.",
            families=", ".join(sorted(set(blind["family"]))),
        )
    )
