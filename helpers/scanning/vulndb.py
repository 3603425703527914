"""The vulnerability DB and the Java DB beside it: their folder, and how they are downloaded."""

import os
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Annotated

from msgspec import Meta, Struct, field

from helpers import own_file, whole
from helpers.errors import FileInvalid, ScanFailed, advice
from helpers.scanning.trivy_program import LIMIT, QUIET, Trivy, run
from helpers.studies.study import Database
from helpers.text.i18n import msg

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_METADATA = "metadata.json"

DB, JAVA_DB = "db", "java-db"
"""Folders of the databases, as Trivy names them."""

_OPTIONS = {
    DB: ("--download-db-only", "--db-repository"),
    JAVA_DB: ("--download-java-db-only", "--java-db-repository"),
}
"""Options that download one of them, and that say from where."""


class _Metadata(Struct):
    """What a DB says of itself."""

    updated_at: datetime = field(name="UpdatedAt")
    version: Annotated[int, Meta(ge=0, lt=2**31)] | None = field(default=None, name="Version")


class VulnDb:
    """A folder with a vulnerability DB, which is kept up to date unless the user named the folder.

    Trivy identifies Java archives with a second, much larger DB. It is downloaded when the first
    image needs it. From `refresh` to `release` no other capture updates the folder: a capture's
    images are scanned with the DB that it records.
    """

    def __init__(
        self, folder: Path, is_given: bool, repository: str = "", java_repository: str = ""
    ) -> None:
        self.folder = folder
        self._is_given = is_given
        self._repository, self._java_repository = repository, java_repository
        self._lock = Lock()
        self._in_use = -1

    def refresh(self, scanner: Trivy) -> None:
        """Update the folder, or only check one that the user named, or that others scan with.

        Raises `ScanFailed`.
        """
        if self._is_given:
            return check(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.release()
        self._in_use = os.open(self.folder, os.O_RDONLY)
        try:
            if self._is_alone():
                self._update(scanner)
            check(self.folder)
            whole.lock(self._in_use, shared=True)
        except BaseException:
            self.release()
            raise
        return None

    def release(self) -> None:
        """Let other captures update the folder."""
        if self._in_use >= 0:
            os.close(self._in_use)
            self._in_use = -1

    def _is_alone(self) -> bool:
        """Return whether no other capture uses the folder; wait for one that updates it."""
        if whole.lock(self._in_use, wait=False):
            return True
        whole.lock(self._in_use, shared=True)
        return False

    def _update(self, scanner: Trivy) -> None:
        # Also of a download that was killed at its very end, after which there is none.
        whole.clear_up(self.folder)
        pinned = "@sha256:" in self._repository
        if not pinned or not (self.folder / DB / _METADATA).is_file():
            try:
                download(scanner, self.folder, self._repository)
            except ScanFailed as error:
                if error.reason != "no-db":
                    raise
                raise _not_downloaded(self.folder, error) from error
        if self.java_updated_at():
            download(scanner, self.folder, self._java_repository, JAVA_DB)

    def ensure_java_db(self, scanner: Trivy) -> bool:
        """Download the Java DB if it is missing; return whether there is one now.

        A folder that the user named without one stays without one. Raises `ScanFailed`.
        """
        if self._is_given:
            return self.java_updated_at() is not None
        # Other captures that scan with the folder may need it now, too.
        with self._lock, whole.alone(self.folder.parent):
            if not self.java_updated_at():
                download(scanner, self.folder, self._java_repository, JAVA_DB)
        return self.java_updated_at() is not None

    def describe(self, coverage: str = "") -> Database:
        """Return version, times, digest and origin of the DB, as a capture records them."""
        metadata = _metadata(self.folder / DB)
        origin = self._repository or msg("Trivy's own place")
        return Database(
            version=metadata.version,
            updated_at=metadata.updated_at,
            sha256=own_file.sha256(self.folder / DB / "trivy.db"),
            coverage=coverage,
            origin=msg("a folder that was given") if self._is_given else origin,
            java_updated_at=self.java_updated_at(),
        )

    def java_updated_at(self) -> datetime | None:
        """Return the time of the Java DB, `None` if there is none."""
        folder = self.folder / JAVA_DB
        if not (folder / _METADATA).is_file() or not (folder / "trivy-java.db").is_file():
            return None
        return _metadata(folder).updated_at


def check(folder: Path) -> None:
    """Raise `ScanFailed` if a folder has no vulnerability DB, or one that does not tell its day."""
    if not (folder / DB / "trivy.db").is_file():
        raise _no_db(folder, "trivy.db")
    _metadata(folder / DB)


def _metadata(folder: Path) -> _Metadata:
    """Return what a DB says of itself. Raises `ScanFailed`."""
    remedy = f"Remove {folder} and download it again, or pass a folder with a complete DB"
    try:
        found = own_file.read(folder / _METADATA, _Metadata, FileInvalid, remedy)
    except FileInvalid as error:
        raise ScanFailed(str(error), "no-db") from error
    if found is None:
        raise _no_db(folder.parent, _METADATA)
    return found


def _no_db(folder: Path, name: str) -> ScanFailed:
    return ScanFailed(
        f"{folder}: no vulnerability DB (db/{name}) in this folder. Pass one that has it", "no-db"
    )


def _not_downloaded(folder: Path, error: ScanFailed) -> ScanFailed:
    is_there = (folder / DB / "trivy.db").is_file()
    which = "an old vulnerability DB is" if is_there else "no vulnerability DB is"
    place = folder if is_there else "FOLDER"
    given = advice(f"DB={place}", f"--db {place}")
    last = str(error).partition("\n")[2]
    return ScanFailed(
        f"{which} in {folder}, and a new one cannot be downloaded. Check the network; base images "
        f"that Docker lacks need it, too. Offline, pass a folder that has a DB: {given}\n{last}",
        "no-db",
    )


def download(scanner: Trivy, folder: Path, repository: str = "", name: str = DB) -> None:
    """Update a database in a folder, from Trivy's default or a `repository` by digest.

    Raises `ScanFailed`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    option, place = _OPTIONS[name]
    command = ["trivy", "image", option, "--cache-dir", "DB", *QUIET, *LIMIT]
    command += [place, repository] if repository else []
    # Paths of this machine's certificates mean nothing in a container.
    names = _PROXIES if scanner.daemon else _PROXIES + _CERTIFICATES
    environment = {name: os.environ[name] for name in names if name in os.environ}
    with whole.temporary_folder("db", folder) as temporary:
        scratch = Path(temporary)
        # Trivy keeps a recent DB, whatever repository is named; so it gets an empty folder.
        run(scanner, command, scratch if repository else folder, scratch, environment=environment)
        if repository:
            whole.move(scratch / name, folder / name)
