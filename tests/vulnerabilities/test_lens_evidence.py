"""What a count rests on: whose scores and catalog, how many have a score, and what is left out."""

from pathlib import Path
from typing import Any

import pandas as pd

from helpers import Comparison
from helpers.frames import make
from helpers.text import i18n
from helpers.vulnerabilities import lens_evidence
from helpers.vulnerabilities.lenses import PLAIN, Lens
from tests.support.studies import score
from tests.vulnerabilities.test_lenses import at, found

DAY = at("2026-08-15")
LIKELY, EXPLOITED = Lens(epss=0.1), Lens(exploited=True)


def known(**fields: Any) -> dict[str, Any]:
    """What is known of one finding: it is in no catalog, and scored 0.2, unless it says so."""
    return {"epss": 0.2, "epss_day": DAY, "exploited": False, **fields}


def images(*captures: str, **columns: list) -> pd.DataFrame:
    """An image of each capture, of which the scores and the catalog are those of one day."""
    number = len(captures)
    usual = {
        "variant": ["app"] * number,
        "capture": list(captures),
        "scanner": ["trivy"] * number,
        "status": ["scanned"] * number,
        "epss_day": [DAY] * number,
        "epss_model": ["v2026.06.15"] * number,
        "kev_day": [at("2026-08-07")] * number,
        "kev_source": ["kev.json"] * number,
    }
    return make("images", usual | columns)


def test_scores_have_their_day_their_model_and_how_many_ids_have_one(data, shared: Path) -> None:
    score(shared, "blog-2022", "2026-11", "2024-03-30")
    one = Comparison("blog-2022", "2026-11").only("nodejs-distroless")
    likely = one.where(lens="vulnerabilities", epss=0.01)
    told = "EPSS of 2024-03-30 (v2023.03.01), 31 of 66 ids scored"
    assert f"· {told}" in likely.vulnerabilities.severity().footer
    assert told in likely.vulnerabilities.fixable().footer
    words = likely.vulnerabilities.counted().text.plain
    assert "anywhere within 30 days, not in these images" in words
    assert "missing score" in words
    fixable = one.where(fixable=True, epss=0.01).vulnerabilities.severity().footer
    assert "23 of 57 ids scored" in fixable, "of what the lens counts whatever the score"


def scored(findings: pd.DataFrame, shown: pd.DataFrame, lens: Lens = LIKELY) -> list[str]:
    return list(lens_evidence.scored(findings, shown, lens))


def test_an_id_and_its_alias_are_one_and_what_has_no_score_is_counted_too() -> None:
    every = found(
        known(vulnerability_id="GHSA-1", aliases="CVE-1", cve_id="CVE-1"),
        known(vulnerability_id="CVE-1", cve_id="CVE-1"),
        known(vulnerability_id="CVE-2", epss=None),
        known(vulnerability_id="CVE-2", epss=None, package="other"),
    )
    assert scored(every, images("")) == ["EPSS of 2026-08-15 (v2026.06.15), 1 of 2 ids scored"]
    no_model = images("", epss_model=[None])
    assert scored(every, no_model) == ["EPSS of 2026-08-15, 1 of 2 ids scored"]
    with i18n.speaking("ko"):
        assert scored(every, no_model) == ["2026-08-15의 EPSS, ID 2개 중 1개에 점수 있음"]
    assert scored(every.iloc[:0], images("")) == [
        "EPSS of 2026-08-15 (v2026.06.15), 0 of 0 ids scored"
    ]


def test_of_many_days_the_first_and_the_last_are_named() -> None:
    captures = [f"2026-0{month}" for month in (1, 2, 3, 4)]
    every = found(
        *(known(capture=c) for c in captures),
        *(known(capture=c, vulnerability_id="CVE-2", epss=None) for c in captures[:1]),
    )
    days = images(*captures, epss_day=[at(f"{capture}-15") for capture in captures])
    assert scored(every, days) == [
        "EPSS of 4 days from 2026-01-15 to 2026-04-15, 50% to 100% of ids scored"
    ]
    assert len(scored(every, days.iloc[:3])) == 3


def test_whatever_the_lens_what_was_declared_harmless_is_told() -> None:
    every = found(
        known(),
        known(suppressed=True, fixed_version="2"),
        known(suppressed=True, epss=None),
    )

    def footer(lens: Lens) -> str:
        return lens_evidence.footer(every, images(""), lens)

    assert footer(PLAIN) == "without 2 findings declared harmless"
    assert footer(Lens(fixable=True)) == "without 1 finding declared harmless"
    assert footer(LIKELY).endswith(" · without 1 finding declared harmless")
    assert footer(Lens(suppressed=True)) == footer(Lens(place="app")) == ""
    assert (
        "Without 2 findings declared" in lens_evidence.answer(every, images(""), PLAIN).text.plain
    )
