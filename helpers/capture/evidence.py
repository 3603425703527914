"""Makes the evidence of one variant: every part that the variant's source can give."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from helpers import paths
from helpers.capture import registry, scan, smoke_test
from helpers.capture.gzip_sizes import GzipSizes
from helpers.capture.resolve import Subject, Tools
from helpers.errors import ArchiveInvalid, KitError, ScanFailed
from helpers.images import file_inventory, metadata, redact
from helpers.images.archive import open_archive
from helpers.images.metadata import Smoke
from helpers.scans import trivy
from helpers.studies.study import Captured, Variant
from helpers.text.i18n import msg

AGAIN = "Remove the image, then build or pull it again"

_NO_DAEMON = msg("an archive is not started; load it into a daemon and name the image")
_PACKAGES_ONLY = {
    "sbom": msg("an SBOM lists packages, nothing else of an image"),
    "report": msg("a report has findings and packages, nothing else of an image"),
}


class Taken(NamedTuple):
    """How the evidence was made: Trivy's command, and the reason of each missing part."""

    command: list[str]
    missing: dict[str, str]


def take(variant: Variant, subject: Subject, tools: Tools, folder: Path, scratch: Path) -> Taken:
    """Write every part of the evidence that a variant can give.

    Raises the kit's errors, also for a Grype report of another image (`ReportInvalid`).
    """
    if variant.kind in ("sbom", "report"):
        taken = _take_packages(variant, subject, tools, folder, scratch)
    elif subject.path:
        command = _take_archive(variant, subject, subject.path, tools, folder, scratch)
        taken = Taken(command, {"smoke": _NO_DAEMON})
    else:
        taken = _take_image(variant, subject, tools, folder, scratch)
    if subject.grype:
        image = metadata.read(folder / paths.IMAGE, metadata.Image)
        image_id = image.image_id if image else ""
        redact.keep_grype(subject.grype, folder, image_id, subject.secrets)
    return taken


def is_complete(folder: Path, captured: Captured) -> bool:
    """Return whether evidence can be reused: every part is readable, and the image answered.

    An image that did not answer may have been short of time, so it is started again.
    """
    reports = paths.reports(folder)
    # The report of a variant that is a report may be Trivy's or Grype's.
    is_scanned = "trivy" in reports or captured.source == "report"
    if not is_scanned or len(reports) < (2 if "grype" in captured.settings else 1):
        return False
    try:
        for path in reports.values():
            trivy.read(path)
        image = metadata.read(folder / paths.IMAGE, metadata.Image)
        smoke = metadata.read(folder / paths.SMOKE, Smoke)
        has_files = (folder / paths.FILES).is_file()
        if has_files:
            file_inventory.read(folder / paths.FILES)
    except (KitError, OSError):
        return False
    parts = {"image": image is not None, "files": has_files, "smoke": smoke is not None}
    has_all = all(exists or part in captured.missing for part, exists in parts.items())
    return has_all and (smoke is None or smoke.answered is True)


def _take_packages(
    variant: Variant, subject: Subject, tools: Tools, folder: Path, scratch: Path
) -> Taken:
    assert subject.path is not None
    command: list[str] = []
    if variant.kind == "sbom":
        command = _scan(tools, "sbom", subject.path, folder, scratch)
    else:
        redact.keep(subject.path, folder)
    return Taken(command, dict.fromkeys(("image", "files", "smoke"), _PACKAGES_ONLY[variant.kind]))


def _take_image(
    variant: Variant, subject: Subject, tools: Tools, folder: Path, scratch: Path
) -> Taken:
    path = scratch / f"{variant.name}.tar"
    try:
        with ThreadPoolExecutor(1) as pool:
            started = pool.submit(_start, variant, subject, tools)
            tools.required_daemon().save(subject.identity, path)
            command = _take_archive(variant, subject, path, tools, folder, scratch)
            return Taken(command, _write_smoke(started.result(), subject, tools, folder))
    except ArchiveInvalid as error:
        # The user knows the image, not this temporary file.
        raise ArchiveInvalid(subject.reference, error.problem, AGAIN) from error


def _take_archive(
    variant: Variant, subject: Subject, path: Path, tools: Tools, folder: Path, scratch: Path
) -> list[str]:
    """Scan an image's archive, and write its metadata and files; return Trivy's command."""

    def scanned() -> list[str]:
        return _scan(tools, "archive", path, folder, scratch, subject.secrets)

    with ThreadPoolExecutor(2) as pool:
        # The daemon has unpacked its images before. Any other archive may be a bomb: Trivy, which
        # would unpack it, gets it only after the kit has read it to the end.
        early_scan = None if variant.kind == "archive" else pool.submit(scanned)
        compressed = pool.submit(_compressed_sizes, path, subject, tools.gzip_sizes)
        with open_archive(path) as archive:
            inventory = file_inventory.take(archive)
            file_inventory.write(folder / paths.FILES, inventory.files)
            image = metadata.describe(
                path,
                archive.image_id,
                archive.config,
                [(layer.diff_id, layer.file_bytes, layer.tar_bytes) for layer in inventory.layers],
                compressed.result(),
                subject.inspected,
                subject.base,
                subject.secrets,
                file_inventory.runtime(inventory.files),
                (inventory.passwd, inventory.group),
                {f"/{file.path}" for file in inventory.files},
            )
            metadata.write(folder / paths.IMAGE, image)
        command = early_scan.result() if early_scan else scanned()
    scanned_id = trivy.read(folder / paths.REPORT).image_id
    if scanned_id and scanned_id != image.image_id:
        raise ScanFailed(
            f"{path.name}: Trivy scanned {scanned_id}, but the kit read {image.image_id}. Save the "
            "one image into an archive of its own"
        )
    return command


def _scan(
    tools: Tools, kind: str, target: Path, folder: Path, scratch: Path, secrets: Sequence[str] = ()
) -> list[str]:
    """Scan into the evidence; return the command."""
    assert tools.trivy is not None
    assert tools.db is not None
    raw = scratch / f"{folder.name}.json"
    try:
        command = scan.scan(tools.trivy, kind, target, raw, tools.db.folder)
    except ScanFailed as error:
        if error.reason != "no-java-db" or not tools.db.ensure_java_db(tools.trivy):
            raise
        command = scan.scan(tools.trivy, kind, target, raw, tools.db.folder)
    redact.keep(raw, folder, secrets)
    return command


def _compressed_sizes(path: Path, subject: Subject, gzip_sizes: GzipSizes) -> tuple[str, list[int]]:
    """Return the compressed bytes of an image's layers, and whose they are (`compressed_by`)."""
    # This thread needs an archive of its own, which is read at one place at a time.
    with open_archive(path) as archive:
        for digest in (subject.inspected or {}).get("RepoDigests") or []:
            sizes = registry.layer_sizes(digest, archive.image_id, len(archive.layers))
            if sizes:
                return "registry", sizes
        stored = [layer.compressed_bytes for layer in archive.layers]
        if stored and None not in stored:
            return "archive", [size for size in stored if size is not None]
        return "gzip", [
            layer.compressed_bytes or gzip_sizes.size(archive, layer) for layer in archive.layers
        ]


def _start(variant: Variant, subject: Subject, tools: Tools) -> Smoke | str:
    """Start a variant; return the result, or why it was not started."""
    if not variant.start:
        return "study.toml says not to start it"
    port = variant.port or metadata.port(subject.config("ExposedPorts"))
    if port is None:
        return "the image exposes no port, and study.toml names none"
    volumes = subject.config("Volumes")
    daemon = tools.required_daemon()
    smoke = smoke_test.run(daemon, subject.identity, port, smoke_test.SECONDS, volumes)
    return msgspec.structs.replace(smoke, why=redact.prose(smoke.why, subject.secrets))


def _write_smoke(
    started: Smoke | str, subject: Subject, tools: Tools, folder: Path
) -> dict[str, str]:
    """Write the smoke test with the shell that can be started; return the missing parts."""
    if isinstance(started, str):
        return {"smoke": started}
    files = file_inventory.read(folder / paths.FILES)
    listed = {file.path.removeprefix("usr/") for file in files}
    shells = [path for path in smoke_test.SHELLS if path[1:].removeprefix("usr/") in listed]
    # At least one is tried: that no shell starts is observed, not concluded.
    shells = shells or [smoke_test.SHELLS[0]]
    shell, tried = smoke_test.find_shell(
        tools.required_daemon(), subject.identity, shells, subject.config("Volumes")
    )
    smoke = msgspec.structs.replace(started, shell=shell, shells_tried=tried)
    metadata.write(folder / paths.SMOKE, smoke)
    return {}
