"""How a fleet grows: seconds a report, memory of a worker, two workers against one, a second run.

The reports are made of the real ones of `KIT_SHARED`: each is a gzip file of two members, so that
its name, image id and digest are its own and the rest need not be compressed again.
"""

import gzip
import json
import os
import time
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from tests.support import fleets
from tests.support.bench import MB, Measure, not_measured, ratio


class Run(NamedTuple):
    """The seconds of a first and a second run, and the most memory that a worker had, in bytes."""

    first: float
    second: float
    memory: int


def made(real: Path, folder: Path, number: int) -> Path:
    """Write so many reports, each of an image of its own."""
    folder.mkdir(parents=True)
    rest = [_rest(path.read_bytes()) for path in sorted(real.rglob("*.json"))]
    for one, tail in enumerate(islice(cycle(rest), number)):
        head = f'{{"SchemaVersion":2,"ArtifactName":"bench/app:{one}",'.encode()
        place = folder / f"{one // 1000:03}"
        place.mkdir(exist_ok=True)
        (place / f"{one:06}.json.gz").write_bytes(gzip.compress(head, 1, mtime=0) + tail)
    return folder


def _rest(text: bytes) -> bytes:
    """Return a report without what each copy has of its own, compressed."""
    report = json.loads(text)
    for name in ("SchemaVersion", "ArtifactName"):
        del report[name]
    return gzip.compress(json.dumps(report).encode()[1:], 6, mtime=0)


def _peak(pid: int) -> int:
    """Return the most memory that a process ever had."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024


def run(scans: Path, name: str, workers: int) -> Run:
    """Read scans twice with so many workers."""
    from helpers.fleet import cluster, reading

    with cluster.open(workers=workers) as opened:
        opened.check(scans)
        begin = time.monotonic()
        first = reading.read(str(scans), name, opened)
        middle = time.monotonic()
        second = reading.read(str(scans), name, opened)
        end = time.monotonic()
        memory = max(map(_peak, opened.client.run(os.getpid).values()))
    if (first.failed, second.new, second.known) != (0, 0, first.new):
        raise AssertionError(f"{first.new} new, {first.failed} failed; then {second.new} new")
    return Run(middle - begin, end - middle, memory)


def scale(folder: Path, shared: Path) -> list[Measure]:
    """Return how 1,000, 10,000 and 100,000 reports are read."""
    if not (shared / "fleet" / "reports.tar.gz").is_file():
        return [not_measured("a fleet of real reports", "KIT_SHARED names no folder with fleet/")]
    real = fleets.unpacked(shared, folder / "real")
    few, middle, many = (made(real, folder / str(n), n) for n in (1_000, 10_000, 100_000))
    each: dict[int, list[float]] = {1_000: [], 10_000: []}
    alone, runs = [], []
    for turn in range(3):
        for number, scans in ((1_000, few), (10_000, middle)):
            runs.append(run(scans, f"n{number}-{turn}", 2))
            each[number].append(runs[-1].first / number)
        alone.append(run(few, f"alone-{turn}", 1).first / 1_000)
    largest = run(many, "many", 2)
    runs.append(largest)
    of_few = min(each[1_000])
    memory, again = max(one.memory for one in runs), max(one.second / one.first for one in runs)
    return [
        _growth("10,000", min(each[10_000]) / of_few),
        _growth("100,000", largest.first / 100_000 / of_few),
        Measure("seconds of 100,000 reports", largest.first, "", True),
        ratio("one worker / two workers, 1,000 reports", min(alone) / of_few, 1.6),
        Measure("second run / first run, the worst", again, "< 0.1", again < 0.1),
        Measure("GB of memory of a worker", memory / MB / 1000, "< 1.5", memory < 1500 * MB),
    ]


def _growth(many: str, figure: float) -> Measure:
    what = f"seconds a report, {many} reports / 1,000 reports"
    return Measure(what, figure, "<= 1.3", figure <= 1.3)
