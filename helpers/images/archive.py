"""Image archives of `docker save`, skopeo, podman and BuildKit: a tar, or an OCI layout.

Nothing runs and nothing is unpacked; a compressed archive is decompressed to an unnamed file.
Layers are checked against their DiffIDs as they are read.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from zlib_ng import zlib_ng

from helpers.compressed import CHUNK, compressed_by, unpack, unpacked_in_all, unpacked_limit
from helpers.errors import ArchiveInvalid
from helpers.images import oci
from helpers.images.blobs import SAVE, Blobs, open_blobs
from helpers.images.oci import DIGEST, Descriptor, Manifest, Platform

MAX_JSON = 2**24
"""Maximum bytes of a manifest, index or config; real ones have a few kilobytes."""

MAX_MANIFESTS = 1000
MAX_MANIFEST_BYTES = 2**26
"""Maximum number of manifests in indexes, and of their bytes."""

MAX_LAYERS = 1000
"""Maximum layers of an image; Docker allows 127."""

GZIP_LEVEL = 6

_HEX = re.compile(r"[0-9a-f]{64}")
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_EACH = "Save each to a file of its own"
_QUOTED = 200
"""Letters of a name that an error quotes."""

_T = TypeVar("_T")


class Layer(NamedTuple):
    """A layer. `name` is for messages, `blob` is the name of its file in the archive.

    `digest` is the file's, `None` if the archive does not say; `compressed_bytes` is the file's
    size, `None` if it is not compressed; it may expand to `unpacked_limit` bytes.
    """

    name: str
    diff_id: str
    digest: str | None
    compressed_bytes: int | None
    unpacked_limit: int
    blob: str


class Archive:
    """An open image archive, with the `config` of its image as recorded."""

    def __init__(self, blobs: Blobs, wanted: Platform) -> None:
        self.path = blobs.path
        self._blobs = blobs
        found = contents(blobs, wanted)
        content = _read(blobs, found.config)
        decoded = _decode(blobs, found.config, content, oci.Config)
        if not decoded.platform.fits(wanted):
            raise self.invalid(f"is for {decoded.platform}, not for {wanted}", "Save that one")
        diff_ids = decoded.rootfs.diff_ids or []
        if len(diff_ids) != len(found.layers):
            raise self.invalid(f"{len(found.layers)} layers, but {len(diff_ids)} in its config")
        if len(diff_ids) > MAX_LAYERS:
            raise self.invalid(f"more than {MAX_LAYERS:,} layers")
        self.image_id = oci.digest(content)
        self.config = _decode(blobs, found.config, content, dict[str, Any])
        self.names = found.names
        self._unpacked: dict[str, int] = {}
        self._unpacked_limit = unpacked_in_all(
            self._stored_size(blob) for blob in dict.fromkeys(found.layers)
        )
        self.layers = tuple(
            self._layer(f"layer {number} of {len(diff_ids)}", diff_id, blob)
            for number, (diff_id, blob) in enumerate(zip(diff_ids, found.layers, strict=True), 1)
        )

    def open_layer(self, layer: Layer) -> BinaryIO:
        """Return a layer's tar, decompressed.

        Reading raises `ArchiveInvalid` if the layer is damaged or a decompression bomb, if all
        layers together are one, and at its end if it does not have its DiffID.
        """

        def fail(problem: str) -> ArchiveInvalid:
            return self.invalid(f"{layer.name} is {problem}")

        def count(size: int) -> None:
            # A layer may be read twice, and one file may be several layers.
            self._unpacked[layer.name] = max(size, self._unpacked.get(layer.name, 0))
            if sum(self._unpacked.values()) > self._unpacked_limit:
                problem = f"its layers expand to more than {self._unpacked_limit:,} bytes in all"
                raise self.invalid(f"a decompression bomb: {problem}")

        stream = self._blobs.open(layer.blob)
        return unpack(stream, layer.unpacked_limit, fail, layer.diff_id, count=count)

    def invalid(self, problem: str, remedy: str = SAVE) -> ArchiveInvalid:
        """Return the error of a problem with this archive."""
        return ArchiveInvalid(self.path, problem, remedy)

    def _stored_size(self, blob: str) -> tuple[int, bool]:
        """Return the bytes of a layer's file, and whether it is compressed."""
        with self._blobs.open(blob) as file:
            return self._blobs.size(blob), bool(compressed_by(file))

    def _layer(self, name: str, diff_id: str, blob: str) -> Layer:
        if not DIGEST.fullmatch(diff_id):
            raise self.invalid(f"{name} has the invalid DiffID {diff_id[:200]!r}")
        size = self._blobs.size(blob)
        with self._blobs.open(blob) as file:
            compressed, limit = compressed_by(file), unpacked_limit(file, size)
        named = _BLOB.fullmatch(blob)
        digest = f"sha256:{named[1]}" if named else None
        return Layer(name, diff_id, digest, size if compressed else None, limit, blob)


@contextmanager
def open_archive(path: Path, wanted: Platform = oci.ANY) -> Iterator[Archive]:
    """Open an image archive: a tar, plain or compressed, or the folder of an OCI layout.

    Of several platforms it opens the wanted one, else this machine's. Raises `ArchiveInvalid` if it
    is not an archive of one image, is incomplete or of another platform. Damage inside a layer is
    found only when the layer is read.
    """
    with open_blobs(path) as blobs:
        yield Archive(blobs, wanted)


def gzip_size(archive: Archive, layer: Layer) -> int:
    """Return a layer's compressed size in bytes, close to its size in a registry.

    A layer that is compressed in the archive keeps that size; others are compressed here by zlib-ng
    at level 6. A Debian base of 124 MB gives 50.7 MB in 1.6 s (zlib: 49.6 MB in 4.5 s; Docker 26
    pushes 50.5 MB); a Node.js layer gives 58.9 MB (Docker: 59.0 MB).
    """
    if layer.compressed_bytes is not None:
        return layer.compressed_bytes
    compressor = zlib_ng.compressobj(GZIP_LEVEL, zlib_ng.DEFLATED, 31)
    size = 0
    with archive.open_layer(layer) as stream:
        while chunk := stream.read(CHUNK):
            size += len(compressor.compress(chunk))
    return size + len(compressor.flush())


class Contents(NamedTuple):
    """The image of an archive: the names of its config and layer files, and the image's names."""

    config: str
    layers: list[str]
    names: list[str]


def contents(blobs: Blobs, wanted: Platform = oci.ANY) -> Contents:
    """Return what is in an archive: its only image, or that of a platform.

    Raises `ArchiveInvalid` if there is not exactly one.
    """
    if "manifest.json" in blobs:
        return _saved(blobs)
    if "index.json" in blobs:
        return _indexed(blobs, wanted)
    problem = "not an image archive: no manifest.json or index.json"
    raise ArchiveInvalid(blobs.path, problem, f"{SAVE} (`docker export` leaves out the layers)")


class _Saved(Struct, rename="pascal"):
    """An image in the manifest.json of `docker save`."""

    config: str
    layers: list[str] | None = None
    repo_tags: list[str] | None = None


def _read(blobs: Blobs, name: str) -> bytes:
    """Return a JSON file. Raises `ArchiveInvalid` if it does not have the digest in its name."""
    if blobs.size(name) > MAX_JSON:
        raise ArchiveInvalid(blobs.path, f"{name[:200]} has more than {MAX_JSON:,} bytes", SAVE)
    with blobs.open(name) as file:
        content = file.read()
    digest = _HEX.search(name)
    if digest and hashlib.sha256(content).hexdigest() != digest[0]:
        problem = f"damaged: {name[:200]} does not have the digest in its name"
        raise ArchiveInvalid(blobs.path, problem, SAVE)
    return content


def _decode(blobs: Blobs, name: str, content: bytes, kind: type[_T]) -> _T:
    """Return JSON decoded as a type. Raises `ArchiveInvalid`."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArchiveInvalid(blobs.path, f"{name[:200]}: {error}", SAVE) from error


def _manifest(blobs: Blobs, name: str) -> Manifest:
    return _decode(blobs, name, _read(blobs, name), Manifest)


def _saved(blobs: Blobs) -> Contents:
    """Return the image of a manifest.json."""
    name = "manifest.json"
    images = _decode(blobs, name, _read(blobs, name), list[_Saved])
    if len(images) != 1:
        named = [tag[:_QUOTED] for image in images[:9] for tag in image.repo_tags or ["unnamed"]]
        tags = ", ".join(named[:9])
        problem = f"holds {len(images)} images ({tags})" if images else "holds no image"
        raise ArchiveInvalid(blobs.path, problem, _EACH)
    [image] = images
    return Contents(image.config, image.layers or [], image.repo_tags or [])


def _indexed(blobs: Blobs, wanted: Platform) -> Contents:
    """Return the image of an index.json: the only one, or that of a platform."""
    found: dict[str, tuple[Descriptor, Contents]] = {}
    ahead = [(index, index.image_name) for index in _manifest(blobs, "index.json").manifests or []]
    size = 0
    for descriptor, name in ahead:
        if len(ahead) > MAX_MANIFESTS:
            raise ArchiveInvalid(blobs.path, f"more than {MAX_MANIFESTS:,} manifests", SAVE)
        if not DIGEST.fullmatch(descriptor.digest):
            raise ArchiveInvalid(blobs.path, f"invalid digest {descriptor.digest[:200]!r}", SAVE)
        # Not all platforms of an image may have been saved.
        if descriptor.is_attestation or (descriptor.blob not in blobs and len(ahead) > 1):
            continue
        size += blobs.size(descriptor.blob)
        if size > MAX_MANIFEST_BYTES:
            problem = f"manifests of more than {MAX_MANIFEST_BYTES:,} bytes"
            raise ArchiveInvalid(blobs.path, problem, SAVE)
        manifest = _manifest(blobs, descriptor.blob)
        ahead += [(inner, name or inner.image_name) for inner in manifest.manifests or []]
        if manifest.config:
            layers = [layer.blob for layer in manifest.layers or []]
            image = Contents(manifest.config.blob, layers, [])
            # One image may have several names.
            names = found.setdefault(descriptor.digest, (descriptor, image))[1].names
            names += [name] if name and name not in names else []
    if not found:
        raise ArchiveInvalid(blobs.path, "holds no image of any platform", SAVE)
    if len(found) == 1:
        [(_, image)] = found.values()
        return image
    images = [descriptor for descriptor, _ in found.values()]
    return found[_for_platform(blobs, images, wanted if wanted != oci.ANY else oci.here()).digest][
        1
    ]


def _for_platform(blobs: Blobs, images: list[Descriptor], wanted: Platform) -> Descriptor:
    """Return the one of several images that is for a platform. Raises `ArchiveInvalid`."""
    fitting = oci.for_platform(images, wanted)
    if len(fitting) != 1:
        found = [(str(i.platform) or i.image_name or i.digest)[:_QUOTED] for i in images]
        names = ", ".join(found[:9])
        problem = f"holds {len(images)} images ({names}), not exactly one for {wanted}"
        raise ArchiveInvalid(blobs.path, problem, _save_one(fitting or images))
    return fitting[0]


def _save_one(images: list[Descriptor]) -> str:
    """Return how to save one of several images: by its platform if that is unique."""
    platforms = [image.platform for image in images]
    # These words come from the archive, and a user may paste them into a shell.
    valid = [p for p in platforms if p.is_valid]
    unique = [p for p in valid if platforms.count(p) == 1]
    if not unique:
        return _EACH
    p = min(unique, key=lambda p: p.os != "linux")
    options = f"--override-os {p.os} --override-arch {p.architecture}"
    options += f" --override-variant {p.variant}" if p.variant else ""
    return (
        f"Save one with `docker save --platform {p}` (since Docker 28) or `skopeo copy {options} …`"
    )
