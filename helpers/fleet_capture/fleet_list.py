"""Reads which images a fleet is to have: references, files, folders and catalogs of registries."""

import codecs
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from helpers.capture import new_study
from helpers.errors import KitError, StudyInvalid
from helpers.studies import variant_names
from helpers.text import escape

MOST = 10**6
"""Most images of a fleet; a list of more is for several fleets."""

_LONGEST = 4096
"""Most bytes of a line; a path is not longer."""

_LISTS = (".txt", ".list", ".lst")
"""Ends of a list's name, which is no image's."""

_SHOWN, _STORED = 200, 1000
"""Most characters of a name in an error, and in a fleet's record."""

_ALREADY = "a scan report: it is not scanned again; name it, or its folder, where reports are read"


class Entry(NamedTuple):
    """One image that is wanted, or why it cannot be had.

    `kind` is `image`, `archive` or `sbom`; empty, if there is a `problem`.
    """

    name: str
    kind: str = ""
    problem: str = ""

    @property
    def path(self) -> Path:
        """Return the file of an archive or an SBOM."""
        return new_study.path_of(self.name)

    @property
    def shown(self) -> str:
        """Return the name, safe to show and to store."""
        return escape.plain(self.name[:_STORED])


Catalog = Callable[[str], Iterable[Entry]]
"""What lists the images of a registry's address."""


def entries(source: str, catalog: Catalog) -> Iterator[Entry]:
    """Yield what a source names, each name once.

    A source is a file of one name a line (`-` is standard input), or a name itself: a reference, an
    archive or an SBOM, a folder of these, or the address of a registry, which ends with a slash.
    Empty lines and those that begin with `#` are none. Raises `StudyInvalid` for one that cannot be
    read or has no images, and for more than a million.
    """
    seen: set[str] = set()
    for entry in _entries(source, catalog):
        if entry.name in seen:
            continue
        seen.add(entry.name)
        if len(seen) > MOST:
            raise StudyInvalid(
                f"{source[:_SHOWN]}: more than {MOST:,} images; split it into several fleets"
            )
        yield entry
    if not seen:
        raise StudyInvalid(f"{source[:_SHOWN]}: contains no images")


def name_of(source: str) -> str:
    """Return a name for the fleet of a source: of its file, its folder or its registry."""
    path = Path(source.rstrip("/"))
    text = path.name if path.exists() else source
    text = text.removesuffix(path.suffix) if text.endswith(_LISTS) else text
    kept = "".join(each if each.isascii() and each.isalnum() else "-" for each in text)
    return "-".join(filter(None, kept.split("-")))[:64].rstrip("-") or "fleet"


def _entries(source: str, catalog: Catalog) -> Iterator[Entry]:
    if source != "-" and not _is_list(new_study.path_of(source)):
        if source.endswith(_LISTS):
            raise StudyInvalid(f"{source[:_SHOWN]}: no such file; pass an existing list")
        for entry in _named(source, catalog):
            if entry.problem and entry.name == source:
                raise StudyInvalid(entry.problem)
            yield entry
        return
    with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as file:
        for line in _lines(file):
            yield from _named(line, catalog)


def _is_list(path: Path) -> bool:
    """Return whether a file has lines of text, and is no archive, SBOM or report."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(_LONGEST)
    except (OSError, ValueError) as error:
        raise StudyInvalid(f"{path}: cannot be read ({error})") from error
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    # Whatever is compressed has such a byte early.
    return b"\0" not in start and text[:1] not in (b"{", b"[") and b"SPDXVersion:" not in text


def _lines(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a list; one that is too long as far as it tells which."""
    while line := file.readline(_LONGEST + 1):
        if len(line) > _LONGEST:
            while (rest := file.readline(_LONGEST)) and not rest.endswith(b"\n"):
                pass
        text = os.fsdecode(line.removeprefix(codecs.BOM_UTF8)).strip()
        if text and not text.startswith("#"):
            yield text


def _named(name: str, catalog: Catalog) -> Iterator[Entry]:
    """Yield what one name stands for."""
    path = new_study.path_of(name)
    try:
        is_folder = path.is_dir() and not (path / "index.json").is_file()
    except (OSError, ValueError):
        is_folder = False
    if is_folder:
        yield from _in_folder(path)
    elif name.endswith("/") and not os.path.lexists(path):
        yield from catalog(name)
    else:
        yield _entry(name)


def _entry(name: str) -> Entry:
    if len(name) > _LONGEST:
        return Entry(name[:_LONGEST], problem=f"longer than {_LONGEST:,} characters")
    try:
        kind = new_study.kind(name)
    except (KitError, ValueError) as error:
        return Entry(name, problem=str(error))
    return Entry(name, problem=_ALREADY) if kind == "report" else Entry(name, kind)


def _in_folder(folder: Path) -> Iterator[Entry]:
    """Yield the archives and SBOMs of a folder and of those below it, in the order of names.

    Files of other names, such as a README, are none of these; hidden ones neither.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        if "index.json" in files and "oci-layout" in files:
            folders.clear()
            yield _entry(str(here))
            continue
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and name.endswith(variant_names.FILES):
                yield _entry(str(here / name))
