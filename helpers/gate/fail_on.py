"""What fails a check: lenses in words, as `--fail-on` takes them."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from helpers.errors import NotComparable, ParameterInvalid
from helpers.frames import SEVERITIES
from helpers.gate.pair import Side
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import FIELDS, Lens

DEFAULT = "fixable and severity>=high"
NEVER = "none"
RE_RATED = "re-rated"

_FIELDS = {re.split(r"\W", f.rule)[0]: name for name, f in FIELDS.items() if f.rule}

_KNOWN = (
    f"{', '.join(field.rule for field in FIELDS.values() if field.rule)}, {RE_RATED} (old "
    f"findings that are rated higher now), and {NEVER} alone; join conditions with `and` or a "
    "comma, and repeat the option for alternatives"
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
                    f"{after.label}: cannot check {rule.words!r}, because these data are not "
                    f"recorded. Pass a file or an address: {option} FILE; for a study's capture: "
                    f"python -m helpers risk STUDY --capture CAPTURE {option} FILE"
                )
        found = found.union(lenses.each(after.findings, rule.lens).index)
    return found


def _lens(terms: list[str]) -> Lens:
    """Return the lens of terms that must all hold."""
    lens = Lens()
    for term in terms:
        parts = _TERM.fullmatch(term)
        field = _FIELDS.get(parts["name"], "") if parts else ""
        value = (
            _value(lens, field, parts["sign"], parts["value"] or "") if parts and field else None
        )
        if value is None:
            raise ParameterInvalid(f"unknown {term[:_SHOWN]!r}; choose from {_KNOWN}")
        lens = lens._replace(**{field: value})
        if not lens.severities:
            raise ParameterInvalid(
                f"{' and '.join(terms)!r}: no severity satisfies all of these conditions"
            )
    return lens


def _value(lens: Lens, field: str, sign: str | None, text: str) -> Any:
    """Return what a field of a lens is under one condition more; `None` for one not known."""
    now = getattr(lens, field)
    match now, sign:
        case bool(), None:
            return True
        case tuple(), str() if (level := text.upper()) in SEVERITIES:
            first = SEVERITIES.index(level)
            levels = SEVERITIES[first:] if sign == ">=" else (level,)
            return tuple(each for each in now if each in levels)
        case float(), ">=" if 0 < (least := _number(text)) <= 1:
            return max(least, now)
        case str(), "=" if text in (FIELDS[field].values or ()) and now in ("", text):
            return text
    return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
