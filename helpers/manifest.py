"""What an image archive says is in it: which config, which layers, which names.

`docker save` has a manifest.json, which wins where there is an index.json too, as with
`docker load`. An index may lead to images of several platforms and to attestations of builds.
"""

import hashlib
import platform
import re
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from helpers.blobs import SAVE, Blobs
from helpers.errors import ArchiveInvalid

MAX_JSON = 2**24
"""Most bytes of a manifest, index or config; real ones have some kilobytes."""

MAX_MANIFESTS = 1000

_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_VARIANTS = {"amd64": ("", "v1"), "arm64": ("", "v8"), "arm": ("v7", "")}
"""Variants of an architecture that its machines usually run, and images are usually for, in order:
https://github.com/opencontainers/image-spec/blob/main/image-index.md#platform-variants"""

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9]+(?:/[a-z0-9.]+)?", re.ASCII)
_EACH = "Save each to a file of its own"

_T = TypeVar("_T")


class Contents(NamedTuple):
    """The image of an archive: the names of its files of config and layers, and its own names."""

    config: str
    layers: list[str]
    names: list[str]


class _Saved(Struct, rename="pascal"):
    config: str
    layers: list[str] | None = None
    repo_tags: list[str] | None = None


class _Platform(Struct):
    architecture: str = ""
    os: str = ""
    variant: str = ""

    def named(self) -> str:
        """Return it as in `linux/arm64/v8`."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


class _Descriptor(Struct, rename="camel"):
    digest: str
    platform: _Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def blob(self) -> str:
        """Return the name of its file."""
        return f"blobs/{self.digest.replace(':', '/', 1)}"

    def note(self, *keys: str) -> str:
        """Return the first of some annotations that it has, or nothing."""
        return next((note for key in keys if (note := (self.annotations or {}).get(key))), "")

    def called(self) -> str:
        """Return the name of the image."""
        return self.note("io.containerd.image.name", "org.opencontainers.image.ref.name")

    def told_apart_by(self) -> str:
        """Return its platform, else its name, else its digest."""
        return (self.platform or _Platform()).named() or self.called() or self.digest

    def is_for(self, architecture: str) -> bool:
        """Return whether it says that it is for Linux on an architecture."""
        p = self.platform or _Platform()
        return p.os in ("linux", "") and p.architecture == architecture

    @property
    def variant(self) -> str:
        """Return of which variant of its architecture it is."""
        return self.platform.variant if self.platform else ""


class _Manifest(Struct):
    """A manifest, which has a config and layers, or an index, which has manifests."""

    config: _Descriptor | None = None
    layers: list[_Descriptor] | None = None
    manifests: list[_Descriptor] | None = None


_Found = tuple[_Descriptor, _Manifest, list[str]]
"""An image of an index: where it is told, its manifest, and what it is called."""


def contents(blobs: Blobs) -> Contents:
    """Return what is in an archive. Raises `ArchiveInvalid` if that is not exactly one image."""
    if "manifest.json" in blobs:
        return _saved(blobs)
    if "index.json" in blobs:
        return _from_index(blobs)
    problem = "no image archive: neither a manifest.json nor an index.json is in it"
    raise ArchiveInvalid(blobs.path, problem, f"{SAVE} (what `docker export` writes has no layers)")


def read(blobs: Blobs, name: str) -> bytes:
    """Return a JSON file's bytes. Raises `ArchiveInvalid` if it is not what its name promises."""
    if blobs.size(name) > MAX_JSON:
        raise ArchiveInvalid(blobs.path, f"{name[:200]} has more than {MAX_JSON:,} bytes", SAVE)
    with blobs.open(name) as file:
        content = file.read()
    promised = _HEX.search(name)
    if promised and hashlib.sha256(content).hexdigest() != promised[0]:
        raise ArchiveInvalid(blobs.path, f"damaged: {name[:200]} is not what its name says", SAVE)
    return content


def decode(blobs: Blobs, name: str, content: bytes, kind: type[_T]) -> _T:
    """Return JSON as a type. Raises `ArchiveInvalid` if it is not of that."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArchiveInvalid(blobs.path, f"{name[:200]}: {error}", SAVE) from error


def _saved(blobs: Blobs) -> Contents:
    """Return what a manifest.json says."""
    name = "manifest.json"
    images = decode(blobs, name, read(blobs, name), list[_Saved])
    if len(images) != 1:
        tags = ", ".join(tag for image in images[:9] for tag in image.repo_tags or ["one unnamed"])
        problem = f"holds {len(images)} images ({tags})" if images else "holds no image"
        raise ArchiveInvalid(blobs.path, problem, _EACH)
    [image] = images
    return Contents(image.config, image.layers or [], image.repo_tags or [])


def _from_index(blobs: Blobs) -> Contents:
    """Return what an index.json leads to: the only image, or that for this machine."""
    by_digest: dict[str, _Found] = {}
    ahead = [(index, index.called()) for index in _manifest(blobs, "index.json").manifests or []]
    for number, (descriptor, called) in enumerate(ahead):
        if number > MAX_MANIFESTS:
            raise ArchiveInvalid(blobs.path, f"more than {MAX_MANIFESTS:,} manifests", SAVE)
        told = descriptor.platform
        if not _DIGEST.fullmatch(descriptor.digest):
            raise ArchiveInvalid(blobs.path, f"{descriptor.digest[:200]!r} for a digest", SAVE)
        if (told and told.os == "unknown") or descriptor.note("vnd.docker.reference.type"):
            continue
        if descriptor.blob not in blobs and len(ahead) > 1:
            # An image of several platforms may have been saved with some of them only.
            continue
        manifest = _manifest(blobs, descriptor.blob)
        ahead += [(inner, called or inner.called()) for inner in manifest.manifests or []]
        if manifest.config:
            # One image may be there under several names.
            _, _, names = by_digest.setdefault(descriptor.digest, (descriptor, manifest, []))
            names += [called] if called and called not in names else []
    found = list(by_digest.values())
    if len(found) > 1:
        found = _for_here(blobs, found)
    for _, manifest, names in found:
        if manifest.config:
            layers = [layer.blob for layer in manifest.layers or []]
            return Contents(manifest.config.blob, layers, names)
    raise ArchiveInvalid(blobs.path, "holds no image of any platform", SAVE)


def _for_here(blobs: Blobs, found: list[_Found]) -> list[_Found]:
    """Return the one of several images that is for this machine. Raises `ArchiveInvalid`."""
    here = _MACHINES.get(platform.machine(), platform.machine())
    fitting = [one for one in found if one[0].is_for(here)]
    for variant in _VARIANTS.get(here, ("",)):
        if usual := [one for one in fitting if one[0].variant == variant]:
            fitting = usual
            break
    if len(fitting) != 1:
        several = ", ".join(descriptor.told_apart_by() for descriptor, _, _ in found)
        problem = f"holds {len(found)} images ({several}) and not just one for linux/{here}"
        raise ArchiveInvalid(blobs.path, problem, _save_one([one[0] for one in fitting or found]))
    return fitting


def _save_one(several: list[_Descriptor]) -> str:
    """Return how to save one of several images: by a platform that only it has, if there is one."""
    platforms = [one.platform for one in several if one.platform]
    # These are words of the archive, and what is told here may be copied into a shell.
    told = [p for p in platforms if p.os and p.architecture and _PLATFORM.fullmatch(p.named())]
    alone = [p for p in told if platforms.count(p) == 1]
    if not alone:
        return _EACH
    p = min(alone, key=lambda one: one.os != "linux")
    options = f"--override-os {p.os} --override-arch {p.architecture}"
    options += f" --override-variant {p.variant}" if p.variant else ""
    return (
        f"Save one with `docker save --platform {p.named()}` (since Docker 28) or "
        f"`skopeo copy {options} …`"
    )


def _manifest(blobs: Blobs, name: str) -> _Manifest:
    return decode(blobs, name, read(blobs, name), _Manifest)
