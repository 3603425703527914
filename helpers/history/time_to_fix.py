"""How long each fixable vulnerability stayed in an image after its fix was out: technical lag.

The lag of what is deployed behind what has been released: Gonzalez-Barahona et al., "Technical Lag
in Software Compilations", OSS 2017, https://doi.org/10.1007/978-3-319-57735-7_17; of Debian
packages in containers: Zerouali et al., SANER 2019, https://doi.org/10.1109/SANER.2019.8668013.
"""

from typing import Any

import numpy as np
import pandas as pd

from helpers import aliases
from helpers.answers import chart as charts
from helpers.answers.answer import Answer
from helpers.answers.chart import Bars
from helpers.changes import causes
from helpers.changes.causes import IMAGE
from helpers.changes.engine import GONE
from helpers.history import kaplan_meier
from helpers.history.series import Series
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, bullets, name, number, paragraph, say
from helpers.text.titles import Part, fitted, unknown
from helpers.text.titles import name as short_name

FIXED, OPEN = msg("fixed in the image"), msg("still open")
WENT = msg("went without another package")
"""How a stay ended: the image has another package or none, not at all, or scanner, database or a
statement took the finding away, which fixes nothing."""

COLUMNS = [
    *("variant", "vulnerability_id", "source_package", "fix_known_at", "from_at", "until_at"),
    *("days", "end", "start_seen", "at_least", "came_back"),
]
_KEY = ["vulnerability_id", "source_package"]
_OURS = ["variant", *_KEY]


def stays(series: Series, sound: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Return how long each fixable vulnerability stayed in each image, one row a source package.

    `variant, vulnerability_id, source_package, fix_known_at, from_at, until_at, days, end,
    start_seen, at_least, came_back`. A fix is known from the first scan of any image of the series
    on that names one for that vulnerability in that source package. A stay begins then, or with the
    first scan of the image that has the vulnerability, if that is later, and lasts until the first
    sound scan without it (`end` is `fixed in the image`, or `went without another package`), or to
    the image's last scan (`still open`). So days are as fine as captures are apart. `start_seen`:
    it could not be fixed already before the image's first scan. `at_least`: it lasted longer than
    that, for it was open, went otherwise, or its start was not seen. `came_back`: it was there
    again in a later scan. `sound` are the scans to go by, `moves` the changes between them.

    What got its fix and was fixed between two scans was never seen with a fix: it lasted less than
    one step. It is entered with 0 days, as a stay that began and ended in one step, or those that
    were fixed at once would be missing, and the median too high.
    """
    presence, moves = _named_once(series.presence, moves)
    series = series._replace(presence=presence)
    present = _present(presence, sound)
    if present.empty:
        return pd.DataFrame({column: pd.Series(dtype="object") for column in COLUMNS})
    out = present[present["fixable"]].groupby(_KEY, sort=False)["at"].min().rename("fix_known_at")
    rows = present.merge(out.reset_index(), on=_KEY)
    rows = rows[rows["at"].ge(rows["fix_known_at"])].sort_values([*_OURS, "number"], kind="stable")
    # A stay ends where the next scan with it is not the image's next scan.
    by = rows.groupby(_OURS, sort=False)["number"]
    begins = by.diff().ne(1)
    nth = begins.groupby([rows[key] for key in _OURS], sort=False).cumsum()
    first = rows[nth.eq(1)].groupby(_OURS, sort=False)
    table = first.agg(
        fix_known_at=("fix_known_at", "first"), from_at=("at", "first"), number=("number", "last"),
        first=("number", "first"),
    ).reset_index()  # fmt: skip
    came_back = nth.groupby([rows[key] for key in _OURS], sort=False).max().gt(1)
    table = table.merge(came_back.rename("came_back").reset_index(), on=_OURS)
    table = _ended(table, sound, moves)
    start = sound["at"].min()
    unknown = table["first"].eq(0) & (
        table["fix_known_at"].lt(table["from_at"]) | table["fix_known_at"].eq(start)
    )
    table["start_seen"] = ~unknown
    table["at_least"] = unknown | table["end"].ne(FIXED)
    zeros = _within_a_step(series, sound, moves, present, out)
    is_new = ~pd.MultiIndex.from_frame(zeros[_OURS]).isin(pd.MultiIndex.from_frame(table[_OURS]))
    if is_new.any():
        table = pd.concat([table, zeros[is_new]], ignore_index=True)
    order = ["variant", "days", *_KEY]
    table = table.sort_values(order, ascending=[True, False, True, True], ignore_index=True)
    return table[COLUMNS]


def by_image(stays: pd.DataFrame, variants: list[str]) -> pd.DataFrame:
    """Return the stays of each image in short.

    `variant, fixed, seen, median_days, low_days, high_days, worst_days, open, open_median_days,
    open_worst_days, went`. `median_days` is the Kaplan-Meier estimate of those `seen` from their
    start, `low_days` to `high_days` its interval, in which whole rebuilds are resampled, since one
    fixes many at once; NA where they are too few, or where the end was not seen. `worst_days` is
    the longest of those that were fixed, and `open_…` are those of how long open ones have been so,
    at least; NA where there is none.
    """
    rows = []
    for variant in variants:
        ours = stays[stays["variant"].eq(variant)]
        seen = ours[ours["start_seen"].astype("bool")]
        fixed, still = (ours[ours["end"].eq(end)]["days"] for end in (FIXED, OPEN))
        rows.append(
            (
                variant,
                len(fixed),
                len(seen),
                kaplan_meier.median(seen["days"], seen["at_least"]),
                *kaplan_meier.interval(seen["days"], seen["at_least"], _rebuilds(seen)),
                fixed.max() if len(fixed) else None,
                len(still),
                still.median() if len(still) else None,
                still.max() if len(still) else None,
                int(ours["end"].eq(WENT).sum()),
            )
        )
    names = ["variant", "fixed", "seen", "median_days", "low_days", "high_days", "worst_days"]
    names += ["open", "open_median_days", "open_worst_days", "went"]
    whole = dict.fromkeys(
        ("fixed", "seen", "worst_days", "open", "open_worst_days", "went"), "Int64"
    )
    return pd.DataFrame(rows, columns=names).astype(
        whole
        | dict.fromkeys(("median_days", "low_days", "high_days", "open_median_days"), "Float64")
    )


def _rebuilds(stays: pd.DataFrame) -> pd.Series:
    """Return what each stay ended with: a rebuild, another change, or it is open like others."""
    return stays["end"].astype("str") + stays["until_at"].astype("str")


_SHOWN = [
    *("variant", "vulnerability_id", "source_package", "from_at", "until_at", "days", "end"),
    "at_least",
]
"""Columns for readers: as many as fit on paper."""


def answer(stays: pd.DataFrame, sound: pd.DataFrame) -> Answer:
    """Answer how long fixable vulnerabilities stayed in each image after their fix was out."""
    if sound["capture"].nunique() < 2:
        lacks = t("There are not two captures, so it is not known how long fixes took.")
        return Answer("time-to-fix", table=stays, lacks=lacks)
    if stays.empty:
        lacks = t("No scan names a fix for what it found, so it is not known how long fixes took.")
        return Answer("time-to-fix", text=paragraph(lacks), table=stays, lacks=lacks)
    short = by_image(stays, [*sound["variant"].unique()])
    note = t(
        "Days are counted from the first capture whose scan of any image names a fix, or the first "
        "one of the image that has the vulnerability, to the first one without it: they are as "
        "fine as captures are apart. What got its fix and was fixed between two captures counts as "
        "0 days: it lasted less than one step. Half of them: the median by Kaplan and Meier of "
        "those whose start was seen; open ones, and those that went without another package, count "
        "for as long as they were seen. What could be fixed before the first capture has no known "
        "start: its days are at least that many. In brackets: where the median lies in 95 of 100 "
        "cases if other rebuilds had happened; with few rebuilds it is not known."
    )
    return Answer(
        "time-to-fix",
        _title(short),
        bullets(_line(row) for row in short.itertuples()) + paragraph(note),
        stays,
        chart(short),
        word(msg("vulnerabilities × source packages with a fix")),
        searchable=True,
        shown=stays[_SHOWN],
    )


_FEW = 7
"""Images of which each has a bar for the median and one for the worst."""


def chart(short: pd.DataFrame) -> Bars:
    """Return in how many days half were over, and how long the longest took, of each image."""
    rows, values, ends = [], [], []
    half, worst = t("half of them"), t("the slowest")
    for row in short.itertuples():
        if not row.fixed + row.open + row.went:
            continue
        left = t("; {open:,} open", open=row.open) if row.open else ""
        if len(short) > _FEW and pd.notna(row.worst_days):
            left = t("; the slowest {days:,}", days=row.worst_days) + left
        middle = row.median_days
        lost = t("fewer than half fixed") if row.seen else t("start not seen")
        rows.append((row.variant, half if len(short) <= _FEW else ""))
        values.append(None if pd.isna(middle) else float(middle))
        ends.append((lost if pd.isna(middle) else f"{middle:,.0f}{_range(row)}") + left)
        if len(short) <= _FEW:
            rows.append((row.variant, worst))
            values.append(None if pd.isna(row.worst_days) else float(row.worst_days))
            ends.append(t("none fixed") if pd.isna(row.worst_days) else f"{row.worst_days:,}")
    across = t("days from a fix to an image with it")
    if len(short) > _FEW:
        across = t("days from a fix to an image with it, half of them")
    series = [charts.Series("days", t("days"), values)]
    return Bars(rows, series, ends, across, "days", [value is not None for value in values])


def _range(row: Any) -> str:
    """Return the interval of a median, in brackets; empty where it is not known."""
    if pd.isna(row.low_days):
        return ""
    if pd.isna(row.high_days):
        return t(" ({low:,.0f} or more)", low=row.low_days)
    return t(" ({low:,.0f} to {high:,.0f})", low=row.low_days, high=row.high_days)


def _title(short: pd.DataFrame) -> str:
    parts = []
    for row in short.itertuples():
        shown = short_name(row.variant)
        if not row.seen:
            parts.append(unknown(row.variant))
            continue
        if pd.isna(row.median_days):
            text = t("{variant} not yet", variant=shown)
            parts.append(Part(text, odd=msg("{count:,} not yet")))
            continue
        parts.append(Part(f"{shown} {row.median_days:,.0f}", (row.median_days,)))
    return fitted(t("Days until half of the fixes were in"), parts, "{:,.0f}".format)


def _line(row: Any) -> Phrase:
    """Return how fast an image was fixed, and what is open."""
    if not row.fixed + row.open + row.went:
        return name(row.variant) + t(": nothing with a fix")
    text = name(row.variant) + ": " + say("{fixed} fixed", fixed=number(row.fixed, "vulnerability"))
    if pd.notna(row.worst_days):
        text += say(", the slowest after {days}", days=number(row.worst_days, "day"))
    if pd.notna(row.median_days):
        text += say("; half within {days}", days=number(round(row.median_days), "day")) + _range(
            row
        )
    elif row.seen:
        text += t("; of {seen:,} whose start was seen, fewer than half are fixed", seen=row.seen)
    else:
        text += t("; the start of none was seen")
    if row.open and not row.open_worst_days:
        text += t("; open: {open:,}, all since the day of the last scan", open=row.open)
    elif row.open:
        text += say(
            "; open: {open:,}, for at least {median} (median), {worst:,} (longest)",
            open=row.open,
            median=number(round(row.open_median_days), "day"),
            worst=row.open_worst_days,
        )
    if row.went:
        text += say("; {went:,} went without another package", went=row.went)
    return text


def _named_once(presence: pd.DataFrame, moves: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both with the id that stands for each vulnerability, by what all scans name."""
    pairs = presence[["vulnerability_id", "aliases"]].drop_duplicates().astype("object")
    ids = pairs["vulnerability_id"].tolist()
    named = zip(ids, aliases.canonical(ids, pairs["aliases"]), strict=True)
    others = {own: other for own, other in named if own != other}
    if not others:
        return presence, moves
    first, second = (
        frame.assign(vulnerability_id=texts.map(others).fillna(texts))
        for frame in (presence, moves)
        for texts in [frame["vulnerability_id"].astype("str")]
    )
    return first, second


def _present(presence: pd.DataFrame, sound: pd.DataFrame) -> pd.DataFrame:
    """Return in which sound scan which vulnerability stands, and whether a fix is named for it."""
    numbered = sound.sort_values("at", kind="stable")
    numbered = numbered.assign(number=numbered.groupby("variant").cumcount())
    source = presence["source_package"].astype("str").fillna(presence["package"].astype("str"))
    rows = pd.DataFrame(
        {
            "variant": presence["variant"].astype("str"),
            "capture": presence["capture"].astype("str"),
            "vulnerability_id": presence["vulnerability_id"].astype("str"),
            "source_package": source,
            "fixable": presence["fixed_version"].notna(),
        }
    )[presence["there"].to_numpy()]
    rows = rows.groupby([*_OURS, "capture"], sort=False)["fixable"].any().reset_index()
    return rows.merge(numbered[["variant", "capture", "at", "number"]], on=["variant", "capture"])


def _ended(table: pd.DataFrame, sound: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Return stays with their last day, how long they were, and how they ended."""
    numbered = sound.sort_values("at", kind="stable")
    numbered = numbered.assign(number=numbered.groupby("variant").cumcount())
    after = numbered.assign(number=numbered["number"] - 1)[["variant", "number", "at", "capture"]]
    table = table.merge(after, how="left", on=["variant", "number"])
    last = numbered.groupby("variant")["at"].max()
    until = table["at"].fillna(table["variant"].map(last))
    by_image = _gone_with_the_image(moves)
    keys = pd.MultiIndex.from_frame(table[["variant", "capture", *_KEY]])
    end = np.where(keys.isin(by_image), FIXED, WENT)
    end = np.where(table["at"].isna(), OPEN, end)
    days = (until - table["from_at"]).dt.days.astype("Int64")
    return table.assign(until_at=until, days=days, end=end.astype(object))


def _gone_with_the_image(moves: pd.DataFrame) -> pd.MultiIndex:
    """Return what went because the image, or perhaps the image, was another one."""
    gone = moves[moves["change"].eq(GONE)]
    gone = gone[causes.may_be_image(gone["reason"])]
    source = gone["source_package"].fillna(gone["package"])
    keys = gone.assign(source_package=source)[["variant", "later", *_KEY]].astype("str")
    return pd.MultiIndex.from_frame(keys)


def _within_a_step(
    series: Series,
    sound: pd.DataFrame,
    moves: pd.DataFrame,
    present: pd.DataFrame,
    fix_known: pd.Series,
) -> pd.DataFrame:
    """Return stays of 0 days: of what got its fix in a step, and went with its package in it.

    It was in the earlier scan without a fix, and went because the package is another one, in the
    same release of its system. Or another image tells which version had it, and that the fix is
    known since that step, and this image had that version before the step only.
    """
    steps = _steps(sound, series.images)
    gone = moves[moves["change"].eq(GONE) & moves["reason"].eq(IMAGE)]
    source = gone["source_package"].fillna(gone["package"])
    gone = gone.assign(source_package=source)[["variant", "later", *_KEY]].astype("str")
    gone = gone.merge(steps[steps["same_release"]], on=["variant", "later"])
    found = pd.concat([gone, _unseen(series, sound, steps, fix_known)], ignore_index=True)
    # Without a time, no scan ever named a fix.
    known = found[_KEY].merge(fix_known.reset_index(), how="left", on=_KEY)["fix_known_at"]
    known = known.where(known.notna(), found["at"])
    found = found[known.gt(found["earlier_at"]) & known.le(found["at"])]
    there = pd.MultiIndex.from_frame(present[["variant", "capture", *_KEY]])
    stayed = pd.MultiIndex.from_frame(found[["variant", "later", *_KEY]]).isin(there)
    found = found[~stayed].sort_values("at", kind="stable").drop_duplicates(_OURS)
    at = found["at"]
    return found[_OURS].assign(
        fix_known_at=at, from_at=at, until_at=at, days=pd.Series(0, found.index, dtype="Int64"),
        end=FIXED, start_seen=True, at_least=False, came_back=False,
    )  # fmt: skip


_RELEASE = r"^((?:alpine|ubuntu|opensuse\S*|sles?) \d+\.\d+|\S+ \d+)"
"""A release of a system: Debian 12.5 and 12.6 are one, Alpine 3.18 and 3.19 are two."""


def _steps(sound: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return each two consecutive sound scans, and whether their systems are of one release.

    `variant, later, earlier_at, at, list_before, list_after, same_release`.
    """
    system = images["os_family"].astype("str") + " " + images["os_version"].astype("str")
    about = images[["variant", "capture"]].assign(release=system.str.extract(_RELEASE)[0])
    ordered = sound.sort_values(["at", "capture"], kind="stable").merge(
        about.astype({"variant": "str", "capture": "str"}).drop_duplicates(["variant", "capture"]),
        how="left",
        on=["variant", "capture"],
    )
    before = ordered.groupby("variant", sort=False).shift()
    both = ordered["release"].eq(before["release"])
    neither = ordered["release"].isna() & before["release"].isna()
    steps = pd.DataFrame(
        {
            "variant": ordered["variant"].astype("str"),
            "later": ordered["capture"].astype("str"),
            "earlier_at": before["at"],
            "at": ordered["at"],
            "list_before": before["listed"],
            "list_after": ordered["listed"],
            "same_release": (both | neither).fillna(False).astype("bool"),
        }
    )
    return steps[before["capture"].notna()]


def _unseen(
    series: Series, sound: pd.DataFrame, steps: pd.DataFrame, fix_known: pd.Series
) -> pd.DataFrame:
    """Return what scans of other images say that an image had before a step, and not after it."""
    presence = series.presence[series.presence["there"] & series.presence["fixed_version"].notna()]
    scans = pd.MultiIndex.from_frame(sound[["variant", "capture"]].astype("str"))
    of = pd.MultiIndex.from_frame(presence[["variant", "capture"]].astype("str"))
    presence = presence[of.isin(scans)]
    source = presence["source_package"].astype("str").fillna(presence["package"].astype("str"))
    affected = pd.DataFrame(
        {
            "vulnerability_id": presence["vulnerability_id"].astype("str"),
            "source_package": source,
            "version": presence["release"],
        }
    ).drop_duplicates()
    affected = affected.merge(fix_known.reset_index(), on=_KEY)
    installed = series.installed[["listed", "release"]].drop_duplicates()
    installed = installed.set_axis(["listed", "version"], axis=1)
    installed = installed[installed["version"].isin(affected["version"])]
    moved = steps[steps["list_before"].notna() & steps["list_after"].notna()]
    lists = moved[["list_before", "list_after"]].drop_duplicates()
    lists = lists[lists["list_before"].ne(lists["list_after"])]
    had = lists.merge(installed, left_on="list_before", right_on="listed").drop(columns="listed")
    after = installed.rename(columns={"listed": "list_after"}).assign(has=True)
    had = had.merge(after, how="left", on=["list_after", "version"])
    had = had[had["has"].isna()].drop(columns="has")
    found = moved.merge(had, on=["list_before", "list_after"]).merge(affected, on="version")
    in_step = found["fix_known_at"].gt(found["earlier_at"]) & found["fix_known_at"].le(found["at"])
    return found[in_step].drop(columns=["version", "fix_known_at"])
