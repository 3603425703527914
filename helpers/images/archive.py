"""An image archive: what `docker save`, skopeo, podman or BuildKit write, tar or OCI layout.

Nothing is run and nothing unpacked, but that a compressed archive is decompressed as a whole to a
file without a name. Layers are verified by their DiffIDs as they are read.
"""

import hashlib
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import msgspec
from msgspec import Struct, field
from zlib_ng import zlib_ng

from helpers.errors import ArchiveInvalid
from helpers.images.blobs import SAVE, Blobs, open_blobs
from helpers.images.compression import compressed_by, unpack, unpacked_limit
from helpers.images.tar import CHUNK

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


pass

MAX_LAYERS = 1000
"""Most layers of an image; Docker itself stops at 127."""

GZIP_LEVEL = 6

_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_DIFF_ID = re.compile(r"sha256:[0-9a-f]{64}")


class Layer(NamedTuple):
    """A layer. `name` is for messages, `blob` that of its file in the archive.

    `digest` is its file's, `None` where the archive does not say; `compressed_bytes` is its file's
    size, `None` where that is not compressed; `unpacked_limit` is how many bytes may come of it.
    """

    name: str
    diff_id: str
    digest: str | None
    compressed_bytes: int | None
    unpacked_limit: int
    blob: str


class Archive:
    """An open image archive, with the `config` of its image as it stands there."""

    def __init__(self, blobs: Blobs) -> None:
        self.path = blobs.path
        self._blobs = blobs
        found = contents(blobs)
        content = read(blobs, found.config)
        diff_ids = decode(blobs, found.config, content, _Config).rootfs.diff_ids or []
        if len(diff_ids) != len(found.layers):
            raise self.invalid(f"{len(found.layers)} layers, but {len(diff_ids)} in its config")
        if len(diff_ids) > MAX_LAYERS:
            raise self.invalid(f"more than {MAX_LAYERS:,} layers")
        self.image_id = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.config = decode(blobs, found.config, content, dict[str, Any])
        self.names = found.names
        self.layers = tuple(
            self._layer(f"layer {number} of {len(diff_ids)}", diff_id, blob)
            for number, (diff_id, blob) in enumerate(zip(diff_ids, found.layers, strict=True), 1)
        )

    def open_layer(self, layer: Layer) -> BinaryIO:
        """Return a layer's tar, decompressed.

        Reading raises `ArchiveInvalid` if the layer is damaged or a decompression bomb, or when
        all was read and is not what the DiffID is of.
        """

        def fail(problem: str) -> ArchiveInvalid:
            return self.invalid(f"{layer.name} is {problem}")

        return unpack(self._blobs.open(layer.blob), layer.unpacked_limit, fail, layer.diff_id)

    def invalid(self, problem: str, remedy: str = SAVE) -> ArchiveInvalid:
        """Return the error of a problem with this archive."""
        return ArchiveInvalid(self.path, problem, remedy)

    def _layer(self, name: str, diff_id: str, blob: str) -> Layer:
        if not _DIFF_ID.fullmatch(diff_id):
            raise self.invalid(f"{name} has {diff_id[:200]!r} for a DiffID")
        size = self._blobs.size(blob)
        with self._blobs.open(blob) as file:
            compressed, limit = compressed_by(file), unpacked_limit(file, size)
        told = _BLOB.fullmatch(blob)
        digest = f"sha256:{told[1]}" if told else None
        return Layer(name, diff_id, digest, size if compressed else None, limit, blob)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an image archive: a tar, plain or compressed, or the folder of an OCI layout.

    Of several platforms this machine's is taken. Raises `ArchiveInvalid` if it is no archive of
    one image, or not a whole one as far as can be told without reading its layers.
    """
    with open_blobs(path) as blobs:
        yield Archive(blobs)


def gzip_size(archive: Archive, layer: Layer) -> int:
    """Return a layer's size in bytes when compressed, about as a registry would send it.

    A layer that is compressed in the archive has its size there; another is compressed here, with
    zlib-ng at level 6. A Debian base of 124 MB gives 50.7 MB in 1.6 s; zlib takes 4.5 s for 49.6,
    and Docker 26 pushes 50.5 MB of it, and 59.0 MB of a Node.js layer that gives 58.9 MB here.
    """
    if layer.compressed_bytes is not None:
        return layer.compressed_bytes
    compressor = zlib_ng.compressobj(GZIP_LEVEL, zlib_ng.DEFLATED, 31)
    size = 0
    with archive.open_layer(layer) as stream:
        while chunk := stream.read(CHUNK):
            size += len(compressor.compress(chunk))
    return size + len(compressor.flush())


class _Rootfs(Struct):
    diff_ids: list[str] | None = None


class _Config(Struct):
    rootfs: _Rootfs = field(default_factory=_Rootfs)
