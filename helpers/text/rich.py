"""Structured text: phrases with emphasis, paragraphs and bullets. Nothing in a value is markup."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from string import Formatter
from typing import Any

import pandas as pd
from msgspec import Struct

from helpers.text import escape
from helpers.text.i18n import msg, t, word

AND = msg(" and ")
"""A separator of a list's parts; a language has its own."""


class Run(Struct, frozen=True, array_like=True):
    """A piece of text and how it is emphasised."""

    text: str
    strong: bool = False
    em: bool = False
    code: bool = False


class Phrase(Struct, frozen=True):
    """A line of text: runs, of which nothing is markup. `+` adds phrases and plain text."""

    runs: tuple[Run, ...] = ()

    def __add__(self, other: "Phrase | str") -> "Phrase":
        return Phrase((*self.runs, *phrase(other).runs))

    def __radd__(self, other: str) -> "Phrase":
        return Phrase((*phrase(other).runs, *self.runs))

    def __bool__(self) -> bool:
        return any(run.text for run in self.runs)

    @property
    def plain(self) -> str:
        """Return the text without its emphasis."""
        return "".join(run.text for run in self.runs)


class Block(Struct, frozen=True):
    """A paragraph (level 0) or a bullet (from level 1 on); `role` is its part in an answer."""

    phrase: Phrase
    level: int = 0
    role: str = ""


class Text(Struct, frozen=True):
    """Paragraphs and bullets, in order. Texts are added with `+`."""

    blocks: tuple[Block, ...] = ()

    def __add__(self, other: "Text") -> "Text":
        return Text((*self.blocks, *other.blocks))

    def __bool__(self) -> bool:
        return bool(self.blocks)

    @property
    def plain(self) -> str:
        """Return the text as lines, bullets marked, as speaker notes have it."""
        return "\n".join(
            f"{'  ' * (block.level - 1)}{'• ' * bool(block.level)}{block.phrase.plain}"
            for block in self.blocks
        )


def phrase(text: "Phrase | str") -> Phrase:
    """Return text as a phrase; control characters in it show as escapes."""
    return text if isinstance(text, Phrase) else Phrase((Run(escape.plain(text)),))


def paragraph(text: Phrase | str, role: str = "") -> Text:
    """Return a text of one paragraph."""
    return Text((Block(phrase(text), role=role),))


def bullets(lines: Iterable[Phrase | str], level: int = 1, role: str = "") -> Text:
    """Return a text of one bullet a line."""
    return Text(tuple(Block(phrase(line), level, role) for line in lines))


def join(texts: Iterable[Text]) -> Text:
    """Return texts as one."""
    return Text(tuple(block for text in texts for block in text.blocks))


def say(message: str, /, **values: object) -> Phrase:
    """Return a message in the language that is spoken, with its emphasis and its fields filled in.

    `**strong**`, `*em*` and a `code` mark in the message are emphasis; in a value they are text.

    >>> say("**{count:,} files** of {name}", count=1200, name="*x*").runs[1].text
    ' of *x*'
    """
    return _filled(word(message), values)


def marked(text: str) -> Phrase:
    """Return text that a study's author wrote, with the marks of emphasis that `say` knows."""
    runs: list[Run] = []
    _mark(escape.plain(" ".join(text.split())), runs, [False, False, False])
    return _merged(runs)


def name(variant: object) -> Phrase:
    """Return a variant's name, strong."""
    return strong(str(variant))


def strong(text: str) -> Phrase:
    """Return text, strong."""
    return Phrase((Run(escape.plain(text), strong=True),))


def names(frame: pd.DataFrame) -> Phrase:
    """Return the names of a frame's variants, each once; empty if there are none."""
    return listed(name(variant) for variant in dict.fromkeys(frame["variant"]))


def code(text: object) -> Phrase:
    """Return text as code."""
    return Phrase((Run(escape.plain(text), code=True),))


def listed(parts: Iterable[Phrase | str], separator: str = ", ", last: str = "") -> Phrase:
    """Return parts as a list in a sentence; `last` is what stands before the last, if it differs.

    >>> listed(["age", "size", "runtime"], last=AND).plain
    'age, size and runtime'
    """
    found = [phrase(part) for part in parts]
    runs: list[Run] = []
    for place, part in enumerate(found):
        between = last if last and place == len(found) - 1 else separator
        runs += [*(phrase(word(between)).runs if place else ()), *part.runs]
    return Phrase(tuple(runs))


def cut(parts: Sequence[Phrase | str], shown: int, most: int = 0) -> list[Phrase | str]:
    """Return the first of many parts, and how many more there are; all if they are `most` at most.

    >>> cut(["a", "b", "c"], 1), cut(["a", "b", "c"], 2, most=3)
    (['a', 'and 2 more'], ['a', 'b', 'c'])
    """
    if len(parts) <= max(shown, most):
        return [*parts]
    return [*parts[:shown], t("and {count} more", count=len(parts) - shown)]


def number(count: int, noun: str) -> str:
    """Return a count with its noun; a language has a row for each noun, `{count:,} noun`.

    >>> number(1, "vulnerability"), number(2_000, "vulnerability"), number(0, "day")
    ('1 vulnerability', '2,000 vulnerabilities', '0 days')
    """
    singular = f"{{count:,}} {noun}"
    if (translated := word(singular)) != singular:
        return translated.format(count=count)
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole: none, all, or so many of how many."""
    if part in (0, whole):
        return word(msg("none") if part == 0 else msg("all"))
    return t("{part:,} of {whole:,}", part=part, whole=whole)


def _filled(message: str, values: dict[str, Any]) -> Phrase:
    runs: list[Run] = []
    state = [False, False, False]
    for literal, field, form, _ in Formatter().parse(message):
        _mark(literal, runs, state)
        if field is None:
            continue
        value = values[field]
        inner = value if isinstance(value, Phrase) else phrase(format(value, form or ""))
        strong, em, is_code = state
        runs += [
            Run(run.text, run.strong or strong, run.em or em, run.code or is_code)
            for run in inner.runs
        ]
    return _merged(runs)


def _mark(literal: str, runs: list[Run], state: list[bool]) -> None:
    """Append a message's own words to runs; its marks turn emphasis on and off in `state`."""
    for part in re.split(r"(\*\*|\*|`)", literal):
        kind = ("**", "*", "`").index(part) if part in ("**", "*", "`") else None
        # Within code a star is a star.
        if kind is None or (state[2] and kind != 2):
            runs.append(Run(part, *state))
        else:
            state[kind] = not state[kind]


def _merged(runs: list[Run]) -> Phrase:
    """Return runs as a phrase, neighbours with the same emphasis as one."""
    some = (run for run in runs if run.text)
    alike = groupby(some, lambda run: (run.strong, run.em, run.code))
    return Phrase(tuple(Run("".join(run.text for run in each), *how) for how, each in alike))
