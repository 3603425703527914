"""Captures a study's evidence: one observation of its variants, whole or not at all."""

import hashlib
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from helpers import __version__, paths, scan
from helpers.errors import ScanFailed, StudyInvalid
from helpers.study import CAPTURE_NAME, Database, Facts, Study, open_study


def capture(study_name: str, name: str, db: Path, coverage: str = "") -> Path:
    """Scan every variant of a study against the DB in folder `db`; return the capture's folder.

    `coverage` says what the DB covers, where it is not the scanner's full one. Everything is
    written beside the capture's place and moved there whole. Raises `StudyInvalid` if the capture
    exists, `ScanFailed` if a variant cannot be scanned.
    """
    study = open_study(study_name)
    if not CAPTURE_NAME.fullmatch(name):
        raise StudyInvalid(f"capture {name!r}: name it by its date, like 2026-11 or 2026-11-24")
    final = paths.capture(study.name, name)
    if final.exists():
        raise StudyInvalid(f"{final} exists, and evidence is never overwritten; name another")
    staged = final.with_name(f".{name}.part")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        facts = _scanned(study, name, staged, db, coverage)
        text = msgspec.json.format(msgspec.json.encode(facts), indent=2)
        (staged / "capture.json").write_bytes(text + b"\n")
        staged.rename(final)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return final


def _scanned(study: Study, name: str, folder: Path, db: Path, coverage: str) -> Facts:
    """Scan a study's variants into a folder; return what is to be recorded of it."""
    started = datetime.now(UTC).replace(microsecond=0)
    variants = {}
    for variant in study.variants:
        sbom = paths.study(study.name) / variant.sbom
        if not sbom.is_file():
            raise ScanFailed(f"{sbom}: the SBOM of variant {variant.name!r} is not there")
        (folder / variant.name).mkdir(parents=True)
        begin = time.monotonic()
        version, command = scan.scan_sbom(sbom, folder / variant.name / "trivy.json", db)
        variants[variant.name] = {
            "status": "scanned",
            "source": variant.kind,
            "sbom": variant.sbom,
            "sbom_sha256": _sha256(sbom),
            "seconds": round(time.monotonic() - begin, 2),
        }
    return Facts(
        study=study.name,
        capture=name,
        captured_at=started,
        kit_version=__version__,
        scanner="trivy",
        scanner_version=version,
        db=database(db, coverage),
        command=[*command[:-1], "SBOM"],
        variants=variants,
    )


def database(folder: Path, coverage: str = "") -> Database:
    """Return version, time and digest of the DB in a Trivy cache folder."""
    metadata = msgspec.json.decode((folder / "db" / "metadata.json").read_bytes())
    return Database(
        version=metadata["Version"],
        updated_at=msgspec.convert(metadata["UpdatedAt"], datetime),
        sha256=_sha256(folder / "db" / "trivy.db"),
        coverage=coverage,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
