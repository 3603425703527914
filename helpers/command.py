"""Which program an image's command starts, told from its words and from the image's files."""

import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

from helpers import toolbox
from helpers.linking import Image

FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
"""Where a command without a path is looked for, in this order: the usual PATH."""

LAUNCHERS = frozenset(
    {"catatonit", "dumb-init", "env", "exec", "gosu", "nice", "setpriv", "su-exec", "tini"}
)
"""Words that start the program which comes after them."""

_COMPOUND = frozenset(";&|$`()<>\n")
"""Characters by which a line for a shell is more than one command."""


class Programs(NamedTuple):
    """The files of an image that can be started: ELF programs, and all of them, scripts too."""

    there: Image
    elf: Collection[str]
    runs: Collection[str]


def program(command: str, folder: str, programs: Programs, runtime: Sequence[str]) -> list[str]:
    """Return the program that a command starts in the end; empty if that cannot be told.

    Launchers, shells and a script of an entrypoint, which by custom starts its arguments, are
    passed over; an installer of an app's packages (`npm start`) starts the `runtime`. Nothing is
    told of a line for a shell that is more than one command, of a program that is not where a PATH
    usually looks, and of a script without arguments.
    """
    try:
        ahead = shlex.split(command)[::-1]
        while ahead:
            word = ahead.pop()
            if word.startswith("-") or "=" in word or word == "exec":
                continue
            path = _find(word, folder, programs.there)
            if path not in programs.runs:
                return []
            tool = toolbox.named(word)
            kind = tool.kind if tool else ""
            if path not in programs.elf:
                if kind == toolbox.APP_INSTALLER:
                    return list(runtime)
            elif kind == toolbox.SHELL:
                if ahead and ahead[-1] == "-c":
                    line = ahead[-2] if len(ahead) > 1 else ""
                    ahead = [] if _COMPOUND & set(line) else shlex.split(line)[::-1]
            elif word.rpartition("/")[2] not in LAUNCHERS:
                return [str(path)]
    except ValueError:  # an unclosed quotation
        return []
    return []


def _find(word: str, folder: str, there: Image) -> str | None:
    """Return the file that a word of a command names, if there is one."""
    if word.startswith("/"):
        return there.real(word)
    if "/" in word:
        return there.real(f"{folder}/{word}")
    return next((real for at in FOLDERS if (real := there.real(f"{at}/{word}"))), None)
