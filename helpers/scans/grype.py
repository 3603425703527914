"""Grype's JSON, from 0.7 on, becomes the structs that every report becomes.

Grype lists what it matched and not what is installed: a report of it has findings and no packages.
"""

import os
from collections import defaultdict
from datetime import datetime

import msgspec
from msgspec import Struct, field

from helpers.errors import ReportInvalid
from helpers.frames import SEVERITIES
from helpers.scans import trivy_schema
from helpers.scans.decoding import Text

RESCAN = "Scan the image again with `grype --output json --file FILE IMAGE`"

_SEVERITIES: dict[str, trivy_schema.Severity] = {
    **{"": "UNKNOWN", "unknown": "UNKNOWN", "negligible": "LOW", "low": "LOW"},
    **{"medium": "MEDIUM", "high": "HIGH", "critical": "CRITICAL"},
}
"""Grype's severities; Trivy says LOW of what Debian and Ubuntu call negligible, too."""

_STATUSES = {"fixed": "fixed", "not-fixed": "affected", "wont-fix": "will_not_fix"}

_OS_TYPES = frozenset({"alpm", "apk", "deb", "msrc-kb", "portage", "rpm"})
"""Types of packages that an operating system installs."""

_DISTROS = {
    **{"almalinux": "alma", "amazonlinux": "amazon", "mariner": "cbl-mariner"},
    **{"oraclelinux": "oracle", "rockylinux": "rocky"},
}
"""Operating systems that Trivy names otherwise."""

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
"""Trivy's types of what is found in images; those not here keep Grype's own name."""

_ARTIFACTS = {"image": "container_image", "directory": "filesystem", "file": "filesystem"}

_NVD = "nvd@nist.gov"


class _Metrics(Struct, rename="camel", gc=False):
    base_score: trivy_schema.Score | None = None


class _Cvss(Struct, gc=False):
    version: str | None = None
    source: str | None = None
    metrics: _Metrics | None = None


class _Fix(Struct, gc=False):
    versions: list[str] | None = None
    state: str | None = None


class _Vulnerability(Struct, rename="camel", gc=False):
    id: str | None = None
    namespace: str | None = None
    severity: str | None = None
    cvss: list[_Cvss] | None = None
    fix: _Fix | None = None
    fixed_in_version: str | None = None


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


class _Layer(Struct, gc=False):
    digest: str | None = None


class _Image(Struct, rename="camel", gc=False):
    """An image that was scanned; its config, in Base64, is never decoded."""

    user_input: str | None = None
    image_id: str | None = field(default=None, name="imageID")
    image_size: trivy_schema.Bytes | None = None
    architecture: str | None = None
    layers: list[_Layer] | None = None


class _Source(Struct, gc=False):
    """What was scanned: an image, or the name of a directory, a file or an SBOM."""

    type: str | None = None
    target: _Image | str | None = None


class _Distro(Struct, gc=False):
    name: str | None = None
    version: str | None = None


class _DbStatus(Struct, gc=False):
    built: datetime | None = None


class _Db(_DbStatus, gc=False):
    """The vulnerability DB; before Grype 0.88 its status was not apart."""

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


_DECODER = msgspec.json.Decoder(_Report)


def parse(text: Text, path: str | os.PathLike[str]) -> trivy_schema.Report:
    """Return the report in UTF-8 JSON of Grype; one without matches is that of a clean image.

    Raises `ReportInvalid` for a field of the wrong kind, a severity that is none of Grype's and a
    descriptor that names another tool; msgspec's errors for what is no JSON.
    """
    try:
        decoded = _DECODER.decode(text)
    except msgspec.ValidationError as error:
        problem = f"a Grype report with a field of the wrong kind ({error})"
        raise ReportInvalid(path, problem, RESCAN) from error
    descriptor = decoded.descriptor
    if descriptor.name != "grype":
        problem = f"JSON like Grype's, but written by {descriptor.name or 'a tool without a name'}"
        raise ReportInvalid(path, problem, RESCAN)
    source, db = decoded.source or _Source(), descriptor.db or _Db()
    image = source.target if isinstance(source.target, _Image) else _Image()
    named = source.target if isinstance(source.target, str) else image.user_input
    system = _system(decoded.distro or _Distro())
    try:
        results = _results(decoded.matches or [], system)
    except KeyError as error:
        problem = f"a Grype report with a severity that Grype does not have ({error})"
        raise ReportInvalid(path, problem, RESCAN) from error
    return trivy_schema.Report(
        trivy=trivy_schema.Scanner(version=descriptor.version, name="grype"),
        created_at=descriptor.timestamp,
        artifact_name=named,
        artifact_type=_ARTIFACTS.get(source.type or "", source.type),
        metadata=trivy_schema.Metadata(
            size=image.image_size,
            os=system,
            image_id=image.image_id,
            diff_ids=[layer.digest for layer in image.layers or [] if layer.digest],
            image_config=trivy_schema.ImageConfig(architecture=image.architecture),
        ),
        results=results,
        db_built=(db.status or db).built,
    )


def _system(distro: _Distro) -> trivy_schema.OperatingSystem | None:
    if not distro.name:
        return None
    return trivy_schema.OperatingSystem(_DISTROS.get(distro.name, distro.name), distro.version)


def _results(
    matches: list[_Match], system: trivy_schema.OperatingSystem | None
) -> list[trivy_schema.Result]:
    """Return the findings by what kind of package they are in. Raises `KeyError`."""
    found: dict[tuple[str | None, str | None], list[trivy_schema.Vulnerability]] = defaultdict(list)
    for match in matches:
        package_class, kind = _kind(match.artifact.type, system)
        found[package_class, kind].append(_finding(match, package_class))
    return [
        trivy_schema.Result(result_class=package_class, type=kind, vulnerabilities=findings)
        for (package_class, kind), findings in found.items()
    ]


def _kind(
    kind: str | None, system: trivy_schema.OperatingSystem | None
) -> tuple[str | None, str | None]:
    """Return the class and the type that Trivy gives to packages of a type of Grype's."""
    if not kind:
        return None, None
    if kind in _OS_TYPES:
        return "os-pkgs", system.family if system else kind
    return "lang-pkgs", _LANGUAGES.get(kind, kind)


def _finding(match: _Match, package_class: str | None) -> trivy_schema.Vulnerability:
    own, artifact = match.vulnerability, match.artifact
    related = match.related or []
    fix = own.fix or _fix_before(own)
    first = (artifact.locations or [_Location()])[0]
    # Of an OS package the first file is that of the package manager's database.
    path = first.path.lstrip("/") if first.path and package_class == "lang-pkgs" else None
    nvd = _of_nvd(own, related)
    return trivy_schema.Vulnerability(
        vulnerability_id=own.id,
        pkg_name=artifact.name,
        pkg_path=path,
        pkg_identifier=trivy_schema.Identifier(artifact.purl or None),
        installed_version=artifact.version,
        fixed_version=", ".join(fix.versions or []),
        status=_STATUSES.get(fix.state or "", "unknown"),
        layer=trivy_schema.Layer(first.layer or None),
        vendor_ids=_same(own.id or "", [one.id for one in related if one.id]),
        severity_source=own.namespace,
        severity=_SEVERITIES[(own.severity or "").lower()],
        vendor_severity=_rated(nvd.severity) if nvd else None,
        cvss=trivy_schema.Cvss(_scores(nvd.cvss or [])) if nvd else None,
        src_name=artifact.upstreams[0].name if artifact.upstreams else None,
    )


def _fix_before(own: _Vulnerability) -> _Fix:
    """Return the fix as Grype wrote it before 0.13."""
    version = own.fixed_in_version
    return _Fix([version], "fixed") if version else _Fix()


def _same(own: str, others: list[str]) -> list[str]:
    """Return which ids name the same vulnerability as `own`.

    None do where two are of one scheme: what is related to several CVEs is an advisory of several,
    and a CVE is no other CVE.
    """
    ids = sorted({own, *others})
    schemes = {name.partition("-")[0] for name in ids}
    return [name for name in ids if name != own] if len(schemes) == len(ids) else []


def _of_nvd(own: _Vulnerability, related: list[_Vulnerability]) -> _Vulnerability | None:
    """Return what NVD says of a finding's vulnerability; `None` also if it is of several."""
    if (own.namespace or "").startswith("nvd"):
        return own
    nvd = {one.id: one for one in related if (one.namespace or "").startswith("nvd")}
    return nvd.get(own.id) or (next(iter(nvd.values())) if len(nvd) == 1 else None)


def _rated(severity: str | None) -> trivy_schema.VendorSeverity | None:
    """Return NVD's severity; `None` where it gives none: there may be a score that tells it."""
    level = _SEVERITIES.get((severity or "").lower(), "UNKNOWN")
    return trivy_schema.VendorSeverity(SEVERITIES.index(level)) if level != "UNKNOWN" else None


def _scores(entries: list[_Cvss]) -> trivy_schema.Scores:
    """Return the newest CVSS 3 score and the CVSS 2 score of NVD's entry.

    Newer reports have scores of others beside NVD's own, and say whose each is.
    """
    ours = [one for one in entries if one.source == _NVD]
    ours = ours or [one for one in entries if not one.source]
    by_version = {
        one.version or "": one.metrics.base_score
        for one in sorted(ours, key=lambda one: one.version or "")
        if one.metrics
    }
    v3 = [score for version, score in by_version.items() if version.startswith("3")]
    return trivy_schema.Scores(by_version.get("2.0"), v3[-1] if v3 else None)
