"""The rows of `python -m helpers summary`: one a report of Trivy or Grype."""

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from helpers import aliases, paths
from helpers.errors import ReportInvalid
from helpers.frames import SEVERITIES
from helpers.scans import report_files, reports
from helpers.scans.looked_for import REMEDY, looked_for
from helpers.scans.trivy_schema import Report
from helpers.text import escape

LEVELS = {level: level.lower() for level in reversed(SEVERITIES)}
COUNTS = ("findings", "vulnerabilities", *LEVELS.values(), "suppressed")
COLUMNS = ("file", "artifact", "os", *COUNTS)
"""Texts, then counts; those by severity count findings. Suppressed findings are in no other.

A report that does not show that vulnerabilities were looked for has no counts."""

IMAGE = "image_id"
"""Key of a row that is not printed."""

_WIDEST = 100
"""Columns of an artifact's or a system's name in a table."""

Row = dict[str, Any]


def files(path: Path) -> list[Path]:
    """Return what to read: a path itself, of a folder all `.json` and `.json.gz` in it, in order.

    A capture's other evidence is left out. Folders in a folder are looked into, links to folders
    are not; one that cannot be read is among the files. Raises `ReportInvalid` for a folder without
    such files.
    """
    if not os.path.isdir(path):  # noqa: PTH112
        return [path]
    found = report_files.within(path)
    every = [Path(entry) for entry in found.files]
    # Whoever names a folder means the files that it links to.
    every += [Path(entry) for entry in found.outside if not entry.is_dir()]
    every += [Path(error.filename) for error in found.unread]
    if not every:
        problem = "no report in .json or .json.gz"
        raise ReportInvalid(path, problem, "Pass the folder that has the reports")
    return sorted(every)


def row(path: str | os.PathLike[str]) -> Row:
    """Return a report's row; `artifact` and `os` are `None` if the report does not say.

    Raises `ReportInvalid`.
    """
    report = reports.read(path)
    about = {
        "file": paths.shown(Path(path)),
        "artifact": report.artifact_name or None,
        "os": _system(report),
        IMAGE: report.image_id or None,
    }
    if not looked_for(report):
        return {**dict.fromkeys(COLUMNS), **about}
    findings = [v for result in report.results or [] for v in result.vulnerabilities or []]
    levels = Counter[str](finding.severity or "UNKNOWN" for finding in findings)
    ids = [finding.vulnerability_id or None for finding in findings]
    others = [aliases.of(found.vulnerability_id, found.vendor_ids or ()) for found in findings]
    names = Counter(aliases.canonical(ids, others))
    return {
        **about,
        "findings": len(findings),
        # Findings without an id count as one vulnerability each.
        "vulnerabilities": len(names) + max(names[None] - 1, 0),
        **{column: levels[level] for level, column in LEVELS.items()},
        "suppressed": sum(len(result.suppressed or []) for result in report.results or []),
    }


def _system(report: Report) -> str | None:
    system = report.metadata and report.metadata.os
    return f"{system.family} {system.name or ''}".strip() if system and system.family else None


def notes(rows: Sequence[Row]) -> list[str]:
    """Return why rows have no counts."""
    return [f"{row['file']}: {REMEDY}" for row in rows if row["findings"] is None]


def problems(rows: Sequence[Row]) -> list[str]:
    """Return what is wrong with counts, and take these away: zeros of images that have findings.

    One scan of an image found something and another nothing: that one looked for something else.
    """
    with_findings = {row[IMAGE]: row for row in rows if row[IMAGE] and row["findings"]}
    found = []
    for row in rows:
        other = with_findings.get(row[IMAGE])
        if other and row["findings"] == 0:
            row.update(dict.fromkeys(COUNTS))
            found.append(
                f"{row['file']}: no findings, but {other['file']} has {other['findings']:,} of the "
                f"same image. {REMEDY[0].upper()}{REMEDY[1:]}, without --severity and "
                "--ignore-unfixed"
            )
    return found


def as_json(rows: Sequence[Row]) -> str:
    """Return rows as a JSON list of objects."""
    return escape.as_json([{column: row[column] for column in COLUMNS} for row in rows])


def as_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV with a heading; no cell starts a spreadsheet formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([escape.csv_cell(row[column]) for column in COLUMNS] for row in rows)
    return text.getvalue()


def as_table(rows: Sequence[Row]) -> str:
    """Return rows as aligned text for a terminal: inert, and of what reports say no long texts."""
    told = ({**row, **{name: _shown(row[name]) for name in COLUMNS[1:]}} for row in rows)
    cells = [COLUMNS] + [tuple(escape.plain(row[column]) for column in COLUMNS) for row in told]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for line in cells:
        texts = [cell.ljust(width) for cell, width in zip(line[:3], widths, strict=False)]
        counts = [cell.rjust(width) for cell, width in zip(line[3:], widths[3:], strict=True)]
        lines.append("  ".join(texts + counts).rstrip())
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    return "-" if value is None else escape.short(value, _WIDEST)


FORMATS: dict[str, Callable[[Sequence[Row]], str]] = {
    "table": as_table,
    "json": as_json,
    "csv": as_csv,
}
