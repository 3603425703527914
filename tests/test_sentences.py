"""Sentences: every number in them is computed; absent evidence is said, not counted."""

import pandas as pd

from helpers import compare, frames, sentences
from helpers.load import load_published
from helpers.study import open_study
from tests.conftest import finding, missing_image, trivy


def test_a_complete_reproduction_says_so(blog) -> None:
    counts = compare.severity_counts(blog.findings, blog.images)
    table = compare.reproduction(counts, load_published("blog-2022"))
    assert sentences.reproduction(table) == (
        "All 12 published numbers come out to the digit "
        "(**nodejs-alpine** 48 of 48, **nodejs-distroless** 19 of 19)."
    )


def test_an_incomplete_one_names_what_differs(blog) -> None:
    counts = compare.severity_counts(blog.findings.iloc[1:], blog.images)
    told = sentences.reproduction(compare.reproduction(counts, load_published("blog-2022")))
    assert told.startswith("10 of 12 published numbers come out")
    assert "**nodejs-alpine** CRITICAL, **nodejs-alpine** TOTAL" in told
    assert "47 of 48" in told


def test_nothing_published_is_nothing_to_reproduce(blog) -> None:
    counts = compare.severity_counts(blog.findings, blog.images)
    table = compare.reproduction(counts, frames.make("published", {}))
    assert "nothing to reproduce" in sentences.reproduction(table)


def test_what_totals_hide(blog) -> None:
    told = sentences.hidden(compare.totals_by_lens(blog.findings, blog.images))
    assert "48 findings, **25 vulnerabilities**, of the findings **all** fixable" in told
    assert "19 findings, **16 vulnerabilities**, of the findings **none** fixable" in told


def test_headlines(blog, both) -> None:
    counts = compare.severity_counts(blog.findings, blog.images)
    assert sentences.breakdown_title(counts) == "Findings: nodejs-alpine 48, nodejs-distroless 19"
    fixable = compare.severity_counts(blog.findings, blog.images, "vulnerabilities", True)
    assert sentences.breakdown_title(fixable, sentences.counted("vulnerabilities", True)) == (
        "Fixable vulnerabilities: nodejs-alpine 25, nodejs-distroless 0"
    )
    by_day = compare.severity_counts(both.findings, both.images)
    assert sentences.captures_title(by_day) == (
        "Findings, 2022-02 → 2026-11: nodejs-alpine 48 → 49, nodejs-distroless 19 → 107"
    )


def test_a_headline_of_many_images_names_the_most_and_the_fewest(frames_of) -> None:
    reports = {f"image{n}": trivy(*(finding(i) for i in range(n))) for n in range(5)}
    loaded = frames_of(**reports)
    counts = compare.severity_counts(loaded.findings, missing_image(loaded.images, "lost"))
    told = sentences.breakdown_title(counts)
    assert told == "Findings: image4 4, …, image0 0, lost not measured"


def test_the_answer_depends_on_the_day(blog, both) -> None:
    by_lens = compare.totals_by_lens(blog.findings, blog.images)
    across = compare.across_captures(both.findings, both.images)
    told = sentences.learned(by_lens, across)
    assert "the answer depends on how and when one counts" in told
    assert "- findings, 2022-02: fewest on **nodejs-distroless**" in told
    assert "- findings, 2026-11: fewest on **nodejs-alpine**" in told


def test_a_study_of_one_capture_says_that_it_has_one(blog) -> None:
    across = compare.across_captures(blog.findings, blog.images)
    told = sentences.captures(across, compare.moved(blog.findings, blog.images))
    assert "one capture" in told


def test_images_to_be_read_with_care_are_named(frames_of) -> None:
    loaded = frames_of(scratch=trivy(Metadata={}), fine=trivy())
    told = sentences.images(missing_image(loaded.images, "lost"))
    assert told.startswith("2 of 3 images scanned.")
    assert "nothing is known: **lost**" in told
    assert "No operating system was recognised in **scratch**" in told


def test_an_unmeasured_image_is_never_called_zero(frames_of) -> None:
    loaded = frames_of(one=trivy(finding()))
    images = missing_image(loaded.images, "lost")
    counts = compare.severity_counts(loaded.findings, images)
    assert "**lost** has not measured findings" in sentences.breakdown(counts)
    assert "lost not measured" in sentences.breakdown_title(counts)


def test_sizes(blog, frames_of) -> None:
    sizes = compare.sizes(blog.images, load_published("blog-2022"))
    table = compare.size_differences(sizes, "published", "nodejs-alpine")
    assert sentences.sizes(table, "published") == (
        "**nodejs-alpine** is 76.9 MB; **nodejs-distroless** is 118.0 MB, "
        "41.1 MB larger than **nodejs-alpine** (as published)."
    )
    assert sentences.size_title(table, "published") == (
        "Size against nodejs-alpine, as published: nodejs-distroless 41.1 MB larger"
    )
    none = compare.sizes(frames_of(a=trivy()).images, frames.make("published", {}))
    assert "No size" in sentences.sizes(compare.size_differences(none, "unpacked"), "unpacked")
    assert "Known here: none" in sentences.size_kinds(none)


def test_names_from_reports_are_escaped() -> None:
    table = pd.DataFrame({"variant": ["<b>*x*"], "status": "missing", "os_eol": False})
    assert "**&lt;b&gt;\\*x\\***" in sentences.images(table.assign(scanned_at=pd.NaT))


def test_a_study_says_what_it_is_and_what_it_cannot_show() -> None:
    study = open_study("blog-2022")
    assert "reconstruction" in sentences.about(study)
    told = sentences.not_shown(study)
    assert "files, layers and sizes" in told
