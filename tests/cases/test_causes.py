"""What a change is due to, and how sure that is, where much is known and where nothing is."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.changes import between
from helpers.changes.causes import (
    CERTAIN,
    DATABASE,
    EXCLUDED,
    IMAGE,
    LIKELY,
    NOT_KNOWN,
    SEVERAL,
    UNKNOWN,
)
from helpers.frames import Frames
from helpers.studies.load import load_reports
from tests.cases.made import Report, finding, findings, report


def frames(tmp_path: Path, first: Report, second: Report) -> Frames:
    parts = []
    for name, each in (("1", first), ("2", second)):
        path = tmp_path / name / "app.json"
        path.parent.mkdir()
        path.write_text(json.dumps(each))
        loaded = load_reports(path)
        parts.append([frame.assign(capture=name) for frame in loaded])
    return Frames(*(pd.concat(two, ignore_index=True) for two in zip(*parts, strict=True)))


def cause(tmp_path: Path, first: Report, second: Report) -> tuple[str, str]:
    """The cause of the one finding that changed."""
    table = between.movers(between.changes(frames(tmp_path, first, second), "1", "2"))
    ((reason, certainty),) = table[["reason", "certainty"]].to_numpy().tolist()
    return reason, certainty


BUILT = {"created": "2026-01-01T00:00:00Z"}


def bare(*found: Report, **fields: Any) -> Report:
    """A report that lists no packages."""
    made = report(*found, **fields)
    for result in made["Results"]:
        del result["Packages"]
    return made


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Trivy's own reports record no database.
        (report(), report(finding(1)), (DATABASE, EXCLUDED)),
        (report(scanner=""), report(finding(1), scanner=""), ("scanner or database", SEVERAL)),
        (report(), report(finding(1), scanner="0.77.0"), ("scanner or database", SEVERAL)),
        (bare(), bare(finding(1)), ("image or database", SEVERAL)),
        (bare(scanner=""), bare(finding(1), scanner=""), (UNKNOWN, NOT_KNOWN)),
        (
            bare(image_id="a", scanner=""),
            bare(finding(1), image_id="b", scanner=""),
            ("image, or not known", SEVERAL),
        ),
        (bare(image_id="a"), bare(finding(1), image_id="a"), (DATABASE, EXCLUDED)),
        (bare(**BUILT), bare(finding(1), **BUILT), (DATABASE, LIKELY)),
        (
            bare(created="1970-01-01T00:00:00Z"),
            bare(finding(1), created="1970-01-01T00:00:00Z"),
            ("image or database", SEVERAL),
        ),
        (report(packages=["curl 8"]), report(finding(1)), (IMAGE, CERTAIN)),
    ],
)
def test_what_is_not_recorded_is_told_by_what_else_is(
    tmp_path: Path, before: Report, after: Report, expected: tuple[str, str]
) -> None:
    assert cause(tmp_path, before, after) == expected


def test_a_report_that_lacks_packages_of_the_same_image_is_the_scanners_doing(
    tmp_path: Path,
) -> None:
    npm = {"npm": ["lodash 1"], "npm_found": [finding(9, package="lodash", version="1")]}
    before, after = report(image_id="a", **npm), report(image_id="a")
    assert cause(tmp_path, before, after) == ("scanner", EXCLUDED)


def test_a_package_that_moved_is_the_same(tmp_path: Path) -> None:
    sides = []
    for folder in ("app", "srv"):
        each = report(npm=["lodash 1"], npm_found=[finding(9, package="lodash", version="1")])
        path = f"{folder}/node_modules/lodash/package.json"
        each["Results"][1]["Packages"][0]["FilePath"] = path
        each["Results"][1]["Vulnerabilities"][0]["PkgPath"] = path
        sides.append(each)
    table = between.changes(frames(tmp_path, *sides), "1", "2")
    assert table["change"].tolist() == ["stayed"]


def test_an_id_that_is_renamed_to_its_alias_stays(tmp_path: Path) -> None:
    ghsa = {**finding(1), "VulnerabilityID": "GHSA-aaaa-bbbb-cccc"}
    cve = finding(1, VendorIDs=["GHSA-aaaa-bbbb-cccc"])
    table = between.changes(frames(tmp_path, report(ghsa), report(cve)), "1", "2")
    assert table["change"].tolist() == ["stayed"]


def test_the_changes_of_many_images_are_found_in_one_go(tmp_path: Path) -> None:
    one = frames(tmp_path, report(*findings(3)), report(*findings(4)))
    many = 40
    parts = [[frame.assign(variant=f"app-{n}") for frame in one] for n in range(many)]
    whole = Frames(*(pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True)))
    table = between.changes(whole, "1", "2")
    assert table["change"].value_counts().to_dict() == {"stayed": 3 * many, "appeared": many}
