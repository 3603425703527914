"""Overlap: which vulnerabilities are in one variant only, and which in several."""

import pytest

from helpers.frames import Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.vulnerabilities import overlap
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy

SIX = {
    "a": [1, 2, 3],
    "b": [1, 2, 3],
    "c": [1, 4, 7],
    "d": [1, 4, 5, 7],
    "e": [1],
    "f": [1, 6],
}
"""Numbers of the vulnerabilities of six images: 1 is in all, 2, 3, 4 and 7 are in two."""


def listed(loaded: Frames, lens: Lens = Lens("vulnerabilities")):  # noqa: B008
    return overlap.listing(loaded.findings, loaded.images, lens)


@pytest.fixture
def six(frames_of) -> Frames:
    return frames_of(
        **{name: trivy(*(finding(n) for n in numbers)) for name, numbers in SIX.items()}
    )


def counts(table) -> dict[str, int]:
    return dict(zip(table["variants"], table["vulnerabilities"], strict=True))


def test_the_posts_images_share_nothing(blog: Frames) -> None:
    table = listed(blog)
    assert counts(overlap.combinations(table)) == {"nodejs-alpine": 25, "nodejs-distroless": 16}
    assert overlap.headline(table) == (
        "Of 41 vulnerabilities, 0 in both; 25 in nodejs-alpine alone, 16 in nodejs-distroless alone"
    )


def test_two_images_are_enough_to_share(frames_of) -> None:
    table = listed(frames_of(clean=trivy(), one=trivy(finding(1))))
    assert table["clean"].tolist() == [0]
    assert overlap.sentence(table).splitlines() == [
        "- **clean**: 0 vulnerabilities, 0 of them in no other variant",
        "- **one**: 1 vulnerability, 1 of them in no other variant",
        "",
        "In all of **clean**, **one**: 0.",
    ]


def test_the_images_of_2026_share_by_their_distribution() -> None:
    table = listed(load_study("matched-2026"), Lens("vulnerabilities", known_by="2026-08-31"))
    assert counts(overlap.combinations(table)) == {
        "node-24-slim": 17,
        "node-24-slim + node-24-distroless": 13,
        "node-24-alpine + node-24-distroless": 9,
        "node-24-distroless": 2,
    }
    assert overlap.sentence(table).splitlines() == [
        "- **node-24-alpine**: 9 vulnerabilities, 0 of them in no other variant",
        "- **node-24-slim**: 30 vulnerabilities, 17 of them in no other variant",
        "- **node-24-distroless**: 24 vulnerabilities, 2 of them in no other variant",
        "",
        "In all of **node-24-alpine**, **node-24-slim**, **node-24-distroless**: 0.",
    ]


def test_of_six_variants_each_combination_that_occurs_is_a_row(six: Frames) -> None:
    table = listed(six)
    assert overlap.variants(table) == list("abcdef")
    found = counts(overlap.combinations(table))
    assert found == {"a + b": 2, "a + b + c + d + e + f": 1, "c + d": 2, "d": 1, "f": 1}
    assert next(iter(found)) == "a + b"
    assert overlap.headline(table) == (
        "Of 7 vulnerabilities, 1 in all 6; 1 in d alone, 1 in f alone"
    )


@pytest.mark.parametrize(("most", "rows"), [(5, 5), (4, 4), (2, 2)])
def test_more_combinations_than_fit_are_told_as_one(six: Frames, most: int, rows: int) -> None:
    table = overlap.combinations(listed(six), most)
    assert len(table) == rows
    assert table["vulnerabilities"].sum() == 7
    assert table["HIGH"].sum() == 7
    last = table["variants"].iloc[-1]
    assert (last == overlap.REST) == (most < 5)


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
    table = listed(loaded, Lens())
    assert list(table) == "vulnerability_id severity variants packages fixed a b".split()
    assert table.to_numpy().tolist() == [
        ["CVE-2024-0001", "CRITICAL", "a + b", "curl, openssl, zlib", True, 1, 2],
        ["CVE-2024-0002", "LOW", "a", "openssl", False, 1, 0],
    ]
    severities = overlap.combinations(table).set_index("variants")
    assert severities.loc["a + b", "CRITICAL"] == severities.loc["a", "LOW"] == 1


def test_a_lens_counts_each_only_as_often_as_it_does(frames_of) -> None:
    loaded = frames_of(a=trivy(finding(1), finding(1, PkgName="zlib")), b=trivy(finding(2)))
    assert listed(loaded)["a"].tolist() == [1, 0]
    assert listed(loaded, Lens())["a"].tolist() == [2, 0]
    assert overlap.label(Lens("findings", fixable=True)) == "fixable vulnerabilities"


def test_findings_without_an_id_are_shared_with_nobody(frames_of) -> None:
    nameless = finding(VulnerabilityID=None)
    table = listed(frames_of(a=trivy(nameless, nameless), b=trivy(nameless)))
    assert counts(overlap.combinations(table)) == {"a": 2, "b": 1}
    assert table["vulnerability_id"].str.startswith("(no id) ").all()


def test_what_was_not_measured_is_no_variant_of_the_overlap(six: Frames) -> None:
    table = overlap.listing(six.findings, missing_image(six.images, "lost"), Lens())
    assert "lost" not in overlap.variants(table)
    lost = six.images.assign(
        status=six.images["status"].mask(six.images["variant"].ne("a"), "failed")
    )
    alone = overlap.listing(six.findings, lost, Lens())
    assert overlap.variants(alone) == ["a"]
    assert len(alone) == 3
    assert "for want of a second variant" in overlap.headline(alone)
    assert overlap.sentence(alone).startswith("One variant was measured")


def test_clean_images_share_nothing_and_are_still_compared(frames_of) -> None:
    table = listed(frames_of(a=trivy(), b=trivy()))
    assert overlap.combinations(table).empty
    assert overlap.headline(table).startswith("Of 0 vulnerabilities, 0 in both")


def test_a_variant_may_be_named_like_a_column(frames_of) -> None:
    table = listed(frames_of(packages=trivy(finding(1)), fixed=trivy(finding(1), finding(2))))
    assert counts(overlap.combinations(table)) == {"fixed": 1, "fixed + packages": 1}
    assert overlap.sentence(table).splitlines()[:2] == [
        "- **fixed**: 2 vulnerabilities, 1 of them in no other variant",
        "- **packages**: 1 vulnerability, 0 of them in no other variant",
    ]


def test_in_korean_headline_and_sentence_are_korean(blog: Frames, six: Frames) -> None:
    with i18n.speaking("ko"):
        assert overlap.headline(listed(blog)) == (
            "취약점 41개 중 양쪽 모두에 있는 것 0개; "
            "nodejs-alpine에만 25개, nodejs-distroless에만 16개"
        )
        assert "취약점 7개 중 6개 변형 모두에 있는 것 1개" in overlap.headline(listed(six))
        assert "- **a**: 취약점 3개, 그중 다른 변형에는 없는 것 0개" in overlap.sentence(
            listed(six)
        )
