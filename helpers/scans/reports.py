"""Reports of every scanner that the kit knows, as the structs of Trivy's; other files are refused.

The error says what the file is instead.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from helpers.errors import ReportInvalid
from helpers.scans import decoding, grype, osv, sarif, sbom, trivy
from helpers.scans.decoding import RESCAN, Text
from helpers.scans.trivy_schema import Report

MAX_ROWS = 1_000_000
"""How many findings and packages a report may have: a report of 1 GB has a third of them."""


class _Format(NamedTuple):
    """A scanner beside Trivy: the keys that tell its reports, and what decodes them."""

    scanner: str
    keys: frozenset[str]
    parse: Callable[[Text, str | os.PathLike[str]], Report]


_OTHERS = (
    _Format("Grype", frozenset({"matches", "descriptor"}), grype.parse),
    _Format("OSV-Scanner", frozenset({"results"}), osv.parse),
)

_SCAN_EACH = "Scan each image with `trivy image --format json`"
_SCAN_SBOM = "Scan it with `trivy sbom --format json --output REPORT FILE`"

_Parse = Callable[[Text, str | os.PathLike[str]], Report]

_LISTS: tuple[tuple[Callable[[set[str]], bool], str, str, _Parse], ...] = (
    (lambda keys: "bomFormat" in keys, "a CycloneDX SBOM", _SCAN_SBOM, sbom.cyclonedx),
    (lambda keys: bool(keys & {"spdxVersion", "SPDXID"}), "an SPDX SBOM", _SCAN_SBOM, sbom.spdx),
    (lambda keys: {"artifacts", "descriptor"} <= keys, "a Syft SBOM", RESCAN, sbom.syft),
)
"""SBOMs: package lists, which are no scans."""

_FOREIGN: tuple[tuple[Callable[[set[str]], bool], str, str], ...] = (
    (
        lambda keys: {"@context", "@graph"} <= keys,
        "an SPDX 3 document; the kit reads SPDX 2",
        "Write it with `--format spdx-json` of SPDX 2.3",
    ),
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

_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


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


def decoded(text: Text, path: str | os.PathLike[str], lists: bool = False) -> Report:
    """Return the report of a file of that text, as `read` does; with `lists` also an SBOM's."""
    try:
        report = parse(text, path, lists)
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


def parse(text: Text, path: str | os.PathLike[str], lists: bool = False) -> Report:
    """Return the report in UTF-8 JSON; a legacy list and `null` become reports of one image.

    It is decoded as Trivy's first. Its keys are compared with other scanners' only if that fails or
    leaves a doubt: a look at all keys takes as long as decoding.
    """
    if bytes(text[: decoding.HEAD_BYTES]).lstrip()[:1] in (b"[", b"n"):
        return trivy.legacy(text, path)
    try:
        report = trivy.decode(text)
    except msgspec.ValidationError:
        if other := _other(text, path, lists):
            return other
        raise
    if not trivy.is_sure(report) and (other := _other(text, path, lists)):
        return other
    return trivy.checked(report, path)


def _other(text: Text, path: str | os.PathLike[str], lists: bool) -> Report | None:
    """Return another tool's report, or `None`. Raises `ReportInvalid` for known formats."""
    keys = set(_KEYS.decode(text))
    for scanner, names, parse in _OTHERS:
        if keys & names and keys & trivy.KEYS:
            problem = f"a file with the keys of two scanners' reports, Trivy's and {scanner}'s"
            raise ReportInvalid(path, problem, RESCAN)
        if names <= keys:
            return parse(text, path)
    for matches, kind, remedy, parse in _LISTS:
        if matches(keys) and not lists:
            raise ReportInvalid(path, f"{kind}, not a scan", remedy)
        if matches(keys):
            return parse(text, path)
    if "runs" in keys:
        raise ReportInvalid(path, sarif.described(text), sarif.REMEDY)
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
