"""Makes a study of what a user names: image references, archives, SBOMs and Trivy reports."""

import json
import os
import re
import tarfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from helpers import paths, study
from helpers.errors import ReportInvalid, StudyInvalid
from helpers.jsontext import read

_MADE = "Made by `compare`."
_HEAD_BYTES = 4096
_REFERENCE = re.compile(r"[a-z0-9]([a-z0-9._/:-]*[a-z0-9])?([:@][\w.:-]+)?", re.IGNORECASE)


def make_study(sources: Sequence[str], name: str = "") -> str:
    """Write the study that compares these sources, and return its name.

    Without a name it is that of its variants. Naming the same sources again gives the same study,
    with its captures. Raises `StudyInvalid` if a source is nothing that can be compared, or if
    there is another study of that name.
    """
    variants = dict(zip(_names(sources), map(kind, sources), strict=True))
    name = name or "-vs-".join(variants)[:60].rstrip("-._")
    text = _toml(variants, sources)
    path = paths.study(name) / "study.toml"
    if path.exists() and path.read_text() != text:
        raise StudyInvalid(f"{path}: there is another study {name!r}; give this one a name: STUDY=")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".part")
    written.write_text(text)
    written.replace(path)
    study.open_study(name)
    return name


def kind(source: str) -> str:
    """Return what a source is: `archive`, `sbom`, `report`, or else a reference to an `image`.

    Raises `StudyInvalid` for a file that is none of them.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return "archive"
    if not path.exists():
        # What looks like a file is not asked of a registry.
        if not _REFERENCE.fullmatch(source) or source.endswith((".tar", ".json", ".gz", ".tgz")):
            raise StudyInvalid(f"{source}: there is no such file, and it is no image's name")
        return "image"
    if _is_tar(path):
        return "archive"
    try:
        text = bytes(read(path)[: 2**26])
    except (ReportInvalid, UnicodeDecodeError):
        text = b""
    head = text.lstrip()[:1]
    if head == b"{" and (b'"bomFormat"' in text or b'"spdxVersion"' in text):
        return "sbom"
    if head in (b"{", b"["):
        return "report"
    raise StudyInvalid(
        f"{source}: neither an image archive (docker save, OCI layout) nor JSON of an SBOM or a "
        "Trivy report"
    )


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except OSError as error:
        raise StudyInvalid(f"{path}: cannot be read ({error.strerror or error})") from error


def _names(sources: Sequence[str]) -> list[str]:
    """Return a name for each source that a folder can have, numbered where they are alike."""
    names = []
    for source in sources:
        path = Path(source).expanduser()
        text = path.name if path.exists() else source.rpartition("/")[2]
        for suffix in (".gz", ".tar", ".json", ".cdx", ".spdx", ".tgz"):
            text = text.removesuffix(suffix)
        text = re.sub(r"@sha256:(\w{8})\w*", r"-\1", text)
        names.append(re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:48] or "image")
    many = Counter(name.casefold() for name in names)
    return [
        name if many[name.casefold()] == 1 else f"{name}.{number}"
        for number, name in enumerate(names, start=1)
    ]


def _toml(variants: dict[str, str], sources: Sequence[str]) -> str:
    """Return the `study.toml` of these variants."""
    lines = [
        f"title = {_string(' or '.join(variants))}",
        f"question = {_string('Which of these should be shipped?')}",
        f"about = {_string(_MADE)}",
    ]
    for (name, what), source in zip(variants.items(), sources, strict=True):
        place = source if what == "image" else os.path.abspath(Path(source).expanduser())  # noqa: PTH100
        lines += ["", "[[variants]]", f"name = {_string(name)}", f"{what} = {_string(place)}"]
    return "\n".join(lines) + "\n"


def _string(text: str) -> str:
    """Return text as a TOML string, whose escapes are those of JSON but for one character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StudyInvalid(f"{text!r}: a name that is not UTF-8 cannot be written") from error
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
