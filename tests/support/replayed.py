"""Package lists of official images at each of their changes, as a study of captures.

Real Trivy scans the SBOM of each list; a capture keeps what advisories of its day or before name,
as a database of that day would.
"""

import gzip
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from helpers import paths
from helpers.studies.study import Captured, Database, Facts
from tests.support.studies import HEAD

NAME = "replayed"


class Replay(NamedTuple):
    """What was replayed: packages of each tag at each day, and their system.

    `advisories` are those of each release and source package, each an id, the version that fixes
    it, and the day from which on it is known.
    """

    lists: dict[str, dict[str, dict[str, Any]]]
    systems: dict[tuple[str, str], str]
    advisories: dict[tuple[str, str], list[tuple[str, str, str]]]


def make(fleet: Path, data: Path, work: Path, history: str, tags: tuple[str, ...]) -> Replay:
    """Make the study of some tags, a capture each day on which one of them changed."""
    sboms = _module(fleet / "sboms.py")
    states = {tag: [*_states(sboms, history, tag)] for tag in tags}
    days = sorted({day for found in states.values() for day, _, _ in found})
    dates = {row["advisory"]: row["date"] for row in sboms.table("vulndb/advisory-dates.tsv.gz")}
    (work / "db").mkdir(parents=True)
    for path in (fleet / "vulndb" / "db").iterdir():
        shutil.copyfile(path, work / "db" / path.name)
    folder = data / "studies" / NAME
    folder.mkdir(parents=True)
    names = {tag: tag.replace(":", "-") for tag in tags}
    variants = [f'[[variants]]\nname = "{name}"\nsbom = "{name}"\n' for name in names.values()]
    (folder / "study.toml").write_text(HEAD + "".join(variants))
    lists: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in names.values()}
    systems = {}
    reports: dict[str, dict[str, Any]] = {}
    for day in days:
        captured = {}
        for tag, name in names.items():
            current = [found for found in states[tag] if found[0] <= day][-1:]
            if not current or not current[0][1]["id"]:
                continue
            _, state, packages = current[0]
            lists[name][day], systems[name, day] = packages, state["os_version"].split(".")[0]
            if state["id"] not in reports:
                reports[state["id"]] = _scanned(sboms, work, tag, state, packages)
            (folder / day / name).mkdir(parents=True)
            text = json.dumps(_known_by(reports[state["id"]], dates, day)).encode()
            (folder / day / name / paths.REPORT).write_bytes(gzip.compress(text, 1))
            captured[name] = Captured("scanned", name, name, state["id"])
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
        database = Database(2, at, day.encode().hex().zfill(64), "", "")
        facts = Facts(NAME, day, at, "0.1.0", "trivy", "0.76.0", database, captured)
        (folder / day / "capture.json").write_bytes(msgspec.json.encode(facts))
    return Replay(lists, systems, _advisories(sboms, dates))


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sboms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _states(sboms: ModuleType, history: str, tag: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the last state of each day of a tag."""
    by_day: dict[str, tuple[str, Any, Any]] = {}
    for state, packages in sboms.states(history):
        if f"{state['image']}:{state['tag']}" == tag:
            day = state["date"][:10]
            by_day[day] = (day, state, packages)
    yield from (by_day[day] for day in sorted(by_day))


def _scanned(sboms: ModuleType, work: Path, tag: str, state: Any, packages: Any) -> dict[str, Any]:
    system = state["os"], state["os_version"]
    document = sboms.bom(tag, packages.values(), *system, state["created"], state["id"])
    path = sboms.save(work, f"{tag}-{state['id']}", document)
    command = ["trivy", "sbom", "--quiet", "--cache-dir", str(work), "--cache-backend", "memory"]
    command += ["--format", "json", "--list-all-pkgs", "--skip-db-update", "--offline-scan"]
    command += ["--skip-version-check", path]
    done = subprocess.run(command, capture_output=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _known_by(report: dict[str, Any], dates: dict[str, str], day: str) -> dict[str, Any]:
    results = []
    for result in report.get("Results", []):
        found = [
            finding
            for finding in result.get("Vulnerabilities", [])
            if any(dates.get(name, "9999") <= day for name in finding.get("VendorIDs", []))
        ]
        results.append(result | {"Vulnerabilities": found})
    return report | {"Results": results, "CreatedAt": f"{day}T00:00:00Z"}


def _advisories(
    sboms: ModuleType, dates: dict[str, str]
) -> dict[tuple[str, str], list[tuple[str, str, str]]]:
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in sboms.table("vulndb/facts.tsv.gz"):
        if row["kind"] == "advisory" and row["ecosystem"].startswith("debian "):
            key = row["ecosystem"].removeprefix("debian "), row["package"], row["id"]
            rows.setdefault(key, {})[row["field"]] = row["value"]
    found: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for (release, package, name), fields in rows.items():
        days = [dates.get(one, "9999") for one in fields.get("vendor_ids", "").split()]
        if "fixed_version" in fields and days:
            entry = name, fields["fixed_version"], min(days)
            found.setdefault((release, package), []).append(entry)
    return found
