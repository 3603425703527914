"""What was declared harmless is counted apart: with it, without it, and what is not used."""

import pandas as pd
import pytest

from helpers import frames
from helpers.frames import Frames
from helpers.risk import declared
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy

NONE = frames.make("statements", {})


@pytest.fixture
def stated(frames_of) -> Frames:
    """Three findings: one declared harmless, one by a statement that is not used, one free."""
    loaded = frames_of(app=trivy(finding(1), finding(2), finding(3)))
    findings = loaded.findings.assign(
        suppressed=[True, False, False],
        statement_status=pd.Series(["not_affected", "not_affected", None], dtype="str"),
        statement_reason=pd.Series(["vulnerable_code_not_present"] * 2 + [None], dtype="str"),
        statement_by=pd.Series(["Maker (a.json)", "Other (b.json)", None], dtype="str"),
        statement_unused=pd.Series([None, "it is about another product", None], dtype="str"),
    )
    return loaded._replace(findings=findings)


def test_both_counts_are_there(stated: Frames) -> None:
    table = declared.table(stated.findings, stated.images, Lens())
    assert table["count"].tolist() == [2, 1]
    answer = declared.answer(stated.findings, stated.images, NONE, Lens())
    assert answer.chart.totals == [3]
    assert [series.values for series in answer.chart.series] == [[2], [1]]
    assert answer.counted == "findings", "the footer says what is left out"


def test_where_nothing_is_declared_that_is_said(frames_of) -> None:
    loaded = frames_of(app=trivy(finding(1)))
    assert "VEX=FILE" in declared.answer(loaded.findings, loaded.images, NONE, Lens()).lacks
