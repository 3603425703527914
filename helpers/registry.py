"""Asks a registry how large an image's layers are as it stores them."""

import platform
from typing import Any
from urllib.parse import urlsplit

import requests

from helpers.daemon import credentials

_SECONDS = 10
_DEFAULT = "docker.io"
_ACCEPTED = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def layer_sizes(digest: str, image_id: str, layers: int) -> list[int] | None:
    """Return the compressed bytes of each layer of `name@sha256:…` as its registry states them.

    `None` if the registry cannot be asked, or holds another image or number of layers there. The
    protocol is that of https://github.com/opencontainers/distribution-spec/blob/main/spec.md
    """
    host, name, reference = _parts(digest)
    try:
        manifest = _manifest(host, name, reference)
        if "manifests" in manifest:
            manifest = _manifest(host, name, _of_this_machine(manifest["manifests"]))
        sizes = [int(layer["size"]) for layer in manifest["layers"]]
        known = manifest["config"]["digest"] == image_id
    except (requests.RequestException, ValueError, KeyError, TypeError, StopIteration):
        return None
    return sizes if known and len(sizes) == layers else None


def _parts(digest: str) -> tuple[str, str, str]:
    """Return host, name and digest.

    >>> _parts("node@sha256:1")[1:]
    ('library/node', 'sha256:1')
    >>> _parts("localhost:5000/a/b@sha256:1")
    ('localhost:5000', 'a/b', 'sha256:1')
    """
    name, _, reference = digest.partition("@")
    host, slash, rest = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        if host != _DEFAULT:
            return host, rest, reference
        name = rest
    return f"registry-1.{_DEFAULT}", name if "/" in name else f"library/{name}", reference


def _manifest(host: str, name: str, reference: str) -> dict[str, Any]:
    scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    url = f"{scheme}://{host}/v2/{name}/manifests/{reference}"
    headers = {"Accept": _ACCEPTED}
    answer = requests.get(url, headers=headers, timeout=_SECONDS)
    if answer.status_code == requests.codes.unauthorized:
        token = _token(answer.headers.get("WWW-Authenticate", ""), host)
        headers["Authorization"] = f"Bearer {token}"
        answer = requests.get(url, headers=headers, timeout=_SECONDS)
    answer.raise_for_status()
    return dict(answer.json())


def _token(challenge: str, host: str) -> str:
    """Return the token that a registry's challenge asks for, anonymous or by `docker login`."""
    fields = requests.utils.parse_dict_header(challenge.partition(" ")[2])
    realm = str(fields.pop("realm"))
    if urlsplit(realm).scheme != "https":
        # Credentials and tokens go nowhere in the open.
        raise ValueError(realm)
    answer = requests.get(realm, fields, auth=credentials(host), timeout=_SECONDS)
    answer.raise_for_status()
    told = answer.json()
    return str(told.get("token") or told["access_token"])


def _of_this_machine(manifests: list[dict[str, Any]]) -> str:
    machine = _MACHINES.get(platform.machine(), platform.machine())
    return next(
        str(manifest["digest"])
        for manifest in manifests
        if manifest["platform"]["os"] == "linux" and manifest["platform"]["architecture"] == machine
    )
