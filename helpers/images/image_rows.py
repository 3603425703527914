"""Columns of `images`, `layers` and `files` from an image's metadata, inventory and smoke test."""

import shlex
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from helpers.images import reference
from helpers.images.file_owners import Owned
from helpers.images.metadata import Image, Smoke

_AS_STORED = ("path", "size_bytes", "mode", "uid", "gid", "kind", "package", "layer")
_OR_NONE = {name: attrgetter(name) for name in ("target", "elf", "elf_interpreter", "version")}


def measured(image: Image | None) -> dict[str, Any]:
    """Return the columns of `images` from an image's metadata; none without it."""
    if image is None:
        return {}
    return {
        "base": image.base or None,
        "architecture": image.architecture or None,
        "size_unpacked_bytes": image.size_unpacked_bytes,
        "size_unpacked_source": "files",
        "size_compressed_bytes": image.size_compressed_bytes,
        "size_compressed_source": image.compressed_by,
        "layers": len(image.layers),
        "image_id": image.image_id,
        **({"digest": digest} if (digest := reference.digest_of(image.digests)) else {}),
        "user": image.user,
        "user_id": image.user_id,
        "group_ids": " ".join(map(str, image.group_ids)) or None,
        "command": shlex.join([*image.entrypoint, *image.command]),
        "working_directory": image.working_directory,
        **({"runtime": image.runtime} if image.runtime else {}),
    }


def started(smoke: Smoke | None) -> dict[str, Any]:
    """Return the columns of `images` from an image's smoke test; none without it."""
    if smoke is None:
        return {}
    return {
        "answers": smoke.answered,
        "asked_by": smoke.asked_by or None,
        "shell": smoke.shell or None,
        "shell_starts": bool(smoke.shell),
        "reason": smoke.why or None,
    }


def layers(variant: str, capture: str, image: Image) -> dict[str, list[Any]]:
    """Return the columns of the frame `layers` for one image."""
    count = len(image.layers)
    fields = ("diff_id", "size_bytes", "tar_bytes", "compressed_bytes", "created_by", "from_base")
    return {
        "variant": [variant] * count,
        "capture": [capture] * count,
        "position": list(range(count)),
        **{name: [getattr(layer, name) for layer in image.layers] for name in fields},
    }


def files(variant: str, capture: str, owned: Owned) -> dict[str, Sequence[Any]]:
    """Return the columns of the frame `files` for one image's files."""
    inventory, maybe_of = owned
    count = len(inventory)
    regular = [file.kind in ("file", "hardlink") for file in inventory]
    modes = [file.mode for file in inventory]

    def any_bit(bits: int) -> list[bool]:
        return [
            is_regular and bool(mode & bits)
            for is_regular, mode in zip(regular, modes, strict=True)
        ]

    return {
        "variant": [variant] * count,
        "capture": [capture] * count,
        **{name: list(map(attrgetter(name), inventory)) for name in _AS_STORED},
        **{name: [get(file) or None for file in inventory] for name, get in _OR_NONE.items()},
        "executable": any_bit(0o111),
        "setuid": any_bit(0o4000),
        "setgid": any_bit(0o2000),
        "needed": [" ".join(file.needed) or None for file in inventory],
        "maybe_of": [
            (maybe_of or None) if file.package is None and file.kind != "dir" else None
            for file in inventory
        ],
    }
