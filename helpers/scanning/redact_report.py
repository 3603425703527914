"""Scanners' reports as a capture keeps them: without the values of environment variables."""

import gzip
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers import paths
from helpers.errors import ReportInvalid
from helpers.images.redact import HIDDEN, instruction, names, problem, prose, values
from helpers.scans import decoding
from helpers.scans.grype import RESCAN
from helpers.scans.reports import not_decoded, read
from helpers.scans.trivy_schema import Report

_DEEPEST = 50
"""Levels of a report that are kept; nobody reads what is below, and real ones have 8."""

_HISTORY = ("created_by", "CreatedBy", "OnBuild")
"""Keys of instructions."""


def keep(raw: Path, folder: Path, secrets: Sequence[str] = ()) -> Report:
    """Store a report, redacted, under the name of its scanner; return what is kept.

    It is what the raw report is to every reader, and is read once to be sure of that. Raises
    `ReportInvalid`.
    """
    kept = folder / paths.REPORTS[read(raw).scanner][0]
    try:
        redacted = report(_decoded(decoding.read(raw)), secrets)
    except _TooMuch as error:
        raise ReportInvalid(raw, str(error), "Leave out its ImageConfig") from error
    except (ValueError, RecursionError) as error:
        raise not_decoded(raw, error) from error
    text = json.dumps(redacted, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    # The usual level: the highest takes twice as long for one percent.
    kept.write_bytes(gzip.compress(text, 6, mtime=0))
    try:
        return read(kept)
    except ReportInvalid as error:
        kept.unlink()
        raise ReportInvalid(raw, f"cannot be stored: {error.problem}", error.remedy) from error


def _decoded(text: decoding.Text) -> Any:
    """Return JSON that `read` has taken, with what that skips made valid.

    It skips all that it does not need: letters that are not UTF-8, control characters, numbers that
    are too large, and what is nested deeply.
    """
    decoded = json.loads(
        str(text, "utf-8", "replace"), strict=False, parse_float=_finite, parse_int=_integer
    )
    level = [decoded] if isinstance(decoded, dict | list) else []
    for _ in range(_DEEPEST):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    for node in level:
        node.clear()
    return decoded


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def keep_grype(raw: Path, folder: Path, image_id: str, secrets: Sequence[str] = ()) -> None:
    """Store a Grype report, redacted, beside the other evidence of the image `image_id`.

    Raises `ReportInvalid` if it is not a Grype report, or if it is of another image than `image_id`
    or Trivy's report. The error names the file without its folder, which must not be recorded.
    """
    try:
        decoded = read(raw)
    except ReportInvalid as error:
        raise ReportInvalid(raw.name, error.problem, error.remedy) from error
    kept = paths.reports(folder)
    scanner = decoded.scanner
    if scanner != "grype" or "grype" in kept:
        problem = f"a second {scanner.title()} report, but the study needs one from Grype"
        raise ReportInvalid(raw.name, problem, "Pass one report of each scanner")
    image_id = image_id or (read(kept["trivy"]).image_id if "trivy" in kept else "")
    if image_id and decoded.image_id and image_id != decoded.image_id:
        problem = f"a Grype report of image {decoded.image_id}, but the variant is {image_id}"
        raise ReportInvalid(raw.name, problem, RESCAN)
    keep(raw, folder, secrets)


def report(decoded: Any, secrets: Sequence[str] = ()) -> Any:
    """Return a Trivy or Grype report without the values of environment variables and labels.

    Values are also removed from the image's history. `secrets` are other values to remove.
    """
    environment = _dig(decoded, "Metadata", "ImageConfig", "config", "Env")
    listed = environment if isinstance(environment, list) else []
    variables = [text for text in listed if isinstance(text, str)]
    hidden = [*secrets, *values(variables)]
    if why := problem(hidden, _texts(decoded)):
        raise _TooMuch(why)
    if isinstance(decoded, dict) and {"matches", "descriptor"} <= decoded.keys():
        decoded = _without_config(decoded, secrets)
    return _Redaction(hidden, names(variables)).apply(decoded)


class _TooMuch(Exception):
    """More values and texts than can be looked through."""


def _texts(node: Any, key: str = "", in_config: bool = False) -> Iterator[str]:
    """Yield the texts of a report that are looked through for values."""
    match node:
        case str() if in_config or key in _HISTORY:
            yield node
        case dict():
            for name, value in node.items():
                yield from _texts(value, name, in_config or name == "ImageConfig")
        case list():
            for value in node:
                yield from _texts(value, key, in_config)


def _without_config(decoded: dict[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """Return a Grype report without the image's config and manifest, which are in Base64.

    Grype's own configuration is removed too: it may hold a registry's credentials.
    """

    def redacted(node: Any, key: str = "") -> Any:
        match node:
            case dict() if key in ("labels", "annotations"):
                return dict.fromkeys(node, HIDDEN)
            case dict():
                kept = {name: node[name] for name in node if name not in ("config", "manifest")}
                return {name: redacted(value, name) for name, value in kept.items()}
            case list():
                return [redacted(value, key) for value in node]
            case str():
                return prose(node, secrets)
        return node

    changed = {"source": redacted(decoded["source"])} if "source" in decoded else {}
    if isinstance(descriptor := decoded["descriptor"], dict):
        changed["descriptor"] = {
            name: value for name, value in descriptor.items() if name != "configuration"
        }
    return decoded | changed


class _Redaction(NamedTuple):
    """Values to remove from a report, and the names of variables that stay."""

    secrets: list[str]
    known: list[str]

    def apply(self, node: Any, key: str = "", in_config: bool = False) -> Any:
        match node:
            case dict() if key == "Labels":
                return dict.fromkeys(node, HIDDEN)
            case dict() if key in ("Code", "RenderedCause"):
                # Lines of files that were scanned for misconfigurations and secrets.
                return {}
            case dict():
                inside = in_config or key == "ImageConfig"
                return {name: self.apply(value, name, inside) for name, value in node.items()}
            case list() if key == "Env":
                return names(text for text in node if isinstance(text, str))
            case list():
                return [self.apply(value, key, in_config) for value in node]
            case str() if key == "Match":
                return HIDDEN
            case str() if key in _HISTORY:
                return instruction(node, self.secrets, self.known)
            case str() if in_config:
                return prose(node, self.secrets)
        return node


def _dig(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node
