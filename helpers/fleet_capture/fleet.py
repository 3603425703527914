"""Captures many images: each once by its digest, and each distinct package list scanned once.

One Trivy process a scan, as many at once as there are cores. `trivy server` is not used: over 609
SBOMs it was no faster than a process each (0.121 and 0.160 s a scan against 0.143 and 0.110 on the
same machine), and equal lists at one moment can make it fail.
"""

import contextlib
import os
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from msgspec import structs

from helpers import __version__, paths, processes, progress
from helpers.errors import KitError, NoSpace, disk_error
from helpers.fleet_capture import catalog, fleet_folder, fleet_image, fleet_list
from helpers.fleet_capture.fleet_folder import FleetFolder
from helpers.fleet_capture.fleet_image import Resolved, Scanner
from helpers.fleet_capture.fleet_list import Entry
from helpers.images import oci
from helpers.images.oci import Platform
from helpers.registry.image_cache import ImageCache
from helpers.registry.repository import Repository
from helpers.registry.traffic import AT_ONCE, Traffic
from helpers.scanning import trivy_program
from helpers.scanning.vulndb import VulnDb
from helpers.studies.fleet_record import FAILED, FleetFacts, FleetImage
from helpers.text.i18n import t

_BATCH = 50
"""References of a repository that are resolved one after the other, with one login."""

_HOSTS = 4
"""Registries that are asked at the same time."""

_ATTEMPTS = 3
"""Images with one package list that are tried if the first cannot be scanned."""

_LONGEST_WAIT = 120.0
"""Most seconds that a busy registry is waited for each time that it asks for it."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Outcome(NamedTuple):
    """What a capture of a fleet did.

    `references` lead to `images` with distinct digests, which have `lists` distinct package lists.
    Of their scans `made` were made now and `kept` were there; the other `images` share these, but
    for those that `failed`, which also has references that led to none. If `is_kept_back`, one of
    these has a scan in the folder by another scanner or database, and the folder is as before.
    """

    folder: Path
    references: int
    images: int
    lists: int
    made: int
    kept: int
    failed: list[FleetImage]
    is_kept_back: bool

    @property
    def shared(self) -> int:
        """Return the number of images whose scan is another's."""
        scanned = self.images - sum(bool(image.digest) for image in self.failed)
        return scanned - self.made - self.kept


def capture(
    source: str,
    name: str = "",
    db: Path | None = None,
    db_repository: str = "",
    java_db_repository: str = "",
    coverage: str = "",
    platforms: Sequence[Platform] = (),
    jobs: int = 0,
    requests: int = AT_ONCE,
) -> Outcome:
    """Capture the images that a source names (`fleet_list.entries`, `catalog.entries`).

    The fleet is named after its source unless `name` says otherwise. The database is that of
    `session.capture`. References are resolved for this machine's platform, or for each of the
    `platforms`. `jobs` scans run at once (0: one a core), and at most `requests` to each registry.

    What the folder has of the same scanner and database is not scanned again. With another one all
    is, and the folder changes once that is whole. An image that fails is recorded with its reason;
    if it was scanned before, its scan stays. Raises `StudyInvalid` for a source without images, or
    while another capture of the fleet runs, `ScanFailed` without a scanner or database, `NoSpace`.
    """
    started = datetime.now(UTC).replace(microsecond=0)
    folder = FleetFolder(name or fleet_list.name_of(source))
    traffic = Traffic(requests, _LONGEST_WAIT)
    entries = list(fleet_list.entries(source, lambda at: catalog.entries(at, traffic)))
    repositories = (db_repository, java_db_repository)
    program = trivy_program.find()
    vulndb = VulnDb(db or paths.trivy_cache(*repositories), db is not None, *repositories)
    with progress.bar(t("the vulnerability database"), 1):
        vulndb.refresh(program)
    facts = FleetFacts(
        folder.path.name,
        started,
        __version__,
        "trivy",
        program.version,
        vulndb.describe(coverage),
    )
    jobs = jobs or os.cpu_count() or 1
    scanner = Scanner(program, vulndb, ImageCache(paths.images_cache()), traffic, jobs)
    try:
        with folder.locked():
            return _Capture(folder, facts, scanner, jobs, requests).run(entries, platforms)
    except OSError as error:
        raise disk_error(error, folder.path) from error
    finally:
        vulndb.release()


class _Capture:
    """One run."""

    def __init__(
        self, folder: FleetFolder, facts: FleetFacts, scanner: Scanner, jobs: int, requests: int
    ) -> None:
        self.folder, self.facts, self.scanner = folder, facts, scanner
        self.jobs, self.requests = jobs, requests
        self.reasons: dict[str, str] = {}

    def run(self, entries: Sequence[Entry], platforms: Sequence[Platform]) -> Outcome:
        """Find the images, scan them and record them."""
        earlier = self.folder.images()
        images = _once(self.resolved(entries, platforms))
        self.folder.begin(self.facts)
        by_list = defaultdict[str, list[Resolved]](list)
        for each in images:
            by_list[each.image.package_list].append(each)
        state = _state(self.facts)
        kept = {each for each in by_list if self.folder.scanned_at(self.folder.scan(state, each))}
        self.scan({each: by_list[each] for each in by_list if each not in kept}, state)
        # The first image with Java archives brings the Java DB, which no scan before it needed.
        db = structs.replace(self.facts.db, java_updated_at=self.scanner.db.java_updated_at())
        facts = structs.replace(self.facts, db=db, finished=True)
        if (ended := _state(facts)) != state:
            self.folder.share(state, ended)
        lines = self.lines(images, entries, ended)
        whole = [self.at(ended, image) for image in earlier if image.scan]
        left, lost = _left(whole, lines, self.folder.scan(ended, ""))
        made = len({line.scan for line in lines if line.scan}) - len(kept)
        outcome = Outcome(
            self.folder.path,
            len(entries),
            len(images),
            len(by_list),
            made,
            len(kept),
            [line for line in lines if line.status == FAILED],
            lost,
        )
        if not lost:
            self.folder.finish(facts, [*lines, *left])
        return outcome

    def at(self, state: str, image: FleetImage) -> FleetImage:
        """Return an earlier image with the scan that its list has now, if there is one."""
        scan = self.folder.scan(state, image.package_list)
        is_there = self.folder.scanned_at(scan) is not None
        return structs.replace(image, scan=scan) if is_there else image

    def resolved(
        self, entries: Sequence[Entry], platforms: Sequence[Platform]
    ) -> Iterator[Resolved]:
        """Yield the image of each entry and platform, in the order of entries."""
        self.reasons |= {entry.shown: entry.problem for entry in entries if entry.problem}
        tasks = _batches((at, each) for at, each in enumerate(entries) if each.kind)
        hosts = len({host for host, _ in tasks})
        workers = max(self.jobs, self.requests * min(hosts, _HOSTS))
        found: list[tuple[int, Resolved]] = []
        batch = partial(self.batch, platforms or [oci.ANY])
        with progress.bar(t("images found"), len(entries)) as bar:
            for read, images in _done(batch, [task for _, task in tasks], workers):
                found += images
                bar.update(read)
        yield from (image for _, image in sorted(found, key=lambda each: each[0]))

    def batch(
        self, platforms: Sequence[Platform], task: Sequence[tuple[int, Entry]]
    ) -> tuple[int, list[tuple[int, Resolved]]]:
        """Return how many entries were read, and their images by their numbers.

        Failures are kept with a reason.
        """
        found: list[tuple[int, Resolved]] = []
        repository: Repository | None = None
        for at, entry in task:
            for wanted in platforms[:1] if entry.kind == "sbom" else platforms:
                with self.failing(entry.shown):
                    if entry.kind == "image":
                        reference = fleet_image.reference_of(entry)
                        repository = repository or Repository(
                            reference, cache=self.scanner.cache, traffic=self.scanner.traffic
                        )
                        image = fleet_image.in_registry(repository, reference, wanted)
                        image.image.image, image.image.references = entry.shown, [entry.shown]
                    else:
                        image = fleet_image.of_file(entry, wanted)
                    found.append((at, image))
        return len(task), found

    def scan(self, by_list: Mapping[str, list[Resolved]], state: str) -> None:
        """Scan each package list that has no scan."""

        def one(item: tuple[str, list[Resolved]]) -> None:
            package_list, images = item
            # All of them have the list, so another may do where one fails.
            for attempt in images[:_ATTEMPTS]:
                scanned = self.scanner.scanned(attempt, self.folder.scratch)
                with self.failing(package_list), scanned as report:
                    self.folder.keep(report, self.folder.scan(state, package_list))
                    return

        # While some are scanned, others are read from their registries.
        with progress.bar(t("package lists scanned"), len(by_list)) as bar:
            for _ in _done(one, by_list.items(), 2 * self.jobs):
                bar.update()

    @contextmanager
    def failing(self, what: str) -> Iterator[None]:
        """Keep why an entry or a package list fails; a full disk stops the run."""
        try:
            yield
        except Exception as error:
            known = disk_error(error, self.folder.path) if isinstance(error, OSError) else error
            if isinstance(known, NoSpace) or getattr(known, "reason", "") == "no-space":
                raise NoSpace(str(known)) from error
            if isinstance(known, KitError):
                self.reasons[what] = str(known)
                return
            # An unexpected error must not stop the other images.
            traceback.print_exc()
            told = f"{type(error).__name__}: {error} (standard error has details)"
            self.reasons[what] = f"unexpected {told}"

    def lines(
        self, images: Sequence[Resolved], entries: Sequence[Entry], state: str
    ) -> list[FleetImage]:
        """Return the line of each image, and of each entry that led to none."""
        lines = []
        for image, _ in images:
            scan = self.folder.scan(state, image.package_list)
            if at := self.folder.scanned_at(scan):
                lines.append(structs.replace(image, scan=scan, scanned_at=at))
            else:
                reason = self.reasons[image.package_list]
                lines.append(structs.replace(image, status=FAILED, reason=reason))
        lost = [entry.shown for entry in entries if entry.shown in self.reasons]
        return [
            *lines,
            *(FleetImage(name, [name], "", FAILED, self.reasons[name]) for name in lost),
        ]


def _batches(
    entries: Iterable[tuple[int, Entry]],
) -> list[tuple[str, list[tuple[int, Entry]]]]:
    """Return entries that one thread resolves one after the other, with the host that they ask.

    Those of one repository are together, files in turn.
    """
    by_place = defaultdict[tuple[str, str], list[tuple[int, Entry]]](list)
    for at, entry in entries:
        place = ("", "")
        if entry.kind == "image":
            with contextlib.suppress(KitError):
                place = fleet_image.reference_of(entry)[:2]
        by_place[place].append((at, entry))
    return [
        (host, several[start : start + _BATCH])
        for (host, _), several in by_place.items()
        for start in range(0, len(several), _BATCH)
    ]


def _once(found: Iterable[Resolved]) -> list[Resolved]:
    """Return each image once, with all references that lead to it."""
    images: dict[tuple[str, str], Resolved] = {}
    digests = set[str]()
    for each in found:
        image = each.image
        same = images.setdefault((image.image_id or image.digest, image.package_list), each)
        if same is not each:
            references = [*same.image.references, *image.references]
            same.image.references = list(dict.fromkeys(references))
        elif image.digest in digests:
            # Two SBOMs that name one image and list other packages.
            image.digest = each.source.digest
        digests.add(same.image.digest)
    return list(images.values())


def _left(
    earlier: Sequence[FleetImage], lines: Sequence[FleetImage], scans: str
) -> tuple[list[FleetImage], bool]:
    """Return earlier images that could not be asked for now, and whether scans would be lost.

    An image stays if what led to it failed now. Its scan would be lost if it is not below `scans`.
    """
    failed = {name for line in lines if line.status == FAILED for name in line.references}
    there = {name for line in lines if line.status != FAILED for name in line.references}
    digests = {line.digest for line in lines if line.status != FAILED}
    left = []
    for image in earlier:
        if image.status == FAILED or image.digest in digests:
            continue
        names = [
            name
            for name in image.references
            if name not in there and not failed.isdisjoint(_leading_to(name))
        ]
        if names:
            left.append(structs.replace(image, references=names))
    folder = scans.rpartition("/")[0]
    return left, any(image.scan.rpartition("/")[0] != folder for image in left)


def _leading_to(name: str) -> set[str]:
    """Return what leads to a reference: itself, its repository, addresses of its registry."""
    places = [at for at, letter in enumerate(name) if letter == "/"]
    return {name, name.rpartition(":")[0], *(name[: at + 1] for at in places)}


def _state(facts: FleetFacts) -> str:
    """Return a name for scanner and database: what counts may depend on besides the image."""
    db = facts.db
    return fleet_folder.state(facts.scanner, facts.scanner_version, db.sha256, db.java_updated_at)


def _done(
    function: Callable[[_Item], _Result], items: Iterable[_Item], workers: int
) -> Iterator[_Result]:
    """Yield the results of a function as they come."""
    with processes.threads(workers) as pool:
        for future in as_completed([pool.submit(function, item) for item in items]):
            yield future.result()
