"""Rows of the frames from decoded reports: pure, and the only place that knows both."""

import os
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from helpers import frames, paths
from helpers.errors import ReportInvalid
from helpers.report import (
    ImageConfig,
    Metadata,
    OperatingSystem,
    Package,
    Report,
    Result,
    Scores,
    Vulnerability,
)

_OS_TYPES = frozenset(
    "alma alpine amazon azurelinux bottlerocket cbl-mariner centos chainguard debian echo fedora "
    "minimos opensuse opensuse.leap oracle photon redhat rocky seal suse ubuntu wolfi".split()
)
"""Result types that are operating systems (Trivy's `ftypes.OSType`), for reports without Class."""

_SOURCES = {"container_image": "image", "cyclonedx": "sbom", "spdx": "sbom"}


class Evidence(NamedTuple):
    """One report to load, and what is known of it from outside; no path: there is no report."""

    variant: str
    capture: str = ""
    source: str = ""
    path: Path | None = None
    db_updated_at: datetime | None = None
    db_coverage: str = ""


class Rows:
    """Collects the columns of all three frames, report by report."""

    def __init__(self) -> None:
        self.images: dict[str, list[Any]] = defaultdict(list)
        self.findings: dict[str, list[Any]] = defaultdict(list)
        self.packages: dict[str, list[Any]] = defaultdict(list)

    def add(self, item: Evidence, report: Report | None) -> None:
        """Add one image, with its findings and packages; without a report it is `missing`."""
        image = _image(item, report)
        for column in frames.columns("images"):
            self.images[column].append(image.get(column))
        for result in (report and report.results) or []:
            _extend(self.packages, _packages(item, result), len(result.packages or []))
            _extend(self.findings, _findings(item, result), len(result.vulnerabilities or []))

    def frames(self) -> frames.Frames:
        """Return what was collected as typed frames."""
        return frames.Frames(
            frames.make("images", self.images),
            frames.make("findings", self.findings),
            frames.make("packages", self.packages),
        )


def _extend(columns: dict[str, list[Any]], added: dict[str, Any], rows: int) -> None:
    """Append to each column a list of values, or one value that all rows share."""
    for name, values in added.items():
        columns[name] += values if isinstance(values, list) else [values] * rows


def _image(item: Evidence, report: Report | None) -> dict[str, Any]:
    known = {"variant": item.variant, "capture": item.capture, "source": item.source or None}
    if report is None or item.path is None:
        return {**known, "status": frames.MISSING}
    metadata = report.metadata or Metadata()
    system = metadata.os or OperatingSystem()
    config = metadata.image_config or ImageConfig()
    listed = [result.packages for result in report.results or [] if result.packages is not None]
    return {
        **known,
        "artifact": report.artifact_name or None,
        "source": item.source or _SOURCES.get(report.artifact_type or "", report.artifact_type),
        "report": _inside(item.path),
        "os_family": system.family or None,
        "os_version": system.name or None,
        # Trivy leaves EOSL out where it is false; before schema 2 it did not know.
        "os_eol": bool(system.eosl) if system.family and report.schema_version else None,
        "architecture": config.architecture or None,
        "size_unpacked_bytes": metadata.size or None,
        "layers": len(metadata.diff_ids) if metadata.diff_ids else None,
        "packages": sum(map(len, listed)) if listed else None,
        "created_at": utc(config.created),
        "image_id": metadata.image_id or None,
        "scanner_version": (report.trivy and report.trivy.version) or None,
        "db_updated_at": utc(item.db_updated_at),
        "db_coverage": item.db_coverage or None,
        "scanned_at": utc(report.created_at),
        "status": frames.SCANNED if system.family else frames.NO_OS,
    }


def _packages(item: Evidence, result: Result) -> dict[str, Any]:
    found = result.packages or []
    return {
        "variant": item.variant,
        "capture": item.capture,
        "package": [package.name for package in found],
        "version": [full_version(package) for package in found],
        "source_package": [package.src_name or None for package in found],
        "package_class": _class(result),
        "package_type": result.type,
        "license": [", ".join(p.licenses) if p.licenses else None for p in found],
        "purl": [p.identifier.purl if p.identifier else None for p in found],
        "layer_diff_id": [p.layer.diff_id if p.layer else None for p in found],
    }


def _findings(item: Evidence, result: Result) -> dict[str, Any]:
    found = result.vulnerabilities or []
    sources = _source_packages(result)
    return {
        "variant": item.variant,
        "capture": item.capture,
        "vulnerability_id": [v.vulnerability_id or None for v in found],
        "package": [v.pkg_name for v in found],
        "installed_version": [v.installed_version for v in found],
        "fixed_version": [v.fixed_version or None for v in found],
        "status": [v.status or None for v in found],
        "severity": [severity(v, item.path) for v in found],
        "severity_source": [v.severity_source or None for v in found],
        "nvd_severity": [nvd_severity(v) for v in found],
        "cvss_score": [cvss_score(v) for v in found],
        "published_at": [utc(v.published_date) for v in found],
        "package_class": _class(result),
        "package_type": result.type,
        "package_path": [v.pkg_path or None for v in found],
        "source_package": [sources.get(_package_key(v)) for v in found],
        "purl": [v.pkg_identifier.purl if v.pkg_identifier else None for v in found],
        "layer_diff_id": [v.layer.diff_id if v.layer else None for v in found],
    }


def utc(time: datetime | None) -> datetime | None:
    """Return a time in UTC; `None` for none and for the year 1, which is Go's word for none."""
    if time is None or time.year <= 1:
        return None
    if time.tzinfo is None or time.year == datetime.max.year:
        # An offset can push a time out of range in the last year that there is.
        return time.replace(tzinfo=UTC)
    return time if time.tzinfo is UTC else time.astimezone(UTC)


def severity(vulnerability: Vulnerability, path: str | os.PathLike[str] | None) -> str:
    """Return a finding's severity; none given is UNKNOWN. Raises `ReportInvalid`."""
    level = vulnerability.severity or "UNKNOWN"
    if level not in frames.SEVERITIES:
        problem = f"severity {level[:40]!r} is none of {', '.join(frames.SEVERITIES)}"
        raise ReportInvalid(path or "", problem, "Write the report with Trivy itself")
    return level


def nvd_severity(vulnerability: Vulnerability) -> str | None:
    """Return NVD's severity as reported, else by its CVSS score: 3 if there is one, else 2.

    The scales are those of NVD: https://nvd.nist.gov/vuln-metrics/cvss
    """
    if vulnerability.vendor_severity and vulnerability.vendor_severity.nvd is not None:
        return frames.SEVERITIES[vulnerability.vendor_severity.nvd]
    scores = (vulnerability.cvss or {}).get("nvd") or Scores()
    score = scores.v3_score or scores.v2_score
    if not score:
        return None
    if scores.v3_score and score >= 9:
        return "CRITICAL"
    return "HIGH" if score >= 7 else "MEDIUM" if score >= 4 else "LOW"


def cvss_score(vulnerability: Vulnerability) -> float | None:
    """Return the CVSS 3 base score: NVD's, else the highest that another source gives."""
    if not vulnerability.cvss:
        return None
    scores = {source: s.v3_score for source, s in vulnerability.cvss.items() if s and s.v3_score}
    return scores.get("nvd") or max(scores.values(), default=None)


def full_version(package: Package) -> str | None:
    """Return `[epoch:]version[-release]`, as Trivy writes an installed version."""
    if not package.version:
        return None
    epoch = f"{package.epoch}:" if package.epoch else ""
    release = f"-{package.release}" if package.release else ""
    return f"{epoch}{package.version}{release}"


def _class(result: Result) -> str | None:
    if result.result_class or not result.type:
        return result.result_class or None
    return "os-pkgs" if result.type in _OS_TYPES else "lang-pkgs"


def _source_packages(result: Result) -> dict[Any, str]:
    """Return source packages by whatever a finding may know its package by."""
    sources: dict[Any, str] = {}
    for package in result.packages or []:
        if package.src_name:
            uid = package.identifier.uid if package.identifier else None
            for key in (uid, package.id, (package.name, full_version(package))):
                sources[key] = package.src_name
    return sources


def _package_key(vulnerability: Vulnerability) -> Any:
    identifier = vulnerability.pkg_identifier
    return (
        (identifier.uid if identifier else None)
        or vulnerability.pkg_id
        or (vulnerability.pkg_name, vulnerability.installed_version)
    )


def _inside(path: Path) -> str:
    """Return a path below the data folder without what is above it; any other path as it is."""
    return str(path.relative_to(paths.data()) if path.is_relative_to(paths.data()) else path)
