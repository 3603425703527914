"""How many known vulnerabilities an image had on each day, told from when they were published."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from helpers.frames import SEVERITY, UNKNOWN_COUNT, Frames
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, number
from helpers.text.titles import Part, begun, fitted, odd, total
from helpers.vulnerabilities import counting, lenses
from helpers.vulnerabilities.lenses import Lens

SHORTEST = pd.Timedelta(days=3)
"""Time between an image and its database below which there is no growth to show."""

_IMAGE = ["capture", "variant"]
_COLUMNS = [*_IMAGE, "status", "day", "count"]
_FINDING = ["vulnerability_id", "package"]


def growth(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return what had been published of each image by each day on which that changed.

    `capture, variant, status, day, count`: from the day on which an image was built, with what was
    known already, to the day of its database. An image whose build day is not known starts with its
    first vulnerability. What has no date is not in it, and the lens's own date is not used: on any
    day the count is that of the lens with `known_by` that day.
    """
    # Of what is counted once, the earliest day counts: from then on it was known.
    seen = lenses.apply(findings, lens._replace(known_by="", counted=lenses.FINDINGS))
    dated = seen.dropna(subset="published_at").sort_values("published_at", kind="stable")
    counted = lenses.distinct(dated, lens.counted)
    known = images[~images["status"].isin(UNKNOWN_COUNT)]
    parts = [_of(counted, image) for image in known.itertuples()]
    empty = pd.DataFrame({c: pd.Series(dtype="str") for c in _COLUMNS})
    return pd.concat(parts, ignore_index=True) if parts else empty


def _of(counted: pd.DataFrame, image: object) -> pd.DataFrame:
    capture, variant, start = image.capture, image.variant, image.created_at  # type: ignore[attr-defined]
    own = counted[counted["capture"].eq(capture) & counted["variant"].eq(variant)]
    days = own["published_at"].dropna().dt.floor("D").sort_values()
    end = image.db_updated_at if pd.notna(image.db_updated_at) else image.scanned_at  # type: ignore[attr-defined]
    steps = days.value_counts().sort_index().cumsum()
    ends = [day.floor("D") for day in (start, end) if pd.notna(day)]
    every = steps.index.union(pd.DatetimeIndex(ends, dtype=steps.index.dtype))
    if pd.notna(start):
        every = every[every >= start.floor("D")]
    counts = steps.reindex(every, method="ffill").fillna(0).astype("int64")
    about = {"capture": capture, "variant": variant, "status": image.status}  # type: ignore[attr-defined]
    return pd.DataFrame({**about, "day": every, "count": counts.to_numpy()})


def label(lens: Lens) -> str:
    """Return what a curve counts: the lens without its day, for the days are the axis."""
    return lens._replace(known_by="").label


def headline(growth: pd.DataFrame, lens: Lens) -> str:
    """Return how each image's count went from its first day to its last."""
    parts = []
    for variant, rows in growth.groupby("variant", sort=False):
        first, last, status = rows["count"].iloc[0], rows["count"].iloc[-1], rows["status"].iloc[0]
        text = f"{escape.short(variant, 22)} {first:,} → {total(last, status)}"
        parts.append(Part(text, (last,), odd(status)))
    head = t("{counted} since they were built", counted=begun(lens.short))
    if growth.empty:
        return f"{head}: {word(msg('nothing measured'))}"
    if growth["day"].max() - growth["day"].min() < SHORTEST:
        return t(
            "Too young to have grown: built on the day of the database ({counted})",
            counted=lens.short,
        )
    return fitted(head, parts, in_the_end=True)


def sentence(growth: pd.DataFrame, ends: pd.DataFrame, findings: pd.DataFrame) -> str:
    """Return how many were published of each image, how many since its support ended, or undated.

    `findings` are those that the curves are made of.
    """
    lines = []
    undated = lenses.undated(findings)["variant"].value_counts()
    for variant, rows in growth.groupby("variant", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        told = t(
            "{first:,} on {first_day:%Y-%m-%d}, {last:,} on {last_day:%Y-%m-%d}",
            first=first["count"],
            first_day=first["day"],
            last=last["count"],
            last_day=last["day"],
        )
        stop = ends[ends["variant"].eq(variant) & ends["last"]]["day"]
        told += _after(rows, stop.iloc[0]) if len(stop) else ""
        if missing := int(undated.get(variant, 0)):
            findings_ = number(missing, "finding")
            told += t("; {findings} without a date not among them", findings=findings_)
        lines.append(f"- {name(variant)}: {told}")
    if not lines:
        return word(msg("No image was measured, so nothing is known of its growth."))
    note = t(
        "A line that goes flat once support has ended shows that advisories are no longer written, "
        "not that nothing is found."
    )
    return "\n".join([*lines, "", note])


def _after(rows: pd.DataFrame, stop: pd.Timestamp) -> str:
    """Return what came of an image after its support had ended; empty if it has not yet."""
    first, last = rows.iloc[0], rows.iloc[-1]
    if stop < first["day"]:
        return t("; support had ended on {day:%Y-%m-%d} already", day=stop)
    if stop >= last["day"]:
        return ""
    later = int(last["count"]) - int(rows[rows["day"].le(stop)]["count"].iloc[-1])
    if not later:
        return t("; support ended on {day:%Y-%m-%d}, none followed", day=stop)
    return t(
        "; support ended on {day:%Y-%m-%d}, {count:,} more followed, the last on {newest:%Y-%m-%d}",
        day=stop,
        count=later,
        newest=rows[rows["count"].diff().gt(0)]["day"].max(),
    )


def on(growth: pd.DataFrame, day: str | date) -> pd.Series:
    """Return the count of each variant on a day, by variant; none before an image's first day."""
    by_then = growth[growth["day"].lt(pd.Timestamp(day, tz="UTC") + pd.Timedelta(days=1))]
    return by_then.groupby("variant", sort=False)["count"].last()


def nameless(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that have no date or no severity, one row each: `variant …, lacks`."""
    undated, unrated = findings["published_at"].isna(), findings["severity"].eq("UNKNOWN")
    lacks = pd.Series(msg("a date"), index=findings.index)
    lacks = lacks.mask(unrated & ~undated, msg("a severity"))
    lacks = lacks.mask(unrated & undated, msg("a date and a severity"))
    told = ["variant", *_FINDING, "severity"]
    return findings.assign(lacks=lacks)[undated | unrated][[*told, "lacks"]].reset_index(drop=True)


def nameless_sentence(table: pd.DataFrame, findings: pd.DataFrame) -> str:
    """Return how many findings have no date or no severity, and what that does to counts."""
    if table.empty:
        return word(msg("Every finding has a date and a severity."))
    lines = []
    for variant, rows in table.groupby("variant", sort=False):
        undated = int(rows["lacks"].str.contains("date").sum())
        unrated = int(rows["lacks"].str.contains("severity").sum())
        whole = int(findings["variant"].eq(variant).sum())
        told = t(
            "of {findings}, {undated:,} without a date and {unrated:,} without a severity",
            findings=number(whole, "finding"),
            undated=undated,
            unrated=unrated,
        )
        lines.append(f"- {name(variant)}: {told}")
    note = t(
        "What has no date is in no count by date and in no curve; what has no severity counts as "
        "UNKNOWN, which is not harmless."
    )
    return "\n".join([*lines, "", note])


def missed(frames: Frames, earlier: str, later: str, day: str | date) -> pd.DataFrame:
    """Return where the later capture, filtered by date, and the earlier one's database differ.

    One row a finding: `variant, vulnerability_id, package, severity, only_in, why`. `only_in` is
    `the database of that day` or `the date filter`. Of variants that were measured in both.
    """
    columns = ["variant", *_FINDING, "severity", "only_in", "why"]
    if earlier == later or not day:
        return pd.DataFrame({column: pd.Series(dtype="str") for column in columns})
    findings, images = frames.findings, frames.images
    measured = images[~images["status"].isin(UNKNOWN_COUNT)]
    twice = set(measured[measured["capture"].eq(earlier)]["variant"]) & set(
        measured[measured["capture"].eq(later)]["variant"]
    )
    own = findings[findings["variant"].isin(twice)]
    keys = ["variant", *_FINDING]
    of_day = own[own["capture"].eq(earlier)].drop_duplicates(keys)
    today = own[own["capture"].eq(later)].drop_duplicates(keys)
    filtered = lenses.known_by(today, day)
    lost = _without(of_day, filtered, keys).merge(
        today[[*keys, "published_at"]], how="left", on=keys, suffixes=("", "_later"), indicator=True
    )
    days = lost["published_at_later"].dt.strftime("%Y-%m-%d")
    dated = days.map(lambda day: t("published only {day}", day=day), na_action="ignore")
    dated = dated.astype("str")
    why = dated.fillna(word(msg("it has no date"))).mask(
        lost["_merge"].eq("left_only"), word(msg("the later database lists it no more"))
    )
    lost = lost.assign(only_in=msg("the database of that day"), why=why)
    gained = _without(filtered, of_day, keys).assign(
        only_in=msg("the date filter"),
        why=word(msg("published by then, but the database of that day did not list it")),
    )
    both = pd.concat([lost[columns], gained[columns]]).astype({"severity": SEVERITY})
    return both.sort_values(columns[:3], ignore_index=True)


def day_of(images: pd.DataFrame, capture: str) -> str:
    """Return the day of a capture's database, else of its scan; empty if neither is known."""
    own = images[images["capture"].eq(capture)]
    days = own["db_updated_at"].fillna(own["scanned_at"]).dropna()
    return f"{days.max():%Y-%m-%d}" if len(days) else ""


def both_ways(
    frames: Frames, earlier: str, later: str, day: str | date
) -> dict[str, tuple[int, int]]:
    """Return of each variant how many findings there are by date and by the DB of that day.

    None if there is one capture only, or no day.
    """
    if earlier == later or not day:
        return {}
    totals = []
    for capture, lens in ((later, Lens(known_by=str(day))), (earlier, lenses.PLAIN)):
        images = frames.images[frames.images["capture"].eq(capture)]
        findings = frames.findings[frames.findings["capture"].eq(capture)]
        counts = counting.totals(counting.severity_counts(findings, images, lens))
        totals.append(counts.set_index("variant")["total"].dropna())
    by_date, by_db = totals
    return {v: (int(by_date[v]), int(by_db[v])) for v in by_db.index if v in by_date.index}


def missed_sentence(table: pd.DataFrame, day: str, totals: Mapping[str, tuple[int, int]]) -> str:
    """Return how far counting by date is off; `totals` are by date and by the DB, by variant."""
    if not totals:
        return word(
            msg(
                "Counting by date is an approximation. How far it is off is not known here: that "
                "takes a capture with a database of that day."
            )
        )
    lines = [
        f"- {name(variant)}: "
        + t(
            "{by_date:,} by date, {by_db:,} by the database of {day}",
            by_date=by_date,
            by_db=by_db,
            day=day,
        )
        for variant, (by_date, by_db) in totals.items()
    ]
    reasons = table["why"].str.replace(r"\d{4}-\d\d-\d\d", word(msg("later")), regex=True)
    told = listed(f"{count:,} × {why}" for why, count in reasons.value_counts().items())
    reasons_ = told or word(msg("here it is exact"))
    return "\n".join([*lines, "", t("Counting by date is an approximation: {why}.", why=reasons_)])


def _without(left: pd.DataFrame, right: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows of one frame whose keys the other does not have."""
    there = pd.MultiIndex.from_frame(left[keys]).isin(pd.MultiIndex.from_frame(right[keys]))
    return left[~there]
