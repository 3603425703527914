"""Starts Trivy: the only module that does. What Trivy writes is not touched here."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from helpers.errors import ScanFailed

TIMEOUT_SECONDS = 15 * 60

INSTALL = "Install it: https://trivy.dev/docs/latest/getting-started/installation/"


class Scan(NamedTuple):
    """What a scan was run with. The command names files as `DB`, `REPORT`, `EMPTY`, not paths."""

    scanner_version: str
    command: list[str]


def scan_sbom(sbom: Path, report: Path, db: Path) -> Scan:
    """Scan an SBOM with the local Trivy, offline, against the DB in folder `db`; write `report`.

    The folder of the SBOM is the working directory, so the report names no path of this machine.
    Nothing of the user's environment or Trivy settings reaches the scan. Raises `ScanFailed`.
    """
    if not (db / "db" / "trivy.db").is_file():
        raise ScanFailed(
            f"{db}: no vulnerability DB (db/trivy.db) in this folder. Name one that has"
        )
    with tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch) / "empty.yaml"
        empty.touch()
        written = Path(scratch) / "report.json"
        names = {"DB": db.resolve(), "EMPTY": empty, "REPORT": written}
        command = _command(sbom.name)
        # The folder that is scanned from is never one with a .trivyignore of its own accord:
        # --ignorefile and --config name an empty file.
        _run([str(names.get(word, word)) for word in command], sbom.parent)
        shutil.move(written, report)
    return Scan(version(), command)


def version() -> str:
    """Return the version of the local Trivy. Raises `ScanFailed` if there is none."""
    told = json.loads(_run(["trivy", "version", "--format", "json", "--cache-dir", os.devnull]))
    return str(told["Version"])


def _command(target: str) -> list[str]:
    return [
        *("trivy", "sbom", "--cache-dir", "DB", "--cache-backend", "memory"),
        *("--skip-db-update", "--skip-java-db-update", "--offline-scan", "--skip-version-check"),
        *("--disable-telemetry", "--config", "EMPTY", "--ignorefile", "EMPTY"),
        *("--scanners", "vuln", "--pkg-types", "os,library", "--list-all-pkgs"),
        *("--timeout", f"{TIMEOUT_SECONDS}s", "--format", "json", "--output", "REPORT", target),
    ]


def _run(command: list[str], folder: Path | None = None) -> str:
    """Run Trivy in a clean environment and return what it prints."""
    executable = shutil.which(command[0])
    if executable is None:
        raise ScanFailed(f"trivy is not on the PATH. {INSTALL}")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": tempfile.gettempdir()}
    try:
        done = subprocess.run(
            [executable, *command[1:]],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS + 30,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ScanFailed(
            f"trivy gave no answer within {error.timeout:.0f} s: {command[-1]}"
        ) from error
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-3:])
        raise ScanFailed(f"trivy failed on {command[-1]}:\n{last}")
    return done.stdout
