"""Headlines and labels of figures: plain text, every number computed from a frame."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from helpers.frames import BROKEN, NO_OS, UNKNOWN_COUNT
from helpers.sizes.image_sizes import COMPRESSED, MB, PUBLISHED, UNPACKED
from helpers.text import escape
from helpers.text.i18n import columns, msg, room, t, word
from helpers.text.markdown import AND
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import FINDINGS

MEASURED_AS = {
    UNPACKED: msg("unpacked"),
    COMPRESSED: msg("compressed"),
    PUBLISHED: msg("as published"),
}

_FITS = 108
"""Columns, in English, that fit on the two lines of a title, broken between words."""

_BROKEN = msg(" (broken)")
_MARKS = {NO_OS: msg(" (OS not looked at)"), BROKEN: _BROKEN}
_ODD = {
    NO_OS: msg("{count:,} with OS not looked at"),
    BROKEN: msg("{count:,} broken"),
    **dict.fromkeys(UNKNOWN_COUNT, msg("{count:,} not measured")),
}
"""How images are counted whose number is no good sign if it is low, or that have none."""


class Part(NamedTuple):
    """What a headline says of one image.

    `numbers` are what a range is made of; `odd`, if not empty, is how such images are counted that
    are in no range.
    """

    text: str
    numbers: tuple[float, ...] = ()
    odd: str = ""


def breakdown(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of a severity breakdown: totals, the largest first."""
    totals = counting.totals(counts).sort_values("total", ascending=False, kind="stable")
    parts = [
        Part(f"{_name(row.variant)} {total(row.total, row.status)}", (row.total,), odd(row.status))
        for row in totals.itertuples()
    ]
    return fitted(begun(what), parts)


def packages(table: pd.DataFrame, what: str) -> str:
    """Return which packages bring most to an image, and to which: as many as fit, at most three."""
    several = table["variant"].nunique() > 1
    bars = table.groupby(["package", "variant"], sort=False)["count"].sum().reset_index()
    told: list[str] = []
    for package, rows in bars.groupby("package", sort=False):
        most = rows["count"].max()
        where = rows[rows["count"].eq(most)]["variant"]
        bar = f"{escape.short(counting.package_name(package), 30)} {most:,}"
        if several and len(where) == 1:
            bar = t("{package} in {variant}", package=bar, variant=_name(where.iloc[0]))
        elif several:
            bar = t("{package} in each of {count:,} images", package=bar, count=len(where))
        longer = _most_from([*told, bar], what)
        if told and (len(told) == 3 or not fits(longer)):
            break
        told.append(bar)
    return _most_from(told, what)


def captures(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of the same images under several captures: every total, in time."""
    totals = counting.totals(counts).sort_values("capture", kind="stable")
    days = totals["capture"].unique()
    parts = []
    for variant, rows in totals.groupby("variant", sort=False):
        told = map(total, rows["total"], rows["status"])
        odds = [*filter(None, map(odd, rows["status"])), ""]
        text = f"{_name(variant)} {' → '.join(told)}"
        parts.append(Part(text, (rows["total"].iloc[-1],), odds[0]))
    return fitted(f"{begun(what)}, {' → '.join(days)}", parts, in_the_end=len(days) > 1)


def sizes(table: pd.DataFrame, size: str) -> str:
    """Return the headline of a size comparison: of many, the smallest by name."""
    known, measured_as = table.dropna(subset="bytes"), word(MEASURED_AS[size])
    if len(known) < 2:
        return t("Image size, {measured_as}: nothing to compare", measured_as=measured_as)
    base = known["baseline"].iloc[0]
    parts = [
        Part(
            f"{_name(o.variant)} {difference(o.difference_bytes)}{broken(o.status)}",
            (-o.difference_bytes,),
            _ODD[BROKEN] if o.status == BROKEN else "",
        )
        for o in known[known["variant"].ne(base)].itertuples()
    ]
    parts += [unknown(variant) for variant in table[table["bytes"].isna()]["variant"]]
    head = t("Against {baseline} ({measured_as})", baseline=_name(base), measured_as=measured_as)
    return fitted(head, parts, lambda less: difference(-less))


def size_origin(table: pd.DataFrame, size: str) -> str:
    """Return where sizes are from, for a figure's footer; nothing if all are measured alike."""
    origins = list(dict.fromkeys(table[table["kind"].eq(size)]["origin"].dropna()))
    if size != PUBLISHED and len(origins) < 2:
        return ""
    return t("sizes: {origins}", origins="; ".join(map(word, origins)))


def total(count: object, status: str) -> str:
    """Return an image's total, marked where it is no good sign that it is low."""
    mark = _MARKS.get(status)
    return shown(count) + (word(mark) if mark and pd.notna(count) else "")


def odd(status: str) -> str:
    """Return how images of a status are counted apart from the others; nothing if they are not."""
    return _ODD.get(status, "")


def unknown(variant: object) -> Part:
    """Return what is said of an image of which a figure knows nothing."""
    return Part(t("{variant} not known", variant=_name(variant)), odd=msg("{count:,} not known"))


def broken(status: str) -> str:
    """Return what is said with the size of an image that does not work; else nothing."""
    return word(_BROKEN) if status == BROKEN else ""


def difference(size_bytes: float) -> str:
    """Return a difference of sizes in words."""
    size = abs(size_bytes) / MB
    if not size_bytes:
        return t("the same size")
    if size_bytes > 0:
        return t("{size:,.1f} MB larger", size=size)
    return t("{size:,.1f} MB smaller", size=size)


def shown(count: object) -> str:
    """Return a count, or that there is none."""
    return word(msg("not measured")) if pd.isna(count) else f"{count:,}"


def begun(text: str) -> str:
    """Return a text as the beginning of a headline: with a capital, where there are some."""
    return f"{text[:1].upper()}{text[1:]}"


def _name(variant: object) -> str:
    return escape.short(variant, 30)


def fits(headline: str) -> bool:
    """Return whether a headline fits on the two lines of a figure's title."""
    return columns(headline) <= room(_FITS)


def fitted(
    head: str,
    parts: list[Part],
    form: Callable[[float], str] = "{:,}".format,
    in_the_end: bool = False,
) -> str:
    """Return a headline of images: all if they fit on two lines, else how they are related.

    That is the largest by name, and from what to what the others go; those that are odd are named,
    or counted if that does not fit either. `in_the_end`: an image's text has a number before that
    of the range.
    """
    whole = _headline(head, [part.text for part in parts])
    plain = sorted((p for p in parts if not p.odd), key=lambda p: p.numbers, reverse=True)
    if len(parts) <= 2 or fits(whole):
        return whole
    odds = [part for part in parts if part.odd]
    told = [part.text for part in plain]
    if len(told) > 2:
        count = len(told) - 1
        some = t("{count:,} others", count=count) if odds else t("the other {count:,}", count=count)
        range_ = _range(plain[1:], form)
        told = [
            told[0],
            f"{some} {t('in the end {range}', range=range_) if in_the_end else range_}",
        ]
    named = _headline(head, [*told, *(part.text for part in odds)])
    if fits(named):
        return named
    counted = Counter(part.odd for part in odds)
    return _headline(head, told + [word(one).format(count=n) for one, n in counted.items()])


def _most_from(bars: list[str], what: str) -> str:
    return t(
        "{counted}: most from {packages}",
        counted=begun(what),
        packages=", ".join(bars) or word(msg("nothing")),
    )


def _headline(head: str, parts: list[str]) -> str:
    return f"{head}: {', '.join(parts)}"


def _range(parts: list[Part], form: Callable[[float], str]) -> str:
    """Return from what to what each of the numbers of some images goes."""
    told = []
    for numbers in zip(*(part.numbers for part in parts), strict=True):
        low, high = form(min(numbers)), form(max(numbers))
        if low == high:
            told.append(t("at {number} each", number=low))
        else:
            # A unit that both have is said once.
            number, _, unit = low.partition(" ")
            low = number if unit == high.partition(" ")[2] else low
            told.append(t("from {low} to {high}", low=low, high=high))
    return word(AND).join(told)
