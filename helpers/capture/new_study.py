"""Make a study from image references, archives, SBOMs and scan reports."""

import codecs
import contextlib
import json
import os
import re
import shutil
import stat
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from helpers import paths, whole
from helpers.compressed import head
from helpers.errors import ReportInvalid, StudyInvalid, advice, disk_error
from helpers.images import oci
from helpers.images.reference import is_reference
from helpers.scanning import scan_input
from helpers.scans import reports
from helpers.scans.decoding import Text, read
from helpers.studies import study, variant_names
from helpers.studies.variant_names import Names

_JSON_HEAD_BYTES = 4096

_SBOM_KEY = re.compile(rb'"(?:bomFormat|spdxVersion)"\s*:')


class _Source(NamedTuple):
    """The source of one variant, and a Grype report of the same image, if any.

    `chosen` is the variant's name from the user; `artifact` is the subject that the source states;
    `platform` selects one of an image's platforms.
    """

    kind: str
    name: str
    grype: str = ""
    chosen: str = ""
    artifact: str = ""
    platform: oci.Platform = oci.ANY


class _Sbom(Struct):
    """The fields that distinguish an SBOM from other JSON."""

    cyclonedx: Any = field(default=None, name="bomFormat")
    spdx: Any = field(default=None, name="spdxVersion")


def make_study(
    sources: Sequence[str], name: str = "", platforms: Sequence[oci.Platform] = ()
) -> str:
    """Write the study that compares these sources, and return its name.

    A source is a reference or a path, optionally after `NAME=`, its variant's name. Variants of
    reports and CycloneDX SBOMs are otherwise named after their subject, and the study after its
    variants. The same sources give the same study again, with its captures. Images and archives
    have one variant for each of the `platforms`. One Trivy and one Grype report of the same image
    are one variant, unless the user names them differently. Raises `StudyInvalid` for a source that
    cannot be compared, or if another study has the name.
    """
    paired = _on_platforms(_paired([_source(source) for source in sources]), platforms)
    variants = variant_names.unique([_names(source, len(platforms) > 1) for source in paired])
    _check_chosen(paired)
    name = name or "-vs-".join(variants)[:60].rstrip("-._")
    if not study.NAME.fullmatch(name):
        raise StudyInvalid(f"study {name!r}: use letters, digits, '.', '_' and '-'")
    text = _toml(variants, paired).encode()
    path = paths.study(name) / "study.toml"
    try:
        paths.studies().mkdir(parents=True, exist_ok=True)
        with whole.alone(paths.studies()):
            if path.exists() and path.read_bytes() != text:
                raise StudyInvalid(
                    f"{path}: another study has this name; choose one: --study (make: STUDY=)"
                )
            path.parent.mkdir(exist_ok=True)
            whole.mark(path.parent).touch()
            whole.write(path, text)
    except OSError as error:
        raise disk_error(error, path) from error
    study.open_study(name)
    return name


def remove_unused(name: str) -> None:
    """Remove a study that `make_study` wrote if it has no capture and no process uses it."""
    folder = paths.study(name)
    with contextlib.suppress(OSError), whole.alone(paths.studies()):
        whole.mark(folder).unlink(missing_ok=True)
        whole.clear_up(folder)
        if [path.name for path in folder.iterdir()] == ["study.toml"]:
            shutil.rmtree(folder)


def _source(text: str) -> _Source:
    """Return a source and the name for its variant, if the user gave one."""
    chosen, equals, rest = text.partition("=")
    # A file name may contain "=".
    if not equals or os.path.exists(path_of(text)):  # noqa: PTH110
        return _Source(kind(text), text)
    if not study.is_variant_name(chosen):
        raise StudyInvalid(
            f"{text[:200]}: no such file, and {chosen[:64]!r} cannot name a variant: "
            "use another, of letters, digits, '.', '_' and '-'"
        )
    return _Source(kind(rest), rest, chosen=chosen)


def kind(source: str) -> str:
    """Return the kind of a source: `archive`, `sbom`, `report` or `image` (a reference).

    A folder that is an OCI layout is an archive. Raises `StudyInvalid` for anything else.
    """
    path = path_of(source)
    try:
        if _is_file(path / "index.json"):
            return "archive"
        if _is_file(path):
            return _kind_of_file(path)
    except OSError as error:
        raise StudyInvalid(f"{source[:200]}: cannot be read ({error.strerror or error})") from error
    if source and path.is_dir():
        many = advice(f"make fleet SCANS={source}", f"python -m helpers fleet run {source}")
        image = f". To compare the image write {source}:latest" if is_reference(source) else ""
        raise StudyInvalid(
            f"{source}: a folder without index.json, so not an OCI layout. Pass the files in it, "
            f"or for many reports use: {many}{image}"
        )
    # What looks like a file is not looked up in a registry.
    if not is_reference(source) or source.endswith(variant_names.FILES):
        what = source or "an empty name"
        raise StudyInvalid(f"{what}: no such file or OCI layout, and not an image reference")
    return "image"


def _is_file(path: Path) -> bool:
    """Return whether a file exists. Raises `OSError` if that is unknown.

    Since Python 3.14 `Path.is_file` returns False in that case.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False


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
        if not _is_sbom(text, path):
            return "report"
    with path.open("rb") as file:
        start = file.read(5)
    # The kit removes the byte order mark of tags and values before Trivy gets them.
    start = start.removeprefix(codecs.BOM_UTF8) if is_tag_value else start
    if bytes(text[:2]) != start[:2]:
        raise StudyInvalid(f"{path}: Trivy reads an SBOM as UTF-8 only; unpack or convert it")
    return "sbom"


def _is_sbom(text: Text, path: Path) -> bool:
    """Return whether JSON is an SBOM. Raises `StudyInvalid` for a damaged one."""
    try:
        sbom = msgspec.json.decode(text, type=_Sbom)
    except msgspec.ValidationError:
        return False
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if not _SBOM_KEY.search(bytes(text[:_JSON_HEAD_BYTES])):
            return False
        problem = reports.not_decoded(path, error).problem
        raise StudyInvalid(
            f"{path}: an SBOM, but {problem}. Copy it again or create it again"
        ) from error
    return sbom.cyclonedx is not None or sbom.spdx is not None


def _is_tar(path: Path) -> bool:
    """Return whether a file is a tar, plain or compressed."""
    block = head(path, tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        # A block of zeros ends a tar; this one has no entries.
        return block == bytes(tarfile.BLOCKSIZE)
    return True


def path_of(source: str) -> Path:
    """Return the path of a source, with `~` expanded."""
    try:
        return Path(os.path.expanduser(source))  # noqa: PTH111
    except ValueError:
        # A user's name with a NUL.
        return Path(source)


def _paired(sources: list[_Source]) -> list[_Source]:
    """Return the sources, merging a Trivy and a Grype report of the same image."""
    found: list[_Source | None] = []
    by_image: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for position, source in enumerate(sources):
        artifact = ""
        if source.kind == "report":
            # The capture of the variant reports the error.
            with contextlib.suppress(ReportInvalid):
                report = reports.read(path_of(source.name))
                artifact = report.artifact_name or ""
                if report.image_id:
                    by_image[report.image_id].append((report.scanner, position))
        elif source.kind == "sbom":
            artifact = _component(path_of(source.name))
        found.append(source._replace(artifact=artifact))
    for same in by_image.values():
        # With several reports of a scanner, it is unknown which belong together.
        if sorted(scanner for scanner, _ in same) == ["grype", "trivy"]:
            by_scanner = {scanner: found[position] for scanner, position in same}
            ours, theirs = by_scanner["trivy"], by_scanner["grype"]
            assert ours
            assert theirs
            chosen = {name for name in (ours.chosen, theirs.chosen) if name}
            if len(chosen) < 2:
                first, second = (position for _, position in same)
                found[first] = ours._replace(grype=theirs.name, chosen="".join(chosen))
                found[second] = None
    return [source for source in found if source]


def _on_platforms(sources: list[_Source], platforms: Sequence[oci.Platform]) -> list[_Source]:
    """Return the sources; images once for each platform."""
    found = []
    for source in sources:
        if platforms and source.kind in ("image", "archive"):
            found += [source._replace(platform=platform) for platform in platforms]
        else:
            found.append(source)
    if platforms and all(source.platform == oci.ANY for source in found):
        raise StudyInvalid("platforms apply to images and archives only; remove the platform")
    return found


def _component(path: Path) -> str:
    """Return the subject of a CycloneDX SBOM with its version; empty if unknown."""
    component = scan_input.component(path)
    is_tagged = ":" in component.name.rpartition("/")[2] or not component.version
    return component.name if is_tagged else f"{component.name}:{component.version}"


def _names(source: _Source, with_platform: bool) -> Names:
    """Return possible names for a source's variant."""
    names = _names_of_image(source)
    if not with_platform or source.platform == oci.ANY:
        return names
    return variant_names.with_suffix(names, str(source.platform).removeprefix("linux/"))


def _names_of_image(source: _Source) -> Names:
    if source.chosen:
        return Names([source.chosen], is_chosen=True)
    if source.kind == "image":
        return Names(variant_names.of_reference(source.name))
    by_artifact = variant_names.of_artifact(source.artifact)
    # If nothing distinguishes them, the shortest is numbered.
    by_file = variant_names.of_file(path_of(source.name))
    return Names([*by_artifact, *by_file, *by_artifact[:1]])


def _check_chosen(sources: Sequence[_Source]) -> None:
    """Raise `StudyInvalid` if a user gave a name to two variants."""
    chosen = [(source.chosen.casefold(), source.platform) for source in sources if source.chosen]
    counts = Counter(chosen)
    for source in sources:
        if counts[source.chosen.casefold(), source.platform] > 1:
            raise StudyInvalid(f"two variants are named {source.chosen!r}; choose different names")


def _toml(variants: Sequence[str], sources: Sequence[_Source]) -> str:
    """Return the `study.toml` of these variants."""
    fields = []
    for variant, source in zip(variants, sources, strict=True):
        place = source.name if source.kind == "image" else _absolute(source.name)
        platform = str(source.platform) if source.platform != oci.ANY else ""
        grype = _absolute(source.grype) if source.grype else ""
        named = {"name": variant, source.kind: place, "platform": platform, "grype": grype}
        fields.append(named)
    question = "Which of these should be shipped?"
    return toml(" or ".join(variants), question, "Made by `compare`.", fields)


def toml(title: str, question: str, about: str, variants: Iterable[Mapping[str, str]]) -> str:
    """Return a `study.toml` of variants with these fields, without empty ones."""
    tables = [{"title": title, "question": question, "about": about}, *variants]
    texts = (
        "\n".join(f"{key} = {_string(text)}" for key, text in table.items() if text)
        for table in tables
    )
    return "\n\n[[variants]]\n".join(texts) + "\n"


def _absolute(source: str) -> str:
    return os.path.abspath(path_of(source))  # noqa: PTH100


def _string(text: str) -> str:
    """Return text as a TOML string, escaped like JSON except for DEL."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StudyInvalid(f"{text!r}: the name is not valid UTF-8") from error
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
