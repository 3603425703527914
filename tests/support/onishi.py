"""Writes reports of many images over six weeks from the facts in `anchors/onishi-weekly`.

Files are named as in their source: a folder a week, `/` as `_`, and `:` as U+F03A.
"""

import csv
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WEEKS = ("2023-11-15", "2023-11-22", "2023-11-29", "2023-12-06", "2023-12-13", "2023-12-20")


def write(anchor: Path, folder: Path, wanted: set[str] | None = None) -> int:
    """Write the reports of some images, by default of all; return how many."""
    about = {(row["week"], row["image"]): row for row in _rows(anchor / "images.csv.gz")}
    published = {row["vulnerability_id"]: row for row in _rows(anchor / "published.csv.gz")}
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for week, image, row in findings(anchor, wanted):
        found[week, image].append(row)
    count = 0
    for (week, image), facts in about.items():
        if wanted is None or image in wanted:
            name = image.replace("/", "_").replace(":", "\uf03a")
            path = folder / week.replace("-", "") / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(_report(facts, found[week, image], published)))
            count += 1
    return count


def findings(
    anchor: Path, wanted: set[str] | None = None
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the findings of some images, by default of all, with week and image."""
    for row in _rows(anchor / "findings.csv.gz"):
        if wanted is None or row["image"] in wanted:
            for week, is_there in zip(WEEKS, row["weeks"], strict=True):
                if is_there == "1":
                    yield week, row["image"], row


def images(anchor: Path) -> list[str]:
    """Return the references of all images."""
    return sorted({row["image"] for row in _rows(anchor / "images.csv.gz")})


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def _report(facts: dict[str, str], rows: list[dict[str, str]], published: Any) -> dict[str, Any]:
    family, _, release = facts["os"].partition(" ")
    results: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        results[row["class"], row["target"]].append(
            {
                "VulnerabilityID": row["vulnerability_id"],
                "PkgName": row["package"],
                "InstalledVersion": row["version"],
                **({"FixedVersion": row["fixed_version"]} if row["fixed_version"] else {}),
                "Severity": row["severity"],
                **({"SeveritySource": row["severity_source"]} if row["severity_source"] else {}),
                **_date(published.get(row["vulnerability_id"])),
            }
        )
    return {
        "SchemaVersion": 2,
        "ArtifactName": facts["image"],
        "ArtifactType": "container_image",
        "Metadata": {
            **({"OS": {"Family": family, "Name": release}} if family else {}),
            "ImageConfig": {"created": facts["created"]},
        },
        "Results": [
            {
                "Target": target or facts["image"],
                "Class": kind,
                "Type": family if kind == "os-pkgs" else "",
                "Vulnerabilities": listed,
            }
            for (kind, target), listed in results.items()
        ],
    }


def _date(row: dict[str, str] | None) -> dict[str, str]:
    return {"PublishedDate": row["published"]} if row and row["published"] else {}


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), Path(sys.argv[2])))
