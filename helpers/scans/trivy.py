"""One report, from bytes to typed structs, or to an error that says what the file is instead.

Trivy's reports before 0.20 are a bare list of results; Grype's are told by their keys.
"""

import os
import re
from collections.abc import Callable

import msgspec

from helpers.errors import ReportInvalid
from helpers.scans import decoding, grype
from helpers.scans.decoding import RESCAN, Text
from helpers.scans.trivy_schema import LegacyResult, Metadata, OperatingSystem, Report

_FOREIGN: tuple[tuple[Callable[[set[str]], bool], str, str], ...] = (
    (
        lambda keys: "bomFormat" in keys,
        "a CycloneDX SBOM, not a scan",
        "Scan it with `trivy sbom --format json --output REPORT FILE`",
    ),
    (
        lambda keys: bool(keys & {"spdxVersion", "SPDXID"}),
        "an SPDX SBOM, not a scan",
        "Scan it with `trivy sbom --format json --output REPORT FILE`",
    ),
    (
        lambda keys: "runs" in keys,
        "a SARIF log, not Trivy's own JSON",
        "Write it with `--format json`: SARIF lacks most of a finding's fields",
    ),
    (lambda keys: {"artifacts", "descriptor"} <= keys, "a Syft SBOM, not a scan", RESCAN),
    (
        lambda keys: bool(keys & {"ClusterName", "Resources"}),
        "a Trivy Kubernetes report, of a cluster and not of an image",
        "Scan each image with `trivy image --format json`",
    ),
    (
        lambda keys: {"apiVersion", "kind"} <= keys,
        "a Kubernetes object (the Trivy operator writes such)",
        "Scan each image with `trivy image --format json`",
    ),
    (
        lambda keys: any(key.startswith("application/vnd.") for key in keys),
        "a Harbor vulnerability report",
        "Scan the image with `trivy image --format json`",
    ),
    (
        lambda keys: {"mediaType", "schemaVersion"} <= keys,
        "an image manifest, not a scan",
        RESCAN,
    ),
)

_REPORT = msgspec.json.Decoder(Report)
_LEGACY = msgspec.json.Decoder(list[LegacyResult])
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])

_LEGACY_TARGET = re.compile(
    r"^(?P<artifact>.*?) \((?P<family>[a-z][a-z .-]*) (?P<version>[^()\s]+( \([^()]*\))?)\)$"
)
"""As in `shop:v1 (alpine 3.11.5)` and `x (amazon 2 (Karoo))`; a family may be several words."""

_OTHER_ARTIFACTS = {"aws_account": "a Trivy report of an AWS account"}


def read(path: str | os.PathLike[str]) -> Report:
    """Return the report in a file: `.json`, gzipped or not; UTF-8 or UTF-16, with or without BOM.

    Raises `ReportInvalid`, which says what the file seems to be, for everything that is not a
    Trivy or Grype report of one artifact.
    """
    try:
        return parse(decoding.read(path), path)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _not_decoded(path, error) from error


def parse(text: Text, path: str | os.PathLike[str]) -> Report:
    """Return the report in UTF-8 JSON; a legacy list and `null` become reports of one image."""
    start = bytes(text[: decoding.HEAD_BYTES]).lstrip()[:1]
    if start == b"[":
        return _from_legacy(_decode_legacy(text, path))
    if start == b"n":
        msgspec.json.decode(text, type=None)
        return _from_legacy([])
    try:
        report = _REPORT.decode(text)
    except msgspec.ValidationError:
        if other := _of_another(text, path):
            return other
        raise
    if report.schema_version is None or report.cluster_name is not None:
        if other := _of_another(text, path):
            return other
        problem = "JSON, but neither a Trivy nor a Grype report (no SchemaVersion, no matches)"
        raise ReportInvalid(path, problem, RESCAN)
    if report.schema_version != 2:
        raise ReportInvalid(
            path,
            f"a Trivy report of schema {report.schema_version}; the kit reads schema 2",
            "Look for a newer version of the kit, or scan with Trivy 0.76",
        )
    if report.artifact_type in _OTHER_ARTIFACTS:
        raise ReportInvalid(path, _OTHER_ARTIFACTS[report.artifact_type], RESCAN)
    return report


def _decode_legacy(text: Text, path: str | os.PathLike[str]) -> list[LegacyResult]:
    try:
        return _LEGACY.decode(text)
    except msgspec.ValidationError:
        try:
            first = next(iter(_ITEMS.decode(text)), {})
        except msgspec.ValidationError:
            first = {}
        if "Target" in first:
            raise
        problem = "a JSON list, but not of Trivy results"
        raise ReportInvalid(path, problem, RESCAN) from None


def _from_legacy(results: list[LegacyResult]) -> Report:
    """Return a report of a legacy list; its OS and artifact stand in the OS result's target."""
    for result in results:
        if match := _LEGACY_TARGET.match(result.target):
            system = OperatingSystem(family=match["family"], name=match["version"])
            return Report(
                artifact_name=match["artifact"],
                metadata=Metadata(os=system),
                results=list(results),
            )
    return Report(results=list(results))


def _of_another(text: Text, path: str | os.PathLike[str]) -> Report | None:
    """Return the report of another scanner; raise `ReportInvalid` for other formats known here."""
    keys = set(_KEYS.decode(text))
    if {"matches", "descriptor"} <= keys:
        return grype.parse(text, path)
    for matches, what, remedy in _FOREIGN:
        if matches(keys):
            raise ReportInvalid(path, what, remedy)
    return None


def _not_decoded(path: str | os.PathLike[str], error: Exception) -> ReportInvalid:
    """Return the `ReportInvalid` for an error of the decoder."""
    if isinstance(error, RecursionError):
        return ReportInvalid(path, "nested too deep to be a Trivy report", RESCAN)
    if isinstance(error, msgspec.ValidationError):
        problem = f"a Trivy report with a field of the wrong kind ({error})"
        return ReportInvalid(path, problem, RESCAN)
    if "truncated" in str(error):
        return ReportInvalid(path, "JSON that is cut off before its end", RESCAN)
    return ReportInvalid(path, f"not valid JSON ({error})", RESCAN)
