"""How severe is what was found, how it is counted, and which packages bring it."""

from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.talk import FOUND, Talk, some
from helpers.frames import BROKEN, FAILED, MISSING, NO_OS, NOT_LOOKED, NOT_SCANNED, UNKNOWN_COUNT
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
from helpers.vulnerabilities import counting, shown_counts
from helpers.vulnerabilities.lenses import Lens

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
    return Answer("images", text=paragraph(text), table=counting.overview(images))


def severity_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how severe is what a lens counts in each image."""
    counts, each = counting.breakdown(findings, images, lens)
    ranked = each.sort_values("total", ascending=False, kind="stable")
    return Answer(
        "severity-breakdown",
        _breakdown_title(ranked, lens.short),
        paragraph(_breakdown(each, lens)),
        counts,
        shown_counts.severity_bars(counts, lens.label),
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
    table = counting.totals_by_lens(findings, images, lens)
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
    table = counting.by_package(findings, images, lens)
    chart = shown_counts.severity_bars(table, lens.label, ("package", "variant"))
    return Answer("packages", _packages_title(table, lens.short), Text(), table, chart, lens.label)


def _breakdown_title(ranked: pd.DataFrame, what: str) -> str:
    """Return the title of a severity breakdown: totals, the largest first."""
    parts = [
        Part(
            f"{short_name(row.variant)} {shown_counts.total(row.total, row.status)}",
            (row.total,),
            shown_counts.odd(row.status),
        )
        for row in ranked.itertuples()
    ]
    return fitted(begun(what), parts)


def _talk(ranked: pd.DataFrame, lens: Lens) -> Talk:
    known = counting.measured(ranked)
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
        *shown_counts.not_counted(ranked),
        *shown_counts.narrowed(lens),
        t("A count is not a risk: nobody tried whether the running app can reach any of it."),
    )
    return Talk(FOUND, shown_counts.headline(known, lens.short), spoken=spoken)


def _packages_title(table: pd.DataFrame, what: str) -> str:
    """Return which packages bring most to an image, and to which: as many as fit, at most three."""
    several = table["variant"].nunique() > 1
    sums = table.groupby(["package", "variant"], sort=False)["count"].sum().reset_index()
    named: list[str] = []
    for package, rows in sums.groupby("package", sort=False):
        most = rows["count"].max()
        where = rows[rows["count"].eq(most)]["variant"]
        bar = f"{escape.short(shown_counts.package_name(package), 30)} {most:,}"
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
