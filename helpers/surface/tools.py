"""Which tools are in an image, by its files, or by its packages where files are not known."""

import re
from collections.abc import Iterable
from posixpath import basename
from typing import Any

import pandas as pd

from helpers.images import known_programs
from helpers.images.package_files import OS_CLASS
from helpers.surface.dynamic_linking import Image, image
from helpers.text.i18n import Message

GLIBC, MUSL = frozenset({"libc6", "glibc"}), frozenset({"musl"})
"""Packages that are a C library."""

COLUMNS = ("variant", "tool", "kind", "path", "what", "package", "version")

_COMMANDS = re.compile(r"(?:^|/)s?bin/[^/]+$")
"""Folders where what can be run is a command, whatever it is."""


def found(files: pd.DataFrame) -> pd.DataFrame:
    """Return the tools that are in each image, one row a path: those of the table `tools.csv`.

    `variant, tool, kind, path, what, package, version`. A tool is a program by that name anywhere;
    a script by that name among commands; a link by that name among commands that leads to something
    that can be run; or a link anywhere to a program of many commands, as busybox is. `what` is a
    message that says which of these.
    """
    rows: list[tuple[Any, ...]] = []
    named = files[files["path"].map(known_programs.named).notna()]
    for variant, candidates in named.groupby("variant", sort=False):
        files_of_image = files[files["variant"].eq(variant)]
        names_of_image = image(files_of_image)
        runs = frozenset(files_of_image["path"][files_of_image["executable"]])
        for row in candidates.itertuples():
            tool = known_programs.named(row.path)
            what = _what(row, names_of_image, runs)
            if tool and what:
                rows.append(
                    (variant, tool.name, tool.kind, row.path, what, row.package, row.version)
                )
    return _frame(rows)


def of_packages(packages: pd.DataFrame) -> pd.DataFrame:
    """Return the tools that have a package of their name, as `found` does; `path` is NA.

    They are OS packages, and installers of an app's packages that an image brings along. A package
    may bring tools of other names, and a tool may have come without a package.
    """
    is_os = packages["package_class"].eq(OS_CLASS).fillna(False)
    named = packages[is_os | packages["place"].eq("tools").fillna(False)]
    rows: list[tuple[Any, ...]] = []
    for row in named.itertuples():
        tool = known_programs.named(row.package)
        if tool and (row.package_class == OS_CLASS or tool.kind == known_programs.APP_INSTALLER):
            what = Message("a package by that name")
            rows.append((row.variant, row.package, tool.kind, pd.NA, what, row.package, pd.NA))
    return _frame(rows)


def names(table: pd.DataFrame, variant: str, kinds: Iterable[str]) -> frozenset[str]:
    """Return the tools of some kinds that a variant has, of `found` or `of_packages`."""
    return frozenset(table[table["variant"].eq(variant) & table["kind"].isin(list(kinds))]["tool"])


def packages(frame: pd.DataFrame, variant: str) -> frozenset[str]:
    """Return the names of a variant's packages."""
    return frozenset(frame[frame["variant"].eq(variant)]["package"].dropna())


def binaries(files: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of executables and shared libraries of each image: ELF files by kind.

    `variant, executables, libraries`, of images whose files are known; a file with several names
    counts once.
    """
    regular = files[files["kind"].eq("file")]
    counts = pd.DataFrame(
        {
            "variant": regular["variant"],
            "executables": regular["elf"].isin(["executable", "static"]),
            "libraries": regular["elf"].isin(["shared"]),
        }
    )
    sums = counts.groupby("variant", sort=False).sum()
    variants = list(dict.fromkeys(files["variant"]))
    return sums.reindex(variants, fill_value=0).astype("Int64").reset_index()


def _what(row: Any, names_of_image: Image, runs: frozenset[str]) -> str:
    """Return what a path named like a tool is; empty if it cannot be run."""
    command = _COMMANDS.search(row.path) is not None
    if row.kind == "symlink":
        real = names_of_image.real(row.path)
        if real is None or real not in runs:
            return ""
        is_tool = command or basename(real) in known_programs.MULTI_CALL
        return Message("link to {path}", path=real) if is_tool else ""
    if row.path not in runs:
        return ""
    if row.elf in ("executable", "static"):
        is_link = row.kind == "hardlink"
        return Message("link to {path}", path=row.target) if is_link else Message("program")
    return Message("script") if command and not isinstance(row.elf, str) else ""


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return table.astype({column: "str" for column in COLUMNS if column != "what"})
