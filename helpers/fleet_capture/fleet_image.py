"""One image of a fleet: found by what names it, and scanned into a file of its own."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any, NamedTuple

import msgspec

from helpers import paths
from helpers.capture import evidence
from helpers.compressed import CHUNK
from helpers.errors import ImageNotFound
from helpers.fleet_capture import package_list
from helpers.fleet_capture.fleet_list import Entry
from helpers.images import oci
from helpers.images.archive import open_archive
from helpers.images.oci import Platform
from helpers.images.reference import Reference, parse
from helpers.registry import pull
from helpers.registry.image_cache import ImageCache
from helpers.registry.repository import Repository
from helpers.registry.traffic import Traffic
from helpers.scanning import redact_report
from helpers.scanning.trivy_program import Trivy
from helpers.scanning.vulndb import VulnDb
from helpers.studies.fleet_record import FleetImage
from helpers.text import escape


class Source(NamedTuple):
    """Where an image is: a file, or a reference by digest in its registry.

    `digest` is the file's or the manifest's, `platform` that of an archive.
    """

    kind: str
    digest: str
    path: Path | None = None
    reference: Reference | None = None
    platform: Platform = oci.ANY


class Resolved(NamedTuple):
    """An image as its line will be, still without a scan, and where it is."""

    image: FleetImage
    source: Source


class _Config(msgspec.Struct):
    created: datetime | None = None


def of_file(entry: Entry, wanted: Platform) -> Resolved:
    """Return the image of an archive or an SBOM. Raises `ArchiveInvalid` and `OSError`."""
    path = entry.path
    if entry.kind == "sbom":
        sbom = package_list.of_sbom(path)
        name = escape.plain(sbom.name[:200]) or entry.shown
        image = FleetImage(
            name,
            [name],
            sbom.image_id or sbom.digest,
            package_list=sbom.package_list,
            image_id=sbom.image_id,
            layers=list(sbom.layers),
        )
        return Resolved(image, Source("sbom", sbom.digest, path))
    with open_archive(path, wanted) as archive:
        sizes = [layer.compressed_bytes for layer in archive.layers]
        known = [size for size in sizes if size is not None]
        diff_ids = [layer.diff_id for layer in archive.layers]
        image = _image(archive.config, archive.image_id, diff_ids)
        image.references = [escape.plain(name[:200]) for name in archive.names] or [entry.shown]
        image.image = image.references[0]
        image.digest = archive.image_id
        image.size_compressed_bytes = sum(known) if len(known) == len(sizes) else None
    return Resolved(image, Source("archive", image.digest, path, platform=wanted))


def in_registry(repository: Repository, reference: Reference, wanted: Platform) -> Resolved:
    """Return an image of a registry. Raises `ImageNotFound` and `RegistryFailed`."""
    found = repository.at(reference).find(wanted)
    config = msgspec.json.decode(found.raw_config, type=dict[str, Any])
    image = _image(config, found.image_id, config["rootfs"]["diff_ids"])
    image.digest = found.manifest_digest
    image.size_compressed_bytes = sum(layer.size for layer in found.layers)
    by_digest = Reference(reference.host, reference.name, "", found.manifest_digest)
    return Resolved(image, Source("image", found.manifest_digest, reference=by_digest))


def _image(config: dict[str, Any], image_id: str, diff_ids: list[str]) -> FleetImage:
    """Return what the config of an image says of it."""
    platform = msgspec.convert(config, oci.Config).platform
    try:
        created = msgspec.convert({"created": config.get("created")}, _Config).created
    except msgspec.ValidationError:
        created = None
    return FleetImage(
        "",
        [],
        "",
        package_list=package_list.of_layers(platform, diff_ids),
        image_id=image_id,
        architecture=platform.architecture if platform.is_valid else "",
        created_at=created,
        # Images share layers, and a fleet may have many.
        layers=list(map(sys.intern, diff_ids)),
    )


class Scanner:
    """Scans images, a number of them at once, each in a folder that is removed again."""

    def __init__(
        self, program: Trivy, db: VulnDb, cache: ImageCache, traffic: Traffic, jobs: int
    ) -> None:
        self.db, self.cache, self.traffic = db, cache, traffic
        self._program = program
        self._running = BoundedSemaphore(jobs)
        self._pruning = Lock()

    @contextmanager
    def scanned(self, resolved: Resolved, scratch: Path) -> Iterator[Path]:
        """Yield the report of an image, redacted and gzipped; what is left of it is removed.

        Raises the kit's errors.
        """
        folder = Path(tempfile.mkdtemp(dir=scratch))
        try:
            source = resolved.source
            if source.path is None:
                yield self._of_registry(resolved, folder)
            else:
                if source.kind == "archive":
                    self._read(source.path, source.platform)
                yield self._report(source.kind, resolved, source.path, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _of_registry(self, resolved: Resolved, folder: Path) -> Path:
        """Return the report of an image that is read from its registry."""
        reference = resolved.source.reference
        assert reference is not None
        repository = Repository(reference, cache=self.cache, traffic=self.traffic)
        layout = folder / "image"
        layout.mkdir()
        pull.pull(repository.find(), self.cache, layout, repository=repository)
        try:
            with self.cache.naming(resolved.image.image, layout):
                self._read(layout, oci.ANY)
                return self._report("archive", resolved, layout, folder)
        finally:
            shutil.rmtree(layout, ignore_errors=True)
            # The limit holds all the time, but for the images that are being scanned.
            if self._pruning.acquire(blocking=False):
                try:
                    self.cache.prune()
                finally:
                    self._pruning.release()

    def _read(self, path: Path, wanted: Platform) -> None:
        """Read an archive to its end, so that Trivy, which unpacks it, gets no bomb."""
        with open_archive(path, wanted) as archive:
            for layer in archive.layers:
                with archive.open_layer(layer) as stream:
                    while stream.read(CHUNK):
                        pass

    def _report(self, kind: str, resolved: Resolved, target: Path, folder: Path) -> Path:
        """Scan a file with Trivy; return its report as it is kept."""
        raw = folder / "raw.json"
        with self._running:
            evidence.scanned(self._program, self.db, kind, target, raw, resolved.source.platform)
        redact_report.keep(raw, folder)
        if kind == "archive":
            evidence.check_same_image(raw, resolved.image.image_id, target.name)
        return folder / paths.REPORT


def reference_of(entry: Entry) -> Reference:
    """Return the parts of an entry's reference. Raises `ImageNotFound`."""
    try:
        return parse(entry.name)
    except ValueError as error:
        raise ImageNotFound(str(error)) from error
