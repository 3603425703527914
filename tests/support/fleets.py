"""Fleets for tests: scans, the plain loop over their JSON, and runs in processes of their own."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pandas as pd
import psutil

from helpers import frames, paths
from helpers.fleet import batch
from helpers.fleet.partition import Partition, Reduction
from helpers.fleet.reading import listing
from helpers.fleet.store import Counted, Part, Store, frame, reduced
from helpers.frames import SEVERITIES
from helpers.studies import fleet_record
from helpers.studies.fleet_record import FleetFacts, FleetImage
from helpers.studies.study import Database
from helpers.vulnerabilities import counting, fixes
from helpers.vulnerabilities.lenses import PLAIN
from tests.support.faulty_registry import Quiet, running

_GRYPE = {"": "UNKNOWN", "Negligible": "LOW"}


class Plain(NamedTuple):
    """What a plain loop counts: images, failed ones, findings and packages by image, levels."""

    images: int
    failed: int
    findings: dict[str, int]
    levels: Counter[str]
    packages: int


class Here(NamedTuple):
    """Reduces the parts of a fleet one after the other, in this process."""

    store: Store

    def reduced(self, reduction: Reduction) -> pd.DataFrame:
        """Return what is kept of all parts, in their order."""
        parts = self.store.parts or [None]
        return pd.concat([reduced(part, reduction) for part in parts], ignore_index=True)

    def frame(self, name: str) -> pd.DataFrame:
        """Return a whole frame: `fleet`, `images`, `findings` or `packages`."""
        parts = self.store.parts or [None]
        read = [frame(part, name, frames.columns(name)) for part in parts]
        return pd.concat(read, ignore_index=True)


def plain(files: Iterable[Path]) -> Plain:
    """Count what is in files of JSON, each content once, with nothing but `json`."""
    texts: dict[str, bytes] = {}
    for path in sorted(files):
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        texts.setdefault(hashlib.sha256(raw).hexdigest(), raw)
    failed, packages = 0, 0
    findings: dict[str, int] = {}
    levels: Counter[str] = Counter()
    for digest, raw in texts.items():
        found = _levels(raw)
        if found is None:
            failed += 1
            continue
        findings[f"sha256:{digest}"] = len(found[0])
        levels.update(found[0])
        packages += found[1]
    return Plain(len(texts), failed, findings, levels, packages)


def _levels(text: bytes) -> tuple[list[str], int] | None:
    """Return the severity of each finding and the number of packages; `None`: not a report."""
    try:
        report = json.loads(text)
    except ValueError:
        return None
    if isinstance(report, dict) and {"matches", "descriptor"} <= set(report):
        rated = [match["vulnerability"].get("severity") or "" for match in report["matches"]]
        return [_GRYPE.get(level, level.upper()) for level in rated], 0
    if isinstance(report, dict) and {"bomFormat", "spdxVersion"} & set(report):
        return [], len(report.get("components") or report.get("packages") or [])
    if isinstance(report, dict):
        if report.get("SchemaVersion") != 2 or "ClusterName" in report:
            return None
        report = report.get("Results")
    results = report or []
    rated = [v.get("Severity") for r in results for v in r.get("Vulnerabilities") or []]
    packages = sum(len(result.get("Packages") or []) for result in results)
    return [level or "UNKNOWN" for level in rated], packages


def counted(engine: Any) -> Plain:
    """Count the same in a fleet."""
    columns = {
        "fleet": ["variant", "digest"],
        "images": ["variant", "status"],
        "findings": ["variant", "severity", "suppressed"],
        "packages": ["variant"],
    }
    kept = engine.reduced(Reduction(_counted, columns))
    assert not kept["variant"].duplicated().any()
    ok = kept[kept["status"].ne("failed")]
    levels = ok[[*SEVERITIES]].sum()
    return Plain(
        len(kept),
        len(kept) - len(ok),
        dict(zip(ok["digest"], ok[[*SEVERITIES]].sum(axis=1), strict=True)),
        Counter({level: int(count) for level, count in levels.items() if count}),
        int(kept["packages"].sum()),
    )


def _counted(part: Partition) -> pd.DataFrame:
    """Return a row an image: what a plain loop counts of it."""
    assert set(part.images["variant"]) == set(part.fleet["variant"])
    found = part.findings[~part.findings["suppressed"]]
    levels = found.groupby(["variant", "severity"], observed=False).size().unstack(fill_value=0)
    packages = part.packages["variant"].value_counts().rename("packages")
    images = part.fleet.merge(part.images, on="variant").set_index("variant")
    levels = levels.reindex(index=images.index, columns=[*SEVERITIES], fill_value=0)
    levels.columns = [*SEVERITIES]
    both = images.join(levels).join(packages)
    return both.fillna({"packages": 0}).reset_index()


def unpacked(shared: Path, folder: Path) -> Path:
    """Unpack the reports of 297 real images; return their folder."""
    with tarfile.open(shared / "fleet" / "reports.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def reports(folder: Path, number: int, findings: int = 20) -> Path:
    """Write so many reports, each of its own image."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in range(number):
        rows = [
            {
                "VulnerabilityID": f"CVE-2024-{row:04d}",
                "PkgName": f"lib{row}",
                "InstalledVersion": "1",
                "Severity": ("LOW", "HIGH", "CRITICAL")[(one + row) % 3],
            }
            for row in range(findings)
        ]
        result = {"Class": "os-pkgs", "Type": "debian", "Vulnerabilities": rows}
        report = {
            "SchemaVersion": 2,
            "ArtifactName": f"app:{one}",
            "Metadata": {"OS": {"Family": "debian", "Name": "12"}, "RepoTags": [f"shop/app:{one}"]},
            "Results": [{**result, "Target": f"app:{one}"}],
        }
        (folder / f"app-{one:05d}.json").write_text(json.dumps(report))
    return folder


def captured(folder: Path) -> Path:
    """Write a captured fleet: two scans of three images, one that failed, one without its scan."""
    folder.mkdir()
    scans = [f"scans/state/{path.name}.gz" for path in sorted(reports(folder / "raw", 2).iterdir())]
    (folder / "scans" / "state").mkdir(parents=True)
    for scan, path in zip(scans, sorted((folder / "raw").iterdir()), strict=True):
        (folder / scan).write_bytes(gzip.compress(path.read_bytes()))
    shutil.rmtree(folder / "raw")
    day = datetime(2026, 11, 24, tzinfo=UTC)
    facts = FleetFacts(
        "x", day, "1", "trivy", "0.76.0", Database(updated_at=day, sha256="00"), True
    )
    (folder / paths.FLEET_FACTS).write_bytes(msgspec.json.encode(facts))
    shown = [("one:1", scans[0]), ("two:1", scans[0]), ("three:1", scans[1]), ("gone:1", "scans/x")]
    images = [
        FleetImage(name, [name, f"{name}.0"], f"sha256:{at}", scan=scan, scanned_at=day)
        for at, (name, scan) in enumerate(shown)
    ]
    images.append(FleetImage("lost:1", ["lost:1"], "", fleet_record.FAILED, "no such image"))
    lines = b"".join(msgspec.json.encode(image) + b"\n" for image in images)
    (folder / paths.FLEET_IMAGES).write_bytes(lines)
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP; yields its address."""

    class Handler(Quiet, SimpleHTTPRequestHandler):
        pass

    with running(partial(Handler, directory=str(folder))) as host:
        yield f"http://{host}/"


def read_here(scans: Path, folder: Path) -> Here:
    """Read scans in this process, without a cluster; return them as one part."""
    folder.mkdir(parents=True)
    done = batch.read(batch.Batch(listing(str(scans), "f").scans, folder))
    parts = tuple(Part(folder / name, Counted(None, {})) for name in done.parts)
    return Here(Store(folder, parts))


def parts(store_folder: Path) -> list[Path]:
    """Return the parts that are whole."""
    return [path.parent for path in (store_folder / "parts").glob("[!.]*/read.jsonl")]


@contextmanager
def when(condition: Callable[[], bool], *actions: Callable[[], object]) -> Iterator[list[bool]]:
    """Do something in another thread as soon as something is so; yields whether it was done."""
    done: list[bool] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            if condition():
                for action in actions:
                    action()
                done.append(True)
                return
            time.sleep(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def start(scans: object, name: str, **environment: str) -> subprocess.Popen[str]:
    """Start a run that reads scans in a process and group of its own."""
    command = [sys.executable, "-m", "tests.support.fleets", str(scans), name]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def descendants(pid: int) -> list[psutil.Process]:
    """Return the processes that a process has started."""
    return psutil.Process(pid).children(recursive=True)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def severities(part: Partition) -> pd.DataFrame:
    return counting.severity_counts(part.findings, part.images, PLAIN)


def by_lens(part: Partition) -> pd.DataFrame:
    return counting.totals_by_lens(part.findings, part.images)


def places(part: Partition) -> pd.DataFrame:
    return fixes.by_place(part.findings, part.images, PLAIN)


def fixed(part: Partition) -> pd.DataFrame:
    return fixes.split(part.findings, part.images, PLAIN)


def reduction(of: Callable[[Partition], pd.DataFrame]) -> Reduction:
    """Return a reduction that needs whatever the kit's own counting may want."""
    return Reduction(of, {name: frames.columns(name) for name in ("images", "findings")})


def store_counts(store: Store) -> Plain:
    return counted(Here(store))


def main() -> None:
    """Read scans with a local cluster, as a run does."""
    from helpers.fleet import cluster, reading

    with cluster.open(workers=2) as opened:
        done = reading.read(sys.argv[1], sys.argv[2], opened)
    print(done.new, done.known, done.failed)


if __name__ == "__main__":
    main()
