"""Counts of findings by severity, lens and package; every variant and severity keeps its row."""

from typing import Any

import numpy as np
import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Bars, Series
from helpers.answers.talk import FOUND, Talk, some
from helpers.frames import (
    BROKEN,
    FAILED,
    MISSING,
    NO_OS,
    NOT_LOOKED,
    NOT_SCANNED,
    SEVERITIES,
    SEVERITY,
    UNKNOWN_COUNT,
)
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import (
    Phrase,
    Text,
    bullets,
    listed,
    name,
    names,
    number,
    paragraph,
    phrase,
    say,
    share,
)
from helpers.text.titles import Part, begun, fits, fitted, is_whole
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import lenses, once
from helpers.vulnerabilities.lenses import PLAIN, Lens

LENS_COLUMNS = {
    f"{'fixable ' if fixable else ''}{counted}".replace(" ", "_").replace("-", "_"): (
        counted,
        fixable,
    )
    for fixable in (False, True)
    for counted in once.COUNTED
}
"""Columns of `totals_by_lens`, each with what it counts and whether only what is fixable."""

TOTAL = msg("TOTAL")
UNNAMED = msg("(unnamed)")
"""What is shown for the package of a finding that names none."""

_IMAGE = ["capture", "variant"]

SEVERITY_NAMES = {
    "CRITICAL": msg("CRITICAL"),
    "HIGH": msg("HIGH"),
    "MEDIUM": msg("MEDIUM"),
    "LOW": msg("LOW"),
    "UNKNOWN": msg("UNKNOWN"),
}
"""The severities as they are shown, the worst first."""

_MARKS = {NO_OS: msg(" (OS not looked at)"), BROKEN: msg(" (broken)")}
_ODD = {
    NO_OS: msg("{count:,} with OS not looked at"),
    BROKEN: msg("{count:,} broken"),
    **dict.fromkeys(UNKNOWN_COUNT, msg("{count:,} not measured")),
}
"""How images are counted whose number is no good sign if it is low, or that have none."""

_CAVEATS = {
    NO_OS: msg(" (its system packages were not looked at)"),
    BROKEN: msg(" (it is broken: it did not answer when started)"),
}

_CARE = {
    BROKEN: msg("Did not answer when it was started, so it is no candidate, however small"),
    FAILED: msg("Its capture failed, so nothing is known"),
    MISSING: msg("No report, so nothing is known"),
    NOT_LOOKED: msg(
        "The report does not show that vulnerabilities were looked for, so nothing is known; scan "
        "again with --scanners vuln"
    ),
    NOT_SCANNED: msg(
        "There was no scanner, so its vulnerabilities and packages are not known; its sizes and "
        "files are"
    ),
    NO_OS: msg(
        "No operating system or none of its packages was recognised, so system packages were not "
        "looked at, and a low count is no good sign"
    ),
}


def overview(images: pd.DataFrame) -> pd.DataFrame:
    """Return what a reader must know of each image: some columns of `images`."""
    shown = ["os_family", "os_version", "packages", "scanner", "scanner_version"]
    return images[["variant", "capture", "source", *shown, "db_updated_at", "scanned_at", "status"]]


def severity_counts(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN
) -> pd.DataFrame:
    """Return counts by severity: `capture, variant, status, severity, count`, five rows an image.

    The count is NA for images whose vulnerabilities nobody looked for, and 0 for clean ones.
    Raises `ParameterInvalid` for an unknown lens.
    """
    rows = images[[*_IMAGE, "status"]]
    every = rows.iloc[np.arange(len(rows)).repeat(len(SEVERITIES))].reset_index(drop=True)
    levels = np.tile(np.arange(len(SEVERITIES)), len(rows))
    every["severity"] = pd.Categorical.from_codes(levels, dtype=SEVERITY)
    return _with_counts(every, lenses.apply(findings, lens), [*_IMAGE, "severity"])


def image_counts(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN, least: str = SEVERITIES[0]
) -> pd.DataFrame:
    """Return the count of each image from a severity on: `capture, variant, status, count`.

    The count is NA for images whose vulnerabilities nobody looked for, and 0 for clean ones.
    Raises `ParameterInvalid` for an unknown lens.
    """
    counted = lenses.apply(findings, lens)
    if least != SEVERITIES[0] or counted["severity"].hasnans:
        counted = counted[counted["severity"].ge(least)]
    return _with_counts(images[[*_IMAGE, "status"]].reset_index(drop=True), counted, _IMAGE)


def _with_counts(rows: pd.DataFrame, counted: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return rows with how many of what counts each has by its keys.

    A verdict asks a hundred times, and pandas takes five times as long to join two small frames.
    """
    if rows.duplicated(keys).any():
        raise ValueError("an image has two rows: counts of two scanners are never added up")
    found = counted.groupby(keys, observed=True, sort=False).size().to_dict()
    each = [found.get(key, 0) for key in rows[keys].itertuples(index=False, name=None)]
    count = pd.Series(pd.array(each, dtype="Int64"), index=rows.index)
    return rows.assign(count=count.mask(rows["status"].isin(UNKNOWN_COUNT)))


def totals(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `capture, variant, status, total` of severity counts; NA if not measured."""
    grouped = counts.groupby([*_IMAGE, "status"], sort=False)["count"]
    return grouped.sum(min_count=1).rename("total").reset_index()


def totals_by_lens(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN
) -> pd.DataFrame:
    """Return what an image's total is, counted in each way, under an else equal lens.

    One row an image: `capture, variant`, the columns of `LENS_COLUMNS` and `status`; NA where
    nothing was measured.
    """
    table = images[_IMAGE].reset_index(drop=True)
    for column, (counted, fixable) in LENS_COLUMNS.items():
        view = lens._replace(counted=counted, fixable=fixable)
        table[column] = image_counts(findings, images, view)["count"]
    return table.assign(status=images["status"].array)


def by_package(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, most: int = 12
) -> pd.DataFrame:
    """Return which source packages bring most, five rows a pair of package and image.

    `capture, variant, package, status, severity, count`: the packages with the highest count in any
    one image, the highest first, each in every image that has it. At most so many pairs, but never
    a package in part, unless it is the only one. Where a report does not name source packages, the
    installed ones.
    """
    counted = lenses.apply(findings, lens)
    package = counted["source_package"].fillna(counted["package"]).fillna(UNNAMED)
    rows = counted.assign(package=package, severity=counted["severity"].astype("str"))
    keys = [*_IMAGE, "package"]
    counts = rows.groupby([*keys, "severity"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(SEVERITIES), fill_value=0)
    pairs = (
        counts.sum(axis=1).sort_values(ascending=False, kind="stable").rename("pair").reset_index()
    )
    highest = pairs.drop_duplicates("package")["package"]
    order = pairs["package"].map({package: n for n, package in enumerate(highest)})
    pairs = pairs.iloc[order.argsort(kind="stable")]
    ends = pairs.groupby("package", sort=False).size().cumsum()
    shown = pairs[pairs["package"].isin(ends.index[ends.le(most)])]
    largest = pd.MultiIndex.from_frame((pairs.head(most) if shown.empty else shown)[keys])
    tidy = counts.loc[largest].rename_axis(columns="severity").stack().rename("count")
    table = tidy.astype("Int64").reset_index().astype({"severity": SEVERITY})
    return table.merge(images[[*_IMAGE, "status"]], how="left", on=_IMAGE)


def package_name(package: object) -> str:
    """Return a package of `by_package` as it is shown."""
    return word(UNNAMED) if package == UNNAMED else str(package)


def images_answer(images: pd.DataFrame) -> Answer:
    """Answer which images were scanned, with what, and which must be read with care."""
    scanned = int((~images["status"].isin(UNKNOWN_COUNT)).sum())
    text = say(
        "{scanned} of {images} scanned for vulnerabilities.",
        scanned=scanned,
        images=number(len(images), "image"),
    )
    for status, care in _CARE.items():
        if variants := names(images[images["status"].eq(status)]):
            text += f" {word(care)}: " + variants + "."
    return Answer("images", text=paragraph(text), table=overview(images))


def severity_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how severe is what a lens counts in each image."""
    counts = severity_counts(findings, images, lens)
    each = totals(counts)
    serious = totals(counts[counts["severity"].ge("HIGH")])["total"]
    # Of no image there would otherwise be a row for each number.
    each = each.assign(serious=serious.reindex(each.index))
    ranked = each.sort_values("total", ascending=False, kind="stable")
    return Answer(
        "severity-breakdown",
        _breakdown_title(ranked, lens.short),
        paragraph(_breakdown(each, lens)),
        counts,
        severity_bars(counts, lens.label),
        lens.label,
        role=SLIDE,
        talks=(_talk(ranked, lens),),
    )


def lens_totals_answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, known_share: pd.Series
) -> Answer:
    """Answer what the total of findings hides: vulnerabilities, and what can be fixed.

    `known_share` is the share of each image's executable bytes that the scanner looked at.
    """
    table = totals_by_lens(findings, images, lens)
    text = bullets(name(row.variant) + ": " + _hidden(row) for row in table.itertuples())
    note = say(
        "A finding is a vulnerability in one package, so one vulnerability in two packages is two "
        "findings."
    )
    if alpine := names(images[images["os_family"].eq("alpine")]):
        note += say(
            " Alpine's advisories name only what has a fix, Debian's also what has none: what is "
            "unfixed in {alpine} cannot be seen here.",
            alpine=alpine,
        )
    beside = table.assign(known_share=known_share.array).drop(columns="capture")
    return Answer("totals-by-lens", text=text + paragraph(note), table=beside, counted=lens.label)


def package_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which packages bring most of what a lens counts."""
    table = by_package(findings, images, lens)
    chart = severity_bars(table, lens.label, ("package", "variant"))
    return Answer("packages", _packages_title(table, lens.short), Text(), table, chart, lens.label)


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


def _breakdown_title(ranked: pd.DataFrame, what: str) -> str:
    """Return the title of a severity breakdown: totals, the largest first."""
    parts = [
        Part(
            f"{short_name(row.variant)} {total(row.total, row.status)}",
            (row.total,),
            odd(row.status),
        )
        for row in ranked.itertuples()
    ]
    return fitted(begun(what), parts)


def headline(known: pd.DataFrame, what: str) -> str:
    """Return which image has most of what is counted, and what the others have, as a sentence.

    `known` is what `measured` returns. Empty if fewer than two images were measured.
    """
    known = known.sort_values("total", ascending=False, kind="stable")
    if len(known) < 2:
        return ""
    first, last = known.iloc[0], known.iloc[-1]
    values = {"first": short_name(first["variant"]), "count": first["total"], "what": what}
    if first["total"] == last["total"]:
        images = number(len(known), "image")
        return t("The same count in {images}: {count:,} {what}", images=images, **values)
    if len(known) == 2:
        return t(
            "{first} has {count:,} {what}, {second} has {rest:,}",
            second=short_name(last["variant"]),
            rest=last["total"],
            **values,
        )
    low, high = last["total"], known["total"].iloc[1]
    return t(
        "{first} has the most {what}: {count:,}, the others {rest}",
        rest=f"{low:,}" if low == high else t("{low:,} to {high:,}", low=low, high=high),
        **values,
    )


def _talk(ranked: pd.DataFrame, lens: Lens) -> Talk:
    known = measured(ranked)
    each = [
        t(
            "{variant} has {count:,} {what}, {serious:,} of them high or critical.",
            variant=escape.plain(row.variant),
            count=row.total,
            what=lens.one if row.total == 1 else lens.short,
            serious=row.serious,
        )
        for row in known.itertuples()
    ]
    spoken = (
        t("Each bar is an image, and its colours are how severe the {what} are.", what=lens.short),
        *some(each),
        *not_counted(ranked),
        *narrowed(lens),
        t("A count is not a risk: nobody tried whether the running app can reach any of it."),
    )
    return Talk(FOUND, headline(known, lens.short), spoken=spoken)


def measured(each: pd.DataFrame) -> pd.DataFrame:
    """Return the `totals` of the images whose count can be compared with another."""
    return each[each["total"].notna() & each["status"].map(odd).eq("")]


def not_counted(each: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence on how many images have no count to compare; none if all have one."""
    every, known = (frame["variant"].nunique() for frame in (each, measured(each)))
    lost = every - known
    return (t("{images} could not be counted.", images=number(lost, "image")),) if lost else ()


def narrowed(lens: Lens) -> tuple[str, ...]:
    """Return a sentence on the place and day that a count is limited to; none if it is not."""
    limits = lens.narrowed
    return (t("Only what is {narrowed} is counted.", narrowed=limits),) if limits else ()


def _row_name(column: str, value: str) -> str:
    """Return the name of a row: a package's and a scale's may be words, all others are names."""
    if column == "scale":
        return word(value)
    return package_name(value) if column == "package" else value


def _packages_title(table: pd.DataFrame, what: str) -> str:
    """Return which packages bring most to an image, and to which: as many as fit, at most three."""
    several = table["variant"].nunique() > 1
    sums = table.groupby(["package", "variant"], sort=False)["count"].sum().reset_index()
    named: list[str] = []
    for package, rows in sums.groupby("package", sort=False):
        most = rows["count"].max()
        where = rows[rows["count"].eq(most)]["variant"]
        bar = f"{escape.short(package_name(package), 30)} {most:,}"
        if several and len(where) == 1:
            bar = t("{package} in {variant}", package=bar, variant=short_name(where.iloc[0]))
        elif several:
            bar = t("{package} in each of {count:,} images", package=bar, count=len(where))
        longer = _most_from([*named, bar], what)
        if named and (len(named) == 3 or not is_whole(longer) or not fits(longer)):
            break
        named.append(bar)
    return _most_from(named, what)


def _most_from(bars: list[str], what: str) -> str:
    return t(
        "{counted}: most from {packages}",
        counted=begun(what),
        packages=", ".join(bars) or t("nothing"),
    )


def _breakdown(each: pd.DataFrame, lens: Lens) -> Phrase:
    """Return each image's total and how much of it is HIGH or CRITICAL."""
    parts = []
    for row in each.itertuples():
        if pd.isna(row.total):
            parts.append(say("{variant}: not measured", variant=name(row.variant)))
            continue
        part = say(
            "{variant} has {total:,} {what}{caveat}, {serious:,} of them HIGH or CRITICAL",
            variant=name(row.variant),
            total=row.total,
            what=lens.label_of_one if row.total == 1 else lens.label,
            caveat=word(_CAVEATS.get(row.status, "")),
            serious=row.serious,
        )
        parts.append(part)
    return listed(parts, "; ") + "."


def _hidden(row: Any) -> Phrase:
    if pd.isna(row.findings):
        return phrase(t("not measured"))
    vulnerabilities = name(number(row.vulnerabilities, "vulnerability"))
    text = number(row.findings, "finding") + ", " + vulnerabilities
    if row.findings:
        text += say(
            ", of the findings **{fixable}** fixable with a newer package",
            fixable=share(row.fixable_findings, row.findings),
        )
    return text
