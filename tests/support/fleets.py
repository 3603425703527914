"""Fleets of reports for tests: the frames of some parts, and reductions of them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from helpers import frames
from helpers.fleet.partition import Partition, Reduction
from helpers.studies.load import load_reports


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
