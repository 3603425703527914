"""Counts of findings by severity, by way of counting, and by package."""

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.talk import FOUND, Talk
from helpers.frames import BROKEN, NO_OS, NOT_LOOKED, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import (
    Text,
    names,
    number,
    paragraph,
    say,
)
from helpers.text.titles import Part, begun, fits, fitted, is_whole, part_of, unmeasured
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import counting, shown_counts
from helpers.vulnerabilities.lenses import Lens

_CARE = {
    BROKEN: msg("Did not answer when started, so not a candidate"),
    NOT_LOOKED: msg("Not scanned for vulnerabilities; scan again with --scanners vuln"),
    NO_OS: msg("OS packages not recognised, so a low count is not reassuring"),
}


def images_answer(images: pd.DataFrame) -> Answer:
    """Answer which images were scanned, and which counts mislead."""
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
    """Answer how severe the findings of each image are."""
    counts, each = counting.breakdown(findings, images, lens)
    ranked = each.sort_values("total", ascending=False, kind="stable")
    return Answer(
        "severity-breakdown",
        _breakdown_title(ranked, lens.short),
        Text(),
        counts,
        shown_counts.severity_bars(counts, lens.label),
        lens.label,
        role=SLIDE,
        talks=(_talk(ranked, lens),),
    )


def lens_totals_answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, known_share: pd.Series
) -> Answer:
    """Answer how many distinct and fixable vulnerabilities are among the findings.

    `known_share` is the share of each image's executable bytes that the scanner looked at.
    """
    table = counting.totals_by_lens(findings, images, lens)
    parts = [
        unmeasured(row.variant, shown_counts.odd(row.status))
        if pd.isna(row.findings)
        else part_of(
            escape.short(row.variant, 24),
            row.vulnerabilities,
            row.findings,
            shown_counts.odd(row.status),
        )
        for row in table.itertuples()
    ]
    text = fitted(t("Distinct vulnerabilities among the findings"), parts) + ". "
    text += t("A vulnerability in two packages is two findings.")
    beside = table.assign(known_share=known_share.array).drop(columns="capture")
    return Answer("totals-by-lens", text=paragraph(text), table=beside, counted=lens.label)


def package_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which packages have the most findings."""
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
    spoken = (
        t("Each bar is an image."),
        *shown_counts.not_counted(ranked),
        t("A count is not a risk: nobody tested whether the app can reach these."),
    )
    return Talk(FOUND, shown_counts.headline(known, lens.short), spoken=spoken)


def _packages_title(table: pd.DataFrame, what: str) -> str:
    """Return the packages with the most findings and their images: at most three that fit."""
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
    if not bars:
        return ""
    return t("{counted}: most from {packages}", counted=begun(what), packages=", ".join(bars))
