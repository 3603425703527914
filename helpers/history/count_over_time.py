"""Each image's count in every capture, and when image, database or scanner changed."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Line, Ticks, Timeline
from helpers.answers.talk import FOUND, Talk, some
from helpers.changes.causes import DATABASE, IMAGE, SCANNER
from helpers.history.steps import Steps
from helpers.text import titles
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number, paragraph
from helpers.text.titles import Part, begun, fitted
from helpers.vulnerabilities import captures, shown_counts
from helpers.vulnerabilities.captures import ONE_CAPTURE
from helpers.vulnerabilities.lenses import Lens

LEAST = 3
"""A series of this many captures or more gets a slide."""

_OWN_ROW = 4
"""Up to this many images, each gets its own row of ticks."""

_NEW = {IMAGE: msg("new image"), DATABASE: msg("new database"), SCANNER: msg("new scanner")}

COLUMNS = [
    *("variant", "capture", "at", "count", "status", "why_broken"),
    *("new_image", "new_database", "new_scanner"),
]


def counts(marked: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return each image's count in each capture, and what changed since the last sound scan.

    `variant, capture, at, count, status, why_broken, new_image, new_database, new_scanner`; the
    last three are NA where unknown.
    """
    new = pairs[["variant", "later", *_NEW]].rename(
        columns={"later": "capture", **{cause: f"new_{cause}" for cause in _NEW}}
    )
    return marked.merge(new, how="left", on=["variant", "capture"])[COLUMNS]


def answer(scans: pd.DataFrame, steps: Steps, lens: Lens) -> Answer:
    """Answer how each image's count changed over time."""
    table = counts(scans, steps.pairs)
    if scans["capture"].nunique() < 2:
        lacks = word(ONE_CAPTURE)
        return Answer("count-over-time", table=table, counted=lens.label, lacks=lacks)
    is_long = table["capture"].nunique() >= LEAST
    note = t(
        "Counts between two captures are unknown. A gap in a line means that the image was not "
        "measured; a hollow point is a scan that looks broken."
    )
    spans = [*_spans(table)]
    return Answer(
        "count-over-time",
        _title(table, spans, lens),
        paragraph(note),
        table,
        chart(table, lens.label),
        lens.label,
        role=SLIDE if is_long else "",
        talks=(_talk(table, spans, lens),) if is_long and spans else (),
    )


def chart(counts: pd.DataFrame, counted: str) -> Timeline:
    """Return one line per image, with gaps where it was not measured, and rows of ticks."""
    lines = []
    for variant, rows in counts.groupby("variant", sort=False):
        is_broken = rows["why_broken"].ne("")
        is_gap = rows["count"].isna()
        known = rows[~is_broken & ~is_gap]
        # Each gap starts a new piece; broken scans, which have counts, are skipped.
        pieces = known.groupby(is_gap.cumsum())
        lines.append(
            Line(
                str(variant),
                [_points(piece) for _, piece in pieces],
                _points(rows[is_broken]),
            )
        )
    return Timeline(
        [line for line in lines if line.pieces],
        [*_ticks(counts, [line.name for line in lines if line.pieces])],
        t("date of the capture (UTC)"),
        shown_counts.number_of(counted),
    )


def _points(rows: pd.DataFrame) -> list[tuple[date, float]]:
    return [(at.date(), float(n)) for at, n in zip(rows["at"], rows["count"], strict=True)]


def _ticks(counts: pd.DataFrame, variants: list[str]) -> Iterator[Ticks]:
    """Yield the days with a new image, database or scanner; new images per image if few."""
    for cause, form in _NEW.items():
        new = counts[counts[f"new_{cause}"].fillna(False).astype("bool")]
        days = {variant: [*rows["at"].dt.date] for variant, rows in new.groupby("variant")}
        if cause == IMAGE and len(variants) <= _OWN_ROW:
            for place, variant in enumerate(variants):
                if variant in days:
                    yield Ticks(word(form), days[variant], place)
        elif days:
            yield Ticks(word(form), sorted({day for some_ in days.values() for day in some_}))


def _spans(counts: pd.DataFrame) -> Iterator[tuple[str, int, int, str]]:
    """Yield each image's first and last sound count, and the status of its last scan."""
    for variant, rows in _sound(counts).groupby("variant", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        yield str(variant), int(first["count"]), int(last["count"]), last["status"]


def _sound(counts: pd.DataFrame) -> pd.DataFrame:
    return counts[counts["count"].notna() & counts["why_broken"].eq("")]


def _title(counts: pd.DataFrame, spans: list[tuple[str, int, int, str]], lens: Lens) -> str:
    parts = [
        Part(
            f"{titles.name(variant)} {first:,} → {shown_counts.total(last, status)}",
            (last,),
            shown_counts.odd(status),
        )
        for variant, first, last, status in spans
    ]
    captures = number(counts["capture"].nunique(), "capture")
    head = t("{counted} over {captures}", counted=begun(lens.short), captures=captures)
    return fitted(head, parts, in_the_end=True)


def _talk(counts: pd.DataFrame, spans: list[tuple[str, int, int, str]], lens: Lens) -> Talk:
    # The largest change first.
    ordered = sorted(spans, key=lambda span: -abs(span[2] - span[1]))
    days = counts["at"].dropna()
    first_day, last_day = f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}"
    each = [captures.went(span[:3], lens, first_day, last_day) for span in ordered]
    broken = int(counts["why_broken"].ne("").sum())
    left_out = t("Hollow points are scans that look broken; lines skip them.")
    spoken = (
        t("Each line shows the count of one image in every capture."),
        t("Ticks mark the days with a new image, database or scanner."),
        *some(each),
        *([left_out] if broken else []),
        t("If only the database is new, nobody changed the image."),
    )
    headline = captures.changed_most(ordered[0][:3], lens, first_day, last_day)
    return Talk(FOUND, headline, spoken=spoken)
