"""Manifests, indexes and platforms, as OCI and Docker write them.

https://github.com/opencontainers/image-spec/blob/main/manifest.md
"""

import hashlib
import platform as machine
import re
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct, field

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"

MAX_SIZE = 2**50
"""Maximum plausible bytes of a file; the sum over all layers fits 64 bits."""

CONFIGS = (
    "",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
"""Media types of an image's config; other artifacts have others."""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_ALONE = ("amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64")
"""Architectures that may be given without an operating system."""

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_VARIANTS = {"amd64": ("", "v1"), "arm64": ("", "v8"), "arm": ("v7", "")}
"""The usual variants of an architecture, the most usual first:
https://github.com/opencontainers/image-spec/blob/main/image-index.md#platform-variants"""

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?", re.ASCII)


def digest(content: bytes) -> str:
    """Return the digest of some bytes, as used in registries and configs."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Platform(Struct, frozen=True):
    """An operating system and a processor."""

    architecture: str = ""
    os: str = ""
    variant: str = ""

    def __str__(self) -> str:
        """Return it as in `linux/arm64/v8`."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    @property
    def is_valid(self) -> bool:
        """Return whether it looks like a platform; an archive may contain any text."""
        return bool(self.os and self.architecture and _PLATFORM.fullmatch(str(self)))

    def fits(self, wanted: "Platform") -> bool:
        """Return whether an image for this platform fits another; empty parts fit."""
        if wanted == ANY:
            return True
        if self.os not in (wanted.os, "") or self.architecture not in (wanted.architecture, ""):
            return False
        # An image without a variant is for the usual one.
        usual = _VARIANTS.get(wanted.architecture, ()) if not self.variant else ()
        return wanted.variant in ("", self.variant, *usual)


ANY = Platform()


class Descriptor(Struct, rename="camel"):
    """The description of one file in a manifest or an index; `size` is in bytes."""

    digest: str
    size: Annotated[int, Meta(ge=0, le=MAX_SIZE)] = 0
    media_type: str = ""
    given_platform: Platform | None = field(default=None, name="platform")
    annotations: dict[str, str] | None = None

    @property
    def platform(self) -> Platform:
        """Return its platform; with empty parts if none is given."""
        return self.given_platform or ANY

    @property
    def blob(self) -> str:
        """Return the name of its file in an OCI layout."""
        return f"blobs/{self.digest.replace(':', '/', 1)}"

    def annotation(self, *keys: str) -> str:
        """Return the first of these annotations that it has; empty for none."""
        return next((text for key in keys if (text := (self.annotations or {}).get(key))), "")

    @property
    def image_name(self) -> str:
        """Return the name of the image; empty for none."""
        return self.annotation("io.containerd.image.name", "org.opencontainers.image.ref.name")

    @property
    def is_attestation(self) -> bool:
        """Return whether it is an attestation of BuildKit, not an image."""
        return self.platform.os == "unknown" or bool(self.annotation("vnd.docker.reference.type"))


class Manifest(Struct):
    """A manifest, which has a config and layers, or an index, which has manifests."""

    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    manifests: list[Descriptor] | None = None


class Rootfs(Struct):
    """The layers of an image, as its config says."""

    diff_ids: list[str] | None = None


class Start(Struct):
    """How an image is started."""

    user: str = field(default="", name="User")
    working_directory: str = field(default="", name="WorkingDir")
    entrypoint: list[str] | None = field(default=None, name="Entrypoint")
    command: list[str] | None = field(default=None, name="Cmd")
    environment: list[str] | None = field(default=None, name="Env")
    ports: dict[str, Any] | None = field(default=None, name="ExposedPorts")
    volumes: dict[str, Any] | None = field(default=None, name="Volumes")
    labels: dict[str, str] | None = field(default=None, name="Labels")


class Config(Struct):
    """The config of an image: https://github.com/opencontainers/image-spec/blob/main/config.md"""

    rootfs: Rootfs = field(default_factory=Rootfs)
    config: Start | None = None
    os: str = ""
    architecture: str = ""
    variant: str = ""

    @property
    def platform(self) -> Platform:
        """Return the platform that the image is for."""
        return Platform(self.architecture, self.os, self.variant)


def parse(text: str) -> Platform:
    """Return a platform as users write it; empty is any.

    Raises `ValueError` for any other text.

    >>> str(parse("linux/arm64")), str(parse("aarch64")), str(parse("arm/v7")), str(parse(""))
    ('linux/arm64', 'linux/arm64', 'linux/arm/v7', '')
    """
    if not text:
        return ANY
    parts = text.lower().split("/")
    if parts[0] in _ALONE or parts[0] in _ARCHITECTURES:
        parts = ["linux", *parts]
    os, architecture, variant = (*parts, "", "")[:3]
    found = Platform(_ARCHITECTURES.get(architecture, architecture), os, variant)
    if not found.is_valid or len(parts) > 3:
        raise ValueError(f"{text[:200]!r} is not a platform; use one like linux/arm64")
    return found


def here() -> Platform:
    """Return the platform of this machine's images."""
    return Platform(_MACHINES.get(machine.machine(), machine.machine()), "linux")


def for_platform(images: Sequence[Descriptor], wanted: Platform) -> list[Descriptor]:
    """Return the images of an index for a platform, and for its usual variant."""
    fitting = [image for image in images if image.platform.fits(wanted)]
    if wanted.variant:
        return fitting
    for variant in _VARIANTS.get(wanted.architecture, ("",)):
        if usual := [image for image in fitting if image.platform.variant == variant]:
            return usual
    return fitting
