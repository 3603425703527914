"""Programs that help an attacker: the table `tools.csv`, matched with files.

To add a tool, add a line to `tools.csv` (in this folder): the command's `name`; its `kind`, a row
of the attack surface; `about`, its purpose; and `version`, a pattern with one group that finds the
version in the program's bytes. A new kind needs a translation, and a
plural in `surface.checks.PLURALS`. After changing a version pattern, capture again; other edits
need no capture.

Programs compiled by Go state its version, as in `go1.24.4`, whatever their name.
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
"""Programs with many names, each a tool of its own."""

GO = "go"
"""Prefix of the version of a program compiled by Go."""

_NUMBERED = re.compile(r"[-.]?(\d+(\.\d+)*)$")
_LIBRARY = re.compile(r"lib(?P<name>python[\d.]*|node|jvm)m?\.so[\d.]*$")
"""Libraries that contain a runtime; the program only starts them."""

_OF_LIBRARY = {"jvm": "java"}

_GO = re.compile(rb"\xff Go buildinf:.{18}.(go1\.\d+(?:\.\d+|rc\d+|beta\d+)?)", re.DOTALL)
"""The mark of Go 1.18 or newer, 18 bytes, the length of the version, and the version:
`debug/buildinfo`, https://go.googlesource.com/go/+/refs/tags/go1.24.4/src/debug/buildinfo."""


class Tool(NamedTuple):
    """A line of the table; `version` is empty if the program does not contain it."""

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

    A runtime library is named after its program.

    >>> named("usr/bin/python3.13").kind, named("usr/bin/true")
    ('interpreter', None)
    >>> named("usr/lib/libpython3.13.so.1.0").name
    'python'
    """
    name = _name(path)
    return table().get(name) or table().get(_NUMBERED.sub("", name))


def version(path: str, content: bytes) -> str:
    r"""Return the version in a program's bytes; empty if there is none.

    The version must match the tool's pattern and the version in the file name; else it is that of
    the Go compiler.

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
    """Return the name of a file; for a runtime library, that of its program."""
    name = path.rpartition("/")[2]
    library = _LIBRARY.match(name)
    return _OF_LIBRARY.get(library["name"], library["name"]) if library else name
