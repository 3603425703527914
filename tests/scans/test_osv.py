"""OSV-Scanner's reports: an advisory of a distribution is expanded, never an alias."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import ReportInvalid
from helpers.scans.reports import read
from helpers.studies.rows import Evidence, Rows
from tests.conftest import Write
from tests.fuzz.mutations import of_json


def affected(ecosystem: str, *fixed: str) -> dict[str, Any]:
    events = [{"introduced": "0"}, *({"fixed": each} for each in fixed)]
    return {
        "package": {"ecosystem": ecosystem, "name": "glibc"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }


REPORT: dict[str, Any] = {
    "results": [
        {
            "source": {"path": "/var/lib/dpkg/status", "type": "artifact"},
            "packages": [
                {
                    "package": {"name": "glibc", "version": "2.41-12", "ecosystem": "Debian:13"},
                    "vulnerabilities": [
                        {
                            "id": "DEBIAN-CVE-2024-0001",
                            "upstream": ["CVE-2024-0001"],
                            "affected": [
                                affected("Debian:12", "2.36-9"),
                                affected("Debian:13", "2.41-13"),
                            ],
                        },
                        {"id": "DSA-1-1", "upstream": ["CVE-2024-0002", "CVE-2024-0003"]},
                    ],
                    "groups": [{"ids": ["DEBIAN-CVE-2024-0001"], "max_severity": "7.5"}],
                }
            ],
        },
        {
            "source": {"path": "/app/node_modules/a/package.json", "type": "artifact"},
            "packages": [
                {
                    "package": {"name": "a", "version": "1", "ecosystem": "npm"},
                    "vulnerabilities": [
                        {"id": "GHSA-aaaa-bbbb-cccc", "aliases": ["CVE-2024-0004"]},
                    ],
                }
            ],
        },
    ],
    "experimental_config": {},
    "image_metadata": {
        "OS": "Debian GNU/Linux 13 (trixie)",
        "layer_metadata": [{"diff_id": "sha256:1", "is_empty": False}],
    },
}  # fmt: skip

SHOWN = ["vulnerability_id", "advisory_id", "aliases", "severity", "fixed_version", "package_type"]


def rows(write: Write, document: Any) -> Any:
    made = Rows()
    made.add(Evidence("a"), read(write(document)))
    return made.frames()


def test_an_advisory_of_several_is_a_finding_of_each(write: Write) -> None:
    found = rows(write, REPORT).findings
    assert found[SHOWN].astype("object").fillna("").to_numpy().tolist() == [
        ["CVE-2024-0001", "DEBIAN-CVE-2024-0001", "", "HIGH", "2.41-13", "debian"],
        ["CVE-2024-0002", "DSA-1-1", "", "UNKNOWN", "", "debian"],
        ["CVE-2024-0003", "DSA-1-1", "", "UNKNOWN", "", "debian"],
        ["GHSA-aaaa-bbbb-cccc", "", "CVE-2024-0004", "UNKNOWN", "", "node-pkg"],
    ]
    assert found["advisory_source"].tolist() == ["debian", "dsa", "dsa", "ghsa"]
    assert found["vulnerability"].tolist()[3] == "CVE-2024-0004"


def test_the_image_is_scanned_though_nothing_is_found(write: Write) -> None:
    image = rows(write, {**REPORT, "results": []}).images.iloc[0]
    assert (image["scanner"], image["status"], image["os_family"]) == (
        *("osv-scanner", "scanned", "debian"),
    )


def fixes(
    write: Write, ecosystem: str, *ranges: dict[str, Any], **advisory: Any
) -> list[list[Any]]:
    """Return the ids and fixes of one advisory with these ranges."""
    package = {"name": "glibc", "version": "1", "ecosystem": "Ubuntu:24.04"}
    where = [{"package": {"name": "glibc", "ecosystem": ecosystem}, "ranges": [*ranges]}]
    made = {"id": "UBUNTU-CVE-2024-0001", "affected": where, **advisory}
    found = {"package": package, "vulnerabilities": [made]}
    return (
        rows(write, {**REPORT, "results": [{"packages": [found]}]})
        .findings[["vulnerability_id", "fixed_version"]]
        .astype("object")
        .fillna("")
        .to_numpy()
        .tolist()
    )


def test_a_fix_is_of_the_release_and_no_commit(write: Write) -> None:
    fixed = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}
    commit = {"type": "GIT", "events": [{"fixed": "0123abc"}]}
    open_ended = {"type": "ECOSYSTEM", "events": [{"introduced": "3"}, {"last_affected": "4"}]}
    twice = ["CVE-2024-0001", "UBUNTU-CVE-2024-0001"]
    name = "CVE-2024-0001"
    assert fixes(write, "Ubuntu:24.04:LTS", fixed, commit, upstream=twice) == [[name, "2"]]
    assert fixes(write, "Ubuntu:22.04:LTS", fixed, upstream=[name]) == [[name, ""]]
    # Which of two ranges the installed version is in is not said.
    assert fixes(write, "Ubuntu:24.04:LTS", fixed, open_ended, upstream=[name]) == [[name, ""]]


@pytest.mark.parametrize("document", [{"results": []}, {"results": None, "errors": []}])
def test_no_results_of_another_tool_are_no_clean_image(write: Write, document: Any) -> None:
    with pytest.raises(ReportInvalid, match="no results, and not of OSV-Scanner"):
        read(write(document))


@pytest.mark.parametrize(
    "document",
    [
        {"results": [{"check_id": "semgrep"}]},
        {"results": {"a": 1}},
        {"results": [{"packages": [{"package": 1}]}]},
    ],
)
def test_other_results_are_refused(write: Write, document: Any) -> None:
    with pytest.raises(ReportInvalid, match="JSON with results, but not as OSV-Scanner writes"):
        read(write(document))


@given(seed=st.integers(0, 2**32))
def test_a_damaged_report_is_read_or_refused_by_name(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("osv") / "a.json"
    path.write_bytes(of_json(Random(seed), (REPORT,)))
    try:
        report = read(path)
    except ReportInvalid as error:
        assert str(path) in str(error)
        return
    made = Rows()
    made.add(Evidence("a"), report)
    assert len(made.frames().images) == 1
