"""Reports and studies become frames: always from the raw reports, with today's code."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from helpers import frames, paths, report, rows
from helpers.errors import StudyInvalid
from helpers.frames import Frames
from helpers.rows import Evidence
from helpers.study import Study, open_study


def load_reports(reports: Iterable[str | os.PathLike[str]]) -> Frames:
    """Return the frames of any mix of Trivy JSON reports: one image a report, also a clean one.

    A variant is named after its file, and after its folders where files are named alike; a file
    given twice counts once, and the order of files does not matter. Raises `ReportInvalid`.
    """
    names = variant_names({Path(path).absolute() for path in reports})
    return load([Evidence(name, path=path) for path, name in sorted(names.items())])


def load_study(name: str, captures: str | Sequence[str] = "") -> Frames:
    """Return the frames of a study's evidence.

    `captures` names one or several; empty is the study's default, `"all"` every one of them.
    A variant without a report in a capture is a row of `images` with status `missing`.
    Raises `StudyInvalid` and `ReportInvalid`.
    """
    study = open_study(name)
    wanted = [captures] if isinstance(captures, str) else list(captures)
    if wanted == ["all"]:
        wanted = study.captures()
    return load([item for capture in wanted for item in _of_capture(study, capture)])


def load_published(name: str) -> pd.DataFrame:
    """Return the numbers that others published about a study's variants: the frame `published`.

    A study without such numbers gives a frame without rows. Raises `StudyInvalid`.
    """
    path = open_study(name).published()
    if not path.is_file():
        return frames.make("published", {})
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
        return frames.make("published", {c: table[c] for c in frames.columns("published")})
    except (ValueError, KeyError, TypeError) as error:
        wanted = ", ".join(frames.columns("published"))
        raise StudyInvalid(f"{path}: {error}. Its columns are {wanted}") from error


def load(evidence: Iterable[Evidence]) -> Frames:
    """Return the frames of reports, in the order given; each report's text is dropped at once."""
    collected = rows.Rows()
    for item in evidence:
        collected.add(item, report.read(item.path) if item.path else None)
    return collected.frames()


def variant_names(files: Iterable[Path]) -> dict[Path, str]:
    """Return a name for each file: its stem, with as many folders as tell it from the others."""
    unnamed = set(files)
    names: dict[Path, str] = {}
    depth = 1
    while unnamed:
        candidates = {path: _name(path, depth) for path in unnamed}
        taken = Counter(candidates.values())
        names |= {
            path: name
            for path, name in candidates.items()
            if taken[name] == 1 or depth > len(path.parts)
        }
        unnamed -= set(names)
        depth += 1
    return names


def _name(path: Path, depth: int) -> str:
    stem = path.name.removesuffix(".gz").removesuffix(".json") or path.name
    # Two files that differ in their suffix alone are told apart by it, once folders are used up.
    last = path.name if depth > len(path.parts) else stem
    return "/".join([*path.parts[-depth:-1], last]) if depth > 1 else stem


def _of_capture(study: Study, capture: str) -> list[Evidence]:
    facts = study.facts(capture)
    items = []
    for variant in study.variants:
        path = paths.evidence(study.name, facts.capture, variant.name) / "trivy.json"
        items.append(
            Evidence(
                variant.name,
                facts.capture,
                variant.kind,
                path if path.exists() else None,
                facts.db.updated_at,
                facts.db.coverage,
            )
        )
    return items
