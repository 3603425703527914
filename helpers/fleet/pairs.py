"""Apps that exist on two bases: what the count differs by, and how sure that is."""

from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart import Interval, Intervals
from helpers.fleet import bootstrap, image_table
from helpers.text.i18n import t
from helpers.text.rich import Phrase, Text, bullets, name, number, paragraph, say
from helpers.text.titles import begun, first_fitting
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import fixes
from helpers.vulnerabilities.lenses import Lens

COLUMNS = [
    *("app", "repository", "first", "second", "first_variant", "second_variant"),
    *("first_count", "second_count", "difference"),
]
LEVEL = 0.95
"""How often all intervals that are shown hold, together."""


def found(images: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs: one row an app and two families that it is on.

    `app, repository, first, second, first_variant, second_variant, first_count, second_count,
    difference`; families in the order of their names, `difference` is second less first. Only
    images whose counts say something are paired, of one architecture; of several images of an app
    on one family the newest.
    """
    known = image_table.counted(images)
    known = known[known["app"].notna() & known["family"].ne(image_table.NO_FAMILY)]
    known = known.assign(architecture=known["architecture"].astype("object").fillna(""))
    known = known.sort_values(["created_at", "variant"], ascending=[False, True], kind="stable")
    keys = ["app", "architecture"]
    known = known.drop_duplicates([*keys, "family"])
    known = known[[*keys, "repository", "family", "variant", "count"]]
    both = known.merge(known.drop(columns="repository"), on=keys, suffixes=("", "_2"))
    both = both[both["family"].lt(both["family_2"])]
    table = pd.DataFrame(
        {
            "app": both["app"],
            # That of the reference which the app is named after.
            "repository": [app.rpartition(":")[0] for app in both["app"]],
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


def compared(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return what the pairs of each two families come to, those of most repositories first.

    `first, second, pairs, repositories, median, mean, low, high, first_fewer, second_fewer, equal`.
    `median` is of all pairs. `mean` is of the repositories, each with the mean of its pairs, so
    that one of many tags does not outweigh the others; `low` to `high` is its interval, NA where
    there are too few repositories. The intervals are so wide that all of them together hold at
    `LEVEL` (Bonferroni: each at 1 - 0.05 / the number of comparisons of six repositories or more).
    """
    columns = ["first", "second"]
    groups = [(key, rows) for key, rows in pairs.groupby(columns, sort=False)]
    level = each_at(pairs)
    table = []
    for key, rows in groups:
        each = by_repository(rows)
        estimate = bootstrap.mean(each.to_numpy(), level)
        difference = rows["difference"].astype("int64")
        table.append(
            (*key, len(rows), len(each), difference.median(), *estimate,
             int(difference.gt(0).sum()), int(difference.lt(0).sum()), int(difference.eq(0).sum()))
        )  # fmt: skip
    names = [*columns, "pairs", "repositories", "median", "mean", "low", "high"]
    names += ["first_fewer", "second_fewer", "equal"]
    whole = ("pairs", "repositories", "first_fewer", "second_fewer", "equal")
    types = {**dict.fromkeys(whole, "Int64"), **dict.fromkeys(names[4:8], "Float64")}
    made = pd.DataFrame(table, columns=names).astype(types)
    order = ["repositories", "pairs", *columns]
    return made.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def each_at(pairs: pd.DataFrame) -> float:
    """Return the level of each interval at which all of them together hold at `LEVEL`."""
    repositories = pairs.groupby(["first", "second"])["repository"].nunique()
    return 1 - (1 - LEVEL) / max(int(repositories.ge(bootstrap.least(LEVEL)).sum()), 1)


def by_repository(pairs: pd.DataFrame) -> pd.Series:
    """Return the mean difference of each repository's pairs, by repository."""
    return pairs["difference"].astype("float64").groupby(pairs["repository"]).mean()


def answer(images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what apps that exist on two bases differ by, with how sure that is."""
    pairs = found(images)
    table = compared(pairs)
    if table.empty:
        lacks = t("No app is there on two bases that were counted, so bases cannot be compared.")
        return Answer("pairs", table=table, counted=lens.label, lacks=lacks)
    return Answer(
        "pairs",
        _title(table, lens),
        _text(table, images, lens, bootstrap.least(each_at(pairs))),
        table,
        chart(table, lens),
        lens.label,
        role=SUMMARY,
    )


_MOST = 12
"""Comparisons that a figure has room for."""


def chart(table: pd.DataFrame, lens: Lens) -> Intervals:
    """Return the mean difference of each two families, those of most repositories first."""
    rows = [
        Interval(
            t("{first} → {second}", first=row.first, second=row.second),
            float(row.mean),
            None if pd.isna(row.low) else float(row.low),
            None if pd.isna(row.high) else float(row.high),
            t(
                "{pairs}, {repositories}",
                pairs=number(row.pairs, "pair"),
                repositories=number(row.repositories, "repository"),
            ),
        )
        for row in table.head(_MOST).itertuples()
    ]
    across = t("difference in {counted} per image", counted=lens.label)
    return Intervals(rows, across, t("fewer after the arrow"), t("more after the arrow"))


def sure(table: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons whose interval does not have zero in it."""
    return table[(table["low"].gt(0) | table["high"].lt(0)).fillna(False)]


def _title(table: pd.DataFrame, lens: Lens) -> str:
    """Return the largest difference that is sure, or that there is none."""
    known = table[table["low"].notna()]
    certain = sure(table)
    if known.empty:
        return t(
            "{comparisons}: too few repositories to tell a difference from chance",
            comparisons=begun(number(len(table), "comparison")),
        )
    if certain.empty:
        return t(
            "No difference stands out of chance in {comparisons}",
            comparisons=number(len(known), "comparison"),
        )
    row = certain.loc[certain["mean"].abs().idxmax()]
    few, many = (row["first"], row["second"]) if row["mean"] > 0 else (row["second"], row["first"])
    low, high = sorted((abs(row["low"]), abs(row["high"])))
    values = {"few": short_name(few), "many": short_name(many), "mean": abs(row["mean"])}
    values |= {"low": low, "high": high, "pairs": number(row["pairs"], "pair")}
    return first_fitting(
        (
            t(
                "{few}: {mean:,.0f} fewer {what} than {many} ({low:,.0f} to {high:,.0f}; {pairs})",
                what=lens.short,
                **values,
            ),
            t("{few}: {mean:,.0f} fewer than {many} ({low:,.0f} to {high:,.0f})", **values),
        )
    )


def _text(table: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: int) -> Text:
    known = int(table["low"].notna().sum())
    lines = [_line(row) for row in table.head(_MOST).itertuples()]
    note = say(
        "Each repository counts once, with the mean of its pairs: its images are not independent "
        "of one another. Intervals are by bootstrap over repositories"
    )
    note += (
        t(
            ", and so wide that all {count:,} of them hold together with {level:.0%}.",
            count=known,
            level=LEVEL,
        )
        if known > 1
        else t(", at {level:.0%}.", level=LEVEL)
    )
    if known < len(table):
        note += " " + t("With fewer than {least} repositories there is none.", least=least)
    if len(table) > _MOST:
        note += " " + t("The table has {count:,} more comparisons.", count=len(table) - _MOST)
    note += " " + t(
        "An app is a repository and a tag without the words that name a base; whether both of a "
        "pair are the same in all else is not known."
    )
    return bullets(lines) + paragraph(note) + _ended(table, images) + _blind(table, images, lens)


def _ended(table: pd.DataFrame, images: pd.DataFrame) -> Text:
    """Return which of the families no advisories followed, so that few found is no good sign."""
    shown = {*table["first"], *table["second"]}
    found = {family: day for family, day in image_table.ended(images).items() if family in shown}
    if not found:
        return Text()
    families = ", ".join(f"{family} ({day})" for family, day in sorted(found.items()))
    return paragraph(
        say(
            "Advisories had ended before the scan of {families}: later vulnerabilities are not "
            "counted there, so that few is **no good sign**.",
            families=families,
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
            "What is unfixed **cannot be seen** in {families}: compare fixable ones only.",
            families=", ".join(sorted(set(blind["family"]))),
        )
    )


def _line(row: Any) -> Phrase:
    text = name(t("{first} → {second}", first=row.first, second=row.second)) + ": "
    text += say(
        "{mean:+,.0f} on average, {median:+,.0f} in the median, of {pairs} of {repositories}",
        mean=row.mean,
        median=row.median,
        pairs=number(row.pairs, "pair"),
        repositories=number(row.repositories, "repository"),
    )
    if pd.isna(row.low):
        text += t("; too few to say how sure that is")
    else:
        text += t("; between {low:+,.0f} and {high:+,.0f}", low=row.low, high=row.high)
        if row.low <= 0 <= row.high:
            text += t(", which may be chance")
    return text + t(
        "; {second} has fewer in {fewer:,}, more in {more:,}",
        second=row.second,
        fewer=row.second_fewer,
        more=row.first_fewer,
    )
