"""Which tools are in an image: told by its files, or by its packages where these are not known."""

import re
from collections.abc import Iterable
from posixpath import basename
from typing import Any

import pandas as pd

from helpers.images import known_programs
from helpers.studies.package_files import OS_CLASS
from helpers.surface.dynamic_linking import Image, image

GLIBC, MUSL = frozenset({"libc6", "glibc"}), frozenset({"musl"})
"""Packages that are a C library."""

COLUMNS = ("variant", "tool", "kind", "path", "what", "package", "version")

_COMMANDS = re.compile(r"(?:^|/)s?bin/[^/]+$")
"""Folders where what can be run is a command, whatever it is."""


def found(files: pd.DataFrame) -> pd.DataFrame:
    """Return the tools that are in each image, one row a path: those of the table `tools.csv`.

    `variant, tool, kind, path, what, package, version`. A tool is a program by that name anywhere;
    a script by that name among commands; a link by that name among commands that leads to something
    that can be run; or a link anywhere to a program of many commands: busybox's are what they are
    called. `what` says which of these.
    """
    rows: list[tuple[Any, ...]] = []
    named = files[files["path"].map(known_programs.named).notna()]
    for variant, own in named.groupby("variant", sort=False):
        everything = files[files["variant"].eq(variant)]
        there = image(everything)
        runs = frozenset(everything["path"][everything["executable"]])
        for row in own.itertuples():
            if what := _is(row, there, runs):
                tool = known_programs.named(row.path)
                assert tool is not None
                rows.append(
                    (variant, tool.name, tool.kind, row.path, what, row.package, row.version)
                )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def of_packages(packages: pd.DataFrame) -> pd.DataFrame:
    """Return the tools that packages are named after, as `found` does; `path` is NA.

    They are OS packages, and installers of an app's packages that an image brings along. A package
    may bring tools of other names, and a tool may have come without a package.
    """
    of_os = packages["package_class"].eq(OS_CLASS).fillna(False)
    named = packages[of_os | packages["place"].eq("tools").fillna(False)]
    tools = [
        (row.variant, row.package, row.package_class, known_programs.named(row.package))
        for row in named.itertuples()
    ]
    rows = [
        (variant, package, tool.kind, pd.NA, "a package by that name", package, pd.NA)
        for variant, package, package_class, tool in tools
        if tool and (package_class == OS_CLASS or tool.kind == known_programs.APP_INSTALLER)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def names(table: pd.DataFrame, variant: str, kinds: Iterable[str]) -> frozenset[str]:
    """Return the tools of some kinds that a variant has, of `found` or `of_packages`."""
    own = table[table["variant"].eq(variant) & table["kind"].isin(list(kinds))]
    return frozenset(own["tool"])


def packages(frame: pd.DataFrame, variant: str) -> frozenset[str]:
    """Return the names of a variant's packages."""
    return frozenset(frame[frame["variant"].eq(variant)]["package"].dropna())


def binaries(files: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of executables and shared libraries of each image: ELF files by kind.

    `variant, executables, libraries`, of images whose files are known; a file with several names
    counts once.
    """
    own = files[files["kind"].eq("file")]
    runs, libraries = own["elf"].isin(["executable", "static"]), own["elf"].eq("shared")
    counts = own.assign(executables=runs, libraries=libraries.fillna(False).astype("bool"))
    table = counts.groupby("variant", sort=False)[["executables", "libraries"]].sum()
    return (
        table.reindex(list(dict.fromkeys(files["variant"])), fill_value=0)
        .astype("Int64")
        .reset_index()
    )


def _is(row: Any, there: Image, runs: frozenset[str]) -> str:
    """Return what a path named like a tool is; empty if it cannot be run."""
    command = _COMMANDS.search(row.path) is not None
    if row.kind == "symlink":
        real = there.real(row.path)
        if real is None or real not in runs:
            return ""
        return f"link to {real}" if command or basename(real) in known_programs.MULTI_CALL else ""
    if row.path not in runs:
        return ""
    if row.elf in ("executable", "static"):
        return f"other name of {row.target}" if row.kind == "hardlink" else "program"
    return "script" if command and not isinstance(row.elf, str) else ""
