"""Starts Trivy: the only module that does. What Trivy writes is not touched here."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from helpers.daemon import Daemon
from helpers.errors import KitError, ScanFailed

TIMEOUT_SECONDS = 15 * 60

IMAGE = "aquasec/trivy:0.76.0"
"""What is run in a container where there is no local Trivy."""

INSTALL = "Install it: https://trivy.dev/docs/latest/getting-started/installation/"

_MEMORY = "4g"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

_REASONS = {
    "no-image": ("unable to find the specified image", "no such file or directory"),
    "no-db": (
        "The first run cannot skip downloading DB",
        "cannot be specified on the first run",
        "failed to download vulnerability DB",
        "database error",
        "DB error",
    ),
    "timeout": ("context deadline exceeded",),
    "no-space": ("no space left on device",),
}
_REMEDIES = {
    "no-image": "What was to be scanned is not there, or is no image archive",
    "no-db": "There is no usable vulnerability DB: name a folder that has one, or go online",
    "timeout": "The scan took too long: is the image very large, or the machine very busy?",
    "no-space": "The disk is full: free some space, or name another data folder with KIT_DATA",
    "other": "These are the scanner's own last words",
}


class Trivy(NamedTuple):
    """A Trivy that answered: the local binary, or with a daemon its container image."""

    version: str
    daemon: Daemon | None = None
    image_id: str = ""

    def is_(self) -> str:
        """Return what runs: `binary`, or the image and its id."""
        return f"{IMAGE} {self.image_id}" if self.daemon else "binary"


def find(daemon: Daemon | None = None) -> Trivy:
    """Return the local Trivy, or else its container image on a daemon, pulled if need be.

    Raises `ScanFailed` if there is neither.
    """
    if shutil.which("trivy"):
        told = json.loads(_start(["trivy", "version", "--format", "json", "--cache-dir", "."]))
        return Trivy(str(told["Version"]))
    if daemon is None:
        raise ScanFailed(
            f"trivy is not on the PATH, and there is no Docker daemon to run it in. {INSTALL}",
            "no-scanner",
        )
    try:
        image = daemon.find(IMAGE) or daemon.pull(IMAGE)
    except KitError as error:
        raise ScanFailed(
            f"trivy is not on the PATH, and its container image is not to be had ({error}). "
            f"{INSTALL}",
            "no-scanner",
        ) from error
    return Trivy(IMAGE.rpartition(":")[2], daemon, str(image["Id"]))


def scan(trivy: Trivy, how: str, target: Path, report: Path, db: Path) -> list[str]:
    """Scan an `archive` or an `sbom` offline against the DB in folder `db`; write `report`.

    Returns the command, in which files are named `DB`, `REPORT` and `EMPTY`. The target's folder is
    the working directory, so the report names no path of this machine. Nothing of the user's
    environment or Trivy settings reaches the scan. Raises `ScanFailed`.
    """
    check_db(db)
    if not target.exists():
        raise ScanFailed(f"{target}: there is no such {how} to scan", "no-image")
    command = _command(how, target.name)
    with tempfile.TemporaryDirectory(dir=report.parent, prefix=".scan-") as folder:
        scratch = Path(folder)
        (scratch / "empty.yaml").touch()
        if trivy.daemon:
            _run_container(trivy, command, target.parent, db, scratch)
        else:
            _start(_named(command, db.resolve(), scratch), target.parent, {"TMPDIR": folder})
        shutil.move(scratch / "report.json", report)
    return command


def check_db(folder: Path) -> None:
    """Raise `ScanFailed` if a folder has no vulnerability DB."""
    for name in ("trivy.db", "metadata.json"):
        if not (folder / "db" / name).is_file():
            raise ScanFailed(
                f"{folder}: no vulnerability DB (db/{name}) in this folder. Name one that has",
                "no-db",
            )


def download_db(trivy: Trivy, folder: Path, repository: str = "") -> None:
    """Bring the DB in a folder up to date, from Trivy's own place or a `repository` by digest.

    Raises `ScanFailed`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = ["trivy", "image", "--download-db-only", "--cache-dir", "DB", *_QUIET, *_TIMEOUT]
    command += ["--db-repository", repository] if repository else []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        (Path(scratch) / "empty.yaml").touch()
        if trivy.daemon:
            _run_container(trivy, command, None, folder, Path(scratch))
            return
        passed = {name: os.environ[name] for name in _PROXIES if name in os.environ}
        _start(_named(command, folder.resolve(), Path(scratch)), Path(scratch), passed)


_QUIET = ["--skip-version-check", "--disable-telemetry", "--config", "EMPTY"]
_TIMEOUT = ["--timeout", f"{TIMEOUT_SECONDS}s"]


def _command(how: str, target: str) -> list[str]:
    return [
        *("trivy", "image" if how == "archive" else "sbom"),
        *("--cache-dir", "DB", "--cache-backend", "memory"),
        *("--skip-db-update", "--skip-java-db-update", "--offline-scan", *_QUIET),
        # The folder that is scanned from could have a .trivyignore of its own.
        *("--ignorefile", "EMPTY", "--scanners", "vuln", "--pkg-types", "os,library"),
        *("--list-all-pkgs", *_TIMEOUT, "--format", "json", "--output", "REPORT"),
        *(("--input",) if how == "archive" else ()),
        target,
    ]


def _named(command: list[str], db: Path, scratch: Path) -> list[str]:
    """Return a command with the names of files filled in."""
    names = {"DB": db, "EMPTY": scratch / "empty.yaml", "REPORT": scratch / "report.json"}
    return [str(names.get(word, word)) for word in command]


def _start(
    command: list[str], folder: Path | None = None, extra: dict[str, str] | None = None
) -> str:
    """Run the local Trivy in a clean environment and return what it prints."""
    executable = shutil.which(command[0])
    if executable is None:
        raise ScanFailed(f"trivy is not on the PATH. {INSTALL}", "no-scanner")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": tempfile.gettempdir()}
    try:
        done = subprocess.run(
            [executable, *command[1:]],
            cwd=folder or tempfile.gettempdir(),
            env=environment | (extra or {}),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS + 30,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ScanFailed(
            f"trivy gave no answer within {error.timeout:.0f} s: {command[-1]}", "timeout"
        ) from error
    if done.returncode != 0:
        raise _failure(command[-1], done.stderr)
    return done.stdout


def _run_container(
    trivy: Trivy, command: list[str], folder: Path | None, db: Path, scratch: Path
) -> None:
    """Run Trivy in a container that sees these folders; only without a target, the network."""
    assert trivy.daemon is not None
    mounts = {
        str(db.resolve()): {"bind": "/db", "mode": "ro" if folder else "rw"},
        str(scratch.resolve()): {"bind": "/scratch", "mode": "rw"},
    }
    if folder:
        mounts[str(folder.resolve())] = {"bind": "/target", "mode": "ro"}
    ended = trivy.daemon.run(
        trivy.image_id,
        TIMEOUT_SECONDS + 30,
        entrypoint=["trivy"],
        command=_named(command, Path("/db"), Path("/scratch"))[1:],
        working_dir="/target" if folder else "/scratch",
        volumes=mounts,
        environment={"HOME": "/scratch", "TMPDIR": "/scratch"},
        user=f"{os.getuid()}:{os.getgid()}",
        network_mode="none" if folder else "bridge",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=_MEMORY,
    )
    if ended.status is None:
        raise ScanFailed(f"trivy gave no answer within its time: {command[-1]}", "timeout")
    if ended.status != 0:
        raise _failure(command[-1], ended.output)


def _failure(target: str, said: str) -> ScanFailed:
    """Return the error for what Trivy said on its way out."""
    found = (reason for reason, words in _REASONS.items() if any(word in said for word in words))
    reason = next(found, "other")
    last = "\n".join(f"  {line}" for line in said.strip().splitlines()[-3:])
    return ScanFailed(f"trivy failed on {target}. {_REMEDIES[reason]}:\n{last}", reason)
