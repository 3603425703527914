"""Makes the evidence of one variant: every part of it that the variant's source can give."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from helpers import paths
from helpers.capture import redact_report, registry, scan, smoke_test
from helpers.capture.gzip_sizes import Weights
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
    """How the evidence was made: the scanner's command, and why parts of it are missing."""

    command: list[str]
    missing: dict[str, str]


def take(variant: Variant, subject: Subject, tools: Tools, folder: Path, scratch: Path) -> Taken:
    """Write every part of the evidence that a variant can give; return how, and what is missing.

    Raises the kit's errors, and `ReportInvalid` for a Grype report that is of another image.
    """
    taken = _take(variant, subject, tools, folder, scratch)
    if subject.grype:
        described = metadata.read(folder / paths.IMAGE, metadata.Image)
        image_id = described.image_id if described else ""
        redact_report.keep_grype(subject.grype, folder, image_id, subject.secrets)
    return taken


def _take(variant: Variant, subject: Subject, tools: Tools, folder: Path, scratch: Path) -> Taken:
    if variant.kind in ("sbom", "report"):
        assert subject.path is not None
        command: list[str] = []
        if variant.kind == "sbom":
            command = _scan(tools, "sbom", subject.path, folder, scratch)
        else:
            redact_report.keep(subject.path, folder)
        why = _PACKAGES_ONLY[variant.kind]
        return Taken(command, dict.fromkeys(("image", "files", "smoke"), why))
    if subject.path is not None:
        missing = {"smoke": _NO_DAEMON}
        return Taken(_apart(variant, subject, subject.path, tools, folder, scratch), missing)
    path = scratch / f"{variant.name}.tar"
    try:
        with ThreadPoolExecutor(1) as pool:
            started = pool.submit(_start, variant, subject, tools)
            tools.ask().save(subject.identity, path)
            command = _apart(variant, subject, path, tools, folder, scratch)
            return Taken(command, _try_shells(started.result(), subject, tools, folder))
    except ArchiveInvalid as error:
        # The user knows the image, not the file that it was saved to for a moment.
        raise ArchiveInvalid(subject.reference, error.problem, AGAIN) from error


def _apart(
    variant: Variant, subject: Subject, path: Path, tools: Tools, folder: Path, scratch: Path
) -> list[str]:
    """Scan an image's archive and take it apart; return the scanner's command."""

    def scanned() -> list[str]:
        return _scan(tools, "archive", path, folder, scratch, subject.secrets)

    with ThreadPoolExecutor(2) as pool:
        # An image of the daemon has been unpacked before; an archive may be anything, and the
        # scanner, which would unpack a bomb, gets it only once it has been read to the end.
        scan_early = None if variant.kind == "archive" else pool.submit(scanned)
        weighed = pool.submit(_compressed, path, subject, tools.weights)
        with open_archive(path) as archive:
            found = file_inventory.take(archive)
            file_inventory.write(folder / paths.FILES, found.files)
            described = metadata.describe(
                path,
                archive.image_id,
                archive.config,
                [(layer.diff_id, layer.file_bytes, layer.tar_bytes) for layer in found.layers],
                weighed.result(),
                subject.known,
                subject.base,
                subject.secrets,
                file_inventory.runtime(found.files),
                (found.passwd, found.group),
                {f"/{file.path}" for file in found.files},
            )
            metadata.write(folder / paths.IMAGE, described)
        command = scan_early.result() if scan_early else scanned()
    _check_same(folder / paths.REPORT, described.image_id, path)
    return command


def _check_same(kept: Path, image_id: str, path: Path) -> None:
    """Raise `ScanFailed` if the scanner looked at another image of the archive than the kit."""
    taken = trivy.read(kept).image_id
    if taken and taken != image_id:
        raise ScanFailed(
            f"{path.name}: the scanner took {taken} out of it, and the kit {image_id}. "
            "Save the one image that is meant into an archive of its own"
        )


def is_whole(folder: Path, told: Captured) -> bool:
    """Return whether evidence can be taken over: all of it is there and can be read, and it works.

    An image that did not answer may have been short of time: it is asked again.
    """
    reports = paths.reports(folder)
    # A report that a variant is made from may be of either scanner.
    scanned = "trivy" in reports or told.source == "report"
    if not scanned or len(reports) < (2 if "grype" in told.settings else 1):
        return False
    try:
        for path in reports.values():
            trivy.read(path)
        described = metadata.read(folder / paths.IMAGE, metadata.Image)
        started = metadata.read(folder / paths.SMOKE, Smoke)
        if (folder / paths.FILES).is_file():
            file_inventory.read(folder / paths.FILES)
        files = (folder / paths.FILES).is_file()
    except (KitError, OSError):
        return False
    parts = {"image": described is not None, "files": files, "smoke": started is not None}
    there = all(found or part in told.missing for part, found in parts.items())
    return there and (started is None or started.answered is True)


def _scan(
    tools: Tools, how: str, target: Path, folder: Path, scratch: Path, secrets: Sequence[str] = ()
) -> list[str]:
    """Scan into the evidence; return the command."""
    assert tools.trivy is not None
    assert tools.db is not None
    raw = scratch / f"{folder.name}.json"
    folder_of_db = tools.db.folder
    try:
        command = scan.scan(tools.trivy, how, target, raw, folder_of_db)
    except ScanFailed as error:
        if error.reason != "no-java-db" or not tools.db.bring_java(tools.trivy):
            raise
        command = scan.scan(tools.trivy, how, target, raw, folder_of_db)
    redact_report.keep(raw, folder, secrets)
    return command


def _compressed(path: Path, subject: Subject, weights: Weights) -> tuple[str, list[int]]:
    """Return who compressed an image's layers, and to how many bytes each."""
    # An archive of its own: one is read at one place at a time.
    with open_archive(path) as archive:
        for digest in (subject.known or {}).get("RepoDigests") or []:
            sizes = registry.layer_sizes(digest, archive.image_id, len(archive.layers))
            if sizes:
                return "registry", sizes
        stored = [layer.compressed_bytes for layer in archive.layers]
        if stored and None not in stored:
            return "archive", [size for size in stored if size is not None]
        weighed = (
            # What is compressed in the archive was compressed by somebody else, who knows how.
            layer.compressed_bytes or weights.of(archive, layer)
            for layer in archive.layers
        )
        return "gzip", list(weighed)


def _start(variant: Variant, subject: Subject, tools: Tools) -> Smoke | str:
    """Start a variant; return what became of it, or why it was not started."""
    if not variant.start:
        return "study.toml says not to start it"
    port = variant.port or metadata.port(subject.config("ExposedPorts"))
    if port is None:
        return "the image exposes no port, and study.toml names none"
    volumes = subject.config("Volumes")
    told = smoke_test.answers(tools.ask(), subject.identity, port, smoke_test.SECONDS, volumes)
    return msgspec.structs.replace(told, why=redact.prose(told.why, subject.secrets))


def _try_shells(
    started: Smoke | str, subject: Subject, tools: Tools, folder: Path
) -> dict[str, str]:
    """Keep what became of a variant, with the shell that starts in it; return what is missing."""
    if isinstance(started, str):
        return {"smoke": started}
    files = file_inventory.read(folder / paths.FILES)
    there = {file.path.removeprefix("usr/") for file in files}
    # One at least is tried: that a shell cannot be started is shown, not concluded.
    shells = [
        s for s in smoke_test.SHELLS if s[1:].removeprefix("usr/") in there
    ] or smoke_test.SHELLS[:1]
    volumes = subject.config("Volumes")
    shell, tried = smoke_test.shell(tools.ask(), subject.identity, shells, volumes)
    told = msgspec.structs.replace(started, shell=shell, shells_tried=list(tried))
    metadata.write(folder / paths.SMOKE, told)
    return {}
