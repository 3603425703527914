"""The blog's claims: a verdict each, from evidence, and honest where there is none."""

import pandas as pd
import pytest

from helpers.frames import Frames, make
from helpers.studies.load import load_published
from helpers.verdict import claims

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
NO_FILES = make("files", {})


def claims_of(
    frames: Frames, alpine: str | None = ALPINE, distroless: str | None = DISTROLESS
) -> pd.DataFrame:
    roles = alpine, distroless
    return claims.claims(frames, load_published("blog-2022"), NO_FILES, roles, "2022-02")


@pytest.fixture
def table(both) -> pd.DataFrame:
    return claims_of(both).set_index("claim")


def test_each_claim_of_the_post_has_a_verdict(table) -> None:
    assert table["verdict"].to_dict() == {
        "Distroless has fewer vulnerabilities than Alpine": claims.VARIES,
        "Alpine is the smaller image": claims.UNMEASURED,
        "Distroless has no shell and no package manager": claims.BY_PACKAGES,
        "Fewer executables and libraries mean fewer vulnerabilities": claims.UNMEASURED,
        "Alpine's C library is musl, which may bring compatibility problems": claims.BY_PACKAGES,
        "Distroless needs a multi-stage build: it cannot install the app's packages itself": (
            claims.UNMEASURED
        ),
    }
    assert table["evidence"].str.len().gt(10).all(), "or why there is none"


def test_what_has_no_fix_counts_only_where_it_is_seen_in_both(blog) -> None:
    """With a fix for all of distroless's and none of Alpine's, what else there is decides."""
    alpine = blog.findings["variant"].eq(ALPINE)
    findings = blog.findings.assign(
        fixed_version=blog.findings["fixed_version"].mask(alpine).where(alpine, "9")
    )
    row = claims_of(blog._replace(findings=findings)).iloc[0]
    assert row["measured"].endswith(": 0 of 3 in 2022-02")
    assert row["verdict"] == claims.FAILS
    seen = blog.images.assign(os_family="debian")
    row = claims_of(blog._replace(findings=findings, images=seen)).iloc[0]
    assert row["measured"].endswith(": 3 of 6 in 2022-02")
    assert row["verdict"] == claims.VARIES


def test_in_the_default_capture_alone_it_holds(blog) -> None:
    assert claims_of(blog)["verdict"].iloc[0] == claims.HOLDS
    assert claims_of(blog, DISTROLESS, ALPINE)["verdict"].iloc[0] == claims.FAILS


@pytest.mark.parametrize("status", ["no-os", "missing", "not-looked"])
def test_an_image_that_was_not_looked_at_wins_no_claim(blog, status: str) -> None:
    lost = blog.images["variant"].eq(DISTROLESS)
    images = blog.images.assign(status=blog.images["status"].mask(lost, status))
    row = claims_of(blog._replace(images=images)).iloc[0]
    assert (row["verdict"], row["lens"]) == (claims.UNMEASURED, "")


@pytest.mark.parametrize(("alpine", "verdict"), [(117, claims.HOLDS), (118, claims.FAILS)])
def test_a_measured_size_decides_the_claim_about_size(both, alpine: int, verdict: str) -> None:
    sizes = both.images["variant"].map({ALPINE: alpine, DISTROLESS: 118}) * 1_000_000
    row = claims_of(both._replace(images=both.images.assign(size_unpacked_bytes=sizes))).iloc[1]
    assert (row["verdict"], row["lens"]) == (verdict, "unpacked size")
    assert row["measured"] == f"{alpine}.0 MB against 118.0 MB"


@pytest.mark.parametrize(
    ("capture", "verdict"), [("2022-02", claims.FAILS), ("2026-11", claims.BY_PACKAGES)]
)
def test_a_package_that_brings_a_shell_refutes_the_claim_in_its_capture(
    both, capture: str, verdict: str
) -> None:
    shell = both.packages.iloc[[0]].assign(variant=DISTROLESS, package="bash", capture=capture)
    row = claims_of(both._replace(packages=pd.concat([both.packages, shell]))).iloc[2]
    assert row["verdict"] == verdict
    brought = "bash" if verdict == claims.FAILS else "none"
    assert row["measured"] == f"distroless: {brought}; Alpine: apk-tools, busybox"


@pytest.mark.parametrize(
    ("renamed", "verdict", "measured"),
    [
        ({}, claims.BY_PACKAGES, "Alpine: musl; distroless: libc6"),
        ({"libc6": "x"}, claims.BY_PACKAGES, "Alpine: musl; distroless: none"),
        ({"musl": "glibc"}, claims.FAILS, "Alpine: glibc; distroless: libc6"),
    ],
)
def test_alpines_libc_by_package(both, renamed, verdict: str, measured: str) -> None:
    packages = both.packages.assign(package=both.packages["package"].replace(renamed))
    row = claims_of(both._replace(packages=packages)).iloc[4]
    assert (row["verdict"], row["measured"]) == (verdict, measured)


def test_reports_without_packages_measure_no_shell_and_no_libc(both) -> None:
    images = both.images.assign(packages=pd.array([None] * 4, dtype="Int64"))
    table = claims_of(both._replace(images=images))
    assert table["verdict"].iloc[[2, 4]].tolist() == [claims.UNMEASURED] * 2


def test_a_study_without_the_roles_measures_no_claim(both) -> None:
    table = claims_of(both, distroless=None)
    assert table["verdict"].unique().tolist() == [claims.UNMEASURED]
    assert table["evidence"].iloc[0] == "no variant of this study has the role distroless"
    text = claims.verdicts_answer(table).text.plain
    assert text == (
        "No claim of the post is tested: no variant of this study has the role distroless."
    )
