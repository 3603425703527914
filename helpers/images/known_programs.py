"""Programs that help an attacker: the table `tools.csv`, and what it says of a file.

To add a tool, add a line to `tools.csv` (in this folder): the command's `name`; its `kind`, which
is a row of the attack surface; `about`, what it is good for; and, where its program tells a
`version`, a pattern of the program's bytes with one group. A new kind needs a translation, and a
plural in `surface.checks.PLURALS`. After changing a version pattern, capture again; other edits
need no capture.

What Go compiled tells which Go that was, whatever it is called. Its version is as in `go1.24.4`.
"""

import csv
import re
from functools import cache
from typing import NamedTuple

from helpers import paths
from helpers.text.i18n import msg

SHELL, OS_INSTALLER, APP_INSTALLER, INTERPRETER = (
    msg("shell"), msg("package manager"), msg("app installer"), msg("interpreter"),
)  # fmt: skip
MULTI_CALL = ("busybox", "toybox")
"""Programs that are called by many names, each of which is a tool of its own."""

GO = "go"
"""What the version of a program that Go compiled begins with."""

_NUMBERED = re.compile(r"[-.]?(\d+(\.\d+)*)$")
_LIBRARY = re.compile(r"lib(?P<name>python[\d.]*|node|jvm)m?\.so[\d.]*$")
"""Libraries that are a runtime, of which the program is only the start."""

_OF_LIBRARY = {"jvm": "java"}

_GO = re.compile(rb"\xff Go buildinf:.{18}.(go1\.\d+(?:\.\d+|rc\d+|beta\d+)?)", re.DOTALL)
"""The mark in what Go 1.18 or newer compiled, 18 bytes, the length of the version, and the version:
`debug/buildinfo`, https://go.googlesource.com/go/+/refs/tags/go1.24.4/src/debug/buildinfo."""


class Tool(NamedTuple):
    """A line of the table; `version` is empty where it cannot be read from the program."""

    name: str
    kind: str
    about: str
    version: str


@cache
def table() -> dict[str, Tool]:
    """Return the tools by name, in the order of the table."""
    with paths.TOOLS.open(newline="", encoding="utf-8") as file:
        return {row["name"]: Tool(**row) for row in csv.DictReader(file)}


def kinds() -> list[str]:
    """Return the kinds of tools, in the order of the table."""
    return list(dict.fromkeys(tool.kind for tool in table().values()))


def named(path: str) -> Tool | None:
    """Return the tool that a path is named after, if any; a version at its end is ignored.

    A library that is a runtime is named after its program.

    >>> named("usr/bin/python3.13").kind, named("usr/bin/true")
    ('interpreter', None)
    >>> named("usr/lib/libpython3.13.so.1.0").name
    'python'
    """
    name = _name(path)
    return table().get(name) or table().get(_NUMBERED.sub("", name))


def version(path: str, content: bytes) -> str:
    r"""Return the version that a program tells in its bytes; empty if it tells none.

    It is the one that a tool's pattern finds, and that of which the file's name has the beginning;
    else the version of Go that the program was compiled with.

    >>> version("usr/local/bin/node", b"... node.js/v24.19.0 ...")
    '24.19.0'
    >>> version("usr/bin/python3.13", b"... \x003.0.16\x00 ... \x003.13.5\x00 ...")
    '3.13.5'
    """
    tool = named(path)
    if tool and tool.version:
        numbered = _NUMBERED.search(_name(path))
        number = numbered[1] if numbered and "." in numbered[1] else ""
        for found in re.finditer(tool.version.encode(), content):
            text = found[1].decode("ascii", "backslashreplace")
            if f"{text}.".startswith(f"{number}." if number else ""):
                return text
    go = _GO.search(content)
    return go[1].decode() if go else ""


def _name(path: str) -> str:
    """Return the name of a file; of a library that is a runtime, the name of its program."""
    name = path.rpartition("/")[2]
    library = _LIBRARY.match(name)
    return _OF_LIBRARY.get(library["name"], library["name"]) if library else name
