"""The blog's claims: a verdict each, from evidence, and honest where there is none."""

import re

import pandas as pd
import pytest

from helpers.frames import Frames, make
from helpers.studies.load import load_files, load_published, load_study
from helpers.text import i18n
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


def test_fewer_vulnerabilities_holds_in_2022_and_not_in_2026(table) -> None:
    row = table.loc["Distroless has fewer vulnerabilities than Alpine"]
    assert row["published"] == "19 against 48 findings"
    assert row["measured"] == (
        "fewer by these counts that are fair to both: 3 of 3 in 2022-02, 0 of 3 in 2026-11"
    )
    assert row["lens"] == (
        "2022-02: findings 19 against 48, vulnerabilities 16 against 25, "
        "vulnerabilities × source packages 16 against 25, "
        "fixable findings 0 against 48, fixable vulnerabilities 0 against 25, "
        "fixable vulnerabilities × source packages 0 against 25; "
        "2026-11: findings 107 against 49, vulnerabilities 66 against 26, "
        "vulnerabilities × source packages 66 against 26, "
        "fixable findings 96 against 49, fixable vulnerabilities 57 against 26, "
        "fixable vulnerabilities × source packages 57 against 26"
    )


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


@pytest.mark.parametrize(("alpine", "verdict"), [(76, claims.HOLDS), (119, claims.FAILS)])
def test_a_measured_size_decides_the_claim_about_size(both, alpine: int, verdict: str) -> None:
    sizes = both.images["variant"].map({ALPINE: alpine, DISTROLESS: 118}) * 1_000_000
    row = claims_of(both._replace(images=both.images.assign(size_unpacked_bytes=sizes))).iloc[1]
    assert (row["verdict"], row["lens"]) == (verdict, "unpacked size")
    assert row["measured"] == f"{alpine}.0 MB against 118.0 MB"


def test_an_unknown_size_says_why_as_far_as_it_is_known(both, table) -> None:
    assert table["evidence"].iloc[1] == (
        "an SBOM lists packages, not bytes; only the published sizes are known"
    )
    frames = both._replace(images=both.images.assign(source="image"))
    nothing = load_published("blog-2022").iloc[:0]
    other = claims.claims(frames, nothing, NO_FILES, (ALPINE, DISTROLESS), "2022-02")
    assert other["evidence"].iloc[1] == "no size of both images was measured"


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


def test_with_files_and_started_images_every_claim_is_measured() -> None:
    frames, files = load_study("rebuilt-2026"), load_files("rebuilt-2026")
    roles, capture = ("node-24-alpine", "node-24-distroless"), frames.images["capture"].iloc[0]
    table = claims.claims(frames, load_published("rebuilt-2026"), files, roles, capture)
    assert table["verdict"].tolist() == [
        *(claims.FAILS, claims.FAILS, claims.HOLDS, claims.FAILS, claims.IN_PART, claims.HOLDS),
    ]
    _, _, shell, executables, musl, npm = table["measured"]
    assert shell == (
        "distroless: none; Alpine: apk, ash, busybox, sh; "
        "shell that could be started: none against /bin/sh"
    )
    assert re.fullmatch(
        r"executables 1 against 8, libraries \d+ against 12 \(distroless against Alpine\)",
        executables,
    )
    assert "findings 14 against 7" in table["lens"].iloc[3]
    assert musl == (
        "Alpine 8 × musl, 0 × glibc; distroless 0 × musl, 1 × glibc; "
        "0 files of Alpine ask for something that is not there"
    )
    assert npm == (
        "installers of an app's packages: distroless none; Alpine npm, npx; "
        "a RUN in shell form needs a shell, and none starts in distroless"
    )


def test_counts_are_as_known_by_a_day_if_one_is_named() -> None:
    frames = load_study("matched-2026")
    roles = "node-24-alpine", "node-24-distroless"
    published = load_published("matched-2026")
    row = claims.claims(frames, published, NO_FILES, roles, "2026-11", "2026-08-31").iloc[0]
    assert row["lens"].startswith("2026-11, published by 2026-08-31: findings 24 against 18")
    assert row["measured"].endswith(": 1 of 3 in 2026-11")


def test_in_korean_cells_stay_english_and_the_text_is_translated(both) -> None:
    english = claims_of(both)
    with i18n.speaking("ko"):
        table = claims_of(both)
        assert table.equals(english)
        text = claims.verdicts_answer(table).text.plain
        evidence = [i18n.told(cell) for cell in table["evidence"]]
    assert "distroless는 Alpine보다 취약점이 적다: 일부 집계 방식에서만 맞음 (" in text
    assert all(re.search("[가-힣]", cell) for cell in evidence)
