"""Fixable and unfixed: what a newer package would fix, where that cannot be seen, and places."""

from typing import Any

import pandas as pd
import pytest

from helpers.answers.answer import Answer
from helpers.answers.chart_data import Bars
from helpers.frames import Frames
from helpers.studies.load import load_study
from helpers.vulnerabilities import fixes
from helpers.vulnerabilities.lenses import PLAIN, Lens
from tests.conftest import finding, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"


@pytest.fixture(scope="module")
def rebuilt() -> Frames:
    return load_study("rebuilt-2026")


def fixed(frames: Frames, lens: Lens = PLAIN) -> Answer:
    return fixes.answer(frames.findings, frames.images, lens)


def places(frames: Frames, lens: Lens = PLAIN) -> Answer:
    return fixes.places_answer(frames.findings, frames.images, lens)


def parts(answer: Answer) -> dict[str, list[int]]:
    table: pd.DataFrame = answer.table
    return {v: rows["count"].tolist() for v, rows in table.groupby("variant", sort=False)}


def on(family: str) -> dict[str, Any]:
    return trivy(finding(), Metadata={"OS": {"Family": family, "Name": "1"}})


@pytest.mark.parametrize(
    "family",
    "alpine wolfi chainguard amazon alma rocky oracle photon sles slem opensuse-leap".split(),
)
def test_where_advisories_name_only_what_has_a_fix_unfixed_cannot_be_seen(
    frames_of, family
) -> None:
    answer = fixed(frames_of(app=on(family)))
    assert answer.table["blind"].tolist() == [True, True]
    assert "unknown, not zero" in answer.text.plain
    assert isinstance(answer.chart, Bars)
    assert answer.chart.ends == ["1\nunfixed in OS packages: unknown"]


@pytest.mark.parametrize("family", ["debian", "ubuntu", "redhat", "azurelinux", "none", ""])
def test_elsewhere_unfixed_findings_are_observable(frames_of, family) -> None:
    report = on(family) if family else trivy(finding(), Metadata={})
    answer = fixed(frames_of(app=report))
    assert answer.table["blind"].tolist() == [False, False]
    assert not answer.text


def test_a_vulnerability_that_is_fixable_in_one_package_is_not_unfixed_too(frames_of) -> None:
    report = trivy(finding(1, FixedVersion="2"), finding(1, PkgName="zlib"), finding(2))
    loaded = frames_of(app=report)
    assert parts(fixed(loaded, Lens("vulnerabilities"))) == {"app": [1, 1]}
    assert parts(fixed(loaded)) == {"app": [1, 2]}


def test_tools_of_the_base_are_a_place_of_their_own(frames_of) -> None:
    npm = finding(2, PkgPath="usr/local/lib/node_modules/npm/node_modules/tar/package.json")
    result = {"Target": "Node.js", "Class": "lang-pkgs", "Type": "node-pkg"}
    report = trivy(finding(1))
    report["Results"].append({**result, "Vulnerabilities": [npm, finding(3, PkgPath="app/a")]})
    answer = places(frames_of(app=report))
    assert answer.table[["part", "count"]].to_numpy().tolist() == [
        ["os", 1],
        ["tools", 1],
        ["app", 1],
    ]
    assert answer.title == "Findings outside OS packages: app 2 of 3"
    assert isinstance(answer.chart, Bars)
    assert answer.chart.palette == "place"
    assert [(series.key, series.name) for series in answer.chart.series] == [
        ("os", "OS packages"),
        ("tools", "bundled tools"),
        ("app", "the app"),
    ]
    one = places(frames_of(app=report), Lens(place="tools"))
    assert one.table[["part", "count"]].to_numpy().tolist() == [["tools", 1]]
    assert "1 of 1" in one.title


def test_findings_of_an_unknown_layer_are_counted_apart(rebuilt: Frames) -> None:
    findings = rebuilt.findings[rebuilt.findings["variant"].eq("node-24-distroless")]
    from_base = findings["from_base"].mask(findings["from_base"].fillna(False))
    from_base.iloc[0] = True
    frames = rebuilt._replace(findings=findings.assign(from_base=from_base))
    text = places(frames).text.plain
    assert "1 of 14 from the base; layer unknown: 6" in text
    assert text.count("1 of 14") == 1, "other images have other findings"
    fixable = places(frames, Lens("vulnerabilities", fixable=True)).text.plain
    assert "0 of 7 from the base" in fixable
