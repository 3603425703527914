"""Rows of the frames from decoded reports: pure, and the only module that knows both."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from helpers import frames
from helpers.exploitation.evidence import NONE, Exploitation
from helpers.frames import place
from helpers.images.metadata import Image, Smoke
from helpers.scans.trivy_schema import (
    ImageConfig,
    Metadata,
    OperatingSystem,
    Package,
    Report,
    Result,
    Vulnerability,
)
from helpers.studies import image_rows, statements
from helpers.studies.statements import USED, Found, Said, Scope
from helpers.vex.evidence import NONE as NO_VEX
from helpers.vex.evidence import Vex

_OS_TYPES = frozenset(
    "alma alpine amazon azurelinux bottlerocket cbl-mariner centos chainguard coreos debian echo "
    "fedora minimos opensuse opensuse-leap opensuse-tumbleweed opensuse.leap opensuse.tumbleweed "
    "oracle photon redhat rocky seal slem sles suse ubuntu wolfi".split()
) | {"suse linux enterprise server", "suse linux enterprise micro"}
"""Result types that are operating systems (Trivy's `ftypes.OSType`), for reports without Class."""

_OTHER_CLASSES = frozenset({"config", "custom", "license", "license-file", "secret"})
"""Result classes that hold no packages and no vulnerabilities."""

_COMPILED = frozenset({"gobinary", "rustbinary"})
"""Result types of which each result is one program."""

_FIRST_IMAGES = 2013
"""Year of the first Docker images."""

_SOURCES = {"container_image": "image", "cyclonedx": "sbom", "spdx": "sbom"}

_ADDED_UP = {"trivy": "tars", "grype": "files"}
"""What each scanner adds up as an image's size."""

_PER_FINDING = (
    *("vulnerability_id", "package", "installed_version", "fixed_version", "status", "severity"),
    *("severity_source", "nvd_severity", "cvss_score", "published_at", "package_path"),
    *("source_package", "purl", "layer_diff_id", "aliases", "from_base", "place"),
    "cvss_vector",
)

_EXPLOITATION = ("epss", "epss_percentile", "kev_added_at", "exploited", "cve_id")
"""Columns of what is known of the exploitation of a finding."""

_SAID = {
    "statement_status": "status",
    "statement_reason": "reason",
    "statement_by": "by",
    "statement_at": "at",
    "statement_product": "product",
    "statement_unused": "unused",
}
"""Columns that are missing of most findings, and the parts of `Said` that they have."""

_OLDEST_DB = timedelta(hours=120)
"""Age from which on Grype refuses a DB (its `db.max-allowed-built-age`).

A scan with an older one looks back at the DB's day on purpose.
"""

_ONE_VULNERABILITY = (
    "CVE-",
    "GHSA-",
    "GMS-",
    "GO-",
    "NSWG-",
    "OSV-",
    "PYSEC-",
    "RUSTSEC-",
    "SNYK-",
)
"""Prefixes of ids of one vulnerability; an advisory (`DSA-`, `RHSA-` …) may be of several."""


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
        self.findings: dict[str, list[Any]] = defaultdict(list)
        self.packages: dict[str, list[Any]] = defaultdict(list)
        # What is said of findings, by their position: of suppressed ones, so mostly of none.
        self._said: dict[int, Said] = {}

    def add(self, item: Evidence, report: Report | None) -> None:
        """Add one image, with its findings and packages; without a report it is `missing`."""
        image = _image(item, report)
        for column in frames.columns("images"):
            self.images[column].append(image.get(column))
        if report is None:
            return
        known = _Known(item, report)
        scope = _scope(item, report) if item.vex.documents else Scope()
        for result in report.results or []:
            _extend(self.packages, _packages(item, result), len(result.packages or []))
            findings = result.vulnerabilities or []
            _extend(self.findings, _findings(item, result, findings, known), len(findings))
            if result.suppressed:
                self._add_suppressed(item, result, known, scope)

    def _add_suppressed(
        self, item: Evidence, result: Result, known: "_Known", scope: Scope
    ) -> None:
        """Add the findings of a result that statements or ignore files suppress, and what they say.

        A finding whose statement may not be used counts like any other.
        """
        suppressed = result.suppressed or []
        columns = _findings(item, result, [each.vulnerability for each in suppressed], known)
        added: dict[str, list[Any]] = defaultdict(list)
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

    def frames(self) -> frames.Frames:
        """Return what was collected as typed frames."""
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


def _extend(columns: dict[str, list[Any]], added: dict[str, Any], rows: int) -> None:
    """Append to each column a list of values, or one value that all rows share."""
    for name, values in added.items():
        columns[name] += values if isinstance(values, list) else [values] * rows


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
    return {
        **common,
        "artifact": report.artifact_name or None,
        "source": item.source or _SOURCES.get(report.artifact_type or "", report.artifact_type),
        "report": item.shown_path or None,
        "os_family": system.family or None,
        "os_version": system.name or None,
        # Trivy leaves EOSL out where it is false; before schema 2 it did not know.
        "os_eol": bool(system.eosl) if system.family and report.schema_version else None,
        "architecture": config.architecture or None,
        "size_unpacked_bytes": metadata.size or None,
        "size_unpacked_source": _ADDED_UP[report.scanner] if metadata.size else None,
        "layers": len(metadata.diff_ids) if metadata.diff_ids else None,
        "packages": sum(map(len, lists)) if lists else None,
        "image_id": report.image_id or None,
        "scanner": report.scanner,
        "scanner_version": (report.trivy and report.trivy.version) or None,
        "db_updated_at": frames.utc(item.db_updated_at or report.db_built),
        "db_sha256": item.db_sha256 or None,
        "db_coverage": item.db_coverage or None,
        **_exploitation(item, report),
        "scanned_at": frames.utc(report.created_at),
        "status": _status(report, item.smoke),
        **image_rows.measured(item.image),
        **image_rows.started(item.smoke),
        "created_at": _built_at(item, config.created),
    }


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
    if results and {result.result_class for result in results} <= _OTHER_CLASSES:
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
        "version": [full_version(package) for package in packages],
        "source_package": [package.src_name or None for package in packages],
        "package_class": package_class,
        "package_type": result.type,
        "package_path": paths,
        "license": [", ".join(p.licenses) if p.licenses else None for p in packages],
        "purl": [p.identifier.purl if p.identifier else None for p in packages],
        "layer_diff_id": layers,
        "from_base": from_base,
        "place": [
            place(package_class, path, base) for path, base in zip(paths, from_base, strict=True)
        ],
    }


class _Known:
    """What is known of the exploitation of a report's findings: by itself, or by its capture."""

    def __init__(self, item: Evidence, report: Report) -> None:
        self.scanner = report.scanner
        self.own = report.knows_exploitation
        epss, kev = item.exploitation.epss, item.exploitation.kev
        self.has_any = self.own or bool(epss or kev)
        self.scores_of = _scores_of(report) if self.own else frames.utc(epss.day) if epss else None
        self._as_of = _as_of(item, report) or date.max
        no = False if self.own or kev else None
        self._unknown = (None, None, None, no, None)
        scores = epss.scores if epss else {}
        self._by_id: dict[str | None, tuple[Any, ...]] = {
            cve: (score, percentile, None, no, cve) for cve, (score, percentile) in scores.items()
        }
        for cve, added in kev.added.items() if kev else ():
            self._by_id[cve] = (*scores.get(cve, (None, None)), *self._listed(added), cve)

    def of(self, finding: Vulnerability, aliases: str | None) -> tuple[Any, ...]:
        """Return the columns `_EXPLOITATION` of a finding: of the worst of its ids."""
        if self.own:
            found = finding.exploitation
            if found is None:
                return self._unknown
            return found.score, found.percentile, *self._listed(found.kev_added), found.cve_id
        if not aliases:
            return self._by_id.get(finding.vulnerability_id, self._unknown)
        known = (self._by_id.get(i) for i in (finding.vulnerability_id, *aliases.split()))
        return max(filter(None, known), key=_badness, default=self._unknown)

    def _listed(self, added: date | None) -> tuple[datetime | None, bool]:
        """Return when a catalog took up an id, and whether it had by the day of the scan."""
        if added is None:
            return None, False
        return datetime.combine(added, time.min, UTC), added <= self._as_of


def _badness(known: tuple[Any, ...]) -> tuple[bool, float]:
    score, _, added, _, _ = known
    return added is not None, score or 0.0


def _as_of(item: Evidence, report: Report) -> date | None:
    found = day(item.db_updated_at or report.db_built, report.created_at)
    return found.date() if found else None


def day(db_updated_at: datetime | None, scanned_at: datetime | None) -> datetime | None:
    """Return the day as of which a scan says what is known.

    It is that of the scan, or of its DB if that was old on purpose.
    """
    db, scan = frames.utc(db_updated_at), frames.utc(scanned_at)
    if db is None or (scan is not None and timedelta() <= scan - db <= _OLDEST_DB):
        return scan
    return db


def _scores_of(report: Report) -> datetime | None:
    """Return the newest day of the scores that a report has itself."""
    days = (
        finding.exploitation.day
        for result in report.results or []
        for finding in (
            *(result.vulnerabilities or []),
            *(each.vulnerability for each in result.suppressed or []),
        )
        if finding.exploitation and finding.exploitation.day
    )
    newest = max(days, default=None)
    return datetime.combine(newest, time.min, UTC) if newest else None


def _exploitation(item: Evidence, report: Report) -> dict[str, Any]:
    """Return the columns of an image that say whose scores and catalog its findings have."""
    if report.knows_exploitation:
        at = _scores_of(report)
        source = "report" if at else None
        return {"epss_day": at, "epss_source": source, "kev_source": "report"}
    epss, kev = item.exploitation.epss, item.exploitation.kev
    return {
        "epss_day": frames.utc(epss.day) if epss else None,
        "epss_model": (epss.model or None) if epss else None,
        "epss_source": epss.source if epss else None,
        "kev_day": frames.utc(kev.day) if kev else None,
        "kev_source": kev.source if kev else None,
    }


def _scope(item: Evidence, report: Report) -> Scope:
    """Return by what the statements about an image's findings are judged."""
    return Scope(
        item.vex,
        statements.own_names(item.source, item.reference, item.image, item.vex.subject),
        statements.base_names(item.image),
        (
            package.identifier.purl
            for result in report.results or []
            for package in result.packages or []
            if package.identifier and package.identifier.purl
        ),
        _as_of(item, report),
    )


def _found(columns: Mapping[str, list[Any]]) -> list[Found]:
    """Return findings, given as columns, as statements see them."""
    rows = zip(
        *(columns[name] for name in ("vulnerability_id", "aliases", "purl", "from_base")),
        strict=True,
    )
    return [
        Found((name or "", *(aliases or "").split()), package or "", bool(from_base))
        for name, aliases, package, from_base in rows
    ]


def _findings(
    item: Evidence, result: Result, findings: Iterable[Vulnerability], known: _Known
) -> dict[str, Any]:
    """Return the columns of findings of one result.

    One pass over the findings, not one a column: a finding's parts are in the CPU's cache together,
    and fetching them again for every column takes three times as long.
    """
    sources = _source_packages(result)
    columns: dict[str, list[Any]] = {name: [] for name in _PER_FINDING}
    add = [column.append for column in columns.values()]
    ids, names, installed, fixed, statuses, levels, chosen_by, nvd, scores, published = add[:10]
    found_in, built_from, purls, layers, aliases, from_base, places = add[10:17]
    vectors = add[17]
    exploitation: list[tuple[Any, ...]] = []
    bases, package_class = _bases(item), _class(result)
    # What all findings of a result share is computed once.
    is_os, is_known, program = package_class == "os-pkgs", bool(bases), _program(result)
    for finding in findings:
        identifier, layer, cvss = finding.pkg_identifier, finding.layer, finding.cvss
        rated = cvss.nvd if cvss else None
        ids(finding.vulnerability_id or None)
        names(finding.pkg_name)
        installed(finding.installed_version)
        fixed(finding.fixed_version or None)
        statuses(finding.status or None)
        levels(finding.severity or "UNKNOWN")
        chosen_by(finding.severity_source or None)
        nvd(nvd_severity(finding))
        scores(rated.v3_score if rated else None)
        vectors((rated and rated.v3_vector) or None)
        published(frames.utc(finding.published_date))
        path = finding.pkg_path or program
        found_in(path)
        package = finding.pkg_name, finding.installed_version
        built_from(finding.src_name or sources.get(package))
        purls(identifier.purl if identifier else None)
        diff_id = layer.diff_id if layer else None
        layers(diff_id)
        others = _aliases(finding) if finding.vendor_ids else None
        aliases(others)
        if known.has_any:
            exploitation.append(known.of(finding, others))
        base = bases.get(diff_id) if is_known and diff_id else None
        if is_known:
            from_base(base)
        if not is_os:
            places(place(package_class, path, base))
    shared = {
        "variant": item.variant,
        "capture": item.capture,
        "scanner": known.scanner,
        "epss_day": known.scores_of,
        "package_class": package_class,
        "package_type": result.type,
        "suppressed": False,
    }
    if exploitation:
        values = map(list, zip(*exploitation, strict=True))
        columns |= dict(zip(_EXPLOITATION, values, strict=True))
    else:
        shared |= dict.fromkeys(_EXPLOITATION)
    if not is_known:
        shared["from_base"] = None
    if is_os:
        shared["place"] = place(package_class, None, None)
    return {**columns, **shared}


def _program(result: Result) -> str | None:
    """Return the program that a result's packages were compiled into: only its target names it."""
    return result.target if result.type in _COMPILED else None


def _aliases(finding: Vulnerability) -> str | None:
    """Return a vulnerability's other ids, if its own id stands for one vulnerability only.

    An advisory stands for one if exactly one such id is listed with it.
    """
    main = finding.vulnerability_id or ""
    others = {i for i in finding.vendor_ids or [] if i.startswith(_ONE_VULNERABILITY) and i != main}
    is_one = main.startswith(_ONE_VULNERABILITY) or (main and len(others) == 1)
    return " ".join(sorted(others)) or None if is_one else None


def nvd_severity(vulnerability: Vulnerability) -> str | None:
    """Return NVD's severity as reported, else by its CVSS score: version 3 if known, else 2.

    The scales are those of NVD: https://nvd.nist.gov/vuln-metrics/cvss
    """
    vendor, cvss = vulnerability.vendor_severity, vulnerability.cvss
    if vendor and vendor.nvd is not None:
        return frames.SEVERITIES[vendor.nvd]
    if not cvss or not cvss.nvd:
        return None
    score = cvss.nvd.v3_score or cvss.nvd.v2_score
    if not score:
        return None
    if cvss.nvd.v3_score and score >= 9:
        return "CRITICAL"
    return "HIGH" if score >= 7 else "MEDIUM" if score >= 4 else "LOW"


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


def _source_packages(result: Result) -> dict[tuple[str | None, str | None], str]:
    """Return source packages by package name and version, the only keys that a finding has."""
    return {
        (package.name, full_version(package)): package.src_name
        for package in result.packages or []
        if package.src_name
    }
