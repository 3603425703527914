"""Makes frames of reports and studies: always from the raw reports, with today's code."""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from helpers import frames, paths
from helpers.errors import ParameterInvalid, StudyFileInvalid, StudyInvalid
from helpers.exploitation import evidence as exploitation
from helpers.frames import Frames
from helpers.images import file_inventory, file_owners, image_rows, metadata
from helpers.images.file_owners import Owned
from helpers.images.metadata import Image, Smoke
from helpers.scans import reports
from helpers.studies import rows, variant_names
from helpers.studies.rows import Evidence
from helpers.studies.study import Captured, Database, Facts, Variant, open_study
from helpers.studies.variant_names import Names
from helpers.vex import evidence as vex


def load_reports(reports: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Frames:
    """Return the frames of a Trivy JSON report or any mix of them: one image a report.

    A variant is named after its file, and after its folders where files are named alike; a file
    given twice counts once, and the order of files does not matter. Raises `ReportInvalid`.
    """
    files = [reports] if isinstance(reports, str | os.PathLike) else reports
    # `resolve` would follow links, and a pipe has no path to resolve to.
    names = named(Path(os.path.abspath(path)) for path in files)  # noqa: PTH100
    return load(Evidence(name, path=path, shown_path=_inside(path)) for path, name in names.items())


def load_study(name: str, captures: str | Sequence[str] = "", scanner: str = "") -> Frames:
    """Return the frames of a study's evidence.

    `captures` names one or several; empty is the study's default, `"all"` is every one.
    `scanner` is `"trivy"` or `"grype"`; empty takes one report of each variant, Trivy's if there is
    one; `"all"` takes every report: a variant then has a row of `images` for each, which only
    `scanner_agreement` can compare. A variant without such a report in a capture is a row with
    status `missing`. Raises `StudyInvalid`, `ReportInvalid`, `ExploitationInvalid`, and
    `ParameterInvalid` for an unknown scanner.
    """
    return load(evidence(name, captures, scanner))


def evidence(
    name: str, captures: str | Sequence[str] = "", scanner: str = ""
) -> Iterator[Evidence]:
    """Yield the evidence of a study, as `load_study` loads it; raises what that raises."""
    scanners = (*paths.REPORTS, "all")
    if scanner and scanner not in scanners:
        raise ParameterInvalid(f"unknown scanner {scanner!r}; choose one of {', '.join(scanners)}")
    variants = _variants(name, captures)
    known = {
        capture: exploitation.read(paths.exploitation(name, capture))
        for capture in {facts.capture for facts, _, _ in variants}
    }
    for facts, variant, folder in variants:
        for item in _evidence(facts, variant, folder, scanner):
            yield item._replace(exploitation=known[facts.capture])


def load_statements(name: str, captures: str | Sequence[str] = "") -> pd.DataFrame:
    """Return the frame `statements` of a study: of the variants that Trivy scanned with VEX.

    Raises `StudyInvalid`, `ReportInvalid` and `VexInvalid`.
    """
    columns: dict[str, list[Any]] = {column: [] for column in frames.columns("statements")}
    for facts, variant, folder in _variants(name, captures):
        for item in _evidence(facts, variant, folder, "trivy"):
            if item.path and item.vex.statements:
                report, collected = reports.read(item.path), rows.Rows()
                collected.add(item, report)
                for row in collected.effects(item, report):
                    for column, values in columns.items():
                        values.append(row[column])
    return frames.make("statements", columns)


def load_published(name: str) -> pd.DataFrame:
    """Return the numbers that others published about a study's variants: the frame `published`.

    A study without such numbers gives a frame without rows. Raises `StudyInvalid`.
    """
    study = open_study(name)
    path = study.published()
    if not path.is_file():
        return frames.make("published", {})
    try:
        raw = pd.read_csv(path, keep_default_na=False, na_values=[""])
        table = frames.make("published", {c: raw[c].tolist() for c in frames.columns("published")})
    except (ValueError, KeyError, TypeError) as error:
        columns = ", ".join(frames.columns("published"))
        problem = str(error).strip()
        raise StudyFileInvalid(path, problem, f"It needs the columns {columns}") from error
    wrong = {
        "the study has no such variant": ~table["variant"].isin(study.names()),
        "unknown metric, severity or unit; data/README.md lists them": ~_is_known(table),
        "a count of findings must be a whole number": table["metric"].eq("findings")
        & table["value"].mod(1).ne(0),
        "this number is already there; remove one": table.duplicated(
            ["variant", "metric", "severity"], keep=False
        ),
    }
    for what, is_wrong in wrong.items():
        if is_wrong.any():
            line = int(is_wrong.to_numpy().argmax()) + 2
            raise StudyInvalid(f"{path}, line {line}: {what}")
    return table


def _is_known(published: pd.DataFrame) -> pd.Series:
    """Return which rows have a metric, severity and unit of the data dictionary."""
    levels = [*frames.SEVERITIES, "TOTAL"]
    counts = published["metric"].eq("findings") & published["severity"].isin(levels)
    sizes = published["metric"].eq("image size") & published["unit"].eq("MB")
    return counts | (sizes & published["severity"].isna())


def load(items: Iterable[Evidence]) -> Frames:
    """Return the frames of reports, in the order given; only one report is in memory at a time."""
    collected = rows.Rows()
    for item in items:
        collected.add(item, reports.read(item.path) if item.path else None)
    return collected.frames()


def named(files: Iterable[Path]) -> dict[Path, str]:
    """Return a name for each file: its stem, with as many folders as tell it from the others."""
    found = sorted(set(files))
    names = variant_names.unique([Names(_names(path)) for path in found], folded=str)
    return dict(zip(found, map(paths.shown, map(Path, names)), strict=True))


def _names(path: Path) -> list[str]:
    """Return a file's stem with ever more of its folders, and its whole path in the end."""
    stem = path.name.removesuffix(".gz").removesuffix(".json") or path.name
    folders = path.parts[:-1]
    some = (folders[len(folders) - depth :] for depth in range(len(folders) + 1))
    return [*(str(Path(*each, stem)) for each in some), str(path)]


def load_layers(name: str, captures: str | Sequence[str] = "") -> pd.DataFrame:
    """Return the frame `layers` of a study: of the variants that are images."""
    columns: dict[str, list[Any]] = {column: [] for column in frames.columns("layers")}
    for facts, variant, folder in _variants(name, captures):
        if image := metadata.read(folder / paths.IMAGE, Image):
            for column, values in image_rows.layers(variant.name, facts.capture, image).items():
                columns[column] += values
    return frames.make("layers", columns)


def load_files(name: str, captures: str | Sequence[str] = "") -> pd.DataFrame:
    """Return the frame `files` of a study: of the variants that are images.

    Raises `StudyInvalid`, `ArchiveInvalid`, and `ReportInvalid` where a report says who owns files.
    """
    parts = []
    for facts, variant, folder in _variants(name, captures):
        if (folder / paths.FILES).is_file():
            columns = image_rows.files(variant.name, facts.capture, owned(folder))
            parts.append(frames.make("files", columns))
    return pd.concat(parts, ignore_index=True) if parts else frames.make("files", {})


def owned(folder: Path) -> Owned:
    """Return the files of an image with their OS packages, from the folder of its evidence.

    Raises `ArchiveInvalid` or `ReportInvalid`.
    """
    inventory = file_inventory.read(folder / paths.FILES)
    report = paths.reports(folder).get("trivy")
    if report and file_owners.needs_report(inventory):
        try:
            return file_owners.of(inventory, reports.read(report))
        except msgspec.MsgspecError as error:
            raise reports.not_decoded(report, error) from error
    return file_owners.of(inventory)


def _variants(name: str, captures: str | Sequence[str]) -> list[tuple[Facts, Variant, Path]]:
    """Return every variant of some captures, with the folder of its evidence."""
    study = open_study(name)
    wanted = [captures] if isinstance(captures, str) else list(captures)
    if wanted == ["all"]:
        wanted = study.captures()
    # Two names may mean the same capture: the default's and an empty one.
    by_capture = {facts.capture: facts for facts in map(study.facts, wanted)}
    return [
        (facts, variant, paths.evidence(study.name, facts.capture, variant.name))
        for facts in by_capture.values()
        for variant in study.variants
    ]


def _evidence(facts: Facts, variant: Variant, folder: Path, scanner: str) -> list[Evidence]:
    """Return the evidence of one variant: one a report, or one without a report."""
    captured = facts.variants.get(variant.name) or Captured(status="missing")
    reports = {} if captured.error else paths.reports(folder)
    if scanner not in ("", "all"):
        reports = {name: path for name, path in reports.items() if name == scanner}
    files: list[tuple[str, Path | None]] = [*reports.items()] or [(scanner, None)]
    common = Evidence(
        variant.name,
        facts.capture,
        variant.kind,
        built_at=datetime.combine(variant.built, time.min) if variant.built else None,
        runtime=variant.runtime,
        reference=captured.reference,
        image=metadata.read(folder / paths.IMAGE, Image),
        smoke=metadata.read(folder / paths.SMOKE, Smoke),
        error=captured.error,
        not_scanned=captured.missing.get("report", ""),
    )
    documents = vex.read(folder / paths.VEX)
    found = []
    for name, path in files if scanner == "all" else files[:1]:
        # A report that others made came from a DB of theirs.
        db = facts.db if name == "trivy" and variant.kind != "report" else Database()
        found.append(
            common._replace(
                path=path,
                shown_path=_inside(path or folder),
                db_updated_at=db.updated_at,
                db_coverage=db.coverage,
                db_sha256=db.sha256,
                # Only Trivy was given them.
                vex=documents if name == "trivy" else vex.NONE,
            )
        )
    return found


def _inside(path: Path) -> str:
    """Return a path relative to the data folder if it is in there, else as it is."""
    is_inside = path.is_relative_to(paths.data())
    return paths.shown(path.relative_to(paths.data()) if is_inside else path)
