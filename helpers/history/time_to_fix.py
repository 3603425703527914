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
from helpers.text.rich import paragraph
from helpers.text.titles import Part, fitted, unknown
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.captures import ONE_CAPTURE
from helpers.vulnerabilities.lenses import Lens
from helpers.vulnerabilities.once import PER_PACKAGE

FIXED, OPEN = msg("fixed in the image"), msg("still open")
WENT = msg("went without another package")
"""How a stay ended: the image has another package or none; not yet; or scanner, database or a
statement dropped the finding, which fixes nothing."""

COLUMNS = [
    *("variant", "vulnerability_id", "source_package", "fix_known_at", "from_at", "until_at"),
    *("days", "end", "start_seen", "at_least", "came_back"),
]
_KEY = ["vulnerability_id", "source_package"]
_OURS = ["variant", *_KEY]


def stays(series: Series, sound: pd.DataFrame, steps: Steps) -> pd.DataFrame:
    """Return how long each fixable vulnerability stayed in each image, by source package.

    `variant, vulnerability_id, source_package, fix_known_at, from_at, until_at, days, end,
    start_seen, at_least, came_back`. A fix is known from the first scan of any image that names one
    for that vulnerability and source package. A stay begins then, or with the image's first scan
    that has the vulnerability, if later. It ends with the first sound scan without it (`fixed in
    the image` or `went without another package`), or with the image's last scan (`still open`).
    `start_seen`: no fix was known before the image's first scan. `at_least`: the stay lasted longer
    than `days`, since it is open, went otherwise, or its start was not seen. `came_back`: a later
    scan has it again.

    A vulnerability whose fix came out and was installed between two scans gets 0 days. Without
    these the median would be too high.
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
    # A stay ends where the image's next scan does not have it.
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
    """Return a summary of each image's stays.

    `variant, fixed, seen, median_days, low_days, high_days, worst_days, open, open_median_days,
    open_worst_days, went`. `median_days` is the Kaplan-Meier estimate of those `seen` from their
    start, `low_days` to `high_days` its interval. Whole rebuilds are resampled, since one fixes
    many at once; NA where they are too few or the end was not seen. `worst_days` is the longest
    fixed stay, and `open_…` how long open ones have lasted at least; NA if there are none.
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
    """Return what ended each stay: a rebuild, another change, or nothing yet."""
    return stays["end"].astype("str") + stays["until_at"].astype("str")


_SHOWN = [
    *("variant", "vulnerability_id", "source_package", "from_at", "until_at", "days", "end"),
    "at_least",
]
"""Columns that fit on paper."""


def answer(stays: pd.DataFrame, sound: pd.DataFrame) -> Answer:
    """Answer how long fixable vulnerabilities stayed in each image."""
    if sound["capture"].nunique() < 2:
        lacks = word(ONE_CAPTURE)
        return Answer("time-to-fix", table=stays, lacks=lacks)
    if stays.empty:
        lacks = t("No scan names a fix, so fix times are unknown.")
        return Answer("time-to-fix", text=paragraph(lacks), table=stays, lacks=lacks)
    short = by_image(stays, [*sound["variant"].unique()])
    if not short["fixed"].any():
        none = paragraph(t("No fixable vulnerability was fixed between these captures."))
        return Answer("time-to-fix", text=none, table=stays, searchable=True, shown=stays[_SHOWN])
    note = t(
        "Days run from the first capture that names a fix to the image's first capture without the "
        "vulnerability; 0 means that both lie between two captures. The median (Kaplan-Meier) "
        "includes open ones. Brackets hold its 95% interval, which needs {least} rebuilds.",
        least=kaplan_meier.LEAST,
    )
    return Answer(
        "time-to-fix",
        _title(short),
        paragraph(note),
        stays,
        chart(short),
        Lens(PER_PACKAGE, fixable=True).label,
        searchable=True,
        shown=stays[_SHOWN],
    )


_FEW = 7
"""Up to this many images, each has a bar for the median and one for the slowest."""


def chart(short: pd.DataFrame) -> Bars:
    """Return the median and the longest days to fix of each image."""
    rows, values, ends = [], [], []
    half, worst = t("half"), t("slowest")
    for row in short.itertuples():
        if not row.fixed + row.open + row.went:
            continue
        left = t("; {fixed:,} fixed, {open:,} open", fixed=row.fixed, open=row.open)
        middle = row.median_days
        lost = t("fewer than half fixed") if row.seen else t("start unknown")
        rows.append((row.variant, half if len(short) <= _FEW else ""))
        values.append(None if pd.isna(middle) else float(middle))
        ends.append((lost if pd.isna(middle) else f"{middle:,.0f}{_range(row)}") + left)
        if len(short) <= _FEW:
            rows.append((row.variant, worst))
            values.append(None if pd.isna(row.worst_days) else float(row.worst_days))
            ends.append(t("none fixed") if pd.isna(row.worst_days) else f"{row.worst_days:,}")
    across = t("days until the fix is in the image")
    series = [chart_data.Series("days", t("days"), values)]
    return Bars(rows, series, ends, across, "days", [value is not None for value in values])


def _range(row: Any) -> str:
    """Return the interval of a median, in brackets; empty if unknown."""
    if pd.isna(row.low_days):
        return ""
    high = "" if pd.isna(row.high_days) else f"{row.high_days:,.0f}"
    return f" ({row.low_days:,.0f}–{high})"


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
    return fitted(t("Days until half of the fixes were in the image"), parts, "{:,.0f}".format)


_SCAN = {"variant": "str", "capture": "str"}


def _stands(presence: pd.DataFrame) -> dict[str, str]:
    """Return the canonical id of each vulnerability, from the aliases in all scans."""
    pairs = presence[["vulnerability_id", "aliases"]].drop_duplicates().astype("object")
    ids = pairs["vulnerability_id"].tolist()
    return dict(zip(ids, aliases.canonical(ids, pairs["aliases"]), strict=True))


def _found(presence: pd.DataFrame, stands: dict[str, str]) -> pd.DataFrame:
    """Return the findings that count in each scan: package, version, and whether a fix exists."""
    rows = presence[presence["there"]]
    found = rows[["variant", "capture", "release"]].astype(_SCAN)
    return found.assign(
        vulnerability_id=rows["vulnerability_id"].astype("str").map(stands),
        source_package=_source(rows),
        fixable=rows["fixed_version"].notna(),
    )


def _gone(moves: pd.DataFrame, stands: dict[str, str]) -> pd.DataFrame:
    """Return the findings that went, with step and reason."""
    rows = moves[moves["change"].eq(GONE)]
    found = rows[["variant", "later", "vulnerability_id"]].astype("str")
    found["vulnerability_id"] = found["vulnerability_id"].map(stands)
    return found.assign(source_package=_source(rows), reason=rows["reason"])


def _source(rows: pd.DataFrame) -> pd.Series:
    return rows["source_package"].astype("str").fillna(rows["package"].astype("str"))


def _ended(table: pd.DataFrame, scans: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    """Return stays with their last day, length and end."""
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
    """Return stays of 0 days: the fix came out and was installed within one step.

    The earlier scan has the vulnerability without a fix, and the package changed within the same
    system release. Or another image shows which version is affected and that the fix came out in
    that step, and this image had that version only before it.
    """
    own = gone[gone["reason"].eq(IMAGE)].drop(columns="reason")
    own = own.merge(pairs[pairs["same_release"]], on=["variant", "later"])
    rows = pd.concat([own, _unseen(series.installed, pairs, found, fix_known)], ignore_index=True)
    # No time means that no scan ever named a fix.
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
"""A system release: Debian 12.5 and 12.6 are one, Alpine 3.18 and 3.19 are two."""


def _of_releases(pairs: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of scans, and whether both have the same system release."""
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
    """Return what, according to scans of other images, an image had only before a step."""
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
