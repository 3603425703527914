"""The same images under several captures: what each counts, and which image has the fewest."""

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.frames import SCANNED
from helpers.text.i18n import t
from helpers.text.rich import Text, bullets, listed, name, paragraph, phrase, say
from helpers.text.titles import Part, begun, fitted
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import FINDINGS, PLAIN, Lens

_MANY = 4
"""Captures of which a title names only the first and the last."""


def across(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN) -> pd.DataFrame:
    """Return the same images under each capture: lens totals with `db_updated_at`."""
    about = images[["capture", "variant", "os_family", "os_version", "db_updated_at"]]
    table = counting.totals_by_lens(findings, images, lens).merge(
        about, on=["capture", "variant"], validate="one_to_one"
    )
    return table.sort_values(["variant", "capture"], kind="stable", ignore_index=True)


def answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how severe is what a lens counts in the same images under each capture.

    With one capture there is nothing to compare it with, and no figure.
    """
    counts = counting.severity_counts(findings, images, lens)
    if images["capture"].nunique() < 2:
        text = say("There is one capture, so there is no other day to compare it with.")
        return Answer("severity-by-capture", text=paragraph(text), table=counts)
    chart = counting.severity_bars(counts, lens.label)
    return Answer(
        "severity-by-capture",
        title(counts, lens.short),
        table=counts,
        chart=chart,
        counted=lens.label,
        role=SUMMARY,
    )


def fewest_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which image has the fewest under each capture and way of counting."""
    table = across(findings, images, lens)
    return Answer("captures", text=_fewest(table, lens), table=table, counted=lens.label)


def title(counts: pd.DataFrame, what: str) -> str:
    """Return the title of the same images under one capture or several: every total, in time."""
    ordered = counting.totals(counts).sort_values("capture", kind="stable")
    days = ordered["capture"].unique()
    parts = []
    for variant, rows in ordered.groupby("variant", sort=False):
        each = [*map(counting.total, rows["total"], rows["status"])]
        each = each if len(each) < _MANY else [each[0], each[-1]]
        odds = [*filter(None, map(counting.odd, rows["status"])), ""]
        text = f"{short_name(variant)} {' → '.join(each)}"
        parts.append(Part(text, (rows["total"].iloc[-1],), odds[0]))
    if len(days) < 2:
        return fitted(begun(what), parts)
    shown = days if len(days) < _MANY else [days[0], days[-1]]
    return fitted(f"{begun(what)}, {' → '.join(shown)}", parts, in_the_end=True)


def _fewest(table: pd.DataFrame, lens: Lens) -> Text:
    """Return which variant has the fewest under each lens and capture, and whether that changes."""
    known = table[table["status"].eq(SCANNED)].dropna(subset=FINDINGS)
    lines = []
    winners = set()
    for capture, rows in known.groupby("capture"):
        if len(rows) < 2:
            continue
        won_by: dict[tuple[str, ...], list[str]] = {}
        for column, (counted, fixable) in counting.LENS_COLUMNS.items():
            fewest = tuple(rows[rows[column].eq(rows[column].min())]["variant"])
            won_by.setdefault(fewest, []).append(Lens(counted, fixable).label)
        winners |= set(won_by)
        for fewest, won in won_by.items():
            under = t("every way of counting") if len(won_by) == 1 else listed(won)
            when = f"{capture}, " if capture else ""
            lines.append(when + phrase(under) + ": " + listed(map(name, fewest)))
    if not winners:
        return paragraph(t("No capture measured two images, so none has fewer than another."))
    first, *others = winners
    best = listed(map(name, first))
    if others:
        head = say("**Which image has the fewest depends on how and when one counts.** Fewest:")
    elif len(first) > 1:
        head = say("As few in every way that is counted here: {variants}.", variants=best)
    else:
        head = say("{variant} has the fewest in every way that is counted here:", variant=best)
    if narrowed := lens.narrowed:
        head += say(" Only what is {narrowed} is counted.", narrowed=narrowed)
    return paragraph(head) + bullets(lines)
