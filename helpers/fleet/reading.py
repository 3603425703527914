"""Reads scans into a fleet's frames, on a cluster: only what is new since the last run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from helpers import paths
from helpers.errors import FleetInvalid, KitError
from helpers.fleet import batch as batches
from helpers.fleet import cluster as clusters
from helpers.fleet import scans, store, table_parts
from helpers.fleet.batch import Batch, Done
from helpers.fleet.cluster import Cluster
from helpers.fleet.scans import Listing, Scan
from helpers.fleet.store import Entry, Record, Store
from helpers.fleet.tasks import Tasks
from helpers.studies.study import NAME

BATCH_BYTES = 64_000_000
"""Bytes of JSON that a task reads, at most, unless one scan has more."""

BATCH_SCANS = 500

_LEAST_BYTES = 4_000_000
_SHARES = 8
"""Into how many batches a worker's share is cut, so that all end at about the same time."""

_GZIPPED = 16
"""How many times as large a gzipped report is: those of Trivy are 16 to 18 times."""


class Reading(NamedTuple):
    """What a run did.

    `new` images were read, `known` ones had been before, of `failed` ones the scan cannot be read.
    `problems` are told to who runs it.
    """

    store: Store
    new: int
    known: int
    failed: int
    problems: tuple[str, ...] = ()


def listing(what: str, name: str) -> Listing:
    """Return what there is to read, before a cluster starts, as `scans.listing` does.

    Raises `FleetInvalid` for an invalid name, too, and `KitError` without what fleets need.
    """
    clusters.require()
    if not NAME.fullmatch(name):
        raise FleetInvalid(f"fleet {name!r}: letters, digits, '.', '_' and '-', at most 64")
    if files := table_parts.files(what):
        return table_parts.listing(files)
    return scans.listing(what)


def read(what: str, name: str, cluster: Cluster, found: Listing | None = None) -> Reading:
    """Read the scans that are new into the frames of a fleet of that name, on a cluster.

    `what` is as `scans.listing` takes it; `found` is what `listing` returned for it. A scan that
    cannot be read is a failed image with its reason. Raises `FleetInvalid`, `StudyInvalid`,
    `ClusterFailed` and `NoSpace`; what was read until then is kept.
    """
    found = found or listing(what, name)
    folder = paths.fleet(name)
    parts = folder / store.PARTS
    with store.locked(folder):
        cluster.at_end(lambda: store.tidy(folder))
        known = store.records(parts)
        seen = {entry.seen: entry for record in known.values() for entry in record.entries}
        keys = {entry.key for entry in seen.values()}
        seen |= {entry.seen: entry for entry in store.places(parts) if entry.key in keys}
        current = [_known(scan, seen) for scan in found.scans]
        unread = [scan for scan, entry in zip(found.scans, current, strict=True) if entry is None]
        entries = [entry for entry in current if entry]
        problems = list(found.problems)
        if unread:
            cluster.check(parts)
            cut = list(_batches(unread, found, parts, _by_size(known), cluster.workers))
            for done in _read(cut, cluster, len(unread), problems):
                entries += done.entries
            known = store.records(parts)
        now = {entry.key for entry in entries}
        store.count(parts, entries, known)
    opened = store.open_store(name)
    return Reading(opened, len(now - keys), len(now & keys), opened.failed, tuple(problems))


def _known(scan: Scan, seen: Mapping[tuple[str, int, str, str], Entry]) -> Entry | None:
    """Return the entry of a scan that has not changed since it was read."""
    if scan.stamp == scans.ALWAYS:
        return None
    return seen.get((scan.place, scan.size, scan.stamp, scan.context))


def _by_size(known: Mapping[str, Record]) -> dict[int, dict[str, str]]:
    """Return what `Batch.known` has of images that have been read, by the bytes of their scans."""
    keys: dict[int, dict[str, str]] = {}
    for record in known.values():
        for entry in record.entries:
            by_file = batches.key_of(entry.digest, entry.context)
            keys.setdefault(entry.size, {}).update({entry.key: entry.key, by_file: entry.key})
    return keys


def _batches(
    unread: list[Scan],
    found: Listing,
    folder: Path,
    known: Mapping[int, Mapping[str, str]],
    workers: int,
) -> Iterator[Batch]:
    """Yield scans in batches, bounded by their bytes and number."""
    total = sum(map(_bytes, unread))
    limit = min(max(total // (workers * _SHARES), _LEAST_BYTES), BATCH_BYTES)
    taken: list[Scan] = []
    size = 0

    def batch() -> Batch:
        keys: dict[str, str] = {}
        for scan in taken:
            keys |= known.get(scan.size, {})
        return Batch(taken, folder, found.files, keys)

    for scan in unread:
        if taken and (size + _bytes(scan) > limit or len(taken) == BATCH_SCANS):
            yield batch()
            taken, size = [], 0
        taken.append(scan)
        size += _bytes(scan)
    if taken:
        yield batch()


def _bytes(scan: Scan) -> int:
    """Return the bytes of JSON in a scan, about."""
    return scan.size * (_GZIPPED if scan.place.endswith(".gz") else 1)


def _read(cut: list[Batch], cluster: Cluster, total: int, problems: list[str]) -> Iterator[Done]:
    """Yield what comes of batches, as they are done.

    A batch that fails, or that kills its workers, is cut in two until the scan that does is alone:
    that one is a failed image.
    """
    from distributed import KilledWorker

    tasks = Tasks(cluster, batches.read, _told)
    tasks.add(cut)
    workers = cluster.addresses()
    suspects: list[Batch] = []
    try:
        with tqdm(total=total, unit="scan", desc="reading", disable=None, leave=False) as bar:
            while True:
                for _, batch, done, error in tasks.ended():
                    if error is None:
                        bar.update(len(batch.scans))
                        yield done
                    elif isinstance(error, KitError):
                        raise error
                    elif len(batch.scans) > 1:
                        middle = len(batch.scans) // 2
                        halves = batch.scans[:middle], batch.scans[middle:]
                        tasks.add([batch._replace(scans=half) for half in halves])
                    elif batch.reason:
                        raise error
                    elif isinstance(error, KilledWorker) and not batch.alone:
                        # Dask blames also what only waited for a worker that was killed.
                        suspects.append(batch._replace(alone=True))
                    else:
                        tasks.add([_failed(batch, error, problems)])
                if not suspects:
                    break
                tasks.add([suspects.pop()])
    finally:
        tasks.cancel()
    if gone := workers - cluster.addresses():
        problems.append(f"{len(gone):,} workers ended in the middle; what they read was read again")


def _told(batch: Batch) -> str:
    """Return what a reader knows a batch by."""
    more = len(batch.scans) - 1
    return batch.scans[0].place + (f" (and {more:,} more scans)" if more else "")


def _failed(batch: Batch, error: BaseException, problems: list[str]) -> Batch:
    """Return the batch of a single scan that fails as one that makes a failed image of it."""
    from distributed import KilledWorker

    is_killed = isinstance(error, KilledWorker)
    reason = f"cannot be read ({type(error).__name__}: {error})"
    if is_killed:
        reason = "each worker that read it was killed, as for lack of memory"
    problems.append(f"{batch.scans[0].place}: {reason}")
    told = f"{reason}. Scan the image again, or leave it out"
    return batch._replace(reason=told, again=is_killed)
