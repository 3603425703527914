"""The short list: what is on it, in which order, and why."""

import pandas as pd

from helpers.risk import short_list
from helpers.surface.app_process import APP, COULD_GO, NEEDED
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy

NOTHING = pd.DataFrame(columns=["variant", "package", "package_path", "need"])


def listed(frames, needed: pd.DataFrame = NOTHING, lens: Lens | None = None, **parts):
    return short_list.short_list(frames.findings, needed, lens or Lens("vulnerabilities"), **parts)


def ids(table: pd.DataFrame) -> list[int]:
    return [int(name[-4:]) for name in table["vulnerability_id"]]


def test_what_is_exploited_comes_first_then_what_has_a_fix_then_the_higher_score(scored) -> None:
    loaded = scored(
        {"CVE-2024-0001": 0.9, "CVE-2024-0002": 0.2, "CVE-2024-0003": 0.3, "CVE-2024-0005": 0.01},
        {"CVE-2024-0004": "2024-03-01"},
        app=trivy(
            finding(1), finding(2, FixedVersion="2"), finding(3, FixedVersion="2"), finding(4),
            finding(5, FixedVersion="2", Severity="CRITICAL"),
        ),
    )  # fmt: skip
    table = listed(loaded)
    assert ids(table) == [4, 3, 2, 1]
    assert table["why"].tolist()[:2] == ["known to be exploited since 2024-03-01", "EPSS 0.30"]


def test_what_nobody_scored_is_on_it_if_it_is_serious_and_has_a_fix(scored) -> None:
    report = trivy(
        finding(1, Severity="HIGH", FixedVersion="2"),
        finding(2, Severity="HIGH"),
        finding(3, Severity="MEDIUM", FixedVersion="2"),
    )
    found = scored({}, app=report)
    table = listed(found)
    assert ids(table) == [1]
    assert table["why"].tolist() == ["HIGH with a fix, no score"]
    not_looked_up = found.findings.assign(epss_day=pd.NaT)
    assert listed(found._replace(findings=not_looked_up)).empty


def test_of_two_with_a_fix_what_the_app_needs_comes_first(scored) -> None:
    every = [finding(n, PkgName=f"p{n}", FixedVersion="2") for n in (1, 2, 3)]
    # Another package of the third's source, of which nothing is known.
    every.append(finding(3, PkgName="p", SrcName="p3", FixedVersion="2"))
    loaded = scored({f"CVE-2024-000{n}": 0.5 for n in (1, 2, 3)}, app=trivy(*every))
    needed = pd.DataFrame(
        {"variant": "app", "package": ["p1", "p2", "p3"], "need": [COULD_GO, NEEDED, APP]}
    ).assign(package_path=pd.Series([None] * 3, dtype="str"))
    table = listed(loaded, needed)
    assert ids(table) == [3, 2, 1]
    assert table["need"].tolist() == [APP, NEEDED, COULD_GO]


def test_one_row_a_vulnerability_and_source_package(scored) -> None:
    loaded = scored(
        {"CVE-2024-0001": 0.5},
        first=trivy(finding(1, FixedVersion="2"), finding(1, PkgName="zlib", FixedVersion="3")),
        second=trivy(finding(1, FixedVersion="2")),
    )
    table = listed(loaded)
    assert table["variants"].tolist() == ["first, second", "first"]
    assert table["fixed_version"].tolist() == ["2", "3"]


def test_of_several_fixes_each_says_which_images_it_is_for(scored) -> None:
    loaded = scored(
        {"CVE-2024-0001": 0.5},
        first=trivy(finding(1, FixedVersion="2")),
        second=trivy(finding(1, FixedVersion="3")),
    )
    assert listed(loaded)["fixed_version"].tolist() == ["2 (first); 3 (second)"]
