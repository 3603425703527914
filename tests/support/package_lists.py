"""Package lists of real images as SBOMs, and what their scans have to count."""

import csv
import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from helpers import paths
from tests.support.live import unless_live

REPOSITORY = "haproxy"
"""Its 10 tags with a list are 4 images with 3 distinct lists."""

COUNTS = ("findings", "critical", "high", "medium", "low", "unknown", "distinct_ids")


def folder(shared: Path) -> Path:
    """The folder of the package lists and their counts."""
    found = shared / "fleet"
    if not (found / "sboms.py").is_file():
        unless_live("there is no folder with package lists of many images (KIT_SHARED has fleet/)")
    return found


def sboms(shared: Path, place: Path, *options: str) -> Path:
    """Write an SBOM of each tag into a folder; return that."""
    script = folder(shared) / "sboms.py"
    subprocess.run([sys.executable, script, place, "--tags", *options], check=True)
    return place


def counts(shared: Path) -> dict[str, dict[str, str]]:
    """The row of each image's scan, by the first 12 digits of its id."""
    with gzip.open(folder(shared) / "scans.tsv.gz", "rt") as rows:
        return {row["id"]: row for row in csv.DictReader(rows, delimiter="\t")}


def counted(scan: Path) -> dict[str, str]:
    """What a scan counts, by a plain loop over its JSON."""
    findings = [each for result in results(scan) for each in result.get("Vulnerabilities") or []]
    levels = Counter(each["Severity"].lower() for each in findings)
    ids = {each["VulnerabilityID"] for each in findings}
    made = {"findings": len(findings), **levels, "distinct_ids": len(ids)}
    return {name: str(made.get(name, 0)) for name in COUNTS}


def results(scan: Path) -> list[dict[str, Any]]:
    """The results of a scan."""
    return json.loads(gzip.decompress(scan.read_bytes())).get("Results") or []


def images(fleet: Path) -> list[dict[str, Any]]:
    """The lines of a fleet's images."""
    return [json.loads(line) for line in (fleet / paths.FLEET_IMAGES).read_text().splitlines()]


def facts(fleet: Path) -> dict[str, Any]:
    """How a fleet was captured."""
    return json.loads((fleet / paths.FLEET_FACTS).read_text())


def content(fleet: Path) -> dict[str, Any]:
    """What a fleet has, without times, and without which image of several was scanned, by image."""
    return {
        image["image"]: (
            image["references"],
            image["digest"],
            image["package_list"],
            [_found(result) for result in results(fleet / image["scan"])],
        )
        for image in images(fleet)
    }


def _found(result: dict[str, Any]) -> list[Any]:
    """The packages and findings of a result."""
    findings = result.get("Vulnerabilities") or []
    # A finding's fingerprint has the image's name in it.
    found = [{key: each[key] for key in each if key != "Fingerprint"} for each in findings]
    return [result["Class"], result["Type"], result["Packages"], found]
