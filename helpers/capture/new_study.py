"""Makes a study from what a user names: image references, archives, SBOMs and scan reports."""

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

_JSON_HEAD_BYTES = 4096
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst", ".tgz", ".txz", ".tbz", ".tbz2", ".tzst")
_FILES = (".tar", ".json", ".spdx", *_COMPRESSED)
_SUFFIXES = (*_COMPRESSED, ".tar", ".json", ".cdx", ".spdx")

_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"{_PART}(?::\d+)?(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[a-z0-9]+:[0-9a-f]{{32,}})?",
    re.IGNORECASE | re.ASCII,
)
"""Grammar: https://pkg.go.dev/github.com/distribution/reference; Docker checks the case."""


class _Source(NamedTuple):
    """The source of one variant, and a Grype report of the same image if there is one."""

    kind: str
    name: str
    grype: str = ""


class _Sbom(Struct):
    """The fields that distinguish an SBOM from other JSON."""

    cyclonedx: Any = field(default=None, name="bomFormat")
    spdx: Any = field(default=None, name="spdxVersion")


def make_study(sources: Sequence[str], name: str = "") -> str:
    """Write the study that compares these sources, and return its name.

    Without a name it is named after its variants. The same sources give the same study again, with
    its captures. A Trivy and a Grype report of the same image are one variant if there is one of
    each. Raises `StudyInvalid` for a source that cannot be compared, or if another study has the
    name.
    """
    paired = _paired([_Source(kind(source), source) for source in sources])
    variants = _names(paired)
    name = name or "-vs-".join(variants)[:60].rstrip("-._")
    if not study.NAME.fullmatch(name):
        raise StudyInvalid(f"study {name!r}: use letters, digits, '.', '_' and '-'")
    text = _toml(variants, paired).encode()
    path = paths.study(name) / "study.toml"
    if path.exists() and path.read_bytes() != text:
        raise StudyInvalid(
            f"{path}: another study has this name; choose one: --study (make: STUDY=)"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(text)
    part.replace(path)
    study.open_study(name)
    return name


def remove_unused(name: str) -> None:
    """Remove a study that `make_study` wrote if it has no capture."""
    folder = paths.study(name)
    if [path.name for path in folder.iterdir()] == ["study.toml"]:
        shutil.rmtree(folder)


def kind(source: str) -> str:
    """Return the kind of a source: `archive`, `sbom`, `report`, or else `image`, a reference.

    A folder that is an OCI layout is an archive. Raises `StudyInvalid` for anything else.
    """
    path = _path(source)
    try:
        if (path / "index.json").is_file():
            return "archive"
        if path.is_file():
            return _kind_of_file(path)
    except OSError as error:
        raise StudyInvalid(f"{source[:200]}: cannot be read ({error.strerror or error})") from error
    # No registry is asked for what looks like a file.
    if not _REFERENCE.fullmatch(source) or source.endswith(_FILES):
        raise StudyInvalid(f"{source}: no such file or OCI layout, and not an image reference")
    return "image"


def _kind_of_file(path: Path) -> str:
    try:
        if _is_tar(path):
            return "archive"
    except MemoryError as error:
        raise StudyInvalid(f"{path}: {error}") from error
    # Compressed or in UTF-16, too: these kinds are recognized, then refused for SBOMs.
    marks = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE
    text: Text = head(path, scan_input.HEAD_BYTES).replace(b"\0", b"").lstrip(marks)
    is_tag_value = scan_input.is_tag_value(bytes(text))
    if not is_tag_value:
        try:
            text = read(path)
        except (ReportInvalid, UnicodeDecodeError):
            text = b""
        if bytes(text[:_JSON_HEAD_BYTES]).lstrip()[:1] not in (b"{", b"["):
            raise StudyInvalid(
                f"{path}: neither an image archive (docker save, OCI layout) nor an SBOM "
                "(CycloneDX as JSON, SPDX as JSON or tag-value) nor a Trivy or Grype report (JSON)"
            )
        if not _is_sbom(text):
            return "report"
    with path.open("rb") as file:
        start = file.read(5)
    # The kit removes the byte order mark of tags and values before Trivy gets them.
    start = start.removeprefix(codecs.BOM_UTF8) if is_tag_value else start
    if bytes(text[:2]) != start[:2]:
        raise StudyInvalid(f"{path}: Trivy reads an SBOM as UTF-8 only; unpack or convert it")
    return "sbom"


def _is_sbom(text: Text) -> bool:
    try:
        sbom = msgspec.json.decode(text, type=_Sbom)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return sbom.cyclonedx is not None or sbom.spdx is not None


def _is_tar(path: Path) -> bool:
    """Return whether a file is a tar, plain or in a compression that archives may have."""
    block = head(path, tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        # A block of zeros ends a tar; this one has no entries.
        return block == bytes(tarfile.BLOCKSIZE)
    return True


def _path(source: str) -> Path:
    try:
        return Path(os.path.expanduser(source))  # noqa: PTH111
    except ValueError:
        # A user's name with a NUL.
        return Path(source)


def _paired(sources: list[_Source]) -> list[_Source]:
    """Return the sources, with a Trivy and a Grype report of the same image as one."""
    by_image: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for position, source in enumerate(sources):
        if source.kind == "report":
            try:
                report = trivy.read(_path(source.name))
            except ReportInvalid:
                # The capture of the variant reports the error.
                continue
            if report.image_id:
                by_image[report.image_id].append((report.scanner, position))
    paired: list[_Source | None] = [*sources]
    for reports in by_image.values():
        # With several reports of a scanner, it is unknown which belong together.
        if sorted(scanner for scanner, _ in reports) == ["grype", "trivy"]:
            files = {scanner: sources[position].name for scanner, position in reports}
            first, second = (position for _, position in reports)
            paired[first] = _Source("report", files["trivy"], files["grype"])
            paired[second] = None
    return [source for source in paired if source]


def _names(sources: Sequence[_Source]) -> list[str]:
    """Return a name for each variant, valid for a folder, numbered where names are equal."""
    names: list[str] = []
    for source in sources:
        is_image = source.kind == "image"
        text = source.name.rpartition("/")[2] if is_image else _path(source.name).name
        for suffix in _SUFFIXES:
            text = text.removesuffix(suffix)
        text = re.sub(r"@sha256:(\w{8})\w*", r"-\1", text)
        names.append(re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:48] or "image")
    counts = Counter(name.casefold() for name in names)
    unique = {name for name, count in counts.items() if count == 1}
    for position, name in enumerate(names, start=1):
        if name.casefold() not in unique:
            name += f".{position}"
            while name.casefold() in unique:
                name += f".{position}"
            names[position - 1] = name
    return names


def _toml(variants: Sequence[str], sources: Sequence[_Source]) -> str:
    """Return the `study.toml` of these variants."""
    lines = [
        f"title = {_string(' or '.join(variants))}",
        f"question = {_string('Which of these should be shipped?')}",
        f"about = {_string('Made by `compare`.')}",
    ]
    for variant, (kind, name, grype) in zip(variants, sources, strict=True):
        source = name if kind == "image" else _absolute(name)
        lines += ["", "[[variants]]", f"name = {_string(variant)}", f"{kind} = {_string(source)}"]
        if grype:
            lines.append(f"grype = {_string(_absolute(grype))}")
    return "\n".join(lines) + "\n"


def _absolute(source: str) -> str:
    return os.path.abspath(_path(source))  # noqa: PTH100


def _string(text: str) -> str:
    """Return text as a TOML string: its escapes are those of JSON, except for DEL."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StudyInvalid(f"{text!r}: the name is not valid UTF-8") from error
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
