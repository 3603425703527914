"""Runs Trivy, from a local binary or in a container: the only module that starts it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct, field

from helpers.comparability import scanner_releases
from helpers.containers.daemon import Daemon
from helpers.errors import KitError, ScanFailed
from helpers.text import escape

TIMEOUT_SECONDS = 15 * 60

QUIET = ["--skip-version-check", "--disable-telemetry", "--config", "EMPTY"]
LIMIT = ["--timeout", f"{TIMEOUT_SECONDS}s"]
"""Options of every command, and Trivy's own time limit."""

VEX = "VEX"
"""Folder of VEX documents in the scratch folder; `VEX/name` stands for one in a command."""

IMAGE = "aquasec/trivy:0.76.0"
"""The container image to run where there is no local Trivy."""

_INSTALL = (
    "Install it: brew install trivy, or curl -sfL https://raw.githubusercontent.com/aquasecurity/"
    "trivy/main/contrib/install.sh | sh -s -- -b ~/.local/bin "
    "(https://trivy.dev/docs/latest/getting-started/installation/)"
)

_MEMORY = "4g"
_REASONS = {
    # The first reason that is found counts. A full disk comes first: it causes others.
    "no-space": ("no space left on device",),
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
        # Of one that is damaged: https://github.com/etcd-io/bbolt reads it, and Trivy its JSON.
        "go.etcd.io/bbolt",
        "json unmarshal error",
    ),
    "timeout": ("context deadline exceeded",),
}
_REMEDIES = {
    "no-java-db": (
        "Java archives need Trivy's Java DB, and the folder of the vulnerability DB has none. Run "
        "once, online: trivy image --download-java-db-only --cache-dir FOLDER, with that folder"
    ),
    "no-image": "The target does not exist, or is not an image archive",
    "no-db": (
        "The vulnerability DB is missing or damaged: check the network, or pass a folder that has "
        "one"
    ),
    "timeout": "The scan took too long: the image may be very large, or the machine busy",
    "no-space": "The disk is full: free some space, or set KIT_DATA to another folder",
    "other": "Its last output",
}

_DOWNLOADS = {
    "--download-db-only": "the vulnerability DB",
    "--download-java-db-only": "the Java DB",
}


class _Version(Struct):
    """What Trivy says of itself."""

    version: str = field(name="Version")


class Trivy(NamedTuple):
    """A Trivy that answered: the local binary, or with a daemon its container image."""

    version: str
    daemon: Daemon | None = None
    image_id: str = ""

    def label(self) -> str:
        """Return `binary`, or the container image and its id."""
        return f"{IMAGE} {self.image_id}" if self.daemon else "binary"


def find(daemon: Daemon | None = None) -> Trivy:
    """Return the local Trivy, else its container image on a daemon, pulled if missing.

    Raises `ScanFailed` if there is neither, and for a release that was not the project's.
    """
    if shutil.which("trivy"):
        command = ["trivy", "version", "--format", "json", "--cache-dir", "."]
        answer = _run_binary(command)
        try:
            version = msgspec.json.decode(answer, type=_Version).version
        except (msgspec.MsgspecError, RecursionError) as error:
            shown = escape.plain(answer.strip()[:80])
            raise ScanFailed(
                f"{shutil.which('trivy')}: printed {shown!r} instead of its version. "
                f"Is it Trivy? {_INSTALL}"
            ) from error
        if scanner_releases.is_not_the_projects(version):
            raise ScanFailed(
                f"{shutil.which('trivy')}: Trivy {escape.plain(version)} is malware of March 2026, "
                f"not a release of the Trivy project. {scanner_releases.REMEDY}",
                "scanner-compromised",
            )
        return Trivy(version)
    if daemon is None:
        raise ScanFailed(
            f"trivy is not on the PATH, and there is no Docker daemon to run it in. {_INSTALL}",
            "no-scanner",
        )
    try:
        image = daemon.find(IMAGE) or daemon.pull(IMAGE)
    except KitError as error:
        raise ScanFailed(
            f"trivy is not on the PATH, and its container image cannot be pulled ({error}). "
            f"{_INSTALL}",
            "no-scanner",
        ) from error
    return Trivy(IMAGE.rpartition(":")[2], daemon, str(image["Id"]))


def run(
    trivy: Trivy,
    command: list[str],
    db: Path,
    scratch: Path,
    target: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a Trivy command, in which `DB`, `REPORT`, `EMPTY` and `VEX/name` stand for files.

    `db` is the cache folder; the report is written to `scratch`. A `target` is the last word of the
    command, which runs in the target's folder, and in a container without a network. Trivy gets
    only this `environment`, nothing else of the user's and none of the user's Trivy settings.
    Raises `ScanFailed`.
    """
    (scratch / "empty.yaml").touch()
    if trivy.daemon:
        _run_container(trivy, command, db, scratch, target, environment or {})
    else:
        folder = target.parent if target else scratch
        extra = {"TMPDIR": str(scratch)} if target else {}
        command = _with_files(command, db.resolve(), scratch)
        _run_binary(command, folder, {**extra, **(environment or {})})


def _with_files(command: list[str], db: Path, scratch: Path) -> list[str]:
    """Return a command with the paths of its files; the last word, the target, stays."""
    files = {"DB": db, "EMPTY": scratch / "empty.yaml", "REPORT": scratch / "report.json"}
    words = [str(files.get(word, word)) for word in command[:-1]]
    return [*(_vex(word, scratch) for word in words), command[-1]]


def _vex(word: str, scratch: Path) -> str:
    """Return the path of a VEX document in place of its name, and any other word as it is.

    Trivy reads the option as a line of CSV.
    """
    if not word.startswith(f"{VEX}/"):
        return word
    path = str(scratch / word).replace('"', '""')
    return f'"{path}"'


def _run_binary(
    command: list[str], folder: Path | None = None, extra: Mapping[str, str] | None = None
) -> str:
    """Run the local Trivy in a clean environment; return its output."""
    executable = shutil.which(command[0])
    if executable is None:
        raise ScanFailed(f"trivy is not on the PATH. {_INSTALL}", "no-scanner")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": tempfile.gettempdir()}
    try:
        done = subprocess.run(
            [executable, *command[1:]],
            cwd=folder or tempfile.gettempdir(),
            env=environment | dict(extra or {}),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS + 30,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _timeout(command) from error
    except OSError as error:
        problem = f"cannot be started ({error.strerror or error})"
        raise ScanFailed(f"{executable}: {problem}. {_INSTALL}") from error
    if done.returncode != 0:
        raise _failure(_subject(command), done.stderr)
    return done.stdout


def _run_container(
    trivy: Trivy,
    command: list[str],
    db: Path,
    scratch: Path,
    target: Path | None,
    environment: Mapping[str, str],
) -> None:
    """Run Trivy in a container that sees only these files, and a network only without a target."""
    assert trivy.daemon is not None
    mounts = [_mount(db, "/db", target is not None), _mount(scratch, "/scratch", False)]
    if target:
        mounts.append(_mount(target, f"/target/{target.name}", True))
    ended = trivy.daemon.run(
        trivy.image_id,
        TIMEOUT_SECONDS + 30,
        entrypoint=["trivy"],
        command=_with_files(command, Path("/db"), Path("/scratch"))[1:],
        working_dir="/target" if target else "/scratch",
        mounts=mounts,
        environment={"HOME": "/scratch", "TMPDIR": "/scratch", **environment},
        user=f"{os.getuid()}:{os.getgid()}",
        network_mode="none" if target else "bridge",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=_MEMORY,
    )
    if ended.status is None:
        raise _timeout(command)
    if ended.status != 0:
        raise _failure(_subject(command), ended.output)


def _mount(path: Path, target: str, read_only: bool) -> dict[str, object]:
    """Return the mount of a local file or folder, whose name may have any character."""
    return {"Type": "bind", "Source": str(path.resolve()), "Target": target, "ReadOnly": read_only}


def _subject(command: list[str]) -> str:
    """Return the scanned file or downloaded DB of a command, for error messages."""
    downloads = (name for option, name in _DOWNLOADS.items() if option in command)
    return next(downloads, command[-1])


def _timeout(command: list[str]) -> ScanFailed:
    seconds = TIMEOUT_SECONDS + 30
    return ScanFailed(f"trivy did not end within {seconds:.0f} s: {_subject(command)}", "timeout")


def _failure(subject: str, output: str) -> ScanFailed:
    """Return the error for the output of a Trivy that failed."""
    reasons = (
        reason for reason, parts in _REASONS.items() if any(part in output for part in parts)
    )
    reason = next(reasons, "other")
    # What follows a panic of Go's is a stack of calls, which tells no user anything.
    told = output.partition("\ngoroutine ")[0]
    lines = told.replace("\t", " ").strip().splitlines()[-3:]
    last = "\n".join(f"  {line}" for line in lines)
    return ScanFailed(f"trivy failed on {subject}. {_REMEDIES[reason]}:\n{last}", reason)
