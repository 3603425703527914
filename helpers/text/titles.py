"""Titles that fit: of many images the largest is named, and the range of the others."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from helpers.text import escape, i18n
from helpers.text.i18n import msg, room, t, word
from helpers.text.rich import AND, number

WIDTH, LINES = 66, 2
"""Columns of a title, in English, that fit on a line of a figure, and its lines at most."""

_SHORTEST = 12
"""Letters of a title's beginning that are always left."""


class Part(NamedTuple):
    """What a title says of one image.

    `numbers` are what a range is made of; `odd`, if not empty, is how such images are counted that
    are in no range.
    """

    text: str
    numbers: tuple[float, ...] = ()
    odd: str = ""


def name(variant: object) -> str:
    """Return a variant's name as it stands in a title, of thirty columns at most."""
    return escape.short(variant, i18n.letters(escape.plain(variant), 30))


def unknown(variant: object) -> Part:
    """Return what is said of an image of which a figure knows nothing."""
    return Part(t("{variant} not known", variant=name(variant)), odd=msg("{count:,} not known"))


def unmeasured(variant: object, odd: str) -> Part:
    """Return what is said of an image whose count is not known; `odd` is as in `Part`."""
    return Part(t("{variant} not measured", variant=escape.short(variant, 24)), odd=odd)


def part_of(variant: str, part: int, whole: int | str, odd: str = "") -> Part:
    """Return what is said of an image of whose whole a part is of a kind, by its short name."""
    shown = whole if isinstance(whole, str) else f"{whole:,}"
    text = t("{variant} {part:,} of {whole}", variant=variant, part=part, whole=shown)
    return Part(text, (part,), odd)


def begun(text: str) -> str:
    """Return a text as the beginning of a title: with a capital, where there are some."""
    return f"{text[:1].upper()}{text[1:]}"


def fits(title: str) -> bool:
    """Return whether a title fits on the two lines of a figure."""
    return len(i18n.wrap(escape.plain(title), room(WIDTH))) <= LINES


def first_fitting(titles: Iterable[str]) -> str:
    """Return the first of some titles that fits, else the last."""
    title = ""
    for title in titles:
        if fits(title):
            break
    return title


def fitting(*forms: str, **values: object) -> str:
    """Return the first of some forms of a title, filled in, that fits, else the last."""
    return first_fitting(word(form).format(**values) for form in forms)


def around(counted: str, title: Callable[[str], str]) -> str:
    """Return a title with what is counted in it, of which the middle is cut out if it is long."""
    widths = range(len(counted) - 1, _SHORTEST, -4)
    return first_fitting(
        title(text) for text in (counted, *(escape.short(counted, w) for w in widths))
    )


def is_whole(text: str) -> bool:
    """Return whether nothing is cut out of a text, as `escape.short` does."""
    return "…" not in text


def fitted(
    head: str,
    parts: list[Part],
    form: Callable[[float], str] = "{:,}".format,
    in_the_end: bool = False,
) -> str:
    """Return a title of images on two lines: all by name, or the largest, or how many they are.

    Those without a name are a range, from what to what they go; those that are odd are named last,
    or counted if that does not fit. `in_the_end`: an image's text has a number before that of the
    range. No list of numbers is cut, and no name within one.
    """

    def ranged(some: str, of: list[Part]) -> str:
        range_ = _range(of, form)
        return f"{some} {t('in the end {range}', range=range_) if in_the_end else range_}"

    plain = sorted((p for p in parts if not p.odd), key=lambda p: p.numbers, reverse=True)
    odds = [part for part in parts if part.odd]
    counted = Counter(part.odd for part in odds)
    names = [part.text for part in plain]
    lists = [names] if len(plain) <= 2 else []
    if len(plain) > 1:
        others, count = plain[1:], len(plain) - 1
        some = t("{count:,} others", count=count) if odds else t("the other {count:,}", count=count)
        some = t("the other") if count == 1 else some
        lists += [[names[0], ranged(some, others)], [ranged(number(len(plain), "image"), plain)]]
    ends = [
        [part.text for part in odds],
        [word(form_).format(count=count) for form_, count in counted.items()],
    ]
    shown = [[part.text for part in parts], *(list_ + end for list_ in lists for end in ends)]
    whole = [texts for texts in shown if all(map(is_whole, texts[1:]))]
    # Of a long head the middle is cut out, so that the numbers are there.
    heads = [head, *(escape.short(head, width) for width in range(len(head) - 1, _SHORTEST, -4))]
    listings = [", ".join(texts) for texts in whole or shown[-1:]]
    titles = [f"{heads[0]}: {listing}" for listing in listings]
    return first_fitting([*titles, *(f"{cut}: {listings[-1]}" for cut in heads[1:])])


def _range(parts: list[Part], form: Callable[[float], str]) -> str:
    """Return from what to what each of the numbers of some images goes."""
    ranges = []
    for numbers in zip(*(part.numbers for part in parts), strict=True):
        low, high = form(min(numbers)), form(max(numbers))
        if len(parts) == 1:
            ranges.append(low)
        elif low == high:
            ranges.append(t("at {number} each", number=low))
        else:
            # A unit that both have is said once.
            number_, _, unit = low.partition(" ")
            low = number_ if unit == high.partition(" ")[2] else low
            ranges.append(t("from {low} to {high}", low=low, high=high))
    return word(AND).join(ranges)
