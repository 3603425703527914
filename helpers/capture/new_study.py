"""Makes a study of what a user names: image references, archives, SBOMs and scanners' reports."""

import codecs
import json
import os
import re
import shutil
import tarfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from helpers import paths
from helpers.capture import scan_input
from helpers.errors import ReportInvalid, StudyInvalid
from helpers.images.compression import head
from helpers.scans import trivy
from helpers.scans.decoding import Text, read
from helpers.studies import study

_MADE = "Made by `compare`."
_HEAD_BYTES = 4096
_MARKS = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE
_PACKED = (".gz", ".xz", ".bz2", ".zst", ".tgz", ".txz", ".tbz", ".tbz2", ".tzst")
_FILES = (".tar", ".json", ".spdx", *_PACKED)
_SUFFIXES = (*_PACKED, ".tar", ".json", ".cdx", ".spdx")

_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"{_PART}(?::\d+)?(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[a-z0-9]+:[0-9a-f]{{32,}})?",
    re.IGNORECASE | re.ASCII,
)
"""https://pkg.go.dev/github.com/distribution/reference has the grammar; case is Docker's affair."""


class _Given(NamedTuple):
    """One variant to be: its source, and a Grype report of the same image if there is one."""

    kind: str
    source: str
    grype: str = ""


class _Sbom(Struct):
    """What tells an SBOM from other JSON."""

    cyclonedx: Any = field(default=None, name="bomFormat")
    spdx: Any = field(default=None, name="spdxVersion")


def make_study(sources: Sequence[str], name: str = "") -> str:
    """Write the study that compares these sources, and return its name.

    Without a name it is that of its variants. Naming the same sources again gives the same study,
    with its captures. A Trivy and a Grype report that state the same image are one variant, if
    there is one of each. Raises `StudyInvalid` if a source is nothing that can be compared, or if
    there is another study of that name.
    """
    given = _paired([_Given(kind(source), source) for source in sources])
    variants = _names(given)
    name = name or "-vs-".join(variants)[:60].rstrip("-._")
    if not study.NAME.fullmatch(name):
        raise StudyInvalid(f"study {name!r}: use letters, digits, '.', '_' and '-'")
    text = _toml(variants, given).encode()
    path = paths.study(name) / "study.toml"
    if path.exists() and path.read_bytes() != text:
        raise StudyInvalid(f"{path}: there is another study {name!r}; give this one a name: STUDY=")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".part")
    written.write_bytes(text)
    written.replace(path)
    study.open_study(name)
    return name


def unmake_study(name: str) -> None:
    """Remove a study that `make_study` wrote if nothing was captured of it."""
    folder = paths.study(name)
    if [path.name for path in folder.iterdir()] == ["study.toml"]:
        shutil.rmtree(folder)


def kind(source: str) -> str:
    """Return what a source is: `archive`, `sbom`, `report`, or else a reference to an `image`.

    A folder is an archive if it is an OCI layout. Raises `StudyInvalid` for what is none of them.
    """
    path = _path(source)
    try:
        if (path / "index.json").is_file():
            return "archive"
        if path.is_file():
            return _kind_of_file(path)
    except OSError as error:
        raise StudyInvalid(f"{source[:200]}: cannot be read ({error.strerror or error})") from error
    # What looks like a file is not asked of a registry.
    if not _REFERENCE.fullmatch(source) or source.endswith(_FILES):
        raise StudyInvalid(
            f"{source}: there is no such file or OCI layout, and it is no image's name"
        )
    return "image"


def _kind_of_file(path: Path) -> str:
    try:
        if _is_tar(path):
            return "archive"
    except MemoryError as error:
        raise StudyInvalid(f"{path}: {error}") from error
    # Whatever it is wrapped in, as JSON may be.
    text: Text = head(path, scan_input.HEAD_BYTES).replace(b"\0", b"").lstrip(_MARKS)
    if not scan_input.begins(bytes(text)):
        try:
            text = read(path)
        except (ReportInvalid, UnicodeDecodeError):
            text = b""
        if bytes(text[:_HEAD_BYTES]).lstrip()[:1] not in (b"{", b"["):
            raise StudyInvalid(
                f"{path}: neither an image archive (docker save, OCI layout) nor an SBOM "
                "(CycloneDX as JSON, SPDX as JSON or tag-value) nor a Trivy or Grype report (JSON)"
            )
        if not _is_sbom(text):
            return "report"
    with path.open("rb") as file:
        # The mark is no hindrance to SPDX of tags and values, from which it is taken.
        begin = file.read(5)
        if scan_input.begins(bytes(text)):
            begin = begin.removeprefix(codecs.BOM_UTF8)
        if bytes(text[:2]) != begin[:2]:
            raise StudyInvalid(f"{path}: Trivy reads an SBOM as UTF-8 only; unpack or convert it")
    return "sbom"


def _is_sbom(text: Text) -> bool:
    try:
        found = msgspec.json.decode(text, type=_Sbom)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return found.cyclonedx is not None or found.spdx is not None


def _is_tar(path: Path) -> bool:
    """Return whether a tar begins in a file, plain or compressed by what archives may be."""
    block = head(path, tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        # A block of zeros is the end of a tar, here of one without entries.
        return block == bytes(tarfile.BLOCKSIZE)
    return True


def _path(source: str) -> Path:
    try:
        return Path(os.path.expanduser(source))  # noqa: PTH111
    except ValueError:
        # No user has a NUL in the name.
        return Path(source)


def _paired(given: list[_Given]) -> list[_Given]:
    """Return variants, of which those of Trivy and of Grype are one where both are of one image."""
    by_image: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for place, one in enumerate(given):
        if one.kind == "report":
            try:
                found = trivy.read(_path(one.source))
            except ReportInvalid:
                # Its capture says what is wrong with it.
                continue
            if found.image_id:
                by_image[found.image_id].append((found.scanner, place))
    paired: list[_Given | None] = [*given]
    for places in by_image.values():
        # Of several of a scanner it is not known which belongs to the other's.
        if sorted(scanner for scanner, _ in places) == ["grype", "trivy"]:
            of = {scanner: given[place].source for scanner, place in places}
            paired[places[0][1]] = _Given("report", of["trivy"], of["grype"])
            paired[places[1][1]] = None
    return [one for one in paired if one]


def _names(given: Sequence[_Given]) -> list[str]:
    """Return a name for each variant that a folder can have, numbered where they are alike."""
    names: list[str] = []
    for what, source, _ in given:
        text = source.rpartition("/")[2] if what == "image" else _path(source).name
        for suffix in _SUFFIXES:
            text = text.removesuffix(suffix)
        text = re.sub(r"@sha256:(\w{8})\w*", r"-\1", text)
        names.append(re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:48] or "image")
    many = Counter(name.casefold() for name in names)
    alone = {name for name, count in many.items() if count == 1}
    for place, name in enumerate(names):
        if name.casefold() not in alone:
            names[place] = f"{name}.{place + 1}"
            while names[place].casefold() in alone:
                names[place] += f".{place + 1}"
    return names


def _toml(variants: Sequence[str], given: Sequence[_Given]) -> str:
    """Return the `study.toml` of these variants."""
    lines = [
        f"title = {_string(' or '.join(variants))}",
        f"question = {_string('Which of these should be shipped?')}",
        f"about = {_string(_MADE)}",
    ]
    for name, (what, source, grype) in zip(variants, given, strict=True):
        place = source if what == "image" else _absolute(source)
        lines += ["", "[[variants]]", f"name = {_string(name)}", f"{what} = {_string(place)}"]
        if grype:
            lines.append(f"grype = {_string(_absolute(grype))}")
    return "\n".join(lines) + "\n"


def _absolute(source: str) -> str:
    return os.path.abspath(_path(source))  # noqa: PTH100


def _string(text: str) -> str:
    """Return text as a TOML string, whose escapes are those of JSON but for one character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StudyInvalid(f"{text!r}: a name that is not UTF-8 cannot be written") from error
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
