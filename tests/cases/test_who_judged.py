"""Who judges an image's packages: a distribution, or the vendor of the image itself."""

import pytest

from helpers import Comparison
from helpers.comparability import confounders, judges
from helpers.verdict import cautions
from helpers.verdict.decision import Decision, decide
from helpers.vulnerabilities import lens_evidence, severity_scales
from helpers.vulnerabilities.lenses import NVD, PLAIN, Lens
from tests.cases.made import Report, finding, findings, report, study

DAY = "2026-11-01"


def by(source: str, count: int = 3, **fields) -> list[Report]:
    """Findings of a data source of Trivy's."""
    return findings(count, DataSource={"ID": source, "Name": "…", "URL": "…"}, **fields)


def opened(data, **reports: Report) -> Comparison:
    return Comparison(study(data, {DAY: reports}))


def decided(c: Comparison) -> Decision:
    return decide(c.frames, c.published_numbers, "", c.lens, c.weights)


@pytest.mark.parametrize(
    ("made", "party", "kind"),
    [
        (report(*by("debian")), "Debian", "distribution"),
        (report(*by("alpine"), os="alpine 3.22.1"), "Alpine", "distribution"),
        # Nothing found: the system says who looked.
        (report(os="debian 12.5"), "Debian", "distribution"),
        (report(os="chainguard 20230214"), "Chainguard", "vendor"),
        (report(os="wolfi 20230201"), "Chainguard", "vendor"),
        (report(os="minimos 1"), "MinimOS", "vendor"),
        (report(os="echo 1"), "Echo", "vendor"),
        # A vendor's feed in place of the distribution's.
        (report(*by("rootio"), os="debian 12.5"), "Root.io", "vendor"),
        (report(*by("seal"), os="debian 12.5"), "Seal Security", "vendor"),
        (report(packages=["openssl 3.0.1-1.root.io.2"]), "Root.io", "vendor"),
        (report(packages=["musl 1.2.3-r20072"], os="alpine 3.18.1"), "Root.io", "vendor"),
        (report(packages=["seal-openssl 3.0.1"]), "Seal Security", "vendor"),
        (report(*by("a-new-feed")), "a-new-feed", "third-party"),
        # NVD judges the packages of all alike.
        (report(*by("alpine"), *by("nvd"), os="alpine 3.22.1"), "Alpine", "distribution"),
    ],
)
def test_the_judge_is_known_with_findings_and_without(empty_data, made, party, kind) -> None:
    judged = opened(empty_data, a=made).images["judged_by"].item()
    assert (judged, judges.kind(judged)) == (party, kind)


def test_a_supplier_judges_its_images_and_states_no_end_of_life(empty_data) -> None:
    made = report(os="ubuntu 16.04")
    made["Metadata"]["OS"]["Supplier"] = "rapidfort"
    image = opened(empty_data, a=made).images.iloc[0]
    assert (image["judged_by"], image["os_supplier"]) == ("RapidFort", "rapidfort")
    assert image.isna()["os_eol"]


def test_language_packages_are_judged_by_the_same_databases_in_all(empty_data) -> None:
    npm = {"npm": ["npm 1.0.0"], "npm_found": by("ghsa", package="npm")}
    c = opened(empty_data, a=report(**npm), b=report(*by("debian")))
    assert c.images["judged_by"].tolist() == ["Debian", "Debian"]
    sources = c.findings.groupby("variant")["advisory_source"].unique().map(list)
    assert sources.to_dict() == {"a": ["ghsa"], "b": ["debian"]}


def test_a_zero_by_the_images_own_vendor_is_another_judgement(empty_data) -> None:
    c = opened(
        empty_data, ours=report(os="wolfi 20230201"), theirs=report(*by("debian", fix="3.0.2"))
    )
    assert judges.of_its_own(c.images) == {"ours": "Chainguard"}
    # It is a difference of the images, which the answer and each footer name.
    assert confounders.unlike(c.evidence.like_with_like().table) == [confounders.JUDGE]
    assert judges.text(c.images)
    # And a caution of the verdict.
    found = decided(c)
    assert found.caution(cautions.JUDGED_BY_VENDOR).variants == ("ours",)


def test_another_judge_of_the_same_packages_is_no_broken_scan(empty_data) -> None:
    curated = report(os="ubuntu 22.04")
    curated["Metadata"]["OS"]["Supplier"] = "rapidfort"
    c = opened(empty_data, ours=curated, theirs=report(*by("ubuntu", 20), os="ubuntu 22.04"))
    assert c.findings["variant"].value_counts().to_dict() == {"theirs": 20}
    assert judges.of_its_own(c.images) == {"ours": "RapidFort"}


def test_two_distributions_are_no_vendors_judgement(empty_data) -> None:
    c = opened(empty_data, a=report(*by("debian")), b=report(os="alpine 3.22.1"))
    assert judges.of_its_own(c.images) == {}
    assert confounders.JUDGE not in confounders.unlike(c.evidence.like_with_like().table)
    assert not judges.text(c.images)
    assert not decided(c).caution(cautions.JUDGED_BY_VENDOR)


def test_images_of_one_vendor_have_one_judge_and_of_two_vendors_two(empty_data) -> None:
    wolfi, chainguard = report(os="wolfi 20230201"), report(os="chainguard 20230214")
    assert judges.of_its_own(opened(empty_data, a=wolfi, b=chainguard).images) == {}
    both = {DAY: {"a": wolfi, "b": report(os="minimos 1")}}
    two = Comparison(study(empty_data, both, name="two"))
    assert judges.of_its_own(two.images) == {"a": "Chainguard", "b": "MinimOS"}


def test_what_nvd_did_not_score_is_a_state_of_its_own(empty_data) -> None:
    rated = finding(1, SeveritySource="nvd", VendorSeverity={"nvd": 3})
    others = finding(2, Severity="HIGH", VendorSeverity={"redhat": 3})
    nobody = finding(3, Severity="UNKNOWN", VendorSeverity={"nvd": 0})
    c = opened(empty_data, a=report(rated, others, nobody))
    table = severity_scales.sources_answer(c.findings, PLAIN).table
    found = dict(zip(table["severity_source"], table["total"], strict=True))
    assert found == {"nvd": 1, severity_scales.NOT_SCORED: 2}
    # A report without any of NVD's severities does not know what NVD scored.
    table = severity_scales.sources(c.findings[c.findings["nvd_severity"].isna()])
    assert table["severity_source"].tolist() == [severity_scales.NO_SOURCE]


def test_what_was_not_looked_at_has_no_judge(empty_data) -> None:
    made = report(*by("debian"), os="", npm=["npm 1.0.0"])
    made["Metadata"]["OS"] = {"Family": "wolfi", "Name": "20230201"}
    assert opened(empty_data, a=made).images["judged_by"].isna().all()


def test_the_lens_of_nvd_says_how_much_nvd_scored(empty_data) -> None:
    rated = finding(1, fix="3.0.2", VendorSeverity={"nvd": 3})
    c = opened(empty_data, a=report(rated, *findings(3, fix="3.0.2")))
    lens = Lens(fixable=True, rated_by=NVD, severities=("HIGH",))
    assert lens_evidence.by_nvd(c.findings, lens) == "NVD scored 1 of 4 (25%)"
    assert lens_evidence.footer(c.findings, c.images, lens)
    assert not lens_evidence.footer(c.findings, c.images, PLAIN)
