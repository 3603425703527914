"""What a published headline hides: the same difference counted in other ways."""

from collections.abc import Callable
from itertools import combinations

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.fleet import bootstrap, entries, groups, pairs
from helpers.fleet.drift import REBUILT, SAME, Drift
from helpers.fleet.groups import Packages
from helpers.text.i18n import msg, t, word
from helpers.text.rich import bullets, number, say
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.headline import judges

LACKS = msg("No app is on two bases, and all scans are of one day: there is nothing to compare.")

COLUMNS = [
    *("first", "second", "counted", "apps", "groups", "first_mean", "second_mean"),
    *("share", "mean_difference", "low", "high"),
]
WAYS = ("findings", "vulnerabilities", "fixable findings", "serious findings")
"""In which ways each difference is counted; the first is how headlines are mostly made."""

Between = Callable[[str, str], Drift]


def table(made: pd.DataFrame, packages: Packages = pairs.UNKNOWN) -> pd.DataFrame:
    """Return how two families differ, counted in each of `WAYS`: the frame has `COLUMNS`.

    `made` is `entries.table`. Of each two families with apps in common those apps are counted, of
    `apps` the means; `first` has more findings. `share` is the difference by the first mean,
    `mean_difference` that of an app. `low` to `high` is its interval: the ratio of the sums of
    `groups` of apps that share packages (`groups.of`) to their apps, by `bootstrap.ratio`, so wide
    that those of all comparisons hold together at 95 % (`pairs.each_at`); NA where there are too
    few groups. Without such families the first and the last day are compared, without an interval:
    one database changes the counts of all references.
    """
    two, is_day = _two(made)
    compared = []
    for first, second in two:
        both = entries.between(made, first, second)
        if not is_day and both["findings_second"].sum() > both["findings_first"].sum():
            first, second = second, first
            both = entries.between(made, first, second)
        compared.append((first, second, both, _groups(both, packages)))
    level = pairs.each_at(group.nunique() for *_, group in compared)
    compared.sort(key=lambda each: (-each[3].nunique(), -len(each[2])))
    rows = []
    for first, second, both, group in compared:
        for way in WAYS:
            one, other = (both[f"{way}_{side}"].astype("float64") for side in ("first", "second"))
            grouped = (other - one).groupby(group.to_numpy())
            _, low, high, *_ = bootstrap.ratio(
                grouped.sum().to_numpy(), grouped.size().to_numpy(), level
            )
            if is_day:
                low = high = None
            means = one.mean(), other.mean(), other.mean() / one.mean() - 1 if one.any() else None
            rows.append(
                (
                    *(first, second, way, len(both), group.nunique(), *means),
                    *((other - one).mean(), low, high),
                )
            )
    types = {"apps": "Int64", "groups": "Int64", **dict.fromkeys(COLUMNS[5:], "Float64")}
    return pd.DataFrame(rows, columns=COLUMNS).astype(types)


def _groups(both: pd.DataFrame, packages: Packages) -> pd.Series:
    sides = {f"{side}_variant": both[f"variant_{side}"] for side in ("first", "second")}
    repository = [app.rpartition(":")[0] or app for app in both["app"]]
    return groups.of(both.assign(repository=repository, **sides), packages)


def _two(made: pd.DataFrame) -> tuple[list[tuple[str, str]], bool]:
    """Return which families are compared, and whether they are days."""
    placed = made[~made["is_day"]]
    names = sorted({*placed["family"]})
    apps = {each: {*rows["app"].dropna()} for each, rows in placed.groupby("family")}
    two = [each for each in combinations(names, 2) if apps[each[0]] & apps[each[1]]]
    if two:
        return two, False
    days = sorted({*made[made["is_day"]]["family"]})
    return ([(days[0], days[-1])] if days else []), True


def answer(
    made: pd.DataFrame, packages: Packages, between: Between, judged: dict[str, int]
) -> Answer:
    """Answer what is left of a difference when it is counted in other ways.

    `between` returns where a change between two days comes from. `judged` is how many findings each
    source rates.
    """
    found = table(made, packages)
    if found.empty:
        return Answer("headline", table=found, lacks=word(LACKS))
    _, is_day = _two(made)
    return _in_time(found, between, judged) if is_day else _of_bases(found, made, judged)


def _of_bases(found: pd.DataFrame, made: pd.DataFrame, judged: dict[str, int]) -> Answer:
    fixable = found[found["counted"].eq("fixable findings")]
    unsure = fixable[fixable["low"].lt(0) & fixable["high"].gt(0)]
    row = (unsure if len(unsure) else fixable).iloc[0]
    is_same = found["first"].eq(row["first"]) & found["second"].eq(row["second"])
    title = t(
        "{second} against {first}: {all} findings; with a fix {fixable}",
        second=short_name(row["second"]),
        first=short_name(row["first"]),
        all=_percent(found[is_same & found["counted"].eq("findings")]["share"].iloc[0]),
        fixable=_percent(row["share"]),
    )
    if pd.isna(row["low"]):
        title += word(msg("; too few independent apps to be sure"))
    elif len(unsure):
        title += word(msg(", which may be chance"))
    placed = made[~made["is_day"]]
    lines = [
        say(
            "{entries} are {images}.",
            entries=number(len(placed), "entry"),
            images=number(placed["variant"].nunique(), "different image"),
        ),
    ]
    if placed["vulnerabilities"].notna().all():
        lines.append(
            say(
                "The {findings:,} findings are {vulnerabilities:,} vulnerabilities when each image "
                "counts a vulnerability once.",
                findings=int(placed["findings"].sum()),
                vulnerabilities=int(placed["vulnerabilities"].sum()),
            )
        )
    lines.append(judges(judged.items()))
    return Answer("headline", title, bullets(lines), found, role=SUMMARY)


def _in_time(found: pd.DataFrame, between: Between, judged: dict[str, int]) -> Answer:
    row = found.iloc[0]
    parts = between(row["first"], row["second"]).parts.set_index("part")
    change = parts["change"].reindex([SAME, REBUILT]).fillna(0)
    total = int(parts["change"].sum())
    title = t(
        "{total} findings from {first} to {second}",
        total=f"{total:+,}",
        first=row["first"],
        second=row["second"],
    )
    lines = []
    if {SAME, REBUILT} & {*parts.index}:
        title += t(", {same} of them in unchanged images", same=_part(change[SAME], total))
        lines.append(
            say(
                "{same:+,} findings are in {images} that stayed the same, "
                "{rebuilt:+,} in rebuilt ones.",
                same=int(change[SAME]),
                images=number(int(parts["images"].get(SAME, 0)), "image"),
                rebuilt=int(change[REBUILT]),
            )
        )
    fixable = parts["fixable_change"]
    if fixable.notna().all():
        lines.append(
            say(
                "Findings with a fix: {fixable:+,}; in unchanged images {same:+,}.",
                fixable=int(fixable.sum()),
                same=int(fixable.get(SAME, 0)),
            )
        )
    lines.append(judges(judged.items()))
    return Answer("headline", title, bullets(lines), found, role=SUMMARY)


def _part(change: float, total: int) -> str:
    """Return a change as a part of the whole, or as it is where it is no part."""
    return f"{change / total:.0%}" if total and 0 <= change / total <= 1 else f"{int(change):+,}"


def _percent(share: float) -> str:
    if pd.isna(share):
        return t("not known")
    return f"{share:+.0%}"
