"""Starts Trivy: the only module that does."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from helpers.capture.daemon import Daemon
from helpers.errors import KitError, ScanFailed

TIMEOUT_SECONDS = 15 * 60

QUIET = ["--skip-version-check", "--disable-telemetry", "--config", "EMPTY"]
LIMIT = ["--timeout", f"{TIMEOUT_SECONDS}s"]
"""Options of every command, and the time that Trivy gives itself."""

IMAGE = "aquasec/trivy:0.76.0"
"""What is run in a container where there is no local Trivy."""

INSTALL = "Install it: https://trivy.dev/docs/latest/getting-started/installation/"

_MEMORY = "4g"
_REASONS = {
    "no-java-db": (
        "cannot skip downloading Java DB",
        "Java DB update failed",
        "failed to download Java DB",
    ),
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
    "no-java-db": (
        "What Java archives hold is looked up in a DB of its own, and there is none beside the "
        "vulnerability DB. Once, while online: trivy image --download-java-db-only --cache-dir "
        "FOLDER, with the folder that the vulnerability DB is in"
    ),
    "no-image": "What was to be scanned is not there, or is no image archive",
    "no-db": "There is no usable vulnerability DB: name a folder that has one, or go online",
    "timeout": "The scan took too long: is the image very large, or the machine very busy?",
    "no-space": "The disk is full: free some space, or name another data folder with KIT_DATA",
    "other": "These are the scanner's own last words",
}


_DOWNLOADS = {
    "--download-db-only": "the vulnerability DB",
    "--download-java-db-only": "the Java DB",
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


def run(
    trivy: Trivy,
    command: list[str],
    db: Path,
    scratch: Path,
    target: Path | None = None,
    passed: Mapping[str, str] | None = None,
) -> None:
    """Run a command of Trivy's, in which `DB`, `REPORT` and `EMPTY` stand for files.

    `db` is its cache folder; the report is to be in `scratch`. With a `target`, the last word of
    the command and in whose folder it runs, it has no network where it runs in a container. Of the
    user's environment and Trivy settings nothing reaches it but what is `passed`. Raises
    `ScanFailed`.
    """
    (scratch / "empty.yaml").touch()
    if trivy.daemon:
        _run_container(trivy, command, target, db, scratch, passed)
    else:
        folder = target.parent if target else scratch
        extra = {"TMPDIR": str(scratch)} if target else {}
        _start(_named(command, db.resolve(), scratch), folder, extra | dict(passed or {}))


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
    passed: Mapping[str, str] | None = None,
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
    for option, told in _DOWNLOADS.items():
        if option in command:
            return told
    return command[-1]


def _failure(target: str, said: str) -> ScanFailed:
    """Return the error for what Trivy said on its way out."""
    found = (reason for reason, words in _REASONS.items() if any(word in said for word in words))
    reason = next(found, "other")
    said = said.replace("\t", " ")
    last = "\n".join(f"  {line}" for line in said.strip().splitlines()[-3:])
    return ScanFailed(f"trivy failed on {target}. {_REMEDIES[reason]}:\n{last}", reason)
