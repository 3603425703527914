"""Scans an image or an SBOM with Trivy. What Trivy writes is not touched here."""

import shutil
import tempfile
from pathlib import Path

from helpers.capture import scan_input, vulndb
from helpers.capture.trivy_program import LIMIT, QUIET, Trivy, run
from helpers.errors import ScanFailed


def scan(trivy: Trivy, how: str, target: Path, report: Path, db: Path) -> list[str]:
    """Scan an `archive` or an `sbom` offline against the DB in folder `db`; write `report`.

    Returns the command, in which files are named `DB`, `REPORT` and `EMPTY`. The target's folder is
    the working directory, so the report names no path of this machine. Nothing of the user's
    environment or Trivy settings reaches the scan. Raises `ScanFailed`.
    """
    vulndb.check(db)
    if not target.exists():
        raise ScanFailed(f"{target}: there is no such {how} to scan", "no-image")
    with tempfile.TemporaryDirectory(dir=report.parent, prefix=".scan-") as folder:
        scratch = Path(folder)
        if how == "archive":
            target = scan_input.readable_layout(target, scratch)
        else:
            target = scan_input.readable_spdx(target, scratch)
        command = _command(how, target.name if target.name[0] != "-" else f"./{target.name}")
        run(trivy, command, db, scratch, target)
        shutil.move(scratch / "report.json", report)
    return command


def _command(how: str, target: str) -> list[str]:
    return [
        *("trivy", "image" if how == "archive" else "sbom"),
        *("--cache-dir", "DB", "--cache-backend", "memory"),
        *("--skip-db-update", "--skip-java-db-update", "--offline-scan", *QUIET),
        # The folder that is scanned from could have a .trivyignore of its own.
        *("--ignorefile", "EMPTY", "--scanners", "vuln", "--pkg-types", "os,library"),
        *("--list-all-pkgs", *LIMIT, "--format", "json", "--output", "REPORT"),
        *(("--input",) if how == "archive" else ()),
        target,
    ]
