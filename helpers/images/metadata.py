"""What an image says of itself, and what its layers weigh: `image.json` of the evidence."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from helpers.errors import ArchiveInvalid
from helpers.images import etc_passwd, redact

AGAIN = "Make the capture again, with --fresh"

T = TypeVar("T")

Size = Annotated[int, Meta(ge=0, le=2**50)]
"""Bytes of a layer: at most so many that those of all layers are a number of 64 bits."""


class Layer(Struct, frozen=True):
    """One layer. `size_bytes` are its files' bytes, `tar_bytes` its tar's, which is some larger.

    `from_base` says whether the base image has it too; `None`: that is not known.
    """

    diff_id: str
    size_bytes: Size
    tar_bytes: Size
    compressed_bytes: Size
    created_by: str
    from_base: bool | None


class Image(Struct, frozen=True):
    """An image's metadata. Of environment variables and labels there are only the names.

    `runtime` is a language runtime and its version, as its program tells them; empty if none does.
    `compressed_by` says whose layer sizes `compressed_bytes` are: a `registry`'s, those of an
    `archive` whose layers are compressed, or of `gzip` (level 6), run here.
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
        """Return the bytes of all files in all layers, as `docker history` adds them up."""
        return sum(layer.size_bytes for layer in self.layers)

    @property
    def size_compressed_bytes(self) -> int:
        """Return the bytes of all layers compressed."""
        return sum(layer.compressed_bytes for layer in self.layers)


class Smoke(Struct, frozen=True):
    """What became of an image that was started, locked down.

    `answered` on its port, `None` where that could not be tried; `http_status` is what it answered
    with; `why` says what went wrong; `asked_by` how it was reached. `shell` is the one that could
    be started, empty if none could.
    """

    port: int
    answered: bool | None
    http_status: int | None
    seconds: float
    why: str
    asked_by: str = ""
    shell: str = ""
    shells_tried: list[str] = field(default_factory=list)


class _Config(Struct):
    """The part of an image's `config` that says how it is started."""

    user: str = field(default="", name="User")
    working_directory: str = field(default="", name="WorkingDir")
    entrypoint: list[str] | None = field(default=None, name="Entrypoint")
    command: list[str] | None = field(default=None, name="Cmd")
    ports: dict[str, Any] | None = field(default=None, name="ExposedPorts")
    environment: list[str] | None = field(default=None, name="Env")
    labels: dict[str, str] | None = field(default=None, name="Labels")


class _Step(Struct):
    """One step of an image's history."""

    created_by: str = ""
    empty_layer: bool = False


class _Image(Struct):
    """The config of an image: https://github.com/opencontainers/image-spec/blob/main/config.md"""

    created: datetime | None = None
    os: str = ""
    architecture: str = ""
    variant: str = ""
    config: _Config | None = None
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
    there: Container[str] = (),
) -> Image:
    """Return the metadata of an image.

    `layers` are DiffID, file bytes and tar bytes; `compressed` who compressed them and to what;
    `known` is what the daemon says besides; `base` the base image's name and the same of it;
    `accounts` are `/etc/passwd` and `/etc/group`; `there` has the paths of all files. Raises
    `ArchiveInvalid` for a config that is none.
    """
    try:
        told = msgspec.convert(config, _Image)
    except msgspec.ValidationError as error:
        raise ArchiveInvalid(
            path, f"its image config is not one: {error}", "Save the image again"
        ) from error
    of = told.config or _Config()
    secrets = [s for s in secrets if s.rstrip("/") not in there]
    secrets += redact.values(of.environment, there)
    known_names = redact.names(of.environment)
    commands = [
        redact.instruction(step.created_by, secrets, known_names)
        for step in told.history or []
        if not step.empty_layer
    ]
    if len(commands) != len(layers):
        # Squashed or imported images have a history that tells of other layers.
        commands = [""] * len(layers)
    of_base = base[1] or {}
    below = (of_base.get("RootFS") or {}).get("Layers") or [] if base[1] else None
    from_base = _from_base([layer[0] for layer in layers], below)
    who, sizes = compressed
    who_starts = etc_passwd.resolve(of.user, *accounts)
    return Image(
        image_id=image_id,
        names=list((known or {}).get("RepoTags") or []),
        digests=list((known or {}).get("RepoDigests") or []),
        created_at=told.created,
        os=told.os,
        architecture="/".join(filter(None, (told.architecture, told.variant))),
        user=of.user,
        working_directory=of.working_directory,
        entrypoint=[redact.prose(word, secrets) for word in of.entrypoint or []],
        command=[redact.prose(word, secrets) for word in of.command or []],
        ports=sorted(of.ports or {}),
        environment=redact.names(of.environment),
        labels=sorted(of.labels or {}),
        base=base[0],
        layers=[
            Layer(*layer, size, command, is_base)
            for layer, size, command, is_base in zip(
                layers, sizes, commands, from_base, strict=True
            )
        ],
        compressed_by=who,
        base_id=str(of_base.get("Id") or ""),
        base_digests=list(of_base.get("RepoDigests") or []),
        runtime=runtime,
        user_id=who_starts.uid if who_starts else None,
        group_ids=list(who_starts.gids) if who_starts else [],
    )


def port(exposed: Iterable[str]) -> int | None:
    """Return the first TCP port of those that an image exposes, or `None`.

    >>> port(["53/udp", "8080/tcp", "9090/tcp"])
    8080
    """
    numbers = [text.partition("/")[0] for text in exposed if not text.endswith("/udp")]
    return next((int(number) for number in numbers if number.isdecimal()), None)


def write(path: Path, told: Image | Smoke) -> None:
    """Write what is known of an image as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")


def read(path: Path, kind: type[T]) -> T | None:
    """Return what was written, `None` if nothing was. Raises `ArchiveInvalid`."""
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArchiveInvalid(path, f"not what it has to be: {error}", AGAIN) from error


def _from_base(layers: Sequence[str], base: Sequence[str] | None) -> list[bool | None]:
    """Return of each layer whether it is the base image's; `None` where that is not known.

    Where an image is not on all of the layers that its base has now, the base has changed since, or
    is another; what is above those that both have may be from either.
    """
    if base is None:
        return [None] * len(layers)
    pairs = zip(layers, base, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    above = False if shared == len(base) else None
    return [True] * shared + [above] * (len(layers) - shared)
