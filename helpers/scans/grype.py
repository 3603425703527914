"""Grype's JSON, of version 0.7 and later, converted to the structs of Trivy's.

Grype lists matches, not installed packages: its reports have findings and no packages.
"""

import os
from collections import defaultdict
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from helpers.errors import ReportInvalid
from helpers.frames import SEVERITIES
from helpers.scans import trivy_schema
from helpers.scans.decoding import Text
from helpers.text import escape

RESCAN = "Scan the image again with `grype --output json --file FILE IMAGE`"

_SEVERITIES: dict[str, trivy_schema.Severity] = {
    **{"": "UNKNOWN", "unknown": "UNKNOWN", "negligible": "LOW", "low": "LOW"},
    **{"medium": "MEDIUM", "high": "HIGH", "critical": "CRITICAL"},
}
"""Trivy's severities by Grype's; Trivy also turns negligible of Debian and Ubuntu into LOW."""

_STATUSES = {"fixed": "fixed", "not-fixed": "affected", "wont-fix": "will_not_fix"}

_OS_TYPES = frozenset({"alpm", "apk", "deb", "msrc-kb", "portage", "rpm"})
"""Types of OS packages."""

_DISTROS = {
    **{"almalinux": "alma", "amazonlinux": "amazon", "mariner": "cbl-mariner"},
    **{"oraclelinux": "oracle", "rockylinux": "rocky"},
}
"""Operating systems that have another name in Trivy."""

_LANGUAGES = {
    "conda": "conda-pkg",
    "dotnet": "dotnet-core",
    "gem": "gemspec",
    "go-module": "gobinary",
    "java-archive": "jar",
    "npm": "node-pkg",
    "php-composer": "composer-vendor",
    "python": "python-pkg",
    "rust-crate": "rustbinary",
}
"""Trivy's types of language packages by Grype's; other types keep Grype's name."""

_ARTIFACTS = {"image": "container_image", "directory": "filesystem", "file": "filesystem"}

_NVD = "nvd@nist.gov"

_Kind = tuple[str | None, str | None]
"""Class and type of a package, as Trivy names them."""


class _Metrics(Struct, rename="camel", gc=False):
    base_score: trivy_schema.Score | None = None


class _Cvss(Struct, gc=False):
    version: str | None = None
    source: str | None = None
    vector: str | None = None
    metrics: _Metrics | None = None


class _Fix(Struct, gc=False):
    versions: list[str] | None = None
    state: str | None = None


class _Epss(Struct, gc=False):
    cve: str | None = None
    epss: Annotated[float, Meta(ge=0, le=1)] | None = None
    percentile: Annotated[float, Meta(ge=0, le=1)] | None = None
    day: date | None = field(default=None, name="date")


class _KnownExploited(Struct, gc=False):
    cve: str | None = None
    added: date | None = field(default=None, name="dateAdded")


class _Vulnerability(Struct, rename="camel", gc=False):
    id: str | None = None
    namespace: str | None = None
    severity: str | None = None
    cvss: list[_Cvss] | None = None
    fix: _Fix | None = None
    fixed_in_version: str | None = None
    epss: list[_Epss] | None = None
    known_exploited: list[_KnownExploited] | None = None


class _Location(Struct, gc=False):
    path: str | None = None
    layer: str | None = field(default=None, name="layerID")


class _Upstream(Struct, gc=False):
    name: str | None = None


class _Artifact(Struct, gc=False):
    name: str | None = None
    version: str | None = None
    type: str | None = None
    purl: str | None = None
    locations: list[_Location] | None = None
    upstreams: list[_Upstream] | None = None


class _Match(Struct, gc=False):
    vulnerability: _Vulnerability
    artifact: _Artifact
    related: list[_Vulnerability] | None = field(default=None, name="relatedVulnerabilities")


class _Rule(Struct, rename="kebab", gc=False):
    """Why a match is ignored: a VEX statement, or what a rule asks for, by field."""

    vulnerability: str | None = None
    reason: str | None = None
    namespace: str | None = None
    fix_state: str | None = None
    package: dict[str, Any] | None = None
    vex_status: str | None = None
    vex_justification: str | None = None


class _Ignored(_Match, gc=False):
    rules: list[_Rule] | None = field(default=None, name="appliedIgnoreRules")


class _Layer(Struct, gc=False):
    digest: str | None = None


class _Image(Struct, rename="camel", gc=False):
    """A scanned image, without its config, which is in Base64."""

    user_input: str | None = None
    image_id: str | None = field(default=None, name="imageID")
    image_size: trivy_schema.Bytes | None = None
    architecture: str | None = None
    repo_digests: list[str] | None = None
    layers: list[_Layer] | None = None


class _Source(Struct, gc=False):
    """The scanned image, or the name of a directory, a file or an SBOM."""

    type: str | None = None
    target: _Image | str | None = None


class _Distro(Struct, gc=False):
    name: str | None = None
    version: str | None = None


class _DbStatus(Struct, gc=False):
    built: datetime | None = None


class _Db(_DbStatus, gc=False):
    """The vulnerability DB; before Grype 0.88 it had the fields of its status."""

    status: _DbStatus | None = None


class _Descriptor(Struct, gc=False):
    name: str | None = None
    version: str | None = None
    timestamp: datetime | None = None
    db: _Db | None = None


class _Report(Struct, gc=False):
    descriptor: _Descriptor
    matches: list[_Match] | None
    source: _Source | None = None
    distro: _Distro | None = None
    ignored: list[_Ignored] | None = field(default=None, name="ignoredMatches")


_DECODER = msgspec.json.Decoder(_Report)


def parse(text: Text, path: str | os.PathLike[str]) -> trivy_schema.Report:
    """Return the report in Grype's JSON, given as UTF-8; without matches the image is clean.

    Raises `ReportInvalid` for a field of the wrong kind, an unknown severity and the descriptor of
    another tool, and msgspec's errors for invalid JSON.
    """
    try:
        decoded = _DECODER.decode(text)
    except msgspec.ValidationError as error:
        problem = f"a Grype report with a field of the wrong kind ({error})"
        raise ReportInvalid(path, problem, RESCAN) from error
    descriptor = decoded.descriptor
    if descriptor.name != "grype":
        tool = escape.short(descriptor.name or "an unnamed tool", 60)
        problem = f"JSON like Grype's, but written by {tool}"
        raise ReportInvalid(path, problem, RESCAN)
    source, db = decoded.source or _Source(), descriptor.db or _Db()
    image = source.target if isinstance(source.target, _Image) else _Image()
    name = source.target if isinstance(source.target, str) else image.user_input
    distro, system = decoded.distro or _Distro(), None
    if distro.name:
        family = _DISTROS.get(distro.name, distro.name)
        system = trivy_schema.OperatingSystem(family, distro.version)
    matches, ignored = decoded.matches or [], decoded.ignored or []
    try:
        results = _results(matches, ignored, system)
    except KeyError as error:
        problem = f"a Grype report with an unknown severity ({error})"
        raise ReportInvalid(path, problem, RESCAN) from error
    return trivy_schema.Report(
        trivy=trivy_schema.Scanner(version=descriptor.version, name="grype"),
        created_at=descriptor.timestamp,
        artifact_name=name,
        artifact_type=_ARTIFACTS.get(source.type or "", source.type),
        metadata=trivy_schema.Metadata(
            size=image.image_size,
            os=system,
            image_id=image.image_id,
            repo_digests=image.repo_digests,
            diff_ids=[layer.digest for layer in image.layers or [] if layer.digest],
            image_config=trivy_schema.ImageConfig(architecture=image.architecture),
        ),
        results=results,
        db_built=(db.status or db).built,
        knows_exploitation=_knows_exploitation([*matches, *ignored]),
    )


def _results(
    matches: list[_Match],
    ignored: list[_Ignored],
    system: trivy_schema.OperatingSystem | None,
) -> list[trivy_schema.Result]:
    """Return the findings by class and type of package. Raises `KeyError` for a severity."""
    found: dict[_Kind, tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
    for match in (*matches, *ignored):
        kind = kind_of(match.artifact.type, system)
        finding, (findings, suppressed) = _finding(match, kind[0]), found[kind]
        if isinstance(match, _Ignored):
            suppressed.append(_suppressed(match, finding))
        else:
            findings.append(finding)
    return [
        trivy_schema.Result(
            result_class=kind[0], type=kind[1], vulnerabilities=findings, suppressed=suppressed
        )
        for kind, (findings, suppressed) in found.items()
    ]


def _suppressed(match: _Ignored, finding: trivy_schema.Vulnerability) -> trivy_schema.Suppressed:
    """Return a match that is ignored, by a statement of VEX if there is one."""
    rules = match.rules or []
    rule = next((rule for rule in rules if rule.vex_status), rules[0] if rules else _Rule())
    asked = {"fix-state": rule.fix_state, **(rule.package or {})}
    conditions = ", ".join(f"{name}: {value}" for name, value in asked.items() if value)
    return trivy_schema.Suppressed(
        type="vulnerability",
        status=rule.vex_status or "ignored",
        statement=rule.vex_justification or rule.reason or conditions,
        source=rule.namespace,
        vulnerability=finding,
    )


def kind_of(grype_type: str | None, system: trivy_schema.OperatingSystem | None) -> _Kind:
    """Return Trivy's package class and type for a package type of Grype."""
    if not grype_type:
        return None, None
    if grype_type in _OS_TYPES:
        return "os-pkgs", system.family if system else grype_type
    return "lang-pkgs", _LANGUAGES.get(grype_type, grype_type)


def _finding(match: _Match, package_class: str | None) -> trivy_schema.Vulnerability:
    vulnerability, artifact = match.vulnerability, match.artifact
    related = match.related or []
    fix = vulnerability.fix or _fix_before_0_13(vulnerability)
    location = (artifact.locations or [_Location()])[0]
    # The location of an OS package is the package manager's database.
    path = location.path.lstrip("/") if location.path and package_class == "lang-pkgs" else None
    nvd = _nvd_entry(vulnerability, related)
    return trivy_schema.Vulnerability(
        vulnerability_id=vulnerability.id,
        pkg_name=artifact.name,
        pkg_path=path,
        pkg_identifier=trivy_schema.Identifier(artifact.purl or None),
        installed_version=artifact.version,
        fixed_version=", ".join(fix.versions or []),
        status=_STATUSES.get(fix.state or "", "unknown"),
        layer=trivy_schema.Layer(location.layer or None),
        vendor_ids=_aliases(vulnerability.id or "", [other.id for other in related if other.id]),
        data_source=trivy_schema.DataSource(vulnerability.namespace),
        severity_source=vulnerability.namespace,
        severity=_SEVERITIES[(vulnerability.severity or "").lower()],
        vendor_severity=_nvd_severity(nvd.severity) if nvd else None,
        cvss=trivy_schema.Cvss(_nvd_scores(nvd.cvss or [])) if nvd else None,
        src_name=artifact.upstreams[0].name if artifact.upstreams else None,
        exploitation=_exploitation(vulnerability, related),
    )


def _knows_exploitation(matches: list[_Match]) -> bool:
    """Return whether a report has EPSS or KEV of any match, as those of Grype 0.88 and later do."""
    return any(
        entry.epss is not None or entry.known_exploited is not None
        for match in matches
        for entry in (match.vulnerability, *(match.related or []))
    )


def _exploitation(
    vulnerability: _Vulnerability, related: list[_Vulnerability]
) -> trivy_schema.Exploitation | None:
    """Return what a report knows of the exploitation of a match, by its own id or a related one.

    An advisory may be of several vulnerabilities: then it is what is known of the worst, one that
    is known to be exploited, or else the one with the highest score.
    """
    by_id: dict[str, trivy_schema.Exploitation] = {}
    for entry in (vulnerability, *related):
        for score in entry.epss or []:
            if score.cve and score.epss is not None:
                by_id[score.cve] = trivy_schema.Exploitation(
                    score.cve, score.epss, score.percentile, score.day
                )
    for entry in (vulnerability, *related):
        for known in entry.known_exploited or []:
            if known.cve and known.added:
                found = by_id.get(known.cve) or trivy_schema.Exploitation(known.cve)
                by_id[known.cve] = found._replace(kev_added=known.added)
    return max(
        by_id.values(),
        key=lambda found: (found.kev_added is not None, found.score or 0.0),
        default=None,
    )


def _fix_before_0_13(vulnerability: _Vulnerability) -> _Fix:
    """Return the fix as Grype wrote it before 0.13."""
    version = vulnerability.fixed_in_version
    return _Fix([version], "fixed") if version else _Fix()


def _aliases(vulnerability_id: str, others: list[str]) -> list[str]:
    """Return the ids that name the same vulnerability.

    There are none if two ids have one scheme: an advisory related to several CVEs covers several
    vulnerabilities, and one CVE is not another.
    """
    ids = sorted({vulnerability_id, *others})
    schemes = {name.partition("-")[0] for name in ids}
    return [name for name in ids if name != vulnerability_id] if len(schemes) == len(ids) else []


def _nvd_entry(
    vulnerability: _Vulnerability, related: list[_Vulnerability]
) -> _Vulnerability | None:
    """Return NVD's entry for a vulnerability; `None` for none, or for several of other ids."""
    if (vulnerability.namespace or "").startswith("nvd"):
        return vulnerability
    nvd = {entry.id: entry for entry in related if (entry.namespace or "").startswith("nvd")}
    return nvd.get(vulnerability.id) or (next(iter(nvd.values())) if len(nvd) == 1 else None)


def _nvd_severity(severity: str | None) -> trivy_schema.VendorSeverity | None:
    """Return NVD's severity; `None` if it is unknown, so that a score can replace it."""
    level = _SEVERITIES.get((severity or "").lower(), "UNKNOWN")
    return trivy_schema.VendorSeverity(SEVERITIES.index(level)) if level != "UNKNOWN" else None


def _nvd_scores(entries: list[_Cvss]) -> trivy_schema.Scores:
    """Return the newest CVSS 3 score and the CVSS 2 score of NVD's entry.

    Newer reports name the source of each score, and include scores of other sources.
    """
    by_nvd = [entry for entry in entries if entry.source == _NVD]
    by_nvd = by_nvd or [entry for entry in entries if not entry.source]
    by_version = {
        entry.version or "": (entry.metrics.base_score, entry.vector)
        for entry in sorted(by_nvd, key=lambda entry: entry.version or "")
        if entry.metrics
    }
    v3 = [found for version, found in by_version.items() if version.startswith("3")]
    v2, _ = by_version.get("2.0", (None, None))
    score, vector = v3[-1] if v3 else (None, None)
    return trivy_schema.Scores(v2, score, vector)
