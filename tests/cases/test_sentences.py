"""Sentences say what their numbers say: here are the numbers and codes that feed them."""

import re

import pandas as pd

from helpers import Comparison, frames
from helpers.comparability import confounders, scan_consistency
from helpers.risk import declared, short_list
from helpers.text.rich import Phrase
from helpers.verdict import tradeoff, wording
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities.lenses import Lens
from tests.cases.made import finding, report, study
from tests.risk.conftest import known
from tests.verdict.made import able, decided

LENS = Lens("vulnerabilities")


def numbers(phrase: Phrase) -> list[int]:
    return [int(found) for found in re.findall(r"\d+", phrase.plain)]


def test_only_those_that_compete_are_counted_as_the_others() -> None:
    """Of six, the one past its support is not among "the other 4" or within their range."""
    counts = ((100, 1), (200, 1), (300, 1), (400, 1), (900, 1))
    chosen = decided(able(*counts, (110, 1), old_runtime=[0, 0, 0, 0, 0, 1]), WEIGHTS)
    assert chosen.best == ["a"]
    assert numbers(wording._lead(chosen)) == [100, 200, 900]
    alone = decided(able(*counts), WEIGHTS)
    assert numbers(wording._lead(alone)) == [100, 200, 900, 4]


def test_the_range_of_all_counts_nobody_as_another() -> None:
    counts = [11, 20, 31, 42, 53, 561]
    all_past = able(*((count, 1) for count in counts), ended=[1] * len(counts))
    assert numbers(wording._each(decided(all_past, WEIGHTS))) == [11, 561]


def test_a_runtime_past_its_end_stops_no_advisories_of_the_system() -> None:
    table = able((1, 1), (2, 2), (3, 3), ended=[1, 0, 0], old_runtime=[0, 1, 0])
    past = {criterion: list(who) for criterion, who in tradeoff.past_support(table).items()}
    assert past == {"ended": ["a"], "old_runtime": ["b"]}


def of(**columns: list[str]) -> pd.DataFrame:
    alike = {"variant": ["a", "b"], "capture": ["now"] * 2, "status": ["scanned"] * 2}
    return frames.make("images", {**alike, **columns})


def spoken(images: pd.DataFrame) -> int:
    (talk,) = confounders.answer(images).talks
    return len(talk.spoken)


def test_where_nothing_differs_no_difference_is_kept_in_mind() -> None:
    alike = of(runtime=["node 24.19.0"] * 2)
    unlike = of(runtime=["node 24.19.0", "node 8.17.0"])
    assert confounders.unlike(confounders.confounders(alike)) == []
    assert spoken(unlike) == spoken(alike) + 1


def test_a_database_that_no_report_names_is_not_called_one() -> None:
    day = pd.Timestamp("2026-11-01", tz="UTC")
    scanned = {"scanner": ["trivy"] * 2, "scanner_version": ["0.76.0"] * 2}
    named, unnamed = of(**scanned, db_updated_at=[day] * 2), of(**scanned, scanned_at=[day] * 2)
    assert scan_consistency.has_one_database(named)
    assert not scan_consistency.has_one_database(unnamed)


def test_serious_ones_with_a_fix_that_are_not_on_the_short_list_are_counted(frames_of) -> None:
    loaded = known(
        frames_of(app=report(finding(1, fix="3.0.2"), finding(2, fix="3.0.2"), finding(3))),
        {"CVE-2024-0001": 0.01, "CVE-2024-0002": 0.01, "CVE-2024-0003": 0.01},
    )
    needed = pd.DataFrame(columns=["variant", "package", "package_path", "need"])
    assert short_list.short_list(loaded.findings, needed, LENS).empty
    assert short_list.left_out(loaded.findings, LENS) == 2


def test_statements_whose_documents_are_not_kept_were_given_all_the_same(empty_data) -> None:
    ignored = {
        "Type": "vulnerability",
        "Status": "not_affected",
        "Statement": "vulnerable_code_not_present",
        "Source": "OpenVEX",
        "Finding": finding(1),
    }
    held = report(finding(2))
    held["Results"][0]["ExperimentalModifiedFindings"] = [ignored]
    c = Comparison(study(empty_data, {"2026-11-01": {"a": held, "b": report(finding(2))}}))
    assert c.statements.empty
    assert c.findings["suppressed"].sum() == 1
    given = declared.statements_answer(c.statements, c.findings)
    none = declared.statements_answer(c.statements, c.findings[~c.findings["suppressed"]])
    assert given.lacks != none.lacks
