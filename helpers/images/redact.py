"""Keeps evidence without the values of environment variables and build arguments: names stay."""

import gzip
import json
import re
from collections.abc import Collection, Container, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers import paths
from helpers.errors import ReportInvalid
from helpers.images.dockerfile import assigned
from helpers.scans import decoding
from helpers.scans.grype import RESCAN
from helpers.scans.trivy import read

HIDDEN = "…"

_SECRET_LENGTH = 8
"""Values shorter than this are not looked for in other text: they would be found in anything."""

_INSTRUCTION = re.compile(
    r"^(?P<before>(?:\S*sh -c #\(nop\)\s+|Step \d+/\d+ :\s+|\s*)"
    r"(?:ONBUILD\s+)?(?P<word>ENV|ARG|LABEL)\s+)(?P<rest>\S.*)$",
    re.DOTALL | re.IGNORECASE,
)
_ARGUMENTS = re.compile(
    r"(?P<count>\|\d+) (?P<name>[A-Za-z_][\w.-]*)=(?:.*(?= /\S*sh -\w*c\b)|.*$)", re.DOTALL
)


def names(environment: Iterable[str] | None) -> list[str]:
    """Return the names of environment variables.

    >>> names(["PATH=/bin", "TOKEN=s3cret=x"])
    ['PATH', 'TOKEN']
    """
    return [text.partition("=")[0] for text in environment or []]


def values(environment: Iterable[str] | None, there: Container[str] = ()) -> list[str]:
    """Return the values of environment variables that are long enough to be looked for.

    A value of several lines is looked for line by line. What is the path of a file that is `there`
    is no secret: without it, a command would no longer say what it starts.
    """
    found = {
        line.strip()
        for text in environment or []
        for line in (text.partition("=")[2], *text.partition("=")[2].splitlines())
    }
    secrets = (v for v in found if len(v) >= _SECRET_LENGTH and v.rstrip("/") not in there)
    return sorted(secrets, key=len, reverse=True)


def instruction(
    text: str, secrets: Iterable[str] = (), known: Collection[str] | None = None
) -> str:
    """Return a Dockerfile's instruction, or what an image's history keeps of it, without values.

    History has lost its quotes, so that a value may look like a name: there only names that are
    `known` are kept, and of build arguments only the first.

    >>> instruction("/bin/sh -c #(nop)  ENV TOKEN=s3cret A=b")
    '/bin/sh -c #(nop)  ENV TOKEN A'
    >>> instruction("|2 TOKEN=a b URL=x /bin/sh -c npm install")
    '|2 TOKEN … /bin/sh -c npm install'
    >>> instruction("ENV TOKEN s3cret")
    'ENV TOKEN'
    >>> instruction("ENV A=hello B=x", known=["A"])
    'ENV A'
    """
    # The values of arguments stand before a shell, and may name one: the last is taken.
    text = _ARGUMENTS.sub(rf"\g<count> \g<name> {HIDDEN}", text)
    if found := _INSTRUCTION.match(text):
        told = [name for name, _ in assigned(found["rest"], found["word"])]
        # A label may be named like anything: its first name is kept.
        kept = [name for name in told if known is None or name in known] or told[:1]
        text = found["before"] + " ".join(kept)
    return prose(text, secrets)


def prose(text: str, secrets: Iterable[str]) -> str:
    """Return any text without the values in it; a value may be the beginning of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def report(decoded: Any, secrets: Iterable[str] = ()) -> Any:
    """Return a Trivy or Grype report without the image's environment values, also in its history.

    Labels keep their names only, too; `secrets` are other values that must not be in it.
    """
    if isinstance(decoded, dict) and {"matches", "descriptor"} <= decoded.keys():
        decoded = _of_grype(decoded, secrets)
    environment = _dig(decoded, "Metadata", "ImageConfig", "config", "Env")
    listed = [text for text in environment or [] if isinstance(text, str)]
    if not isinstance(environment, list):
        listed = []
    return _Walk(sorted({*secrets, *values(listed)}, key=len, reverse=True), names(listed)).of(
        decoded
    )


def keep(raw: Path, folder: Path, secrets: Sequence[str] = ()) -> None:
    """Keep a report as it is, but for the values of environment variables.

    Its file is named after its scanner. Raises `ReportInvalid` if it is none.
    """
    kept = folder / paths.REPORTS[read(raw).scanner][0]
    told = report(json.loads(bytes(decoding.read(raw))), secrets)
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    kept.write_bytes(gzip.compress(text, mtime=0))


def keep_grype(raw: Path, folder: Path, image_id: str, secrets: Sequence[str] = ()) -> None:
    """Keep a Grype report beside the rest of a variant's evidence, which is of `image_id`.

    Raises `ReportInvalid` if it is none, or of another image than that or than Trivy's report. The
    error names the file alone: where this machine keeps it is not to be recorded.
    """
    try:
        told = read(raw)
    except ReportInvalid as error:
        raise ReportInvalid(raw.name, error.problem, error.remedy) from error
    kept = paths.reports(folder)
    if told.scanner != "grype" or "grype" in kept:
        problem = f"a second report of {told.scanner.title()}, where the study names one of Grype"
        raise ReportInvalid(raw.name, problem, "Name one report of each scanner")
    image_id = image_id or (read(kept["trivy"]).image_id if "trivy" in kept else "")
    if image_id and told.image_id and image_id != told.image_id:
        problem = f"a Grype report of the image {told.image_id}, and the variant is {image_id}"
        raise ReportInvalid(raw.name, problem, RESCAN)
    keep(raw, folder, secrets)


def _of_grype(decoded: dict[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """Return a Grype report without the image's config and manifest, which are in Base64.

    Nor is Grype's configuration in it, which may hold a registry's credentials.
    """
    secrets = [*secrets]

    def of_source(node: Any, key: str = "") -> Any:
        match node:
            case dict() if key in ("labels", "annotations"):
                return dict.fromkeys(node, HIDDEN)
            case dict():
                kept = {name: node[name] for name in node if name not in ("config", "manifest")}
                return {name: of_source(value, name) for name, value in kept.items()}
            case list():
                return [of_source(value, key) for value in node]
            case str():
                return prose(node, secrets)
        return node

    told = decoded["descriptor"]
    if isinstance(told, dict):
        told = {name: told[name] for name in told if name != "configuration"}
    source = {"source": of_source(decoded["source"])} if "source" in decoded else {}
    return {**decoded, **source, "descriptor": told}


class _Walk(NamedTuple):
    """A way through a report that leaves values behind."""

    secrets: list[str]
    known: list[str]

    def of(self, node: Any, key: str = "", of_image: bool = False) -> Any:
        match node:
            case dict() if key == "Labels":
                return dict.fromkeys(node, HIDDEN)
            case dict() if key in ("Code", "RenderedCause"):
                # Lines of what was scanned for misconfigurations and secrets, which are not read.
                return {}
            case dict():
                inside = of_image or key == "ImageConfig"
                return {name: self.of(value, name, inside) for name, value in node.items()}
            case list() if key == "Env":
                return names(text for text in node if isinstance(text, str))
            case list():
                return [self.of(value, key, of_image) for value in node]
            case str() if key == "Match":
                return HIDDEN
            case str() if key in ("created_by", "CreatedBy", "OnBuild"):
                return instruction(node, self.secrets, self.known)
            case str() if of_image:
                return prose(node, self.secrets)
        return node


def _dig(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node
