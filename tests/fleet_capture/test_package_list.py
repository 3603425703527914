"""Equal package lists have equal digests, and nothing that a scan depends on is left out."""

import copy
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.fleet_capture import package_list
from helpers.images import oci

TRIVY = "aquasecurity:trivy:"
ID = f"sha256:{'1' * 64}"


def component(name: str, **fields: Any) -> dict[str, Any]:
    purl = f"pkg:deb/debian/{name}@1"
    return {
        "bom-ref": purl,
        "type": "library",
        "name": name,
        "version": "1",
        "purl": purl,
        **fields,
    }


def document() -> dict[str, Any]:
    """An SBOM as Trivy writes it, with random references for what has no package URL."""
    root, system, app = (str(uuid.uuid4()) for _ in range(3))
    properties = [("ImageID", ID), ("SchemaVersion", "2"), ("DiffID", ID), ("RepoTag", "a:1")]
    return {
        "bomFormat": "CycloneDX",
        "serialNumber": str(uuid.uuid4()),
        "metadata": {
            "timestamp": str(uuid.uuid4()),
            "component": {
                "bom-ref": root,
                "type": "container",
                "name": "a:1",
                "properties": [
                    {"name": TRIVY + name, "value": value} for name, value in properties
                ],
            },
        },
        "components": [
            {"bom-ref": system, "type": "operating-system", "name": "debian", "version": "12"},
            {"bom-ref": app, "type": "application", "name": "app/package-lock.json"},
            component("one"),
            component("two"),
        ],
        "dependencies": [
            {"ref": root, "dependsOn": [system, app]},
            {"ref": system, "dependsOn": ["pkg:deb/debian/one@1"]},
            {"ref": app, "dependsOn": ["pkg:deb/debian/two@1"]},
        ],
    }


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    def of(made: dict[str, Any]) -> str:
        (tmp_path / "sbom.json").write_text(json.dumps(made))
        return package_list.of_sbom(tmp_path / "sbom.json").package_list

    return of


def test_who_it_is_of_and_when_it_was_made_is_not_of_the_list(
    listed: Callable[[dict[str, Any]], str],
) -> None:
    other = document()
    other["metadata"]["component"]["name"] = "b:2"
    other["components"].reverse()
    other["dependencies"].reverse()
    other["metadata"]["component"]["properties"].pop()
    assert listed(document()) == listed(other)


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "system": lambda made: made["components"][0].update(version="13"),
    "place": lambda made: made["components"][1].update(name="other/package-lock.json"),
    "version": lambda made: made["components"][2].update(version="2"),
    "source": lambda made: made["components"][2].update(
        properties=[{"name": f"{TRIVY}SrcName", "value": "x"}]
    ),
    "missing": lambda made: made["components"].pop(),
    "twice": lambda made: made["components"].append(component("one")),
    "belongs": lambda made: made["dependencies"][1].update(dependsOn=["pkg:deb/debian/two@1"]),
    "not of Trivy": lambda made: made["metadata"]["component"].update(properties=[]),
    "tools": lambda made: made["metadata"].update(tools=[{"name": "syft"}]),
    "unknown field": lambda made: made.update(declarations={"x": 1}),
    "no container": lambda made: made["metadata"]["component"].update(type="application"),
}


def spdx(image: str = "a:1") -> dict[str, Any]:
    """An SPDX SBOM as Trivy writes it: ids end with a hash, that of the system with its image's."""
    day, own = str(uuid.uuid4()), uuid.uuid4().hex[:16]
    root, system = f"SPDXRef-ContainerImage-{own}", f"SPDXRef-OperatingSystem-{own}"
    one, two = "SPDXRef-Package-0123456789abcdef", "SPDXRef-Package-fedcba9876543210"

    def package(name: str, identity: str, purpose: str, *comments: str) -> dict[str, Any]:
        notes = [{"annotationDate": day, "comment": comment} for comment in comments]
        fields = {"name": name, "SPDXID": identity, "versionInfo": "1", "annotations": notes}
        return {**fields, "primaryPackagePurpose": purpose}

    relations = [
        ("SPDXRef-DOCUMENT", "DESCRIBES", root),
        (root, "DEPENDS_ON", system),
        (system, "DEPENDS_ON", one),
        (system, "DEPENDS_ON", two),
    ]
    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": image,
        "documentNamespace": f"http://example.org/{own}",
        "creationInfo": {"creators": ["Tool: trivy-0.76.0"], "created": day},
        "packages": [
            package(
                image, root, "CONTAINER", f"ImageID: {ID}", f"RepoTag: {image}", f"DiffID: {ID}"
            ),
            package("debian", system, "OPERATING-SYSTEM", "Class: os-pkgs"),
            package("one", one, "LIBRARY", "PkgID: one@1"),
            package("two", two, "LIBRARY", "PkgID: two@1"),
        ],
        "relationships": [
            {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}
            for first, kind, second in relations
        ],
    }


def test_neither_is_it_of_the_list_of_spdx(
    listed: Callable[[dict[str, Any]], str], tmp_path: Path
) -> None:
    other = spdx("b:2")
    other["packages"].reverse()
    other["relationships"].reverse()
    assert listed(spdx()) == listed(other)
    found = package_list.of_sbom(tmp_path / "sbom.json")
    assert (found.name, found.image_id, found.layers) == ("b:2", ID, (ID,))


SPDX_CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "system": lambda made: made["packages"][1].update(versionInfo="2"),
    "kind": lambda made: renamed(made, "SPDXRef-OperatingSystem", "SPDXRef-Package"),
    "version": lambda made: made["packages"][2].update(versionInfo="2"),
    "source": lambda made: made["packages"][2]["annotations"][0].update(comment="SrcName: x"),
    "missing": lambda made: made["packages"].pop(),
    "twice": lambda made: made["packages"].append({**made["packages"][2], "SPDXID": "SPDXRef-x"}),
    "belongs": lambda made: made["relationships"].pop(),
    "tools": lambda made: made["creationInfo"].update(creators=["Tool: syft"]),
    "unknown field": lambda made: made.update(comment="x"),
    "files": lambda made: made.update(files=[{"SPDXID": "SPDXRef-File-1", "fileName": "a"}]),
    "no container": lambda made: made["packages"][0].update(primaryPackagePurpose="APPLICATION"),
}


def renamed(made: dict[str, Any], old: str, new: str) -> None:
    made |= json.loads(json.dumps(made).replace(old, new))


@pytest.mark.parametrize(
    ("made", "change"),
    [
        *(pytest.param(document, each, id=name) for name, each in CHANGES.items()),
        *(pytest.param(spdx, each, id=f"spdx: {name}") for name, each in SPDX_CHANGES.items()),
    ],
)
def test_whatever_a_scan_may_depend_on_is(
    made: Callable[[], dict[str, Any]],
    change: Callable[[dict[str, Any]], Any],
    listed: Callable[[dict[str, Any]], str],
) -> None:
    before = made()
    after = copy.deepcopy(before)
    change(after)
    assert listed(before) != listed(after)


def test_of_equal_elements_it_is_the_file(listed: Callable[[dict[str, Any]], str]) -> None:
    made = [spdx(), spdx()]
    for each in made:
        twin = {**each["packages"][2], "SPDXID": "SPDXRef-Package-00000000"}
        each["packages"].append(twin)
    assert listed(made[0]) != listed(made[1])


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"bomFormat": "CycloneDX"}',
        "{" * 10**5,
        '{"bomFormat": "CycloneDX", "metadata": {"component": 1}}',
        '{"spdxVersion": "SPDX-2.3"}',
        '{"spdxVersion": "SPDX-2.3", "packages": [{"SPDXID": []}], "creationInfo": {}}',
    ],
)
def test_what_is_not_known_is_taken_as_it_is(text: str, tmp_path: Path) -> None:
    found = []
    for end in ("", "\n"):
        (tmp_path / "sbom.json").write_text(text + end)
        found.append(package_list.of_sbom(tmp_path / "sbom.json"))
    assert found[0].package_list != found[1].package_list
    assert {each.name for each in found} == {""}


def test_of_an_image_the_layers_count() -> None:
    amd64, arm64 = oci.parse("amd64"), oci.parse("arm64")
    digests = {
        package_list.of_layers(amd64, [ID]),
        package_list.of_layers(amd64, [ID, ID]),
        package_list.of_layers(arm64, [ID]),
    }
    assert len(digests) == 3
    assert package_list.of_layers(amd64, [ID]) in digests
