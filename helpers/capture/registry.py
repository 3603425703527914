"""Asks a registry for the compressed sizes of an image's layers."""

import platform
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import requests
from msgspec import Meta, Struct

from helpers.capture.daemon import credentials

_SECONDS = 10
_MAX_BYTES = 2**22
_MAX_IMAGES = 20
"""Registries store no larger manifests, and few indexes have more images."""

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


class _Platform(Struct, frozen=True):
    os: str = ""
    architecture: str = ""


class _Descriptor(Struct):
    digest: Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]
    size: Annotated[int, Meta(ge=0, le=2**62)]
    platform: _Platform = _Platform()


class _Manifest(Struct):
    """A manifest, which has a config and layers, or an index, which has manifests."""

    config: _Descriptor | None = None
    layers: list[_Descriptor] = []
    manifests: list[_Descriptor] | None = None


class _Token(Struct):
    token: str = ""
    access_token: str = ""


def layer_sizes(digest: str, image_id: str, layers: int) -> list[int] | None:
    """Return the compressed bytes of each layer of `name@sha256:…` from its registry.

    `None` if the registry cannot be asked, or has another image or number of layers. The protocol:
    https://github.com/opencontainers/distribution-spec/blob/main/spec.md
    """
    host, name, reference = _parts(digest)
    try:
        for manifest in _Repository(host, name).images(reference):
            if manifest.config and manifest.config.digest == image_id:
                sizes = [layer.size for layer in manifest.layers]
                return sizes if len(sizes) == layers else None
    except (requests.RequestException, msgspec.MsgspecError, RecursionError, ValueError):
        pass
    return None


def _parts(digest: str) -> tuple[str, str, str]:
    """Return host, name and digest.

    >>> _parts("node@sha256:1")
    ('docker.io', 'library/node', 'sha256:1')
    >>> _parts("localhost:5000/a/b@sha256:1")
    ('localhost:5000', 'a/b', 'sha256:1')
    """
    name, _, reference = digest.partition("@")
    host, slash, rest = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        if host != _DEFAULT:
            return host, rest, reference
        name = rest
    return _DEFAULT, name if "/" in name else f"library/{name}", reference


class _Repository:
    """A repository of a registry, asked anonymously or with the login of `docker login`."""

    def __init__(self, host: str, name: str) -> None:
        self._host = host
        scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
        server = f"registry-1.{host}" if host == _DEFAULT else host
        self._url = f"{scheme}://{server}/v2/{name}/manifests"
        self._token = ""

    def images(self, reference: str) -> Iterator[_Manifest]:
        """Yield the manifest of an image, or those of an index, this machine's first."""
        manifest = self._manifest(reference)
        if manifest.manifests is None:
            yield manifest
            return
        machine = _MACHINES.get(platform.machine(), platform.machine())
        # Attestations in an index have an unknown platform.
        images = [image for image in manifest.manifests if image.platform.os != "unknown"]
        images.sort(key=lambda image: image.platform.architecture != machine)
        for image in images[:_MAX_IMAGES]:
            yield self._manifest(image.digest)

    def _manifest(self, reference: str) -> _Manifest:
        url, headers = f"{self._url}/{reference}", {"Accept": _ACCEPTED}
        status, challenge, content = _get(url, _bearer(self._token), headers=headers)
        if status == requests.codes.unauthorized and not self._token:
            self._token = self._new_token(challenge)
            status, _, content = _get(url, _bearer(self._token), headers=headers)
        if status != requests.codes.ok:
            raise ValueError(status)
        return msgspec.json.decode(content, type=_Manifest)

    def _new_token(self, challenge: str) -> str:
        """Return a token from the server that a registry's challenge names."""
        fields = requests.utils.parse_dict_header(challenge.partition(" ")[2])
        realm = str(fields.pop("realm", ""))
        if urlsplit(realm).scheme != "https":
            # Credentials and tokens are sent encrypted only.
            raise ValueError(realm)
        auth = credentials(self._host) or _bearer("")
        status, _, content = _get(realm, auth, params=fields)
        answer = msgspec.json.decode(content, type=_Token)
        token = answer.token or answer.access_token
        if status != requests.codes.ok or not token:
            raise ValueError(status)
        return token


def _get(url: str, auth: Any, **options: Any) -> tuple[int, str, bytes]:
    """Return an answer's status, challenge and content."""
    content = bytearray()
    # Like Docker: a registry on this machine, the only one over HTTP, is asked without a proxy.
    options |= {"timeout": _SECONDS, "stream": True, "proxies": {"http": None}}
    with requests.get(url, auth=auth, **options) as answer:
        for chunk in answer.iter_content(2**16):
            content += chunk
            if len(content) > _MAX_BYTES:
                raise ValueError(url)
        return answer.status_code, answer.headers.get("WWW-Authenticate", ""), bytes(content)


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Return an authenticator that adds a token, if any, and never a password from netrc."""

    def add(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return add
