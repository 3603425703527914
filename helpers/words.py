"""Words of computed sentences: names, lists and numbers, as Markdown."""

from collections.abc import Iterable

import pandas as pd

from helpers import escape
from helpers.languages import msg, t, word

AND = msg(" and ")
"""A separator of a list's parts; a language has its own."""


def name(variant: object) -> str:
    """Return a variant's name, for Markdown."""
    return f"**{escape.markdown(variant)}**"


def names(frame: pd.DataFrame) -> str:
    """Return the names of a frame's variants, each once."""
    return listed(name(variant) for variant in dict.fromkeys(frame["variant"]))


def listed(parts: Iterable[str], separator: str = ", ") -> str:
    """Return parts as a list in a sentence."""
    return word(separator).join(parts)


def number(count: int, noun: str) -> str:
    """Return a count with its noun; a language has a row for each noun, `{count:,} noun`.

    >>> number(1, "vulnerability"), number(2_000, "vulnerability"), number(0, "day")
    ('1 vulnerability', '2,000 vulnerabilities', '0 days')
    """
    singular = f"{{count:,}} {noun}"
    if (told := word(singular)) != singular:
        return told.format(count=count)
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole: none, all, or so many of how many."""
    if part in (0, whole):
        return word(msg("none") if part == 0 else msg("all"))
    return t("{part:,} of {whole:,}", part=part, whole=whole)
