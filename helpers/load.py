"""Trivy reports become frames. Pure but for reading the files; always from the raw reports."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from helpers import frames, paths, report
from helpers.errors import ReportInvalid
from helpers.frames import Frames
from helpers.report import Package, Report, Result, Scores, Vulnerability
from helpers.study import Study, open_study

_OS_TYPES = frozenset(
    "alma alpine amazon azurelinux bottlerocket cbl-mariner centos chainguard debian echo fedora "
    "minimos opensuse opensuse.leap oracle photon redhat rocky seal suse ubuntu wolfi".split()
)
"""Result types that are operating systems (Trivy's `ftypes.OSType`), for reports without Class."""

_SOURCES = {"container_image": "image", "cyclonedx": "sbom", "spdx": "sbom"}

Columns = dict[str, list[Any]]


class Evidence(NamedTuple):
    """One report to load, and what is known of it from outside the report."""

    variant: str
    capture: str | None = None
    source: str | None = None
    path: Path | None = None
    db_updated_at: datetime | None = None
    db_coverage: str | None = None


def load_reports(reports: Iterable[str | os.PathLike[str]]) -> Frames:
    """Return the frames of any mix of Trivy JSON reports: one image a report, also a clean one.

    A variant is named after its file, and after its folders where files are named alike; a file
    given twice counts once, and the order of files does not matter. Raises `ReportInvalid`.
    """
    found = {Path(path).absolute(): Path(path) for path in reports}
    names = variant_names(found)
    return load([Evidence(names[full], path=found[full]) for full in sorted(names, key=names.get)])  # type: ignore[arg-type]


def load_study(name: str, captures: str | Sequence[str] = "") -> Frames:
    """Return the frames of a study's evidence.

    `captures` names one or several; empty is the study's default, `"all"` every one of them.
    A variant without a report in a capture is a row of `images` with status `missing`.
    Raises `StudyInvalid` and `ReportInvalid`.
    """
    study = open_study(name)
    wanted = [captures] if isinstance(captures, str) else list(captures)
    if wanted == ["all"]:
        wanted = study.captures()
    return load([item for capture in wanted for item in _of_capture(study, capture)])


def load(evidence: Iterable[Evidence]) -> Frames:
    """Return the frames of reports, in the order given; their raw text is dropped one by one."""
    images: Columns = defaultdict(list)
    findings: Columns = defaultdict(list)
    packages: Columns = defaultdict(list)
    for item in evidence:
        if item.path is None:
            _add(images, {"variant": item.variant, "capture": item.capture, "status": "missing"})
            continue
        decoded = report.read(item.path)
        _add(images, _image(item, decoded))
        for result in decoded.results or []:
            _add_packages(packages, item, result)
            _add_findings(findings, item, result)
    return Frames(
        frames.make("images", images),
        frames.make("findings", findings),
        frames.make("packages", packages),
    )


def variant_names(files: Iterable[Path]) -> dict[Path, str]:
    """Return a name for each file: its stem, with as many folders as tell it from the others."""
    unique = set(files)
    parts = {path: (*path.parts[:-1], _stem(path)) for path in unique}
    names: dict[Path, str] = {}
    depth = 1
    while unique:
        named = {path: "/".join(parts[path][-depth:]) for path in unique}
        taken = list(named.values())
        done = {p for p in unique if taken.count(named[p]) == 1 or depth >= len(parts[p])}
        names |= {path: named[path] for path in done}
        unique -= done
        depth += 1
    return names


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz").removesuffix(".json")
    return name or path.name


def _of_capture(study: Study, capture: str) -> list[Evidence]:
    facts = study.facts(capture)
    items = []
    for variant in study.variants:
        path = paths.evidence(study.name, facts.capture, variant.name) / "trivy.json"
        items.append(
            Evidence(
                variant.name,
                facts.capture,
                variant.kind,
                path if path.exists() else None,
                facts.db.updated_at,
                facts.db.coverage or None,
            )
        )
    return items


def _add(columns: Columns, row: Mapping[str, Any]) -> None:
    for column in frames.columns("images"):
        columns[column].append(row.get(column))


def _image(item: Evidence, decoded: Report) -> dict[str, Any]:
    """Return an image's row of `images`."""
    assert item.path is not None
    metadata = decoded.metadata or report.Metadata()
    system = metadata.os or report.OperatingSystem()
    config = metadata.image_config or report.ImageConfig()
    known_eol = bool(system.eosl) if system.family and decoded.schema_version else None
    listed = [result.packages for result in decoded.results or [] if result.packages is not None]
    return {
        "variant": item.variant,
        "capture": item.capture,
        "artifact": decoded.artifact_name or None,
        "source": item.source or _SOURCES.get(decoded.artifact_type or "", decoded.artifact_type),
        "report": _inside(item.path),
        "os_family": system.family or None,
        "os_version": system.name or None,
        "os_eol": known_eol,
        "architecture": config.architecture or None,
        "size_unpacked_bytes": metadata.size or None,
        "layers": len(metadata.diff_ids) if metadata.diff_ids else None,
        "packages": sum(map(len, listed)) if listed else None,
        "created_at": utc(config.created),
        "image_id": metadata.image_id or None,
        "scanner_version": (decoded.trivy.version if decoded.trivy else None) or None,
        "db_updated_at": utc(item.db_updated_at),
        "db_coverage": item.db_coverage,
        "scanned_at": utc(decoded.created_at),
        "status": frames.SCANNED if system.family else frames.NO_OS,
    }


def _inside(path: Path) -> str:
    """Return a path below the data folder without what is above it; any other path as given."""
    absolute = path.absolute()
    return str(absolute.relative_to(paths.data()) if absolute.is_relative_to(paths.data()) else path)


def _add_packages(columns: Columns, item: Evidence, result: Result) -> None:
    found = result.packages or []
    package_class = _class(result)
    columns["variant"] += [item.variant] * len(found)
    columns["capture"] += [item.capture] * len(found)
    columns["package"] += [package.name for package in found]
    columns["version"] += [_full_version(package) for package in found]
    columns["source_package"] += [package.src_name or None for package in found]
    columns["package_class"] += [package_class] * len(found)
    columns["package_type"] += [result.type] * len(found)
    columns["license"] += [", ".join(p.licenses) if p.licenses else None for p in found]
    columns["purl"] += [p.identifier.purl if p.identifier else None for p in found]
    columns["layer_diff_id"] += [p.layer.diff_id if p.layer else None for p in found]


def _add_findings(columns: Columns, item: Evidence, result: Result) -> None:
    assert item.path is not None
    found = result.vulnerabilities or []
    package_class = _class(result)
    sources = _source_packages(result)
    columns["variant"] += [item.variant] * len(found)
    columns["capture"] += [item.capture] * len(found)
    columns["vulnerability_id"] += [v.vulnerability_id or None for v in found]
    columns["package"] += [v.pkg_name for v in found]
    columns["installed_version"] += [v.installed_version for v in found]
    columns["fixed_version"] += [v.fixed_version or None for v in found]
    columns["status"] += [v.status or None for v in found]
    columns["severity"] += [_severity(v, item.path) for v in found]
    columns["severity_source"] += [v.severity_source or None for v in found]
    columns["nvd_severity"] += [nvd_severity(v) for v in found]
    columns["cvss_score"] += [cvss_score(v) for v in found]
    columns["published_at"] += [utc(v.published_date) for v in found]
    columns["package_class"] += [package_class] * len(found)
    columns["package_type"] += [result.type] * len(found)
    columns["package_path"] += [v.pkg_path or None for v in found]
    columns["source_package"] += [sources.get(_package_key(v)) for v in found]
    columns["purl"] += [v.pkg_identifier.purl if v.pkg_identifier else None for v in found]
    columns["layer_diff_id"] += [v.layer.diff_id if v.layer else None for v in found]


def utc(time: datetime | None) -> datetime | None:
    """Return a time in UTC; `None` for none and for the year 1, which is Go's word for none."""
    if time is None or time.year <= 1:
        return None
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    # An offset can only push a time out of range in the last year that there is.
    return time.astimezone(UTC) if time.year < datetime.max.year else time.replace(tzinfo=UTC)


def nvd_severity(vulnerability: Vulnerability) -> str | None:
    """Return NVD's severity as reported, else by the CVSS v3.1 (section 5) and NVD v2 scales."""
    if vulnerability.vendor_severity and vulnerability.vendor_severity.nvd is not None:
        return frames.SEVERITIES[vulnerability.vendor_severity.nvd]
    scores = (vulnerability.cvss or {}).get("nvd") or Scores()
    if scores.v3_score:
        return _rating(scores.v3_score, critical=9.0)
    return _rating(scores.v2_score, critical=None) if scores.v2_score else None


def _rating(score: float, critical: float | None) -> str:
    if critical is not None and score >= critical:
        return "CRITICAL"
    return "HIGH" if score >= 7 else "MEDIUM" if score >= 4 else "LOW"


def cvss_score(vulnerability: Vulnerability) -> float | None:
    """Return the CVSS 3 base score: NVD's, else the highest that another source gives."""
    scores = {source: s.v3_score for source, s in (vulnerability.cvss or {}).items() if s}
    return scores.get("nvd") or max((score for score in scores.values() if score), default=None)


def _severity(vulnerability: Vulnerability, path: Path) -> str:
    severity = vulnerability.severity or "UNKNOWN"
    if severity not in frames.SEVERITIES:
        problem = f"severity {severity[:40]!r} is none of {', '.join(frames.SEVERITIES)}"
        raise ReportInvalid(path, problem, "Write the report with Trivy itself")
    return severity


def _class(result: Result) -> str | None:
    if result.result_class or not result.type:
        return result.result_class or None
    return "os-pkgs" if result.type in _OS_TYPES else "lang-pkgs"


def _full_version(package: Package) -> str | None:
    """Return `[epoch:]version[-release]`, as Trivy's own `FormatVersion` writes it."""
    if not package.version:
        return None
    epoch = f"{package.epoch}:" if package.epoch else ""
    release = f"-{package.release}" if package.release else ""
    return f"{epoch}{package.version}{release}"


def _source_packages(result: Result) -> dict[Any, str | None]:
    """Return source packages by what a finding may know its package by."""
    sources: dict[Any, str | None] = {}
    for package in result.packages or []:
        if package.src_name:
            sources[package.name, _full_version(package)] = package.src_name
            if package.id:
                sources[package.id] = package.src_name
            if package.identifier and package.identifier.uid:
                sources[package.identifier.uid] = package.src_name
    return sources


def _package_key(vulnerability: Vulnerability) -> Any:
    identifier = vulnerability.pkg_identifier
    if identifier and identifier.uid:
        return identifier.uid
    return vulnerability.pkg_id or (vulnerability.pkg_name, vulnerability.installed_version)
