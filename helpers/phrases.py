"""Phrases that frames hold in English, said in the language that is spoken where they are shown."""

import re
from collections.abc import Iterable
from functools import cache

from helpers import languages

_FIELD = re.compile(r"\{(\w+)\}")
_NUMBERS = ("count", "whole")
LONGEST = 1000
"""Characters of a phrase at most: what is longer is a name that somebody made up."""


def said(text: str, forms: Iterable[str]) -> str:
    """Return a phrase in the language that is spoken, by the first form that it has.

    A form is a message; `{count}` and `{whole}` in it are numbers, any other field is whatever is
    there, which is said too if it is a phrase itself. What has none of the forms stays as it is, so
    a name out of a report is never taken for a word.

    >>> said("bash (by its packages)", ["{value} (by its packages)"])
    'bash (by its packages)'
    """
    if languages.spoken() == languages.ENGLISH or len(text) > LONGEST:
        return text
    for form in forms:
        if found := _pattern(form).fullmatch(text):
            fields = {name: said(part, forms) for name, part in found.groupdict().items()}
            return languages.t(form, **fields)
    return text


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """Return what a form looks like, filled in."""
    parts = _FIELD.split(form)
    for at, name in enumerate(parts):
        kind = r"[\d,]+" if name in _NUMBERS else ".+"
        parts[at] = f"(?P<{name}>{kind})" if at % 2 else re.escape(name)
    return re.compile("".join(parts), re.DOTALL)
