"""The count of each image at every capture, and on which days something else was new."""

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
from helpers.text.rich import Phrase, Text, bullets, name, number, paragraph, say
from helpers.text.titles import Part, begun, fitted
from helpers.vulnerabilities import captures, shown_counts
from helpers.vulnerabilities.captures import ONE_CAPTURE
from helpers.vulnerabilities.lenses import Lens

LEAST = 3
"""Captures from which on a series is more than two days beside each other, and has a slide."""

_OWN_ROW = 4
"""Images of which each has a row of ticks of its own."""

_NEW = {IMAGE: msg("new image"), DATABASE: msg("new database"), SCANNER: msg("new scanner")}

COLUMNS = [
    *("variant", "capture", "at", "count", "status", "why_broken"),
    *("new_image", "new_database", "new_scanner"),
]


def counts(marked: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the count of each image at each capture, and what was new there.

    `variant, capture, at, count, status, why_broken, new_image, new_database, new_scanner`: new
    since the sound scan before; NA where that is not known.
    """
    new = pairs[["variant", "later", *_NEW]].rename(
        columns={"later": "capture", **{cause: f"new_{cause}" for cause in _NEW}}
    )
    return marked.merge(new, how="left", on=["variant", "capture"])[COLUMNS]


def answer(scans: pd.DataFrame, steps: Steps, lens: Lens) -> Answer:
    """Answer how the count of each image went over all captures."""
    table = counts(scans, steps.pairs)
    if scans["capture"].nunique() < 2:
        lacks = word(ONE_CAPTURE)
        return Answer("count-over-time", table=table, counted=lens.label, lacks=lacks)
    is_long = table["capture"].nunique() >= LEAST
    spans = [*_spans(table)]
    return Answer(
        "count-over-time",
        _title(table, spans, lens),
        _text(table, steps.pairs),
        table,
        chart(table, lens.label),
        lens.label,
        role=SLIDE if is_long else "",
        talks=(_talk(table, spans, lens),) if is_long and spans else (),
    )


def chart(counts: pd.DataFrame, counted: str) -> Timeline:
    """Return a line an image, interrupted where it was not measured, and rows of ticks."""
    lines = []
    for variant, rows in counts.groupby("variant", sort=False):
        is_broken = rows["why_broken"].ne("")
        is_gap = rows["count"].isna()
        known = rows[~is_broken & ~is_gap]
        # Each gap begins a new piece; a broken scan is stepped over.
        pieces = known.groupby((is_gap & ~is_broken).cumsum())
        lines.append(
            Line(
                str(variant),
                [_points(piece) for _, piece in pieces],
                _points(rows[is_broken & ~is_gap]),
            )
        )
    return Timeline(
        [line for line in lines if line.pieces],
        [*_ticks(counts, [line.name for line in lines if line.pieces])],
        t("day that a capture stands for (UTC)"),
        shown_counts.number_of(counted),
    )


def _points(rows: pd.DataFrame) -> list[tuple[date, float]]:
    return [(at.date(), float(n)) for at, n in zip(rows["at"], rows["count"], strict=True)]


def _ticks(counts: pd.DataFrame, variants: list[str]) -> Iterator[Ticks]:
    """Yield the days on which image, database or scanner was new: images each, if they are few."""
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
    """Yield each image with its first and last sound count, and the status of the last scan."""
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


def _text(counts: pd.DataFrame, pairs: pd.DataFrame) -> Text:
    """Return of each image how its count went, and how often something was new."""
    if counts.empty:
        return Text()
    lines = []
    for variant, rows in counts.groupby("variant", sort=False):
        ours = pairs[pairs["variant"].eq(variant)]
        lines.append(_line(str(variant), rows, ours))
    note = t(
        "A line goes straight from one capture to the next: what was between them is not known. "
        "Where an image was not measured, its line is interrupted; a day without a capture has no "
        "point."
    )
    return bullets(lines) + paragraph(note)


def _line(variant: str, rows: pd.DataFrame, pairs: pd.DataFrame) -> Phrase:
    sound = _sound(rows)
    if sound.empty:
        return name(variant) + t(": not measured in any capture")
    first, last = sound.iloc[0], sound.iloc[-1]
    ordered = sound["count"].astype("float")
    low, high = sound.loc[ordered.idxmin()], sound.loc[ordered.idxmax()]
    new = {cause: _steps(pairs[cause]) for cause in _NEW}
    text = say(
        "{variant}: {first:,} on {first_day:%Y-%m-%d}, {last:,} on {last_day:%Y-%m-%d}; least "
        "{low:,} ({low_day:%Y-%m-%d}), most {high:,} ({high_day:%Y-%m-%d}). Steps with a new "
        "image: {image}, a new database: {database}, a new scanner: {scanner}, of {steps:,}",
        variant=name(variant),
        first=first["count"],
        first_day=first["at"],
        last=last["count"],
        last_day=last["at"],
        low=low["count"],
        low_day=low["at"],
        high=high["count"],
        high_day=high["at"],
        image=new[IMAGE],
        database=new[DATABASE],
        scanner=new[SCANNER],
        steps=len(pairs),
    )
    if broken := int(rows["why_broken"].ne("").sum()):
        text += say("; left out as broken: {scans}", scans=number(broken, "scan"))
    if gaps := int(rows["count"].isna().sum()):
        text += say("; not measured: {scans}", scans=number(gaps, "scan"))
    return text


def _steps(differs: pd.Series) -> str:
    """Return in how many steps something was new, as far as that is known."""
    if differs.isna().all() and len(differs):
        return t("not known")
    new, open_ = int(differs.fillna(False).sum()), int(differs.isna().sum())
    return t("{new:,} (not known of {open:,})", new=new, open=open_) if open_ else f"{new:,}"


def _talk(counts: pd.DataFrame, spans: list[tuple[str, int, int, str]], lens: Lens) -> Talk:
    # The largest change first.
    ordered = sorted(spans, key=lambda span: -abs(span[2] - span[1]))
    days = counts["at"].dropna()
    first_day, last_day = f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}"
    each = [captures.went(span[:3], lens, first_day, last_day) for span in ordered]
    broken = int(counts["why_broken"].ne("").sum())
    left_out = t("Scans that are more likely broken are hollow, and no line goes through them.")
    spoken = (
        t("Each line is an image: what was counted in it at every capture."),
        t("The ticks below say when the image, the database or the scanner was a new one."),
        *some(each),
        *([left_out] if broken else []),
        t("A step with a new database and the same image is nobody's work on the image."),
    )
    headline = captures.changed_most(ordered[0][:3], lens, first_day, last_day)
    return Talk(FOUND, headline, spoken=spoken)
