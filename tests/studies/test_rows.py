"""Rows: a report's fields become the columns of the data dictionary."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from helpers.scans.trivy_schema import Cvss, Scores, VendorSeverity, Vulnerability
from helpers.studies import rows
from tests.conftest import finding, trivy


@pytest.mark.parametrize(
    ("vulnerability", "severity"),
    [
        (Vulnerability(vendor_severity=VendorSeverity(nvd=4)), "CRITICAL"),
        (Vulnerability(vendor_severity=VendorSeverity(nvd=0)), "UNKNOWN"),
        (Vulnerability(cvss=Cvss(nvd=Scores(v3_score=9.0, v2_score=4.0))), "CRITICAL"),
        (Vulnerability(cvss=Cvss(nvd=Scores(v3_score=8.9))), "HIGH"),
        (Vulnerability(cvss=Cvss(nvd=Scores(v3_score=6.9))), "MEDIUM"),
        (Vulnerability(cvss=Cvss(nvd=Scores(v3_score=3.9))), "LOW"),
        (Vulnerability(cvss=Cvss(nvd=Scores(v2_score=10.0))), "HIGH"),
        (Vulnerability(cvss=Cvss(nvd=Scores(v2_score=3.9))), "LOW"),
        (Vulnerability(cvss=Cvss(nvd=Scores(v3_score=0.0))), None),
        (Vulnerability(cvss=Cvss()), None),
        (Vulnerability(), None),
    ],
)
def test_nvd_severity(vulnerability: Vulnerability, severity: str | None) -> None:
    assert rows.nvd([vulnerability])["nvd_severity"] == [severity]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2021-08-03T14:15:08Z", datetime(2021, 8, 3, 14, 15, 8, tzinfo=UTC)),
        ("2021-08-03T14:15:08.2Z", datetime(2021, 8, 3, 14, 15, 8, 200000, tzinfo=UTC)),
        ("2021-08-03T23:15:08.233+09:00", datetime(2021, 8, 3, 14, 15, 8, 233000, tzinfo=UTC)),
        ("2021-08-03T14:15:08", datetime(2021, 8, 3, 14, 15, 8, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+09:00", None),
        (None, None),
    ],
)
def test_times_are_utc_and_gos_zero_is_none(frames_of, text, time) -> None:
    published = frames_of(app=trivy(finding(PublishedDate=text))).findings["published_at"]
    assert published.dtype == "datetime64[us, UTC]"
    assert published.isna().all() if time is None else published.tolist() == [pd.Timestamp(time)]


def _in_days(count: int) -> str:
    return (datetime.now(UTC) + timedelta(days=count)).isoformat()


@pytest.mark.parametrize(
    ("text", "is_date"),
    [
        ("0002-01-01T00:00:00Z", False),
        ("1900-01-01T00:00:00+09:00", False),
        ("1990-01-01T00:00:00+09:00", False),
        ("1990-01-01T00:00:00Z", True),
        pytest.param(_in_days(364), True, id="within-a-year"),
        pytest.param(_in_days(368), False, id="after-a-year"),
        ("9900-01-01T00:00:00Z", False),
        ("9999-12-31T23:59:59-12:00", False),
    ],
)
def test_a_date_that_cannot_be_is_none(frames_of, text, is_date) -> None:
    report = trivy(finding(PublishedDate=text), CreatedAt=text)
    loaded = frames_of(app=report)
    assert loaded.findings["published_at"].notna().tolist() == [is_date]
    assert loaded.images["scanned_at"].notna().tolist() == [is_date]


def test_what_findings_share_and_what_they_do_not_over_many_results(frames_of) -> None:
    same = {"Class": "os-pkgs", "Type": "debian"}
    other = {"Class": "lang-pkgs", "Type": "jar"}
    results = [
        {"Target": "a", **same, "Vulnerabilities": [finding(1), finding(2)]},
        {"Target": "b", **same, "Vulnerabilities": [finding(3)]},
        {"Target": "c", **other, "Vulnerabilities": [finding(4, PkgPath="app/x.jar")]},
        {"Target": "d", **same, "Vulnerabilities": [finding(5)]},
    ]
    found = frames_of(app=trivy(Results=results)).findings
    assert found["package_type"].tolist() == [*["debian"] * 3, "jar", "debian"]
    assert found["package_path"].fillna("").tolist() == ["", "", "", "app/x.jar", ""]
    assert found["variant"].tolist() == ["app"] * 5


def test_a_finding_knows_its_source_package_where_packages_are_listed(frames_of) -> None:
    report = trivy(finding(PkgName="libssl3", InstalledVersion="1:3.0-2"))
    assert frames_of(app=report).findings["source_package"].isna().all()
    report["Results"][0]["Packages"] = [
        {"Name": "libssl3", "Version": "3.0", "Release": "2", "Epoch": 1, "SrcName": "openssl"}
    ]
    loaded = frames_of(app=report)
    assert loaded.findings["source_package"].tolist() == ["openssl"]
    assert loaded.packages[["package", "version"]].to_numpy().tolist() == [["libssl3", "1:3.0-2"]]


def test_what_is_compiled_into_a_program_is_at_its_path(frames_of) -> None:
    report = trivy(finding())
    of = {"Target": "app/server", "Class": "lang-pkgs", "Type": "gobinary"}
    report["Results"][0] |= {**of, "Packages": [{"Name": "stdlib"}]}
    frames = frames_of(app=report)
    assert frames.packages["package_path"].tolist() == ["app/server"]
    assert frames.findings["package_path"].tolist() == ["app/server"]


def test_an_image_without_a_known_os_is_not_called_clean(frames_of) -> None:
    images = frames_of(scratch=trivy(Metadata={}), known=trivy()).images.set_index("variant")
    assert images["status"].to_dict() == {"scratch": "no-os", "known": "scanned"}


def test_end_of_life_is_told_by_the_scanner_and_unknown_to_old_ones(frames_of) -> None:
    system = {"Family": "alpine", "Name": "3.11", "EOSL": True}
    loaded = frames_of(
        ended=trivy(Metadata={"OS": system}),
        current=trivy(),
        legacy=[{"Target": "a (alpine 3.9)", "Vulnerabilities": None}],
    )
    ends = loaded.images.set_index("variant")["os_eol"]
    assert ends["ended"]
    assert not ends["current"]
    assert pd.isna(ends["legacy"])


def test_what_is_not_measured_is_missing_and_never_zero(frames_of) -> None:
    images = frames_of(app=trivy(Metadata={"Size": 0})).images
    for column in ("size_unpacked_bytes", "size_compressed_bytes", "layers", "packages"):
        assert images[column].isna().all(), column


def test_the_class_of_an_old_result_is_told_from_its_type(frames_of) -> None:
    legacy = [
        {"Target": "a (alpine 3.9)", "Type": "alpine", "Vulnerabilities": [finding(1)]},
        {"Target": "package-lock.json", "Type": "npm", "Vulnerabilities": [finding(2)]},
        {"Target": "older", "Vulnerabilities": [finding(3)]},
    ]
    classes = frames_of(app=legacy).findings["package_class"]
    assert classes.fillna("").tolist() == ["os-pkgs", "lang-pkgs", ""]
