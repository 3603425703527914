"""Thin a series of captures, keeping when each image, database or scanner came and went.

First one file, written atomically, lists the captures to remove (`paths.GOING`); readers ignore
them from then on. Then their folders are removed, and last the list. A killed run has either
changed nothing or is finished by the next run.
"""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from helpers import paths, whole
from helpers.capture import sharing
from helpers.errors import ReportInvalid, disk_error
from helpers.frames import FAILED
from helpers.scans import package_list, reports
from helpers.studies import study
from helpers.studies.study import Facts, Study, open_study

PERIODS: dict[str, Callable[[datetime], object]] = {
    "day": lambda time: time.date(),
    "week": lambda time: time.isocalendar()[:2],
    "month": lambda time: (time.year, time.month),
}
"""Periods whose databases count as one."""

_LISTS = ("sbom", "report")
"""Sources that list packages; their digest changes whenever they are written."""


class Pruned(NamedTuple):
    """Captures to remove or removed, how many stay, and the freed bytes."""

    gone: list[str]
    kept: int
    freed_bytes: int


def prune(study_name: str, keep: str, dry_run: bool = False) -> Pruned:
    """Remove captures of a study in which no image, scanner or database changed.

    The first, the newest and the study's default capture stay. So do the first and the last of
    consecutive captures with the same image of a variant, the same scanner, or a database of the
    same period (`keep`: `day`, `week` or `month`). Images are identified by digest; those of SBOMs
    and reports by packages, else by id. Databases are identified by their day, else the capture's.
    All other captures are removed, unless `dry_run`. Raises `StudyInvalid` for an unreadable
    capture.
    """
    opened = open_study(study_name)
    folder = paths.study(study_name)
    # A parallel run would read what this one removes.
    with whole.alone(folder):
        _finish(folder)
        captures = opened.captures()
        stays = staying(opened, [opened.facts(name) for name in captures], keep)
        gone = [name for name in captures if name not in stays]
        freed = sharing.freed_bytes([folder / name for name in gone])
        if gone and not dry_run:
            _remove(folder, gone)
    return Pruned(gone, len(captures) - len(gone), freed)


def finish(folder: Path) -> None:
    """Remove the listed captures of a study's folder, then the list."""
    # A study in creation has none yet.
    if folder.is_dir():
        with whole.alone(folder):
            _finish(folder)


def _finish(folder: Path) -> None:
    for name in study.going(folder):
        shutil.rmtree(folder / name, ignore_errors=True)
    if not any((folder / name).exists() for name in study.going(folder)):
        (folder / paths.GOING).unlink(missing_ok=True)


def _remove(folder: Path, gone: Sequence[str]) -> None:
    """List captures to remove, then remove them."""
    try:
        whole.write(folder / paths.GOING, ("\n".join(gone) + "\n").encode())
        _finish(folder)
    except OSError as error:
        raise disk_error(error, folder) from error


def staying(opened: Study, series: Sequence[Facts], keep: str) -> set[str]:
    """Return the names of the captures that stay, oldest first."""
    if not series:
        return set()
    stays = {series[0].capture, series[-1].capture, opened.default_capture}
    period = PERIODS[keep]
    for facts, same in (
        (series, lambda a, b: (a.scanner, a.scanner_version) == (b.scanner, b.scanner_version)),
        (series, lambda a, b: period(_database(a)) == period(_database(b))),
        *(
            ([f for f in series if _is_known(f, name)], _same_image(opened.name, name))
            for name in opened.names()
        ),
    ):
        stays |= _ends(facts, same)
    return stays - {""}


def _ends(series: Sequence[Facts], same: Callable[[Facts, Facts], bool]) -> set[str]:
    """Return the first and the last capture of each run of equal neighbours."""
    ends = {facts.capture for facts in (*series[:1], *series[-1:])}
    for before, after in pairwise(series):
        if not same(before, after):
            ends |= {before.capture, after.capture}
    return ends


def _database(facts: Facts) -> datetime:
    return facts.db.updated_at or facts.captured_at


def _is_known(facts: Facts, variant: str) -> bool:
    """Return whether a capture has an image; failed ones do not split runs."""
    captured = facts.variants.get(variant)
    return captured is not None and captured.status != FAILED


def _same_image(study_name: str, variant: str) -> Callable[[Facts, Facts], bool]:
    def same(before: Facts, after: Facts) -> bool:
        then, now = before.variants[variant], after.variants[variant]
        if then.identity == now.identity:
            return True
        if now.source not in _LISTS:
            return False
        lists = [_packages(paths.evidence(study_name, f.capture, variant)) for f in (before, after)]
        return None not in lists and lists[0] == lists[1]

    return same


def _packages(folder: Path) -> str | None:
    """Return the packages in a variant's report, else its image id, else `None`."""
    for path in paths.reports(folder).values():
        try:
            report = reports.read(path)
        except ReportInvalid:
            continue
        listed, is_known = package_list.digest(report)
        return (listed if is_known else None) or report.image_id or None
    return None
