"""A study of many captures, made fast of recorded reports that change a little from day to day.

`python -m tests.support.series FOLDER [CAPTURES]` makes one below a data folder.
"""

import copy
import gzip
import os
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from helpers import paths
from helpers.studies.study import Captured, Database, Facts

RECORDED = [
    ("blog-2022", "2026-11", "nodejs-alpine"),
    ("blog-2022", "2026-11", "nodejs-distroless"),
    ("matched-2026", "2026-11", "node-24-alpine"),
    ("matched-2026", "2026-11", "node-24-distroless"),
    ("matched-2026", "2026-11", "node-24-slim"),
    ("rebuilt-2026", "2026-11-24", "node-24-debian"),
    ("rebuilt-2026", "2026-11-24", "node-8-distroless"),
    ("rebuilt-python-2026", "2026-11-26", "python-3.13-debian"),
    ("rebuilt-python-2026", "2026-11-26", "python-3.13-slim"),
    ("rebuilt-python-2026", "2026-11-26", "python-3.13-distroless"),
]
"""Images of the committed studies, most of which have findings."""

FIRST = date(2024, 1, 1)

OLD, NEW = "0.69.0", "0.76.0"
"""Versions of the scanner."""

_NEW_IMAGE, _NEW_DATABASE, _KNOWN_AT_FIRST = 9, 3, 0.6
"""Captures between two images, and two databases; the share of findings known from the start."""


class Series(NamedTuple):
    """What was made: its study, its captures, and what happened in them.

    `images` are the captures with a new image, by variant, `databases` those whose database knows
    more, `scanner` the first one with another scanner, `gap` a day without a capture, `broken` the
    capture and variant of which a scan found nothing although its packages are as before. What does
    not fit in so few captures is empty.
    """

    study: str
    captures: list[str]
    images: dict[str, list[str]]
    databases: list[str]
    scanner: str
    gap: str
    broken: tuple[str, str]


def make(
    data: Path, captures: int, images: int = 10, study: str = "series", daily: bool = True
) -> Series:
    """Make a study of captures of recorded images below a data folder; return what is in it.

    With `daily` each capture has a database of its own, though most find nothing new; else what did
    not change is a hard link, as the kit makes it.
    """
    folder = data / "studies" / study
    folder.mkdir(parents=True)
    made = [_Image(*origin) for origin in RECORDED[:images]]
    (folder / "study.toml").write_text(_toml(made))
    gap_at = captures // 3 if captures > 5 else captures
    broken_at = captures // 2 + 1 if captures > 5 else captures
    scanner_at = captures * 2 // 3 if captures > 5 else captures
    days = [FIRST + timedelta(place + (place >= gap_at)) for place in range(captures)]
    new_images: dict[str, list[str]] = {image.name: [] for image in made}
    databases: list[str] = []
    for place, day in enumerate(days):
        version = NEW if place >= scanner_at else OLD
        if place % _NEW_DATABASE == 0:
            databases.append(str(day))
        variants = {}
        for number, image in enumerate(made):
            if place and place % _NEW_DATABASE == 0:
                image.learn()
            if place and (place + number) % _NEW_IMAGE == 0 and image.update():
                new_images[image.name].append(str(day))
            is_broken = place == broken_at and number == len(made) - 1
            image.write(folder / str(day), day, version, daily, is_broken)
            variants[image.name] = image.captured()
        made_on = datetime.combine(day, time(3), UTC)
        known = (
            made_on if daily else datetime.combine(date.fromisoformat(databases[-1]), time(), UTC)
        )
        db = Database(2, known, f"{known:%Y%m%d}".zfill(64), "", "a folder that was given")
        facts = Facts(study, str(day), made_on, "0.1.0", "trivy", version, db, variants)
        (folder / str(day) / "capture.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(facts), indent=2)
        )
    at = [*map(str, days), ""]
    gap = str(days[gap_at] - timedelta(1)) if gap_at < captures else ""
    broken = (at[broken_at], made[-1].name if at[broken_at] else "")
    return Series(study, at[:-1], new_images, databases, at[scanner_at], gap, broken)


class _Image:
    """One recorded image, as it is at a day: what is known of it by then, and what was updated."""

    def __init__(self, study: str, capture: str, variant: str) -> None:
        self.recorded = paths.ROOT / "data" / "studies" / study / capture / variant
        self.name, self.version = variant, 0
        text = paths.reports(self.recorded)["trivy"].read_bytes()
        text = gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text
        self.report = msgspec.json.decode(text)
        self.has_files = (self.recorded / paths.FILES).exists()
        # What is known first and last is spread over the packages.
        found = sorted(
            (finding["VulnerabilityID"][::-1], number, at)
            for number, result in enumerate(self.report["Results"])
            for at, finding in enumerate(result.get("Vulnerabilities") or [])
        )
        self.all = [
            (number, self.report["Results"][number]["Vulnerabilities"][at])
            for _, number, at in found
        ]
        self.known = int(len(self.all) * _KNOWN_AT_FIRST)
        self.body: dict[tuple[str, bool], bytes] = {}
        self.before: Path | None = None
        self.state: tuple[object, ...] = ()

    def learn(self) -> None:
        """Let a database know one vulnerability more."""
        if self.known < len(self.all):
            self.known += 1
            self.body.clear()

    def update(self) -> bool:
        """Update the package of the first finding that has a fix; return whether there is one."""
        fixable = (each for each in self.all[: self.known] if each[1].get("FixedVersion"))
        number, finding = next(fixable, (0, None))
        if finding is None:
            return False
        name, self.version = finding["PkgName"], self.version + 1
        for package in self.report["Results"][number]["Packages"]:
            if package["Name"] == name:
                package["Version"] = finding["FixedVersion"].split(",")[0]
        gone = [n == number and f["PkgName"] == name for n, f in self.all]
        self.known -= sum(gone[: self.known])
        self.all = [each for each, is_gone in zip(self.all, gone, strict=True) if not is_gone]
        self.body.clear()
        return True

    def write(self, capture: Path, day: date, scanner: str, daily: bool, is_broken: bool) -> None:
        """Write the evidence of a day."""
        folder = capture / self.name
        folder.mkdir(parents=True)
        state = (self.known, self.version, scanner, is_broken)
        if self.before and not daily and state == self.state:
            os.link(self.before / paths.REPORT, folder / paths.REPORT)
        else:
            head = {
                "SchemaVersion": 2,
                "Trivy": {"Version": scanner},
                "CreatedAt": f"{day}T03:00:00Z",
            }
            # Two members are one gzip: what is as it was is not compressed again.
            first = gzip.compress(msgspec.json.encode(head)[:-1] + b",", 1, mtime=0)
            (folder / paths.REPORT).write_bytes(first + self._body(scanner, is_broken))
        if self.has_files:
            for name in (paths.FILES, paths.SMOKE):
                os.link(self.before / name, folder / name) if self.before else (
                    (folder / name).write_bytes((self.recorded / name).read_bytes())
                )
            if self.before and state[1] == self.state[1]:
                os.link(self.before / paths.IMAGE, folder / paths.IMAGE)
            else:
                image = msgspec.json.decode((self.recorded / paths.IMAGE).read_bytes())
                image["image_id"] = self.identity()
                (folder / paths.IMAGE).write_bytes(msgspec.json.encode(image))
        self.before, self.state = folder, state

    def identity(self) -> str:
        """Return the digest of the image as it is."""
        return f"sha256:{self.version:08x}{self.name.encode().hex():0<56.56}"

    def captured(self) -> Captured:
        """Return what a capture says of it."""
        missing = {} if self.has_files else dict.fromkeys(("image", "files", "smoke"), "an SBOM")
        kind = "image" if self.has_files else "sbom"
        return Captured("scanned", kind, f"{self.name}:1", self.identity(), missing=missing)

    def _body(self, scanner: str, is_broken: bool) -> bytes:
        """Return all of the report but its head, compressed; a broken scan finds nothing."""
        if (found := self.body.get((scanner, is_broken))) is None:
            results = copy.copy(self.report["Results"])
            for number, result in enumerate(results):
                listed = [] if is_broken else [f for n, f in self.all[: self.known] if n == number]
                results[number] = {**result, "Vulnerabilities": listed}
            kept = {
                key: value
                for key, value in self.report.items()
                if key not in ("SchemaVersion", "Trivy", "CreatedAt", "ReportID", "Results")
            }
            kept = _with_id(kept, self.identity()) | {"Results": results}
            found = gzip.compress(msgspec.json.encode(kept)[1:], 1, mtime=0)
            self.body[scanner, is_broken] = found
        return found


def _with_id(report: dict[str, Any], identity: str) -> dict[str, Any]:
    """Return a report with another id of its image, if it has one."""
    about = report.get("Metadata") or {}
    if "ImageID" not in about:
        return report
    return report | {"Metadata": about | {"ImageID": identity}}


def _toml(images: list[_Image]) -> str:
    lines = ['title = "A series"', 'question = "What changed?"', 'about = "Made by tests."']
    for image in images:
        kind = "image" if image.has_files else "sbom"
        lines += ["[[variants]]", f'name = "{image.name}"', f'{kind} = "{image.name}:1"']
        lines += ["start = false"] if image.has_files else []
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500).captures[-1])
