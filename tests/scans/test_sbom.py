"""SBOMs of three formats are read as the package lists that they are."""

import json
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import ReportInvalid
from helpers.scans import reports
from helpers.scans.trivy_schema import Report
from helpers.studies.rows import Evidence, Rows
from tests.conftest import Write
from tests.fuzz.mutations import of_json

ID, DIGEST = "sha256:" + "1" * 64, "sha256:" + "2" * 64
LAYER = "sha256:" + "3" * 64
MUSL = "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64"
CORE = "pkg:npm/%40babel/core@7.1.0"

CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "metadata": {
        "timestamp": "2026-01-02T03:04:05Z",
        "tools": {"components": [{"type": "application", "name": "trivy", "version": "0.76.0"}]},
        "component": {
            "type": "container",
            "name": "shop:1",
            "properties": [
                {"name": "aquasecurity:trivy:ImageID", "value": ID},
                {"name": "aquasecurity:trivy:DiffID", "value": LAYER},
                {"name": "aquasecurity:trivy:RepoDigest", "value": f"shop@{DIGEST}"},
            ],
        },
    },
    "components": [
        {"type": "operating-system", "name": "alpine", "version": "3.19.1"},
        {
            "type": "application",
            "name": "app/package-lock.json",
            "components": [
                {
                    "type": "library",
                    "group": "@babel",
                    "name": "core",
                    "version": "7.1.0",
                    "purl": CORE,
                }
            ],
        },
        {"type": "library", "name": "musl", "version": "1.2.4-r2", "purl": MUSL},
        {"type": "file", "name": "/etc/passwd"},
    ],
}


def _spdx(name: str, version: str, url: str) -> dict[str, Any]:
    references = [
        {"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x"},
        {"referenceType": "purl", "referenceLocator": url},
    ]
    return {
        "SPDXID": f"SPDXRef-{name}",
        "name": name,
        "versionInfo": version,
        "externalRefs": references,
    }


SPDX: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "shop",
    "creationInfo": {
        "created": "2026-01-02T03:04:05Z",
        "creators": ["Organization: aquasecurity", "Tool: trivy-0.76.0"],
    },
    "packages": [
        {
            "SPDXID": "SPDXRef-Image",
            "name": "shop",
            "versionInfo": "1",
            "primaryPackagePurpose": "CONTAINER",
            "annotations": [
                {"comment": f"ImageID: {ID}"},
                {"comment": f"DiffID: {LAYER}"},
                {"comment": f"RepoDigest: shop@{DIGEST}"},
            ],
        },
        {"SPDXID": "SPDXRef-S", "name": "alpine", "versionInfo": "3.19.1",
         "primaryPackagePurpose": "OPERATING-SYSTEM"},
        {"SPDXID": "SPDXRef-F", "name": "package-lock.json",
         "primaryPackagePurpose": "APPLICATION"},
        _spdx("@babel/core", "7.1.0", CORE),
        _spdx("musl", "1.2.4-r2", MUSL),
    ],
    "relationships": [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
         "relatedSpdxElement": "SPDXRef-Image"},
    ],
}  # fmt: skip

SYFT: dict[str, Any] = {
    "descriptor": {"name": "syft", "version": "1.50.0"},
    "distro": {"id": "alpine", "versionID": "3.19.1"},
    "source": {
        "type": "image",
        "metadata": {"userInput": "shop:1", "imageID": ID, "repoDigests": [f"shop@{DIGEST}"]},
    },
    "artifacts": [
        {"name": "@babel/core", "version": "7.1.0", "type": "npm", "purl": CORE,
         "locations": [{"path": "/app/package.json", "layerID": LAYER}]},
        {"name": "musl", "version": "1.2.4-r2", "type": "apk", "purl": MUSL},
    ],
}  # fmt: skip

FORMATS = {"cyclonedx": CYCLONEDX, "spdx": SPDX, "syft": SYFT}


def read(path: Path) -> Report:
    return reports.decoded(reports.text(path), path, lists=True)


def listed(report: Report) -> set[tuple[Any, ...]]:
    return {
        (
            each.name,
            each.version,
            each.identifier and each.identifier.purl,
            result.result_class,
            result.type,
        )
        for result in report.results or []
        for each in result.packages or []
    }


@pytest.mark.parametrize("document", FORMATS.values(), ids=FORMATS)
def test_each_format_has_the_same_packages_and_the_same_image(
    document: dict[str, Any], write: Write
) -> None:
    report = read(write(document))
    assert listed(report) == {
        ("@babel/core", "7.1.0", CORE, "lang-pkgs", "node-pkg"),
        ("musl", "1.2.4-r2", MUSL, "os-pkgs", "alpine"),
    }
    assert report.metadata
    assert report.metadata.os
    assert (report.artifact_name, report.image_id) == ("shop:1", ID)
    assert report.metadata.repo_digests == [f"shop@{DIGEST}"]
    assert (report.metadata.os.family, report.metadata.os.name) == ("alpine", "3.19.1")
    name = "syft" if document is SYFT else "trivy"
    assert report.scanner == name
    assert report.trivy
    assert report.trivy.version


@pytest.mark.parametrize("document", FORMATS.values(), ids=FORMATS)
def test_a_list_says_nothing_of_vulnerabilities(document: dict[str, Any], write: Write) -> None:
    rows = Rows()
    rows.add(Evidence("a"), read(write(document)))
    image = rows.frames().images.iloc[0]
    assert (image["status"], image["packages"]) == ("not-looked", 2)
    assert image["reason"].startswith("it is read as a package list: scan it with `trivy sbom")


def test_a_list_of_nothing_is_a_list(write: Write) -> None:
    rows = Rows()
    rows.add(Evidence("a"), read(write({"bomFormat": "CycloneDX"})))
    assert rows.frames().images["packages"].tolist() == [0]


def test_the_digest_may_be_the_version_or_in_the_package_url(write: Write) -> None:
    document = json.loads(json.dumps(SPDX))
    image = document["packages"][0]
    del image["annotations"]
    for version, url in ((DIGEST, "pkg:oci/shop"), ("1", f"pkg:oci/shop@sha256%3A{'2' * 64}")):
        image |= _spdx("shop", version, url) | {"SPDXID": "SPDXRef-Image"}
        report = read(write(document))
        assert report.metadata
        assert report.metadata.repo_digests == [f"@{DIGEST}"]
        assert len(listed(report)) == 2


def test_published_sboms_are_read(shared: Path) -> None:
    published = read(shared / "corpus/not-trivy/spdx.json")
    assert (published.scanner, published.artifact_name) == ("syft", "generic-image")
    assert len(listed(published)) == 4
    path = shared / "evidence/blog-2022/node-8-alpine.cdx.json"
    components = json.loads(path.read_text())["components"]
    wanted = {each["purl"] for each in components if "purl" in each}
    assert {each[2] for each in listed(read(path))} == wanted


@pytest.mark.slow
@pytest.mark.usefixtures("trivy_on_path")
@pytest.mark.parametrize("form", ["cyclonedx", "spdx-json"])
def test_what_trivy_writes_lists_what_its_report_does(form: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    files = {
        "etc/os-release": "ID=alpine\nVERSION_ID=3.19.1\n",
        "etc/alpine-release": "3.19.1\n",
        "lib/apk/db/installed": "P:musl\nV:1.2.4-r2\nA:x86_64\no:musl\nL:MIT\n\n",
        "app/node_modules/core/package.json": '{"name": "@babel/core", "version": "7.1.0"}',
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    def written(kind: str) -> Path:
        path = tmp_path / f"{kind}.json"
        call = ["trivy", "rootfs", "--offline-scan", "--list-all-pkgs", "--scanners", "license"]
        subprocess.run([*call, "--format", kind, "--output", path, root], check=True)
        return path

    assert listed(read(written(form))) == listed(read(written("json")))


@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(FORMATS)))
def test_a_damaged_sbom_is_read_or_refused_by_name(
    seed: int, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("sbom") / "a.json"
    path.write_bytes(of_json(Random(seed), (FORMATS[name],)))
    try:
        report = read(path)
    except ReportInvalid as error:
        assert str(path) in str(error)
        return
    rows = Rows()
    rows.add(Evidence("a"), report)
    assert len(rows.frames().images) == 1
