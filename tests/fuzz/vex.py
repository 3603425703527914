"""VEX documents in three formats: their statements, and what findings make of them."""

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from helpers.scanning import hand_on_vex
from helpers.scans import reports
from helpers.studies import rows
from helpers.studies.study import Study, Variant
from helpers.vex import evidence
from tests.fuzz.kind import Kind, plain_json, same
from tests.fuzz.mutations import of_json
from tests.fuzz.reports import trivy_seeds
from tests.vex.test_evidence import IMAGE, SBOM, TAR, csaf, cyclonedx, openvex, statement

_STUDY = Study("t", "q", "a", [Variant("one", sbom="one.json")], name="fuzz")


@cache
def _findings() -> tuple[list[str], list[str]]:
    """Ids and package URLs that a report has, so that statements are about something."""
    found = trivy_seeds()[3]["Results"]
    rows = [row for result in found for row in result.get("Vulnerabilities", [])]
    return [row["VulnerabilityID"] for row in rows], [row["PkgIdentifier"]["PURL"] for row in rows]


@cache
def _openvex_seeds() -> list[Any]:
    ids, purls = _findings()
    whole = {"products": [{"@id": IMAGE, "subcomponents": [{"@id": purls[0]}]}]}
    return [
        openvex(
            statement(vulnerability={"name": ids[0], "aliases": ["GHSA-1"]}, **whole),
            statement(vulnerability={"@id": "x", "name": ids[-1]}, products=[{"@id": purls[-1]}]),
            statement(status="affected", justification=None, action_statement="wait"),
        ),
        openvex(statement(timestamp="2026-09-30T20:00:00.123456789-06:00")),
    ]


@cache
def _csaf_seeds() -> list[Any]:
    ids, _ = _findings()
    flags = [
        {"label": "component_not_present", "product_ids": ["tar"], "date": "2026-01-01T00:00:00Z"}
    ]
    impact = [{"category": "impact", "details": "d", "product_ids": ["tar-in-node"]}]
    return [
        csaf(
            {"cve": ids[0], "product_status": {"known_not_affected": ["tar", "x"]}, "flags": flags},
            {
                "ids": [{"text": "GHSA-1"}],
                "product_status": {"fixed": ["node"], "recommended": ["node"]},
            },
            {
                "cve": ids[-1],
                "product_status": {"known_affected": ["tar-in-node"], "first_fixed": []},
                "threats": impact,
            },
        )
    ]


@cache
def _cyclonedx_seeds() -> list[Any]:
    ids, purls = _findings()
    analysis = {"state": "not_affected", "justification": "code_not_present", "detail": "d"}
    return [
        cyclonedx(
            {"id": ids[0], "analysis": analysis, "affects": [{"ref": f"{SBOM}#{purls[0]}"}]},
            {"id": ids[-1], "analysis": {"state": "exploitable"}, "affects": [{"ref": "tar"}]},
            {"id": "CVE-1", "references": [{"id": "GHSA-1"}]},
            components=[{"bom-ref": "tar", "purl": TAR}],
        )
    ]


_CSAF = {
    *("known_not_affected", "fixed", "first_fixed", "known_affected", "first_affected"),
    *("last_affected", "under_investigation"),
}


def _count(document: Any) -> int:
    """Count the statements of a document, by plain loops."""
    if "bomFormat" in document:
        return sum(bool(each.get("analysis")) for each in document["vulnerabilities"])
    if "@context" in document:
        return len(document["statements"])
    return sum(
        bool(listed) and status in _CSAF
        for each in document["vulnerabilities"]
        for status, listed in (each.get("product_status") or {}).items()
    )


def _check(path: Path, random: Random) -> None:
    [given] = hand_on_vex.given(_STUDY, [path])
    same("statements", len(given.vex.statements), _count(plain_json(path.read_bytes())))
    same("number of statements", given.document.statements, len(given.vex.statements))
    kept = path.with_name("vex.json")
    known = evidence.about([given.vex], {name for s in given.vex.statements for name in s.ids})
    evidence.write(kept, known)
    same("evidence", evidence.read(kept), known)
    if random.random() < 0.2:
        _check_effects(path, known)


def _check_effects(path: Path, known: evidence.Vex) -> None:
    report = path.with_name("report.json")
    report.write_text(json.dumps(trivy_seeds()[3]))
    item, decoded = rows.Evidence("one", path=report, vex=known), reports.read(report)
    collected = rows.Rows()
    collected.add(item, decoded)
    for effect in collected.effects(item, decoded):
        assert effect["effect"]
    collected.frames()


KINDS = {
    "openvex": Kind(lambda random: of_json(random, _openvex_seeds()), _check),
    "csaf": Kind(lambda random: of_json(random, _csaf_seeds()), _check),
    "cyclonedx-vex": Kind(lambda random: of_json(random, _cyclonedx_seeds()), _check),
}
