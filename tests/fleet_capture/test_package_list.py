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
            "timestamp": f"2026-01-01T00:00:00.{uuid.uuid4().int % 10**6:06}Z",
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


def test_of_spdx_it_is_the_file_and_the_image_is_known(tmp_path: Path) -> None:
    notes = [{"comment": f"{name}: {value}"} for name, value in (("ImageID", ID), ("DiffID", ID))]
    image = {"SPDXID": "SPDXRef-1", "name": "b", "versionInfo": "2", "annotations": notes}
    described = {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES"}
    made = {
        "spdxVersion": "SPDX-2.3",
        "packages": [{**image, "primaryPackagePurpose": "CONTAINER"}, {"SPDXID": "SPDXRef-2"}],
        "relationships": [{**described, "relatedSpdxElement": "SPDXRef-1"}],
    }
    found = []
    for index in (None, 1):
        (tmp_path / "sbom.json").write_text(json.dumps(made, indent=index))
        found.append(package_list.of_sbom(tmp_path / "sbom.json"))
    assert found[0].package_list != found[1].package_list
    assert (found[0].name, found[0].image_id, found[0].layers) == ("b:2", ID, (ID,))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_a_scan_may_depend_on_is(
    change: Callable[[dict[str, Any]], Any], listed: Callable[[dict[str, Any]], str]
) -> None:
    before = document()
    after = copy.deepcopy(before)
    change(after)
    assert listed(before) != listed(after)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"bomFormat": "CycloneDX"}',
        "{" * 10**5,
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
    made = [(amd64, [ID]), (amd64, [ID, ID]), (arm64, [ID]), (amd64, [ID])]
    assert len({package_list.of_layers(*each) for each in made}) == 3
