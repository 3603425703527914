"""Reports of Trivy and Grype: counts of rows, levels and ids, frames, questions, what is kept."""

import gzip
import json
import shutil
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from helpers import paths
from helpers.errors import KitError
from helpers.scanning import redact_report
from helpers.scans import reports, summary
from helpers.studies.load import load_reports
from helpers.vulnerabilities import (
    breakdowns,
    counting,
    fixes,
    growth,
    lenses,
    overlap,
    severity_scales,
)
from helpers.vulnerabilities.lenses import PLAIN
from tests.fuzz.kind import Kind, Wrong, plain_json, same
from tests.fuzz.mutations import of_json
from tests.scans.test_grype import DESCRIPTOR, match, nvd, report_of

_LEVELS = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_STUDIES = paths.ROOT / "data" / "studies"
_FROM = (
    "rebuilt-2026/2026-11-24/node-24-alpine",
    "rebuilt-python-2026/2026-11-26/python-3.13-debian",
    "matched-2026/2026-11/node-24-distroless",
)


_NOT_READ = ("Description", "References", "CweIDs", "DataSource", "Title")


def _short(report: Any) -> Any:
    """Return a report with few rows, and few of the fields that nobody reads."""
    for result in report["Results"]:
        for rows in ("Packages", "Vulnerabilities"):
            if rows in result:
                result[rows] = result[rows][:2]
            for row in result.get(rows, []):
                for name in _NOT_READ:
                    row.pop(name, None)
                if row.get("InstalledFiles"):
                    row["InstalledFiles"] = row["InstalledFiles"][:2]
    return report


@cache
def trivy_seeds() -> tuple[Any, ...]:
    """Real reports, cut to few rows: with suppressed findings, a bare list, and a clean image."""
    found = []
    for name in _FROM:
        path = _STUDIES / name / paths.REPORT
        found.append(_short(json.loads(gzip.decompress(path.read_bytes()))))
    suppressed = json.loads(json.dumps(found[0]))
    for result in suppressed["Results"]:
        result["ExperimentalModifiedFindings"] = [
            {
                "Type": kind,
                "Status": "not_affected",
                "Statement": "vulnerable_code_not_present",
                "Source": "OpenVEX",
                "Finding": {**each, "Status": status},
            }
            for each in result.get("Vulnerabilities", [])
            for kind, status in (("vulnerability", 2), ("secret", "x"), ("vulnerability", "fixed"))
        ]
    legacy = [{**result, "Target": "shop:v1 (alpine 3.11.5)"} for result in found[0]["Results"]]
    clean = {"SchemaVersion": 2, "ArtifactName": "x", "Metadata": {}, "Results": None}
    return (*found, suppressed, suppressed, legacy, clean)


def _counts(document: Any) -> dict[str, Any]:
    """Count what a report of Trivy's has, by plain loops."""
    results = document if isinstance(document, list) else (document or {}).get("Results") or []
    levels, ids, packages, suppressed = Counter(), set(), 0, 0
    findings = without_id = 0
    for result in results:
        packages += len(result.get("Packages") or [])
        for found in result.get("ExperimentalModifiedFindings") or []:
            suppressed += found.get("Type") == "vulnerability"
        for found in result.get("Vulnerabilities") or []:
            findings += 1
            levels[found.get("Severity") or "UNKNOWN"] += 1
            if found.get("VulnerabilityID"):
                ids.add(found["VulnerabilityID"])
            else:
                without_id += 1
    return _row(findings, len(ids) + without_id, levels, suppressed, packages)


def _row(
    findings: int, vulnerabilities: int, levels: Counter[str], suppressed: int, packages: int
) -> dict[str, Any]:
    by_level = {level.lower(): levels[level] for level in _LEVELS}
    counts = {"findings": findings, "vulnerabilities": vulnerabilities, "suppressed": suppressed}
    return {**counts, **by_level, "packages": packages}


def _read(path: Path) -> dict[str, Any]:
    row = summary.row(path)
    report = reports.read(path)
    packages = sum(len(result.packages or []) for result in report.results or [])
    for form in summary.FORMATS.values():
        form([row]).encode()
    return {**row, "packages": packages}


def check(path: Path, random: Random) -> None:
    """Check a report: its row, its frames, a question to them, and what a capture keeps of it."""
    row = _read(path)
    counted = _count(plain_json(path.read_bytes()))
    same("summary", {name: row[name] for name in counted}, counted)
    _check_kept(path, row)
    if random.random() < 0.2:
        _check_frames(path, counted, random)


def _check_kept(path: Path, row: dict[str, Any]) -> None:
    folder = path.parent / "kept"
    folder.mkdir()
    try:
        redact_report.keep(path, folder)
        [kept] = folder.iterdir()
        try:
            again = _read(kept)
        except KitError as error:
            raise Wrong(f"what is kept cannot be read: {error}") from error
    finally:
        shutil.rmtree(folder)
    same("what is kept", {**again, "file": ""}, {**row, "file": ""})


def _check_frames(path: Path, counted: dict[str, Any], random: Random) -> None:
    frames = load_reports(path)
    same("rows of findings", len(frames.findings), counted["findings"] + counted["suppressed"])
    same("rows of packages", len(frames.packages), counted["packages"])
    standing = lenses.standing(frames.findings)
    levels = standing["severity"].value_counts()
    for level in _LEVELS:
        if counted["suppressed"] == 0:
            same(f"findings of level {level}", int(levels[level]), counted[level.lower()])
    if random.random() < 0.25:
        random.choice(_QUESTIONS)(frames)


_QUESTIONS = (
    lambda f: breakdowns.severity_answer(f.findings, f.images, PLAIN),
    lambda f: breakdowns.package_answer(f.findings, f.images, PLAIN),
    lambda f: breakdowns.images_answer(f.images),
    lambda f: counting.totals_by_lens(f.findings, f.images),
    lambda f: growth.growth(f.findings, f.images, PLAIN),
    lambda f: growth.incomplete(f.findings),
    lambda f: fixes.answer(f.findings, f.images, PLAIN),
    lambda f: fixes.places_answer(f.findings, f.images, PLAIN),
    lambda f: overlap.answer(f.findings, f.images, PLAIN),
    lambda f: severity_scales.answer(f.findings, f.images, PLAIN),
    lambda f: severity_scales.sources_answer(f.findings, PLAIN),
)


@cache
def grype_seeds() -> tuple[Any, ...]:
    """Reports as Grype writes them: of an image, with ignored matches and scores, and of none."""
    known = [{"cve": "CVE-2024-0001", "epss": 0.5, "percentile": 0.9, "date": "2026-08-01"}]
    exploited = [{"cve": "CVE-2024-0001", "dateAdded": "2026-08-01", "product": "x"}]
    scored = match(1, [nvd("CVE-2024-0001", "High", ("3.1", 7.5, None))], epss=known)
    npm = {"type": "npm", "purl": "pkg:npm/a@1", "locations": [{"path": "/app/a/package.json"}]}
    rules = [
        {"vulnerability": "x", "reason": "r", "vex-status": "not_affected", "namespace": "vex"}
    ]
    ignored = [{**match(n), "appliedIgnoreRules": rules} for n in (7, 8)]
    old = match(4, severity="Negligible", fix=None, fixedInVersion="2", knownExploited=exploited)
    return (
        report_of(scored, match(2, package=npm), old, ignoredMatches=ignored),
        report_of(match(), match(), match(2, severity=""), source={"type": "file", "target": "x"}),
        report_of(ignoredMatches=ignored, distro=None),
        report_of(),
        report_of(descriptor={**DESCRIPTOR, "name": "\x1b[31m" * 99}),
    )


def _grype_counts(document: Any) -> dict[str, Any]:
    """Count what a report of Grype's has, by a plain loop."""
    levels, ids, findings, without_id = Counter(), set(), 0, 0
    for found in document["matches"] or []:
        vulnerability = found["vulnerability"]
        level = (vulnerability.get("severity") or "unknown").upper()
        levels["LOW" if level == "NEGLIGIBLE" else level] += 1
        findings += 1
        if vulnerability.get("id"):
            ids.add(vulnerability["id"])
        else:
            without_id += 1
    suppressed = len(document.get("ignoredMatches") or [])
    return _row(findings, len(ids) + without_id, levels, suppressed, 0)


def _count(document: Any) -> dict[str, Any]:
    is_grype = isinstance(document, dict) and "matches" in document
    return _grype_counts(document) if is_grype else _counts(document)


KINDS = {
    "trivy": Kind(lambda random: of_json(random, trivy_seeds()), check, weight=6),
    "grype": Kind(lambda random: of_json(random, grype_seeds()), check, weight=4),
}
