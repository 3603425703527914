"""Names of variants: short, valid for a folder, each once, whatever they come from holds."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import PurePath
from typing import NamedTuple

from helpers.studies import study

COMPRESSED = (".gz", ".xz", ".bz2", ".zst", ".tgz", ".txz", ".tbz", ".tbz2", ".tzst")
FILES = (".tar", ".json", ".spdx", *COMPRESSED)
_SUFFIXES = (*COMPRESSED, ".tar", ".json", ".cdx", ".spdx")

_LONGEST = 48
_IMAGE_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}")


class Names(NamedTuple):
    """Names that a variant may have, the best first; a chosen one stays as it is."""

    candidates: Sequence[str]
    is_chosen: bool = False


def of_artifact(artifact: str) -> list[str]:
    """Return names for what a report or an SBOM says that it is of: short, then with a tag if any.

    There are none for an image's id, and for what has no letters or digits.

    >>> of_artifact("bkimminich/juice-shop:v20.0.0"), of_artifact("debian")
    (['juice-shop', 'juice-shop-v20.0.0'], ['debian', 'debian'])
    >>> of_artifact("images/alpine-310.tar.gz"), of_artifact("."), of_artifact("d96602913a98")
    (['alpine-310'], [], [])
    """
    last = artifact.replace("\\", "/").rstrip("/").rpartition("/")[2]
    if _IMAGE_ID.fullmatch(last):
        return []
    if last.endswith(FILES):
        return of_file(PurePath(last))
    tagged, _, digest = last.partition("@")
    name, _, tag = tagged.partition(":")
    tag = tag or digest.rpartition(":")[2][:8]
    return _valid(name, f"{name}-{tag}" if tag else name)


def of_file(path: PurePath) -> list[str]:
    """Return the name for a file: its own without suffixes.

    >>> of_file(PurePath("reports/app.cdx.json"))
    ['app']
    """
    return _valid(_stem(path.name))


def of_reference(reference: str) -> list[str]:
    """Return the name for an image reference: its last part, with tag and digest.

    >>> of_reference("gcr.io/distroless/nodejs@sha256:0123456789abcdef")
    ['nodejs-01234567']
    """
    last = _stem(reference.rpartition("/")[2])
    return _valid(re.sub(r"@sha256:(\w{8})\w*", r"-\1", last))


def with_suffix(names: Names, suffix: str) -> Names:
    """Return names that end with a suffix.

    >>> with_suffix(Names(["node-24"]), "arm/v7").candidates
    ['node-24-arm-v7']
    """
    return Names(_valid(*(f"{name}-{suffix}" for name in names.candidates)), names.is_chosen)


def unique(variants: Sequence[Names], folded: Callable[[str], str] = str.casefold) -> list[str]:
    """Return a name for each variant; what is alike as `folded` is one name, as `App` and `app`.

    Variants of the same name take their next candidates, and numbers when these end.
    """
    variants = [names if names.candidates else Names(["image"]) for names in variants]
    ranks = [0] * len(variants)
    while True:
        names = [each.candidates[rank] for each, rank in zip(variants, ranks, strict=True)]
        counts = Counter(map(folded, names))
        alike = [place for place, name in enumerate(names) if counts[folded(name)] > 1]
        movable = [place for place in alike if ranks[place] + 1 < len(variants[place].candidates)]
        if not movable:
            break
        for place in movable:
            ranks[place] += 1
    numbered = [place for place in alike if not variants[place].is_chosen]
    taken = {folded(name) for place, name in enumerate(names) if place not in numbered}
    for place in numbered:
        free = (name for n in count(1) if folded(name := f"{names[place]}.{n}") not in taken)
        names[place] = next(free)
        taken.add(folded(names[place]))
    return names


def _stem(name: str) -> str:
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _valid(*texts: str) -> list[str]:
    """Return texts as names of folders, without those of which nothing is left."""
    names = [re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._") for text in texts]
    # A tag is at the end.
    short = [
        name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2 - 1]}-{name[-_LONGEST // 2 :]}"
        for name in names
    ]
    return [name for name in short if study.is_variant_name(name)]
