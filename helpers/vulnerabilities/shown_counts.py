"""How counts are shown: as bars, in titles, and what is said of those that are no good sign."""

import pandas as pd

from helpers.answers.chart_data import Bars, Series
from helpers.frames import BROKEN, NO_OS, UNKNOWN_COUNT
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.counting import UNNAMED, measured

SEVERITY_NAMES = {
    "CRITICAL": msg("CRITICAL"),
    "HIGH": msg("HIGH"),
    "MEDIUM": msg("MEDIUM"),
    "LOW": msg("LOW"),
    "UNKNOWN": msg("UNKNOWN"),
}
"""The severities as they are shown, the worst first."""

_MARKS = {NO_OS: msg(" (OS not scanned)"), BROKEN: msg(" (broken)")}
_ODD = {
    NO_OS: msg("{count:,} with OS not scanned"),
    BROKEN: msg("{count:,} broken"),
    **dict.fromkeys(UNKNOWN_COUNT, msg("{count:,} not measured")),
}
"""How images are counted whose number is no good sign if it is low, or that have none."""


def severity_bars(
    counts: pd.DataFrame, counted: str, rows: tuple[str, str] = ("variant", "capture")
) -> Bars:
    """Return stacked bars of severity counts, one a pair of names, the worst severity first."""
    return stacked(counts, "severity", SEVERITY_NAMES, "severity", counted, rows)


def stacked(
    counts: pd.DataFrame,
    by: str,
    parts: dict[str, str],
    palette: str,
    counted: str,
    rows: tuple[str, str] = ("variant", "capture"),
    notes: dict[tuple[str, str], str] | None = None,
) -> Bars:
    """Return counts as bars: one a pair of names, stacked by a column in the order of `parts`.

    `counts` have the columns of `rows` and `by`, `status` and `count`; bars of one first name stand
    together, and the second name is shown where there are several. `parts` are the parts' names by
    their codes, `notes` what is said after a total.
    """
    if counts.empty:
        return Bars([], [], [], number_of(counted), palette, [])
    columns = list(rows)
    images = counts.reindex(columns=[*columns, "status"], fill_value="").drop_duplicates()
    images = pd.concat([found for _, found in images.groupby(rows[0], sort=False)])
    keys = list(images[columns].itertuples(index=False, name=None))
    index = pd.MultiIndex.from_tuples(keys, names=columns)
    cells = counts.reindex(columns=[*columns, by, "count"], fill_value="").astype({by: "str"})
    by_row = cells.set_index(columns)
    sums = cells.groupby(columns)["count"].sum(min_count=1).reindex(index)
    measured = sums.notna().tolist()
    series = []
    for part, text in parts.items():
        values = by_row[by_row[by].eq(part)]["count"].reindex(index).fillna(0)
        lengths = [
            float(value) if known else None for value, known in zip(values, measured, strict=True)
        ]
        series.append(Series(part, word(text), lengths))
    several = images[rows[1]].nunique() > 1
    shown = [
        (_row_name(rows[0], first), _row_name(rows[1], second) if several else "")
        for first, second in keys
    ]
    ends = [
        total(count, status) + (notes or {}).get(key, "")
        for count, status, key in zip(sums, images["status"], keys, strict=True)
    ]
    return Bars(shown, series, ends, number_of(counted), palette, measured)


def number_of(counted: str) -> str:
    """Return an axis's label: the number of what is counted."""
    return t("number of {counted}", counted=word(counted))


def total(count: object, status: str) -> str:
    """Return an image's total, marked where it is no good sign that it is low."""
    mark = _MARKS.get(status)
    return shown(count) + (word(mark) if mark and pd.notna(count) else "")


def odd(status: str) -> str:
    """Return how images of a status are counted apart from the others; nothing if they are not."""
    return _ODD.get(status, "")


def shown(count: object) -> str:
    """Return a count, or that there is none."""
    return t("not measured") if pd.isna(count) else f"{count:,}"


def package_name(package: object) -> str:
    """Return a package of `by_package` as it is shown."""
    return word(UNNAMED) if package == UNNAMED else str(package)


def headline(known: pd.DataFrame, what: str) -> str:
    """Return which image has most of what is counted, and what the others have, as a sentence.

    `known` is what `measured` returns. Empty if fewer than two images were measured.
    """
    known = known.sort_values("total", ascending=False, kind="stable")
    if len(known) < 2:
        return ""
    first, last = known.iloc[0], known.iloc[-1]
    values = {"count": first["total"], "what": what}
    if first["total"] == last["total"]:
        images = number(len(known), "image")
        return t("{count:,} {what} in each of {images}", images=images, **values)
    others = t("the other {count:,}", count=len(known) - 1)
    low, high = (f"{count:,}" for count in (last["total"], known["total"].iloc[1]))
    return t(
        "{count:,} {what} in {first}, {rest} in {others}",
        first=short_name(first["variant"]),
        rest=low if low == high else t("{low} to {high}", low=low, high=high),
        others=others if len(known) > 2 else short_name(last["variant"]),
        **values,
    )


def not_counted(each: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence on how many images have no count to compare; none if all have one."""
    every, known = (frame["variant"].nunique() for frame in (each, measured(each)))
    lost = every - known
    return (t("No count for {images}.", images=number(lost, "image")),) if lost else ()


def _row_name(column: str, value: str) -> str:
    """Return the name of a row: a package's and a scale's may be words, all others are names."""
    if column == "scale":
        return word(value)
    return package_name(value) if column == "package" else value
