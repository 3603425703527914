"""Titles that fit: of many images the largest is named, and the range of the others."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from helpers.text import escape
from helpers.text.i18n import columns, msg, room, t, word
from helpers.text.rich import AND

_FITS = 108
"""Columns, in English, that fit on the two lines of a title, broken between words."""


class Part(NamedTuple):
    """What a title says of one image.

    `numbers` are what a range is made of; `odd`, if not empty, is how such images are counted that
    are in no range.
    """

    text: str
    numbers: tuple[float, ...] = ()
    odd: str = ""


def name(variant: object) -> str:
    """Return a variant's name as it stands in a title."""
    return escape.short(variant, 30)


def unknown(variant: object) -> Part:
    """Return what is said of an image of which a figure knows nothing."""
    return Part(t("{variant} not known", variant=name(variant)), odd=msg("{count:,} not known"))


def begun(text: str) -> str:
    """Return a text as the beginning of a title: with a capital, where there are some."""
    return f"{text[:1].upper()}{text[1:]}"


def fits(title: str) -> bool:
    """Return whether a title fits on the two lines of a figure."""
    return columns(title) <= room(_FITS)


def fitted(
    head: str,
    parts: list[Part],
    form: Callable[[float], str] = "{:,}".format,
    in_the_end: bool = False,
) -> str:
    """Return a title of images: all if they fit on two lines, else how they are related.

    That is the largest by name, and from what to what the others go; those that are odd are named,
    or counted if that does not fit either. `in_the_end`: an image's text has a number before that
    of the range.
    """
    whole = _title(head, [part.text for part in parts])
    plain = sorted((p for p in parts if not p.odd), key=lambda p: p.numbers, reverse=True)
    if len(parts) <= 2 or fits(whole):
        return whole
    odds = [part for part in parts if part.odd]
    shown = [part.text for part in plain]
    if len(shown) > 2:
        count = len(shown) - 1
        some = t("{count:,} others", count=count) if odds else t("the other {count:,}", count=count)
        range_ = _range(plain[1:], form)
        shown = [
            shown[0],
            f"{some} {t('in the end {range}', range=range_) if in_the_end else range_}",
        ]
    named = _title(head, [*shown, *(part.text for part in odds)])
    if fits(named):
        return named
    counted = Counter(part.odd for part in odds)
    return _title(head, shown + [word(form_).format(count=n) for form_, n in counted.items()])


def _title(head: str, parts: list[str]) -> str:
    return f"{head}: {', '.join(parts)}"


def _range(parts: list[Part], form: Callable[[float], str]) -> str:
    """Return from what to what each of the numbers of some images goes."""
    ranges = []
    for numbers in zip(*(part.numbers for part in parts), strict=True):
        low, high = form(min(numbers)), form(max(numbers))
        if low == high:
            ranges.append(t("at {number} each", number=low))
        else:
            # A unit that both have is said once.
            number, _, unit = low.partition(" ")
            low = number if unit == high.partition(" ")[2] else low
            ranges.append(t("from {low} to {high}", low=low, high=high))
    return word(AND).join(ranges)
