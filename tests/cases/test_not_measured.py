"""What is not measured is said with the choice, and who is no candidate."""

from datetime import UTC, datetime

from helpers import Comparison
from helpers.frames import NO_OS, make
from helpers.studies.study import Database
from helpers.verdict import cautions, decision
from helpers.verdict.decision import Decision, decide
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities.lenses import Lens
from tests.cases.made import finding, findings, report, study

FULL = Database(2, datetime(2026, 11, 1, tzinfo=UTC), "1".zfill(64))
PARTIAL = Database(2, datetime(2026, 11, 1, tzinfo=UTC), "1".zfill(64), "partial: Debian only")


def of_study(data, reports, **more) -> Decision:
    c = Comparison(study(data, {"2026-11-01": reports}, **more)).where(lens="vulnerabilities")
    return decide(c.frames, make("published", {}), "", c.lens, WEIGHTS)


def codes(found: Decision) -> set[str]:
    return {each.code for each in found.cautions}


def test_a_partial_database_that_names_no_npm_package_is_said(empty_data) -> None:
    reports = {"a": report(*findings(30, fix="2"), npm=["left-pad 1.0"]), "b": report()}
    found = of_study(empty_data, reports, db=PARTIAL)
    told = found.caution(cautions.LANGUAGE)
    assert told is not None
    assert (told.variants, told.values["types"]) == (("a",), ("node-pkg",))


def test_one_npm_finding_in_any_image_or_a_full_database_says_nothing(empty_data) -> None:
    npm = {"npm": ["left-pad 1.0"]}
    found = finding(1, package="left-pad", version="1.0")
    other = ["openssl 3.0.1", "zlib 1.3"]
    reports = {"a": report(**npm), "b": report(packages=other, **npm, npm_found=[found])}
    assert cautions.LANGUAGE not in codes(of_study(empty_data, reports, db=PARTIAL))
    full = of_study(empty_data, {"a": report(**npm)}, name="full", db=FULL)
    assert cautions.LANGUAGE not in codes(full)


def test_a_runtime_that_is_no_package_is_said_with_its_version(frames_of) -> None:
    frames = frames_of(
        copied=report(), packaged=report(packages=["openssl 3.0.1", "python3.13 3.13.5"])
    )
    images = frames.images.assign(runtime=["python 3.13.2", "python 3.13.5"])
    found = decide(
        frames._replace(images=images), make("published", {}), "", Lens("vulnerabilities"), WEIGHTS
    )
    told = found.caution(cautions.RUNTIME)
    assert told is not None
    assert told.values["runtimes"] == {"copied": "python 3.13.2"}


def test_reports_without_any_date_are_not_shipped_without_saying_so(frames_of) -> None:
    undated = {"scanned": "", "scanner": ""}
    frames = frames_of(a=report(**undated), b=report(*findings(30, fix="2"), **undated))
    frames = frames._replace(images=frames.images.assign(scanned_at=None, db_updated_at=None))
    images = frames.images.astype(
        dict.fromkeys(("scanned_at", "db_updated_at"), "datetime64[us, UTC]")
    )
    found = decide(
        frames._replace(images=images), make("published", {}), "", Lens("vulnerabilities"), WEIGHTS
    )
    assert found.day == ""
    assert cautions.NO_DATES in codes(found)


def test_an_image_that_the_scanner_could_not_look_at_is_named_and_has_no_bar(empty_data) -> None:
    reports = {"seen": report(*findings(9, fix="2")), "strange": report(os="")}
    c = Comparison(study(empty_data, {"2026-11-01": reports})).where(lens="vulnerabilities")
    assert c.images.set_index("variant")["status"]["strange"] == NO_OS
    found = decide(c.frames, make("published", {}), "", c.lens, WEIGHTS)
    out = found.candidates[~found.candidates["candidate"]]
    assert out[["variant", "status"]].to_numpy().tolist() == [["strange", NO_OS]]
    assert (found.best, found.reasons[0].code) == (["seen"], decision.ONLY)
    chart = c.verdict.recommendation().chart
    assert dict(zip([row[0] for row in chart.rows], chart.measured, strict=True)) == {
        "seen": True,
        "strange": False,
    }
