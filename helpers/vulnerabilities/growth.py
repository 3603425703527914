"""The number of known vulnerabilities of an image on each day, by publication date."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Curve, Curves, Mark, why_empty
from helpers.answers.talk import FOUND, Talk
from helpers.comparability import confounders
from helpers.frames import SEVERITY, UNKNOWN_COUNT, Frames
from helpers.text import escape, titles
from helpers.text.i18n import Message, msg, t, told, word
from helpers.text.rich import Text, bullets, name, number, paragraph
from helpers.text.titles import Part, begun, fitted
from helpers.vulnerabilities import counting, lenses, once, shown_counts
from helpers.vulnerabilities.captures import ONE_CAPTURE
from helpers.vulnerabilities.lenses import Lens

_COLUMNS = ["capture", "variant", "status", "day", "count"]
_FINDING = ["variant", "vulnerability_id", "package"]


def growth(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return the count of each image's published findings on each day that it changed.

    `capture, variant, status, day, count`: from the day on which an image was built, with what was
    known already, to the day of its database. An image whose build day is not known starts with its
    first vulnerability. Findings without a date are left out, and the lens's own date is not used:
    on any day the count is that of the lens with `known_by` that day. What is known to be exploited
    counts from the day on which that was known, too; scores are those of one day throughout.
    """
    every = lenses.each(findings, lens._replace(known_by=""))
    day = every[[*days(lens)]].max(axis=1, skipna=False)
    # What counts once counts from its earliest day.
    dated = every.assign(day=day).dropna(subset="day").sort_values("day", kind="stable")
    counted = once.distinct(dated, lens.counted)
    known = images[~images["status"].isin(UNKNOWN_COUNT)]
    parts = [_curve(counted, image) for image in known.itertuples()]
    empty = pd.DataFrame({c: pd.Series(dtype="str") for c in _COLUMNS})
    return pd.concat(parts, ignore_index=True) if parts else empty


def days(lens: Lens) -> tuple[str, ...]:
    """Return the date columns of findings; a finding counts from the latest."""
    return ("published_at", "kev_added_at") if lens.exploited else ("published_at",)


def _curve(counted: pd.DataFrame, image: Any) -> pd.DataFrame:
    start = image.created_at
    end = image.db_updated_at if pd.notna(image.db_updated_at) else image.scanned_at
    in_image = counted["capture"].eq(image.capture) & counted["variant"].eq(image.variant)
    days = counted[in_image]["day"].dt.floor("D")
    steps = days.value_counts().sort_index().cumsum()
    ends = [day.floor("D") for day in (start, end) if pd.notna(day)]
    every = steps.index.union(pd.DatetimeIndex(ends, dtype=steps.index.dtype))
    if pd.notna(start):
        every = every[every >= start.floor("D")]
    counts = steps.reindex(every, method="ffill").fillna(0).astype("int64")
    about = {"capture": image.capture, "variant": image.variant, "status": image.status}
    return pd.DataFrame({**about, "day": every, "count": counts.to_numpy()})


def on(growth: pd.DataFrame, day: str | date) -> pd.Series:
    """Return the count of each variant on a day, by variant; none before an image's first day."""
    by_then = growth[growth["day"].lt(pd.Timestamp(day, tz="UTC") + pd.Timedelta(days=1))]
    return by_then.groupby("variant", sort=False)["count"].last()


def incomplete(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that have no date or no severity, one row each: `variant …, lacks`."""
    findings = lenses.standing(findings)
    no_date, no_severity = findings["published_at"].isna(), findings["severity"].eq("UNKNOWN")
    lacks = pd.Series(msg("a date"), index=findings.index)
    lacks = lacks.mask(no_severity, msg("a severity"))
    lacks = lacks.mask(no_severity & no_date, msg("a date and a severity"))
    table = findings.assign(lacks=lacks)[no_date | no_severity]
    return table[[*_FINDING, "severity", "lacks"]].reset_index(drop=True)


def missed(frames: Frames, earlier: str, later: str, day: str | date) -> pd.DataFrame:
    """Return where the later capture, filtered by date, and the earlier one's database differ.

    One row a finding: `variant, vulnerability_id, package, severity, only_in, why`. `only_in` is
    `the database of that day` or `the date filter`. Of variants that were measured in both.
    """
    columns = [*_FINDING, "severity", "only_in", "why"]
    if earlier == later or not day:
        return pd.DataFrame({column: pd.Series(dtype="str") for column in columns})
    measured = frames.images[~frames.images["status"].isin(UNKNOWN_COUNT)]
    twice = set(measured[measured["capture"].eq(earlier)]["variant"]) & set(
        measured[measured["capture"].eq(later)]["variant"]
    )
    found = frames.findings[frames.findings["variant"].isin(twice)]
    # Counted findings first: a package may have the same one suppressed elsewhere.
    found = found.sort_values("suppressed", kind="stable")
    then = found[found["capture"].eq(earlier)].drop_duplicates(_FINDING)
    now = found[found["capture"].eq(later)].drop_duplicates(_FINDING)
    filtered = lenses.each(now, Lens(known_by=str(day)))
    lost = _without(lenses.standing(then), filtered).merge(
        now[[*_FINDING, "published_at", "suppressed"]],
        how="left",
        on=_FINDING,
        suffixes=("", "_later"),
        indicator=True,
    )
    columns_lost = ("_merge", "published_at_later", "suppressed_later")
    why = [_why_lost(*row) for row in zip(*(lost[name] for name in columns_lost), strict=True)]
    gained = _without(filtered, lenses.standing(then))
    was_suppressed = _are_in(gained, then)
    gained_why = [_why_gained(known) for known in was_suppressed]
    parts = [
        lost.assign(only_in=msg("the database of that day"), why=pd.Series(why, dtype=object)),
        gained.assign(
            only_in=msg("the date filter"),
            why=pd.Series(gained_why, gained.index, dtype=object),
        ),
    ]
    both = pd.concat([part[columns] for part in parts]).astype({"severity": SEVERITY})
    return both.sort_values(_FINDING, ignore_index=True)


def both_ways(
    frames: Frames, earlier: str, later: str, day: str | date
) -> dict[str, tuple[int, int]]:
    """Return each variant's number of findings by date and by the database of that day.

    Empty if there is one capture only, or no day.
    """
    if earlier == later or not day:
        return {}
    totals = []
    for capture, lens in ((later, Lens(known_by=str(day))), (earlier, lenses.PLAIN)):
        images = frames.images[frames.images["capture"].eq(capture)]
        findings = frames.findings[frames.findings["capture"].eq(capture)]
        counts = counting.image_counts(findings, images, lens)
        totals.append(counts.set_index("variant")["count"].dropna())
    by_date, by_db = totals
    return {v: (int(by_date[v]), int(by_db[v])) for v in by_db.index if v in by_date.index}


def day_of(images: pd.DataFrame, capture: str) -> str:
    """Return the day of a capture's database, else of its scan; empty if neither is known."""
    rows = images[images["capture"].eq(capture)]
    days = rows["db_updated_at"].fillna(rows["scanned_at"]).dropna()
    return f"{days.max():%Y-%m-%d}" if len(days) else ""


def label(lens: Lens) -> str:
    """Return what a curve counts: the lens without its day, because days are the axis."""
    return lens._replace(known_by="").label


def answer(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    lens: Lens,
    events: Mapping[str, date] | None = None,
    complete: date | None = None,
) -> Answer:
    """Answer how the number of known vulnerabilities grew since each image was built.

    Of one capture. `events` are days to mark, by what happened; facts are complete until the day
    `complete`.
    """
    curves = growth(findings, images, lens)
    ends = confounders.ends(confounders.confounders(images))
    drawn = chart(curves, ends, label(lens), events or {}, complete)
    if lens.exploited:
        across = t("day of publication or of the KEV entry, the later one (UTC)")
        drawn = msgspec.structs.replace(drawn, across=across)
    notes = [] if why_empty(drawn) else _notes(drawn, lens)
    undated = int(_ever(findings, lens)["published_at"].isna().sum())
    if undated:
        notes.append(
            t("Not in the lines: {findings} without a date.", findings=number(undated, "finding"))
        )
    text = paragraph(" ".join(notes)) if notes else Text()
    return Answer(
        "growth",
        headline(curves, lens),
        text,
        curves,
        drawn,
        label(lens),
        role=SLIDE,
        talks=(_talk(curves, drawn, lens),),
    )


def missed_answer(frames: Frames, earlier: str, later: str) -> Answer:
    """Answer how far counting by date is off, by the earlier capture's database."""
    day = day_of(frames.images, earlier)
    table = missed(frames, earlier, later, day)
    totals = both_ways(frames, earlier, later, day)
    lacks = "" if totals else word(ONE_CAPTURE)
    return Answer("missed-by-date", text=_missed(day, totals), table=table, lacks=lacks)


def undated_answer(findings: pd.DataFrame) -> Answer:
    """Answer which findings have no date or no severity."""
    findings = lenses.standing(findings)
    table = incomplete(findings)
    text = _incomplete(findings)
    return Answer("no-date-or-severity", text=text, table=table, searchable=True)


def chart(
    growth: pd.DataFrame,
    ends: pd.DataFrame,
    counted: str,
    events: Mapping[str, date],
    complete: date | None = None,
) -> Curves:
    """Return the curves of `growth`, with the ends of support that `confounders.ends` has."""
    curves, marks = [], []
    for place, (variant, rows) in enumerate(growth.groupby("variant", sort=False)):
        past = ends[ends["variant"].eq(variant) & ends["day"].le(rows["day"].max())]
        until = past[past["last"]]["day"].max()
        points = zip(rows["day"].dt.date, rows["count"].astype(float), strict=True)
        curves.append(Curve(variant, list(points), None if pd.isna(until) else until.date()))
        for end in past[past["day"].ge(rows["day"].min())].itertuples():
            count = float(rows[rows["day"].le(end.day)]["count"].iloc[-1])
            marks.append(Mark(place, end.day.date(), count, told(end.label), bool(end.last)))
    is_past = complete and len(growth) and complete < growth["day"].max().date()
    return Curves(
        curves,
        marks,
        [(day, what) for what, day in events.items()],
        t("day of publication (UTC)"),
        shown_counts.number_of(counted),
        complete if is_past else None,
    )


def headline(growth: pd.DataFrame, lens: Lens) -> str:
    """Return how each image's count went from its first day to its last."""
    parts = []
    for variant, rows in growth.groupby("variant", sort=False):
        first, last, status = rows["count"].iloc[0], rows["count"].iloc[-1], rows["status"].iloc[0]
        text = f"{escape.short(variant, 22)} {first:,} → {shown_counts.total(last, status)}"
        parts.append(Part(text, (last,), shown_counts.odd(status)))
    head = t("{counted} since the build", counted=begun(lens.short))
    return fitted(head, parts, in_the_end=True)


def _talk(growth: pd.DataFrame, drawn: Curves, lens: Lens) -> Talk:
    spans = [
        (variant, rows["count"].iloc[0], rows["count"].iloc[-1])
        for variant, rows in growth.groupby("variant", sort=False)
        if not shown_counts.odd(rows["status"].iloc[0])
    ]
    spans.sort(key=lambda span: span[1] - span[2])
    spoken = (
        t("Each line is an image, from the day on which it was built."),
        *_notes(drawn, lens),
        t("An image that nobody rebuilds collects known vulnerabilities."),
    )
    return Talk(FOUND, _grown(spans, lens), spoken=spoken)


def _notes(drawn: Curves, lens: Lens) -> list[str]:
    """Return the caveats of the curves, as sentences."""
    notes = []
    if any(curve.supported_until for curve in drawn.curves):
        notes.append(t("A line may go flat after the end of support because advisories stop."))
    if drawn.complete:
        notes.append(t("Data after {day:%Y-%m-%d} is incomplete.", day=drawn.complete))
    if lens.epss:
        notes.append(t("All days have the EPSS scores of one day."))
    return notes


def _grown(spans: list[tuple[str, int, int]], lens: Lens) -> str:
    """Return the largest growth as a headline; empty if no count grew."""
    grown = [span for span in spans if span[2] > span[1]]
    if not grown:
        return ""
    variant, first, last = grown[0]
    return t(
        "{variant} gained the most {what} since its build: {first:,} to {last:,}",
        variant=titles.name(variant),
        first=first,
        last=last,
        what=lens.short,
    )


def _missed(day: str, totals: Mapping[str, tuple[int, int]]) -> Text:
    """Return how far counting by date is off; `totals` are by date and by the DB, by variant."""
    return bullets(
        name(variant)
        + ": "
        + t(
            "{by_date:,} by date, {by_db:,} by the database of {day}",
            by_date=by_date,
            by_db=by_db,
            day=day,
        )
        for variant, (by_date, by_db) in totals.items()
    )


def _incomplete(findings: pd.DataFrame) -> Text:
    """Return how many findings lack a date or a severity, and how they count."""
    return paragraph(
        t(
            "Of {findings}, {undated:,} without a date are in no count by date; {unrated:,} "
            "without a severity are UNKNOWN, not harmless.",
            findings=number(len(findings), "finding"),
            undated=int(findings["published_at"].isna().sum()),
            unrated=int(findings["severity"].eq("UNKNOWN").sum()),
        )
    )


def _ever(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return the rows that a lens counts, of any publication date."""
    return lenses.apply(findings, lens._replace(known_by=""))


def _why_lost(merged: str, published: pd.Timestamp, is_suppressed: Any) -> Message:
    """Return why the date filter leaves out a finding that the database of that day listed."""
    if merged == "left_only":
        return Message("no longer in the later database")
    if is_suppressed:
        return Message("suppressed in the later capture")
    if pd.isna(published):
        return Message("no date")
    return Message("published on {day}", day=f"{published:%Y-%m-%d}")


def _why_gained(was_suppressed: bool) -> Message:
    """Return why the earlier capture does not count a finding that the date filter leaves in."""
    if was_suppressed:
        return Message("suppressed in the earlier capture")
    return Message("published, but not yet in the database of that day")


def _without(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of one frame that the other does not have."""
    return left[~_are_in(left, right)]


def _are_in(left: pd.DataFrame, right: pd.DataFrame) -> Any:
    """Return whether each finding of one frame is in the other, too."""
    return pd.MultiIndex.from_frame(left[_FINDING]).isin(pd.MultiIndex.from_frame(right[_FINDING]))
