"""Do the images differ in more than their base? Their ends of life, ages and runtimes."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from helpers.answers.answer import BANNER, Answer
from helpers.answers.talk import ALIKE, Table, Talk
from helpers.answers.talk import named as eachimages
from helpers.comparability import judges, scan_consistency, scanner_releases
from helpers.comparability.end_of_life import (
    advisories_until,
    end_of_life,
    named,
    product,
    release,
    spelled,
)
from helpers.frames import COUNT, TEXT, TIME, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import Message, msg, t, word
from helpers.text.rich import AND, Phrase, Text, bullets, listed, name, number, paragraph, say

COLUMNS = (
    {"capture": TEXT, "variant": TEXT, "as_of": TIME}
    | {"os": TEXT, "os_end_of_life": TIME, "advisories_until": TIME, "os_ended_days": COUNT}
    | {"built_at": TIME, "age_days": COUNT}
    | {"runtime": TEXT, "runtime_end_of_life": TIME, "runtime_ended_days": COUNT}
    | {"processor": TEXT, "judged_by": TEXT}
)
"""Columns of `confounders` and their dtypes."""

_NOT_SHOWN = ["as_of", "os_ended_days", "runtime_ended_days"]
"""Columns that follow from others: with these the table does not fit on paper."""

OS, RUNTIME = msg("operating system"), msg("runtime")
OS_END, AGE = msg("operating system's end of life"), msg("image age")
RUNTIME_VERSION, PROCESSOR = msg("runtime version"), msg("processor")
JUDGE = msg("judge (vendor or distribution)")
ASPECTS = (OS_END, AGE, RUNTIME, RUNTIME_VERSION, PROCESSOR, JUDGE)
"""What variants may differ in besides their bases. Runtimes differ by their release line, or within
one line by their version."""

_ALWAYS = (OS_END, AGE, RUNTIME)
"""What is said of every capture; of the others only if variants differ in it."""

_KNOWN_BY = (
    {OS_END: "os_ended_days", AGE: "age_days"}
    | dict.fromkeys((RUNTIME, RUNTIME_VERSION), "runtime")
    | {PROCESSOR: "processor", JUDGE: "judged_by"}
)
"""The column of each aspect."""

_NAMED = 4
"""Versions that are named one by one; of more the first and the last are."""

_SHARES = [0.226, 0.166, 0.14, 0.14, 0.188, 0.14]
"""Shares of the width of the columns on a slide: names and versions take more than days."""

APART_DAYS = 30
"""Days between two images above which their ages differ: official images are rebuilt about once a
month, each time with the fixes since."""


def confounders(images: pd.DataFrame, as_of: date | None = None) -> pd.DataFrame:
    """Return what each image has besides its base: one row an image, in order.

    `capture, variant, as_of` (the given day, else that of the DB, else of the scan), `os,
    os_end_of_life, advisories_until, os_ended_days` (days past the end of life at `as_of`, negative
    before it), `built_at, age_days` (from built to `as_of`), `runtime, runtime_end_of_life,
    runtime_ended_days`, `processor` (as in `arm64`), `judged_by` (as the images have it). NA is not
    known; an image that was not measured has NA in all.
    """
    rows = [_row(image, as_of) for image in images.itertuples()]
    return pd.DataFrame(
        {c: pd.Series([row.get(c) for row in rows], dtype=d) for c, d in COLUMNS.items()}
    )


def packages_day(image: Any) -> pd.Timestamp | None:
    """Return the last day that an image's packages can be of; `None` if that is not known.

    That is its build's, or that of the last advisories for its base if that came before.
    """
    built = _day(image.created_at)
    if built is None or pd.isna(image.os_family):
        return built
    version = "" if pd.isna(image.os_version) else image.os_version
    until = _day(advisories_until(image.os_family, version))
    return built if until is None else min(built, until)


def packages_age(confounders: pd.DataFrame) -> pd.Series:
    """Return how many days old each image's packages are at least.

    As old as the image, or as the end of advisories for its base if it was built after that: the
    build's day says nothing of packages that no longer change.
    """
    ended = confounders["built_at"].gt(confounders["advisories_until"])
    return confounders["age_days"].mask(ended.fillna(False), _silent_days(confounders))


def differs(confounders: pd.DataFrame) -> dict[str, bool | None]:
    """Return for each of `ASPECTS` whether variants of the same capture differ in it.

    `None`: of no capture is it known of two variants.
    """
    each = [_differs(rows) for _, rows in _captures(confounders)]
    known = {a: [found[a] for found in each if found[a] is not None] for a in ASPECTS}
    return {aspect: any(values) if values else None for aspect, values in known.items()}


def unlike(confounders: pd.DataFrame) -> list[str]:
    """Return in which of `ASPECTS` variants of the same capture differ."""
    return [aspect for aspect, value in differs(confounders).items() if value]


def versions(confounders: pd.DataFrame) -> dict[str, list[str]]:
    """Return the versions of each release line of a runtime that has several, in order.

    Of one capture. A line is as in `node 24`. A version that is cut short, as 24 beside 24.19.0, is
    not another one.
    """
    exact = confounders["runtime"].dropna().drop_duplicates()
    exact = exact[~_cut_short(exact)]
    found: dict[str, set[str]] = {}
    for runtime in exact:
        if line := release(runtime):
            found.setdefault(line, set()).add(_version(runtime))
    return {line: sorted(each, key=_order) for line, each in found.items() if len(each) > 1}


def answer(images: pd.DataFrame) -> Answer:
    """Answer whether images differ in more than their base, and whether they were scanned alike.

    The first paragraph is the verdict.
    """
    table = confounders(images)
    text = _text(table) + judges.text(images)
    text += scan_consistency.text(images) + scanner_releases.text(images)
    return Answer(
        "confounders",
        text=text,
        table=table,
        role=BANNER,
        shown=table.drop(columns=_NOT_SHOWN),
        talks=(_talk(table),),
    )


def mark(confounders: pd.DataFrame) -> str:
    """Return in what variants differ, for a figure's footer; empty if in nothing known."""
    short = {OS_END: msg("OS end of life")}
    aspects = ", ".join(word(short.get(aspect, aspect)) for aspect in unlike(confounders))
    return t("images also differ in {aspects}", aspects=aspects) if aspects else ""


def ends(confounders: pd.DataFrame) -> pd.DataFrame:
    """Return the days on which support of each operating system ends: `variant, day, label, last`.

    One row a variant and end. `label` holds messages. `last`: no advisories follow; Debian's end of
    life comes before that of its LTS.
    """
    rows = []
    for row in confounders.drop_duplicates("variant").itertuples():
        system = spelled(row.os) if pd.notna(row.os) else ""
        life, until = row.os_end_of_life, row.advisories_until
        if pd.notna(life):
            label = Message("{system}: end of life", system=system)
            rows.append((row.variant, life, label, life == until))
        if pd.notna(until) and life != until:
            label = Message("{system}: end of LTS", system=system)
            rows.append((row.variant, until, label, True))
    dtypes = {"variant": "str", "day": TIME, "label": "object", "last": "bool"}
    columns = zip(*rows, strict=True) if rows else ((),) * len(dtypes)
    return pd.DataFrame(
        {c: pd.Series(v, dtype=d) for (c, d), v in zip(dtypes.items(), columns, strict=True)}
    )


def _row(image: Any, as_of: date | None) -> dict[str, Any]:
    row: dict[str, Any] = {"capture": image.capture, "variant": image.variant}
    if image.status in UNKNOWN_COUNT:
        # Without a count it is compared with nothing.
        return row
    row["as_of"] = _day(as_of) or _day(image.db_updated_at) or _day(image.scanned_at)
    row["processor"] = _processor(image.architecture)
    row["judged_by"] = image.judged_by
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


def _processor(architecture: Any) -> str | None:
    """Return a processor without its usual variant: `arm64` and `arm64/v8` are one.

    https://github.com/opencontainers/image-spec/blob/main/image-index.md#platform-variants
    """
    if pd.isna(architecture):
        return None
    return str(architecture).removesuffix("/v8").removesuffix("/v1")


def _day(value: Any) -> pd.Timestamp | None:
    """Return the day of a date or a time in UTC."""
    return None if pd.isna(value) else pd.to_datetime(value, utc=True).normalize()


def _days(start: pd.Timestamp | None, end: pd.Timestamp | None) -> int | None:
    return None if start is None or end is None else int((end - start).days)


def _captures(confounders: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return list(confounders.groupby("capture", sort=False, dropna=False))


def _text(confounders: pd.DataFrame) -> Text:
    """Return whether like is compared with like, and what is known of each variant."""
    captures = _captures(confounders)
    text, silent = Text(), []
    for capture, rows in captures or [("", confounders)]:
        label = f" ({capture})" if len(captures) > 1 else ""
        lines = (
            name(row.variant) + ": " + _ending(OS, row) + f"; {_age(row)}; " + _ending(RUNTIME, row)
            for row in rows.itertuples()
        )
        text += paragraph(_head(rows, label)) + bullets(lines)
        past = rows[_silent_days(rows).gt(0).fillna(False)]
        silent += [name(variant) + label for variant in past["variant"]]
    after = confounders["built_at"].gt(confounders["advisories_until"]).fillna(False)
    late = dict.fromkeys(confounders[after]["variant"])
    notes = [
        say(
            "Built after the last advisories for their base: {variants}. Their "
            "packages are at least that old.",
            variants=listed(map(name, late)),
        )
        if late
        else Phrase(),
        say(
            "Days are counted up to the day of the database, or of the scan if that day is unknown."
        )
        if confounders["as_of"].notna().any()
        else Phrase(),
        say(
            "Past support: {variants}. Few advisories follow, so an unchanged count "
            "is not good news.",
            variants=listed(silent),
        )
        if silent
        else Phrase(),
    ]
    said = [note for note in notes if note]
    return text + (paragraph(listed(said, " ")) if said else Text())


def _talk(confounders: pd.DataFrame) -> Talk:
    """Return what is told of the images' ends of life, ages and runtimes, as a table."""
    rows = confounders.drop_duplicates("variant")
    found = differs(confounders)
    differing = [aspect for aspect in ASPECTS if found[aspect]]
    alike = [aspect for aspect in _ALWAYS if found[aspect] is False]
    captures = _captures(confounders)
    aspects = listed(
        map(word, differing) if differing else (_alike_in(a, found, confounders) for a in alike),
        last=AND,
    ).plain
    headline = msg("It is unknown whether the images differ in more than their base")
    meaning = msg("Too little is known of the images, so a difference may have many reasons.")
    if differing:
        headline = msg("The images differ in more than their base: {aspects}")
        meaning = msg("They differ in {aspects}, so not every difference is due to the base.")
    elif alike:
        headline = msg("The images differ only in their base, as far as is known")
        meaning = msg("They are alike in {aspects}.")
    apart = _apart(rows, differing) if len(captures) == 1 else []
    odd = [f"{part.plain}." for part in apart]
    apart_versions = [_within_line(images).plain for _, images in captures]
    past = rows[_silent_days(rows).gt(0).fillna(False)]
    ended = t(
        "Few advisories follow for {variants}, so an unchanged count there is not good news.",
        variants=eachimages(past["variant"]),
    )
    cells = [
        [
            escape.short(row.variant, 34),
            t("not known") if pd.isna(row.os) else spelled(row.os),
            _on(row.advisories_until),
            _on(row.built_at),
            t("not known") if pd.isna(row.runtime) else spelled(row.runtime),
            _on(row.runtime_end_of_life),
        ]
        for row in rows.itertuples()
    ]
    head = [t("image"), t("system"), t("supported until"), t("built")]
    head += [t("runtime"), t("supported until")]
    spoken = (
        t("Before numbers are compared: do the images differ in more than their base?"),
        *(odd or [word(meaning).format(aspects=aspects)]),
        *dict.fromkeys(filter(None, apart_versions)),
        *([ended] if len(past) else []),
        *([t("Keep these differences in mind on the slides that follow.")] if differing else []),
    )
    table = Table(head, cells, _SHARES)
    return Talk(ALIKE, word(headline).format(aspects=aspects), table=table, spoken=spoken)


def _on(day: Any) -> str:
    """Return a day, if it is known."""
    return t("not known") if pd.isna(day) else f"{day:%Y-%m-%d}"


def _differs(rows: pd.DataFrame) -> dict[str, bool | None]:
    """Return for each aspect whether variants differ; `None`: known of fewer than two."""
    ended, ages = rows["os_ended_days"].dropna(), packages_age(rows).dropna()
    runtimes = rows["runtime"].dropna().map(release).dropna()
    is_cut = _cut_short(rows["runtime"].dropna()).any()
    past = ended.gt(0)
    # Both are past it, but advisories for one went on longer.
    apart = _spread(_silent_days(rows).dropna().clip(lower=0)) > APART_DAYS
    return {
        OS_END: past.nunique() > 1 or apart if len(ended) > 1 else None,
        AGE: _spread(ages) > APART_DAYS if len(ages) > 1 else None,
        RUNTIME: runtimes.nunique() > 1 if len(runtimes) > 1 else None,
        RUNTIME_VERSION: bool(versions(rows)) or (None if is_cut or len(runtimes) < 2 else False),
        PROCESSOR: rows["processor"].nunique() > 1,
        JUDGE: bool(judges.own(rows)),
    }


def _version(runtime: str) -> str:
    return named(runtime)[1].removeprefix("v")


def _order(version: str) -> list[tuple[bool, int, str]]:
    """Return what sorts versions by their numbers: 3.9 before 3.10."""
    parts = re.split(r"\D+", version)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _cut_short(runtimes: pd.Series) -> pd.Series:
    """Return which versions are the beginning of another's of the same product."""
    each = {(product(named(text)[0]), _version(text)) for text in runtimes}
    return runtimes.map(
        lambda text: any(
            name == product(named(text)[0]) and version.startswith(f"{_version(text)}.")
            for name, version in each
        )
    ).astype(bool)


def _within_line(rows: pd.DataFrame) -> Phrase:
    """Return which versions of one release line differ, as sentences; empty if none do."""
    # What the table of ends does not have, it has no release line of.
    known = {release(runtime) for runtime in rows[rows["runtime_end_of_life"].notna()]["runtime"]}
    return listed(
        (
            say(
                "Versions {versions} differ within one release line, {line}.",
                versions=_few_versions(found),
                line=spelled(line),
            )
            if line in known
            else say(
                "Versions {versions} of {product} differ.",
                versions=_few_versions(found),
                product=spelled(named(line)[0]),
            )
            for line, found in versions(rows).items()
        ),
        " ",
    )


def _few_versions(found: list[str]) -> Phrase:
    if len(found) <= _NAMED:
        return listed(found, last=AND)
    return say("{first} to {last}", first=found[0], last=found[-1])


def _alike_in(aspect: str, differing: Mapping[str, bool | None], rows: pd.DataFrame) -> str:
    """Return an aspect in which images are alike, and of how many it is known if not of all."""
    # Where one is 24 and another is 24.19.0, no more is known.
    is_line = aspect == RUNTIME and differing[RUNTIME_VERSION] is None
    label = t("release line of the runtime") if is_line else word(aspect)
    count = int(rows[_KNOWN_BY[aspect]].notna().sum())
    if count == len(rows):
        return label
    return t("{aspect} (known of {count} of {of})", aspect=label, count=count, of=len(rows))


def _silent_days(confounders: pd.DataFrame) -> pd.Series:
    """Return the days since the last advisories; negative before that, NA: not known."""
    return (confounders["as_of"] - confounders["advisories_until"]).dt.days.astype(COUNT)


def _spread(days: pd.Series) -> int:
    return int(days.max() - days.min()) if len(days) else 0


def _head(rows: pd.DataFrame, label: str) -> Phrase:
    """Return whether the variants of a capture are alike, and in what they differ."""
    if rows.empty:
        return say("**Nothing to compare{capture}:** there is no variant.", capture=label)
    if len(rows) == 1:
        return say("**Nothing to compare{capture}:** there is one variant only.", capture=label)
    found = _differs(rows)
    different = listed((word(aspect) for aspect in ASPECTS if found[aspect]), last=AND)
    alike = listed((_alike_in(a, found, rows) for a in _ALWAYS if found[a] is False), last=AND)
    unknown = listed((word(aspect) for aspect in _ALWAYS if found[aspect] is None), last=AND)
    apart = _apart(rows, [aspect for aspect in ASPECTS if found[aspect]])
    form = msg("**It is unknown whether the images differ in more than their base{capture}.**")
    if apart:
        form = msg(
            "**The images differ in more than their base{capture}:** {differences}. "
            "The base alone does not explain their differences."
        )
    elif different:
        form = msg(
            "**The images differ in more than their base{capture}:** in {aspects}. "
            "The base alone does not explain their differences."
        )
    elif alike:
        form = msg(
            "**The images differ only in their base, as far as is "
            "known{capture}:** they are alike in {aspects}."
        )
    differences = listed(apart, "; ")
    text = say(form, capture=label, differences=differences, aspects=different or alike)
    if within := _within_line(rows):
        text += " " + within
    if unknown:
        text += " " + say(
            "Known of fewer than two images, so not compared: {aspects}.", aspects=unknown
        )
    return text


def _apart(rows: pd.DataFrame, aspects: list[str]) -> list[Phrase]:
    """Return which few differ from all others, and in what; nothing if no majority is alike."""
    found: dict[tuple[str, ...], list[str]] = {}
    for aspect in aspects:
        found.setdefault(_few(rows, aspect), []).append(word(aspect))
    return [
        _differ(variants, listed(names, last=AND), len(rows) - len(variants))
        for variants, names in found.items()
        if any(found)
    ]


def _differ(variants: tuple[str, ...], aspects: Phrase, others: int) -> Phrase:
    """Return that variants differ in aspects from the others, or all from each other."""
    form = msg("{variants} differ in {aspects} from the other {count:,}")
    if not variants:
        form = msg("the variants differ in {aspects}")
    elif len(variants) == 1:
        form = msg("{variant} differs in {aspects} from the other {count:,}")
    each = listed(map(name, variants), AND)
    return say(form, variant=each, variants=each, aspects=aspects, count=others)


def _few(rows: pd.DataFrame, aspect: str) -> tuple[str, ...]:
    """Return the variants that differ from a majority that is alike; none without one."""
    classes = _classes(rows, aspect)
    sizes = classes.value_counts()
    if classes.isna().any() or sizes.iloc[0] * 2 <= len(rows):
        return ()
    return tuple(rows[classes.ne(sizes.index[0])]["variant"])


def _classes(rows: pd.DataFrame, aspect: str) -> pd.Series:
    """Return for each variant a class of those alike in an aspect; NA if not known."""
    if aspect == PROCESSOR:
        return rows["processor"]
    if aspect == JUDGE:
        own = judges.own(rows)
        return rows["variant"].map(lambda variant: own.get(variant, judges.DISTRIBUTION))
    if aspect == RUNTIME:
        return rows["runtime"].map(release, na_action="ignore")
    if aspect == RUNTIME_VERSION:
        exact = rows["runtime"].dropna()
        exact = exact[~_cut_short(exact)]
        return exact.map(lambda text: f"{product(named(text)[0])} {_version(text)}").reindex(
            rows.index
        )
    days = packages_age(rows) if aspect == AGE else _silent_days(rows).clip(lower=0)
    steps = days.sort_values().diff().gt(APART_DAYS).fillna(False).cumsum()
    classes = steps.reindex(days.index).astype(COUNT).mask(days.isna())
    # Many small steps may add up to more than what is alike.
    grouped = days.groupby(classes)
    spread = grouped.transform("max") - grouped.transform("min")
    classes = classes.mask(spread.gt(APART_DAYS).fillna(True))
    return classes * 2 + rows["os_ended_days"].gt(0) if aspect == OS_END else classes


def _ending(what: str, row: Any) -> Phrase:
    """Return what a variant's operating system or runtime is, and when that ends."""
    is_os = what == OS
    text, end = (row.os, row.os_end_of_life) if is_os else (row.runtime, row.runtime_end_of_life)
    if pd.isna(text):
        return say("{aspect} not known", aspect=word(what))
    if pd.isna(end):
        return say("{product}, end of life not known", product=spelled(text))
    ending = say("{product}, end of life {day:%Y-%m-%d}", product=spelled(text), day=end)
    if pd.notna(row.as_of):
        days = (row.as_of - end).days
        before, after = msg("{days} before {day:%Y-%m-%d}"), msg("{days} after {day:%Y-%m-%d}")
        form = before if days >= 0 else after
        ending += ", " + t(form, days=number(abs(days), "day"), day=row.as_of)
    if is_os and row.advisories_until != end:
        ending += t(", LTS advisories until {day:%Y-%m-%d}", day=row.advisories_until)
    return ending


def _age(row: Any) -> str:
    """Return how old an image is, in whole years and months, or in days if it is younger."""
    if pd.isna(row.built_at):
        return t("image age not known")
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
