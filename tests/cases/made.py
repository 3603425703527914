"""Makes the small reports and studies of these tests."""

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from helpers import paths
from helpers.studies.study import Captured, Database, Facts
from tests.support.studies import write_study

Report = dict[str, Any]


def finding(
    number: int, package: str = "openssl", version: str = "3.0.1", fix: str = "", **fields: Any
) -> Report:
    """Return a finding as Trivy writes it; `fix` is the version that fixes it."""
    return {
        "VulnerabilityID": f"CVE-2024-{number:04d}",
        "PkgName": package,
        "InstalledVersion": version,
        **({"FixedVersion": fix, "Status": "fixed"} if fix else {"Status": "affected"}),
        "Severity": "HIGH",
        "PublishedDate": "2024-01-01T00:00:00Z",
        **fields,
    }


def findings(count: int, **fields: Any) -> list[Report]:
    """Return so many findings of one package, each of a vulnerability of its own."""
    return [finding(number, **fields) for number in range(1, count + 1)]


def report(
    *found: Report,
    packages: Sequence[str] = ("openssl 3.0.1",),
    npm: Sequence[str] | None = None,
    npm_found: Sequence[Report] = (),
    os: str = "debian 12.5",
    image_id: str = "",
    created: str = "",
    scanned: str = "2026-11-01T00:00:00Z",
    scanner: str = "0.76.0",
    **fields: Any,
) -> Report:
    """Return a report of an image as Trivy 0.76 writes it.

    `packages` are those of the system, `npm` those of Node.js (`None`: Trivy has no such result),
    each as `name version`. An empty text leaves out what it is of.
    """
    family, _, release = os.partition(" ")
    results = [_result("os-pkgs", family, f"app ({os})", packages, found)] if family else []
    if npm is not None:
        results.append(_result("lang-pkgs", "node-pkg", "Node.js", npm, npm_found))
    metadata: Report = {"OS": {"Family": family, "Name": release}} if family else {}
    if image_id:
        metadata["ImageID"] = f"sha256:{image_id:0>64}"
    if created:
        metadata["ImageConfig"] = {"architecture": "amd64", "created": created}
    return {
        "SchemaVersion": 2,
        **({"Trivy": {"Version": scanner}} if scanner else {}),
        **({"CreatedAt": scanned} if scanned else {}),
        "ArtifactName": "app:latest",
        "ArtifactType": "container_image",
        "Metadata": metadata,
        "Results": results,
        **fields,
    }


def study(
    data: Path,
    captures: Mapping[str, Mapping[str, Report]],
    name: str = "case",
    lines: str = "",
    db: Database | None = None,
) -> str:
    """Write a study with a report of each variant in each capture; return its name.

    `lines` is TOML for its head. Its reports are as if the kit had scanned archives with `db`,
    which by default is one of the capture's day.
    """
    variants = {variant for reports in captures.values() for variant in reports}
    sources = {variant: f'archive = "{variant}.tar"' for variant in sorted(variants)}
    write_study(data, name, lines, **sources)
    for capture, reports in captures.items():
        at = datetime.fromisoformat(capture if len(capture) > 7 else f"{capture}-01")
        at = at.replace(tzinfo=UTC)
        for variant, content in reports.items():
            path = paths.evidence(name, capture, variant) / paths.REPORT
            path.parent.mkdir(parents=True)
            path.write_bytes(gzip.compress(json.dumps(content).encode(), 1, mtime=0))
        held = {variant: Captured("scanned", "archive") for variant in reports}
        used = db or Database(2, at, f"{at:%Y%m%d}".zfill(64))
        facts = Facts(name, capture, at, "0.1.0", "trivy", "0.76.0", used, held)
        (paths.capture(name, capture) / paths.CAPTURE).write_bytes(msgspec.json.encode(facts))
    return name


def _result(
    kind: str, family: str, target: str, packages: Sequence[str], found: Sequence[Report]
) -> Report:
    listed = [dict(zip(("Name", "Version"), each.split(), strict=True)) for each in packages]
    return {
        **{"Target": target, "Class": kind, "Type": family},
        **{"Packages": listed, "Vulnerabilities": list(found)},
    }
