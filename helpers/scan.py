"""Starts Trivy: the only module that does. What Trivy writes is not touched here."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from helpers.blobs import Blobs, is_compressed, open_blobs
from helpers.daemon import Daemon
from helpers.errors import KitError, ScanFailed
from helpers.manifest import contents
from helpers.tarstream import CHUNK

TIMEOUT_SECONDS = 15 * 60

IMAGE = "aquasec/trivy:0.76.0"
"""What is run in a container where there is no local Trivy."""

INSTALL = "Install it: https://trivy.dev/docs/latest/getting-started/installation/"

_MEMORY = "4g"
_OCI = "application/vnd.oci.image"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

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
    with tempfile.TemporaryDirectory(dir=report.parent, prefix=".scan-") as folder:
        scratch = Path(folder)
        (scratch / "empty.yaml").touch()
        if how == "archive":
            target = _readable(target, scratch)
        command = _command(how, target.name if target.name[0] != "-" else f"./{target.name}")
        if trivy.daemon:
            _run_container(trivy, command, target, db, scratch)
        else:
            _start(_named(command, db.resolve(), scratch), target.parent, {"TMPDIR": folder})
        shutil.move(scratch / "report.json", report)
    return command


def _readable(target: Path, scratch: Path) -> Path:
    """Return an archive that Trivy reads, and reads as the image that the kit takes it for.

    It knows an OCI layout as a folder only, takes the first of several platforms from it, and reads
    what `docker save` writes as if all layers were compressed, or none, like the lowest.
    """
    with open_blobs(target) as blobs:
        config, layers, _ = contents(blobs)
        if "manifest.json" in blobs and len({_layer_kind(blobs, name) for name in layers}) < 2:
            return target
        # In a folder's name, a colon would be before a tag.
        layout = scratch / "archive" / target.name.replace(":", "-")
        (layout / "blobs/sha256").mkdir(parents=True)
        manifest = {
            "schemaVersion": 2,
            "config": _copy(blobs, config, f"{_OCI}.config.v1+json", layout),
            "layers": [_copy(blobs, name, _layer_kind(blobs, name), layout) for name in layers],
        }
    (layout / "new").write_text(json.dumps(manifest))
    index = {"schemaVersion": 2, "manifests": [_moved(layout, f"{_OCI}.manifest.v1+json")]}
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return layout


def _layer_kind(blobs: Blobs, name: str) -> str:
    with blobs.open(name) as file:
        return f"{_OCI}.layer.v1.tar{'+gzip' if is_compressed(file) else ''}"


def _copy(blobs: Blobs, name: str, kind: str, layout: Path) -> dict[str, object]:
    """Copy a file of an archive into an OCI layout and return its descriptor."""
    with blobs.open(name) as file, (layout / "new").open("wb") as copy:
        shutil.copyfileobj(file, copy, CHUNK)
    return _moved(layout, kind)


def _moved(layout: Path, kind: str) -> dict[str, object]:
    """Move a file to its place in an OCI layout and return its descriptor."""
    path = layout / "new"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    path.rename(layout / "blobs/sha256" / digest)
    size = (layout / "blobs/sha256" / digest).stat().st_size
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


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
    with tempfile.TemporaryDirectory(dir=folder, prefix=".db-") as temporary:
        scratch = Path(temporary)
        (scratch / "empty.yaml").touch()
        # Where a DB is that is not old yet, Trivy would leave it at that, whatever was named.
        cache = scratch if repository else folder
        # A container does not have this machine's certificates.
        names = _PROXIES if trivy.daemon else _PROXIES + _CERTIFICATES
        passed = {name: os.environ[name] for name in names if name in os.environ}
        if trivy.daemon:
            _run_container(trivy, command, None, cache, scratch, passed)
        else:
            _start(_named(command, cache.resolve(), scratch), scratch, passed)
        if repository:
            if (folder / "db").exists():
                (folder / "db").rename(scratch / "before")
            (scratch / "db").rename(folder / "db")


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
    """Return a command with the names of files filled in, but for what is scanned: its last."""
    names = {"DB": db, "EMPTY": scratch / "empty.yaml", "REPORT": scratch / "report.json"}
    return [*(str(names.get(word, word)) for word in command[:-1]), command[-1]]


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
            f"trivy gave no answer within {error.timeout:.0f} s: {_target(command)}", "timeout"
        ) from error
    if done.returncode != 0:
        raise _failure(_target(command), done.stderr)
    return done.stdout


def _run_container(
    trivy: Trivy,
    command: list[str],
    target: Path | None,
    db: Path,
    scratch: Path,
    passed: dict[str, str] | None = None,
) -> None:
    """Run Trivy in a container that sees these alone; only without a target, the network."""
    assert trivy.daemon is not None
    mounts = [_mount(db, "/db", target is not None), _mount(scratch, "/scratch", False)]
    if target:
        mounts.append(_mount(target, f"/target/{target.name}", True))
    ended = trivy.daemon.run(
        trivy.image_id,
        TIMEOUT_SECONDS + 30,
        entrypoint=["trivy"],
        command=_named(command, Path("/db"), Path("/scratch"))[1:],
        working_dir="/target" if target else "/scratch",
        mounts=mounts,
        environment={"HOME": "/scratch", "TMPDIR": "/scratch", **(passed or {})},
        user=f"{os.getuid()}:{os.getgid()}",
        network_mode="none" if target else "bridge",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=_MEMORY,
    )
    if ended.status is None:
        raise ScanFailed(f"trivy gave no answer within its time: {command[-1]}", "timeout")
    if ended.status != 0:
        raise _failure(_target(command), ended.output)


def _mount(path: Path, target: str, read_only: bool) -> dict[str, object]:
    """Return a file or folder of this machine for a container; any character may be in its name."""
    return {"Type": "bind", "Source": str(path.resolve()), "Target": target, "ReadOnly": read_only}


def _target(command: list[str]) -> str:
    """Return what a command is about, for messages."""
    return "the vulnerability DB" if "--download-db-only" in command else command[-1]


def _failure(target: str, said: str) -> ScanFailed:
    """Return the error for what Trivy said on its way out."""
    found = (reason for reason, words in _REASONS.items() if any(word in said for word in words))
    reason = next(found, "other")
    said = said.replace("\t", " ")
    last = "\n".join(f"  {line}" for line in said.strip().splitlines()[-3:])
    return ScanFailed(f"trivy failed on {target}. {_REMEDIES[reason]}:\n{last}", reason)
