"""Sentences: every number in them is computed; absent evidence is said, not counted."""

import re

import pandas as pd

from helpers import frames
from helpers.sizes import image_sizes as sizes_of
from helpers.studies.load import load_published, load_study
from helpers.studies.study import open_study
from helpers.text import i18n, titles
from helpers.verdict import claims, sentences
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy


def test_a_complete_reproduction_says_so(blog) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    table = counting.reproduction(counts, load_published("blog-2022"))
    assert sentences.reproduction(table) == (
        "All 12 published numbers come out to the digit "
        "(**nodejs-alpine** 48 of 48, **nodejs-distroless** 19 of 19)."
    )


def test_an_incomplete_one_names_what_differs(blog) -> None:
    counts = counting.severity_counts(blog.findings.iloc[1:], blog.images)
    told = sentences.reproduction(counting.reproduction(counts, load_published("blog-2022")))
    assert told.startswith("10 of 12 published numbers come out")
    assert "**nodejs-alpine** CRITICAL, **nodejs-alpine** TOTAL" in told
    assert "47 of 48" in told


def test_nothing_published_is_nothing_to_reproduce(blog) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    table = counting.reproduction(counts, frames.make("published", {}))
    assert "nothing to reproduce" in sentences.reproduction(table)


def test_what_totals_hide(blog) -> None:
    told = sentences.hidden(counting.totals_by_lens(blog.findings, blog.images), blog.images)
    assert "48 findings, **25 vulnerabilities**, of the findings **all** fixable" in told
    assert "19 findings, **16 vulnerabilities**, of the findings **none** fixable" in told
    assert "what is unfixed in **nodejs-alpine** cannot be seen here" in told


def test_alpines_blind_spot_is_told_only_where_there_is_an_alpine_image(frames_of) -> None:
    loaded = frames_of(clean=trivy(), lost=trivy(Results=[{"Target": "k", "Class": "secret"}]))
    table = counting.totals_by_lens(loaded.findings, loaded.images)
    lines = sentences.hidden(table, loaded.images).splitlines()
    assert lines[:2] == [
        "- **clean**: 0 findings, **0 vulnerabilities**",
        "- **lost**: not measured",
    ]
    assert "Alpine" not in lines[-1]


def test_how_much_is_high_or_critical(blog) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    assert sentences.breakdown(counts) == (
        "**nodejs-alpine** has 48 findings, 34 of them HIGH or CRITICAL; "
        "**nodejs-distroless** has 19 findings, 4 of them HIGH or CRITICAL."
    )


def test_headlines(blog, both) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    assert titles.breakdown(counts) == "Findings: nodejs-alpine 48, nodejs-distroless 19"
    fixable = counting.severity_counts(blog.findings, blog.images, Lens("vulnerabilities", True))
    assert titles.breakdown(fixable, Lens("vulnerabilities", True).label) == (
        "Fixable vulnerabilities: nodejs-alpine 25, nodejs-distroless 0"
    )
    by_day = counting.severity_counts(both.findings, both.images)
    assert titles.captures(by_day) == (
        "Findings, 2022-02 → 2026-11: nodejs-alpine 48 → 49, nodejs-distroless 19 → 107"
    )


def counted(frames_of, name: str, *lost: str, **unlike: dict) -> pd.DataFrame:
    """Counts of five images with 0 to 4 findings, of unlike ones, and of lost ones."""
    reports = {name.format(n): trivy(*(finding(i) for i in range(n))) for n in range(5)}
    loaded = frames_of(**reports, **unlike)
    images = loaded.images
    for one in lost:
        images = missing_image(images, one)
    return counting.severity_counts(loaded.findings, images)


def test_a_headline_names_all_images_that_fit_on_two_lines(frames_of) -> None:
    assert titles.breakdown(counted(frames_of, "image{}", "lost")) == (
        "Findings: image4 4, image3 3, image2 2, image1 1, image0 0, lost not measured"
    )


def test_of_more_images_it_names_the_largest_and_how_far_the_others_go(frames_of) -> None:
    name = "registry-example-com-image-{}"
    assert titles.breakdown(counted(frames_of, name)) == (
        "Findings: registry-example-com-image-4 4, the other 4 from 0 to 3"
    )
    alike = frames_of(**{name.format(n): trivy(finding(1)) for n in range(5)})
    assert titles.breakdown(counting.severity_counts(alike.findings, alike.images)) == (
        "Findings: registry-example-com-image-0 1, the other 4 at 1 each"
    )


def test_what_is_no_good_sign_is_in_no_range_but_named_or_counted(frames_of) -> None:
    name, odd = "registry-image-number-{}", trivy(Metadata={})
    assert titles.breakdown(counted(frames_of, name, "lost", scratch=odd)) == (
        "Findings: registry-image-number-4 4, 4 others from 0 to 3, "
        "scratch 0 (OS not looked at), lost not measured"
    )
    lost = [name.format(f"lost-{n}") for n in range(2)]
    assert titles.breakdown(counted(frames_of, name, *lost, scratch=odd)) == (
        "Findings: registry-image-number-4 4, 4 others from 0 to 3, 1 with OS not looked at, "
        "2 not measured"
    )


def test_totals_of_several_captures_are_marked_and_related_as_well(both, frames_of) -> None:
    marked = counting.severity_counts(
        both.findings,
        both.images.assign(status=["scanned", "missing", frames.NO_OS, frames.BROKEN]),
    )
    assert titles.captures(marked) == (
        "Findings, 2022-02 → 2026-11: nodejs-alpine 48 → 49 (OS not looked at), "
        "nodejs-distroless not measured → 107 (broken)"
    )
    now = counted(frames_of, "registry-example-com-image-{}", "lost").assign(capture="2026")
    then = now.assign(capture="2022")
    assert titles.captures(pd.concat([then, now])) == (
        "Findings, 2022 → 2026: registry-example-com-image-4 4 → 4, 4 others in the end from 0 to "
        "3, 1 not measured"
    )


def test_of_packages_the_longest_bar_of_each_is_named_with_its_image(frames_of) -> None:
    def of(package: str, times: int) -> list[dict]:
        return [finding(n, PkgName=package) for n in range(times)]

    loaded = frames_of(
        a=trivy(*of("zlib", 3), *of("tar", 2), *of("npm", 2)),
        b=trivy(*of("zlib", 2), *of("tar", 2)),
        c=trivy(*of("zlib", 1), *of("bash", 1)),
    )
    table = counting.by_package(loaded.findings, loaded.images, Lens())
    assert titles.packages(table, "findings") == (
        "Findings: most from zlib 3 in a, npm 2 in a, tar 2 in each of 2 images"
    )
    one = table[table["variant"].eq("a")]
    assert titles.packages(one, "findings") == "Findings: most from zlib 3, npm 2, tar 2"
    assert titles.packages(table.iloc[:0], "findings") == "Findings: most from nothing"


def test_of_many_sizes_the_smallest_is_named() -> None:
    images = load_study("rebuilt-2026").images
    table = sizes_of.differences(
        sizes_of.table(images, frames.make("published", {})), "unpacked", "node-24-debian"
    )
    assert titles.sizes(table, "unpacked") == (
        "Against node-24-debian (unpacked): node-8-distroless 255.8 MB smaller, "
        "the other 2 from 101.3 to 164.7 MB smaller"
    )


def test_a_difference_of_nothing_is_the_same_size() -> None:
    assert [titles.difference(apart) for apart in (0, -1_000_000, 1_000_000)] == [
        "the same size",
        "1.0 MB smaller",
        "1.0 MB larger",
    ]


def test_a_size_that_is_not_known_is_named_in_the_headline(frames_of) -> None:
    images = frames_of(
        a=trivy(), b=trivy(Metadata={"Size": 10}), c=trivy(Metadata={"Size": 10})
    ).images
    table = sizes_of.differences(sizes_of.table(images, frames.make("published", {})), "unpacked")
    assert titles.sizes(table, "unpacked") == ("Against b (unpacked): c the same size, a not known")


def test_the_answer_depends_on_the_day(both) -> None:
    told = sentences.learned(counting.across_captures(both.findings, both.images))
    assert told == (
        "**Which image has the fewest depends on how and when one counts.** Fewest:\n\n"
        "- 2022-02, every way of counting: **nodejs-distroless**\n"
        "- 2026-11, every way of counting: **nodejs-alpine**"
    )


def test_the_answer_depends_on_the_way_of_counting() -> None:
    f = load_study("matched-2026")
    view = Lens(known_by="2026-08-31")
    told = sentences.learned(counting.across_captures(f.findings, f.images, view))
    assert told.endswith(
        "- 2026-11, findings, vulnerabilities, vulnerabilities × source packages: "
        "**node-24-alpine**\n"
        "- 2026-11, fixable findings, fixable vulnerabilities, "
        "fixable vulnerabilities × source packages: **node-24-slim**"
    )


def test_one_winner_a_tie_and_a_single_image_are_told_apart(frames_of, blog) -> None:
    def learned(**reports) -> str:
        loaded = frames_of(**reports)
        return sentences.learned(counting.across_captures(loaded.findings, loaded.images))

    winner = learned(a=trivy(), b=trivy(finding(FixedVersion="2")))
    assert winner.startswith(
        "**a** has the fewest in every way that is counted here:\n\n- every way of counting: **a**"
    )
    assert learned(a=trivy(), b=trivy()).startswith(
        "As few in every way that is counted here: **a**, **b**."
    )
    nobody = "No capture measured two images, so none has fewer than another."
    assert learned(a=trivy()) == nobody
    assert learned(a=trivy(Metadata={}), b=trivy(finding())) == nobody


def test_a_capture_that_measured_one_image_has_no_winner(both) -> None:
    lost = both.images["variant"].eq("nodejs-distroless") & both.images["capture"].eq("2026-11")
    images = both.images.assign(status=both.images["status"].mask(lost, "missing"))
    told = sentences.learned(counting.across_captures(both.findings, images))
    assert told.startswith("**nodejs-distroless** has the fewest in every way that is counted")
    assert "2026-11" not in told


def test_images_to_be_read_with_care_are_named(frames_of) -> None:
    loaded = frames_of(scratch=trivy(Metadata={}), fine=trivy())
    told = sentences.images(missing_image(loaded.images, "lost"))
    assert told.startswith("2 of 3 images scanned for vulnerabilities.")
    assert "No report, so nothing is known: **lost**." in told
    assert "a low count is no good sign: **scratch**." in told


def test_an_unmeasured_image_is_never_called_zero(frames_of) -> None:
    loaded = frames_of(one=trivy(finding()))
    images = missing_image(loaded.images, "lost")
    counts = counting.severity_counts(loaded.findings, images)
    assert "; **lost**: not measured." in sentences.breakdown(counts)
    assert "lost not measured" in titles.breakdown(counts)


def test_a_count_without_a_known_os_is_marked_wherever_it_is_told(frames_of) -> None:
    loaded = frames_of(scratch=trivy(Metadata={}))
    counts = counting.severity_counts(loaded.findings, loaded.images)
    assert titles.breakdown(counts) == "Findings: scratch 0 (OS not looked at)"
    assert "0 findings (its system packages were not looked at)" in sentences.breakdown(counts)


def test_sizes(blog, frames_of) -> None:
    sizes = sizes_of.table(blog.images, load_published("blog-2022"))
    table = sizes_of.differences(sizes, "published", "nodejs-alpine")
    assert sentences.sizes(table, "published") == (
        "**nodejs-alpine** is 76.9 MB; **nodejs-distroless** is 118.0 MB, "
        "41.1 MB larger than **nodejs-alpine** (as published)."
    )
    assert titles.sizes(table, "published") == (
        "Against nodejs-alpine (as published): nodejs-distroless 41.1 MB larger"
    )
    none = sizes_of.table(frames_of(a=trivy()).images, frames.make("published", {}))
    assert "No size" in sentences.sizes(sizes_of.differences(none, "unpacked"), "unpacked")
    assert "Known here: none" in sentences.size_kinds(none)


def test_what_a_compared_size_is_worth(blog, frames_of) -> None:
    sizes = sizes_of.table(blog.images, load_published("blog-2022"))
    assert "as published, was not measured here; it comes from: blog post" in (
        sentences.size_reach(sizes, "published")
    )
    assert titles.size_origin(sizes, "published") == "sizes: blog post, output of docker images"
    measured = sizes_of.table(
        frames_of(a=trivy(Metadata={"Size": 9})).images, frames.make("published", {})
    )
    assert "rounded" in sentences.size_reach(sizes, "published")
    assert "unpacked, was measured here" in sentences.size_reach(measured, "unpacked")
    assert titles.size_origin(measured, "unpacked") == ""


def test_claims_are_counted_and_listed_with_their_verdicts(both) -> None:
    told = load_published("blog-2022"), frames.make("files", {})
    table = claims.claims(both, *told, ("nodejs-alpine", "nodejs-distroless"), "2022-02")
    assert sentences.claims(table) == (
        "Of 6 claims: 3 × *holds under this lens only*, 3 × *not measured here*."
    )
    assert (
        "- Distroless has fewer vulnerabilities than Alpine: **holds under this lens only** "
        "(fewer under every one of the lenses in 2022-02, under none of the lenses in 2026-11)"
    ) in sentences.verdicts(table)
    untested = claims.claims(both, *told, (None, "nodejs-distroless"), "2022-02")
    assert sentences.verdicts(untested).startswith("No claim of the post is tested: no variant")


def test_the_lens_is_said_with_the_reason_for_its_day() -> None:
    study = open_study("matched-2026")
    told = sentences.lens(Lens(known_by="2026-08-31"), study)
    assert "**findings, published by 2026-08-31**" in told
    assert "for Alpine 3.24 the facts reach to early September 2026" in told
    assert "What has no date is left out" in told
    other = sentences.lens(Lens(known_by="2026-08-01"), study)
    assert "for Alpine" not in other
    assert sentences.lens(Lens(), study).endswith("otherwise: **findings**.")


def test_what_was_learned_says_what_the_lens_leaves_out(both) -> None:
    view = Lens(known_by="2022-02-28", place="os")
    across = counting.across_captures(both.findings, both.images, view)
    told = sentences.learned(across, view)
    assert "Counted is only what is in OS packages, published by 2022-02-28." in told


def test_names_from_reports_are_escaped() -> None:
    table = pd.DataFrame({"variant": ["<b>*x*"], "status": "missing", "os_eol": False})
    assert "**&lt;b&gt;\\*x\\***" in sentences.images(table.assign(scanned_at=pd.NaT))


def test_a_study_says_what_it_is_and_what_it_cannot_show() -> None:
    study = open_study("blog-2022")
    assert "**reconstruction**" in sentences.about(study)
    assert "- **nodejs-alpine** (on `node:8-alpine`): node:8.17.0" in sentences.variants(study)
    told = sentences.not_shown(study)
    assert "files, layers and sizes" in told


def test_in_korean_the_numbers_are_the_same(blog) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    across = counting.across_captures(blog.findings, blog.images)
    known = sizes_of.table(blog.images, load_published("blog-2022"))
    with i18n.speaking("ko"):
        reproduction = sentences.reproduction(
            counting.reproduction(counts, load_published("blog-2022"))
        )
        breakdown = sentences.breakdown(counts)
        others = [
            sentences.images(blog.images),
            sentences.hidden(counting.totals_by_lens(blog.findings, blog.images), blog.images),
            sentences.learned(across),
            sentences.lens(Lens(), open_study("blog-2022")),
            sentences.size_kinds(known),
            sentences.size_reach(known, "published"),
        ]
    assert reproduction == (
        "게시된 수치 12개가 모두 그대로 재현됩니다"
        "(**nodejs-alpine** 게시 48/재현 48, **nodejs-distroless** 게시 19/재현 19)."
    )
    assert "48건(발견 항목), 그중 ‘높음’ 이상 34건" in breakdown
    for said in others:
        assert re.search("[가-힣]", said), said
        assert "{" not in said


def test_headlines_in_korean(blog) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    sizes = sizes_of.table(blog.images, load_published("blog-2022"))
    differences = sizes_of.differences(sizes, "published")
    with i18n.speaking("ko"):
        told = titles.breakdown(counts, Lens().short)
        size = titles.sizes(differences, "published")
    assert told == "발견 항목: nodejs-alpine 48, nodejs-distroless 19"
    assert size == "nodejs-alpine 대비(게시된 값): nodejs-distroless 41.1 MB 큼"
