"""Scans an image archive or an SBOM with Trivy, and leaves its report unchanged."""

import shutil
import tempfile
from pathlib import Path

from helpers.capture import scan_input, vulndb
from helpers.capture.trivy_program import LIMIT, QUIET, Trivy, run
from helpers.errors import ScanFailed
from helpers.images import oci
from helpers.images.oci import Platform


def scan(
    trivy: Trivy,
    kind: str,
    target: Path,
    report: Path,
    db: Path,
    wanted: Platform = oci.ANY,
) -> list[str]:
    """Scan an `archive` or an `sbom` offline against the DB in folder `db`; write `report`.

    Of an archive of several platforms the wanted one is scanned, else this machine's. Returns the
    command, with `DB`, `REPORT` and `EMPTY` in place of files. It runs in the target's
    folder, so the report has no path of this machine. Nothing of the user's environment or Trivy
    settings reaches it. Raises `ScanFailed`.
    """
    vulndb.check(db)
    if not target.exists():
        raise ScanFailed(f"{target}: no such {kind} to scan", "no-image")
    with tempfile.TemporaryDirectory(dir=report.parent, prefix=".scan-") as folder:
        scratch = Path(folder)
        if kind == "archive":
            target = scan_input.archive(target, scratch, wanted)
        else:
            target = scan_input.sbom(target, scratch)
        command = _command(kind, target.name if target.name[0] != "-" else f"./{target.name}")
        run(trivy, command, db, scratch, target)
        shutil.move(scratch / "report.json", report)
    return command


def _command(kind: str, target: str) -> list[str]:
    return [
        *("trivy", "image" if kind == "archive" else "sbom"),
        *("--cache-dir", "DB", "--cache-backend", "memory"),
        *("--skip-db-update", "--skip-java-db-update", "--offline-scan", *QUIET),
        # The target's folder may have a .trivyignore.
        *("--ignorefile", "EMPTY", "--scanners", "vuln", "--pkg-types", "os,library"),
        *("--list-all-pkgs", *LIMIT, "--format", "json", "--output", "REPORT"),
        *(("--input",) if kind == "archive" else ()),
        target,
    ]
