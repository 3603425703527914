"""Rows: a report's fields become the columns of the data dictionary."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pandas as pd
import pytest

from helpers.exploitation.epss import Epss
from helpers.exploitation.evidence import NONE, Exploitation
from helpers.exploitation.kev import Kev
from helpers.scans.trivy_schema import Cvss, Package, Scores, VendorSeverity, Vulnerability
from helpers.studies import rows
from helpers.studies.load import load
from helpers.studies.rows import Evidence
from tests.conftest import Write, finding, trivy
from tests.scans.test_grype import match
from tests.scans.test_grype import report_of as grype_report


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
    assert rows.nvd_severity(vulnerability) == severity


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


def test_the_last_year_that_there_is_does_not_overflow(frames_of) -> None:
    report = trivy(finding(PublishedDate="9999-12-31T23:59:59-12:00"))
    assert frames_of(app=report).findings["published_at"].dt.year.tolist() == [9999]


@pytest.mark.parametrize(
    ("package", "version"),
    [
        (Package(version="1.2"), "1.2"),
        (Package(version="1.2", release="3"), "1.2-3"),
        (Package(version="1.2", release="3", epoch=1), "1:1.2-3"),
        (Package(), None),
    ],
)
def test_full_version(package: Package, version: str | None) -> None:
    assert rows.full_version(package) == version


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


def test_nor_is_one_of_an_os_that_the_scanner_has_no_advisories_of(frames_of) -> None:
    # As Trivy 0.76 tells of Fedora: its name, and no result of its packages.
    fedora = {"OS": {"Family": "fedora", "Name": "41"}}
    app = {"Target": "Node.js", "Class": "lang-pkgs", "Type": "node-pkg"}
    images = frames_of(
        nothing=trivy(Metadata=fedora, Results=[]), app=trivy(Metadata=fedora, Results=[app])
    ).images.set_index("variant")
    assert images["status"].to_dict() == {"nothing": "no-os", "app": "no-os"}


def test_a_report_of_secrets_or_licences_alone_is_not_called_clean(frames_of) -> None:
    secrets = trivy(Results=[{"Target": "/app/key.pem", "Class": "secret"}])
    licences = trivy(Results=[{"Target": "OS", "Class": "license"}])
    both = trivy(
        Results=[{"Target": "OS", "Class": "license"}, {"Target": "x", "Class": "os-pkgs"}]
    )
    images = frames_of(secrets=secrets, licences=licences, both=both).images
    assert images.set_index("variant")["status"].to_dict() == {
        "both": "scanned",
        "licences": "not-looked",
        "secrets": "not-looked",
    }


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


NOON = datetime(2022, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("db", "scan", "day"),
    [
        (NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1)),
        (NOON, NOON + timedelta(hours=120), NOON + timedelta(hours=120)),
        (NOON, NOON + timedelta(hours=121), NOON),
        (NOON, NOON + timedelta(days=1700), NOON),
        (NOON, NOON - timedelta(hours=1), NOON),
        (NOON.replace(tzinfo=None), NOON + timedelta(days=99), NOON),
        (None, NOON, NOON),
        (NOON, None, NOON),
        (None, None, None),
    ],
)
def test_a_scan_speaks_of_its_day_or_of_that_of_a_db_that_is_old_on_purpose(db, scan, day) -> None:
    assert rows.day(db, scan) == day


class TestExploitation:
    """What a capture knows of exploitation becomes columns of its findings."""

    SCORES: ClassVar = {"CVE-2023-4911": (0.7, 0.98), "CVE-2024-0001": (7e-05, 0.01)}
    ADDED: ClassVar = {"CVE-2023-4911": date(2023, 11, 21), "CVE-2024-0009": date(2024, 5, 1)}

    def known(self, scores: Any = None, added: Any = None) -> Exploitation:
        at = datetime(2026, 8, 15, 12, tzinfo=UTC)
        epss = Epss("e", "v", at, "", 9, scores) if scores is not None else None
        kev = Kev("k", "v", at, "", 9, added) if added is not None else None
        return Exploitation(at, 3, epss, kev)

    def findings(
        self, write: Write, known: Exploitation, *reported: Any, db: datetime | None = None
    ) -> pd.DataFrame:
        path = write(trivy(*reported, CreatedAt="2026-11-24T12:00:00Z"))
        return load([Evidence("app", path=path, exploitation=known, db_updated_at=db)]).findings

    @pytest.mark.parametrize(
        ("db", "exploited"),
        [
            (datetime(2022, 2, 28, tzinfo=UTC), False),
            (datetime(2023, 11, 20, 23, 59, tzinfo=UTC), False),
            (datetime(2023, 11, 21, tzinfo=UTC), True),
            (datetime(2026, 11, 24, tzinfo=UTC), True),
            (None, True),
        ],
    )
    def test_the_catalog_counts_by_the_day_when_an_entry_was_added(
        self, write: Write, db: datetime | None, exploited: bool
    ) -> None:
        looney = finding(VulnerabilityID="CVE-2023-4911")
        row = self.findings(write, self.known(added=self.ADDED), looney, db=db).iloc[0]
        assert row["exploited"] == exploited
        assert row["kev_added_at"] == pd.Timestamp("2023-11-21", tz="UTC"), (
            "it is told all the same"
        )

    def test_missing_is_not_zero(self, write: Write) -> None:
        found = [finding(1), finding(2), finding(9)]
        full = self.findings(write, self.known(self.SCORES, self.ADDED), *found)
        assert full["epss"].tolist() == [7e-05, pd.NA, pd.NA]
        assert full["epss_percentile"].tolist() == [0.01, pd.NA, pd.NA]
        assert full["exploited"].tolist() == [False, False, True]
        assert full["cve_id"].isna().tolist() == [False, True, False]
        assert full["epss_day"].notna().all(), "it was looked up"
        scores = self.findings(write, self.known(self.SCORES), *found)
        assert scores["exploited"].isna().all(), "there is no catalog"
        assert scores["epss"].notna().tolist() == [True, False, False]
        catalog = self.findings(write, self.known(added=self.ADDED), *found)
        assert catalog[["epss", "epss_percentile", "epss_day"]].isna().all(axis=None)
        assert catalog["exploited"].tolist() == [False, False, True]
        none = self.findings(write, NONE, *found)
        assert none[["epss", "epss_day", "kev_added_at", "exploited"]].isna().all(axis=None)

    def test_a_score_may_have_no_percentile(self, write: Write) -> None:
        row = self.findings(write, self.known({"CVE-2024-0001": (0.5, None)}), finding(1)).iloc[0]
        assert row["epss"] == 0.5
        assert pd.isna(row["epss_percentile"])

    @pytest.mark.parametrize(
        ("ids", "cve", "score", "exploited"),
        [
            (["CVE-2024-0001"], "CVE-2024-0001", 7e-05, False),
            (["CVE-2024-0001", "CVE-2023-4911"], "CVE-2023-4911", 0.7, True),
            (["CVE-2024-0001", "CVE-2024-0009"], "CVE-2024-0009", None, True),
            (["CVE-2024-0002", "CVE-2024-0001"], "CVE-2024-0001", 7e-05, False),
            (["CVE-2024-0002"], None, None, False),
        ],
    )
    def test_aliases_are_followed_to_the_worst(
        self, write: Write, ids: list[str], cve: str | None, score: float | None, exploited: bool
    ) -> None:
        reported = finding(VulnerabilityID="GHSA-xxxx-xxxx-xxxx", VendorIDs=ids)
        row = self.findings(write, self.known(self.SCORES, self.ADDED), reported).iloc[0]
        found = row[["cve_id", "epss", "exploited"]]
        assert [None if pd.isna(value) else value for value in found] == [cve, score, exploited]

    def test_what_a_report_says_itself_comes_first(self, write: Write) -> None:
        own = {"cve": "CVE-2024-0001", "epss": 0.2, "percentile": 0.5, "date": "2025-06-18"}
        path = write(grype_report(match(1, epss=[own]), match(9)))
        known = self.known(self.SCORES, self.ADDED)
        loaded = load([Evidence("app", path=path, exploitation=known)])
        assert loaded.findings["epss"].tolist() == [0.2, pd.NA]
        assert loaded.findings["exploited"].tolist() == [False, False]
        assert loaded.images["epss_source"].tolist() == ["report"]
        path = write(grype_report(match(1), match(9)))
        loaded = load([Evidence("app", path=path, exploitation=known)])
        assert loaded.findings["epss"].tolist() == [7e-05, pd.NA], "an older one says nothing"
        assert loaded.images[["epss_source", "epss_model", "kev_source"]].iloc[0].tolist() == [
            *("e", "v", "k")
        ]
