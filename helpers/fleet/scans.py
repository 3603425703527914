"""What scans there are: in a folder, by a glob or an address, of a study or of a captured fleet.

Nothing is opened here but what says what a study or a captured fleet has.
"""

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import msgspec

from helpers import paths
from helpers.errors import FleetInvalid, StudyInvalid
from helpers.scans import report_files
from helpers.scans.report_files import SUFFIXES
from helpers.studies import fleet_record, load
from helpers.studies.fleet_record import FleetFacts, FleetImage
from helpers.studies.rows import Evidence
from helpers.studies.study import NAME, open_study
from helpers.text import escape

ALWAYS = ""
"""Stamp of a file that is looked at in every run: nothing tells whether it changed."""

_MAGIC = re.compile(r"[*?\[]")

_STAMPS = (
    "ETag etag mtime LastModified last_modified updated generation version md5Hash "
    "created date_time chksum CRC"
).split()
"""What file systems call a sign that a file is still the same."""

_BARE = Evidence("")


_LONGEST = 200
"""Most letters of what a message quotes."""


class Table(NamedTuple):
    """Where an image's facts stand in tables: their files by frame, and its name in them."""

    files: tuple[tuple[str, str], ...]
    variant: str


class Scan(NamedTuple):
    """One scan: where it lies, and what is known of it besides.

    `path` opens it, `place` is shown; empty path: there is no scan, and `evidence.error` says why.
    A file with equal `place`, `size` and `stamp` has not changed. `context` is a digest of all that
    is known besides; empty: nothing. `shared` says whether other images have the same file; `table`
    is where its facts stand if it has no report.
    """

    path: str
    place: str
    size: int = 0
    stamp: str = ALWAYS
    context: str = ""
    evidence: Evidence = _BARE
    image: FleetImage | None = None
    shared: bool = False
    table: Table | None = None


class Listing(NamedTuple):
    """What there is: scans in the order of their places, the file system that has them, problems.

    `files` is an fsspec file system; `None`: the local one.
    """

    scans: list[Scan]
    files: Any = None
    problems: tuple[str, ...] = ()


def default_name(scans: str) -> str:
    """Return the name of a fleet of such scans: of the study, the last folder or the file.

    >>> default_name("s3://bucket/scans/2026/*.json"), default_name("/var/our scans/")
    ('2026', 'our-scans')
    """
    address = scans.split("::")[-1]
    scheme, separator, path = address.rpartition("://")
    if not separator:
        path = os.path.abspath(scans)  # noqa: PTH100
    parts = [part for part in path.split("/") if part and not _MAGIC.search(part)]
    name = parts[-1] if parts else scheme or "fleet"
    for suffix in (".gz", ".json", ".csv", ".parquet", ".tar", ".tgz", ".zip"):
        name = name.removesuffix(suffix)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-_")[:64]
    return name if NAME.fullmatch(name) else "fleet"


def listing(scans: str) -> Listing:
    """Return what there is of a folder, a file, a glob, an address, a study or a captured fleet.

    An address is one that fsspec knows, as `s3://bucket/folder`. A folder, a file or a glob comes
    before a study of that name, a study before a fleet. A study's default capture is taken. Links
    out of a folder are not followed. Raises `FleetInvalid` and `StudyInvalid`.
    """
    scans = scans.removeprefix("file://")
    if "://" in scans or "::" in scans:
        found = _remote(scans)
    elif os.path.lexists(scans):
        path = Path(os.path.abspath(scans))  # noqa: PTH100
        if (path / paths.FLEET_FACTS).is_file() and (path / paths.FLEET_IMAGES).is_file():
            found = _captured_here(path)
        else:
            found = _local(path)
    elif _MAGIC.search(scans):
        found = _matching(scans)
    elif NAME.fullmatch(scans) and (paths.study(scans) / "study.toml").is_file():
        found = _study(scans)
    elif NAME.fullmatch(scans) and (paths.fleet(scans) / paths.FLEET_FACTS).is_file():
        found = _captured_here(paths.fleet(scans))
    else:
        raise FleetInvalid(
            f"{scans}: no such folder, file or study. Pass a folder, a glob, an address such as "
            "s3://bucket/folder, a study or a captured fleet"
        )
    if not found.scans:
        told = "".join(f" ({problem})" for problem in found.problems[:1])
        raise FleetInvalid(
            f"{scans}: no scans in .json or .json.gz{told}. Pass the folder that has them"
        )
    return found


def stem(scan: Scan) -> str:
    """Return the name of a scan's file, without its suffix."""
    name = PurePosixPath(scan.place.partition("::")[0]).name
    return name.removesuffix(".gz").removesuffix(".json") or name


def _local(path: Path) -> Listing:
    """Return the scans in a folder and all folders in it, or the one that is a file."""
    if not path.is_dir():
        return Listing([_of_file(path, path.stat())])
    found = report_files.within(path)
    problems = [
        f"{paths.shown(Path(error.filename))}: cannot be read ({error.strerror})"
        for error in found.unread
    ]
    if links := len(found.outside):
        problems.append(f"{paths.shown(path)}: {links:,} links out of it were not followed")
    # A link that leads nowhere is told as a failed scan.
    scans = (
        _of_file(Path(entry), entry.stat())
        if entry.is_file()
        else Scan(entry.path, paths.shown(Path(entry)))
        for entry in found.files
    )
    return Listing(_sorted(scans), problems=tuple(problems))


def _matching(pattern: str) -> Listing:
    """Return the scans that a glob of local files matches."""
    parts = [Path(os.path.abspath(path)) for path in glob.glob(pattern, recursive=True)]  # noqa: PTH100, PTH207
    files = [path for path in parts if path.is_file() and not paths.is_other_evidence(str(path))]
    return Listing(_sorted(_of_file(path, path.stat()) for path in files))


def _of_file(path: Path, status: os.stat_result) -> Scan:
    return Scan(str(path), paths.shown(path), status.st_size, str(status.st_mtime_ns))


def _sorted(scans: Iterable[Scan]) -> list[Scan]:
    return sorted(scans, key=lambda scan: scan.place)


def _remote(address: str) -> Listing:
    """Return the scans at an address that fsspec knows."""
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(address)
        # A server of HTTP says of its folders that they are files, too.
        is_named = path.lower().endswith(SUFFIXES)
        is_file = (
            not _MAGIC.search(path) and (is_named or not files.isdir(path)) and files.isfile(path)
        )
        if is_file:
            found = {path: files.info(path)}
        else:
            find = files.glob if _MAGIC.search(path) else files.find
            found = find(path, detail=True)
    except Exception as error:
        # Each file system has errors of its own.
        told = str(error).split("\n")[0] or type(error).__name__
        raise FleetInvalid(
            f"{address}: cannot be listed ({told}). Check the address, your access, and that "
            "the package for its file system is installed"
        ) from error
    first, _, rest = address.partition("::")
    scheme = first.partition("://")[0]

    def shown(path: str) -> str:
        return f"{scheme}://{path}::{rest}" if rest else str(files.unstrip_protocol(path))

    def scan_at(path: str) -> Scan:
        return Scan(path, shown(path), int(found[path].get("size") or 0), _stamp(found[path]))

    def inside(name: str) -> str:
        return f"{folder}/{name}" if folder else name

    def is_other(path: str) -> bool:
        return paths.is_other_evidence(path, found.__contains__)

    folder = path.rstrip("/")
    if inside(paths.FLEET_FACTS) in found and inside(paths.FLEET_IMAGES) in found:
        return _captured(
            address,
            lambda name: files.cat_file(inside(name)),
            lambda name: scan_at(inside(name)) if inside(name) in found else None,
        )._replace(files=files)
    return Listing(
        _sorted(
            scan_at(path)
            for path, facts in found.items()
            if facts.get("type") == "file"
            and (is_file or (path.lower().endswith(SUFFIXES) and not is_other(path)))
        ),
        files,
    )


def _stamp(facts: dict[str, Any]) -> str:
    """Return what tells a file of an fsspec file system from a changed one."""
    return " ".join(str(facts[name]) for name in _STAMPS if facts.get(name)) or ALWAYS


def _study(name: str) -> Listing:
    """Return the scans of a study's default capture, with all that is known of them."""
    study = open_study(name)
    capture = study.facts("").capture
    folder = paths.capture(name, capture)
    common = [paths.study(name) / "study.toml", folder / paths.CAPTURE, folder / paths.EXPLOITATION]
    of_all = _digest(*map(_bytes, common))
    scans = []
    for evidence in load.evidence(name):
        own = paths.evidence(name, capture, evidence.variant)
        parts = (paths.IMAGE, paths.SMOKE, paths.VEX)
        context = _digest(
            of_all.encode(), evidence.variant.encode(), *(_bytes(own / p) for p in parts)
        )
        if evidence.path:
            scan = _of_file(evidence.path, evidence.path.stat())
        else:
            scan = Scan("", paths.shown(own), stamp="-")
        scans.append(scan._replace(context=context, evidence=evidence, shared=True))
    return Listing(_sorted(scans))


def _captured_here(folder: Path) -> Listing:
    """Return the scans of a captured fleet in a folder of this machine."""

    def scan_at(name: str) -> Scan | None:
        path = folder / name
        if "\0" in name or not path.resolve().is_relative_to(folder.resolve()):
            scan_name = escape.short(name, _LONGEST)
            raise FleetInvalid(f"{folder}: {scan_name} is outside the folder. Capture it again")
        try:
            return _of_file(path, path.stat())
        except OSError:
            return None

    return _captured(paths.shown(folder), lambda name: (folder / name).read_bytes(), scan_at)


def _captured(
    folder: str, read: Callable[[str], bytes], scan_at: Callable[[str], Scan | None]
) -> Listing:
    """Return the scans of a captured fleet: a row an image, also one that failed.

    `read` returns a file of the `folder`, and `scan_at` a scan, if it is there.
    """
    try:
        facts = msgspec.json.decode(read(paths.FLEET_FACTS), type=FleetFacts)
        images = fleet_record.images(read(paths.FLEET_IMAGES))
    except Exception as error:
        # File systems have errors of their own.
        problem = f"not a captured fleet ({escape.short(error, _LONGEST)})"
        raise FleetInvalid(f"{folder}: {problem}. Capture it again") from error
    used = Counter(image.scan for image in images)
    facts_digest = _digest(msgspec.json.encode(facts.db))
    scans = []
    for image in images:
        is_scanned = image.scan and image.status == fleet_record.SCANNED
        scan = scan_at(image.scan) if is_scanned else None
        lost = "its scan is missing. Capture it again" if is_scanned else "it was not scanned"
        evidence = Evidence(
            image.image,
            db_updated_at=facts.db.updated_at,
            db_coverage=facts.db.coverage,
            db_sha256=facts.db.sha256,
            reference=image.image,
            error=image.reason or ("" if scan else lost),
        )
        scan = scan or Scan("", folder, stamp="-")
        scans.append(
            scan._replace(
                context=_digest(facts_digest.encode(), msgspec.json.encode(image)),
                evidence=evidence,
                image=image,
                shared=used[image.scan] > 1 or not scan.path,
            )
        )
    return Listing(_sorted(scans))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StudyInvalid(f"{path}: cannot be read ({error.strerror}). Check the path") from error


def _digest(*parts: bytes) -> str:
    """Return a digest of several bytes, that knows where each ends."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
