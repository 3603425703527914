"""Ids that name each other are one vulnerability, wherever vulnerabilities are counted."""

import csv
import gzip
import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import Comparison, aliases, frames
from helpers.fleet import tally
from helpers.frames import SEVERITIES
from helpers.scans import summary
from helpers.vulnerabilities import lenses, scanner_agreement
from helpers.vulnerabilities.lenses import Lens
from helpers.vulnerabilities.once import VULNERABILITIES
from tests.cases.made import finding, report, study

GHSA = "GHSA-aaaa-bbbb-cccc"


def npm(number: int, main: str = "", **fields: Any) -> dict[str, Any]:
    """A finding of an npm package, by another id than its CVE if one is given."""
    named = {"VulnerabilityID": main} if main else {}
    return finding(number, "lodash", "4.17.1", fix="4.17.21", **named, **fields)


def twice(**fields: Any) -> dict[str, Any]:
    """A report with one vulnerability by its CVE, in one package, and by its GHSA in another."""
    found = npm(1, GHSA, VendorIDs=["CVE-2024-0001"], **fields)
    return report(finding(1, Severity="LOW"), finding(2), npm=["lodash 4.17.1"], npm_found=[found])


def counted(c: Comparison) -> int:
    return len(c.where(lens="vulnerabilities").counted_findings)


@pytest.mark.parametrize(
    ("ids", "others", "wanted"),
    [
        (["CVE-2", GHSA], [GHSA, None], ["CVE-2", "CVE-2"]),
        ([GHSA, "CVE-2"], ["CVE-2", None], ["CVE-2", "CVE-2"]),
        (["CVE-3", "CVE-1", GHSA], [GHSA, GHSA, None], ["CVE-1"] * 3),
        (["GO-1", "PYSEC-1", "CVE-9"], [GHSA, GHSA, None], [GHSA, GHSA, "CVE-9"]),
        (["CVE-1", None, "CVE-2"], [None, None, None], ["CVE-1", None, "CVE-2"]),
        ([None, GHSA], ["CVE-1", None], [None, GHSA]),
    ],
    ids=["main", "alias", "by way of a third", "without a CVE", "none", "no id"],
)
def test_one_id_stands_for_ids_that_name_each_other(ids, others, wanted) -> None:
    for order in itertools.permutations(range(len(ids))):
        found = aliases.canonical([ids[n] for n in order], [others[n] for n in order])
        assert list(found) == [wanted[n] for n in order]


def test_in_images_apart_none_depends_on_another() -> None:
    ids, others = ["CVE-1", GHSA, GHSA], [GHSA, None, None]
    assert list(aliases.canonical(ids, others, ["a", "a", "b"])) == ["CVE-1", "CVE-1", GHSA]


def test_an_advisory_that_bundles_is_no_alias() -> None:
    assert aliases.of("CVE-1", ["DSA-5-1", GHSA]) == GHSA
    assert aliases.of("DSA-5-1", ["CVE-1", "CVE-2"]) is None


def test_vulnerabilities_of_one_advisory_are_as_many_as_it_names(empty_data) -> None:
    found = [finding(number, VendorIDs=["DSA-5-1"]) for number in (1, 2, 3)]
    bundle = finding(0, VulnerabilityID="DSA-6-1", VendorIDs=["CVE-2024-0001", "CVE-2024-0002"])
    c = Comparison(study(empty_data, {"2026-11-01": {"a": report(*found, bundle)}}))
    assert counted(c) == 4


def test_a_vulnerability_counts_once_under_all_its_ids(empty_data) -> None:
    c = Comparison(study(empty_data, {"2026-11-01": {"a": twice()}}))
    assert (len(c.findings), counted(c)) == (3, 2)
    # With the highest severity of its findings, and fixable if one of them is.
    rated = c.where(lens="vulnerabilities").counted_findings.set_index("vulnerability")["severity"]
    assert rated.to_dict() == {"CVE-2024-0001": "HIGH", "CVE-2024-0002": "HIGH"}
    assert len(c.where(lens="vulnerabilities", fixable=True).counted_findings) == 1
    totals = c.vulnerabilities.totals().table.iloc[0]
    assert (totals["vulnerabilities"], totals["fixable_vulnerabilities"]) == (2, 1)


def test_one_that_is_exploited_under_both_ids_is_one() -> None:
    known = frames.make(
        "findings",
        {
            "capture": [""] * 2,
            "variant": ["a"] * 2,
            "vulnerability_id": ["CVE-2024-0001", GHSA],
            "aliases": [None, "CVE-2024-0001"],
            "severity": ["HIGH"] * 2,
            "exploited": [True] * 2,
            "cve_id": ["CVE-2024-0001"] * 2,
            "kev_added_at": [datetime(2024, 2, 1, tzinfo=UTC)] * 2,
            "suppressed": [False] * 2,
        },
    )
    assert len(lenses.apply(known, Lens(VULNERABILITIES, exploited=True))) == 1


def test_in_two_images_it_is_in_both(empty_data) -> None:
    other = report(npm=["lodash 4.17.1"], npm_found=[npm(1, GHSA)])
    c = Comparison(study(empty_data, {"2026-11-01": {"a": twice(), "b": other}}))
    table = c.vulnerabilities.overlap().table.set_index("variants")["vulnerabilities"]
    assert table.to_dict() == {"a": 1, "a + b": 1}


def test_beside_a_report_of_ones_own_it_is_in_both(empty_data) -> None:
    name = study(empty_data, {"2026-11-01": {"a": twice()}})
    path = empty_data / "own.json"
    path.write_text(json.dumps(report(npm=["lodash 4.17.1"], npm_found=[npm(1, GHSA)])))
    c = Comparison(name, mixed=True).with_images(path)
    table = c.vulnerabilities.overlap().table.set_index("variants")["vulnerabilities"]
    assert table.to_dict() == {"a": 1, "a + own": 1}


def test_the_summary_counts_it_once(tmp_path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(twice()))
    row = summary.row(path)
    assert (row["findings"], row["vulnerabilities"]) == (3, 2)


def test_a_fleet_counts_it_once_an_image_whatever_is_beside_it(tmp_path) -> None:
    """So that it does not matter which images are read into one part."""
    made = frames.make(
        "findings",
        {
            "capture": ["", "", ""],
            "variant": ["a", "a", "b"],
            "vulnerability_id": ["CVE-1", GHSA, GHSA],
            "aliases": [GHSA, None, None],
            "severity": ["LOW", "HIGH", "LOW"],
            "vulnerability": aliases.canonical(
                ["CVE-1", GHSA, GHSA], [GHSA, None, None], ["a", "a", "b"]
            ),
            "suppressed": [False] * 3,
        },
    )
    empty = {name: frames.make(name, {}) for name in ("fleet", "images", "packages")}
    part = tally.Partition(findings=made, **empty)
    found = tally.occurrences(Lens(VULNERABILITIES)).of(part).set_index("vulnerability_id")
    assert found["images"].to_dict() == {"CVE-1": 1, GHSA: 1}


def loaded(shared: Path, image: str, scanners: tuple[str, str]) -> pd.DataFrame:
    """Findings of scanners in an image, as the kit has them; `upstream` is what was found."""
    path = shared / "anchors" / "scanner-agreement" / "findings.csv.gz"
    columns: dict[str, list[Any]] = defaultdict(list)
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["image"] != image or row["scanner"] not in scanners:
                continue
            others = [] if row["upstream"] else row["aliases"].split()
            for main in row["upstream"].split() or [row["vulnerability_id"]]:
                columns["capture"].append("")
                columns["variant"].append(image)
                columns["scanner"].append(row["scanner"])
                columns["vulnerability_id"].append(main)
                columns["advisory_id"].append(row["vulnerability_id"] if row["upstream"] else None)
                columns["aliases"].append(aliases.of(main, others))
                columns["package"].append(row["package"])
                columns["severity"].append(SEVERITIES[0])
                columns["suppressed"].append(False)
    return frames.make("findings", columns)


@pytest.mark.parametrize("pair", itertools.combinations(("trivy", "grype", "osv"), 2))
@pytest.mark.parametrize("image", ["alpine_3.19", "bkimminich_juice-shop", "nginx_latest"])
def test_scanners_agree_as_was_counted_by_others(shared: Path, image: str, pair) -> None:
    path = shared / "anchors" / "scanner-agreement" / "expected.json"
    wanted = json.loads(path.read_text())[image][" and ".join(pair)]
    findings = loaded(shared, image, pair)
    row = scanner_agreement.summary(scanner_agreement.agreement(findings, *pair), *pair).iloc[0]
    found = [row["in_both"], *(row[f"only_{scanner}"] for scanner in pair)]
    assert found == [wanted[key] for key in ("both", *(f"only {scanner}" for scanner in pair))]
    assert round(found[0] / sum(found), 4) == wanted["jaccard by id or alias"]
    jaccard = scanner_agreement.jaccards(findings, *pair).iloc[0]
    assert [round(jaccard[by], 4) for by in ("by_id", "by_vulnerability", "by_cve")] == [
        wanted[f"jaccard {by}"] for by in ("by the id alone", "by id or alias", "of CVE ids")
    ]
    # The lens counts what the agreement lists, whoever found it.
    counted = lenses.apply(findings.assign(scanner="any"), Lens(VULNERABILITIES))
    assert len(counted) == sum(found)
