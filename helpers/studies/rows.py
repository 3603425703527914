"""Rows of the frames from decoded reports: pure, and the only module that knows both."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from helpers import aliases, frames
from helpers.comparability import judges
from helpers.exploitation.evidence import NONE, Exploitation
from helpers.frames import SEVERITIES, Repeated, place
from helpers.images import image_rows, reference
from helpers.images.metadata import Image, Smoke
from helpers.scans import package_list
from helpers.scans.looked_for import LIST_REMEDY, OS_TYPES, REMEDY, looked_for
from helpers.scans.trivy_schema import (
    ImageConfig,
    Metadata,
    OperatingSystem,
    Report,
    Result,
    Vulnerability,
)
from helpers.studies import exploitation_rows
from helpers.studies.exploitation_rows import Known
from helpers.vex import matching
from helpers.vex.evidence import NONE as NO_VEX
from helpers.vex.evidence import Vex
from helpers.vex.matching import USED, Found, Said, Scope

_COMPILED = frozenset({"gobinary", "rustbinary"})
"""Result types of which each result is one program."""

_OS_LOOKED_AT = (frames.SCANNED, frames.BROKEN)
"""Statuses of images whose OS packages were looked at."""

_FIRST_IMAGES = 2013
"""Year of the first Docker images."""

_LEVELS = (4.0, 7.0, 9.0)
"""CVSS scores from which on a severity is MEDIUM, HIGH and CRITICAL."""

_LEVELS_OF_VERSION_2 = (4.0, 7.0)

_SOURCES = {"container_image": "image", "cyclonedx": "sbom", "spdx": "sbom"}

_ADDED_UP = {"trivy": "tars", "grype": "files"}
"""What each scanner adds up as an image's size."""

_SAID = {
    "statement_status": "status",
    "statement_reason": "reason",
    "statement_by": "by",
    "statement_at": "at",
    "statement_product": "product",
    "statement_unused": "unused",
}
"""Columns that are missing of most findings, and the parts of `Said` that they have."""


class Evidence(NamedTuple):
    """One report to load, and what the study and the capture know of it; no path: no report.

    `error` says why the capture failed, `not_scanned` why there is no report of an image.
    """

    variant: str
    capture: str = ""
    source: str = ""
    path: Path | None = None
    shown_path: str = ""
    db_updated_at: datetime | None = None
    db_coverage: str = ""
    db_sha256: str = ""
    built_at: datetime | None = None
    runtime: str = ""
    reference: str = ""
    image: Image | None = None
    smoke: Smoke | None = None
    error: str = ""
    not_scanned: str = ""
    exploitation: Exploitation = NONE
    vex: Vex = NO_VEX


class Rows:
    """The columns of all three frames, collected report by report."""

    def __init__(self) -> None:
        self.images: dict[str, list[Any]] = defaultdict(list)
        self.findings: dict[str, Sequence[Any]] = defaultdict(list)
        self.packages: dict[str, Sequence[Any]] = defaultdict(list)
        # What is said of findings, by their position: of suppressed ones, so mostly of none.
        self._said: dict[int, Said] = {}

    def add(self, item: Evidence, report: Report | None) -> None:
        """Add one image, with its findings and packages; without a report it is `missing`."""
        image = _image(item, report)
        for column in frames.columns("images"):
            self.images[column].append(image.get(column))
        if report is None:
            return
        known = Known(item.exploitation, item.db_updated_at, report)
        scope = _scope(item, report) if item.vex.documents else Scope()
        for result in report.results or []:
            if packages := result.packages:
                _extend(self.packages, _packages(item, result), len(packages))
            if findings := result.vulnerabilities:
                _extend(self.findings, _findings(item, result, findings, known), len(findings))
            if result.suppressed:
                self._add_suppressed(item, result, known, scope)

    def _add_suppressed(self, item: Evidence, result: Result, known: Known, scope: Scope) -> None:
        """Add the findings of a result that statements or ignore files suppress, and what they say.

        A finding whose statement may not be used counts like any other.
        """
        suppressed = result.suppressed or []
        columns = _findings(item, result, [each.vulnerability for each in suppressed], known)
        added: dict[str, Sequence[Any]] = defaultdict(list)
        _extend(added, columns, len(suppressed))
        said = [
            scope.said(each, found) for each, found in zip(suppressed, _found(added), strict=True)
        ]
        added["suppressed"] = [each.effect == USED for each in said]
        self._said |= dict(enumerate(said, len(self.findings["suppressed"])))
        _extend(self.findings, added, len(suppressed))

    def effects(self, item: Evidence, report: Report) -> Iterator[dict[str, Any]]:
        """Yield the rows of the frame `statements`, after this one report was added."""
        documents = {document.name: document for document in item.vex.documents}
        found = _scope(item, report).effects(_found(self.findings), self._said.values())
        for statement, name, product, effect in found:
            document = documents[statement.document]
            yield {
                "capture": item.capture,
                "variant": item.variant,
                "document": document.name,
                "author": document.author or None,
                "format": document.format,
                "vulnerability_id": name,
                "status": statement.status,
                "reason": statement.reason or None,
                "said_at": statement.said_at,
                "product": product or None,
                "effect": effect,
            }

    def frames(self, apart: bool = False) -> frames.Frames:
        """Return what was collected as typed frames; with `apart` no image depends on another."""
        if apart:
            names = (self.findings[name] for name in ("vulnerability_id", "aliases", "variant"))
            self.findings["vulnerability"] = aliases.canonical(*names)
        if self._said:
            for name, part in _SAID.items():
                column: list[Any] = [None] * len(self.findings["suppressed"])
                for position, said in self._said.items():
                    column[position] = getattr(said, part)
                self.findings[name] = column
        return frames.Frames(
            frames.make("images", self.images),
            frames.make("findings", self.findings),
            frames.make("packages", self.packages),
        )


def _extend(columns: dict[str, Sequence[Any]], added: dict[str, Any], rows: int) -> None:
    """Append to each column a list of values, or one value that all rows share."""
    for name, values in added.items():
        more = values if isinstance(values, list | Repeated) else Repeated(values, rows)
        column = columns[name]
        if not column:
            # Not copied, which counts for a large report.
            columns[name] = more
        elif isinstance(column, list):
            column += more
        elif isinstance(more, Repeated) and more.value == column[0]:
            columns[name] = Repeated(more.value, len(column) + rows)
        else:
            columns[name] = [*column, *more]


def _image(item: Evidence, report: Report | None) -> dict[str, Any]:
    common = {
        "variant": item.variant,
        "capture": item.capture,
        "source": item.source or None,
        "reference": item.reference or None,
        "runtime": item.runtime or None,
    }
    if report is None:
        if item.image and item.not_scanned:
            return {
                **common,
                "status": frames.NOT_SCANNED,
                "reason": item.not_scanned,
                **image_rows.measured(item.image),
                **image_rows.started(item.smoke),
                "created_at": _built_at(item, None),
            }
        status = frames.FAILED if item.error else frames.MISSING
        return {**common, "status": status, "reason": item.error or None}
    metadata = report.metadata or Metadata()
    system = metadata.os or OperatingSystem()
    config = metadata.image_config or ImageConfig()
    lists = [result.packages for result in report.results or [] if result.packages is not None]
    status = _status(report, item.smoke)
    return {
        **common,
        "artifact": report.artifact_name or None,
        "source": item.source or _SOURCES.get(report.artifact_type or "", report.artifact_type),
        "report": item.shown_path or None,
        "os_family": system.family or None,
        "os_version": system.name or None,
        "os_supplier": system.supplier or None,
        # Trivy leaves EOSL out where it is false; before schema 2 it did not know. Of a supplier's
        # image it never says it.
        "os_eol": bool(system.eosl)
        if system.family and report.schema_version and not system.supplier
        else None,
        "judged_by": _judged_by(report, system) if status in _OS_LOOKED_AT else None,
        "architecture": config.architecture or None,
        "size_unpacked_bytes": metadata.size or None,
        "size_unpacked_source": _ADDED_UP.get(report.scanner) if metadata.size else None,
        "layers": len(metadata.diff_ids) if metadata.diff_ids else None,
        "packages": sum(map(len, lists)) if lists else None,
        "image_id": report.image_id or None,
        "digest": reference.digest_of(metadata.repo_digests or [], report.artifact_name or ""),
        "scanner": report.scanner,
        "scanner_version": (report.trivy and report.trivy.version) or None,
        "db_updated_at": frames.utc(item.db_updated_at or report.db_built),
        "db_sha256": item.db_sha256 or None,
        "db_coverage": item.db_coverage or None,
        **exploitation_rows.of_image(item.exploitation, report),
        "scanned_at": frames.utc(report.created_at),
        "status": status,
        **image_rows.measured(item.image),
        **image_rows.started(item.smoke),
        "created_at": _built_at(item, config.created),
        **(
            {"reason": LIST_REMEDY if report.is_list else REMEDY}
            if status == frames.NOT_LOOKED
            else {}
        ),
    }


def _not_looked(report: Report) -> str:
    return LIST_REMEDY if report.is_list else REMEDY


def _judged_by(report: Report, system: OperatingSystem) -> str | None:
    """Return whose advisories judge the OS packages of an image."""
    of_os = [result for result in report.results or [] if _class(result) == "os-pkgs"]
    sources: set[str | None] = set()
    for result in of_os:
        found = result.vulnerabilities or [each.vulnerability for each in result.suppressed or []]
        sources |= {each.data_source.id for each in found if each.data_source}
    return judges.judged_by(
        filter(None, sources),
        system.supplier,
        system.family,
        lambda: (
            f"{package.name} {package_list.version(package)}"
            for result in of_os
            for package in result.packages or []
        ),
    )


def _built_at(item: Evidence, in_report: datetime | None) -> datetime | None:
    """Return when an image was built: by its own metadata, else by the study.

    Reproducible builds date their images to a fixed day long ago, which says nothing.
    """
    created = frames.utc(item.image.created_at if item.image else in_report)
    if created is None or created.year < _FIRST_IMAGES:
        return frames.utc(item.built_at)
    return created


def _status(report: Report, smoke: Smoke | None) -> str:
    """Return whether vulnerabilities were looked for, where, and whether the image works."""
    results = report.results or []
    if not looked_for(report):
        return frames.NOT_LOOKED
    family = report.metadata and report.metadata.os and report.metadata.os.family
    # Trivy has no result for a system without advisories; Grype has none if nothing is found.
    looked = report.scanner != "trivy" or any(_is_looked_at(report, result) for result in results)
    if not family or not looked:
        return frames.NO_OS
    return frames.BROKEN if smoke and smoke.answered is False else frames.SCANNED


def _is_looked_at(report: Report, result: Result) -> bool:
    """Return whether OS packages were found, in a report of Trivy's, and so could be looked at.

    Trivy lists all packages by default since 0.67, and says its version since 0.69. A result
    without any is of an image without a package database that it reads, as chiselled Ubuntu's.
    """
    if _class(result) not in ("os-pkgs", None):
        return False
    lists_all = report.trivy is not None or any(other.packages for other in report.results or [])
    has_any = result.packages or result.vulnerabilities or result.suppressed
    return bool(has_any) or not lists_all


def _bases(item: Evidence) -> dict[str, bool | None]:
    """Return whether the base has it too, by DiffID, for each layer of an image."""
    return {layer.diff_id: layer.from_base for layer in item.image.layers} if item.image else {}


def _packages(item: Evidence, result: Result) -> dict[str, Any]:
    packages = result.packages or []
    layers = [package.layer.diff_id if package.layer else None for package in packages]
    bases = _bases(item)
    from_base = [bases.get(layer) if layer else None for layer in layers]
    package_class = _class(result)
    paths = [package.file_path or _program(result) for package in packages]
    return {
        "variant": item.variant,
        "capture": item.capture,
        "package": [package.name for package in packages],
        "version": [package_list.version(package) for package in packages],
        "source_package": [package.src_name or None for package in packages],
        "package_class": package_class,
        "package_type": result.type,
        "package_path": paths,
        "license": [", ".join(p.licenses) if p.licenses else None for p in packages],
        "purl": [p.identifier.purl if p.identifier else None for p in packages],
        "layer_diff_id": layers,
        "from_base": from_base,
        "place": _places(package_class, paths, from_base),
    }


def _scope(item: Evidence, report: Report) -> Scope:
    """Return by what the statements about an image's findings are judged."""
    return Scope(
        item.vex,
        matching.own_names(item.source, item.reference, item.image, item.vex.subject),
        matching.base_names(item.image),
        (
            package.identifier.purl
            for result in report.results or []
            for package in result.packages or []
            if package.identifier and package.identifier.purl
        ),
        exploitation_rows.as_of(item.db_updated_at, report),
    )


def _found(columns: Mapping[str, Sequence[Any]]) -> list[Found]:
    """Return findings, given as columns, as statements see them."""
    rows = zip(
        *(columns[name] for name in ("vulnerability_id", "aliases", "purl", "from_base")),
        strict=True,
    )
    return [
        Found((name or "", *(others or "").split()), package or "", bool(from_base))
        for name, others, package, from_base in rows
    ]


def _findings(
    item: Evidence, result: Result, findings: Sequence[Vulnerability], known: Known
) -> dict[str, Any]:
    """Return the columns of findings of one result, each a list or a value that all share.

    A column at a time: a comprehension takes a third of the time of a call per value.
    """
    package_class, program, bases = _class(result), _program(result), _bases(item)
    paths = [finding.pkg_path or program for finding in findings]
    layers = [finding.layer for finding in findings]
    diff_ids = [layer.diff_id if layer else None for layer in layers]
    others = [
        aliases.of(finding.vulnerability_id, finding.vendor_ids) if finding.vendor_ids else None
        for finding in findings
    ]
    identifiers = [finding.pkg_identifier for finding in findings]
    sources = [finding.data_source for finding in findings]
    from_base = [bases.get(layer) if layer else None for layer in diff_ids] if bases else None
    return {
        "variant": item.variant,
        "capture": item.capture,
        "scanner": known.scanner,
        "vulnerability_id": [finding.vulnerability_id or None for finding in findings],
        "aliases": others if any(others) else None,
        "advisory_id": [finding.advisory_id for finding in findings]
        if known.scanner == "osv-scanner"
        else None,
        "package": [finding.pkg_name for finding in findings],
        "installed_version": [finding.installed_version for finding in findings],
        "fixed_version": [finding.fixed_version or None for finding in findings],
        "status": [finding.status or None for finding in findings],
        "severity": [finding.severity or "UNKNOWN" for finding in findings],
        "advisory_source": [(source.id or None) if source else None for source in sources],
        "severity_source": [finding.severity_source or None for finding in findings],
        **nvd(findings),
        **known.columns(findings, others),
        "published_at": frames.times([finding.published_date for finding in findings]),
        "package_class": package_class,
        "package_type": result.type,
        "package_path": paths if any(paths) else None,
        "source_package": _built_from(result, findings),
        "purl": [identifier.purl if identifier else None for identifier in identifiers],
        "layer_diff_id": diff_ids,
        "from_base": from_base,
        "place": _places(package_class, paths, from_base),
        "suppressed": False,
    }


def _places(
    package_class: str | None, paths: list[str | None], from_base: list[bool | None] | None
) -> str | list[str]:
    """Return where each of some packages of one class sits, by its path and whose its layer is."""
    if package_class == "os-pkgs":
        return place(package_class, None, None)
    known = from_base or [None] * len(paths)
    return [place(package_class, path, base) for path, base in zip(paths, known, strict=True)]


def _built_from(result: Result, findings: Sequence[Vulnerability]) -> list[str | None]:
    """Return the source package of each finding: as stated, or as the packages of its result say.

    Their names and versions are the only keys that a finding has.
    """
    sources = {
        (package.name, package_list.version(package)): package.src_name
        for package in result.packages or []
        if package.src_name
    }
    if not sources:
        return [finding.src_name for finding in findings]
    return [f.src_name or sources.get((f.pkg_name, f.installed_version)) for f in findings]


def _program(result: Result) -> str | None:
    """Return the program that a result's packages were compiled into: only its target names it."""
    return result.target if result.type in _COMPILED else None


def nvd(findings: Sequence[Vulnerability]) -> dict[str, list[Any]]:
    """Return the columns of findings that say what NVD does: severity, score and its vector.

    The severity is as reported, else by the CVSS score: of version 3 if known, else of 2. Their
    scales are those of NVD: https://nvd.nist.gov/vuln-metrics/cvss
    """
    vendors = [finding.vendor_severity for finding in findings]
    reported = [vendor.nvd if vendor else None for vendor in vendors]
    rated = [finding.cvss.nvd if finding.cvss else None for finding in findings]
    version3 = [scores.v3_score if scores else None for scores in rated]
    version2 = [scores.v2_score if scores else None for scores in rated]
    return {
        "nvd_severity": [
            SEVERITIES[code]
            if code is not None
            else SEVERITIES[bisect(_LEVELS, score) + 1]
            if score
            else SEVERITIES[bisect(_LEVELS_OF_VERSION_2, older) + 1]
            if older
            else None
            for code, score, older in zip(reported, version3, version2, strict=True)
        ],
        "cvss_score": version3,
        "cvss_vector": [(scores.v3_vector or None) if scores else None for scores in rated],
    }


def _class(result: Result) -> str | None:
    if result.result_class or not result.type:
        return result.result_class or None
    return "os-pkgs" if result.type in OS_TYPES else "lang-pkgs"
