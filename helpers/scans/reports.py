"""Trivy's JSON, decoded to typed structs; a Grype report is passed on, other files are refused.

The error says what the file is instead. Before 0.20 Trivy wrote a bare list of results.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from helpers.errors import ReportInvalid
from helpers.scans import decoding, grype
from helpers.scans.decoding import RESCAN, Text
from helpers.scans.trivy_schema import (
    LegacyResult,
    Metadata,
    OperatingSystem,
    Package,
    Report,
    Suppressed,
    Vulnerability,
)

MAX_ROWS = 1_000_000
"""How many findings and packages a report may have: a report of 1 GB has a third of them."""

_SCAN_EACH = "Scan each image with `trivy image --format json`"
_SCAN_SBOM = "Scan it with `trivy sbom --format json --output REPORT FILE`"

_FOREIGN: tuple[tuple[Callable[[set[str]], bool], str, str], ...] = (
    (lambda keys: "bomFormat" in keys, "a CycloneDX SBOM, not a scan", _SCAN_SBOM),
    (lambda keys: bool(keys & {"spdxVersion", "SPDXID"}), "an SPDX SBOM, not a scan", _SCAN_SBOM),
    (
        lambda keys: "runs" in keys,
        "a SARIF log, not Trivy's own JSON",
        "Write it with `--format json`: SARIF lacks most of a finding's fields",
    ),
    (lambda keys: {"artifacts", "descriptor"} <= keys, "a Syft SBOM, not a scan", RESCAN),
    (
        lambda keys: bool(keys & {"ClusterName", "Resources"}),
        "a Trivy report of a Kubernetes cluster, not of an image",
        _SCAN_EACH,
    ),
    (
        lambda keys: {"apiVersion", "kind"} <= keys,
        "a Kubernetes object, as the Trivy operator writes",
        _SCAN_EACH,
    ),
    (
        lambda keys: any(key.startswith("application/vnd.") for key in keys),
        "a Harbor vulnerability report",
        RESCAN,
    ),
    (lambda keys: {"mediaType", "schemaVersion"} <= keys, "an image manifest, not a scan", RESCAN),
)

_REPORT = msgspec.json.Decoder(Report)
_LEGACY = msgspec.json.Decoder(list[LegacyResult])
_PATHS = msgspec.json.Decoder(list[str] | None)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])

_FINDING = msgspec.json.Decoder(dict[str, Any])

_STATUSES = dict(
    enumerate(
        "unknown not_affected affected fixed under_investigation will_not_fix fix_deferred "
        "end_of_life".split()
    )
)
"""Trivy's fix statuses by number: 0.55 wrote those of suppressed findings so."""

_LEGACY_TARGET = re.compile(
    r"^(?P<artifact>.*?) \((?P<family>[a-z][a-z .-]*) (?P<version>[^()\s]+( \([^()]*\))?)\)$"
)
"""As in `shop:v1 (alpine 3.11.5)` and `x (amazon 2 (Karoo))`; a family may have several words."""


def read(path: str | os.PathLike[str]) -> Report:
    """Return the Trivy or Grype report in a file, decoded as `decoding.read` does.

    Raises `ReportInvalid`, which says what the file seems to be, if it is not a report of one
    artifact.
    """
    return decoded(text(path), path)


def text(path: str | os.PathLike[str]) -> Text:
    """Return the JSON text of a report, unzipped, as UTF-8. Raises `ReportInvalid`."""
    try:
        return decoding.read(path)
    except UnicodeDecodeError as error:
        raise not_decoded(path, error) from error


def decoded(text: Text, path: str | os.PathLike[str]) -> Report:
    """Return the report of a file of that text, as `read` does."""
    try:
        report = parse(text, path)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise not_decoded(path, error) from error
    if _rows(report) > MAX_ROWS:
        problem = f"more than {MAX_ROWS:,} findings and packages"
        raise ReportInvalid(path, problem, "Scan images one by one")
    return report


def _rows(report: Report) -> int:
    """Return how many findings and packages a report has."""
    return sum(
        len(result.vulnerabilities or [])
        + len(result.packages or [])
        + len(result.suppressed or [])
        for result in report.results or []
    )


def installed_files(package: Package) -> list[str]:
    """Return the paths that a report lists of a package; raises `msgspec.MsgspecError`."""
    return (_PATHS.decode(package.installed_files) if package.installed_files else None) or []


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
        if grype_report := _foreign(text, path):
            return grype_report
        raise
    # Without results it is a clean image, or a file of another kind.
    is_other = report.schema_version is None or report.cluster_name is not None
    is_odd = is_other or report.results is None or report.matches
    if is_odd and (grype_report := _foreign(text, path)):
        return grype_report
    if is_other:
        problem = "JSON, but neither a Trivy nor a Grype report (no SchemaVersion, no matches)"
        raise ReportInvalid(path, problem, RESCAN)
    if report.schema_version != 2:
        raise ReportInvalid(
            path,
            f"a Trivy report of schema {report.schema_version}; the kit reads schema 2",
            "Look for a newer version of the kit, or scan with Trivy 0.76",
        )
    if report.artifact_type == "aws_account":
        raise ReportInvalid(path, "a Trivy report of an AWS account", RESCAN)
    for result in report.results or []:
        if result.suppressed:
            result.suppressed = [*_vulnerabilities(result.suppressed)]
    return report


def _vulnerabilities(suppressed: list[Suppressed]) -> Iterator[Suppressed]:
    """Yield what is suppressed of vulnerabilities, decoded; the kit reads no other findings."""
    for found in suppressed:
        if found.type == "vulnerability":
            fields = _FINDING.decode(found.finding or b"{}")
            if isinstance(number := fields.get("Status"), int):
                fields["Status"] = _STATUSES.get(number)
            found.vulnerability = msgspec.convert(fields, Vulnerability)
            yield found


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
    """Return the report of a legacy list; the target of the OS result has artifact and OS."""
    report = Report(results=list(results))
    for result in results:
        if match := _LEGACY_TARGET.match(result.target):
            system = OperatingSystem(family=match["family"], name=match["version"])
            report.artifact_name, report.metadata = match["artifact"], Metadata(os=system)
            break
    return report


def _foreign(text: Text, path: str | os.PathLike[str]) -> Report | None:
    """Return a Grype report, or `None`. Raises `ReportInvalid` for other known formats."""
    keys = set(_KEYS.decode(text))
    if "matches" in keys and keys & {"SchemaVersion", "Results"}:
        problem = "a file with the keys of two scanners' reports, Trivy's and Grype's"
        raise ReportInvalid(path, problem, RESCAN)
    if {"matches", "descriptor"} <= keys:
        return grype.parse(text, path)
    for matches, kind, remedy in _FOREIGN:
        if matches(keys):
            raise ReportInvalid(path, kind, remedy)
    return None


def not_decoded(path: str | os.PathLike[str], error: Exception) -> ReportInvalid:
    """Return the error of a file that the decoder refused."""
    if isinstance(error, RecursionError):
        return ReportInvalid(path, "nested too deep to be a Trivy report", RESCAN)
    if isinstance(error, msgspec.ValidationError):
        problem = f"a Trivy report with a field of the wrong kind ({error})"
        return ReportInvalid(path, problem, RESCAN)
    if "truncated" in str(error):
        return ReportInvalid(path, "JSON that is cut off before its end", RESCAN)
    return ReportInvalid(path, f"not valid JSON ({error})", RESCAN)
