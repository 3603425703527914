"""What fails a check: lenses in words, as `--fail-on` takes them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from helpers.errors import NotComparable, ParameterInvalid
from helpers.frames import PLACES, SEVERITIES
from helpers.gate.pair import Side
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import Lens

DEFAULT = "fixable and severity>=high"
NEVER = "none"
RE_RATED, SUPPRESSED = "re-rated", "suppressed"

_KNOWN = (
    "fixable, exploited, severity>=LEVEL or severity=LEVEL (unknown, low, medium, high, critical), "
    f"epss>=NUMBER (above 0, up to 1), place=PLACE ({', '.join(PLACES)}), {SUPPRESSED} (also what "
    f"a statement or an ignore file suppresses), {RE_RATED} (what is rated higher than before, "
    f"instead of what was brought), and {NEVER} alone; "
    "put `and` or a comma between those that must all hold, and repeat the option for alternatives"
)

_SHOWN = 80
"""Most letters of unknown words in a message."""

_BETWEEN = re.compile(r"\s*,\s*|\s+and\s+", re.IGNORECASE)
_TERM = re.compile(r"(?P<name>[a-z-]+)\s*(?:(?P<sign>>=|=)\s*(?P<value>[\w.]+))?", re.IGNORECASE)


class Rule(NamedTuple):
    """A lens, and the words that it was given in.

    It is about what the image brought, or else about what is `re_rated`: rated higher than before.
    """

    words: str
    lens: Lens
    re_rated: bool = False


def parse(texts: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules of which any fails a check; none for `none`.

    Raises `ParameterInvalid` for words that are not known, and says which are.
    """
    words = [[each.lower() for each in _BETWEEN.split(text.strip())] for text in texts]
    if words == [[NEVER]]:
        return ()
    return tuple(
        Rule(" and ".join(terms), _lens([t for t in terms if t != RE_RATED]), RE_RATED in terms)
        for terms in words
    )


def failing(after: Side, rules: Sequence[Rule]) -> pd.Index:
    """Return the labels of the findings that count under any of the rules.

    Raises `NotComparable` if a rule asks what is known of exploitation, and nothing is recorded.
    """
    found = pd.Index([])
    for rule in rules:
        for asks, column, option in (
            (rule.lens.exploited, "exploited", "--kev"),
            (rule.lens.epss > 0, "epss_day", "--epss"),
        ):
            if asks and after.standing[column].isna().any():
                raise NotComparable(
                    f"{after.label}: {rule.words!r} cannot be answered, for nothing is recorded of "
                    f"it. Name a file or an address: {option} FILE; for a study's capture: "
                    f"python -m helpers risk STUDY --capture CAPTURE {option} FILE"
                )
        found = found.union(lenses.each(after.findings, rule.lens).index)
    return found


def _lens(terms: list[str]) -> Lens:
    """Return the lens of terms that must all hold."""
    lens = Lens()
    for term in terms:
        parts = _TERM.fullmatch(term)
        narrower = parts and _narrowed(lens, parts["name"], parts["sign"], parts["value"])
        if narrower is None:
            raise ParameterInvalid(f"unknown {term[:_SHOWN]!r}; known are {_KNOWN}")
        lens = narrower
        if not lens.severities:
            raise ParameterInvalid(f"{' and '.join(terms)!r}: no severity is all of these")
    return lens


def _narrowed(lens: Lens, name: str, sign: str | None, value: str | None) -> Lens | None:
    """Return a lens with one more condition; `None` for one that is not known."""
    match name, sign:
        case "fixable", None:
            return lens._replace(fixable=True)
        case "suppressed", None:
            return lens._replace(suppressed=True)
        case "exploited", None:
            return lens._replace(exploited=True)
        case "severity", str():
            level = (value or "").upper()
            if level not in SEVERITIES:
                return None
            first = SEVERITIES.index(level)
            levels = SEVERITIES[first:] if sign == ">=" else SEVERITIES[first : first + 1]
            kept = tuple(each for each in lens.severities if each in levels)
            return lens._replace(severities=kept)
        case "epss", ">=":
            least = _number(value or "")
            return lens._replace(epss=max(least, lens.epss)) if 0 < least <= 1 else None
        case "place", "=":
            is_known = value in PLACES and lens.place in ("", value)
            return lens._replace(place=value or "") if is_known else None
    return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
