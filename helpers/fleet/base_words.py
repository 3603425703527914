"""Words of tags that name a base image: `base_words.csv`, one line a word; add lines for more.

`system` and `release` are what the word names: it names a base only in an image in which the
scanner saw that (`ros:kinetic` on Ubuntu 16.04 is no Ubuntu 22.10). `form` is how a system can be
cut down, which the scanner does not see.
"""

import csv
import re
from functools import cache
from typing import NamedTuple

from helpers import paths

_WORDS = re.compile(r"[-_+]")
_VERSIONED = re.compile(r"([a-z]+?)v?(\d[\d.]*)?")


class Word(NamedTuple):
    """A line of the table."""

    word: str
    system: str
    release: str
    form: str


class Reference(NamedTuple):
    """An image's reference: its repository and tag, either may be empty."""

    repository: str
    tag: str


@cache
def table() -> dict[str, Word]:
    """Return the lines by their words."""
    with paths.BASE_WORDS.open(encoding="utf-8", newline="") as file:
        return {row["word"]: Word(**row) for row in csv.DictReader(file)}


def reference(text: str) -> Reference:
    """Return repository and tag of a reference; Docker Hub's own names are short.

    >>> reference("docker.io/library/node:24-slim"), reference("registry:5000/app@sha256:0a")
    (Reference(repository='node', tag='24-slim'), Reference(repository='registry:5000/app', tag=''))
    """
    whole = text.partition("@")[0]
    folder, slash, last = whole.rpartition("/")
    last, _, tag = last.partition(":")
    repository = f"{folder}{slash}{last}"
    for prefix in ("index.docker.io/", "docker.io/", "library/"):
        repository = repository.removeprefix(prefix)
    return Reference(repository, tag)


def without(tag: str, system: str, version: str) -> list[str]:
    """Return the words of a tag that do not name the base, on which the scanner saw a system.

    >>> without("8.9.4-jessie-slim", "debian", "8.10"), without("kinetic-xenial", "ubuntu", "16.04")
    (['8.9.4'], ['kinetic'])
    """
    kept: list[str] = []
    named = False
    for word in _WORDS.split(tag.lower()):
        # In `ubuntu-22.04` the version is a word of its own.
        is_release = named and bool(version) and f"{version}.".startswith(f"{word}.")
        named = bool(_base(word, system, version))
        if not named and not is_release:
            kept.append(word)
    return kept


def form(references: list[str]) -> str:
    """Return how the system is cut down, by the references; empty if it is not.

    That is a word of a tag, or a whole folder of a repository: `slim-api` is an app's name.

    >>> form(["python:3-slim-trixie"]), form(["gcr.io/distroless/nodejs24-debian13:latest"])
    ('slim', 'distroless')
    """
    for text in references:
        repository, tag = reference(text)
        for word in (*_WORDS.split(tag.lower()), *repository.split("/")):
            known = table().get(word)
            if known and known.form:
                return known.form
    return ""


def _base(word: str, system: str, version: str) -> Word | None:
    matched = _VERSIONED.fullmatch(word)
    known = table().get(matched[1]) if matched else None
    if not known or (system and known.system and known.system != system):
        return None
    named = known.release
    return known if not (named and version) or f"{version}.".startswith(f"{named}.") else None
