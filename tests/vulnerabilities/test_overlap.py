"""Overlap: which vulnerabilities are in one variant only, and which in several."""

import pandas as pd
import pytest

from helpers.answers.chart_data import OTHERS, Combination, Overlap, why_empty
from helpers.frames import Frames
from helpers.text import i18n
from helpers.vulnerabilities import overlap
from helpers.vulnerabilities.lenses import PLAIN, Lens
from tests.conftest import finding, missing_image, trivy

BY_ID = Lens("vulnerabilities")
SIX = {
    "a": [1, 2, 3],
    "b": [1, 2, 3],
    "c": [1, 4, 7],
    "d": [1, 4, 5, 7],
    "e": [1],
    "f": [1, 6],
}
"""Numbers of the vulnerabilities of six images: 1 is in all, 2, 3, 4 and 7 are in two."""


def listed(loaded: Frames, lens: Lens = BY_ID) -> pd.DataFrame:
    return overlap.listing(loaded.findings, loaded.images, lens)


@pytest.fixture
def six(frames_of) -> Frames:
    return frames_of(
        **{name: trivy(*(finding(n) for n in numbers)) for name, numbers in SIX.items()}
    )


def counts(table: pd.DataFrame) -> dict[str, int]:
    return dict(zip(table["variants"], table["vulnerabilities"], strict=True))


def test_of_six_variants_each_combination_that_occurs_is_a_row(six: Frames) -> None:
    answer = overlap.answer(six.findings, six.images, BY_ID)
    found = counts(answer.table)
    assert found == {"a + b": 2, "a + b + c + d + e + f": 1, "c + d": 2, "d": 1, "f": 1}
    assert next(iter(found)) == "a + b"
    assert answer.title == "1 of 7 vulnerabilities in all 6 images; 1 in d alone, 1 in f alone"
    assert isinstance(answer.chart, Overlap)
    assert answer.chart.variants == list("abcdef")
    assert [key for key, _ in answer.chart.series] == [
        "CRITICAL",
        "HIGH",
        "MEDIUM",
        "LOW",
        "UNKNOWN",
    ]
    assert answer.chart.combinations[0] == Combination(["a", "b"], [0, 2, 0, 0, 0])


@pytest.mark.parametrize("most", [5, 4, 2])
def test_more_combinations_than_fit_are_counted_as_one(six: Frames, most: int) -> None:
    table = overlap.combinations(listed(six), most)
    assert len(table) == most
    assert table["vulnerabilities"].sum() == table["HIGH"].sum() == 7
    assert (table["variants"].iloc[-1] == OTHERS) == (most < 5)
    with i18n.speaking("ko"):
        last = overlap.chart(listed(six), "", most).combinations[-1]
        assert overlap.combinations(listed(six), most).equals(table)
    assert (last.name == "그 밖의 조합") == (last.members == []) == (most < 5)


def test_a_vulnerability_is_listed_with_its_highest_severity_and_all_its_packages(
    frames_of,
) -> None:
    loaded = frames_of(
        a=trivy(finding(1, Severity="LOW"), finding(2, Severity="LOW")),
        b=trivy(
            finding(1, Severity="CRITICAL", PkgName="zlib", FixedVersion="2"),
            finding(1, Severity="MEDIUM", PkgName="curl"),
        ),
    )
    table = overlap.listing_answer(loaded.findings, loaded.images, PLAIN).table
    assert list(table) == "vulnerability_id severity variants packages fixed a b".split()
    assert table.to_numpy().tolist() == [
        ["CVE-2024-0001", "CRITICAL", "a + b", "curl, openssl, zlib", True, 1, 2],
        ["CVE-2024-0002", "LOW", "a", "openssl", False, 1, 0],
    ]
    # What is LOW in one image and higher in another is not LOW.
    low = listed(loaded, Lens(severities=("LOW",)))
    assert low["vulnerability_id"].tolist() == ["CVE-2024-0002"]
    severities = overlap.combinations(table).set_index("variants")
    assert severities.loc["a + b", "CRITICAL"] == severities.loc["a", "LOW"] == 1


def test_findings_without_an_id_are_shared_with_no_other(frames_of) -> None:
    nameless = finding(VulnerabilityID=None)
    table = listed(frames_of(a=trivy(nameless, nameless), b=trivy(nameless)))
    assert counts(overlap.combinations(table)) == {"a": 2, "b": 1}
    ids = table["vulnerability_id"]
    assert ids.tolist() == ["(no id) 0", "(no id) 1", "(no id) 2"]
    with i18n.speaking("ko"):
        assert i18n.told(ids[0]) == "(ID 없음) 0"


def test_what_was_not_measured_is_no_variant_of_the_overlap(six: Frames) -> None:
    table = overlap.listing(six.findings, missing_image(six.images, "lost"), PLAIN)
    assert "lost" not in overlap.variants(table)
    status = six.images["status"].mask(six.images["variant"].ne("a"), "failed")
    alone = overlap.answer(six.findings, six.images.assign(status=status), PLAIN)
    assert counts(alone.table) == {"a": 3}
    assert alone.title == "Fewer than two images have counts."
    none = overlap.answer(six.findings, six.images.assign(status="failed"), PLAIN)
    assert "No variant" in why_empty(none.chart)


@pytest.mark.parametrize("name", ["packages", "severity", "variants", "vulnerability_id", "b + c"])
def test_a_variant_may_be_named_like_a_column_or_like_several(frames_of, name) -> None:
    loaded = frames_of(a=trivy(finding(1)), x=trivy(finding(1), finding(2)))
    renamed = [frame.replace({"variant": {"x": name}}) for frame in loaded[:2]]
    answer = overlap.answer(*renamed[::-1], BY_ID)
    assert counts(answer.table) == {name: 1, f"a + {name}": 1}
    assert {*map(tuple, (found.members for found in answer.chart.combinations))} == {
        (name,),
        ("a", name),
    }
