"""The folder of a fleet: a record of how it was captured, a line an image, and scans by list.

Scans are in a folder named after the scanner and the database, so counts of two are never mixed:
the lines lead to scans of one. Every file is written beside its place and moved there whole. What a
killed run left of scans is where the next one goes on.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from helpers import own_file, paths, whole
from helpers.capture import sharing
from helpers.errors import FileInvalid, StudyInvalid
from helpers.studies import fleet_record
from helpers.studies.fleet_record import FleetFacts, FleetImage
from helpers.studies.study import NAME

_LOCK = ".lock"


class FleetFolder:
    """The folder of one fleet, which one capture at a time writes to, and its `scratch` folder."""

    scratch: Path

    def __init__(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise StudyInvalid(f"fleet {name[:64]!r}: use letters, digits, '.', '_' and '-'")
        self.path = paths.fleet(name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other captures out; remove what a killed one left unfinished.

        Raises `StudyInvalid` if another one runs. The lock ends with its process.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with whole.alone(self.path / _LOCK, wait=False) as is_alone:
            if not is_alone:
                raise StudyInvalid(
                    f"{self.path}: another capture of this fleet is running; wait until it ends"
                )
            whole.clear_up(self.path, is_alone=True)
            with whole.new_folder(self.path / "scratch") as self.scratch:
                yield

    def images(self) -> list[FleetImage]:
        """Return the images of the last run that came to its end. Raises `FileInvalid`."""
        path = self.path / paths.FLEET_IMAGES
        try:
            return fleet_record.images(path.read_bytes())
        except FileNotFoundError:
            return []
        except (ValueError, RecursionError) as error:
            remedy = "Remove it and capture again; the scans are kept"
            raise FileInvalid(path, f"damaged ({str(error)[:200]})", remedy) from error

    def scan(self, state: str, package_list: str) -> str:
        """Return the place of a scan, below the folder."""
        return f"{fleet_record.SCANS}/{state}/{package_list.removeprefix('sha256:')}.json.gz"

    def scanned_at(self, scan: str) -> datetime | None:
        """Return when a scan was made, to the second; `None` if there is none that is whole."""
        try:
            status = (self.path / scan).stat()
        except FileNotFoundError:
            return None
        made = datetime.fromtimestamp(status.st_mtime, UTC).replace(microsecond=0)
        return made if status.st_size else None

    def keep(self, report: Path, scan: str) -> None:
        """Move a scan to its place, whole."""
        place = self.path / scan
        place.parent.mkdir(parents=True, exist_ok=True)
        with report.open("rb") as file:
            os.fsync(file.fileno())
        report.rename(place)

    def share(self, state: str, other: str) -> None:
        """Give the scans of a scanner and its database to another state of these."""
        folder = self.path / fleet_record.SCANS
        (folder / other).mkdir(parents=True, exist_ok=True)
        for scan in (folder / state).glob("*.json.gz"):
            sharing.link(str(scan), str(folder / other / scan.name))

    def begin(self, facts: FleetFacts) -> None:
        """Record a first capture that has not come to its end."""
        if not (self.path / paths.FLEET_FACTS).exists():
            self._record(facts)

    def finish(self, facts: FleetFacts, images: Sequence[FleetImage]) -> None:
        """Record the images, and remove scans of other scanners and databases.

        Until the lines are there, the record says that it is not finished.
        """
        self._record(msgspec.structs.replace(facts, finished=False))
        lines = b"".join(msgspec.json.encode(image) + b"\n" for image in images)
        whole.write(self.path / paths.FLEET_IMAGES, lines)
        self._record(facts)
        kept = {(self.path / image.scan).parent for image in images if image.scan}
        for folder in (self.path / fleet_record.SCANS).iterdir() if kept else ():
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _record(self, facts: FleetFacts) -> None:
        whole.write(self.path / paths.FLEET_FACTS, own_file.record(facts, 2))


def state(*parts: object) -> str:
    """Return a short name of a scanner and its database."""
    return hashlib.sha256(msgspec.json.encode(list(map(str, parts)))).hexdigest()[:12]
