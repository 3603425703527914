"""Shells, package managers and C libraries: told by the packages of an image, or by its files."""

from typing import NamedTuple

import pandas as pd

SHELLS = frozenset({"ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "sh", "toybox", "zsh"})
PACKAGE_MANAGERS = frozenset(
    {"apk", "apk-tools", "apt", "apt-get", "aptitude", "dnf", "dpkg", "microdnf", "opkg", "rpm"}
    | {"yum", "zypper"}
)
"""Names of packages that bring such a tool, and of the tools themselves."""

INSTALLERS = frozenset({"corepack", "npm", "npx", "pnpm", "yarn"})
"""What can install a Node.js app's packages."""

GLIBC, MUSL = frozenset({"libc6", "glibc"}), frozenset({"musl"})

_FOLDERS = r"^(?:usr/|usr/local/)?s?bin/[^/]+$"
"""Where a PATH looks; a tool elsewhere is not found by its name."""


class Libc(NamedTuple):
    """Which C library the executables of an image ask for: numbers of ELF files by loader."""

    musl: int
    glibc: int


class Binaries(NamedTuple):
    """Numbers of ELF files of an image, by kind."""

    executables: int
    libraries: int


def packages(frame: pd.DataFrame, variant: str) -> frozenset[str]:
    """Return the names of a variant's packages."""
    return frozenset(frame[frame["variant"].eq(variant)]["package"].dropna())


def commands(files: pd.DataFrame, variant: str) -> frozenset[str] | None:
    """Return the names of all commands on a variant's PATH; `None` if its files are not known.

    A symlink is a command too: busybox is called by the names of its links.
    """
    own = files[files["variant"].eq(variant)]
    if own.empty:
        return None
    runs = own["executable"] | own["kind"].eq("symlink")
    named = own[runs & own["path"].str.match(_FOLDERS)]["path"]
    return frozenset(path.rpartition("/")[2] for path in named)


def binaries(files: pd.DataFrame, variant: str) -> Binaries | None:
    """Return the numbers of a variant's executables and shared libraries; `None`: not known."""
    own = files[files["variant"].eq(variant)]
    if own.empty:
        return None
    runs = int(own["elf"].isin(["executable", "static"]).sum())
    return Binaries(runs, int(own["elf"].eq("shared").sum()))


def libc(files: pd.DataFrame, variant: str) -> Libc | None:
    """Return how many executables of a variant ask for which loader; `None`: files not known."""
    own = files[files["variant"].eq(variant)]
    if own.empty:
        return None
    loaders = own["elf_interpreter"].dropna()
    musl = loaders.str.contains("ld-musl", regex=False)
    return Libc(int(musl.sum()), int(loaders.str.contains("ld-linux", regex=False).sum()))
