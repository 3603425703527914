"""Two scanners of one image: the same vulnerability is matched by its id or its aliases."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import frames
from helpers.frames import Frames
from helpers.scans.reports import read
from helpers.studies import load, rows
from helpers.studies.rows import Evidence
from helpers.vulnerabilities import scanner_agreement
from helpers.vulnerabilities.scanner_agreement import agreement, summary
from tests.conftest import Write, finding, trivy
from tests.scans.test_grype import match, nvd
from tests.scans.test_grype import report_of as grype

COLUMNS = [
    *("capture", "variant", "vulnerability_id", "found_by"),
    *("trivy_severity", "grype_severity", "rated", "packages"),
]


def found(*rows: tuple[str, str | None, str | None, str], variant: str = "app") -> pd.DataFrame:
    """Findings: scanner, id, aliases and severity of each."""
    scanners, ids, aliases, severities = zip(*rows, strict=True)
    columns = {
        "capture": ["now"] * len(rows),
        "variant": [variant] * len(rows),
        "scanner": list(scanners),
        "vulnerability_id": list(ids),
        "aliases": list(aliases),
        "severity": list(severities),
        "package": [f"p{place}" for place in range(len(rows))],
    }
    return frames.make("findings", columns)


def matched(findings: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Who found each vulnerability and how it is rated."""
    table = agreement(findings)[["vulnerability_id", "found_by", "rated"]]
    return [
        tuple(None if pd.isna(cell) else cell for cell in row)
        for row in table.itertuples(index=False)
    ]


def test_a_vulnerability_is_a_row_with_what_each_scanner_says() -> None:
    findings = found(
        ("trivy", "CVE-1", None, "LOW"),
        ("trivy", "CVE-1", None, "HIGH"),
        ("grype", "CVE-1", None, "MEDIUM"),
        ("trivy", "CVE-2", None, "CRITICAL"),
        ("grype", "CVE-3", None, "LOW"),
    )
    table = agreement(findings)
    assert list(table) == COLUMNS
    assert table.astype("object").where(table.notna(), None).to_numpy().tolist() == [
        ["now", "app", "CVE-2", "trivy", "CRITICAL", None, None, "p3"],
        ["now", "app", "CVE-1", "both", "HIGH", "MEDIUM", "differently", "p0, p1, p2"],
        ["now", "app", "CVE-3", "grype", None, "LOW", None, "p4"],
    ]
    assert summary(table).to_dict("records") == [
        {
            "capture": "now",
            "variant": "app",
            "in_both": 1,
            "only_trivy": 1,
            "only_grype": 1,
            "rated_differently": 1,
        }
    ]


@pytest.mark.parametrize(
    ("first", "second", "rated"),
    [
        ("HIGH", "HIGH", "same"),
        ("HIGH", "LOW", "differently"),
        ("UNKNOWN", "LOW", None),
        ("UNKNOWN", "UNKNOWN", None),
    ],
)
def test_what_is_not_rated_is_not_rated_differently(
    first: str, second: str, rated: str | None
) -> None:
    findings = found(("trivy", "CVE-1", None, first), ("grype", "CVE-1", None, second))
    assert matched(findings) == [("CVE-1", "both", rated)]


def test_an_alias_makes_two_ids_one_whichever_scanner_tells_it() -> None:
    for ours, theirs in (
        (("CVE-1", None), ("GHSA-1", "CVE-1")),
        (("GHSA-1", "CVE-1"), ("CVE-1", None)),
        (("GHSA-1", "CVE-1"), ("GO-1", "CVE-1")),
    ):
        findings = found(("trivy", *ours, "HIGH"), ("grype", *theirs, "HIGH"))
        assert matched(findings) == [("CVE-1", "both", "same")]


def test_a_finding_without_an_id_equals_no_other() -> None:
    findings = found(
        ("trivy", None, None, "LOW"), ("trivy", None, "CVE-1", "LOW"), ("grype", None, None, "LOW")
    )
    assert matched(findings) == [
        (None, "trivy", None),
        (None, "trivy", None),
        (None, "grype", None),
    ]


def test_an_image_of_one_scanner_alone_is_left_out() -> None:
    both = found(("trivy", "CVE-1", None, "LOW"), ("grype", "CVE-1", None, "LOW"))
    alone = found(("trivy", "CVE-1", None, "LOW"), variant="alone")
    table = agreement(pd.concat([alone, both], ignore_index=True))
    assert table["variant"].tolist() == ["app"]
    for nothing in (agreement(alone), agreement(alone.iloc[:0])):
        assert list(nothing) == COLUMNS
        assert nothing.empty
        assert summary(nothing).empty
        assert {c: nothing[c].dtype for c in COLUMNS} == {c: table[c].dtype for c in COLUMNS}


def both_of(write: Write, ours: dict[str, Any], theirs: dict[str, Any], name: str = "") -> Frames:
    """What a study loads of a variant with both reports."""
    collected = rows.Rows()
    for path in (write(ours, f"{name}a.json"), write(theirs, f"{name}b.json")):
        collected.add(Evidence("app", "now", path=path), read(path))
    return collected.frames()


def test_a_scanner_that_found_nothing_scanned_all_the_same(write: Write) -> None:
    loaded = both_of(write, trivy(finding()), grype())
    assert agreement(loaded.findings).empty
    answer = scanner_agreement.answer(loaded.findings, loaded.images)
    assert answer.text.plain.startswith("Found by both scanners: app 0 of 1.")
    not_looked = loaded.images.assign(status=["scanned", "not-looked"])
    assert scanner_agreement.answer(loaded.findings, not_looked).table.empty
    listing = scanner_agreement.listing_answer(loaded.findings, not_looked, loaded.packages)
    assert listing.table.empty
    text = scanner_agreement.answer(loaded.findings, not_looked).text.plain
    assert text.startswith("No image was scanned by both")


def test_what_is_suppressed_in_one_report_is_found_and_in_both_is_none() -> None:
    rows = found(
        ("trivy", "CVE-1", None, "HIGH"),
        ("grype", "CVE-1", None, "HIGH"),
        ("trivy", "CVE-2", None, "HIGH"),
        ("grype", "GHSA-2", "CVE-2", "HIGH"),
        ("trivy", "CVE-3", None, "HIGH"),
        ("grype", "CVE-4", None, "HIGH"),
    )
    flags = pd.array([True, False, True, True, True, False], dtype="boolean")
    assert matched(rows.assign(suppressed=flags)) == [
        ("CVE-1", "both", "same"),
        ("CVE-4", "grype", None),
    ]


def test_an_advisory_of_several_cves_joins_none_of_them(write: Write) -> None:
    """Grype names what Oracle and Amazon advise by the advisory."""
    ours = trivy(finding(1), finding(2), finding(3))
    theirs = grype(
        match(id="ELSA-2024-1", related=[nvd("CVE-2024-0001"), nvd("CVE-2024-0002")]),
        match(id="ELSA-2024-2", related=[nvd("CVE-2024-0003")]),
    )
    assert matched(both_of(write, ours, theirs).findings) == [
        ("CVE-2024-0001", "trivy", None),
        ("CVE-2024-0002", "trivy", None),
        ("CVE-2024-0003", "both", "same"),
        ("ELSA-2024-1", "grype", None),
    ]


def as_trivy(findings: pd.DataFrame) -> dict[str, Any]:
    """A Trivy report of the same findings, which knows them by their CVE where there is one."""
    known = findings["aliases"].where(findings["aliases"].str.startswith("CVE-"))
    ids = known.fillna(findings["vulnerability_id"])
    rows = zip(ids, findings["package"], findings["severity"], strict=True)
    return trivy(
        *(
            finding(VulnerabilityID=name, PkgName=package, Severity=severity)
            for name, package, severity in rows
        )
    )


def test_real_reports_agree_with_what_trivy_would_call_the_same(write: Write, shared: Path) -> None:
    with (shared / "corpus/grype/index.tsv").open(newline="", encoding="utf-8") as file:
        index = [row for row in csv.DictReader(file, delimiter="\t") if int(row["findings"])]
    joined = 0
    for row in index:
        path = shared / "corpus" / row["file"]
        theirs = load.load_reports(path).findings
        ours = load.load_reports(write(as_trivy(theirs), "ours.json")).findings
        loaded = pd.concat([ours, theirs], ignore_index=True).assign(variant="app")
        table = agreement(loaded)
        assert table["found_by"].eq("both").all(), row["file"]
        assert table["rated"].dropna().eq("same").all()
        ids = set(ours["vulnerability_id"])
        assert set(table["vulnerability_id"]) == ids
        joined += theirs["aliases"].notna().sum()
        # All but the first of Trivy's: Grype alone found that one.
        one = sorted(ids)[0]
        if len(ids) > 1:
            fewer = loaded[~(loaded["scanner"].eq("trivy") & loaded["vulnerability_id"].eq(one))]
            counts = summary(agreement(fewer)).iloc[0]
            assert (counts["in_both"], counts["only_grype"]) == (len(ids) - 1, 1), row["file"]
    assert joined > 0, "the two name some differently"


NAMES = st.sampled_from([None, *(f"{kind}-{n}" for kind in ("CVE", "GHSA", "DSA") for n in "123")])
ANY = st.tuples(
    st.sampled_from(["trivy", "grype"]),
    NAMES,
    st.lists(NAMES.filter(bool), max_size=2).map(lambda names: " ".join(names) or None),
    st.sampled_from(frames.SEVERITIES),
)


@given(findings=st.lists(ANY, min_size=1, max_size=12))
def test_no_finding_is_lost_or_counted_twice(findings: list[Any]) -> None:
    made = found(*findings)
    table = agreement(made)
    if made["scanner"].nunique() < 2:
        assert table.empty
        return
    packages = sorted(", ".join(table["packages"]).split(", "))
    assert packages == sorted(made["package"]), "each finding is of one row"
    assert table["vulnerability_id"].dropna().is_unique
    assert table["vulnerability_id"].isna().sum() == made["vulnerability_id"].isna().sum()
    again = agreement(made.iloc[::-1].reset_index(drop=True))
    names = ["vulnerability_id", "found_by", "rated", "packages"]
    first, second = (
        sorted(t[names].fillna("").itertuples(index=False, name=None)) for t in (table, again)
    )
    assert first == second, "the order of findings does not matter"
