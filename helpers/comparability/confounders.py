"""Is like compared with like? Ends of life, image age and runtime of the variants of a capture."""

from typing import Any

import pandas as pd

from helpers.comparability.end_of_life import advisories_until, end_of_life, named, release, spelled
from helpers.frames import COUNT, TEXT, TIME, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import AND, listed, name, number

COLUMNS = (
    {"capture": TEXT, "variant": TEXT, "as_of": TIME}
    | {"os": TEXT, "os_end_of_life": TIME, "advisories_until": TIME, "os_ended_days": COUNT}
    | {"built_at": TIME, "age_days": COUNT}
    | {"runtime": TEXT, "runtime_end_of_life": TIME, "runtime_ended_days": COUNT}
)
"""Columns of `confounders` and their dtypes."""

OS, RUNTIME = msg("operating system"), msg("runtime")
OS_END, AGE = msg("operating system's end of life"), msg("image age")
ASPECTS = (OS_END, AGE, RUNTIME)
"""What variants can be unlike in, apart from what they are compared for."""

APART_DAYS = 30
"""Days between two images that are too many: official images are built anew about once a month,
and each time with what was fixed meanwhile."""


def confounders(images: pd.DataFrame) -> pd.DataFrame:
    """Return what of each image is no matter of its base alone: one row an image, in order.

    `capture, variant, as_of` (day of the DB, else of the scan), `os, os_end_of_life,
    advisories_until, os_ended_days` (days past the end of life at `as_of`, negative before it),
    `built_at, age_days` (from built to `as_of`), `runtime, runtime_end_of_life,
    runtime_ended_days`. NA is not known; an image whose count is not known has NA in all.
    """
    rows = [_row(image) for image in images.itertuples()]
    return pd.DataFrame(
        {c: pd.Series([row.get(c) for row in rows], dtype=d) for c, d in COLUMNS.items()}
    )


def unlike(confounders: pd.DataFrame) -> list[str]:
    """Return in which of `ASPECTS` variants of one and the same capture are unlike."""
    differing = [_differs(one) for _, one in _captures(confounders)]
    return [aspect for aspect in ASPECTS if any(differs[aspect] for differs in differing)]


def banner(confounders: pd.DataFrame) -> str:
    """Return as Markdown whether like is compared with like, and what is known of each variant."""
    captures = _captures(confounders)
    if not captures:
        return _head(confounders, "")
    parts, silent = [], []
    for capture, one in captures:
        label = f" ({escape.markdown(capture)})" if len(captures) > 1 else ""
        lines = [
            f"- {name(c.variant)}: {_ending(OS, c)}; {_age(c)}; {_ending(RUNTIME, c)}"
            for c in one.itertuples()
        ]
        parts += [_head(one, label), "\n".join(lines)]
        past = one[_silent_days(one).gt(0).fillna(False)]
        silent += [f"{name(variant)}{label}" for variant in past["variant"]]
    notes = []
    if confounders["as_of"].notna().any():
        told = msg(
            "Days are counted to the day of the database, or of the scan where that is not known."
        )
        notes.append(word(told))
    if silent:
        told = t(
            "Past its distribution's support: {variants}. After it hardly an advisory comes, so a "
            "count that stands still is no merit.",
            variants=listed(silent),
        )
        notes.append(told)
    return "\n\n".join(filter(None, [*parts, " ".join(notes)]))


def mark(confounders: pd.DataFrame) -> str:
    """Return in what variants are unlike, for a figure's footer; empty where nothing differs."""
    short = {OS_END: msg("OS end of life")}
    told = listed(word(short.get(aspect, aspect)) for aspect in unlike(confounders))
    return t("not like with like: {aspects}", aspects=told) if told else ""


def ends(confounders: pd.DataFrame) -> pd.DataFrame:
    """Return the days on which support of each operating system ends: `variant, day, label, last`.

    One row a variant and end. `last` says that no advisories follow; Debian's end of life comes
    before that of its LTS.
    """
    rows = []
    for row in confounders.drop_duplicates("variant").itertuples():
        system = spelled(row.os) if pd.notna(row.os) else ""
        life, until = row.os_end_of_life, row.advisories_until
        if pd.notna(life):
            label = t("{system}: end of life", system=system)
            rows.append((row.variant, life, label, life == until))
        if pd.notna(until) and life != until:
            rows.append((row.variant, until, t("{system}: end of LTS", system=system), True))
    table = pd.DataFrame(rows, columns=["variant", "day", "label", "last"])
    return table.astype({"variant": "str", "day": TIME, "label": "str", "last": "bool"})


def _row(image: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"capture": image.capture, "variant": image.variant}
    if image.status in UNKNOWN_COUNT:
        # What has no count is compared with nothing.
        return row
    row["as_of"] = _day(image.db_updated_at) or _day(image.scanned_at)
    if pd.notna(image.os_family):
        version = "" if pd.isna(image.os_version) else image.os_version
        row["os"] = f"{image.os_family} {version}".strip()
        row["os_end_of_life"] = _day(end_of_life(image.os_family, version))
        row["advisories_until"] = _day(advisories_until(image.os_family, version))
        row["os_ended_days"] = _days(row["os_end_of_life"], row["as_of"])
    if pd.notna(image.created_at):
        row["built_at"] = image.created_at
        row["age_days"] = _days(_day(image.created_at), row["as_of"])
    if pd.notna(image.runtime):
        row["runtime"] = image.runtime
        row["runtime_end_of_life"] = _day(end_of_life(*named(image.runtime)))
        row["runtime_ended_days"] = _days(row["runtime_end_of_life"], row["as_of"])
    return row


def _day(value: Any) -> pd.Timestamp | None:
    """Return the day of a date or a time in UTC."""
    return None if pd.isna(value) else pd.to_datetime(value, utc=True).normalize()


def _days(start: pd.Timestamp | None, end: pd.Timestamp | None) -> int | None:
    return None if start is None or end is None else int((end - start).days)


def _captures(confounders: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return list(confounders.groupby("capture", sort=False, dropna=False))


def _differs(one: pd.DataFrame) -> dict[str, bool | None]:
    """Return of each aspect whether variants are unlike in it; `None`: known of fewer than two."""
    ended, ages = one["os_ended_days"].dropna(), one["age_days"].dropna()
    runtimes = one["runtime"].dropna().map(release).dropna()
    past = ended.gt(0)
    # Both past it, but one for long: meanwhile advisories went on for the other.
    apart = _spread(_silent_days(one).dropna().clip(lower=0)) > APART_DAYS
    return {
        OS_END: past.nunique() > 1 or apart if len(ended) > 1 else None,
        AGE: _spread(ages) > APART_DAYS if len(ages) > 1 else None,
        RUNTIME: runtimes.nunique() > 1 if len(runtimes) > 1 else None,
    }


def _silent_days(confounders: pd.DataFrame) -> pd.Series:
    """Return the days since nobody publishes advisories; negative before that, NA: not known."""
    return (confounders["as_of"] - confounders["advisories_until"]).dt.days.astype(COUNT)


def _spread(days: pd.Series) -> int:
    return int(days.max() - days.min()) if len(days) else 0


def _head(one: pd.DataFrame, label: str) -> str:
    """Return in bold whether the variants of a capture are alike, and in what."""
    if len(one) < 2:
        if len(one):
            return t("**Nothing to compare{capture}:** there is one variant only.", capture=label)
        return t("**Nothing to compare{capture}:** there is no variant.", capture=label)
    differs = _differs(one)
    different, alike, unknown = (
        listed(word(aspect) for aspect in ASPECTS if differs[aspect] is value)
        for value in (True, False, None)
    )
    apart = _apart(one, [aspect for aspect in ASPECTS if differs[aspect]])
    if apart:
        told = t(
            "**Not like with like{capture}:** {differences}; so what else variants differ in is "
            "not due to their bases alone.",
            capture=label,
            differences=listed(apart, "; "),
        )
    elif different:
        told = t(
            "**Not like with like{capture}:** the variants differ in {aspects}, so what else they "
            "differ in is not due to their bases alone.",
            capture=label,
            aspects=different,
        )
    elif alike:
        told = t(
            "**Nothing known differs{capture}:** the variants are alike in {aspects}.",
            capture=label,
            aspects=alike,
        )
    else:
        told = t("**Whether this is like with like is not known{capture}.**", capture=label)
    if unknown:
        told += " " + t(
            "Known of fewer than two variants, so not compared: {aspects}.", aspects=unknown
        )
    return told


def _apart(one: pd.DataFrame, aspects: list[str]) -> list[str]:
    """Return which few differ from all others, and in what; nothing where no most are alike."""
    found: dict[tuple[str, ...], list[str]] = {}
    for aspect in aspects:
        found.setdefault(_few(one, aspect), []).append(word(aspect))
    told = []
    for variants, own in found.items():
        who, in_ = listed(map(name, variants), AND), listed(own)
        others = len(one) - len(variants)
        if not variants:
            told.append(t("the variants differ in {aspects}", aspects=in_))
        elif len(variants) == 1:
            text = t(
                "{variant} differs in {aspects}, the other {count:,} are alike in that",
                variant=who,
                aspects=in_,
                count=others,
            )
            told.append(text)
        else:
            text = t(
                "{variants} differ in {aspects} from the other {count:,}, which are alike in that",
                variants=who,
                aspects=in_,
                count=others,
            )
            told.append(text)
    return told if any(found) else []


def _few(one: pd.DataFrame, aspect: str) -> tuple[str, ...]:
    """Return the variants that differ from most, which are alike; none if that is not so."""
    classes = _classes(one, aspect)
    sizes = classes.value_counts()
    if classes.isna().any() or sizes.iloc[0] * 2 <= len(one):
        return ()
    return tuple(one[classes.ne(sizes.index[0])]["variant"])


def _classes(one: pd.DataFrame, aspect: str) -> pd.Series:
    """Return of each variant a class of those that are alike in an aspect; NA if not known."""
    if aspect == RUNTIME:
        return one["runtime"].map(release, na_action="ignore")
    days = one["age_days"] if aspect == AGE else _silent_days(one).clip(lower=0)
    steps = days.sort_values().diff().gt(APART_DAYS).fillna(False).cumsum()
    classes = steps.reindex(days.index).astype(COUNT).mask(days.isna())
    # A chain of small steps may be longer than what is alike.
    of = days.groupby(classes)
    classes = classes.mask((of.transform("max") - of.transform("min")).gt(APART_DAYS).fillna(True))
    return classes * 2 + one["os_ended_days"].gt(0) if aspect == OS_END else classes


def _ending(what: str, row: Any) -> str:
    """Return what a variant's operating system or runtime is, and when that ends."""
    is_os = what == OS
    text, end = (row.os, row.os_end_of_life) if is_os else (row.runtime, row.runtime_end_of_life)
    if pd.isna(text):
        return t("{aspect} not known", aspect=word(what))
    told = escape.markdown(spelled(text))
    if pd.isna(end):
        return t("{product}, end of life not known", product=told)
    told = t("{product}, end of life {day:%Y-%m-%d}", product=told, day=end)
    if pd.notna(row.as_of):
        days = (row.as_of - end).days
        apart = number(abs(days), "day")
        told += ", " + (
            t("{days} before {day:%Y-%m-%d}", days=apart, day=row.as_of)
            if days >= 0
            else t("{days} after {day:%Y-%m-%d}", days=apart, day=row.as_of)
        )
    if is_os and row.advisories_until != end:
        told += t(", LTS advisories until {day:%Y-%m-%d}", day=row.advisories_until)
    return told


def _age(row: Any) -> str:
    """Return how old an image is, in whole years and months, or in days if it is younger."""
    if pd.isna(row.built_at):
        return word(msg("image age not known"))
    if pd.isna(row.age_days):
        return t("image built {day:%Y-%m-%d}", day=row.built_at)
    if row.age_days < 0:
        days = number(-row.age_days, "day")
        return t("image built {days} after {day:%Y-%m-%d}", days=days, day=row.as_of)
    built, as_of = row.built_at, row.as_of
    months = (as_of.year - built.year) * 12 + as_of.month - built.month - (as_of.day < built.day)
    years, rest = divmod(int(months), 12)
    parts = [number(years, "year")] if years else []
    parts += [number(rest, "month")] if rest else []
    return t("image {age} old", age=" ".join(parts) or number(row.age_days, "day"))
