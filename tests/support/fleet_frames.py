"""Fleets of reports for tests: the frames of some parts, and reductions of them."""

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import frames
from helpers.fleet.partition import Partition, Reduction
from helpers.studies.load import load_reports
from tests.support.live import unless_live

EMPTY = Partition(*(frames.make(name, {}) for name in Partition._fields))


@cache
def real(shared: Path) -> tuple[list[Partition], list[dict[str, Any]]]:
    """The real fleet of 297 images, in three parts, and its reports as JSON."""
    archive = shared / "fleet" / "reports.tar.gz"
    if not archive.exists():
        unless_live("there is no fleet/reports.tar.gz in the shared folder")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        files = sorted(Path(folder).rglob("*.json"))
        return parts(files), [json.loads(path.read_text()) for path in files]


def parts(files: Sequence[Path], count: int = 3) -> list[Partition]:
    """Frames of reports, in some parts."""
    return [_part(sorted(files)[start::count]) for start in range(count)]


def _part(files: Sequence[Path]) -> Partition:
    loaded = load_reports(files)
    rows: dict[str, list[object]] = {column: [] for column in frames.columns("fleet")}
    for variant in loaded.images["variant"]:
        (path,) = [file for file in files if file.name.startswith(variant)][:1]
        report = json.loads(path.read_text())
        packages = sorted(
            {
                (found["PkgName"], found["InstalledVersion"])
                for result in report.get("Results", [])
                for found in result.get("Vulnerabilities", [])
            }
        )
        digest = hashlib.sha256(repr(packages).encode()).hexdigest()
        tags = report["Metadata"].get("RepoTags") or [path.stem]
        row = {
            "variant": variant,
            "capture": "",
            "name": tags[0],
            "references": " ".join(tags[1:]) or None,
            "file": path.name,
            "digest": hashlib.sha256(path.read_bytes()).hexdigest(),
            "package_list": digest,
            "packages_known": False,
            "diff_ids": None,
        }
        for column, values in rows.items():
            values.append(row.get(column))
    fleet = frames.make("fleet", rows)
    return Partition(fleet, loaded.images, loaded.findings, loaded.packages)


def reduced(parts: Sequence[Partition], reduction: Reduction) -> pd.DataFrame:
    """What an engine returns: each part gives what is kept, of the columns that are asked for."""
    found = []
    for part in parts:
        views = {
            name: frame[list(reduction.columns[name])] if name in reduction.columns else frame[:0]
            for name, frame in part._asdict().items()
        }
        found.append(reduction.of(Partition(**views)))
    return pd.concat(found, ignore_index=True)


def images(*rows: dict[str, object]) -> pd.DataFrame:
    """What `tally.images` returns of images; what is not given is usual, or not known."""
    usual = {
        "capture": "",
        "os_family": "debian",
        "os_version": "12.1",
        "architecture": "amd64",
        "scanner": "trivy",
        "scanner_version": "0.76.0",
        "scanned_at": "2026-11-25",
        "db_updated_at": "2026-11-24",
        "created_at": "2026-01-01",
        "status": "scanned",
        "count": 0,
        "packages_known": False,
    }
    table = [
        {**usual, "variant": f"{row['name']}@{place}", **row} for place, row in enumerate(rows)
    ]
    about = {c.name: c.dtype for f in ("images", "fleet") for c in frames.dictionary()[f]}
    counts = dict.fromkeys(("count", "fixable", "found"), "Int64")
    columns = {}
    for column in _COLUMNS:
        values = [row.get(column) for row in table]
        if column in ("fixable", "found"):
            values = [row.get(column, row["count"]) for row in table]
        columns[column] = pd.Series(values, dtype=(about | counts)[column])
    counted = columns["count"]
    levels = {name: counted.mask(counted.notna(), 0) for name in frames.SEVERITIES[:-1]}
    return pd.DataFrame({**columns, **levels, frames.SEVERITIES[-1]: counted})


_COLUMNS = [
    *("capture", "variant", "os_family", "os_version", "architecture", "packages", "created_at"),
    *(
        "image_id",
        "scanner",
        "scanner_version",
        "db_updated_at",
        "db_sha256",
        "scanned_at",
        "status",
    ),
    *("reason", "count", "fixable", "found", "name", "references", "package_list"),
    *("packages_known", "diff_ids", "file", "digest"),
]
