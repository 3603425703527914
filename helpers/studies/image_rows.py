"""What taking an image apart and starting it adds: columns of `images`, `layers` and `files`."""

import shlex
from collections.abc import Sequence
from typing import Any

from helpers.images.file_inventory import File
from helpers.images.metadata import Image, Smoke


def measured(image: Image | None) -> dict[str, Any]:
    """Return what is known of an image that was taken apart."""
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
        "user": image.user,
        "user_id": image.user_id,
        "group_ids": " ".join(map(str, image.group_ids)) or None,
        "command": shlex.join([*image.entrypoint, *image.command]),
        "working_directory": image.working_directory,
        **({"runtime": image.runtime} if image.runtime else {}),
    }


def started(smoke: Smoke | None) -> dict[str, Any]:
    """Return what became of an image that was started."""
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
    told = ("diff_id", "size_bytes", "tar_bytes", "compressed_bytes", "created_by", "from_base")
    return {
        "variant": [variant] * count,
        "capture": [capture] * count,
        "position": list(range(count)),
        **{name: [getattr(layer, name) for layer in image.layers] for name in told},
    }


def files(variant: str, capture: str, listed: Sequence[File]) -> dict[str, Sequence[Any]]:
    """Return the columns of the frame `files` for one image's inventory."""
    count = len(listed)
    regular = [file.kind in ("file", "hardlink") for file in listed]
    modes = [file.mode for file in listed]

    def any_bit(bits: int) -> list[bool]:
        return [r and bool(mode & bits) for r, mode in zip(regular, modes, strict=True)]

    return {
        "variant": [variant] * count,
        "capture": [capture] * count,
        "path": [file.path for file in listed],
        "size_bytes": [file.size_bytes for file in listed],
        "mode": modes,
        "uid": [file.uid for file in listed],
        "gid": [file.gid for file in listed],
        "kind": [file.kind for file in listed],
        "target": [file.target or None for file in listed],
        "executable": any_bit(0o111),
        "setuid": any_bit(0o4000),
        "setgid": any_bit(0o2000),
        "elf": [file.elf or None for file in listed],
        "elf_interpreter": [file.elf_interpreter or None for file in listed],
        "needed": [" ".join(file.needed) or None for file in listed],
        "version": [file.version or None for file in listed],
        "package": [file.package for file in listed],
        "layer": [file.layer for file in listed],
    }
