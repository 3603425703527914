"""Programs that help an attacker: the table `tools.csv`, and what it says of a file.

To add a tool, add a line to `tools.csv` (in this folder): the command's `name`; its `kind`, which
is a row of the attack surface; `about`, what it is good for; and, where its program tells a
`version`, a pattern of the program's bytes with one group. A new kind needs a translation, and a
plural in `surface.checks.PLURALS`. After changing a version pattern, capture again; other edits
need no capture.
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

_NUMBERED = re.compile(r"[-.]?\d+(\.\d+)*$")


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

    >>> named("usr/bin/python3.13").kind, named("usr/bin/true")
    ('interpreter', None)
    """
    name = path.rpartition("/")[2]
    return table().get(name) or table().get(_NUMBERED.sub("", name))


def version(path: str, content: bytes) -> str:
    """Return the version that a tool's program tells in its bytes; empty if it tells none.

    >>> version("usr/local/bin/node", b"... node.js/v24.19.0 ...")
    '24.19.0'
    """
    tool = named(path)
    if tool is None or not tool.version:
        return ""
    found = re.search(tool.version.encode(), content)
    return found[1].decode("ascii", "backslashreplace") if found else ""
