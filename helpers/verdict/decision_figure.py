"""The figure of what decided: counts or sizes, and what is told of it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pandas as pd

from helpers.answers.chart_data import PAST, QUIET, STRONG, Bars, Chart
from helpers.answers.talk import CHOICE, Talk
from helpers.frames import NO_OS, Frames
from helpers.sizes import image_sizes
from helpers.text.i18n import t, word
from helpers.text.titles import Part, begun, fitted
from helpers.text.titles import name as short_name
from helpers.text.units import MB, megabytes
from helpers.verdict.decision import Decision, decisive
from helpers.vulnerabilities import captures, counting, shown_counts
from helpers.vulnerabilities.lenses import Lens

_BESIDE = 3
"""Captures that stand beside this one, if they are fewer; else the first of them stands for all."""


def drawn(
    decision: Decision, others: Sequence[Decision], frames: Frames, published: pd.DataFrame
) -> tuple[str, Chart | None, str, bool]:
    """Return what decided as a figure: title, chart, what is counted, and whether by the scanner.

    `frames` are those of all captures. Of counts, other captures stand beside. Images that were not
    scanned alike are not compared, and have no figure.
    """
    if decision.candidates["mixed"].any():
        return "", None, "", True
    notes = {
        (row.variant, found.capture): _note(row)
        for found in (*others, decision)  # what holds today replaces what held on a day
        for row in found.candidates.itertuples()
    }
    if decisive(decision) == "size":
        of_capture = frames.images["capture"].eq(decision.capture)
        return _sizes(decision, image_sizes.table(frames.images[of_capture], published))
    lens, counts = _deciding(decision, others, frames)
    chart = shown_counts.stacked(
        counts, "severity", shown_counts.SEVERITY_NAMES, "severity", lens.label, notes=notes
    )
    return captures.title(counts, lens.short), chart, lens.label, True


def _note(candidate: Any) -> str:
    """Return what is said after an image's total: what is exploited of it, and past support."""
    note = ""
    if pd.notna(candidate.exploited) and candidate.exploited:
        note = t(", {count:,} exploited", count=candidate.exploited)
    return note + (t(", past support") if candidate.past_support else "")


def talk(
    decision: Decision, others: Sequence[Decision], frames: Frames, published: pd.DataFrame
) -> Talk:
    """Return what is told of the figure of what decided."""
    if decisive(decision) == "size":
        of_capture = frames.images["capture"].eq(decision.capture)
        sizes = image_sizes.table(frames.images[of_capture], published)
        told = image_sizes.talk(sizes, decision.kind, CHOICE)
        supported = decision.ranked[decision.ranked["supported"]]["variant"]
        known = sizes[sizes["kind"].eq(decision.kind) & sizes["variant"].isin(supported)]
        smallest = known.sort_values("bytes", kind="stable")["variant"].head(1).tolist()
        if not decision.ships or smallest != decision.best or len(supported) == len(sizes):
            return told
        headline = t(
            "{variant} is the smallest of the supported images",
            variant=short_name(decision.best[0]),
        )
        return msgspec.structs.replace(told, headline=headline)
    lens, counts = _deciding(decision, others, frames)
    return captures.talk(counts, lens, CHOICE, frames.images)


def _deciding(
    decision: Decision, others: Sequence[Decision], frames: Frames
) -> tuple[Lens, pd.DataFrame]:
    """Return the lens of what decided, and its counts in this capture and in others beside it."""
    lens = decision.lens._replace(fixable=decisive(decision) != "unfixed")
    beside = others if len(others) < _BESIDE else others[:1]
    shown = {found.capture for found in (*beside, decision)}
    images = frames.images[frames.images["capture"].isin(shown)]
    counts = counting.severity_counts(frames.findings, images, lens)
    # What the scanner could not look at is no candidate, and has no bar that looks like a good one.
    counts["count"] = counts["count"].mask(counts["status"].eq(NO_OS))
    return lens, counts


def _sizes(decision: Decision, sizes: pd.DataFrame) -> tuple[str, Chart, str, bool]:
    """Return the figure of sizes against that of the first, those past their support marked."""
    answer = image_sizes.difference_answer(sizes, "", decision.kind, decision.best[0])
    chart = answer.chart
    assert isinstance(chart, Bars)
    candidates = decision.candidates.set_index("variant")
    past = candidates.index[candidates["past_support"].ne("")]
    ends, parts, tones = [], [], []
    for (variant, _), end, size in zip(chart.rows, chart.ends, chart.totals, strict=True):
        first, *rest = end.split("\n")
        tones.append(PAST if variant in past else STRONG if variant in decision.best else QUIET)
        ends.append("\n".join([first + (t(", past support") if variant in past else ""), *rest]))
        parts.append(Part(f"{short_name(variant)} {megabytes(size * MB)} MB", (size,)))
    head = begun(word(image_sizes.SIZE_NAMES[decision.kind]))
    title = fitted(head, parts, lambda size: f"{size:,.1f} MB")
    return title, msgspec.structs.replace(chart, ends=ends, tones=tones), answer.counted, False
