"""Capture the evidence of one variant: every part that its source provides."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import msgspec

from helpers import paths
from helpers.capture.gzip_sizes import GzipSizes
from helpers.capture.resolve import Subject, Tools
from helpers.containers import smoke_test
from helpers.containers.daemon import CANNOT_RUN, platform_of
from helpers.errors import ArchiveInvalid, KitError, ScanFailed
from helpers.images import file_inventory, metadata, oci, redact
from helpers.images.archive import open_archive
from helpers.images.metadata import Smoke
from helpers.images.oci import Platform
from helpers.registry import repository
from helpers.scanning import hand_on_vex, redact_report, scan
from helpers.scanning.hand_on_vex import Given
from helpers.scanning.trivy_program import Trivy
from helpers.scanning.vulndb import VulnDb
from helpers.scans import reports
from helpers.studies.study import Captured, Variant
from helpers.text.i18n import msg
from helpers.vex.evidence import read as read_vex

AGAIN = "Remove the image, then build or pull it again"

_NO_DAEMON = msg("archives are not started; load it into a daemon and pass the image")
_FROM_REGISTRY = msg("an image that is read from its registry is not started; pull it to start it")
PACKAGES_ONLY = {
    "sbom": msg("an SBOM lists packages, nothing else of an image"),
    "report": msg("a report only has findings and packages"),
}


class Taken(NamedTuple):
    """Trivy's command, and why each missing part is missing."""

    command: list[str]
    missing: dict[str, str]


def take(variant: Variant, subject: Subject, tools: Tools, folder: Path, scratch: Path) -> Taken:
    """Write every part of a variant's evidence into a folder.

    Raises the kit's errors, also for a Grype report of another image (`ReportInvalid`).
    """
    taking = _Taking(variant, subject, tools, folder, scratch)
    if variant.kind in ("sbom", "report"):
        taken = taking.packages()
    else:
        taken = taking.archive_file() if subject.path else taking.image()
    if subject.grype:
        image = metadata.read(folder / paths.IMAGE, metadata.Image)
        image_id = image.image_id if image else ""
        redact_report.keep_grype(subject.grype, folder, image_id, subject.secrets)
    return taken


def scanned(
    program: Trivy,
    db: VulnDb,
    kind: str,
    target: Path,
    raw: Path,
    wanted: Platform,
    documents: Sequence[Given] = (),
) -> list[str]:
    """Scan a file like `scan.scan`; the first one with Java archives downloads the Java DB."""
    try:
        return scan.scan(program, kind, target, raw, db.folder, wanted, documents)
    except ScanFailed as error:
        if error.reason != "no-java-db" or not db.ensure_java_db(program):
            raise
    return scan.scan(program, kind, target, raw, db.folder, wanted, documents)


def check_same_image(report: Path, image_id: str, name: str) -> None:
    """Raise `ScanFailed` if Trivy scanned another image of an archive than the kit read."""
    scanned_id = reports.read(report).image_id
    if scanned_id and scanned_id != image_id:
        raise ScanFailed(
            f"{name}: Trivy scanned {scanned_id}, but the kit read {image_id}. "
            "Archive one image only"
        )


def is_complete(folder: Path, captured: Captured) -> bool:
    """Return whether evidence can be reused: all parts are readable and the image answered.

    An image that did not answer may have timed out, so it is started again.
    """
    kept = paths.reports(folder)
    # A given report may be Trivy's or Grype's.
    is_scanned = "trivy" in kept or captured.source == "report"
    expected = ("report" not in captured.missing) + ("grype" in captured.settings)
    if (not is_scanned and "report" not in captured.missing) or len(kept) < expected:
        return False
    try:
        for path in kept.values():
            reports.read(path)
        documents = read_vex(folder / paths.VEX).documents
        image = metadata.read(folder / paths.IMAGE, metadata.Image)
        smoke = metadata.read(folder / paths.SMOKE, Smoke)
        has_files = (folder / paths.FILES).is_file()
        if has_files:
            file_inventory.read(folder / paths.FILES)
    except (KitError, OSError):
        return False
    parts = {"image": image is not None, "files": has_files, "smoke": smoke is not None}
    if is_scanned and bool(documents) != ("vex" in captured.settings):
        return False
    has_all = all(exists or part in captured.missing for part, exists in parts.items())
    return has_all and (smoke is None or smoke.answered is True)


class _Taking(NamedTuple):
    """One variant and the folder of its evidence."""

    variant: Variant
    subject: Subject
    tools: Tools
    folder: Path
    scratch: Path

    @property
    def platform(self) -> Platform:
        """Return the wanted platform of an archive's image; an image has only its own."""
        return oci.parse(self.variant.platform) if self.variant.kind == "archive" else oci.ANY

    def packages(self) -> Taken:
        """Scan an SBOM, or keep a report."""
        assert self.subject.path is not None
        command: list[str] = []
        if self.variant.kind == "sbom":
            command = self.scan("sbom", self.subject.path)
        else:
            redact_report.keep(self.subject.path, self.folder)
        why = PACKAGES_ONLY[self.variant.kind]
        return Taken(command, dict.fromkeys(("image", "files", "smoke"), why))

    def archive_file(self) -> Taken:
        """Scan and read an archive of the study, or an image's copy from its registry."""
        assert self.subject.path is not None
        # It may be a bomb, so the kit reads all of it before Trivy unpacks it.
        of_registry = self.tools.cache.naming(self.subject.reference, self.subject.path)
        with of_registry if self.subject.found else nullcontext():
            image_id = self.read_archive(self.subject.path)
        command = self.scan("archive", self.subject.path)
        self.check_same_image(image_id, self.subject.path.name)
        why = _FROM_REGISTRY if self.subject.found else _NO_DAEMON
        return Taken(command, {"smoke": why, **self.not_scanned()})

    def image(self) -> Taken:
        """Save an image of the daemon, then scan, read and start it at the same time."""
        path = self.scratch / f"{self.variant.name}.tar"
        try:
            with ThreadPoolExecutor(2) as pool:
                started = pool.submit(self.start)
                self.tools.required_daemon().save(self.subject.identity, path)
                scanned = pool.submit(self.scan, "archive", path)
                image_id = self.read_archive(path)
                command = scanned.result()
                self.check_same_image(image_id, path.name)
                return Taken(command, {**self.write_smoke(started.result()), **self.not_scanned()})
        except ArchiveInvalid as error:
            # The user knows the image, not this temporary file.
            raise ArchiveInvalid(self.subject.reference, error.problem, AGAIN) from error

    def not_scanned(self) -> dict[str, str]:
        """Return why there is no report, if there is no scanner."""
        return {"report": self.tools.no_scanner} if self.tools.no_scanner else {}

    def scan(self, kind: str, target: Path) -> list[str]:
        """Scan a file with Trivy, if installed, and keep its report; return the command."""
        trivy_program, db = self.tools.trivy, self.tools.db
        if trivy_program is None or db is None:
            return []
        raw = self.scratch / f"{self.folder.name}.json"
        wanted = (kind, target, raw, self.platform, self.tools.vex)
        command = scanned(trivy_program, db, *wanted)
        redact_report.keep(raw, self.folder, self.subject.secrets)
        hand_on_vex.keep(self.tools.vex, self.folder, target if kind == "sbom" else None)
        return command

    def read_archive(self, path: Path) -> str:
        """Write the metadata and the files of an image in an archive; return the image's id."""
        subject = self.subject
        with ThreadPoolExecutor(1) as pool, open_archive(path, self.platform) as archive:
            compressed = pool.submit(
                _compressed_sizes, path, self.platform, subject, self.tools.gzip_sizes
            )
            inventory = file_inventory.take(archive)
            file_inventory.write(self.folder / paths.FILES, inventory.files)
            image = metadata.describe(
                path,
                archive.image_id,
                archive.config,
                [(layer.diff_id, layer.file_bytes, layer.tar_bytes) for layer in inventory.layers],
                compressed.result(),
                subject.inspected,
                subject.base,
                subject.secrets,
                file_inventory.runtime(inventory.files, metadata.command(archive.config)),
                (inventory.passwd, inventory.group),
                {f"/{file.path}" for file in inventory.files},
            )
        metadata.write(self.folder / paths.IMAGE, image)
        return image.image_id

    def check_same_image(self, image_id: str, name: str) -> None:
        """Check that the report, if any, describes the image that the kit read."""
        if not self.tools.no_scanner:
            check_same_image(self.folder / paths.REPORT, image_id, name)

    def start(self) -> Smoke | str:
        """Start the image; return the result, or why it was not started."""
        subject = self.subject
        if not self.variant.start:
            return "study.toml says not to start it"
        port = self.variant.port or metadata.port(subject.config("ExposedPorts"))
        if port is None:
            return "the image exposes no port, and study.toml names none"
        daemon, volumes = self.tools.required_daemon(), subject.config("Volumes")
        smoke = smoke_test.run(daemon, subject.identity, port, smoke_test.SECONDS, volumes)
        platform = platform_of(subject.inspected or {})
        if platform != daemon.platform and CANNOT_RUN in smoke.why:
            return f"not started: this machine ({daemon.platform}) cannot run {platform}"
        return msgspec.structs.replace(smoke, why=redact.prose(smoke.why, subject.secrets))

    def write_smoke(self, started: Smoke | str) -> dict[str, str]:
        """Write the smoke test with the shell that starts; return the missing parts."""
        if isinstance(started, str):
            return {"smoke": started}
        files = file_inventory.read(self.folder / paths.FILES)
        listed = {file.path.removeprefix("usr/") for file in files}
        shells = [path for path in smoke_test.SHELLS if path[1:].removeprefix("usr/") in listed]
        # At least one is tried, so that "no shell" is observed, not assumed.
        shells = shells or [smoke_test.SHELLS[0]]
        daemon, volumes = self.tools.required_daemon(), self.subject.config("Volumes")
        shell, tried = smoke_test.find_shell(daemon, self.subject.identity, shells, volumes)
        smoke = msgspec.structs.replace(started, shell=shell, shells_tried=tried)
        metadata.write(self.folder / paths.SMOKE, smoke)
        return {}


def _compressed_sizes(
    path: Path, wanted: Platform, subject: Subject, gzip_sizes: GzipSizes
) -> tuple[str, list[int]]:
    """Return the compressed bytes of an image's layers, and their source (`compressed_by`)."""
    if subject.found:
        return "registry", [layer.size for layer in subject.found.layers]
    # An `Archive` has one read position, so this thread opens its own.
    with open_archive(path, wanted) as archive:
        for digest in (subject.inspected or {}).get("RepoDigests") or []:
            sizes = repository.layer_sizes(digest, archive.image_id, len(archive.layers))
            if sizes:
                return "registry", sizes
        stored = [layer.compressed_bytes for layer in archive.layers]
        if stored and None not in stored:
            return "archive", [size for size in stored if size is not None]
        return "gzip", [
            layer.compressed_bytes or gzip_sizes.size(archive, layer) for layer in archive.layers
        ]
