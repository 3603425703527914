"""Counts of the same images in several captures, and which image has the fewest."""

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.talk import FOUND, Talk
from helpers.comparability import scan_consistency
from helpers.frames import SCANNED
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Text, bullets, listed, name, paragraph, phrase, say
from helpers.text.titles import Part, begun, fitted
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import counting, shown_counts
from helpers.vulnerabilities.lenses import PLAIN, Lens
from helpers.vulnerabilities.once import FINDINGS

_MANY = 4
"""Captures of which a title names only the first and the last."""


ONE_CAPTURE = msg("No image was measured in two captures.")
"""Why there is no history."""


def across(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN) -> pd.DataFrame:
    """Return the lens totals of each image and capture, with `db_updated_at`."""
    about = images[["capture", "variant", "os_family", "os_version", "db_updated_at"]]
    table = counting.totals_by_lens(findings, images, lens).merge(
        about, on=["capture", "variant"], validate="one_to_one"
    )
    return table.sort_values("variant", kind="stable", ignore_index=True)


def answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how severe the findings of the same images are in each capture.

    One capture alone has no figure.
    """
    counts = counting.severity_counts(findings, images, lens)
    if images["capture"].nunique() < 2:
        return Answer("severity-by-capture", table=counts, lacks=word(ONE_CAPTURE))
    chart = shown_counts.severity_bars(counts, lens.label)
    return Answer(
        "severity-by-capture",
        title(counts, lens.short),
        unlike_scores(images, lens),
        counts,
        chart,
        counted=lens.label,
        role=SUMMARY,
        talks=(talk(counts, lens, FOUND, images),),
    )


def fewest_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which image has the fewest findings, by capture and way of counting."""
    table = across(findings, images, lens)
    text = _fewest(table, lens) + unlike_scores(images, lens)
    return Answer("captures", text=text, table=table, counted=lens.label)


def unlike_scores(images: pd.DataFrame, lens: Lens) -> Text:
    """Return the warning that scores of several models show no trend, if a lens uses scores."""
    note = scan_consistency.scores_across(images) if lens.epss else None
    return paragraph(note) if note else Text()


def title(counts: pd.DataFrame, what: str) -> str:
    """Return a title with each image's total, in order of time."""
    ordered = counting.totals(counts)
    days = ordered["capture"].unique()
    parts = []
    for variant, rows in ordered.groupby("variant", sort=False):
        each = [*map(shown_counts.total, rows["total"], rows["status"])]
        each = each if len(each) < _MANY else [each[0], each[-1]]
        odds = [*filter(None, map(shown_counts.odd, rows["status"])), ""]
        text = f"{short_name(variant)} {' → '.join(each)}"
        parts.append(Part(text, (rows["total"].iloc[-1],), odds[0]))
    if len(days) < 2:
        return fitted(begun(what), parts)
    shown = days if len(days) < _MANY else [days[0], days[-1]]
    return fitted(f"{begun(what)}, {' → '.join(shown)}", parts, in_the_end=True)


def talk(counts: pd.DataFrame, lens: Lens, topic: str, images: pd.DataFrame) -> Talk:
    """Return the slide of the same images in one capture or several."""
    unlike = unlike_scores(images, lens)
    every = counting.totals(counts)
    known = counting.measured(every)
    spans = [
        (variant, rows["total"].iloc[0], rows["total"].iloc[-1])
        for variant, rows in known.groupby("variant", sort=False)
    ]
    days = known["capture"].unique()
    if len(days) < 2:
        spoken = (
            t("Each bar is an image."),
            *shown_counts.not_counted(every),
            t("A count is not a risk: nobody tested whether the app can reach these."),
        )
        return Talk(topic, shown_counts.headline(known, lens.short), spoken=spoken)
    # The largest change first.
    spans.sort(key=lambda span: -abs(span[2] - span[1]))
    spoken = (
        *shown_counts.not_counted(every),
        *([unlike.plain] if unlike else []),
        t("A count holds for its day only."),
    )
    headline = changed_most(spans[0], lens, days[0], days[-1]) if spans else ""
    return Talk(topic, headline, spoken=spoken)


Span = tuple[str, int, int]
"""An image, with its count on the first and on the last day."""


def went(span: Span, lens: Lens, earlier: str, later: str) -> str:
    """Return an image's first and last count as a spoken sentence."""
    variant, first, last = span
    return t(
        "{variant} had {first:,} {what} in {earlier}, and {last:,} in {later}.",
        variant=escape.plain(variant),
        first=first,
        what=lens.short,
        earlier=earlier,
        last=last,
        later=later,
    )


def changed_most(span: Span, lens: Lens, earlier: str, later: str) -> str:
    """Return the largest change of a count as a headline."""
    variant, first, last = span
    if first == last:
        return t("No count changed from {earlier} to {later}", earlier=earlier, later=later)
    return t(
        "From {earlier} to {later} {variant} had the largest change: {first:,} to {last:,} {what}",
        earlier=earlier,
        later=later,
        variant=short_name(variant),
        first=first,
        last=last,
        what=lens.short,
    )


def _winners(table: pd.DataFrame) -> dict[str, dict[tuple[str, ...], list[str]]]:
    """Return which variants have the fewest, by capture, and in which columns of `across`."""
    known = table[table["status"].eq(SCANNED)].dropna(subset=FINDINGS)
    found: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for capture, rows in known.groupby("capture"):
        for column in counting.LENS_COLUMNS if len(rows) > 1 else ():
            fewest = tuple(rows[rows[column].eq(rows[column].min())]["variant"])
            found.setdefault(capture, {}).setdefault(fewest, []).append(column)
    return found


def _fewest(table: pd.DataFrame, lens: Lens) -> Text:
    """Return which variant has the fewest, by lens and capture if that matters."""
    found = _winners(table)
    winners = {fewest for won_by in found.values() for fewest in won_by}
    if not winners:
        return paragraph(t("Fewer than two images have counts."))
    if len(winners) == 1:
        best = listed(map(name, *winners))
        return paragraph(say("Fewest, however you count: {variants}.", variants=best))
    ways = {
        column: Lens(*way, exploited=lens.exploited, epss=lens.epss).label
        for column, way in counting.LENS_COLUMNS.items()
    }
    lines = []
    for capture, won_by in found.items():
        for fewest, columns in won_by.items():
            every = t("every way of counting")
            under = listed(ways[column] for column in columns) if len(won_by) > 1 else every
            when = f"{capture}, " if capture else ""
            lines.append(when + phrase(under) + ": " + listed(map(name, fewest)))
    head = say("**Which image has the fewest depends on what you count and when:**")
    return paragraph(head) + bullets(lines)
