"""The prose of notebooks in the language that is spoken: each heading, each paragraph."""

import re

from helpers.languages import word

_PART = re.compile(r"(#+ +)?(.*)", re.DOTALL)


def translated(source: str) -> str:
    """Return a Markdown cell's source in the language that is spoken, with the marks of headings.

    >>> translated("## What is there?")
    '## What is there?'
    """
    return "\n\n".join(f"{marks}{word(text)}" for marks, text in parts(source))


def parts(source: str) -> list[tuple[str, str]]:
    """Return the headings and paragraphs of a cell: the marks that a heading has, and the text."""
    found = [_PART.fullmatch(part) for part in re.split(r"\n{2,}", source.strip())]
    return [(part[1] or "", part[2]) for part in found if part]
