"""The language that is spoken: English is the key, `translations.csv` has the others.

Every text that readers see goes through `t` (with values), or through `word` if it is known only
when it is shown; `msg` marks such a text where it is written, so that a test finds it.
"""

import csv
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from unicodedata import east_asian_width

from helpers import paths
from helpers.errors import ParameterInvalid

ENGLISH = "en"

_ROOM = {"ko": 1.15}
"""Columns of a language's font that take the width of one of the style file's font."""

_HALF = "\ue000"
"""Stands for the second column of a wide letter while a text is wrapped; of no language."""

_usual = ENGLISH
_block: ContextVar[str] = ContextVar("language of a block")
"""What is spoken: by the process, and in a block of one thread."""


@cache
def _table() -> dict[str, dict[str, str]]:
    """Return the translations: by language, then by the English text."""
    with paths.LANGUAGES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        language: {row[ENGLISH]: row[language] for row in rows}
        for language in rows[0]
        if language != ENGLISH
    }


def known() -> tuple[str, ...]:
    """Return the languages that there are, English first."""
    return (ENGLISH, *_table())


def use(language: str) -> None:
    """Speak a language from here on. Raises `ParameterInvalid` if it is unknown."""
    global _usual
    _usual = _checked(language)


def spoken() -> str:
    """Return the language that is spoken."""
    return _block.get(_usual)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for as long as the block runs, in its thread."""
    before = _block.set(_checked(language))
    try:
        yield
    finally:
        _block.reset(before)


def _checked(language: str) -> str:
    if language not in known():
        raise ParameterInvalid(f"language {language!r} is not one of {', '.join(known())}")
    return language


def t(message: str, /, **values: object) -> str:
    """Return a message in the language that is spoken, its fields filled in.

    >>> t("{count:,} findings", count=1048)
    '1,048 findings'
    """
    return word(message).format(**values)


def word(text: str) -> str:
    """Return a text in the language that is spoken; as it is if there is no translation."""
    language = spoken()
    return text if language == ENGLISH else _table()[language].get(text) or text


class Message(str):
    """English text of the kit's that knows its message and values, to be told in another language.

    Frames hold it: a CSV file has the English, and `told` says it in the language that is spoken.
    Columns that hold some have the dtype `object`.

    >>> Message("{value} (by its packages)", value="bash")
    'bash (by its packages)'
    """

    form: str
    values: dict[str, object]

    def __new__(cls, form: str, /, **values: object) -> "Message":
        """Return a message with its fields filled in, in English."""
        text = super().__new__(cls, form.format(**values))
        text.form, text.values = form, values
        return text

    @property
    def told(self) -> str:
        """Return the message in the language that is spoken, and so its values."""
        return word(self.form).format(**{name: told(v) for name, v in self.values.items()})


class Listing(Message):
    """Messages or texts as a list, with a separator between them."""

    def __new__(cls, parts: Iterable[str], separator: str = ", ") -> "Listing":
        """Return the list in English."""
        found = list(parts)
        text = str.__new__(cls, separator.join(found))
        text.form, text.values = separator, dict(enumerate(found))  # type: ignore[arg-type]
        return text

    @property
    def told(self) -> str:
        """Return the list in the language that is spoken."""
        return word(self.form).join(str(told(part)) for part in self.values.values())


def told(value: Any) -> Any:
    """Return a message in the language that is spoken, and anything else as it is."""
    return value.told if isinstance(value, Message) else value


def msg(text: str) -> str:
    """Return a text as it is: it is marked as one that is translated where it is shown."""
    return text


def columns(text: str) -> int:
    """Return how wide a text is, in Latin letters: one of East Asia takes two.

    >>> columns("size"), columns("크기")
    (4, 4)
    """
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def letters(text: str, width: int) -> int:
    """Return about how many letters of a text fit into so many columns.

    >>> letters("findings", 4), letters("발견항목", 4)
    (4, 2)
    """
    return width * len(text) // max(columns(text), 1)


def wrap(text: str, width: int) -> list[str]:
    """Return a text as lines of so many columns at most, broken between words.

    >>> wrap("발견 항목 48건", 9)
    ['발견 항목', '48건']
    """
    told = "".join(letter + _HALF * (columns(letter) - 1) for letter in text)
    lines = textwrap.wrap(told, width, break_on_hyphens=False)
    return [line.replace(_HALF, "") for line in lines]


def room(width: int) -> int:
    """Return how many columns there is room for where so many fit in English."""
    return int(width * _ROOM.get(spoken(), 1.0))
