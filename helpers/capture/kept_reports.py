"""Makes captures of reports that others kept: a folder a day, or files with days.

A report's day is that of the nearest folder with a date in its name, else of its own name, else the
day that it says itself. Each day is a capture that appears whole, so a run that was killed is taken
up by the next one. Days without reports are gaps: nothing is made up.
"""

import hashlib
import json
import os
import re
import shutil
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from helpers import __version__, clock, own_file, paths
from helpers.capture import prune, redact_report, sharing, staging, variant_names
from helpers.capture.evidence import PACKAGES_ONLY
from helpers.errors import KitError, ReportInvalid, StudyInvalid, disk_error
from helpers.frames import utc
from helpers.scans import trivy
from helpers.studies import study
from helpers.studies.study import OTHERS, Captured, Database, Facts, Study, open_study

ABOUT = "Made by `history`."
"""What a study says of itself that this module may add to."""

_DATE = re.compile(
    r"(?<!\d)(?P<y>(19|20)\d\d)(?P<s>[-_.]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<d>0[1-9]|[12]\d|3[01])"
    r"(?:[T_ -]?(?P<H>[01]\d|2[0-3])[-:_.h]?(?P<M>[0-5]\d)([-:_.m]?[0-5]\dZ?)?)?(?!\d)"
)
"""As in `2023-01-12`, `20230112` and `2023-01-12T03-00`."""

_LIKE_DATE = re.compile(r"(?<!\d)\d{4}(?P<s>[-_.])\d\d(?P=s)\d\d(?!\d)")
"""What somebody meant as a date, such as `2024-02-30` and `0001-01-01`."""

_FIRST_DAY, _AHEAD = date(1990, 1, 1), timedelta(days=366)
"""What is before this day, or further ahead than this, is no date of a report."""

_SCANNERS = re.compile(r"(?i)(?<![a-z])(trivy|grype)(?![a-z])")
_NAMELESS = frozenset({"", "report", "reports", "scan", "result", "results", "output"})
"""What a file may be called that does not say of which image it is."""

_AT_ONCE = 8
"""Captures that one process makes in a row."""


class Taken(NamedTuple):
    """The names of the captures that were made, of those that were there, and what went wrong."""

    made: list[str]
    there: list[str]
    problems: list[str]


class _Report(NamedTuple):
    """One report: its file, the moment in a name of it, and of which image it is."""

    path: Path
    moment: datetime
    has_time: bool
    variant: str = ""


def take(study_name: str, folder: Path) -> Taken:
    """Make a capture of each day of the reports in a folder, and the study if there is none.

    Captures of these names that are there are left as they are. A broken report is a failed variant
    with its reason, if a report of its name can be read; a day without any other is left out.
    Raises `StudyInvalid` if the study is another's, or if there is no report, and the kit's error
    for a full disk.
    """
    existing = _existing(study_name)
    found, problems = _found(folder)
    found, others = _recognised(found, existing.names() if existing else [], folder)
    problems += others
    by_capture = _by_capture(found)
    if not by_capture:
        raise StudyInvalid(
            "\n".join([f"{folder}: no report (.json, .json.gz) of a day", *problems])
        )
    prune.finish(paths.study(study_name))
    there = {name: by_capture[name] for name in by_capture if existing and existing.has(name)}
    wanted = {name: reports for name, reports in by_capture.items() if name not in there}
    opened = _study(study_name, wanted)
    problems += _late(opened, there)
    made: list[str] = []
    staged = staging.stage(opened)
    try:
        earlier = opened.captures()
        for name, is_made, broken in _staged(opened, wanted, staged):
            problems += broken
            if not is_made:
                continue
            before = [other for other in earlier + made if other < name]
            if before:
                sharing.share(staged / name, paths.capture(opened.name, max(before)))
            # Another run over the same reports may have made it meanwhile.
            with own_file.alone(paths.study(opened.name)):
                if not opened.has(name):
                    (staged / name).rename(paths.capture(opened.name, name))
                    made.append(name)
                    continue
            there[name] = wanted[name]
            problems += _late(opened, {name: wanted[name]})
    except OSError as error:
        raise disk_error(error, staged) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Taken(sorted(made), sorted(there), problems)


def _found(folder: Path) -> tuple[list[_Report], list[str]]:
    """Return the reports in a folder with their variants, and what cannot be taken, with why."""
    reports, problems, artifacts, root = [], [], {}, folder.resolve()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_file = path.name.endswith((".json", ".json.gz")) and path.is_file()
        is_followed = is_file or path.is_dir()
        if path.is_symlink() and is_followed and not path.resolve().is_relative_to(root):
            problems.append(f"{inside}: a link that leads out of the folder; it was not followed")
            continue
        if not is_file:
            continue
        stem = _stem(path)
        try:
            moment, has_time = _moment(inside)
            report = None if moment and stem not in _NAMELESS else trivy.read(path)
        except ReportInvalid as error:
            where = inside if error.path == str(path) else error.path
            problems.append(f"{where}: {error.problem}")
            continue
        moment = moment or (_dated(report.created_at) if report else None)
        if moment is None:
            problems.append(f"{inside}: no date in its name, in its folder's or in the report")
            continue
        if report:
            artifacts[path] = variant_names.of_artifact(report.artifact_name or "")
        reports.append(_Report(path, moment, has_time, "" if stem in _NAMELESS else stem))
    # What is wrong with a folder's name is said once, not for each file.
    return _named(reports, artifacts), list(dict.fromkeys(problems))


def _recognised(
    reports: list[_Report], known: Sequence[str], folder: Path
) -> tuple[list[_Report], list[str]]:
    """Return the reports of variants that are known, or that one of them can be read of.

    Other files are none, such as `package.json`: returned as one problem for each name.
    """
    by_variant: dict[str, list[_Report]] = defaultdict(list)
    for report in sorted(reports, key=lambda each: each.moment, reverse=True):
        by_variant[report.variant].append(report)
    problems = []
    for variant in sorted(by_variant.keys() - {*known}):
        several = by_variant[variant]
        if any(not _unreadable(report.path) for report in several):
            continue
        newest = several[0].path
        more = f" (and {len(several) - 1} more of this name)" if several[1:] else ""
        problems.append(f"{newest.relative_to(folder)}: {_unreadable(newest)}{more}")
        del by_variant[variant]
    return [report for report in reports if report.variant in by_variant], problems


def _unreadable(path: Path) -> str:
    """Return why a file cannot be taken as a report; empty if it can."""
    try:
        trivy.read(path)
    except ReportInvalid as error:
        return error.problem
    return ""


def _late(opened: Study, there: dict[str, list[_Report]]) -> list[str]:
    """Return which reports of captures that are there are not in them."""
    problems = []
    for name, reports in there.items():
        counts = Counter(report.variant for report in reports)
        for report in reports:
            kept = paths.reports(paths.evidence(opened.name, name, report.variant))
            if kept and counts[report.variant] == 1:
                continue
            scanner = _scanner(report.path)
            if scanner and scanner not in kept:
                problems.append(f"{name} is there already; {report.path.name} was not taken")
    return problems


def _named(reports: list[_Report], artifacts: dict[Path, list[str]]) -> list[_Report]:
    """Return reports with a name each: of an artifact with its tag if a day has it twice."""
    tags: dict[tuple[str, object], set[str]] = defaultdict(set)
    for report in reports:
        if not report.variant and (names := artifacts[report.path]):
            tags[names[0], report.moment.date()].add(names[-1])
    several = {name for (name, _), found in tags.items() if len(found) > 1}
    named = []
    for report in reports:
        names = artifacts.get(report.path) or ["image"]
        own = names[-1] if names[0] in several else names[0]
        named.append(report if report.variant else report._replace(variant=own))
    return named


def _by_capture(reports: list[_Report]) -> dict[str, list[_Report]]:
    """Return reports by the name of their capture, oldest first.

    A folder's time is in the name. Of the same image and scanner there is one a capture: further
    ones of a day are numbered.
    """
    alike: dict[tuple[str, str], list[_Report]] = defaultdict(list)
    for report in sorted(reports, key=lambda each: (each.moment, str(each.path))):
        moment = report.moment
        name = f"{moment:%Y-%m-%d.%H%M}" if report.has_time else f"{moment:%Y-%m-%d}"
        alike[name, report.variant].append(report)
    found: dict[str, list[_Report]] = defaultdict(list)
    for (name, _), several in alike.items():
        taken: Counter[str] = Counter()
        for report in several:
            # Only where there are several is it asked, for that means to read it.
            scanner = _scanner(report.path) if len(several) > 1 else ""
            taken[scanner] += 1
            number = taken[scanner]
            found[name if number == 1 else f"{name}.{number:03}"].append(report)
    return dict(sorted(found.items()))


def _scanner(path: Path) -> str:
    """Return whose report a file is; empty if it is none."""
    try:
        return trivy.read(path).scanner
    except ReportInvalid:
        return ""


def _moment(inside: Path) -> tuple[datetime | None, bool]:
    """Return the moment in the nearest name of a path that has one, and whether it has a time.

    A file's own time is none of its capture: the reports of a day differ by seconds. Raises
    `ReportInvalid` for a name with what looks like a date and is none: its reports may have others.
    """
    for place in (*inside.parents, inside):
        match = _DATE.search(place.name)
        if not match and not _LIKE_DATE.search(place.name):
            continue
        moment = _moment_of(match) if match else None
        if moment is None:
            problem = "no date between 1990 and a year from now is in its name"
            raise ReportInvalid(place, problem, "Rename it")
        return moment, bool(match and match["H"]) and place != inside
    return None, False


def _moment_of(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute = (int(match[group] or 0) for group in "ymdHM")
    try:
        return _dated(datetime(year, month, day, hour, minute, tzinfo=UTC))
    except ValueError:
        return None


def _stem(path: Path) -> str:
    """Return a file's name as a variant's: without date and scanner."""
    name = path.name.removesuffix(".gz").removesuffix(".json")
    bare = _SCANNERS.sub("", _DATE.sub("", name))
    found = variant_names.of_file(Path(re.sub(r"[-_.]{2,}", "-", bare).strip("-_. ")))
    return found[0] if found else ""


def _dated(moment: datetime | None) -> datetime | None:
    """Return a moment in UTC; `None` for one of which no report can be."""
    moment = utc(moment)
    if moment and _FIRST_DAY <= moment.date() <= clock.today() + _AHEAD:
        return moment
    return None


def _existing(name: str) -> Study | None:
    """Return the study of that name if there is one; raise `StudyInvalid` for another's."""
    path = paths.study(name) / "study.toml"
    if not path.exists():
        return None
    opened = open_study(name)
    if opened.about != ABOUT:
        raise StudyInvalid(f"{path}: `history` did not make this study; choose another name")
    return opened


def _study(name: str, by_capture: dict[str, list[_Report]]) -> Study:
    """Write the study of these reports, or add their variants to the one that is there."""
    newest = {r.variant: r.path for reports in by_capture.values() for r in reports}
    if not study.NAME.fullmatch(name):
        raise StudyInvalid(f"study {name!r}: use letters, digits, '.', '_' and '-'")
    path = paths.study(name) / "study.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another run may add its variants now, too.
    with own_file.alone(path.parent):
        existing = _existing(name)
        variants = existing.variants if existing else []
        if existing and newest.keys() <= {*existing.names()}:
            return existing
        known = {variant.name for variant in variants}
        sources = {variant.name: variant.report for variant in variants}
        sources |= {
            new: os.path.abspath(file)  # noqa: PTH100
            for new, file in sorted(newest.items())
            if new not in known
        }
        lines = [f"title = {json.dumps(name)}"]
        lines.append('question = "How did these images change over time?"')
        lines.append(f"about = {json.dumps(ABOUT)}")
        for variant, report in sources.items():
            texts = (json.dumps(text, ensure_ascii=False) for text in (variant, report))
            lines += ["", "[[variants]]", *map("{} = {}".format, ("name", "report"), texts)]
        own_file.write(path, ("\n".join(lines) + "\n").encode())
    return open_study(name)


def _staged(
    opened: Study, wanted: dict[str, list[_Report]], staged: Path
) -> Iterator[tuple[str, bool, list[str]]]:
    """Make captures in a folder, in several processes; yield what `_stage` returns of each."""
    if len(wanted) <= _AT_ONCE:
        yield from (_stage(opened, staged, *each) for each in wanted.items())
        return
    pool = ProcessPoolExecutor(
        os.cpu_count(), get_context("spawn"), initializer=_end_with, initargs=(os.getpid(),)
    )
    try:
        stage = partial(_stage, opened, staged)
        yield from pool.map(stage, wanted, wanted.values(), chunksize=_AT_ONCE)
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: a killed one cannot end it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _stage(
    opened: Study, staged: Path, name: str, reports: Sequence[_Report]
) -> tuple[str, bool, list[str]]:
    """Make one capture in a folder; return its name, whether it has a report, and what is broken.

    Without any report there is none.
    """
    variants: dict[str, Captured] = {}
    times, broken = [], []
    for report in reports:
        folder = staged / name / report.variant
        folder.mkdir(parents=True, exist_ok=True)
        try:
            kept = redact_report.keep(report.path, folder)
        except KitError as error:
            why = f"{report.path.name}: {getattr(error, 'problem', error)}"
            broken.append(f"{name}: {why}")
            variants.setdefault(report.variant, Captured("failed", "report", error=why))
            continue
        times.append(_dated(kept.created_at) or report.moment)
        with report.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        variants[report.variant] = Captured(
            "scanned",
            "report",
            report.path.name,
            f"sha256:{digest}",
            missing=dict.fromkeys(("image", "files", "smoke"), PACKAGES_ONLY["report"]),
        )
    if not times:
        shutil.rmtree(staged / name)
        return name, False, [*broken, f"{name}: no report can be read, so there is no capture"]
    at = max(times).replace(microsecond=0)
    facts = Facts(
        opened.name, name, at, __version__, "trivy", "", Database(), variants, scanner_is=OTHERS
    )
    text = msgspec.json.format(msgspec.json.encode(facts), indent=2)
    (staged / name / paths.CAPTURE).write_bytes(text + b"\n")
    return name, True, broken
