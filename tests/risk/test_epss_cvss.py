"""EPSS against CVSS: one point a vulnerability; who matters is named, who has none is counted."""

import pandas as pd

from helpers.risk import epss_cvss, short_list
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy
from tests.risk.test_short_list import NOTHING

NVD = {"nvd": {"V3Score": 9.8, "V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}


def answer(frames, **parts):
    return epss_cvss.answer(frames.findings, frames.images, Lens("vulnerabilities"), **parts)


def test_a_vulnerability_of_several_packages_and_images_is_one_point(scored) -> None:
    loaded = scored(
        {"CVE-2024-0001": 0.5},
        first=trivy(finding(1, CVSS=NVD), finding(1, PkgName="zlib", CVSS=NVD)),
        second=trivy(finding(1, CVSS=NVD, FixedVersion="2")),
    )
    (row,) = answer(loaded).table.itertuples()
    assert (row.variants, row.epss, row.cvss_score) == ("first, second", 0.5, 9.8)
    assert row.fixable, "it has a fix in one of them"
    assert row.cvss_vector == NVD["nvd"]["V3Vector"]
    (point,) = answer(loaded).chart.points
    assert (point.x, point.y, point.group) == (0.5, 9.8, "fixable")


def test_who_has_no_score_has_no_point_and_is_counted(scored) -> None:
    loaded = scored(
        {"CVE-2024-0001": 0.5, "CVE-2024-0002": 0.5},
        app=trivy(finding(1, CVSS=NVD), finding(2), finding(3, CVSS=NVD)),
    )
    chart = answer(loaded).chart
    assert [point.name for point in chart.points] == ["CVE-2024-0001"]
    assert chart.note == "not shown: 2 without an EPSS or CVSS score"


def test_the_exploited_and_the_likeliest_are_named_and_no_others(scored) -> None:
    scores = {f"CVE-2024-000{n}": n / 10 for n in range(1, 8)}
    loaded = scored(
        {**scores, "CVE-2024-0008": 0.0}, {"CVE-2024-0008": "2024-01-01"},
        app=trivy(*(finding(n, CVSS=NVD) for n in range(1, 9))),
    )  # fmt: skip
    chart = answer(loaded).chart
    assert [point.name for point in chart.points if point.label] == [
        *("CVE-2024-0008", "CVE-2024-0007", "CVE-2024-0006", "CVE-2024-0005")
    ]
    assert min(point.x for point in chart.points) == epss_cvss.LOWEST, "no zero on such an axis"


def test_an_id_and_its_alias_are_one_point(scored) -> None:
    loaded = scored(
        {"CVE-2024-0001": 0.5, "GHSA-aaaa-bbbb-cccc": 0.5},
        first=trivy(finding(1, CVSS=NVD)),
        second=trivy(
            finding(1, CVSS=NVD, VulnerabilityID="GHSA-aaaa-bbbb-cccc", VendorIDs=["CVE-2024-0001"])
        ),
    )
    table = answer(loaded).table
    assert table["variants"].tolist() == ["first, second"]
    listed = short_list.short_list(loaded.findings, NOTHING, Lens("vulnerabilities"))
    assert listed["variants"].tolist() == ["first, second"]


def test_without_a_catalog_the_title_does_not_say_none(scored) -> None:
    loaded = scored({"CVE-2024-0001": 0.5}, app=trivy(finding(1, CVSS=NVD)))
    images = loaded.images.assign(kev_source=None)
    findings = loaded.findings.assign(exploited=pd.array([None], "boolean"))
    found = answer(loaded._replace(images=images, findings=findings))
    assert found.title == "1 of 1 vulnerability with EPSS ≥ 0.1; exploited: not known"
    assert "no record" in found.chart.note
