"""Scans an image archive or an SBOM with Trivy, and leaves its report as it is.

Only the places of VEX documents in it become their names.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import ScanFailed
from helpers.images import oci
from helpers.images.oci import Platform
from helpers.scanning import scan_input, vulndb
from helpers.scanning.hand_on_vex import Given
from helpers.scanning.trivy_program import LIMIT, QUIET, VEX, Trivy, run
from helpers.vex.evidence import CYCLONEDX

_CYCLONEDX_SOURCE = "CycloneDX VEX"
"""What Trivy's reports call each document of that format."""


def scan(
    trivy: Trivy,
    kind: str,
    target: Path,
    report: Path,
    db: Path,
    wanted: Platform = oci.ANY,
    documents: Sequence[Given] = (),
) -> list[str]:
    """Scan an `archive` or an `sbom` offline against the DB in folder `db`; write `report`.

    Of an archive of several platforms the wanted one is scanned, else this machine's. Trivy is
    given the VEX `documents`, and lists what they suppress apart. Returns the command, with `DB`,
    `REPORT`, `EMPTY` and `VEX/name` in place of files. It runs in the target's folder, so the
    report has no path of this machine. Nothing of the user's environment or Trivy settings reaches
    it. Raises `ScanFailed`.
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
        (scratch / VEX).mkdir()
        for each in documents:
            (scratch / VEX / each.document.name).write_bytes(each.text)
        names = [each.document.name for each in documents]
        name = target.name if target.name[0] != "-" else f"./{target.name}"
        command = _command(kind, name, names)
        run(trivy, command, db, scratch, target)
        if documents:
            _name_sources(scratch / "report.json", documents)
        shutil.move(scratch / "report.json", report)
    return command


def _command(kind: str, target: str, documents: Sequence[str] = ()) -> list[str]:
    return [
        *("trivy", "image" if kind == "archive" else "sbom"),
        *("--cache-dir", "DB", "--cache-backend", "memory"),
        *("--skip-db-update", "--skip-java-db-update", "--offline-scan", *QUIET),
        # The target's folder may have a .trivyignore.
        *("--ignorefile", "EMPTY", "--scanners", "vuln", "--pkg-types", "os,library"),
        *("--list-all-pkgs", *LIMIT, "--format", "json", "--output", "REPORT"),
        *(word for name in documents for word in ("--vex", f"{VEX}/{name}")),
        *(("--show-suppressed",) if documents else ()),
        *(("--input",) if kind == "archive" else ()),
        target,
    ]


def _name_sources(report: Path, documents: Sequence[Given]) -> None:
    """Name each document in a report by its name, not by the place where Trivy read it."""
    names = {each.document.name: each.document.name for each in documents}
    unnamed = [each.document.name for each in documents if each.document.format == CYCLONEDX]
    if len(unnamed) == 1:
        names[_CYCLONEDX_SOURCE] = unnamed[0]
    decoded = json.loads(report.read_bytes())
    for result in decoded.get("Results") or []:
        for found in result.get("ExperimentalModifiedFindings") or []:
            source = found["Source"].rpartition("/")[2]
            found["Source"] = names.get(source, source)
    report.write_text(json.dumps(decoded, ensure_ascii=False))
