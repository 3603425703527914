"""What a Dockerfile says of the image to move from: its base, and whether it needs a shell."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from helpers import given_file
from helpers.errors import StudyFileInvalid
from helpers.images import dockerfile
from helpers.images.dockerfile import Stage

MAX_BYTES = 2**20
"""Most bytes of a Dockerfile that is read."""

_COMMANDS = ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK")


class Given(NamedTuple):
    """The base of a Dockerfile's last stage, and whether instructions on it need a shell."""

    image: str
    needs_shell: bool


def read(path: Path) -> Given:
    """Return what a Dockerfile says. Raises `StudyFileInvalid`."""
    content = given_file.read(path, MAX_BYTES, StudyFileInvalid)
    if len(content) > MAX_BYTES:
        raise StudyFileInvalid(path, f"larger than {MAX_BYTES:,} bytes", "Pass the image instead")
    stages = dockerfile.stages(content.decode("utf-8", "replace"))
    image = dockerfile.final_base(stages)
    if not image or image == "scratch":
        raise StudyFileInvalid(path, "its last stage has no base image", "Pass the image instead")
    return Given(image, needs_shell(stages))


def needs_shell(stages: Sequence[Stage]) -> bool:
    r"""Return whether instructions of the last stage, or of stages it is built on, need a shell.

    >>> needs_shell(dockerfile.stages("FROM a AS b\nRUN make\nFROM c\nCMD [\"node\", \"x.js\"]"))
    False
    >>> needs_shell(dockerfile.stages("FROM a AS b\nRUN make\nFROM b\n"))
    True
    """
    # A stage leads only to an earlier one.
    wanted = ""
    for stage in reversed(stages):
        if wanted and stage.name.lower() != wanted:
            continue
        for each in stage.instructions:
            if each.word in _COMMANDS and _is_shell_form(each.word, each.arguments()):
                return True
        wanted = stage.image.lower()
    return False


def _is_shell_form(word: str, arguments: str) -> bool:
    if word == "HEALTHCHECK":
        kind, _, arguments = arguments.strip().partition(" ")
        if kind.upper() == "NONE":
            return False
    try:
        msgspec.json.decode(arguments.strip(), type=list[str])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return True
    return False
