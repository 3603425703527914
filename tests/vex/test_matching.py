"""Statements about findings: those about another image, or of a later day, take nothing out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.images.metadata import Image
from helpers.scans.trivy_schema import (
    Identifier,
    Metadata,
    OperatingSystem,
    Package,
    Report,
    Result,
    Suppressed,
    Vulnerability,
)
from helpers.studies import rows
from helpers.studies.rows import Evidence
from helpers.vex import matching
from helpers.vex.evidence import NONE, Vex
from helpers.vex.matching import (
    ANOTHER,
    EFFECTS,
    LATER,
    NO_EFFECT,
    NO_MATCH,
    USED,
    ImageName,
)
from helpers.vex.statement import Document, Product, Statement
from helpers.vulnerabilities import lenses
from tests.conftest import trivy

TAR = "pkg:deb/debian/tar@1.35?arch=amd64"
DAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


def statement(
    *products: Product,
    status: Any = "not_affected",
    at: Any = datetime(2026, 1, 1, tzinfo=UTC),
    **fields: Any,
) -> Statement:
    """A statement about CVE-1, in any `tar` of Debian's if it names no product."""
    products = products or (Product("pkg:deb/debian/tar"),)
    usual = {"document": "a.json", "ids": ("CVE-1",), "reason": "component_not_present"}
    return Statement(**usual | fields, status=status, said_at=at, products=products)


def image(**fields: Any) -> Image:
    """An image's metadata of which only names matter."""
    empty: dict[str, Any] = dict.fromkeys(("os", "architecture", "user", "working_directory"), "")
    lists = (
        "entrypoint",
        "command",
        "ports",
        "environment",
        "labels",
        "layers",
        "names",
        "digests",
    )
    usual = {**empty, **{name: [] for name in lists}, "created_at": None}
    return Image(**usual | {"image_id": "", "base": "", "compressed_by": ""} | fields)


def report(*suppressed: tuple[str, str], standing: int = 0, source: str = "a.json") -> Report:
    """A report of findings of CVE-1: suppressed ones by status and package, and others."""
    named = [
        Suppressed(
            "vulnerability",
            status,
            "",
            source,
            vulnerability=Vulnerability("CVE-1", "tar", pkg_identifier=Identifier(package)),
        )
        for status, package in suppressed
    ]
    stand = [
        Vulnerability("CVE-1", "tar", pkg_identifier=Identifier(f"{TAR}&n={number}"))
        for number in range(standing)
    ]
    installed = [Package("tar", Identifier(TAR))]
    result = Result("x", "os-pkgs", "debian", installed, stand, named)
    system = Metadata(os=OperatingSystem("debian", "13"))
    return Report(2, None, DAY, metadata=system, results=[result])


def vex(*said: Statement, subject: str = "") -> Vex:
    names = dict.fromkeys(each.document for each in said)
    documents = [Document(name, "OpenVEX", "A", None, "0", len(said)) for name in names]
    return Vex(tuple(documents), said, subject)


def loaded(known: Vex, found: Report, **fields: Any) -> pd.DataFrame:
    """The findings of a report, with the evidence of VEX beside it."""
    collected = rows.Rows()
    collected.add(Evidence("app", vex=known, **fields), found)
    return collected.frames().findings


def effect(*said: Statement, found: Report | None = None, **fields: Any) -> list[tuple[str, str]]:
    """The statuses and effects of statements on one suppressed finding, or on those of a report."""
    found = found or report(("not_affected", TAR))
    item = Evidence("app", vex=vex(*said), **fields)
    collected = rows.Rows()
    collected.add(item, found)
    return [(row["status"], row["effect"]) for row in collected.effects(item, found)]


def is_used(*said: Statement, **fields: Any) -> bool:
    """Whether one suppressed finding is one, by the statements that there are."""
    subject = fields.pop("subject", "")
    findings = loaded(vex(*said, subject=subject), report(("not_affected", TAR)), **fields)
    (row,) = findings.to_dict("records")
    assert row["suppressed"] == pd.isna(row["statement_unused"])
    assert len(lenses.standing(findings)) == (not row["suppressed"])
    return bool(row["suppressed"])


def test_a_finding_has_what_is_said_of_it_and_by_whom() -> None:
    (row,) = loaded(vex(statement()), report(("not_affected", TAR))).to_dict("records")
    assert (row["vulnerability_id"], row["package"], row["suppressed"]) == ("CVE-1", "tar", True)
    assert row["statement_status"] == "not_affected"
    assert row["statement_reason"] == "component_not_present"
    assert row["statement_by"] == "A (a.json)"
    assert row["statement_at"] == pd.Timestamp("2026-01-01", tz="UTC")
    assert row["statement_product"] == "pkg:deb/debian/tar"
    assert pd.isna(row["statement_unused"])


def test_what_cannot_be_traced_is_taken_at_the_scanners_word(frames_of) -> None:
    ours = vex(statement(), statement(Product("pkg:deb/debian/bash"), document="b.json"))
    for known, source, by in (
        (NONE, ".trivyignore", ".trivyignore"),
        (ours, "repo", "repo"),
        (ours, "b.json", "A (b.json)"),
    ):
        found = report(("not_affected", TAR), source=source)
        (row,) = loaded(known, found).to_dict("records")
        assert (row["suppressed"], row["statement_by"]) == (True, by)
        assert pd.isna(row["statement_at"])
    theirs = trivy()
    theirs["Results"][0]["ExperimentalModifiedFindings"] = [
        {"Type": "vulnerability", "Finding": {"VulnerabilityID": "CVE-1"}}
    ]
    (row,) = frames_of(app=theirs).findings.to_dict("records")
    assert (row["suppressed"], row["statement_status"]) == (True, "ignored")
    assert pd.isna(row["statement_by"])


HELM = Product(
    "pkg:oci/helm?repository_url=index.docker.io%2Francher%2Fhelm", ("pkg:deb/debian/tar",)
)
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("product", "is_here"),
    [
        ("pkg:oci/node", True),
        ("pkg:oci/node?repository_url=index.docker.io/library/node", True),
        ("pkg:oci/node?repository_url=https://docker.io/library", True),
        ("pkg:oci/node?tag=24", True),
        ("pkg:oci/node?tag=22", False),
        ("pkg:oci/node?repository_url=ghcr.io/team/node", False),
        ("pkg:oci/dhi%2Fnode", False),
        (f"pkg:oci/node@{DIGEST}", True),
        (f"pkg:oci/elsewhere@{DIGEST.replace(':', '%3A')}?repository_url=ghcr.io/elsewhere", True),
        (f"pkg:oci/node@sha256:{'b' * 64}", False),
        ("pkg:docker/node", True),
        ("pkg:docker/dhi/node", False),
        ("pkg:docker/library/node?repository_url=ghcr.io", False),
        ("pkg:oci/No%20Image?repository_url=%00", False),
    ],
)
def test_an_image_is_told_by_its_repository_tag_or_digest(product: str, is_here: bool) -> None:
    names = matching.own_names("image", "node:24", image(digests=[f"node@{DIGEST}"]), "")
    assert matching.is_about(product, names) == is_here
    # A bare package beside it is that image's.
    both = statement(Product("pkg:deb/debian/tar"), Product(product))
    assert (
        is_used(both, source="image", reference="node:24", image=image(digests=[f"node@{DIGEST}"]))
        == is_here
    )


def test_without_a_registry_only_docker_hub_is_meant_unless_the_digest_is_the_same() -> None:
    named = [f"evil.example/node@{DIGEST}"]
    for product, is_here in (("pkg:oci/node", False), (f"pkg:oci/node@{DIGEST}", True)):
        names = matching.own_names("image", "evil.example/node:24", image(digests=named), "")
        assert matching.is_about(product, names) == is_here


def test_dockers_hardened_images_have_the_names_of_dockers_documents() -> None:
    said = statement(Product("pkg:deb/debian/tar"), Product("pkg:oci/dhi%2Fnode"))
    assert is_used(said, source="image", reference="dhi.io/node:24")
    assert not is_used(said, source="image", reference="dhi.io/python:3.13")
    assert not is_used(said, source="image", reference="example.io/node:24")
    based = matching.base_names(image(base="dhi.io/node:24"))
    assert matching.is_about("pkg:docker/dhi/node", based)


def test_a_file_that_is_captured_is_no_name_of_an_image() -> None:
    said = statement(Product("pkg:deb/debian/tar"), Product("pkg:oci/node.json"))
    assert not is_used(said, source="sbom", reference="node.json")
    assert is_used(said, source="sbom", reference="x", subject="node.json")
    assert is_used(said, source="archive", reference="x", image=image(names=["node.json:1"]))


@pytest.mark.parametrize(
    ("subject", "product"),
    [
        ("node:24-slim", "pkg:docker/node@24-slim"),
        (
            f"pkg:oci/node@{DIGEST}?repository_url=index.docker.io/library/node",
            f"pkg:oci/x@{DIGEST}",
        ),
        (
            "pkg:oci/node@sha256%3Aab?repository_url=ghcr.io/a/node",
            "pkg:oci/node?repository_url=ghcr.io/a/node",
        ),
        ("pkg:oci/node@sha256%3Aab", "pkg:oci/node"),
    ],
)
def test_an_sbom_says_what_it_is_of(subject: str, product: str) -> None:
    said = statement(Product("pkg:deb/debian/tar"), Product(product))
    assert is_used(said, source="sbom", subject=subject)
    assert not is_used(said, source="sbom", subject="other:1")


def test_what_a_vendor_says_of_its_base_is_about_the_packages_of_that() -> None:
    said = statement(Product("pkg:deb/debian/tar"), Product("pkg:docker/dhi/node"))
    names = matching.base_names(image(base="dhi/node:24"))
    assert ImageName("docker.io", "dhi/node", "24") in names
    scope = matching.Scope(vex(said), (), names)
    finding = report(("not_affected", TAR)).results[0].suppressed[0]  # type: ignore[index]
    for from_base, wanted in ((True, USED), (False, ANOTHER)):
        found = matching.Found(("CVE-1",), TAR, from_base)
        assert scope.said(finding, found).effect == wanted


def test_a_statement_about_another_artifact_is_not_used_unless_that_is_installed() -> None:
    confd = Product("pkg:golang/github.com/rancher/confd", ("pkg:deb/debian/tar",))
    assert not is_used(statement(confd))
    assert is_used(statement(Product("pkg:deb/debian/tar", ("pkg:deb/debian/other",))))
    assert is_used(statement(Product("pkg:deb/debian/tar@1.35", ("pkg:deb/debian/tar",))))


@pytest.mark.parametrize(
    ("said_at", "used"),
    [
        ("2026-11-24T00:00:00Z", True),
        ("2026-11-24T23:59:59Z", True),
        ("2026-11-25T00:00:00Z", False),
        (None, True),
    ],
)
def test_a_statement_counts_from_the_day_on_which_it_was_made(
    said_at: str | None, used: bool
) -> None:
    at = datetime.fromisoformat(said_at) if said_at else None
    assert is_used(statement(at=at)) == used


def test_a_scan_that_looks_back_has_the_day_of_its_database() -> None:
    then = DAY - timedelta(days=100)
    said = statement(at=then + timedelta(days=1))
    assert is_used(said)
    assert not is_used(said, db_updated_at=then)


def test_why_a_statement_is_not_used_is_in_its_row_and_the_finding_counts() -> None:
    for said, product in (
        (statement(Product("pkg:deb/debian/tar"), HELM), HELM.id),
        (statement(at=DAY + timedelta(days=1)), "pkg:deb/debian/tar"),
    ):
        (row,) = loaded(vex(said), report(("not_affected", TAR))).to_dict("records")
        assert row["suppressed"] is False
        assert row["statement_product"] == product
        assert (product if said.products[-1] is HELM else "2026-11-25") in row["statement_unused"]
        assert row["statement_by"] == "A (a.json)"


def test_another_statement_stands_in_for_one_that_may_not_count() -> None:
    later = statement(at=DAY + timedelta(days=9), reason="later")
    earlier = statement(at=DAY - timedelta(days=9), reason="earlier")
    other = statement(document="b.json", reason="other")
    assert is_used(later, earlier)
    (row,) = loaded(vex(later, earlier, other), report(("not_affected", TAR))).to_dict("records")
    assert (row["statement_reason"], row["statement_by"]) == ("earlier", "A (a.json)")
    (row,) = loaded(vex(later, other), report(("not_affected", TAR))).to_dict("records")
    assert (row["statement_reason"], row["statement_by"]) == ("other", "A (b.json)")
    # One without a day is the first of all.
    (row,) = loaded(vex(statement(at=None), earlier), report(("not_affected", TAR))).to_dict(
        "records"
    )
    assert row["statement_reason"] == "earlier"
    # But none that another of its day or before stands against.
    affected = statement(status="affected", at=DAY - timedelta(days=1))
    assert not is_used(later, earlier, affected)


def test_each_statement_about_an_id_that_was_found_has_an_effect() -> None:
    tar, old = Product("pkg:deb/debian/tar"), datetime(2020, 1, 1, tzinfo=UTC)
    others = (
        (statement(tar, HELM), ANOTHER),
        (statement(at=DAY + timedelta(days=1)), LATER),
        (statement(Product("pkg:deb/debian/bash")), NO_MATCH),
        (statement(Product("pkg:oci/x", ("pkg:deb/debian/bash",))), NO_MATCH),
        (statement(Product("")), NO_MATCH),
        (statement(at=old), NO_EFFECT),
        (statement(status="affected", at=old), NO_EFFECT),
        (statement(status="under_investigation", at=old), NO_EFFECT),
    )
    given_ = [each for each, _ in others]
    assert effect(statement(at=DAY), *given_) == [
        ("not_affected", USED),
        *((each.status, wanted) for each, wanted in others),
    ]
    # What stands is found as well, and of what is not found nothing is told.
    standing = report(standing=1)
    assert effect(statement(), found=standing) == [("not_affected", NO_EFFECT)]
    assert effect(statement(ids=("CVE-2",))) == []
    assert effect(statement(ids=("GHSA-1", "CVE-1"))) == [("not_affected", USED)]


TIMES = st.sampled_from([None, *(DAY + timedelta(days=days) for days in (-9, -1, 1, 9))])
PRODUCTS = st.lists(
    st.sampled_from(
        [
            Product("pkg:deb/debian/tar"),
            Product(TAR),
            Product("pkg:deb/debian/bash"),
            Product("pkg:oci/node", ("pkg:deb/debian/tar",)),
            HELM,
            Product("=cmd|'/c calc'!A1<script>"),
        ]
    ),
    max_size=3,
)
STATEMENTS = st.builds(
    lambda products, status, at, document: (
        statement(status=status, at=at, document=document)
        if not products
        else statement(*products, status=status, at=at, document=document)
    ),
    PRODUCTS,
    st.sampled_from(["not_affected", "fixed", "affected", "under_investigation"]),
    TIMES,
    st.sampled_from(["a.json", "b.json"]),
)


@given(
    st.lists(STATEMENTS, max_size=6),
    st.lists(st.sampled_from(["not_affected", "fixed", "ignored"]), max_size=4),
    st.integers(0, 3),
    st.sampled_from(["a.json", "b.json", ".trivyignore"]),
)
def test_no_row_is_lost_whatever_is_said(
    said: list[Statement], statuses: list[str], standing: int, source: str
) -> None:
    found = report(*((status, TAR) for status in statuses), standing=standing, source=source)
    item = Evidence("app", source="image", reference="node:24", vex=vex(*said))
    collected = rows.Rows()
    collected.add(item, found)
    findings = collected.frames().findings
    counted, suppressed = lenses.standing(findings), findings[findings["suppressed"]]
    assert len(counted) + len(suppressed) == len(findings) == len(statuses) + standing
    unused = findings["statement_unused"].notna()
    assert unused.sum() + len(suppressed) == len(statuses)
    assert not (unused & findings["suppressed"]).any()
    assert {row["effect"] for row in collected.effects(item, found)} <= {*EFFECTS}
