"""How a fleet grows: seconds a report, memory of a worker, two workers against one, a second run.

The reports are made of the real ones of `KIT_SHARED`: each is a gzip file of two members, so that
its name, image id and digest are its own and the rest need not be compressed again. Questions are
asked of a published series of six weeks, made into so many reports.
"""

import gzip
import json
import os
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from tests.support import fleets, onishi
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


def asked(folder: Path, shared: Path) -> list[Measure]:
    """Return what totals, pairs and drift of 500, 5,000 and 31,000 reports of six weeks take."""
    anchor = shared / "anchors" / "onishi-weekly"
    if not anchor.is_dir():
        return [not_measured("questions of a fleet in time", "KIT_SHARED has no anchors/")]
    onishi.write(anchor, folder / "real")
    weeks = sorted((folder / "real").iterdir())
    names = [path.name for path in sorted(weeks[0].iterdir())]
    tails = {(week, name): _rest((week / name).read_bytes()) for week in weeks for name in names}
    found = {}
    for number in (500, 5_000, 31_000):
        place = folder / str(number)
        place.mkdir()
        labels = ["reference,app,base"]
        for image in range(number // len(weeks)):
            name = names[image % len(names)]
            labels.append(f"bench/{image}:1,app{image // 2},{'ab'[image % 2]}")
            for week in weeks:
                day = f"{week.name[:4]}-{week.name[4:6]}-{week.name[6:]}T00:00:00Z"
                head = (
                    f'{{"SchemaVersion":2,"ArtifactName":"bench/{image}:1","CreatedAt":"{day}",'
                ).encode()
                path = place / f"{week.name}-{image}.json.gz"
                path.write_bytes(gzip.compress(head, 1, mtime=0) + tails[week, name])
        (folder / f"{number}.csv").write_text("\n".join(labels) + "\n")
        command = [sys.executable, "-c", _ASK, str(place), str(folder / f"{number}.csv")]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[number] = json.loads(told.splitlines()[-1])
    measures = []
    for what in ("read", "totals", "pairs", "drift"):
        few, many = found[5_000][what] / 5_000, found[31_000][what] / 31_000
        name = f"seconds a report of {what}, 31,000 reports / 5,000 reports"
        measures.append(Measure(name, many / few, "<= 1.3", many / few <= 1.3))
        measures.append(Measure(f"seconds of {what}, 31,000", found[31_000][what], "", True))
    peak = max(one["memory"] for one in found.values()) / MB / 1000
    return [*measures, Measure("GB of memory of a process", peak, "< 2", peak < 2)]


_ASK = """
import json, os, sys, time

def peak(pid):
    text = open(f"/proc/{pid}/status").read()
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024

if __name__ == "__main__":
    from helpers import Fleet
    from helpers.fleet import fleet as module

    marks = [time.monotonic()]
    f = Fleet(sys.argv[1], "asked" + os.path.basename(sys.argv[1]), labels=sys.argv[2])
    marks.append(time.monotonic())
    for ask in (f.severity, f.pairs, f.drift):
        assert len(ask().table)
        marks.append(time.monotonic())
    workers = module._opened("").client.run(os.getpid).values()
    took = [end - begin for begin, end in zip(marks, marks[1:])]
    found = dict(zip(("read", "totals", "pairs", "drift"), took))
    print(json.dumps(found | {"memory": max(map(peak, [os.getpid(), *workers]))}))
"""


def _growth(many: str, figure: float) -> Measure:
    what = f"seconds a report, {many} reports / 1,000 reports"
    return Measure(what, figure, "<= 1.3", figure <= 1.3)
