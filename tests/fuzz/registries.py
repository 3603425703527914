"""What a capture of many images reads: SBOMs, and a registry's answers."""

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

from helpers.capture import new_study
from helpers.fleet_capture import fleet_image, package_list
from helpers.images import oci
from helpers.images.reference import parse
from helpers.registry.repository import Repository
from helpers.scanning import hand_on_vex
from helpers.studies.study import open_study
from tests.fuzz import mutations
from tests.fuzz.kind import Kind, plain_json, same, tried
from tests.support import image_archives as images

_HOST = "registry.example"

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
