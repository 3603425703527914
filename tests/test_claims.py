"""The blog's claims: a verdict each, from evidence, and honest where there is none."""

import pandas as pd
import pytest

from helpers import claims
from helpers.load import load_published

ROLES = ("nodejs-alpine", "nodejs-distroless")


@pytest.fixture
def table(both) -> pd.DataFrame:
    return claims.claims(both, load_published("blog-2022"), *ROLES).set_index("claim")


def test_each_claim_of_the_post_has_a_verdict(table) -> None:
    assert table["verdict"].to_dict() == {
        "Distroless has fewer vulnerabilities than Alpine": claims.PARTLY,
        "Alpine is the smaller image": claims.UNMEASURED,
        "Distroless has no shell and no package manager": claims.PARTLY,
        "Fewer executables and libraries mean fewer vulnerabilities": claims.UNMEASURED,
        "Alpine's C library is musl, which may bring compatibility problems": claims.PARTLY,
        "Distroless needs a multi-stage build: it cannot install npm packages itself": (
            claims.UNMEASURED
        ),
    }


def test_every_verdict_names_its_evidence_or_why_there_is_none(table) -> None:
    assert table["evidence"].str.len().gt(10).all()


def test_fewer_vulnerabilities_holds_in_2022_and_not_in_2026(table) -> None:
    row = table.loc["Distroless has fewer vulnerabilities than Alpine"]
    assert row["published"] == "19 against 48 findings"
    assert row["measured"] == "4 of 8 counts are lower on distroless"
    fewer, _, not_fewer = row["lens"].partition("; not fewer: ")
    assert "findings 2022-02: 19 against 48" in fewer
    assert "fixable findings 2022-02: 0 against 48" in fewer
    assert "findings 2026-11: 107 against 49" in not_fewer


def test_in_the_default_capture_alone_it_holds(blog) -> None:
    table = claims.claims(blog, load_published("blog-2022"), *ROLES).set_index("claim")
    assert table["verdict"].iloc[0] == claims.HOLDS
    swapped = claims.claims(blog, load_published("blog-2022"), *reversed(ROLES))
    assert swapped["verdict"].iloc[0] == claims.FAILS


def test_a_measured_size_decides_the_claim_about_size(both) -> None:
    sized = both.images.assign(
        size_unpacked_bytes=both.images["variant"]
        .map({ROLES[0]: 76, ROLES[1]: 118})
        .astype("Int64")
    )
    table = claims.claims(both._replace(images=sized), load_published("blog-2022"), *ROLES)
    assert table["verdict"].iloc[1] == claims.HOLDS
    assert table["lens"].iloc[1] == "unpacked size"


def test_a_package_that_brings_a_shell_refutes_the_claim(both) -> None:
    shell = both.packages.iloc[[0]].assign(variant=ROLES[1], package="bash")
    packages = pd.concat([both.packages, shell])
    table = claims.claims(both._replace(packages=packages), load_published("blog-2022"), *ROLES)
    row = table.iloc[2]
    assert row["verdict"] == claims.FAILS
    assert "distroless: bash" in row["measured"]


def test_reports_without_packages_measure_no_shell_and_no_libc(both) -> None:
    images = both.images.assign(packages=pd.array([None] * 4, dtype="Int64"))
    table = claims.claims(both._replace(images=images), load_published("blog-2022"), *ROLES)
    assert table["verdict"].iloc[[2, 4]].tolist() == [claims.UNMEASURED] * 2


def test_a_study_without_the_roles_measures_no_claim(both) -> None:
    table = claims.claims(both, load_published("blog-2022"), "nodejs-alpine", None)
    assert table["verdict"].unique().tolist() == [claims.UNMEASURED]
    assert table["evidence"].iloc[0] == "no variant of this study has the role distroless"
