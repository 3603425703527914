"""OSV-Scanner's JSON, converted to the structs of Trivy's.

It lists the packages in which it found something, not all that are installed. Its advisories of a
distribution are made from vulnerabilities, which they name as `upstream`: one may be of several, so
a finding is made of each. https://ossf.github.io/osv-schema/#upstream-field
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec import Struct, field

from helpers import aliases
from helpers.errors import ReportInvalid
from helpers.scans import trivy_schema
from helpers.scans.decoding import Text

RESCAN = "Scan the image again with `osv-scanner scan image --format json IMAGE`"

_LEVELS: tuple[tuple[float, trivy_schema.Severity], ...] = (
    *((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW")),
)
"""CVSS scores from which on a severity is so: https://nvd.nist.gov/vuln-metrics/cvss"""

_SYSTEMS = {
    **{"almalinux": "alma", "alpine": "alpine", "chainguard": "chainguard", "debian": "debian"},
    **{"opensuse": "opensuse", "photon os": "photon", "red hat": "redhat", "rocky linux": "rocky"},
    **{"suse": "suse", "ubuntu": "ubuntu", "wolfi": "wolfi", "minimos": "minimos"},
}
"""Trivy's operating systems by OSV's ecosystems."""

_SOURCES = {"go": "govulndb", "pysec": "pypa"}
"""Whose advisories these are, by the beginning of their ids; the others are named by it."""

_LANGUAGES = {
    **{"crates.io": "rustbinary", "go": "gobinary", "maven": "jar", "npm": "node-pkg"},
    **{"nuget": "dotnet-core", "packagist": "composer-vendor", "pypi": "python-pkg"},
    **{"rubygems": "gemspec"},
}


class _Event(Struct, gc=False):
    fixed: str | None = None


class _Range(Struct, gc=False):
    kind: str | None = field(default=None, name="type")
    events: list[_Event] | None = None


class _Package(Struct, gc=False):
    name: str | None = None
    version: str | None = None
    ecosystem: str | None = None
    purl: str | None = None


class _Affected(Struct, gc=False):
    package: _Package | None = None
    ranges: list[_Range] | None = None


class _Vulnerability(Struct, gc=False):
    id: str | None = None
    aliases: list[str] | None = None
    upstream: list[str] | None = None
    published: datetime | None = None
    affected: list[_Affected] | None = None


class _Group(Struct, gc=False):
    """Advisories of one vulnerability, as the scanner sees it."""

    ids: list[str] | None = None
    score: str | None = field(default=None, name="max_severity")


class _Found(Struct, gc=False):
    package: _Package
    vulnerabilities: list[_Vulnerability] | None = None
    groups: list[_Group] | None = None


class _Source(Struct, gc=False):
    path: str | None = None


class _Result(Struct, gc=False):
    packages: list[_Found]
    source: _Source | None = None


class _Layer(Struct, gc=False):
    diff_id: str | None = None
    is_empty: bool = False


class _Image(Struct, gc=False):
    system: str | None = field(default=None, name="OS")
    layers: list[_Layer] | None = field(default=None, name="layer_metadata")


class _Report(Struct, gc=False):
    results: list[_Result] | None
    config: msgspec.Raw = field(default=msgspec.Raw(), name="experimental_config")
    image: _Image | None = field(default=None, name="image_metadata")


_DECODER = msgspec.json.Decoder(_Report)


def parse(text: Text, path: str | os.PathLike[str]) -> trivy_schema.Report:
    """Return the report in OSV-Scanner's JSON, given as UTF-8; without results it is clean.

    Raises `ReportInvalid` for a field of the wrong kind, and msgspec's errors for invalid JSON.
    """
    try:
        decoded = _DECODER.decode(text)
    except msgspec.ValidationError as error:
        problem = f"JSON with results, but not as OSV-Scanner writes them ({error})"
        raise ReportInvalid(path, problem, RESCAN) from error
    if not decoded.results and not decoded.config and not decoded.image:
        # Other tools have `results`, too; without any this one says by what it was told to work.
        raise ReportInvalid(path, "JSON with no results, and not of OSV-Scanner", RESCAN)
    found: dict[tuple[str, str], list[trivy_schema.Vulnerability]] = defaultdict(list)
    for result in decoded.results or []:
        where = result.source.path if result.source else None
        for each in result.packages:
            kind = _kind(each.package.ecosystem or "")
            place = where if kind[0] == "lang-pkgs" else None
            found[kind] += _findings(each, place)
    system = ((decoded.image and decoded.image.system) or "").partition(" ")[0].lower()
    systems = [name for kind, name in found if kind == "os-pkgs"]
    family = systems[0] if systems else _SYSTEMS.get(system)
    layers = (decoded.image and decoded.image.layers) or []
    return trivy_schema.Report(
        trivy=trivy_schema.Scanner(name="osv-scanner"),
        artifact_type="container_image" if decoded.image else None,
        metadata=trivy_schema.Metadata(
            os=trivy_schema.OperatingSystem(family) if family else None,
            diff_ids=[each.diff_id for each in layers if each.diff_id and not each.is_empty],
        ),
        results=[
            trivy_schema.Result(result_class=kind[0], type=kind[1], vulnerabilities=findings)
            for kind, findings in found.items()
        ],
    )


def _kind(ecosystem: str) -> tuple[str, str]:
    """Return Trivy's class and type for an ecosystem, as in `Debian:12`."""
    name = ecosystem.partition(":")[0].lower()
    if name in _SYSTEMS:
        return "os-pkgs", _SYSTEMS[name]
    return "lang-pkgs", _LANGUAGES.get(name, name)


def _findings(found: _Found, place: str | None) -> Iterator[trivy_schema.Vulnerability]:
    scores = {name: each.score for each in found.groups or [] for name in each.ids or []}
    for advisory in found.vulnerabilities or []:
        # Ubuntu's advisories also name each vulnerability by an id of their own.
        every = advisory.upstream or []
        upstream = [each for each in every if aliases.is_of_one(each)] or every
        mains: Sequence[str | None] = upstream or [advisory.id]
        for main in mains:
            yield trivy_schema.Vulnerability(
                vulnerability_id=main,
                advisory_id=advisory.id if upstream else None,
                pkg_name=found.package.name,
                pkg_path=place,
                pkg_identifier=trivy_schema.Identifier(found.package.purl),
                installed_version=found.package.version,
                fixed_version=", ".join(dict.fromkeys(_fixes(advisory, found.package))),
                # The aliases of an advisory that bundles are not those of what is in it.
                vendor_ids=None if upstream else advisory.aliases,
                data_source=trivy_schema.DataSource(_source(advisory.id or "")),
                severity=_severity(scores.get(advisory.id or "")),
                published_date=advisory.published,
            )


def _source(advisory: str) -> str | None:
    name = advisory.partition("-")[0].lower()
    return _SOURCES.get(name, name) if name != "cve" else None


def _fixes(advisory: _Vulnerability, package: _Package) -> Iterable[str]:
    """Yield the versions that fix a package; none if one of its ranges has no fix.

    Which range the installed version is in is not said. A commit (`GIT`) is no version.
    """
    of_package = [
        versions
        for each in advisory.affected or []
        if each.package and _named(each.package) == _named(package)
        for versions in each.ranges or []
        if versions.kind != "GIT"
    ]
    fixes = [
        [event.fixed for event in versions.events or [] if event.fixed] for versions in of_package
    ]
    if all(fixes):
        yield from (version for each in fixes for version in each)


def _named(package: _Package) -> tuple[str | None, str]:
    """Return a package's name and ecosystem; the database adds whether a release is long-lived."""
    return package.name, (package.ecosystem or "").removesuffix(":LTS")


def _severity(score: str | None) -> trivy_schema.Severity:
    with suppress(TypeError, ValueError):
        value = float(score or "")
        return next((level for least, level in _LEVELS if value >= least), "UNKNOWN")
    return "UNKNOWN"
