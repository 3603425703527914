"""Trivy's JSON, decoded to typed structs. Before 0.20 it was a bare list of results."""

import os
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from helpers.errors import ReportInvalid
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

KEYS = frozenset({"SchemaVersion", "Results"})
"""Keys that only its reports have."""

decode = msgspec.json.Decoder(Report).decode

_LEGACY = msgspec.json.Decoder(list[LegacyResult] | None)
_PATHS = msgspec.json.Decoder(list[str] | None)
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


def installed_files(package: Package) -> list[str]:
    """Return the paths that a report lists of a package; raises `msgspec.MsgspecError`."""
    return (_PATHS.decode(package.installed_files) if package.installed_files else None) or []


def is_sure(report: Report) -> bool:
    """Return whether a decoded file is Trivy's for certain: any JSON object is decoded.

    Without results it is a clean image, or a file of another kind.
    """
    return _has_schema(report) and report.results is not None and not report.matches


def _has_schema(report: Report) -> bool:
    return report.schema_version is not None and report.cluster_name is None


def checked(report: Report, path: str | os.PathLike[str]) -> Report:
    """Return a report with what is suppressed decoded. Raises `ReportInvalid` for other kinds."""
    if not _has_schema(report):
        problem = "JSON, but neither a Trivy nor a Grype report (no SchemaVersion, no matches)"
        raise ReportInvalid(path, problem, RESCAN)
    if report.schema_version != 2:
        raise ReportInvalid(
            path,
            f"a Trivy report of schema {report.schema_version}; the kit reads schema 2",
            "Update the kit, or scan with Trivy 0.76",
        )
    if report.artifact_type == "aws_account":
        raise ReportInvalid(path, "a Trivy report of an AWS account", RESCAN)
    for result in report.results or []:
        if result.suppressed:
            result.suppressed = [*_vulnerabilities(result.suppressed)]
    return report


def legacy(text: Text, path: str | os.PathLike[str]) -> Report:
    """Return the report of a legacy list or of `null`; the OS result's target has the artifact."""
    results = _decode_legacy(text, path)
    report = Report(results=[*results])
    for result in results:
        if match := _LEGACY_TARGET.match(result.target):
            system = OperatingSystem(family=match["family"], name=match["version"])
            report.artifact_name, report.metadata = match["artifact"], Metadata(os=system)
            break
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
        return _LEGACY.decode(text) or []
    except msgspec.ValidationError:
        try:
            first = next(iter(_ITEMS.decode(text)), {})
        except msgspec.ValidationError:
            first = {}
        if "Target" in first:
            raise
        problem = "a JSON list, but not of Trivy results"
        raise ReportInvalid(path, problem, RESCAN) from None
