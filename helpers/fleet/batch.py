"""Reads a batch of scans into parts: what a worker does."""

import hashlib
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from helpers import frames, own_file
from helpers.errors import ReportInvalid
from helpers.fleet import store, table_parts
from helpers.fleet.scans import ALWAYS, Scan, stem
from helpers.fleet.store import Entry
from helpers.scans import package_list, reports
from helpers.scans.trivy_schema import Metadata, Report
from helpers.studies.rows import Rows

PART_ROWS = 200_000
"""Findings and packages from which on a part is written: they bound a worker's memory."""

_DIGITS = 12


class Batch(NamedTuple):
    """Scans that one task reads: on which file system, into which folder.

    `known` has keys of images that have been read, by themselves and by what `key_of` makes of the
    digest of a file, which may be a gzipped copy; `reason` says why the scans are not to be
    opened, if so, and `again` whether the next run is to try it; `alone`, that nothing else is read
    at the time.
    """

    scans: list[Scan]
    folder: Path
    files: Any = None
    known: Mapping[str, str] = MappingProxyType({})
    reason: str = ""
    again: bool = False
    alone: bool = False


class Done(NamedTuple):
    """What came of a batch: an entry a scan, and the ids of the parts that were written."""

    entries: list[Entry]
    parts: list[str]


def read(batch: Batch) -> Done:
    """Read the scans of a batch, and write those that are new as parts.

    A scan that cannot be read is a failed image with its reason. Raises `NoSpace` and `KitError`.
    """
    if batch.scans[0].table:
        return Done(*table_parts.read(batch.scans, batch.folder))
    entries: list[Entry] = []
    parts: list[str] = []
    known = dict(batch.known)
    part = _Part()
    for scan in batch.scans:
        entry = part.add(scan, batch, known)
        known |= {entry.key: entry.key, key_of(entry.digest, entry.context): entry.key}
        entries.append(entry)
        if part.rows >= PART_ROWS:
            parts.append(part.write(batch.folder))
            part = _Part()
    if part.entries:
        parts.append(part.write(batch.folder))
    return Done(entries, parts)


class _Part:
    """The rows of a part that is being read."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._rows = Rows()
        self._fleet: dict[str, list[Any]] = defaultdict(list)

    @property
    def rows(self) -> int:
        return len(self._rows.findings["variant"]) + len(self._rows.packages["variant"])

    def write(self, folder: Path) -> str:
        made = {
            "fleet": frames.make("fleet", self._fleet),
            **self._rows.frames(apart=True)._asdict(),
        }
        return store.write_part(folder, self.entries, made)

    def add(self, scan: Scan, batch: Batch, known: Mapping[str, str]) -> Entry:
        """Add the rows of a scan, unless its key is known.

        A file with a known digest is not even unzipped.
        """
        digest, content, told, report = "", "", "", None
        stamp = ALWAYS if batch.again else scan.stamp
        reason = scan.evidence.error or batch.reason
        if not reason:
            try:
                with _local(scan, batch.files) as path:
                    digest = own_file.sha256(path)
                    if key := known.get(key_of(digest, scan.context)):
                        return _entry(scan, stamp, digest, key, "", "")
                    text = reports.text(path)
                    content = hashlib.sha256(text).hexdigest()
                    if key := known.get(key_of(content, scan.context)):
                        return _entry(scan, stamp, digest, key, "", "")
                    report = reports.decoded(text, path, lists=True)
                    told = content
                    if _says_nothing_of_its_image(report):
                        # An equal file may be of another image.
                        content = digest = key_of(content, scan.place)
            except ReportInvalid as error:
                reason = f"{error.problem}. {error.remedy}"
            except (MemoryError, RecursionError) as error:
                reason = f"it needs more memory than there is ({type(error).__name__})"
            except Exception as error:
                # File systems have errors of their own.
                told = getattr(error, "strerror", None) or str(error) or type(error).__name__
                reason, stamp = f"cannot be read ({told}). Check the address", ALWAYS
        content = content or digest
        key = key_of(content, scan.context) if content else _key(scan, reason)
        if key in known:
            return _entry(scan, stamp, digest, key, "", reason)
        name, others = _names(scan, report)
        digits = key if scan.shared or not content else content
        variant = f"{name}@{digits[:_DIGITS]}"
        item = scan.evidence._replace(
            variant=variant, path=None, shown_path=scan.place, error=reason
        )
        self._rows.add(item, report)
        images = self._rows.images
        if report is None:
            images["report"][-1] = scan.place if scan.path else None
            images["reason"][-1] = images["reason"][-1] or reason
        _add_captured(images, scan)
        listed, is_known = package_list.digest(report) if report else (None, None)
        layers = (report and report.metadata and report.metadata.diff_ids) or None
        if not layers and scan.image:
            layers = scan.image.layers
        row = {
            "variant": variant,
            "capture": item.capture,
            "name": name,
            "references": " ".join(others) or None,
            "file": scan.place if scan.path else None,
            "digest": f"sha256:{told or content}" if content else None,
            "package_list": listed,
            "packages_known": is_known,
            "diff_ids": " ".join(layers) if layers else None,
        }
        for column in frames.columns("fleet"):
            self._fleet[column].append(row[column])
        entry = _entry(scan, stamp, digest, key, variant, reason)
        self.entries.append(entry)
        return entry


def _entry(scan: Scan, stamp: str, digest: str, key: str, variant: str, reason: str) -> Entry:
    return Entry(scan.place, scan.size, stamp, scan.context, digest, key, variant, reason)


def key_of(digest: str, context: str) -> str:
    """Return what tells an image from all others: the digest of its scan, and what else is known.

    That is the digest of the text, unzipped, so that a gzipped copy is no other image.
    """
    return hashlib.sha256(f"{digest}\n{context}".encode()).hexdigest() if context else digest


def _key(scan: Scan, reason: str) -> str:
    """Return the key of an image without a scan: where that should be, and why it is not."""
    told = (scan.place, scan.context, reason)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


@contextmanager
def _local(scan: Scan, files: Any) -> Iterator[Path]:
    """Have a scan as a local file."""
    if files is None:
        yield Path(scan.path)
        return
    with tempfile.NamedTemporaryFile(prefix="fleet-") as copy:
        with files.open(scan.path, "rb") as source:
            shutil.copyfileobj(source, copy, 2**20)
        copy.flush()
        yield Path(copy.name)


def _says_nothing_of_its_image(report: Report) -> bool:
    metadata = report.metadata or Metadata()
    named = report.artifact_name, report.image_id, metadata.repo_tags, metadata.repo_digests
    return not any(named)


def _names(scan: Scan, report: Report | None) -> tuple[str, list[str]]:
    """Return an image's name, and its other references."""
    if scan.image:
        others = [name for name in scan.image.references if name != scan.image.image]
        return scan.image.image, others
    if given := scan.evidence.reference or scan.evidence.variant:
        return given, []
    metadata = (report and report.metadata) or Metadata()
    first, *others = [tag for tag in metadata.repo_tags or [] if tag] or [""]
    return first or (report and report.artifact_name) or stem(scan), others


def _add_captured(images: dict[str, list[Any]], scan: Scan) -> None:
    """Fill in what the capture of a fleet knows of an image, and its scan does not."""
    image = scan.image
    if image is None:
        return
    created = frames.utc(image.created_at)
    known = {
        "image_id": image.image_id or None,
        "architecture": image.architecture or None,
        "layers": len(image.layers) or None,
        "size_compressed_bytes": image.size_compressed_bytes,
        "size_compressed_source": "registry" if image.size_compressed_bytes else None,
        "created_at": created if created and created.year >= 2013 else None,
        "scanned_at": frames.utc(image.scanned_at),
    }
    for column, value in known.items():
        # A scan that several images share says of the first of them what it says.
        if value is not None and (scan.shared or images[column][-1] is None):
            images[column][-1] = value
