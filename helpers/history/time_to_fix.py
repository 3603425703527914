"""How long each fixable vulnerability stayed in an image after its fix was out: technical lag.

The lag of what is deployed behind what has been released: Gonzalez-Barahona et al., "Technical Lag
in Software Compilations", OSS 2017, https://doi.org/10.1007/978-3-319-57735-7_17; of Debian
packages in containers: Zerouali et al., SANER 2019, https://doi.org/10.1109/SANER.2019.8668013.
"""

from typing import Any

import numpy as np
import pandas as pd

from helpers import aliases
from helpers.answers import chart_data
from helpers.answers.answer import Answer
from helpers.answers.chart_data import Bars
from helpers.changes import causes
from helpers.changes.causes import IMAGE
from helpers.changes.engine import GONE
from helpers.history import kaplan_meier
from helpers.history.series import Series
from helpers.history.steps import Steps
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, bullets, name, number, paragraph, say
from helpers.text.titles import Part, fitted, unknown
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.captures import ONE_CAPTURE

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


def stays(series: Series, sound: pd.DataFrame, steps: Steps) -> pd.DataFrame:
    """Return how long each fixable vulnerability stayed in each image, one row a source package.

    `variant, vulnerability_id, source_package, fix_known_at, from_at, until_at, days, end,
    start_seen, at_least, came_back`. A fix is known from the first scan of any image of the series
    on that names one for that vulnerability in that source package. A stay begins then, or with the
    first scan of the image that has the vulnerability, if that is later, and lasts until the first
    sound scan without it (`end` is `fixed in the image`, or `went without another package`), or to
    the image's last scan (`still open`). So days are as fine as captures are apart. `start_seen`:
    it could not be fixed already before the image's first scan. `at_least`: it lasted longer than
    that, for it was open, went otherwise, or its start was not seen. `came_back`: it was there
    again in a later scan. `sound` are the scans to go by, `steps` those between them.

    What got its fix and was fixed between two scans was never seen with a fix: it lasted less than
    one step. It is entered with 0 days, as a stay that began and ended in one step, or those that
    were fixed at once would be missing, and the median too high.
    """
    stands = _stands(series.presence)
    found, gone = _found(series.presence, stands), _gone(steps.moves, stands)
    scans = sound.sort_values("at", kind="stable")[["variant", "capture", "at"]].astype(_SCAN)
    scans["number"] = scans.groupby("variant").cumcount()
    found = found.merge(scans, on=["variant", "capture"])
    present = found.groupby([*_OURS, "capture", "at", "number"], sort=False)["fixable"].any()
    present = present.reset_index()
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
    table = _ended(table, scans, gone)
    start = sound["at"].min()
    unknown = table["first"].eq(0) & (
        table["fix_known_at"].lt(table["from_at"]) | table["fix_known_at"].eq(start)
    )
    table["start_seen"] = ~unknown
    table["at_least"] = unknown | table["end"].ne(FIXED)
    zeros = _within_a_step(series, _of_releases(steps.pairs, series.images), found, gone, out)
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
        low, high = kaplan_meier.interval(seen["days"], seen["at_least"], _rebuilds(seen))
        rows.append(
            {
                "variant": variant,
                "fixed": len(fixed),
                "seen": len(seen),
                "median_days": kaplan_meier.median(seen["days"], seen["at_least"]),
                "low_days": low,
                "high_days": high,
                "worst_days": fixed.max() if len(fixed) else None,
                "open": len(still),
                "open_median_days": still.median() if len(still) else None,
                "open_worst_days": still.max() if len(still) else None,
                "went": int(ours["end"].eq(WENT).sum()),
            }
        )
    table = pd.DataFrame(rows)
    parts = {"median_days", "low_days", "high_days", "open_median_days"}
    types = {name: "Float64" if name in parts else "Int64" for name in table}
    return table.astype(types | {"variant": "str"})


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
        lacks = word(ONE_CAPTURE)
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
    series = [chart_data.Series("days", t("days"), values)]
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


_SCAN = {"variant": "str", "capture": "str"}


def _stands(presence: pd.DataFrame) -> dict[str, str]:
    """Return the id that stands for each vulnerability, by what all scans name."""
    pairs = presence[["vulnerability_id", "aliases"]].drop_duplicates().astype("object")
    ids = pairs["vulnerability_id"].tolist()
    return dict(zip(ids, aliases.canonical(ids, pairs["aliases"]), strict=True))


def _found(presence: pd.DataFrame, stands: dict[str, str]) -> pd.DataFrame:
    """Return what counts in each scan: where it is, in which version, and whether it has a fix."""
    rows = presence[presence["there"]]
    found = rows[["variant", "capture", "release"]].astype(_SCAN)
    return found.assign(
        vulnerability_id=rows["vulnerability_id"].astype("str").map(stands),
        source_package=_source(rows),
        fixable=rows["fixed_version"].notna(),
    )


def _gone(moves: pd.DataFrame, stands: dict[str, str]) -> pd.DataFrame:
    """Return what went, with the step in which it did, and the reason."""
    rows = moves[moves["change"].eq(GONE)]
    found = rows[["variant", "later", "vulnerability_id"]].astype("str")
    found["vulnerability_id"] = found["vulnerability_id"].map(stands)
    return found.assign(source_package=_source(rows), reason=rows["reason"])


def _source(rows: pd.DataFrame) -> pd.Series:
    return rows["source_package"].astype("str").fillna(rows["package"].astype("str"))


def _ended(table: pd.DataFrame, scans: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    """Return stays with their last day, how long they were, and how they ended."""
    after = scans.assign(number=scans["number"] - 1)
    table = table.merge(after, how="left", on=["variant", "number"])
    until = table["at"].fillna(table["variant"].map(scans.groupby("variant")["at"].max()))
    by_image = gone[causes.may_be_image(gone["reason"])][["variant", "later", *_KEY]]
    keys = pd.MultiIndex.from_frame(table[["variant", "capture", *_KEY]])
    end = np.where(keys.isin(pd.MultiIndex.from_frame(by_image)), FIXED, WENT)
    end = np.where(table["at"].isna(), OPEN, end)
    days = (until - table["from_at"]).dt.days.astype("Int64")
    return table.assign(until_at=until, days=days, end=end.astype(object))


def _within_a_step(
    series: Series,
    pairs: pd.DataFrame,
    found: pd.DataFrame,
    gone: pd.DataFrame,
    fix_known: pd.Series,
) -> pd.DataFrame:
    """Return stays of 0 days: of what got its fix in a step, and went with its package in it.

    It was in the earlier scan without a fix, and went because the package is another one, in the
    same release of its system. Or another image tells which version had it, and that the fix is
    known since that step, and this image had that version before the step only.
    """
    own = gone[gone["reason"].eq(IMAGE)].drop(columns="reason")
    own = own.merge(pairs[pairs["same_release"]], on=["variant", "later"])
    rows = pd.concat([own, _unseen(series.installed, pairs, found, fix_known)], ignore_index=True)
    # Without a time, no scan ever named a fix.
    known = rows[_KEY].merge(fix_known.reset_index(), how="left", on=_KEY)["fix_known_at"]
    known = known.where(known.notna(), rows["at"])
    rows = rows[known.gt(rows["earlier_at"]) & known.le(rows["at"])]
    there = pd.MultiIndex.from_frame(found[["variant", "capture", *_KEY]])
    stayed = pd.MultiIndex.from_frame(rows[["variant", "later", *_KEY]]).isin(there)
    rows = rows[~stayed].sort_values("at", kind="stable").drop_duplicates(_OURS)
    at = rows["at"]
    return rows[_OURS].assign(
        fix_known_at=at, from_at=at, until_at=at, days=pd.Series(0, rows.index, dtype="Int64"),
        end=FIXED, start_seen=True, at_least=False, came_back=False,
    )  # fmt: skip


_RELEASE = r"^((?:alpine|ubuntu|opensuse\S*|sles?) \d+\.\d+|\S+ \d+)"
"""A release of a system: Debian 12.5 and 12.6 are one, Alpine 3.18 and 3.19 are two."""


def _of_releases(pairs: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of scans with whether their systems are of one release."""
    system = images["os_family"].astype("str") + " " + images["os_version"].astype("str")
    release = system.str.extract(_RELEASE)[0].fillna("")
    release.index = pd.MultiIndex.from_frame(images[["variant", "capture"]])
    release = release[~release.index.duplicated()]
    before, after = (
        release.reindex(pd.MultiIndex.from_frame(pairs[["variant", side]])).to_numpy()
        for side in ("earlier", "later")
    )
    texts = {"variant": "str", "later": "str"}
    return pairs.drop(columns="earlier").astype(texts).assign(same_release=before == after)


def _unseen(
    installed: pd.DataFrame, pairs: pd.DataFrame, found: pd.DataFrame, fix_known: pd.Series
) -> pd.DataFrame:
    """Return what scans of other images say that an image had before a step, and not after it."""
    affected = found[found["fixable"]][[*_KEY, "release"]].drop_duplicates()
    affected = affected.merge(fix_known.reset_index(), on=_KEY)
    installed = installed[["listed", "release"]].drop_duplicates()
    installed = installed[installed["release"].isin(affected["release"])]
    moved = pairs.dropna(subset=["list_before", "list_after"])
    lists = moved[["list_before", "list_after"]].drop_duplicates()
    lists = lists[lists["list_before"].ne(lists["list_after"])]
    had = lists.merge(installed.rename(columns={"listed": "list_before"}), on="list_before")
    after = installed.rename(columns={"listed": "list_after"}).assign(has=True)
    had = had.merge(after, how="left", on=["list_after", "release"])
    had = had[had["has"].isna()].drop(columns="has")
    rows = moved.merge(had, on=["list_before", "list_after"]).merge(affected, on="release")
    in_step = rows["fix_known_at"].gt(rows["earlier_at"]) & rows["fix_known_at"].le(rows["at"])
    return rows[in_step].drop(columns=["release", "fix_known_at"])
