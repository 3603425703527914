"""Words of computed sentences: names, lists and numbers, as Markdown."""

from collections.abc import Iterable

import pandas as pd

from helpers import escape


def name(variant: object) -> str:
    """Return a variant's name, for Markdown."""
    return f"**{escape.markdown(variant)}**"


def names(frame: pd.DataFrame) -> str:
    """Return the names of a frame's variants, each once."""
    return listed(name(variant) for variant in dict.fromkeys(frame["variant"]))


def listed(parts: Iterable[str], separator: str = ", ") -> str:
    """Return parts as a list in a sentence."""
    return separator.join(parts)


def number(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> number(1, "vulnerability"), number(2_000, "vulnerability"), number(0, "day")
    ('1 vulnerability', '2,000 vulnerabilities', '0 days')
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole: none, all, or so many of how many."""
    return "none" if part == 0 else "all" if part == whole else f"{part:,} of {whole:,}"
