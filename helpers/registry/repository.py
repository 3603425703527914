"""Reads images from a registry: their manifests, their configs, and parts of their layers.

The protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, NamedTuple
from urllib.parse import urljoin

import msgspec
import requests
import urllib3

from helpers.errors import ImageNotFound, KitError, RegistryFailed
from helpers.images import oci, reference
from helpers.images.oci import Descriptor, Manifest, Platform
from helpers.images.reference import Reference
from helpers.registry.connections import TRIES, Session, arriving, small, why
from helpers.registry.image_cache import ImageCache
from helpers.registry.login import Login
from helpers.registry.traffic import Traffic

MAX_MANIFEST = 2**22
"""Most bytes of a manifest: https://github.com/opencontainers/distribution-spec (4 MiB)."""

MAX_CONFIG = 2**24

_SECONDS = 30
_ACCEPTED = ", ".join((oci.INDEX, oci.MANIFEST, oci.DOCKER_INDEX, oci.DOCKER_MANIFEST))
_BRIEF_SECONDS = 10
"""Sizes are worth a short wait only: without them they are measured here."""

_NO_HEAD = (400, 405, 501)
"""Answers of a registry that is not made for HEAD."""

_PAGE, _MOST_PAGES = 1000, 10_000
"""Texts of a page that are asked for, and most pages that are read."""

_MAX_IMAGES = 20
"""Few indexes have more images."""


class Found(NamedTuple):
    """An image in a registry: what its reference and its platform lead to.

    `digest` is the reference's, `manifest_digest` that of the image itself; they differ where the
    reference leads to an index. `raw_manifest` and `raw_config` are as the registry has them.
    """

    reference: Reference
    digest: str
    manifest_digest: str
    raw_manifest: bytes
    raw_config: bytes
    config: Descriptor
    layers: list[Descriptor]

    @property
    def image_id(self) -> str:
        """Return the image's id: the digest of its config."""
        return self.config.digest

    def inspected(self) -> dict[str, Any]:
        """Return what `docker inspect` would say of the image, as far as the kit asks."""
        config = msgspec.json.decode(self.raw_config, type=dict[str, Any])
        tagged = f"{self.reference.repository}:{self.reference.tag}"
        return {
            "Id": self.image_id,
            "RepoTags": [tagged] if self.reference.tag else [],
            "RepoDigests": [f"{self.reference.repository}@{self.digest}"],
            "Config": config.get("config"),
            "RootFS": {"Layers": (config.get("rootfs") or {}).get("diff_ids")},
        }


class Repository:
    """A repository of a registry, asked anonymously or with the login of `docker login`.

    Manifests and configs, which their digests name, are read from a `cache` if one has them.
    """

    def __init__(
        self,
        of: Reference,
        tries: int = TRIES,
        seconds: float = _SECONDS,
        cache: ImageCache | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._of = of
        self._cache = cache
        self._session = Session(of, tries, seconds, traffic)
        self._login = Login(self._session, of)

    def at(self, of: Reference) -> "Repository":
        """Return the same repository at another tag or digest, with the login of this one."""
        other = copy(self)
        other._of = of
        return other

    def find(self, wanted: Platform = oci.ANY) -> Found:
        """Return the image that the reference and a platform lead to; without one, this machine's.

        Raises `ImageNotFound` if there is none, or it is no image, and `RegistryFailed`.
        """
        of = self._of
        raw = self._first()
        manifest_digest = digest = oci.digest(raw)
        manifest = self._decoded(raw)
        if manifest.manifests is not None:
            manifest_digest = self._chosen(manifest.manifests, wanted).digest
            raw = self._manifest(manifest_digest)
            manifest = self._decoded(raw)
        config = manifest.config
        if config is None or config.media_type not in oci.CONFIGS:
            kind = config.media_type[:80] if config else "unknown type"
            raise ImageNotFound(f"{self.name}: not a container image ({kind!r})")
        layers = manifest.layers or []
        if any(not oci.DIGEST.fullmatch(each.digest) for each in (config, *layers)):
            raise self._wrong("its manifest uses an unsupported digest (only sha256)")
        raw_config = self._named(f"blobs/{config.digest}", config.digest, MAX_CONFIG)
        found = Found(of, digest, manifest_digest, raw, raw_config, config, layers)
        self._check_config(found, wanted)
        return found

    def images(self) -> Iterator[Manifest]:
        """Yield the manifest of the reference, or those of its index, this machine's first."""
        manifest = self._decoded(self._first())
        if manifest.manifests is None:
            yield manifest
            return
        here = oci.here().architecture
        images = [image for image in manifest.manifests if not image.is_attestation]
        images.sort(key=lambda image: image.platform.architecture != here)
        for image in images[:_MAX_IMAGES]:
            yield self._decoded(self._manifest(image.digest))

    @contextmanager
    def blob(self, digest: str, start: int) -> Iterator[tuple[int, Iterable[bytes]]]:
        """Open a file from a byte on; yield where its bytes really start, and the bytes.

        A registry that knows no ranges starts at 0. Raises `RegistryFailed`, also while reading.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._answer(f"blobs/{digest}", headers) as answer:
            is_part = answer.status_code == requests.codes.partial_content
            yield start if is_part else 0, self._chunks(answer)

    def listed(self, path: str, field: str) -> Iterator[str]:
        """Yield the texts of a list that comes in pages, each once: of tags, or of repositories.

        Raises `RegistryFailed` if the pages do not end, `ImageNotFound` if there is no such list.
        """
        address = self._session.address
        url = f"{address}/{path}" if path else address
        asked, found = set[str](), set[str]()
        where = f"{url}?n={_PAGE}"
        while where:
            if where in asked or len(asked) == _MOST_PAGES:
                raise self._wrong("its list has too many pages")
            asked.add(where)
            with self._answer(where, {}) as answer:
                content = small(self._chunks(answer), MAX_MANIFEST, self.name)
                following = answer.links.get("next", {}).get("url", "")
            try:
                texts = msgspec.json.decode(content, type=dict[str, Any]).get(field) or []
                new = [text for text in map(str, texts) if text not in found]
            except (msgspec.MsgspecError, ValueError, RecursionError, TypeError) as error:
                raise self._wrong("its list is invalid") from error
            yield from dict.fromkeys(new)
            found.update(new)
            try:
                where = urljoin(where, following) if following else ""
            except ValueError as error:
                raise self._wrong("the next page of its list has no address") from error
            # Nobody else gets the login.
            if where and where.partition("?")[0] != url:
                raise self._wrong("the next page of its list is on another server")

    @property
    def name(self) -> str:
        """Return the reference as Docker writes it."""
        of = self._of
        tag, digest = of.tag and f":{of.tag}", of.digest and f"@{of.digest}"
        return f"{of.repository}{tag}{digest}"

    def _first(self) -> bytes:
        """Return the manifest or the index that the reference leads to."""
        digest = self._of.digest or (self._digest_of_tag() if self._cache else "")
        if digest:
            return self._manifest(digest)
        return self._read(f"manifests/{self._of.tag}", MAX_MANIFEST, {"Accept": _ACCEPTED})

    def _digest_of_tag(self) -> str:
        """Return the digest that the tag leads to; empty if the registry does not say so.

        Docker Hub does not count such requests: https://docs.docker.com/docker-hub/usage/pulls/
        """
        headers = {"Accept": _ACCEPTED}
        with self._answer(f"manifests/{self._of.tag}", headers, "HEAD") as answer:
            digest = answer.headers.get("Docker-Content-Digest", "")
        return digest if oci.DIGEST.fullmatch(digest) else ""

    def _manifest(self, digest: str) -> bytes:
        """Return the manifest of a digest, which anybody may have written."""
        if not oci.DIGEST.fullmatch(digest):
            raise self._wrong(f"unsupported digest {digest[:80]!r} (only sha256)")
        return self._named(f"manifests/{digest}", digest, MAX_MANIFEST, {"Accept": _ACCEPTED})

    def _named(
        self, path: str, digest: str, limit: int, headers: dict[str, str] | None = None
    ) -> bytes:
        """Return a small file that its digest names, from the cache or the registry."""
        if self._cache and (kept := self._cache.small(digest, limit)):
            return kept
        content = self._read(path, limit, headers)
        self._check(content, digest)
        if self._cache:
            self._cache.keep_small(digest, content)
        return content

    def _chosen(self, images: list[Descriptor], wanted: Platform) -> Descriptor:
        """Return the image of an index that is for a platform."""
        images = [image for image in images if not image.is_attestation]
        if wanted == oci.ANY:
            wanted = oci.here() if len(images) > 1 else oci.ANY
        fitting = oci.for_platform(images, wanted)
        if not fitting:
            # The registry chose these words.
            platforms = {str(i.platform)[:40] for i in images if i.platform.is_valid}
            there = ", ".join(sorted(platforms)[:20])
            raise ImageNotFound(f"{self.name}: no image for {wanted}; available: {there or 'none'}")
        return fitting[0]

    def _check_config(self, found: Found, wanted: Platform) -> None:
        """Raise `ImageNotFound` if an image is of another platform or has no layers."""
        try:
            config = msgspec.json.decode(found.raw_config, type=oci.Config)
            # All of it is read later, also what the type has not.
            msgspec.json.decode(found.raw_config, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise self._wrong(f"the image's config is invalid ({str(error)[:200]})") from error
        if not config.platform.fits(wanted):
            raise ImageNotFound(
                f"{self.name}: an image for {str(config.platform)[:40]}, not for {wanted}"
            )
        if not config.rootfs.diff_ids:
            raise ImageNotFound(f"{self.name}: the image has no layers to compare")

    def _decoded(self, raw: bytes) -> Manifest:
        try:
            return msgspec.json.decode(raw, type=Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._wrong(f"its manifest is invalid ({str(error)[:200]})") from error

    def _check(self, content: bytes, digest: str) -> None:
        if oci.digest(content) != digest:
            raise self._wrong(f"its content does not match {digest}")

    def _read(self, path: str, limit: int, headers: dict[str, str] | None = None) -> bytes:
        """Return a small file."""
        with self._answer(path, headers or {}) as answer:
            return small(self._chunks(answer), limit, self.name)

    def _chunks(self, answer: requests.Response) -> Iterator[bytes]:
        try:
            yield from arriving(answer)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise RegistryFailed(f"{self.name}: {self._of.host} {why(error)}", True) from error

    @contextmanager
    def _answer(
        self, path: str, headers: dict[str, str], method: str = "GET"
    ) -> Iterator[requests.Response]:
        """Yield the answer to a request, after a login if one is asked for."""
        # What is compressed in transit would not have the digest.
        headers = {"Accept-Encoding": "identity", **headers}
        address = self._session.address
        url = path if path.startswith(address) else f"{address}/{path}"
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._session.traffic.turn(self._of.host))
            for is_last in (False, True):
                asked = self._session.ask(method, url, self._login, headers=headers)
                answer = stack.enter_context(asked)
                is_asked = answer.status_code == requests.codes.unauthorized
                # Where the registry redirects to may not ask for its login.
                if not is_asked or answer.history or is_last:
                    break
                self._login.renew(answer.headers.get("WWW-Authenticate", ""))
            if method != "HEAD" or answer.status_code not in _NO_HEAD:
                self._check_status(answer)
            yield answer

    def _check_status(self, answer: requests.Response) -> None:
        """Raise the error of an answer that is none."""
        status, host = answer.status_code, self._of.host
        is_busy = status == requests.codes.too_many
        if not is_busy and status < 500:
            self._session.traffic.answered(host)
        if status in (requests.codes.ok, requests.codes.partial_content):
            return
        if status in (requests.codes.unauthorized, requests.codes.forbidden):
            raise ImageNotFound(f"{self.name}: {host} denies access. {self._login.remedy()}")
        if status == requests.codes.not_found:
            raise ImageNotFound(f"{self.name}: {host} has no such image. Check its name")
        what = (
            "429, too many requests. Wait, or log in" if is_busy else f"{status}. Try again later"
        )
        error = RegistryFailed(f"{self.name}: {host} returned {what}")
        raise self._session.traffic.failed(host, error, is_busy)

    def _wrong(self, what: str) -> RegistryFailed:
        return RegistryFailed(f"{self.name}: {self._of.host} sent an invalid answer: {what}")


def layer_sizes(digest: str, image_id: str, layers: int) -> list[int] | None:
    """Return the compressed bytes of each layer of `name@sha256:…` from its registry.

    `None` if the registry cannot be asked, or has another image or number of layers.
    """
    try:
        repository = Repository(reference.parse(digest), tries=1, seconds=_BRIEF_SECONDS)
        for manifest in repository.images():
            if manifest.config and manifest.config.digest == image_id:
                sizes = [layer.size for layer in manifest.layers or []]
                return sizes if len(sizes) == layers else None
    except (KitError, ValueError):
        pass
    return None
