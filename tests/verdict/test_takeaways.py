"""What to take away and what to do next: only what the evidence carries."""

from datetime import date

import pandas as pd
import pytest

from helpers.comparability.confounders import AGE, RUNTIME
from helpers.verdict import takeaways
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy
from tests.verdict.made import able, decided

TODAY = date(2026, 11, 25)
FEW, MANY = (1, 3), (9, 9)


def steps(table, findings, differing=(), has_files=True, today=TODAY) -> list[str]:
    return takeaways.next_steps(decided(table), findings, differing, has_files, today)


@pytest.fixture
def findings(frames_of) -> pd.DataFrame:
    """Of `a`: two findings of one package and one of another that have a fix, and one without."""
    found = [
        finding(1, FixedVersion="2"),
        finding(2, FixedVersion="2"),
        finding(3, PkgName="zlib", FixedVersion="2"),
        finding(4, PkgName="tar"),
    ]
    frames: pd.DataFrame = frames_of(a=trivy(*found), b=trivy()).findings
    return frames


def test_what_is_shipped_is_updated_where_its_packages_have_a_fix(findings) -> None:
    assert steps(able(FEW, MANY), findings)[0] == "In a, update what has a fix: 2 packages."
    assert steps(able(FEW, MANY), findings[:0])[0].startswith("Ship a as it is")
    none = findings.assign(exploited=False)
    by_exploited = decided(able(FEW, MANY), lens=Lens("vulnerabilities", exploited=True))
    assert takeaways.next_steps(by_exploited, none, (), True, TODAY)[0] == (
        "In a, update what has a fix: 2 packages."
    ), "a fix is one, whatever is exploited"


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        ({"ended": [1, 1]}, "Build the app on a base that is still supported"),
        ({"mixed": [True, True]}, "Scan all images with one scanner and one database"),
        ({"candidate": [False, False]}, "Scan again by 2027-02-24"),
    ],
)
def test_nothing_is_shipped_that_the_choice_does_not_name(findings, columns, first: str) -> None:
    found = steps(able(FEW, MANY, **columns), findings)
    assert found[0].startswith(first)
    assert not any(step.startswith(("In a", "Ship a")) for step in found)


@pytest.mark.parametrize(
    ("part", "given"),
    [
        ("on one day", {"differing": [AGE]}),
        ("lists no files", {"has_files": False}),
        ("this evidence is old", {"today": date(2027, 6, 1)}),
    ],
)
def test_a_step_is_there_if_what_it_mends_is(findings, part: str, given) -> None:
    usual = "\n".join(steps(able(FEW, MANY), findings, differing=[RUNTIME]))
    assert "partial" not in usual
    assert part not in usual.replace("from then on this evidence is old", "")
    assert part in "\n".join(steps(able(FEW, MANY), findings, **given))


def test_a_partial_database_is_told_but_never_more_than_four_steps(findings) -> None:
    table = able(FEW, MANY, partial=[True, True])
    assert "partial" in steps(table, findings)[-1]
    assert len(steps(table, findings, [AGE], has_files=False)) == 4
