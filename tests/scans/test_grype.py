"""Grype's reports, over its versions, load into the same frames as Trivy's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import pandas as pd
import pytest
from hypothesis import given

from helpers.errors import ReportInvalid
from helpers.frames import Frames
from helpers.scans import grype, trivy_schema
from helpers.scans.reports import read
from helpers.studies.load import load_reports
from tests.conftest import Write

Load = Callable[..., Frames]

DESCRIPTOR = {
    "name": "grype",
    "version": "0.94.0",
    "timestamp": "2025-06-19T11:43:35.523947199Z",
    "db": {"status": {"built": "2025-06-19T04:12:38Z"}},
}
TARGET = {
    "userInput": "app:1",
    "imageID": "sha256:1",
    "imageSize": 1000,
    "architecture": "arm64",
    "layers": [{"digest": "sha256:a"}, {"digest": "sha256:b"}],
}


def match(
    number: int = 1, related: Any = None, package: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """A match as Grype writes it."""
    return {
        "vulnerability": {
            "id": f"CVE-2024-{number:04d}",
            "namespace": "debian:distro:debian:12",
            "severity": "High",
            "fix": {"versions": ["3.0.2"], "state": "fixed"},
            **fields,
        },
        "relatedVulnerabilities": related,
        "artifact": {
            "name": "libssl3",
            "version": "3.0.1",
            "type": "deb",
            "purl": "pkg:deb/debian/libssl3@3.0.1",
            "locations": [{"path": "/var/lib/dpkg/status", "layerID": "sha256:b"}],
            "upstreams": [{"name": "openssl"}],
            **(package or {}),
        },
    }


def report_of(*matches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A report of one image as Grype writes it."""
    return {
        "matches": list(matches),
        "source": {"type": "image", "target": TARGET},
        "distro": {"name": "debian", "version": "12"},
        "descriptor": DESCRIPTOR,
        **fields,
    }


def nvd(name: str, severity: str = "", *cvss: tuple[str, float, str | None]) -> dict[str, Any]:
    """NVD's entry of a vulnerability: scores by version, with their source."""
    scores = [
        {"version": version, "metrics": {"baseScore": score}, "source": source}
        for version, score, source in cvss
    ]
    return {"id": name, "namespace": "nvd:cpe", "severity": severity, "cvss": scores}


def cells(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    """The rows of some columns, with `None` for what is missing."""
    selected = frame[list(columns)]
    return selected.astype("object").where(selected.notna(), None).to_numpy().tolist()


def test_a_finding(frames_of: Load) -> None:
    found = frames_of(app=report_of(match())).findings.iloc[0].dropna().to_dict()
    assert found == {
        "variant": "app",
        "capture": "",
        "scanner": "grype",
        "vulnerability_id": "CVE-2024-0001",
        "vulnerability": "CVE-2024-0001",
        "package": "libssl3",
        "installed_version": "3.0.1",
        "fixed_version": "3.0.2",
        "status": "fixed",
        "advisory_source": "debian:distro:debian:12",
        "severity": "HIGH",
        "severity_source": "debian:distro:debian:12",
        "package_class": "os-pkgs",
        "package_type": "debian",
        "source_package": "openssl",
        "purl": "pkg:deb/debian/libssl3@3.0.1",
        "layer_diff_id": "sha256:b",
        "place": "os",
        "suppressed": False,
    }


def test_an_image(frames_of: Load) -> None:
    image = frames_of(app=report_of(match())).images.iloc[0].dropna().to_dict()
    assert image.pop("report")
    assert image == {
        "variant": "app",
        "capture": "",
        "artifact": "app:1",
        "source": "image",
        "os_family": "debian",
        "os_version": "12",
        "judged_by": "Debian",
        "architecture": "arm64",
        "size_unpacked_bytes": 1000,
        "size_unpacked_source": "files",
        "layers": 2,
        "image_id": "sha256:1",
        "scanner": "grype",
        "scanner_version": "0.94.0",
        "db_updated_at": pd.Timestamp("2025-06-19T04:12:38Z"),
        "scanned_at": pd.Timestamp("2025-06-19T11:43:35.523947Z"),
        "status": "scanned",
    }


@pytest.mark.parametrize(
    ("db", "built"),
    [
        (None, None),
        ({"error": "no db"}, None),
        ({"built": "2024-02-22T01:23:26Z", "schemaVersion": 5}, "2024-02-22T01:23:26Z"),
        ({"status": {"built": "2024-02-22T01:23:26Z"}}, "2024-02-22T01:23:26Z"),
        ({"built": "0001-01-01T00:00:00Z"}, None),
    ],
)
def test_date_of_the_database(frames_of: Load, db: Any, built: str | None) -> None:
    images = frames_of(app=report_of(descriptor={**DESCRIPTOR, "db": db})).images
    assert cells(images, "db_updated_at") == [[built and pd.Timestamp(built)]]


@pytest.mark.parametrize("matches", [None, []])
def test_an_image_without_matches_is_clean(frames_of: Load, matches: Any) -> None:
    loaded = frames_of(app=report_of(matches=matches))
    assert loaded.images["status"].tolist() == ["scanned"]
    assert loaded.findings.empty


@pytest.mark.parametrize(
    ("level", "severity"),
    [("Negligible", "LOW"), ("HIGH", "HIGH"), ("", "UNKNOWN"), (None, "UNKNOWN")],
)
def test_severity(frames_of: Load, level: str | None, severity: str) -> None:
    loaded = frames_of(app=report_of(match(severity=level)))
    assert loaded.findings["severity"].tolist() == [severity]


@pytest.mark.parametrize(
    ("kind", "target", "name", "source"),
    [
        ("directory", "/srv/app", "/srv/app", "filesystem"),
        ("unknown", "unknown", "unknown", "unknown"),
        (None, None, None, None),
    ],
)
def test_a_scan_of_something_other_than_an_image(
    frames_of: Load, kind: Any, target: Any, name: str | None, source: str | None
) -> None:
    images = frames_of(app=report_of(source={"type": kind, "target": target})).images
    assert cells(images, "artifact", "source") == [[name, source]]


@pytest.mark.parametrize(
    ("fields", "status", "version"),
    [
        ({"fix": {"versions": ["1", "2"], "state": "fixed"}}, "fixed", "1, 2"),
        ({"fix": {"versions": [], "state": "not-fixed"}}, "affected", None),
        ({"fix": {"versions": None, "state": "wont-fix"}}, "will_not_fix", None),
        ({"fix": {"versions": [], "state": "unknown"}}, "unknown", None),
        ({"fix": {"versions": [], "state": ""}}, "unknown", None),
        ({"fix": None}, "unknown", None),
        ({"fix": None, "fixedInVersion": "1.3"}, "fixed", "1.3"),
        ({"fix": None, "fixedInVersion": ""}, "unknown", None),
    ],
)
def test_fixes(frames_of: Load, fields: dict[str, Any], status: str, version: str | None) -> None:
    findings = frames_of(app=report_of(match(**fields))).findings
    assert cells(findings, "status", "fixed_version") == [[status, version]]


@pytest.mark.parametrize(
    ("kind", "distro", "package_class", "package_type"),
    [
        ("deb", "debian", "os-pkgs", "debian"),
        ("rpm", "redhat", "os-pkgs", "redhat"),
        ("rpm", "amazonlinux", "os-pkgs", "amazon"),
        ("apk", "", "os-pkgs", "apk"),
        ("npm", "debian", "lang-pkgs", "node-pkg"),
        ("python", "debian", "lang-pkgs", "python-pkg"),
        ("java-archive", "debian", "lang-pkgs", "jar"),
        ("go-module", "debian", "lang-pkgs", "gobinary"),
        ("gem", "debian", "lang-pkgs", "gemspec"),
        ("binary", "debian", "lang-pkgs", "binary"),
    ],
)
def test_packages_have_the_class_and_type_of_trivy(
    frames_of: Load, kind: str, distro: str, package_class: str, package_type: str
) -> None:
    report = report_of(match(package={"type": kind}), distro={"name": distro, "version": "1"})
    findings = frames_of(app=report).findings
    assert cells(findings, "package_class", "package_type") == [[package_class, package_type]]


def test_only_language_packages_have_a_path(frames_of: Load) -> None:
    npm = {
        "type": "npm",
        "locations": [{"path": "/usr/lib/node_modules/npm/package.json", "layerID": ""}],
        "upstreams": None,
    }
    bare = {"locations": None, "upstreams": []}
    findings = frames_of(app=report_of(match(1, package=npm), match(2, package=bare))).findings
    columns = ("package_path", "layer_diff_id", "source_package", "place")
    by_id = findings.sort_values("vulnerability_id")
    assert cells(by_id, *columns) == [
        ["usr/lib/node_modules/npm/package.json", None, None, "tools"],
        [None, None, None, "os"],
    ]


NIST, OTHER = "nvd@nist.gov", "secalert@redhat.com"


@pytest.mark.parametrize(
    ("related", "severity", "score"),
    [
        ([nvd("CVE-2024-0001", "Low", ("3.1", 9.8, NIST))], "LOW", 9.8),
        ([nvd("CVE-2024-0001", "Unknown", ("3.1", 9.8, NIST))], "CRITICAL", 9.8),
        ([nvd("CVE-2024-0001", "", ("3.0", 5.0, NIST), ("3.1", 7.5, NIST))], "HIGH", 7.5),
        ([nvd("CVE-2024-0001", "", ("3.1", 9.8, OTHER), ("3.1", 5.5, NIST))], "MEDIUM", 5.5),
        ([nvd("CVE-2024-0001", "", ("3.1", 9.8, OTHER))], None, None),
        ([nvd("CVE-2024-0001", "", ("2.0", 5.0, None))], "MEDIUM", None),
        ([nvd("CVE-2024-0001", "", ("4.0", 5.0, NIST))], None, None),
        ([{**nvd("CVE-2024-0001", "Low"), "namespace": "nvd", "cvss": None}], "LOW", None),
        ([{**nvd("CVE-2024-0001", "Low"), "namespace": "github:language:go"}], None, None),
        ([nvd("CVE-2024-0002", "Low"), nvd("CVE-2024-0001", "High")], "HIGH", None),
        ([nvd("CVE-2024-0002", "Low"), nvd("CVE-2024-0003", "High")], None, None),
        ([], None, None),
    ],
)
def test_nvds_severity_and_score(frames_of: Load, related: Any, severity: Any, score: Any) -> None:
    findings = frames_of(app=report_of(match(related=related))).findings
    assert cells(findings, "nvd_severity", "cvss_score") == [[severity, score]]


@pytest.mark.parametrize(
    ("vulnerability_id", "related", "aliases"),
    [
        ("GHSA-1", ["CVE-1"], "CVE-1"),
        ("CVE-1", ["GHSA-1"], "GHSA-1"),
        ("CVE-1", ["CVE-1"], None),
        ("GO-1", ["CVE-1", "GHSA-1"], "CVE-1 GHSA-1"),
        # Two ids of one scheme are two vulnerabilities.
        ("CVE-1", ["CVE-2"], None),
        ("GHSA-1", ["CVE-1", "CVE-2"], None),
        # An advisory may cover several vulnerabilities.
        ("ELSA-1", ["CVE-1"], "CVE-1"),
        ("ELSA-1", ["CVE-1", "CVE-2"], None),
        ("ELSA-1", ["CVE-1", "CVE-2", "GHSA-1"], None),
        ("ELSA-1", ["CVE-1", "GHSA-1"], None),
        ("CVE-1", ["RHSA-1"], None),
        (None, ["CVE-1"], None),
    ],
)
def test_aliases(
    frames_of: Load, vulnerability_id: Any, related: list[str], aliases: str | None
) -> None:
    entries = [{"id": name, "namespace": "x"} for name in related] + [{"id": None}, {"id": ""}]
    report = report_of(match(id=vulnerability_id, related=entries))
    assert cells(frames_of(app=report).findings, "aliases") == [[aliases]]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (report_of(match(severity="Dreadful")), "an unknown severity.*dreadful"),
        (report_of(match(severity=3)), r"Grype report with a field.*severity"),
        (report_of({"artifact": {}}), r"Grype report with a field.*vulnerability"),
        (report_of({"vulnerability": {}}), r"Grype report with a field.*artifact"),
        (report_of(match(**nvd("CVE-1", "Low", ("3.1", 11.0, None)))), "Grype report.*<= 10"),
        (report_of(matches={}), "Grype report with a field.*matches"),
        (report_of(descriptor=None), "Grype report with a field.*descriptor"),
        (report_of(descriptor={"name": "regex-tool"}), "but written by regex-tool"),
        (report_of(descriptor={"name": "\u202e" * 99}), r"written by (\\u202e)+.{1,9}(\\u202e)+\."),
        (report_of(source={"target": {"imageSize": -1}}), "Grype report.*imageSize"),
        (json.dumps(report_of(match())).encode()[:-9], "cut off"),
        (b'{"matches":[],"descriptor":' + b'{"db":' * 10**6, "nested too deep"),
    ],
)
def test_damaged_reports_are_refused(write: Write, content: Any, problem: str) -> None:
    path = write(content)
    with pytest.raises(ReportInvalid, match=problem) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.remedy


def test_the_config_of_an_image_is_never_decoded(write: Write) -> None:
    target = {**TARGET, "config": "aHVudGVyMg==", "labels": {"token": "hunter2"}}
    decoded = read(write(report_of(source={"type": "image", "target": target})))
    assert "hunter2" not in repr(decoded)
    assert "aHVudGVyMg" not in repr(decoded)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(
    matches=JSON,
    descriptor=JSON | st.just(DESCRIPTOR),
    others=st.dictionaries(st.sampled_from(["source", "distro", "x"]), JSON),
)
def test_any_values_are_a_report_or_are_refused(
    matches: Any, descriptor: Any, others: dict[str, Any]
) -> None:
    text = msgspec.json.encode({"matches": matches, "descriptor": descriptor, **others})
    try:
        assert isinstance(grype.parse(text, "any"), trivy_schema.Report)
    except ReportInvalid as error:
        assert error.path == "any"


def test_exploitation_in_a_newer_report(shared: Path, write: Write) -> None:
    """Five of its matches, with the rest of a report around them."""
    shape = json.loads((shared / "risk/grype/shape.json").read_text())
    descriptor = {**DESCRIPTOR, "version": "0.110.0", "timestamp": "2026-03-31T10:00:00Z"}
    descriptor["db"] = {"status": {"built": "2026-03-30T07:00:00Z"}}
    report = report_of(*shape["matches"], descriptor=descriptor)
    findings = load_reports(write(report)).findings.set_index("vulnerability_id")
    for one in shape["matches"]:
        entries = [one["vulnerability"], *one["relatedVulnerabilities"]]
        scores = [score for entry in entries for score in entry.get("epss", [])]
        known = [e for entry in entries for e in entry.get("knownExploited", [])]
        row = findings.loc[one["vulnerability"]["id"]]
        assert pd.isna(row["epss"]) if not scores else row["epss"] == scores[0]["epss"]
        assert row["exploited"] == bool(known)
        added = None if pd.isna(row["kev_added_at"]) else f"{row['kev_added_at']:%Y-%m-%d}"
        assert added == (known[0]["dateAdded"] if known else None)
    assert 0 < findings["exploited"].sum() < len(findings)
    assert 0 < findings["epss"].isna().sum() < len(findings)


@pytest.mark.parametrize("share", [-0.1, 1.1, "high"])
@pytest.mark.parametrize("field", ["epss", "percentile"])
def test_a_share_outside_its_range_is_refused(write: Write, field: str, share: Any) -> None:
    score = {"cve": "CVE-2024-0001", "epss": 0.5, "percentile": 0.5, field: share}
    with pytest.raises(ReportInvalid, match="a field of the wrong kind"):
        read(write(report_of(match(epss=[score]))))


def test_ignored_matches_are_findings_that_are_suppressed(frames_of: Load) -> None:
    rule = {"vulnerability": "", "reason": "", "namespace": "", "fix-state": "", "package": {}}
    by_vex = {"namespace": "vex", "vex-status": "not_affected", "vex-justification": "no code"}
    package = {"name": "linux.*", "version": "", "type": "deb"}
    ignored = [
        {**match(2), "appliedIgnoreRules": [rule, {**rule, **by_vex}]},
        {**match(3), "appliedIgnoreRules": [{**rule, "fix-state": "wont-fix", "package": package}]},
        {**match(4), "appliedIgnoreRules": [{**rule, "reason": "ours"}]},
        {**match(5, package={"type": "npm", "purl": ""}), "appliedIgnoreRules": []},
    ]
    found = frames_of(app=report_of(match(1), ignoredMatches=ignored)).findings
    names = ("vulnerability_id", "package_type", "severity", "suppressed")
    assert cells(found, *names) == [
        ["CVE-2024-0001", "debian", "HIGH", False],
        *([f"CVE-2024-{number:04}", "debian", "HIGH", True] for number in (2, 3, 4)),
        ["CVE-2024-0005", "node-pkg", "HIGH", True],
    ]
    assert cells(found, "statement_status", "statement_reason", "statement_by") == [
        [None, None, None],
        ["not_affected", "no code", "vex"],
        ["ignored", "fix-state: wont-fix, name: linux.*, type: deb", None],
        ["ignored", "ours", None],
        ["ignored", None, None],
    ]
