"""Import kept reports as captures: one folder a day, or files with dates in their names.

A report's day comes from the nearest folder with a date in its name, else from its file name, else
from its content. `kept_images` finds its image. Each day becomes one capture, written atomically,
so the next run resumes a killed one. An unreadable report is a failed image with the reason. Days
without reports are gaps.
"""

import itertools
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from helpers import __version__, clock, own_file, paths, whole
from helpers.capture import kept_images, prune, sharing, staging
from helpers.capture.evidence import PACKAGES_ONLY
from helpers.capture.kept_images import DATE, Report
from helpers.capture.new_study import toml
from helpers.errors import KitError, ReportInvalid, StudyInvalid
from helpers.frames import utc
from helpers.scanning import redact_report
from helpers.scans import report_files
from helpers.studies import study
from helpers.studies.landmarks import day
from helpers.studies.study import OTHERS, Captured, Database, Facts, Study, open_study

ABOUT = "Made by `history`."
"""How a study marks that this module may add to it."""

_LIKE_DATE = re.compile(r"(?<!\d)\d{4}(?P<s>[-_.])\d\d(?P=s)\d\d(?!\d)")
"""Texts that look like dates, such as `2024-02-30` and `0001-01-01`."""

_FIRST_DAY, _AHEAD = date(1990, 1, 1), timedelta(days=366)
"""Dates before this day, or further ahead than this, are ignored."""


class Taken(NamedTuple):
    """Names of new and of existing captures, and problems."""

    made: list[str]
    there: list[str]
    problems: list[str]


def take(study_name: str, folder: Path) -> Taken:
    """Make a capture for each day of the reports in a folder, and the study if it is missing.

    Existing captures stay unchanged. A broken report of a known image is a failed variant with the
    reason. Raises `StudyInvalid` if `history` did not make the study or if there is no report, and
    the kit's error for a full disk.
    """
    existing = _existing(study_name)
    found, problems = _found(folder, _taken(existing) if existing else {})
    found, others = kept_images.named(found, existing.variants if existing else [])
    problems += others
    by_capture = _by_capture(study_name, found)
    if not by_capture:
        raise StudyInvalid(
            "\n".join([f"{folder}: no report with a date (.json, .json.gz)", *problems])
        )
    prune.finish(paths.study(study_name))
    there = {name: by_capture[name] for name in by_capture if existing and existing.has(name)}
    wanted = {name: reports for name, reports in by_capture.items() if name not in there}
    opened = _study(study_name, wanted)
    problems += _late(opened, there)
    made: list[str] = []
    with staging.stage(opened) as staged:
        earlier = opened.captures()
        for name, reports in wanted.items():
            problems += _stage(opened, staged / name, reports)
            before = [other for other in earlier + made if other < name]
            if before:
                sharing.share(staged / name, paths.capture(opened.name, max(before)))
            # A parallel run over the same reports may have made it.
            with whole.alone(paths.study(opened.name)):
                if not opened.has(name):
                    (staged / name).rename(paths.capture(opened.name, name))
                    made.append(name)
                    continue
            there[name] = reports
            problems += _late(opened, {name: reports})
    return Taken(sorted(made), sorted(there), problems)


def _found(
    folder: Path, taken: dict[tuple[date, str], tuple[str, str]]
) -> tuple[list[Report], list[str]]:
    """Return the reports in a folder, and the problems of the others.

    Reports that a capture has already (`taken`) are not read again.
    """
    files: list[tuple[Path, datetime | None, bool]] = []
    found = report_files.within(folder)
    problems = [f"{error.filename}: cannot be read ({error.strerror})" for error in found.unread]
    problems += [
        f"{Path(entry).relative_to(folder)}: not followed, since it links outside the folder"
        for entry in sorted(found.outside, key=Path)
    ]
    for path in sorted(map(Path, found.files)):
        try:
            files.append((path, *_moment(path.relative_to(folder))))
        except ReportInvalid as error:
            problems.append(f"{error.path}: {error.problem}")
    alike = Counter((moment.date(), path.name) for path, moment, _ in files if moment)
    reports = []
    for path, moment, has_time in files:
        inside = path.relative_to(folder)
        key = (moment.date(), path.name) if moment else None
        if moment and key and alike[key] == 1 and key in taken:
            capture, variant = taken[key]
            reports.append(Report(path, inside, moment, has_time, variant, capture))
            continue
        said = kept_images.said(path)
        moment = moment or _dated(said.created_at)
        if moment:
            reports.append(Report(path, inside, moment, has_time, said=said))
        else:
            why = said.problem or "no date in the file name, the folder name or the report"
            problems.append(f"{inside}: {why}")
    # A problem with a folder's name is reported once, not for each file.
    return reports, list(dict.fromkeys(problems))


def _taken(existing: Study) -> dict[tuple[date, str], tuple[str, str]]:
    """Return the capture and variant that have a report, by day and file name."""
    found: dict[tuple[date, str], tuple[str, str]] = {}
    several = set()
    for capture in existing.captures():
        for variant, captured in existing.facts(capture).variants.items():
            key = day(capture), captured.reference
            if key in found:
                several.add(key)
            elif captured.status == "scanned":
                found[key] = capture, variant
    return {key: where for key, where in found.items() if key not in several}


def _late(opened: Study, there: dict[str, list[Report]]) -> list[str]:
    """Return the reports that existing captures lack."""
    return [
        f"{name} exists already; {report.path.name} was not imported"
        for name, reports in there.items()
        for report in reports
        if report.said.scanner
        and report.said.scanner not in _kept(opened.name, name, report.variant)
    ]


def _kept(study_name: str, capture: str, variant: str) -> set[str]:
    """Return the scanners of a variant's reports in a capture."""
    return {*paths.reports(paths.evidence(study_name, capture, variant))}


def _by_capture(study_name: str, reports: list[Report]) -> dict[str, list[Report]]:
    """Return reports by the name of their capture, oldest first.

    The name has the folder's time. A capture has one report per image and scanner, and one image id
    per image; further captures of a day are numbered.
    """
    alike: dict[tuple[str, str], list[Report]] = defaultdict(list)
    for report in sorted(reports, key=lambda each: (each.moment, each.own_time, str(each.path))):
        alike[report.base, report.variant].append(report)
    found: dict[str, list[Report]] = defaultdict(list)
    for (name, variant), several in alike.items():
        scanners: dict[str, set[str]] = defaultdict(set)
        ids: dict[str, str] = {}
        for report in several:
            if report.capture:
                scanners[report.capture] |= _kept(study_name, report.capture, variant)
                found[report.capture].append(report)
        for report in several:
            if report.capture:
                continue
            scanner, image_id = report.said.scanner, report.said.image_id
            numbered = (name if n == 1 else f"{name}.{n:03}" for n in itertools.count(1))
            free = next(
                capture
                for capture in numbered
                if scanner not in scanners[capture]
                and not (image_id and ids.get(capture, image_id) != image_id)
            )
            scanners[free].add(scanner)
            if image_id:
                ids[free] = image_id
            found[free].append(report)
    return dict(sorted(found.items()))


def _moment(inside: Path) -> tuple[datetime | None, bool]:
    """Return the date in the nearest name of a path that has one, and whether it has a time.

    A file's own time does not count: reports of one day differ by seconds. Raises `ReportInvalid`
    for an invalid date in a name, since its reports may have others.
    """
    for place in (*inside.parents, inside):
        match = DATE.search(place.name)
        if not match and not _LIKE_DATE.search(place.name):
            continue
        moment = _moment_of(match) if match else None
        if moment is None:
            problem = "its name has no date between 1990 and a year from now"
            raise ReportInvalid(place, problem, "Rename it")
        return moment, bool(match and match["H"]) and place != inside
    return None, False


def _moment_of(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute = (int(match[group] or 0) for group in "ymdHM")
    try:
        return _dated(datetime(year, month, day, hour, minute, tzinfo=UTC))
    except ValueError:
        return None


def _dated(moment: datetime | None) -> datetime | None:
    """Return a time in UTC; `None` if no report can have it."""
    moment = utc(moment)
    if moment and _FIRST_DAY <= moment.date() <= clock.today() + _AHEAD:
        return moment
    return None


def _existing(name: str) -> Study | None:
    """Return the study of that name, if any; raise `StudyInvalid` if `history` did not make it."""
    path = paths.study(name) / "study.toml"
    if not path.exists():
        return None
    opened = open_study(name)
    if opened.about != ABOUT:
        raise StudyInvalid(f"{path}: `history` did not make this study; choose another name")
    return opened


def _study(name: str, by_capture: dict[str, list[Report]]) -> Study:
    """Write the study of these reports, or add their variants to an existing one."""
    newest = {
        report.variant: report
        for reports in by_capture.values()
        for report in reports
        if not report.said.problem
    }
    if not study.NAME.fullmatch(name):
        raise StudyInvalid(f"study {name!r}: use letters, digits, '.', '_' and '-'")
    path = paths.study(name) / "study.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    # A parallel run may add variants as well.
    with whole.alone(path.parent):
        existing = _existing(name)
        variants = existing.variants if existing else []
        if existing and newest.keys() <= {*existing.names()}:
            return existing
        sources = [{"name": v.name, "report": v.report, "artifact": v.artifact} for v in variants]
        sources += [
            {
                "name": new,
                "report": os.path.abspath(report.path),  # noqa: PTH100
                "artifact": report.said.artifact,
            }
            for new, report in sorted(newest.items())
            if not existing or new not in existing.names()
        ]
        question = "How did these images change over time?"
        whole.write(path, toml(name, question, ABOUT, sources).encode())
    return open_study(name)


def _stage(opened: Study, staged: Path, reports: Sequence[Report]) -> list[str]:
    """Make one capture in a folder of its name; return the problems.

    A capture without a readable report records the reasons.
    """
    variants: dict[str, Captured] = {}
    name, times, broken = staged.name, [], []
    for report in reports:
        folder = staged / report.variant
        folder.mkdir(parents=True, exist_ok=True)
        try:
            kept = redact_report.keep(report.path, folder)
        except KitError as error:
            why = f"{report.path.name}: {getattr(error, 'problem', error)}"
            broken.append(f"{name}: {why}")
            failed = Captured("failed", "report", report.path.name, error=why)
            variants.setdefault(report.variant, failed)
            continue
        times.append(_dated(kept.created_at) or report.moment)
        variants[report.variant] = Captured(
            "scanned",
            "report",
            report.path.name,
            f"sha256:{own_file.sha256(report.path)}",
            missing=dict.fromkeys(("image", "files", "smoke"), PACKAGES_ONLY["report"]),
        )
    if not times:
        broken.append(f"{name}: no readable report")
        times = [report.moment for report in reports]
    at = max(times).replace(microsecond=0)
    facts = Facts(
        opened.name, name, at, __version__, "trivy", "", Database(), variants, scanner_is=OTHERS
    )
    (staged / paths.CAPTURE).write_bytes(own_file.record(facts, 2))
    return broken
