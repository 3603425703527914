"""Every version of Trivy's report is decoded; other files are refused with their kind."""

import pytest

from helpers.errors import ReportInvalid
from helpers.scans import reports as scanner
from helpers.scans.reports import read
from tests.conftest import Write, finding, suppressing, trivy


@pytest.mark.parametrize("results", [{}, {"Results": None}, {"Results": []}])
def test_a_report_without_results_is_a_report(write: Write, results: dict[str, object]) -> None:
    decoded = read(write({"SchemaVersion": 2, "ArtifactName": "clean", **results}))
    assert (decoded.schema_version, decoded.artifact_name) == (2, "clean")
    assert not decoded.results


def test_a_report_of_more_rows_than_fit_into_memory_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "MAX_ROWS", 3)
    report = trivy(finding(1), finding(2))
    report["Results"][0]["Packages"] = [{"Name": "a"}]
    assert read(write(report)).results
    report["Results"].append({"Target": "b", "Packages": [{"Name": "b"}]})
    with pytest.raises(ReportInvalid, match="more than 3 findings and packages"):
        read(write(report))


@pytest.mark.parametrize("content", [b"null", b" null\n", b"[]"])
def test_an_empty_legacy_scan_is_a_report(write: Write, content: bytes) -> None:
    assert read(write(content)).results == []


@pytest.mark.parametrize(
    ("target", "artifact", "family", "version"),
    [
        ("shop:v1 (alpine 3.11.5)", "shop:v1", "alpine", "3.11.5"),
        ("x (amazon 2 (Karoo))", "x", "amazon", "2 (Karoo)"),
        ("x (opensuse.leap 15.1)", "x", "opensuse.leap", "15.1"),
        ("x (suse linux enterprise server 12.3)", "x", "suse linux enterprise server", "12.3"),
        ("my (old) image.tar (debian 10.8)", "my (old) image.tar", "debian", "10.8"),
        ("app/package-lock.json", None, None, None),
        ("image (without version)", "image", "without", "version"),
    ],
)
def test_a_legacy_list_has_image_and_os_in_a_target(
    write: Write, target: str, artifact: str | None, family: str | None, version: str | None
) -> None:
    npm = {"Target": "app/package-lock.json", "Vulnerabilities": None}
    decoded = read(write([npm, {"Target": target, "Vulnerabilities": [finding()]}]))
    system = decoded.metadata.os if decoded.metadata else None
    assert decoded.artifact_name == artifact
    assert (system and system.family, system and system.name) == (family, version)
    assert [len(result.vulnerabilities or []) for result in decoded.results or []] == [0, 1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"bomFormat": "CycloneDX"}, "CycloneDX SBOM.*trivy sbom"),
        ({"spdxVersion": "SPDX-2.3"}, "SPDX SBOM.*trivy sbom"),
        ({"$schema": "x", "version": "2.1.0", "runs": []}, "SARIF log of an unnamed tool with 0 r"),
        ({"version": "2.1.0", "runs": 7}, "SARIF log, not Trivy's own"),
        (
            {
                "runs": [
                    {
                        "tool": {"driver": {"name": "Trivy", "rules": [{"properties": {}}]}},
                        "results": [{"message": {"text": "Package: a\nInstalled Version: 1"}}],
                        "properties": {"imageID": "sha256:1"},
                    }
                ]
            },
            "SARIF log of Trivy with 1 results, not a report: it lacks packages without a finding, "
            "the operating system and the time of the scan",
        ),
        ({"matches": [], "descriptor": {}}, "like Grype's, but written by an unnamed tool"),
        ({"matches": [], "source": {}}, "neither a Trivy nor a Grype report"),
        ({"matches": [], "descriptor": {}, "SchemaVersion": 2}, "keys of two scanners"),
        ({"matches": [], "descriptor": {}, "Results": []}, "keys of two scanners"),
        ({"matches": [], "SchemaVersion": 2, "Results": []}, "keys of two scanners"),
        ({"SchemaVersion": 2, "bomFormat": "CycloneDX"}, "CycloneDX SBOM"),
        ({"artifacts": [], "descriptor": {}}, "Syft"),
        ({"ClusterName": "k", "Resources": []}, "Kubernetes"),
        ({"SchemaVersion": 2, "ClusterName": "k", "Resources": []}, "Kubernetes"),
        ({"apiVersion": "v1", "kind": "VulnerabilityReport"}, "Kubernetes object"),
        ({"application/vnd.security.vulnerability.report; version=1.1": {}}, "Harbor"),
        ({"schemaVersion": 2, "mediaType": "m", "layers": []}, "image manifest"),
        ({"SchemaVersion": 2, "ArtifactType": "aws_account"}, "AWS account"),
        ({"SchemaVersion": 3}, "schema 3; the kit reads schema 2"),
        ({"SchemaVersion": "2"}, "wrong kind.*SchemaVersion"),
        ({}, "no SchemaVersion"),
        ({"SchemaVersion": None, "Results": []}, "no SchemaVersion"),
        ([1, 2], "a JSON list, but not of Trivy results"),
        ([{"name": "x"}], "a JSON list, but not of Trivy results"),
        ([{"Target": 7}], r"wrong kind.*Target"),
        (trivy(finding(Severity="Negligible")), r"wrong kind.*Vulnerabilities\[0\]\.Severity"),
        (trivy(finding(PublishedDate="soon")), r"wrong kind.*PublishedDate"),
        (trivy(finding(), Metadata={"Size": -1}), r"wrong kind.*Size"),
        (b'{"SchemaVersion": 2, "Resul', "cut off"),
        (b"{'SchemaVersion': 2}", "not valid JSON"),
        (b"nonsense", "not valid JSON"),
        (b'{"a":' * 10**6, "nested too deep"),
        (b"[" * 10**6, "nested too deep|not of Trivy results"),
    ],
)
def test_other_files_are_refused(write: Write, content: object, problem: str) -> None:
    path = write(content)
    with pytest.raises(ReportInvalid, match=problem) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.remedy


def test_credentials_of_an_image_are_never_decoded(write: Write) -> None:
    config = {"architecture": "amd64", "config": {"Env": ["TOKEN=hunter2"]}}
    decoded = read(write(trivy(Metadata={"ImageConfig": config})))
    assert "hunter2" not in repr(decoded)


def test_what_is_suppressed_is_decoded_if_it_is_a_vulnerability(write: Write) -> None:
    """Also as Trivy 0.55 wrote it: a status as a number, and no package URL."""
    report = suppressing(
        trivy(finding(1)),
        finding(2, Status=3, PkgIdentifier={"UID": "1", "BOMRef": "x"}),
        finding(3, Status="affected", PkgIdentifier={"PURL": "pkg:deb/debian/tar@1"}),
        finding(4, Status=99),
    )
    others = [
        {"Type": "secret", "Status": "ignored", "Finding": {"Severity": "NONE", "Match": "x"}},
        {"Type": "license", "Status": "ignored", "Finding": {"Severity": 7}},
    ]
    report["Results"][0]["ExperimentalModifiedFindings"] += others
    (result,) = read(write(report)).results or []
    assert len(result.vulnerabilities or []) == 1
    found = [(each.vulnerability, each.status, each.source) for each in result.suppressed or []]
    assert [(v.vulnerability_id, v.status, *rest) for v, *rest in found] == [
        ("CVE-2024-0002", "fixed", "not_affected", "vex.json"),
        ("CVE-2024-0003", "affected", "not_affected", "vex.json"),
        ("CVE-2024-0004", None, "not_affected", "vex.json"),
    ]
    identifiers = [v.pkg_identifier for v, *_ in found]
    assert [i and i.purl for i in identifiers] == [None, "pkg:deb/debian/tar@1", None]
    with pytest.raises(ReportInvalid, match=r"wrong kind.*Severity"):
        read(write(suppressing(trivy(), finding(Severity="Negligible"))))
