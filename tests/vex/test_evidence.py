"""VEX documents of three formats become the same statements; other files are refused by name."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import VexInvalid
from helpers.vex import evidence
from helpers.vex.evidence import Vex
from helpers.vex.statement import Product

TAR = "pkg:deb/debian/tar"
IMAGE = "pkg:oci/node?repository_url=index.docker.io/library/node"
SBOM = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1"


def statement(**fields: Any) -> dict[str, Any]:
    """A statement as OpenVEX has it."""
    return {
        "vulnerability": {"name": "CVE-2005-2541"},
        "products": [{"@id": TAR}],
        "status": "not_affected",
        "justification": "component_not_present",
        **fields,
    }


def openvex(*statements: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A document as OpenVEX has it."""
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex/1",
        "author": "A",
        "timestamp": "2026-10-01T00:00:00Z",
        "version": 1,
        "statements": [*statements],
        **fields,
    }


def csaf(*vulnerabilities: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A document as CSAF has it, of the package `tar`, and of it in an image as `tar-in-node`."""

    def product(name: str, purl: str) -> dict[str, Any]:
        helper = {"product_identification_helper": {"purl": purl}}
        return {
            "category": "product_version",
            "product": {"product_id": name, "name": name, **helper},
        }

    return {
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "publisher": {"category": "vendor", "name": "A", "namespace": "https://example.org"},
            "title": "t",
            "tracking": {
                "current_release_date": "2026-10-01T00:00:00Z",
                "id": "1",
                "initial_release_date": "2026-10-01T00:00:00Z",
                "status": "final",
                "version": "1",
            },
        },
        "product_tree": {
            "branches": [{"category": "vendor", "branches": [product("tar", TAR)]}],
            "full_product_names": [product("node", IMAGE)["product"]],
            "relationships": [
                {
                    "category": "default_component_of",
                    "product_reference": "tar",
                    "relates_to_product_reference": "node",
                    "full_product_name": {"product_id": "tar-in-node", "name": "tar in node"},
                }
            ],
        },
        "vulnerabilities": [*vulnerabilities],
        **fields,
    }


def cyclonedx(*vulnerabilities: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A document as CycloneDX has it."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": "2026-10-01T00:00:00Z", "authors": [{"name": "A"}]},
        "vulnerabilities": [*vulnerabilities],
        **fields,
    }


def parsed(content: dict[str, Any]) -> Vex:
    return evidence.parse(json.dumps(content).encode(), "x.json")


def said(content: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Ids, status, reason, day and products of each statement."""
    return [
        (s.ids, s.status, s.reason, s.said_at and f"{s.said_at:%Y-%m-%d}", s.products)
        for s in parsed(content).statements
    ]


def test_the_shared_documents_have_the_statements_that_were_counted(shared: Path) -> None:
    """Once more by the json module alone is in `statements.tsv`."""
    with (shared / "risk/vex/statements.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for name in {row["document"] for row in rows}:
        (path,) = (shared / "risk/vex").glob(f"{name}*")
        vex = evidence.parse(evidence.unzipped(path.read_bytes(), name), name)
        wanted = Counter[str]()
        for row in rows:
            if row["document"] == name:
                wanted[row["status"]] += int(row["statements"])
                reasons = [
                    s
                    for s in vex.statements
                    if (s.status, s.reason) == (row["status"], row["justification"])
                ]
                if row["justification"]:
                    assert len(reasons) == int(row["statements"]), row
        assert Counter(s.status for s in vex.statements) == wanted, name
        assert vex.documents[0].statements == wanted.total()
        raw = json.loads(evidence.unzipped(path.read_bytes(), name))
        assert vex.documents[0].author == raw["author"]


def test_an_openvex_statement() -> None:
    given_ = statement(
        vulnerability={"@id": "https://x/1", "name": "GHSA-1", "aliases": ["CVE-1", "GHSA-1"]},
        products=[
            {"@id": IMAGE, "subcomponents": [{"@id": TAR}, {"identifiers": {"purl": "pkg:a/b"}}]},
            {"@id": "https://x/tar", "identifiers": {"purl": TAR, "cpe23": "cpe:2.3:a"}},
            {"hashes": {"sha-256": "abc"}},
        ],
        timestamp="2026-09-30T20:00:00.123456789-06:00",
    )
    assert said(openvex(given_)) == [
        (
            ("GHSA-1", "CVE-1", "https://x/1"),
            "not_affected",
            "component_not_present",
            "2026-10-01",
            (Product(IMAGE, (TAR, "pkg:a/b")), Product(TAR)),
        )
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"justification": None, "impact_statement": "not built in"}, "not built in"),
        ({"impact_statement": "not built in"}, "component_not_present"),
        ({"status": "affected", "justification": None, "action_statement": "wait"}, "wait"),
        ({"status": "fixed", "justification": None}, ""),
    ],
)
def test_without_a_justification_the_authors_words_are_the_reason(
    fields: dict[str, Any], reason: str
) -> None:
    assert [one[2] for one in said(openvex(statement(**fields)))] == [reason]


@pytest.mark.parametrize(
    ("written", "made", "day"),
    [
        ("2026-10-01T00:00:00Z", None, "2026-10-01"),
        ("2026-10-01T00:00:00Z", "2025-01-01T00:00:00Z", "2025-01-01"),
        ("2026-10-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-10-01"),
        (None, None, None),
    ],
)
def test_a_statement_without_a_time_has_the_documents(
    written: str | None, made: str | None, day: str | None
) -> None:
    assert [one[3] for one in said(openvex(statement(timestamp=made), timestamp=written))] == [day]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("known_not_affected", "not_affected"),
        ("fixed", "fixed"),
        ("first_fixed", "fixed"),
        ("known_affected", "affected"),
        ("last_affected", "affected"),
        ("under_investigation", "under_investigation"),
    ],
)
def test_a_csaf_statement(kind: str, status: str) -> None:
    given_ = {
        "cve": "CVE-1",
        "ids": [{"system_name": "x", "text": "GHSA-1"}],
        "product_status": {kind: ["tar", "tar-in-node"], "recommended": ["node"]},
        "threats": [{"category": "impact", "details": "not built in", "product_ids": ["tar"]}],
        "flags": [
            {
                "label": "component_not_present",
                "product_ids": ["tar"],
                "date": "2026-09-01T00:00:00Z",
            },
            {"label": "of another", "product_ids": ["node"]},
        ],
    }
    reason = "component_not_present" if status == "not_affected" else ""
    products = (Product(TAR), Product(IMAGE, (TAR,)))
    assert said(csaf(given_)) == [(("CVE-1", "GHSA-1"), status, reason, "2026-09-01", products)]
    other = {"category": "exploit_status", "details": "seen"}
    (without,) = said(csaf({**given_, "flags": [], "threats": [other, *given_["threats"]]}))
    assert without[2:4] == ("not built in" if reason else "", "2026-10-01")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("not_affected", "not_affected"),
        ("false_positive", "not_affected"),
        ("resolved", "fixed"),
        ("resolved_with_pedigree", "fixed"),
        ("exploitable", "affected"),
        ("in_triage", "under_investigation"),
    ],
)
def test_a_cyclonedx_statement(state: str, status: str) -> None:
    refs = [f"{SBOM}#{TAR}", f"{SBOM}#pkg%3Adeb%2Fdebian%2Ftar%401", "1"]
    given_ = {
        "id": "CVE-1",
        "references": [{"id": "GHSA-1"}],
        "analysis": {
            "state": state,
            "detail": "not built in",
            "firstIssued": "2026-09-01T00:00:00Z",
        },
        "affects": [{"ref": ref} for ref in refs],
    }
    components = [{"bom-ref": "1", "purl": "pkg:deb/debian/bash"}]
    products = (Product(TAR), Product(f"{TAR}@1"), Product("pkg:deb/debian/bash"))
    assert said(cyclonedx(given_, {"id": "CVE-2"}, components=components)) == [
        (("CVE-1", "GHSA-1"), status, "not built in", "2026-09-01", products)
    ]
    given_["analysis"]["lastUpdated"] = "2026-09-02T00:00:00Z"
    assert [one[3] for one in said(cyclonedx(given_))] == ["2026-09-02"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\x00\x01", "not a VEX document"),
        (json.dumps(openvex(statement())).encode()[:-9], "cut off"),
        (b'{"a":' * 10**5, "not a VEX document"),
        (
            {"SchemaVersion": 2, "Results": []},
            "not a VEX document: it has 'SchemaVersion', 'Results'",
        ),
        ({"@context": "https://schema.org", "statements": []}, "not a VEX document"),
        (openvex(), "OpenVEX without a statement"),
        (openvex(statement(status="harmless")), r"harmless.*statements\[0\]\.status"),
        (openvex(statement(timestamp="2026-10-01T00:00:00")), "timestamp"),
        (openvex(statement(products=["pkg:a/b"])), r"products\[0\]"),
        (
            openvex(statement(), **{"@context": "https://openvex.dev/ns/v0.0.1"}),
            "which Trivy refuses",
        ),
        (csaf({"cve": "CVE-1", "product_status": {"recommended": ["tar"]}}), "without a statement"),
        (csaf({"cve": "CVE-1", "product_status": {"fixed": [1]}}), "product_status"),
        (csaf(product_tree=None), "product_tree"),
        (cyclonedx(), "CycloneDX without a statement"),
        (cyclonedx({"id": "CVE-1", "analysis": {"state": "harmless"}}), "harmless"),
    ],
)
def test_other_files_are_refused_by_name(content: Any, problem: str) -> None:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(VexInvalid, match=rf"(?s)^x\.json: .*{problem}"):
        evidence.parse(text, "x.json")


def test_evidence_keeps_what_is_about_some_ids_and_comes_back_whole(tmp_path: Path) -> None:
    first = parsed(openvex(statement(), statement(vulnerability={"name": "CVE-2"})))
    alias = {"name": "GHSA-1", "aliases": ["CVE-1"]}
    second = evidence.parse(json.dumps(openvex(statement(vulnerability=alias))).encode(), "y.json")
    kept = evidence.about([first, second], {"CVE-1", "CVE-2005-2541"}, "node:24")
    assert [document.name for document in kept.documents] == ["x.json", "y.json"]
    assert [document.statements for document in kept.documents] == [2, 1]
    assert [s.ids[0] for s in kept.statements] == ["CVE-2005-2541", "GHSA-1"]
    path = tmp_path / "vex.json"
    assert evidence.read(path) == evidence.NONE
    evidence.write(path, kept)
    assert evidence.read(path) == kept
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(VexInvalid, match=r"vex\.json: invalid content.*--fresh"):
        evidence.read(path)


def test_a_statement_of_a_document_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = parsed(openvex(statement()))
    evidence.write(tmp_path / "vex.json", Vex((), found.statements))
    with pytest.raises(VexInvalid, match=r"vex.json: statements of 'x.json', not one of"):
        evidence.read(tmp_path / "vex.json")
