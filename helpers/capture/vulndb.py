"""The vulnerability DB, and the Java DB beside it: where they are, and how they come there."""

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from threading import Lock

import msgspec

from helpers.capture.trivy_program import LIMIT, QUIET, Trivy, run
from helpers.errors import ScanFailed
from helpers.studies.study import Database
from helpers.text.i18n import msg

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class VulnDb:
    """A folder with a vulnerability DB, and what brings one there that is not up to date.

    What Java archives are, which often do not say so, Trivy looks up in a second and much larger
    DB; it is brought once an image is met that needs it.
    """

    def __init__(
        self, folder: Path, is_given: bool, repository: str = "", java_repository: str = ""
    ) -> None:
        self.folder = folder
        self._is_given = is_given
        self._repository, self._java_repository = repository, java_repository
        self._lock = Lock()

    def refresh(self, scanner: Trivy) -> None:
        """Bring the folder up to date, unless it was given. Raises `ScanFailed`."""
        if self._is_given:
            return check(self.folder)
        pinned = "@sha256:" in self._repository
        if not pinned or not (self.folder / "db" / "metadata.json").is_file():
            download(scanner, self.folder, self._repository)
        check(self.folder)
        if self.java_updated_at():
            download_java(scanner, self.folder, self._java_repository)
        return None

    def bring_java(self, scanner: Trivy) -> bool:
        """Bring the Java DB if it is missing, and return whether there is one now.

        There is none in a folder that was given without one. Raises `ScanFailed`.
        """
        with self._lock:
            if not self._is_given and not self.java_updated_at():
                download_java(scanner, self.folder, self._java_repository)
        return self.java_updated_at() is not None

    def told(self, coverage: str = "") -> Database:
        """Return version, times and digest of the DB, and where it is from."""
        metadata = msgspec.json.decode((self.folder / "db" / "metadata.json").read_bytes())
        with (self.folder / "db" / "trivy.db").open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        origin = self._repository or msg("Trivy's own place")
        return Database(
            version=metadata["Version"],
            updated_at=msgspec.convert(metadata["UpdatedAt"], datetime),
            sha256=digest,
            coverage=coverage,
            origin=msg("a folder that was given") if self._is_given else origin,
            java_updated_at=self.java_updated_at(),
        )

    def java_updated_at(self) -> datetime | None:
        """Return when the Java DB was made, `None` if there is none."""
        path = self.folder / "java-db" / "metadata.json"
        if not path.is_file() or not (path.parent / "trivy-java.db").is_file():
            return None
        return msgspec.convert(msgspec.json.decode(path.read_bytes())["UpdatedAt"], datetime)


def check(folder: Path) -> None:
    """Raise `ScanFailed` if a folder has no vulnerability DB."""
    for name in ("trivy.db", "metadata.json"):
        if not (folder / "db" / name).is_file():
            raise ScanFailed(
                f"{folder}: no vulnerability DB (db/{name}) in this folder. Name one that has",
                "no-db",
            )


def download(scanner: Trivy, folder: Path, repository: str = "") -> None:
    """Bring the DB in a folder up to date, from Trivy's own place or a `repository` by digest.

    Raises `ScanFailed`.
    """
    _download(scanner, folder, "db", ["--download-db-only"], "--db-repository", repository)


def download_java(scanner: Trivy, folder: Path, repository: str = "") -> None:
    """Bring the Java DB in a folder up to date in the same way."""
    options = ["--download-java-db-only"]
    _download(scanner, folder, "java-db", options, "--java-db-repository", repository)


def _download(
    scanner: Trivy, folder: Path, name: str, options: list[str], option: str, repository: str
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["trivy", "image", *options, "--cache-dir", "DB", *QUIET, *LIMIT]
    command += [option, repository] if repository else []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".db-") as temporary:
        scratch = Path(temporary)
        # Where a DB is that is not old yet, Trivy would leave it at that, whatever was named.
        cache = scratch if repository else folder
        # A container does not have this machine's certificates.
        names = _PROXIES if scanner.daemon else _PROXIES + _CERTIFICATES
        passed = {name: os.environ[name] for name in names if name in os.environ}
        run(scanner, command, cache, scratch, passed=passed)
        if repository:
            if (folder / name).exists():
                (folder / name).rename(scratch / "before")
            (scratch / name).rename(folder / name)
