"""What the gate refuses, what it fails, and what it tells: small pairs, by exit codes and codes."""

from typing import Any

import pandas as pd
import pytest

from helpers.errors import NotComparable
from helpers.gate import fail_on, judgement
from helpers.gate.judgement import FAIL, PASS, Judgement
from tests.cases.made import Report, finding, findings, report
from tests.support.gate_example import loaded

LODASH = ("lodash 4.17.10",)


def judged(before: Report, after: Report, *rules: str, **known: Any) -> Judgement:
    """The judgement of two reports, with what is known of the findings after besides."""
    given = loaded(before, after)
    after_ = given.after.frames
    if known:
        columns = {
            name: pd.Series([value] * len(after_.findings)).astype(after_.findings[name].dtype)
            for name, value in known.items()
        }
        after_ = after_._replace(findings=after_.findings.assign(**columns))
        given = given._replace(after=given.after._replace(frames=after_))
    return judgement.judge(given, fail_on.parse(rules or [fail_on.DEFAULT]))


def codes(found: Judgement) -> set[str]:
    return {note.code for note in found.notes} - {"database-not-recorded"}


def npm(count: int) -> list[Report]:
    found = findings(count, package="lodash", version="4.17.10")
    return [{**each, "VulnerabilityID": each["VulnerabilityID"].replace("2024", "2023")}
            for each in found]  # fmt: skip


def test_most_findings_of_packages_that_stayed_do_not_go() -> None:
    with pytest.raises(NotComparable, match="720 of 726"):
        judged(report(*findings(726)), report(*findings(6)))
    before = report(*findings(40), npm=LODASH, npm_found=npm(116))
    with pytest.raises(NotComparable, match="115 of 116"):
        judged(before, report(*findings(40), npm=LODASH, npm_found=npm(1)))
    more = ("openssl 3.0.1", "curl 8")
    with pytest.raises(NotComparable, match="720 of 726"):
        judged(report(*findings(726)), report(*findings(6), packages=more))


def test_half_of_them_or_those_of_an_upgraded_package_may_go() -> None:
    assert judged(report(*findings(10)), report(*findings(5))).verdict == PASS
    upgraded = report(packages=["openssl 3.0.2"])
    assert judged(report(*findings(726)), upgraded).table["change"].eq("removed").all()


def test_one_image_has_one_list_of_packages() -> None:
    before = report(finding(1), npm=LODASH, npm_found=npm(3), image_id="a")
    with pytest.raises(NotComparable, match="the same image"):
        judged(before, report(finding(1), image_id="a"))
    assert judged(before, report(finding(1), image_id="b")).verdict == PASS


def test_a_release_without_advisories_is_told() -> None:
    new = {"packages": ["openssl 9"], "os": "debian 99.1"}
    assert codes(judged(report(finding(1)), report(**new))) == {"release-without-advisories"}
    known = new | {"os": "debian 13.1"}
    assert codes(judged(report(finding(1)), report(**known))) == set()
    with pytest.raises(NotComparable):
        judged(report(finding(1)), report(os="debian 99.1"))


def test_another_platform_and_another_repository_are_told() -> None:
    sides = []
    for name, architecture in (("app:1", "amd64"), ("web:1", "arm64")):
        each = report(finding(1), ArtifactName=name)
        each["Metadata"]["ImageConfig"] = {"architecture": architecture}
        sides.append(each)
    assert codes(judged(*sides)) == {"other-image", "other-platform"}
    assert codes(judged(sides[0], sides[0])) == set()


def test_what_the_changes_own_ignore_file_hides_is_told_and_a_rule_fails_it() -> None:
    after = report(packages=["openssl 3.0.1", "curl 8"])
    hidden = finding(7, package="curl", version="8", fix="9", Severity="CRITICAL")
    after["Results"][0]["ExperimentalModifiedFindings"] = [
        {"Type": "vulnerability", "Status": "ignored", "Source": ".trivyignore", "Finding": hidden}
    ]
    found = judged(report(), after)
    assert (found.verdict, codes(found)) == (PASS, {"suppressed"})
    assert found.table["change"].tolist() == ["suppressed"]
    rule = f"{fail_on.DEFAULT} and suppressed"
    assert judged(report(), after, rule).verdict == FAIL
    assert codes(judged(report(), after, rule)) == set()
    # It was there, and was suppressed before: nothing is new.
    assert judged(after, after).table.empty


def test_exploited_is_what_the_given_catalog_has_whatever_its_day() -> None:
    after = report(finding(1, package="curl", version="8"), packages=["openssl 3.0.1", "curl 8"])
    known = {"exploited": False, "epss_day": "2026-11-01"}
    assert judged(report(), after, "exploited", **known).verdict == PASS
    known |= {"kev_added_at": "2026-11-20"}
    assert judged(report(), after, "exploited", **known).verdict == FAIL


def test_what_has_no_score_is_told() -> None:
    after = report(finding(1, package="curl", version="8"), packages=["openssl 3.0.1", "curl 8"])
    found = judged(report(), after, "epss>=0.1", epss_day="2026-11-01")
    assert (found.verdict, codes(found)) == (PASS, {"without-score"})


def test_what_is_rated_higher_is_told_and_a_rule_fails_it() -> None:
    before, after = (report(*findings(12, Severity=level)) for level in ("LOW", "CRITICAL"))
    found = judged(before, after)
    assert (found.verdict, codes(found)) == (PASS, {"re-rated"})
    found = judged(before, after, "re-rated and severity>=high")
    assert (found.verdict, len(found.failing), codes(found)) == (FAIL, 12, set())
    assert judged(after, before, "re-rated").verdict == PASS
