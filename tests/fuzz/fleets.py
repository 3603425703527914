"""What a capture of many images reads: lists, SBOMs, its own record, and a registry's answers."""

import io
import json
import os
import shutil
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import requests
import urllib3

from helpers import paths
from helpers.capture import new_study
from helpers.fleet import scans
from helpers.fleet_capture import fleet_image, fleet_list, package_list
from helpers.fleet_capture.fleet_folder import FleetFolder
from helpers.images import oci
from helpers.images.reference import parse
from helpers.registry.repository import Repository
from helpers.scanning import hand_on_vex
from helpers.studies.study import open_study
from tests.fuzz import mutations
from tests.fuzz.kind import Kind, plain_json, same, tried
from tests.support import image_archives as images

_FLEET = "fuzz"
_HOST = "registry.example"


@cache
def _lines() -> list[Any]:
    lines = (paths.ROOT / "data/fleets/official-2018/images.jsonl").read_text().splitlines()
    made = [json.loads(line) for line in lines[:4]]
    return [*made, {**made[0], "digest": "sha256:0", "status": "failed", "reason": "it failed"}]


@cache
def _facts() -> Any:
    return json.loads((paths.ROOT / "data/fleets/official-2018/fleet.json").read_text())


def _folder(path: Path) -> Path:
    """Return the folder of a captured fleet, which is made once."""
    os.environ["KIT_DATA"] = str(path.parent / "data")
    folder = paths.fleet(_FLEET)
    if not folder.exists():
        for line in _lines():
            scan = folder / line.get("scan", "none")
            scan.parent.mkdir(parents=True, exist_ok=True)
            scan.write_text("{}")
        (folder / "fleet.json").write_text(json.dumps(_facts()))
        (folder / "images.jsonl").write_bytes(_written(_lines()))
    return folder


def _written(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _of_images(random: Random) -> bytes:
    """Return lines of images, some of which are others."""
    lines = [json.dumps(line).encode() for line in _lines()]
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(lines))
        made = mutations.written(random, mutations.document(random, _lines()[at % len(_lines())]))
        lines[at] = made.replace(b"\n", b" ") if random.random() < 0.9 else made
        if random.random() < 0.2:
            lines.insert(at, lines[at])
    return mutations.finish(random, b"\n".join(lines) + b"\n")


def _check_images(path: Path, random: Random) -> None:
    folder = _folder(path)
    shutil.copy(path, folder / "images.jsonl")
    before = tried(path.name, FleetFolder(_FLEET).images)
    listed = scans.listing(str(folder)).scans
    content = path.read_bytes()
    lines = content.splitlines()
    if not content.endswith(b"\n"):
        # It may be cut off: what is read of it is of no account.
        lines.pop()
    counted = {
        image["digest"] or image["image"]: image["image"] for image in map(plain_json, lines)
    }
    read = {
        scan.image.digest or scan.image.image: scan.evidence.variant
        for scan in listed
        if scan.image
    }
    same(
        "images",
        {name: read.get(name, "") for name in counted if name in read},
        {name: counted[name] for name in counted if name in read},
    )
    same(
        "number of images",
        len(listed) - len(counted) in (0, int(not content.endswith(b"\n"))),
        True,
    )
    if before is not None:
        same(
            "images of a capture", len({each.digest or each.image for each in before}), len(listed)
        )


def _check_facts(path: Path, random: Random) -> None:
    folder = _folder(path)
    (folder / "images.jsonl").write_bytes(_written(_lines()))
    shutil.copy(path, folder / "fleet.json")
    FleetFolder(_FLEET).facts()
    same("images", len(scans.listing(str(folder)).scans), len(_lines()))


_LIST = f"""# images
node:24
{_HOST}:5000/team/app@sha256:{"a" * 64}
{_HOST}/app:1

./archive.tar
library/node
node:24
"""


def _check_list(path: Path, random: Random) -> None:
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    names = [os.fsdecode(line).strip() for line in text.split(b"\n")]
    if any("\0" not in name and os.path.isdir(name) for name in names):  # noqa: PTH112
        # All files of the folder would be read, whichever that is.
        return
    entries = [*fleet_list.entries(str(path), lambda address: [fleet_list.Entry(address)])]
    content = path.read_bytes()
    same("no empty name", [entry for entry in entries if not entry.name.strip()], [])
    if len(content) < 4096 and b"\r" not in content:
        lines = (
            os.fsdecode(line.removeprefix(b"\xef\xbb\xbf")).strip() for line in content.split(b"\n")
        )
        same(
            "entries",
            [entry.name for entry in entries],
            [*dict.fromkeys(line for line in lines if line and not line.startswith("#"))],
        )
    for entry in entries:
        same("what is shown", entry.shown.isprintable(), True)


_SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "version": 1,
    "metadata": {
        "timestamp": "2026-01-01T00:00:00Z",
        "component": {
            "bom-ref": "3e671687-395b-41f5-a30f-a58921a69b70",
            "type": "container",
            "name": "node:24",
            "purl": "pkg:oci/node@sha256:1",
            "properties": [
                {"name": "aquasecurity:trivy:ImageID", "value": f"sha256:{'b' * 64}"},
                {"name": "aquasecurity:trivy:DiffID", "value": f"sha256:{'c' * 64}"},
            ],
        },
    },
    "components": [
        {"bom-ref": "pkg:deb/debian/tar@1", "type": "library", "name": "tar", "version": "1"},
        {"bom-ref": "3e671687-395b-41f5-a30f-a58921a69b71", "type": "library", "name": "bash"},
    ],
    "dependencies": [{"ref": "pkg:deb/debian/tar@1", "dependsOn": ["x"]}],
}
_SPDX = {
    "spdxVersion": "SPDX-2.3",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "node:24",
    "packages": [{"name": "tar", "SPDXID": "SPDXRef-1", "versionInfo": "1"}],
}


_ODD = {**_SBOM, "metadata": {"component": {"name": "x", "properties": {"name": 1}}}}


def _check_sbom(path: Path, random: Random) -> None:
    """Check what is said of an SBOM, and the study that is made of it."""
    found = package_list.of_sbom(path)
    same("digests", {*map(len, (found.package_list, found.digest))}, {71})
    json.dumps(found).encode()
    hand_on_vex._subject(path)
    kind = new_study.kind(str(path))
    os.environ["KIT_DATA"] = str(path.parent / "made")
    name = new_study.make_study([str(path)])
    [variant] = open_study(name).variants
    same("kind", variant.kind, kind)
    shutil.rmtree(path.parent / "made")


class _Server:
    """Answers requests with files, as a registry does; other paths are missing."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.status = 200

    def ask(self, method: str, url: str, auth: Any, **options: Any) -> requests.Response:
        answer = requests.Response()
        content = self.files.get(url.partition("/v2/app/")[2].partition("?")[0], b"")
        answer.status_code = self.status if content else 404
        answer.headers.update(self.headers)
        answer.raw = urllib3.HTTPResponse(io.BytesIO(content), preload_content=False)
        return answer


@cache
def _asked() -> tuple[_Server, Repository]:
    """A server, and a repository that is read from it: making one takes long."""
    server, repository = _Server(), Repository(parse(f"{_HOST}/app:1"))
    repository._session.ask = server.ask  # type: ignore[method-assign]
    return server, repository


@cache
def _image() -> tuple[Any, dict[str, bytes]]:
    """A manifest, and the files by their digests that it needs."""
    config = images.config_of((b"x",), created="2026-01-01T00:00:00Z")
    layout = images.Layout()
    manifest = {
        "schemaVersion": 2,
        "config": layout.add(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [layout.add(b"layer", f"{images.LAYER}+gzip")],
    }
    return manifest, {f"blobs/{images.digest(config)}": config}


@cache
def _index() -> Any:
    manifest = json.dumps(_image()[0]).encode()
    described = {"mediaType": images.MANIFEST, "digest": images.digest(manifest), "size": 1}
    arm = {**described, **images.on_platform("arm64")}
    return {"manifests": [{**described, **images.on_platform("amd64")}, arm]}


def _check_manifest(path: Path, random: Random) -> None:
    """Check an image that is found by a manifest, or by an index that leads to one."""
    server, repository = _asked()
    manifest, files = _image()
    named = json.dumps(manifest).encode()
    server.files = {**files, f"manifests/{images.digest(named)}": named}
    server.files["manifests/1"] = path.read_bytes()
    server.status, server.headers = 200, {}
    wanted = random.choice((oci.ANY, oci.parse("linux/amd64"), oci.parse("linux/arm64/v8")))
    found = repository.find(wanted)
    layers = plain_json(found.raw_manifest).get("layers") or []
    same("layers", [each.size for each in found.layers], [each.get("size", 0) for each in layers])
    found.inspected()
    tried(_HOST, lambda: [*repository.images()])


def _check_config(path: Path, random: Random) -> None:
    """Check an image's config that a registry has."""
    server, repository = _asked()
    content = path.read_bytes()
    manifest = {**_image()[0]}
    manifest["config"] = {**manifest["config"], "digest": images.digest(content)}
    server.files = {f"blobs/{images.digest(content)}": content}
    server.files["manifests/1"] = json.dumps(manifest).encode()
    server.status, server.headers = 200, {}
    found = fleet_image.in_registry(repository, parse(f"{_HOST}/app:1"), oci.ANY)
    same("layers", found.image.layers, plain_json(content)["rootfs"]["diff_ids"])
    json.dumps(found.image.package_list)


def _check_tags(path: Path, random: Random) -> None:
    server, repository = _asked()
    server.files = {"tags/list": path.read_bytes()}
    server.status = 200
    links = (
        "",
        "</v2/app/tags/list?n=1&last=x>; rel=next",
        "<https://other.example/>; rel=next",
        "<",
        "<http://[x>; rel=next",
    )
    server.headers = {"Link": random.choice(links)}
    tags = [*repository.listed("tags/list", "tags")]
    counted = plain_json(path.read_bytes()).get("tags") or []
    same("number of tags", len(tags) <= len(counted), True)
    if all(isinstance(tag, str) for tag in counted):
        same("tags", tags, [*dict.fromkeys(counted)])


_CHALLENGE = 'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:app:pull"'


def _check_challenge(path: Path, random: Random) -> None:
    """Check what a registry asks for, in a header, and the token that it sends."""
    server, repository = _asked()
    lines = path.read_bytes().decode("latin-1").split("\n")
    server.status, server.headers = random.choice((200, 200, 401, 500)), {}
    server.files = {"": "\n".join(lines[1:]).encode("latin-1")}
    repository._login._header = ""
    repository._login.renew(lines[0])
    header = repository._login._header
    same("a header", header.isprintable() and header.isascii(), True)


def _of_challenge(random: Random) -> bytes:
    token = mutations.of_json(
        random, [{"token": "t0ken", "expires_in": 300}, {"access_token": "t"}]
    )
    seeds = [_CHALLENGE, 'Basic realm="x"', 'Bearer realm="https://[x"']
    return mutations.of_lines(random, seeds, 2).replace(b"\n", b"") + b"\n" + token


KINDS = {
    "images.jsonl": Kind(_of_images, _check_images, "images.jsonl", f"{_FLEET}: "),
    "fleet.json": Kind(
        lambda random: mutations.of_json(random, [_facts()]),
        _check_facts,
        "fleet.json",
        f"{_FLEET}: ",
    ),
    "fleet-list": Kind(
        lambda random: mutations.of_lines(random, [_LIST]), _check_list, "input.txt"
    ),
    "sbom": Kind(
        lambda random: mutations.of_json(random, [_SBOM, _SBOM, _SPDX, _ODD]), _check_sbom
    ),
    "manifest": Kind(
        lambda random: mutations.of_json(random, [_image()[0], _index()]),
        _check_manifest,
        told=_HOST,
    ),
    "registry-config": Kind(
        lambda random: mutations.of_json(
            random, [json.loads(images.config_of((b"x",), created="2026-01-01T00:00:00Z"))]
        ),
        _check_config,
        told=_HOST,
    ),
    "tags": Kind(
        lambda random: mutations.of_json(random, [{"name": "app", "tags": ["1", "2", "latest"]}]),
        _check_tags,
        told=_HOST,
    ),
    "challenge": Kind(_of_challenge, _check_challenge, told=_HOST),
}
