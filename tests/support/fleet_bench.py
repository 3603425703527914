"""How a fleet grows: seconds a report, memory of a worker, two workers against one, a second run.

The reports are made of the real ones of `KIT_SHARED`: each is a gzip file of two members, so that
its name, image id and digest are its own and the rest need not be compressed again.
"""

import contextlib
import gzip
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
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


@contextlib.contextmanager
def _watched(pids: list[int]) -> Iterator[dict[int, int]]:
    """Keep the most memory that each of some processes ever had."""
    peaks: dict[int, int] = {}
    stop = threading.Event()

    def look() -> None:
        for pid in pids:
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/status").read_text()
                peaks[pid] = int(text.partition("VmHWM:")[2].split()[0]) * 1024

    def watch() -> None:
        while not stop.wait(0.5):
            look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        look()
        stop.set()
        thread.join()


def run(scans: Path, name: str, workers: int) -> Run:
    """Read scans twice with so many workers."""
    from helpers.fleet import cluster, reading

    with cluster.open(workers=workers) as opened:
        opened.check(scans)
        with _watched(list(opened.client.run(os.getpid).values())) as peaks:
            first = reading.read(str(scans), name, opened)
            second = reading.read(str(scans), name, opened)
    if (first.failed, second.new, second.known) != (0, 0, first.new):
        raise AssertionError(f"{first.new} new, {first.failed} failed; then {second.new} new")
    return Run(first.seconds, second.seconds, max(peaks.values()))


def scale(folder: Path, shared: Path, many: int = 100_000) -> list[Measure]:
    """Return how 1,000, 10,000 and so many reports are read."""
    what = "a fleet of real reports"
    if not (shared / "fleet" / "reports.tar.gz").is_file():
        return [not_measured(what, "KIT_SHARED names no folder with fleet/")]
    os.environ["KIT_DATA"] = str(folder / "data")
    real = fleets.unpacked(shared, folder / "real")
    few = made(real, folder / "1000", 1_000)
    each: dict[int, list[float]] = {1_000: [], 10_000: []}
    alone, again, memory = [], [], 0
    middle = made(real, folder / "10000", 10_000)
    for turn in range(3):
        for number, scans in ((1_000, few), (10_000, middle)):
            done = run(scans, f"n{number}-{turn}", 2)
            each[number].append(done.first / number)
            again.append(done.second / done.first)
            memory = max(memory, done.memory)
        alone.append(run(few, f"alone-{turn}", 1).first / 1_000)
    measures = []
    if many:
        scans = made(real, folder / "many", many)
        done = run(scans, "many", 2)
        before = run(few, "n1000-last", 2).first / 1_000
        figure = done.first / many / min(before, *each[1_000])
        what = f"seconds a report, {many:,} reports / 1,000 reports"
        measures.append(Measure(what, figure, "<= 1.3", figure <= 1.3))
        measures.append(Measure(f"seconds of {many:,} reports", done.first, "", True))
        again.append(done.second / done.first)
        memory = max(memory, done.memory)
    figure = min(each[10_000]) / min(each[1_000])
    return [
        Measure(
            "seconds a report, 10,000 reports / 1,000 reports", figure, "<= 1.3", figure <= 1.3
        ),
        *measures,
        ratio("one worker / two workers, 1,000 reports", min(alone) / min(each[1_000]), 1.6),
        Measure("second run / first run, the worst", max(again), "< 0.1", max(again) < 0.1),
        Measure("GB of memory of a worker", memory / MB / 1000, "< 1.5", memory < 1500 * MB),
    ]


if __name__ == "__main__":
    shared = Path(os.environ.get("KIT_SHARED") or Path(__file__).parents[3] / "shared")
    with tempfile.TemporaryDirectory() as scratch:
        for measure in scale(Path(scratch), shared, int(sys.argv[1])):
            print(f"{measure.figure:8.3f}  {measure.target:>6}  {measure.met}  {measure.what}")
