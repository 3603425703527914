"""What a fleet says to do first, and that its figure shows the same."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import paths
from helpers.answers.answer import Answer
from helpers.answers.chart_data import Bars
from helpers.fleet import bases, image_table, lessons, spread, tally
from helpers.fleet.lessons import Advice
from helpers.frames import NOT_LOOKED
from helpers.vulnerabilities.lenses import Lens
from tests.cases import made
from tests.support import fleets

LENS = Lens("vulnerabilities")


def engine(folder: Path, **reports: dict[str, Any]) -> fleets.Here:
    (folder / "scans").mkdir()
    for name, report in reports.items():
        report["ArtifactName"] = f"{name}:1"
        (folder / "scans" / f"{name}.json").write_text(json.dumps(report))
    return fleets.read_here(folder / "scans", folder / "parts")


def asked(engine: fleets.Here) -> tuple[list[Advice], Answer, Answer]:
    """What is advised, the answer that leads, and that of the best update of one package."""
    scanned = engine.reduced(tally.images(LENS))
    images = image_table.once(scanned)
    twice = image_table.uncounted(scanned, images)
    lists = engine.reduced(tally.package_lists())
    known = bases.found(images, lists)
    reached = bases.rebuilds(images, known, lists)
    known = bases.with_removed(known, engine.reduced(tally.removed(LENS, reached)))
    occurrences = tally.together(engine.reduced(tally.occurrences(LENS, twice)))
    in_packages = tally.together(engine.reduced(tally.in_packages(LENS, twice)))
    given = images, occurrences, in_packages, known, LENS
    update = spread.updates_answer(in_packages, occurrences, images, LENS)
    return lessons.advice(*given), lessons.answer(*given), update


def drawn(answer: Answer) -> tuple[list[str], list[float | None]]:
    """The names and lengths of the bars of an answer's figure."""
    assert isinstance(answer.chart, Bars)
    return [name for name, _ in answer.chart.rows], answer.chart.series[0].values


def pair(os: str, package: str = "openssl") -> tuple[dict[str, Any], dict[str, Any]]:
    """Two reports: the second has all packages of the first, and one more."""
    found = made.findings(3, package=package, version="3.0.1", fix="3.0.2")
    listed = (f"{package} 3.0.1", "libc 2.36")
    return (
        made.report(*found, packages=listed, os=os, image_id="1"),
        made.report(*found, packages=(*listed, "curl 8.0"), os=os, image_id="2"),
    )


def test_the_figure_shows_what_is_to_be_done_first(tmp_path: Path) -> None:
    base, app = pair("debian 13")
    advised, answer, _ = asked(engine(tmp_path, base=base, app=app))
    assert [one.what for one in advised] == [lessons.SHARED]
    assert drawn(answer) == (["base:1"], [6])
    assert answer.table is not None
    assert answer.table["removed"].tolist() == [6]


def test_where_all_advisories_have_ended_the_first_is_to_leave_these(tmp_path: Path) -> None:
    base, app = pair("debian 9.3")
    advised, answer, _ = asked(engine(tmp_path, base=base, app=app))
    assert [one.what for one in advised] == [lessons.LEAVE, lessons.SHARED]
    assert drawn(answer) == (["debian 9"], [2])


def test_where_some_have_ended_an_update_of_others_comes_first(tmp_path: Path) -> None:
    base, app = pair("debian 13")
    alone = made.finding(1, "curl", "7.0", "7.1")
    old = made.report(alone, packages=("curl 7.0",), os="debian 9.3", image_id="3")
    advised, answer, _ = asked(engine(tmp_path, base=base, app=app, old=old))
    assert [one.what for one in advised] == [lessons.SHARED, lessons.LEAVE]
    assert drawn(answer)[0] == ["base:1"]


def test_what_is_to_be_updated_in_bases_without_advisories_is_second(tmp_path: Path) -> None:
    base, app = pair("debian 9.3")
    alone = made.finding(1, "curl", "7.0", "7.1")
    new = made.report(alone, packages=("curl 7.0",), os="debian 13", image_id="3")
    advised, answer, _ = asked(engine(tmp_path, base=base, app=app, new=new))
    assert [one.what for one in advised] == [lessons.LEAVE, lessons.SHARED]
    assert drawn(answer) == (["debian 9"], [2])


@pytest.mark.slow
def test_the_recorded_fleet_is_to_be_left(tmp_path: Path) -> None:
    folder = paths.ROOT / "data" / "fleets" / "official-2018"
    advised, answer, update = asked(fleets.read_here(folder, tmp_path / "parts"))
    assert [one.what for one in advised] == [lessons.LEAVE, lessons.SHARED]
    assert sum(filter(None, drawn(answer)[1])) == 275
    # Its kernel is headers, which come last however much they fix.
    assert drawn(update)[0][0] == "openjdk-8"
    assert update.table is not None
    assert update.table["headers"].sum() == 1
    assert update.table["source_package"].iloc[-1] == "linux"


def test_of_a_kernels_package_only_headers_are_told_as_such(tmp_path: Path) -> None:
    def first(place: str, *packages: str) -> str:
        source = {"SrcName": "linux", "PkgIdentifier": {}}
        found = [
            made.finding(n, package, "5.10", "5.11", **source)
            for n, package in enumerate(packages, start=1)
        ]
        listed = [f"{package} 5.10" for package in packages]
        (tmp_path / place).mkdir()
        report = made.report(*found, packages=listed, os="debian 13")
        for package in report["Results"][0]["Packages"]:
            package["SrcName"] = "linux"
        return drawn(asked(engine(tmp_path / place, app=report))[2])[0][0]

    assert first("headers", "linux-libc-dev", "linux-headers-5.10-amd64") == "linux (headers only)"
    assert first("kernel", "linux-libc-dev", "linux-image-5.10-amd64") == "linux"


def counted(folder: Path, *scans: dict[str, Any]) -> pd.Series:
    """The row of one image, of several scans of it, the newest last."""
    reports = {}
    for day, report in enumerate(scans, start=1):
        report["CreatedAt"] = f"2026-11-{day:02}T00:00:00Z"
        reports[f"scan{day}"] = report
    images = image_table.once(engine(folder, **reports).reduced(tally.images(LENS)))
    assert len(images) == 1
    return images.iloc[0]


def test_a_newer_scan_for_licences_replaces_no_scan_for_vulnerabilities(tmp_path: Path) -> None:
    real = made.report(*made.findings(3), image_id="1")
    licences = made.report(image_id="1")
    del licences["Results"][0]["Vulnerabilities"]
    licences["Results"].append({"Target": "OS Packages", "Class": "license", "Licenses": []})
    image = counted(tmp_path, real, licences)
    assert (image["count"], image["measured"], image["passed_over"]) == (3, True, 1)
    (tmp_path / "alone").mkdir()
    assert counted(tmp_path / "alone", licences)["status"] == NOT_LOOKED


def test_a_newer_scan_that_found_nothing_of_many_replaces_no_other(tmp_path: Path) -> None:
    many, none = made.report(*made.findings(12), image_id="1"), made.report(image_id="1")
    image = counted(tmp_path, many, none)
    assert (image["count"], image["passed_over"]) == (12, 1)
    (tmp_path / "few").mkdir()
    few = made.report(*made.findings(2), image_id="1")
    image = counted(tmp_path / "few", few, none)
    assert (image["count"], image["passed_over"], image["scans"]) == (0, 0, 2)
