"""Debian's order of versions, written once more: deb-version(7)."""

import re
from itertools import zip_longest


def is_older(first: str, second: str) -> bool:
    """Return whether a version is older than another one."""
    return key(first) < key(second)


def key(version: str) -> tuple:
    """Return what versions are sorted by: epoch, upstream version, revision."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return int(epoch), _Part(upstream if dash else rest), _Part(revision if dash else "0")


class _Part:
    """A part of a version: texts and numbers in turn; a tilde is before the end, letters first."""

    def __init__(self, text: str) -> None:
        self.parts = re.findall(r"(\D*)(\d*)", text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Part) and not self < other and not other < self

    def __lt__(self, other: "_Part") -> bool:
        for (text, number), (text2, number2) in zip_longest(
            self.parts, other.parts, fillvalue=("", "")
        ):
            if _ranks(text) != _ranks(text2):
                return _ranks(text) < _ranks(text2)
            if int(number or 0) != int(number2 or 0):
                return int(number or 0) < int(number2 or 0)
        return False


def _ranks(text: str) -> list[int]:
    ranks = [-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in text]
    return [*ranks, 0]
