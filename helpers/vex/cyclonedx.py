"""CycloneDX and its vulnerabilities: https://cyclonedx.org/docs/1.6/json/#vulnerabilities

Trivy uses such a document with CycloneDX SBOMs only, if it names the SBOM by its serial number.
"""

from datetime import datetime
from urllib.parse import unquote

import msgspec
from msgspec import Struct, field

from helpers.vex.statement import Product, Statement, Status, Time, first, texts

_STATUSES: dict[str, Status] = {
    **dict.fromkeys(("not_affected", "false_positive"), "not_affected"),
    **dict.fromkeys(("resolved", "resolved_with_pedigree"), "fixed"),
    "exploitable": "affected",
    "in_triage": "under_investigation",
}
"""Statuses by the states of an analysis, as Trivy reads them."""


class _Named(Struct):
    name: str | None = None


class _Component(Struct):
    ref: str | None = field(name="bom-ref", default=None)
    purl: str | None = None


class _Metadata(Struct):
    timestamp: Time | None = None
    authors: list[_Named] | None = None
    supplier: _Named | None = None
    manufacturer: _Named | None = None


class _Analysis(Struct):
    state: str
    justification: str | None = None
    detail: str | None = None
    last_updated: Time | None = field(name="lastUpdated", default=None)
    first_issued: Time | None = field(name="firstIssued", default=None)


class _Affected(Struct):
    ref: str


class _Reference(Struct):
    id: str | None = None


class _Vulnerability(Struct):
    id: str | None = None
    references: list[_Reference] | None = None
    analysis: _Analysis | None = None
    affects: list[_Affected] | None = None


class _File(Struct):
    metadata: _Metadata | None = None
    components: list[_Component] | None = None
    vulnerabilities: list[_Vulnerability] | None = None


def read(text: bytes, name: str) -> tuple[str, datetime | None, list[Statement]]:
    """Return author, time and statements of a document: one a vulnerability that was analysed.

    Raises msgspec's errors, also for an unknown state.
    """
    file = msgspec.json.decode(text, type=_File)
    metadata = file.metadata or _Metadata()
    purls = {part.ref: part.purl for part in file.components or [] if part.ref and part.purl}
    statements = [
        _said(vulnerability, analysis, purls, name, first(metadata.timestamp))
        for vulnerability in file.vulnerabilities or []
        if (analysis := vulnerability.analysis)
    ]
    authors = (*(metadata.authors or []), metadata.supplier, metadata.manufacturer)
    author = next(iter(texts(*(named.name for named in authors if named))), "")
    return author, first(metadata.timestamp), statements


def _said(
    vulnerability: _Vulnerability,
    analysis: _Analysis,
    purls: dict[str, str],
    name: str,
    written: datetime | None,
) -> Statement:
    if analysis.state not in _STATUSES:
        raise msgspec.ValidationError(f"Invalid state {analysis.state[:40]!r} of an analysis")
    refs = (_reference(affected.ref) for affected in vulnerability.affects or [])
    return Statement(
        name,
        texts(vulnerability.id, *(other.id for other in vulnerability.references or [])),
        _STATUSES[analysis.state],
        next(iter(texts(analysis.justification, analysis.detail)), ""),
        first(analysis.last_updated, analysis.first_issued, written),
        tuple(Product(purls.get(ref, ref)) for ref in texts(*refs)),
    )


def _reference(ref: str) -> str:
    """Return what a reference names in a BOM, without the link to that BOM.

    >>> _reference("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Anpm%2Fdebug%403.0.1")
    'pkg:npm/debug@3.0.1'
    """
    link, _, name = ref.partition("#")
    if not link.startswith("urn:cdx:") or not name:
        return ref
    return name if name.startswith("pkg:") else unquote(name)
