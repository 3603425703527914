"""Comparisons: given real evidence, these numbers; given none, missing and not zero."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import frames
from helpers.errors import ParameterInvalid
from helpers.frames import Frames
from helpers.sizes import image_sizes as sizes_of
from helpers.studies.load import load_published
from helpers.text import i18n
from helpers.vulnerabilities import counting, lenses
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"


def by_severity(counts: pd.DataFrame, variant: str) -> list[int]:
    return counts[counts["variant"].eq(variant)]["count"].tolist()


def test_the_blogs_result_to_the_digit(blog: Frames) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    table = counting.reproduction(counts, load_published("blog-2022"))
    assert list(table) == ["variant", "severity", "published", "reproduced"]
    assert table["reproduced"].tolist() == table["published"].tolist()
    by_variant = {
        variant: rows["reproduced"].tolist() for variant, rows in table.groupby("variant")
    }
    assert by_variant == {ALPINE: [0, 2, 12, 31, 3, 48], DISTROLESS: [0, 12, 3, 1, 3, 19]}


def test_a_finding_less_in_the_evidence_is_one_less_in_the_result(blog: Frames) -> None:
    fewer = blog.findings.drop(blog.findings[blog.findings["severity"].eq("LOW")].index[0])
    counts = counting.severity_counts(fewer, blog.images)
    table = counting.reproduction(counts, load_published("blog-2022")).set_index(
        ["variant", "severity"]
    )
    assert table.loc[(ALPINE, "LOW")].tolist() == [2, 1]
    assert table.loc[(ALPINE, "TOTAL")].tolist() == [48, 47]


def test_what_the_two_totals_hide(blog: Frames) -> None:
    table = counting.totals_by_lens(blog.findings, blog.images).set_index("variant")
    assert table.loc[ALPINE].drop(["capture", "status"]).to_dict() == {
        "findings": 48,
        "vulnerabilities": 25,
        "vulnerability_packages": 25,
        "fixable_findings": 48,
        "fixable_vulnerabilities": 25,
        "fixable_vulnerability_packages": 25,
    }
    assert table.loc[DISTROLESS].drop(["capture", "status"]).to_dict() == {
        "findings": 19,
        "vulnerabilities": 16,
        "vulnerability_packages": 16,
        "fixable_findings": 0,
        "fixable_vulnerabilities": 0,
        "fixable_vulnerability_packages": 0,
    }


def test_the_same_images_in_the_capture_of_today(both: Frames) -> None:
    table = counting.across_captures(both.findings, both.images).set_index(["variant", "capture"])
    assert table["findings"].to_dict() == {
        (ALPINE, "2022-02"): 48,
        (ALPINE, "2026-11"): 49,
        (DISTROLESS, "2022-02"): 19,
        (DISTROLESS, "2026-11"): 107,
    }
    assert table.loc[(DISTROLESS, "2026-11"), "fixable_findings"] == 96


def test_captures_stand_in_the_order_of_their_dates_also_if_a_db_has_none(both: Frames) -> None:
    shuffled = both.images.iloc[::-1].assign(db_updated_at=pd.NaT)
    table = counting.across_captures(both.findings, shuffled)
    assert table["capture"].tolist() == ["2022-02", "2026-11"] * 2


def test_an_image_that_occurs_twice_is_refused_and_never_counted_twice(blog: Frames) -> None:
    twice = pd.concat([blog.images, blog.images])
    with pytest.raises(pd.errors.MergeError):
        counting.severity_counts(blog.findings, twice)


def test_an_image_that_nobody_looked_at_has_no_count(frames_of) -> None:
    loaded = frames_of(secrets=trivy(Results=[{"Target": "key", "Class": "secret"}]))
    counts = counting.severity_counts(loaded.findings, loaded.images)
    assert counts["count"].isna().all()


def test_no_images_give_frames_without_rows() -> None:
    nothing = [frames.make(name, {}) for name in ("findings", "images", "published")]
    findings, images, published = nothing
    assert counting.severity_counts(findings, images).empty
    assert counting.totals_by_lens(findings, images).empty
    assert sizes_of.differences(sizes_of.table(images, published), "unpacked").empty


def test_every_variant_and_severity_keeps_its_row(frames_of) -> None:
    loaded = frames_of(clean=trivy(), one=trivy(finding(Severity="LOW")))
    counts = counting.severity_counts(loaded.findings, loaded.images)
    assert counts["severity"].dtype == frames.SEVERITY
    assert by_severity(counts, "clean") == [0, 0, 0, 0, 0]
    assert by_severity(counts, "one") == [0, 1, 0, 0, 0]


def test_an_image_without_a_report_is_missing_and_a_clean_one_is_zero(frames_of) -> None:
    loaded = frames_of(clean=trivy())
    images = missing_image(loaded.images, "lost")
    counts = counting.severity_counts(loaded.findings, images)
    assert counts[counts["variant"].eq("lost")]["count"].isna().all()
    totals = counting.totals(counts).set_index("variant")["total"]
    assert totals["clean"] == 0
    assert pd.isna(totals["lost"])
    by_lens = counting.totals_by_lens(loaded.findings, images).set_index("variant")
    assert by_lens.loc["lost", list(counting.LENS_COLUMNS)].isna().all()


def test_a_vulnerability_counts_once_an_image_at_its_highest_severity(frames_of) -> None:
    loaded = frames_of(
        app=trivy(
            finding(1, PkgName="a", Severity="LOW"),
            finding(1, PkgName="b", Severity="HIGH"),
            finding(2, PkgName="a", Severity="MEDIUM"),
        )
    )
    counts = counting.severity_counts(loaded.findings, loaded.images, Lens("vulnerabilities"))
    assert by_severity(counts, "app") == [0, 0, 1, 1, 0]


def test_a_package_of_the_figure_has_a_bar_in_every_image_that_has_it(frames_of) -> None:
    def of(package: str, times: int) -> list[dict]:
        return [finding(n, PkgName=package) for n in range(times)]

    loaded = frames_of(
        a=trivy(*of("linux", 4), *of("tar", 1)), b=trivy(*of("linux", 1), *of("npm", 3)), c=trivy()
    )

    def bars(most: int) -> list[tuple[str, str, int]]:
        table = counting.by_package(loaded.findings, loaded.images, Lens(), most)
        summed = table.groupby(["package", "variant"], sort=False)["count"].sum()
        return [(*key, count) for key, count in summed.items()]

    every = [("linux", "a", 4), ("linux", "b", 1), ("npm", "b", 3), ("tar", "a", 1)]
    assert bars(12) == every
    assert bars(3) == every[:3]
    assert bars(2) == every[:2]
    assert bars(1) == every[:1]


def test_findings_without_an_id_are_not_taken_for_the_same(frames_of) -> None:
    loaded = frames_of(app=trivy(finding(VulnerabilityID=None), finding(VulnerabilityID="")))
    assert len(lenses.vulnerabilities(loaded.findings)) == 2


def test_fixable_is_what_has_a_fixed_version(frames_of) -> None:
    loaded = frames_of(
        app=trivy(finding(1, FixedVersion="2"), finding(2), finding(3, FixedVersion=""))
    )
    counts = counting.severity_counts(loaded.findings, loaded.images, Lens(fixable=True))
    assert counting.totals(counts)["total"].tolist() == [1]


def test_fixable_is_yes_or_no_and_no_text(blog: Frames) -> None:
    with pytest.raises(ParameterInvalid, match="fixable 'false' is not a bool"):
        counting.severity_counts(blog.findings, blog.images, Lens(fixable="false"))  # type: ignore[arg-type]


def test_another_lens_is_refused(blog: Frames) -> None:
    with pytest.raises(ParameterInvalid, match="'cves' is none of findings, vulnerabilities"):
        counting.severity_counts(blog.findings, blog.images, Lens("cves"))


FINDING = st.tuples(
    st.integers(1, 4), st.sampled_from("ab"), st.sampled_from(frames.SEVERITIES), st.booleans()
)


# Its many small frames take as long as the machine is busy.
@settings(deadline=None)
@given(images=st.dictionaries(st.sampled_from("xyz"), st.lists(FINDING, max_size=8), min_size=1))
def test_a_narrower_lens_never_counts_more_and_parts_add_up(images) -> None:
    rows = [
        (variant, "", f"CVE-{number}", package, severity, "1" if fixed else None)
        for variant, found in images.items()
        for number, package, severity, fixed in found
    ]
    names = ["variant", "capture", "vulnerability_id", "package", "severity", "fixed_version"]
    findings = frames.make(
        "findings", dict(zip(names, map(list, zip(*rows, strict=True)), strict=False))
    )
    every = frames.make(
        "images",
        {
            "variant": list(images),
            "capture": [""] * len(images),
            "status": ["scanned"] * len(images),
        },
    )
    table = counting.totals_by_lens(findings, every)
    assert (table["vulnerabilities"] <= table["findings"]).all()
    assert (table["fixable_findings"] <= table["findings"]).all()
    assert (table["fixable_vulnerabilities"] <= table["fixable_findings"]).all()
    assert (table["fixable_vulnerabilities"] <= table["vulnerabilities"]).all()
    assert table["findings"].tolist() == [len(found) for found in images.values()]


class TestSizes:
    """Sizes: which is known, and the differences to a baseline."""

    def test_the_published_sizes_are_all_that_is_known_of_the_blogs_images(self, blog) -> None:
        sizes = sizes_of.table(blog.images, load_published("blog-2022"))
        known = sizes.dropna(subset="bytes")
        assert known["kind"].unique().tolist() == ["published"]
        assert dict(zip(known["variant"], known["bytes"], strict=True)) == {
            ALPINE: 76_900_000,
            DISTROLESS: 118_000_000,
        }
        assert sizes_of.known_size(sizes) == "published"

    def test_differences_against_a_baseline(self, blog) -> None:
        sizes = sizes_of.table(blog.images, load_published("blog-2022"))
        against = sizes_of.differences(sizes, "published", DISTROLESS).set_index("variant")
        assert against.loc[ALPINE, "difference_bytes"] == -41_100_000
        assert against.loc[ALPINE, "ratio"] == pytest.approx(76.9 / 118)
        smallest = sizes_of.differences(sizes, "published")
        assert smallest["baseline"].unique().tolist() == [ALPINE]

    def test_an_unpacked_size_in_the_reports_comes_first(self, frames_of) -> None:
        images = frames_of(
            small=trivy(Metadata={"Size": 10}), large=trivy(Metadata={"Size": 30})
        ).images
        sizes = sizes_of.table(images, frames.make("published", {}))
        assert sizes_of.known_size(sizes) == "unpacked"
        table = sizes_of.differences(sizes, "unpacked")
        assert table["difference_bytes"].tolist() == [0, 20]

    def test_a_size_that_is_not_known_is_missing_and_comes_last(self, frames_of) -> None:
        images = frames_of(a=trivy(), b=trivy(Metadata={"Size": 10})).images
        table = sizes_of.differences(
            sizes_of.table(images, frames.make("published", {})), "unpacked"
        )
        assert table["variant"].tolist() == ["b", "a"]
        assert table["bytes"].isna().tolist() == [False, True]

    def test_a_size_in_another_unit_than_mb_is_not_taken_for_one(self, blog) -> None:
        published = load_published("blog-2022").assign(unit="MiB")
        assert sizes_of.table(blog.images, published)["bytes"].isna().all()

    def test_the_studys_own_baseline_gives_way_if_it_has_no_size(self, frames_of) -> None:
        images = frames_of(a=trivy(), b=trivy(Metadata={"Size": 10})).images
        sizes = sizes_of.table(images, frames.make("published", {}))
        assert sizes_of.known_baseline(sizes, "unpacked", preferred="a") == ""
        assert sizes_of.known_baseline(sizes, "unpacked", preferred="b") == "b"
        assert sizes_of.known_baseline(sizes, "unpacked", wanted="b", preferred="a") == "b"
        with pytest.raises(ParameterInvalid, match="baseline 'a' has no unpacked size"):
            sizes_of.known_baseline(sizes, "unpacked", wanted="a")

    def test_wrong_sizes_and_baselines_are_refused(self, blog) -> None:
        sizes = sizes_of.table(blog.images, load_published("blog-2022"))
        with pytest.raises(ParameterInvalid, match="none of unpacked, compressed, published"):
            sizes_of.known_size(sizes, "big")
        with pytest.raises(ParameterInvalid, match="known: published"):
            sizes_of.known_size(sizes, "unpacked")
        with pytest.raises(ParameterInvalid, match="baseline 'x' has no published size"):
            sizes_of.differences(sizes, "published", "x")


def test_in_korean_only_the_package_without_a_name_has_another() -> None:
    with i18n.speaking("ko"):
        assert counting.package_name(counting.UNNAMED) == "(이름 없음)"
        assert counting.package_name("findings") == "findings"
