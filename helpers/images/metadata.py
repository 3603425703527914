"""Metadata of an image and its layers: `image.json` of the evidence, and `smoke.json`."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from helpers import own_file
from helpers.errors import ArchiveInvalid
from helpers.images import etc_passwd, oci, redact

AGAIN = "Capture it again, with --fresh"

T = TypeVar("T")

Size = Annotated[int, Meta(ge=0, le=2**50)]
"""Bytes of a layer; the limit keeps the sum of all layers within 64 bits."""


class Layer(Struct, frozen=True):
    """One layer: the bytes of its files, and of its tar, which is slightly larger.

    `from_base` says whether the base image has it too; `None`: unknown.
    """

    diff_id: str
    size_bytes: Size
    tar_bytes: Size
    compressed_bytes: Size
    created_by: str
    from_base: bool | None


class Image(Struct, frozen=True):
    """An image's metadata; only the names of environment variables and labels.

    `runtime` is a language runtime and its version, read from its program; empty for none.
    `compressed_by` is the source of the layers' `compressed_bytes`: a `registry`, an `archive` with
    compressed layers, or local `gzip` (level 6).
    """

    image_id: str
    names: list[str]
    digests: list[str]
    created_at: datetime | None
    os: str
    architecture: str
    user: str
    working_directory: str
    entrypoint: list[str]
    command: list[str]
    ports: list[str]
    environment: list[str]
    labels: list[str]
    base: str
    layers: list[Layer]
    compressed_by: str
    base_id: str = ""
    base_digests: list[str] = field(default_factory=list)
    runtime: str = ""
    user_id: int | None = None
    group_ids: list[int] = field(default_factory=list)

    @property
    def size_unpacked_bytes(self) -> int:
        """Return the bytes of all files in all layers, as in `docker history`."""
        return sum(layer.size_bytes for layer in self.layers)

    @property
    def size_compressed_bytes(self) -> int:
        """Return the bytes of all layers compressed."""
        return sum(layer.compressed_bytes for layer in self.layers)


class Smoke(Struct, frozen=True):
    """The result of starting an image, locked down.

    `answered`: on its port, with `http_status`; `None` if not tried. `why` says what went wrong,
    `asked_by` how the port was reached. `shell` is the shell that started; empty if none did.
    """

    port: int
    answered: bool | None
    http_status: int | None
    seconds: float
    why: str
    asked_by: str = ""
    shell: str = ""
    shells_tried: list[str] = field(default_factory=list)


class _Step(Struct):
    """One step of an image's history."""

    created_by: str = ""
    empty_layer: bool = False


class _Image(oci.Config):
    """The config of an image, with fields that only its metadata needs."""

    created: datetime | None = None
    history: list[_Step] | None = None


def describe(
    path: Path,
    image_id: str,
    config: dict[str, Any],
    layers: Sequence[tuple[str, int, int]],
    compressed: tuple[str, Sequence[int]],
    known: dict[str, Any] | None = None,
    base: tuple[str, dict[str, Any] | None] = ("", None),
    secrets: Sequence[str] = (),
    runtime: str = "",
    accounts: tuple[bytes, bytes] = (b"", b""),
    file_paths: Container[str] = (),
) -> Image:
    """Return the metadata of an image.

    `layers` are DiffID, file bytes and tar bytes; `compressed` is `compressed_by` and the sizes;
    `known` is the daemon's information about the image, `base` the base image's name and the
    daemon's information about it; `accounts` are `/etc/passwd` and `/etc/group`; `file_paths` are
    all files. Raises `ArchiveInvalid` for an invalid config.
    """
    try:
        image = msgspec.convert(config, _Image)
    except msgspec.ValidationError as error:
        problem = f"invalid image config: {error}"
        raise ArchiveInvalid(path, problem, "Save the image again") from error
    start = image.config or oci.Start()
    environment = redact.names(start.environment)
    secrets = [s for s in secrets if s.rstrip("/") not in file_paths]
    secrets += redact.values(start.environment, file_paths)
    history = [step.created_by for step in image.history or []]
    texts = [*history, *(start.entrypoint or []), *(start.command or [])]
    if problem := redact.problem(secrets, texts):
        raise ArchiveInvalid(path, problem, "Rebuild the image, or give its SBOM instead")
    instructions = [
        redact.instruction(step.created_by, secrets, environment)
        for step in image.history or []
        if not step.empty_layer
    ]
    if len(instructions) != len(layers):
        # The history of a squashed or imported image describes other layers.
        instructions = [""] * len(layers)
    known, (base_name, of_base) = known or {}, base
    known_base = of_base or {}
    base_layers = (known_base.get("RootFS") or {}).get("Layers") or []
    from_base = _from_base([layer[0] for layer in layers], base_layers if of_base else None)
    compressed_by, sizes = compressed
    user = etc_passwd.resolve(start.user, *accounts)
    return Image(
        image_id=image_id,
        names=list(known.get("RepoTags") or []),
        digests=list(known.get("RepoDigests") or []),
        created_at=image.created,
        os=image.os,
        architecture="/".join(filter(None, (image.architecture, image.variant))),
        user=start.user,
        working_directory=start.working_directory,
        entrypoint=[redact.prose(word, secrets) for word in start.entrypoint or []],
        command=[redact.prose(word, secrets) for word in start.command or []],
        ports=sorted(start.ports or {}),
        environment=environment,
        labels=sorted(start.labels or {}),
        base=base_name,
        layers=[
            Layer(*layer, size, instruction, is_base)
            for layer, size, instruction, is_base in zip(
                layers, sizes, instructions, from_base, strict=True
            )
        ],
        compressed_by=compressed_by,
        base_id=str(known_base.get("Id") or ""),
        base_digests=list(known_base.get("RepoDigests") or []),
        runtime=runtime,
        user_id=user.uid if user else None,
        group_ids=list(user.gids) if user else [],
    )


def command(config: dict[str, Any]) -> list[str]:
    """Return an image's start command; empty for none and for an invalid config."""
    start = config.get("config")
    parts = [start.get(key) for key in ("Entrypoint", "Cmd")] if isinstance(start, dict) else []
    return [
        word for part in parts if isinstance(part, list) for word in part if isinstance(word, str)
    ]


def port(exposed: Iterable[str]) -> int | None:
    """Return the first TCP port that an image exposes, or `None`.

    >>> port(["53/udp", "8080/tcp", "9090/tcp"])
    8080
    """
    numbers = [text.partition("/")[0] for text in exposed if not text.endswith("/udp")]
    return next((int(number) for number in numbers if number.isdecimal()), None)


def write(path: Path, record: Image | Smoke) -> None:
    """Store a record as JSON."""
    path.write_bytes(own_file.record(record))


def read(path: Path, kind: type[T]) -> T | None:
    """Return a stored record, `None` if there is no file. Raises `ArchiveInvalid`."""
    return own_file.read(path, kind, ArchiveInvalid, AGAIN)


def _from_base(layers: Sequence[str], base: Sequence[str] | None) -> list[bool | None]:
    """Return per layer whether it comes from the base image; `None`: unknown.

    An image without all of the base's layers was built on another base, or on an older version of
    it: the layers above the shared ones may be from that base or from the build.
    """
    if base is None:
        return [None] * len(layers)
    pairs = zip(layers, base, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    above = False if shared == len(base) else None
    return [True] * shared + [above] * (len(layers) - shared)
