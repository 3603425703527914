"""Which package owns a path, from the package databases of an image: apk's, dpkg's, distroless'.

Where another package manager has its own, whose lists of files are not read, that is told.
Paths are without a leading slash. A database may name a file through a directory that is a symbolic
link (`bin/ls` where `bin` leads to `usr/bin`); the owner is that of the path it leads to.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from posixpath import basename, split

MAX_LINKS = 40
"""Most symbolic links on the way to one file, as in Linux."""

_APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_DPKG, _DIVERSIONS, _DISTROLESS = (
    "var/lib/dpkg/info/", "var/lib/dpkg/diversions", "var/lib/dpkg/status.d/"
)  # fmt: skip
_LISTS = re.compile(r"var/lib/dpkg/(?:info/[^/]+\.list|status\.d/[^/]+\.md5sums)$")
_UNREAD = {
    "RPM": r"(?:(?:usr/lib/sysimage|usr/share|var/lib)/rpm/(?:Packages(?:\.db)?|rpmdb\.sqlite)"
    r"|var/lib/rpmmanifest/container-manifest-[12])$",
    "pacman": r"var/lib/pacman/local/[^/]+/",
    "Portage": r"var/db/pkg/[^/]+/[^/]+/",
    "Nix": r"nix/store/[0-9a-z]{32}-",
    "Guix": r"gnu/store/[0-9a-z]{32}-",
    "opkg": r"(?:usr/lib|var/lib)/opkg/(?:status$|info/)",
    "XBPS": r"var/db/xbps/pkgdb-[^/]*\.plist$",
    "Chisel": r"var/lib/chisel/manifest\.wall$",
    "dpkg": r"var/lib/dpkg/status(?:$|\.d/)",
}
"""Databases of which no list of files is read, by their package manager; dpkg's may lack one."""

_ROOTS = ("usr/", "var/", "nix/", "gnu/")
_KEPT = re.compile("|".join(f"(?P<{name}>{form})" for name, form in _UNREAD.items()))
_PACKAGE = re.compile(r"^Package:[ \t]*(\S+)", re.MULTILINE)

Listing = tuple[str, Iterable[str]]
"""A package and the paths that its database lists."""


def is_database(path: str) -> bool:
    """Return whether a path is one that `owners` wants the content of."""
    if path.startswith(_DPKG):
        return path.endswith(".list")
    return path in _APK or path == _DIVERSIONS or path.startswith(_DISTROLESS)


def unread(paths: Iterable[str]) -> str:
    """Return whose package database is among an image's files without its list of files being read.

    `paths` are of an image in which no file is known to be of a package; empty if there is none.

    >>> unread(["usr/bin/bash", "usr/lib/sysimage/rpm/rpmdb.sqlite"]), unread(["usr/bin/bash"])
    ('RPM', '')
    """
    there = [path for path in paths if path.startswith(_ROOTS)]
    kept = {str(found.lastgroup) for path in there if (found := _KEPT.match(path))}
    if any(map(_LISTS.match, there)):
        # It is read, and owns nothing that is there.
        kept -= {"dpkg"}
    return next((manager for manager in _UNREAD if manager in kept), "")


def owners(databases: Mapping[str, bytes], links: Mapping[str, str]) -> dict[str, str]:
    """Return the package of each path that is listed, by where it leads to in the image.

    `databases` are contents by path, `links` the targets of the image's symbolic links by path.
    Directories that a database lists are in the result too, each with any one of its packages.
    """
    texts = {path: text(content) for path, content in sorted(databases.items())}
    folders: dict[str, str | None] = {}

    def real(path: str) -> str:
        """Return where a path is in the image; empty for nowhere."""
        folder, name = split(path)
        if folder not in folders:
            folders[folder] = real_path(folder, links.get)
        found = folders[folder]
        return "" if found is None else f"{found}/{name}" if found else name

    diverted = {real(path): (real(to), by) for path, to, by in _diversions(texts)}
    owned: dict[str, str] = {}
    for package, paths in [*_apk(texts), *_dpkg(texts), *_distroless(texts)]:
        for path in map(real, paths):
            to, by = diverted.get(path, (path, package))
            # The package that diverts a path has its own file there; all others' is elsewhere.
            owned[path if by == package else to] = package
    owned.pop("", None)
    return owned


def real_path(path: str, link: Callable[[str], str | None]) -> str | None:
    """Return a path with its symbolic links followed, never out of the image; `None` for a loop.

    `link` gives the target of the link at a path, or `None` if there is no link.
    """
    real: list[str] = []
    ahead = path.split("/")[::-1]
    left = MAX_LINKS
    while ahead:
        part = ahead.pop()
        if part == "..":
            del real[-1:]
        elif part not in ("", "."):
            real.append(part)
            target = link("/".join(real))
            if target is not None:
                left -= 1
                if left < 0:
                    return None
                del real[0 if target.startswith("/") else -1 :]
                ahead += target.split("/")[::-1]
    return "/".join(real)


def text(content: bytes) -> str:
    """Return bytes as text in which those that are not UTF-8 stay what they are."""
    return content.decode("utf-8", "surrogateescape")


def _apk(texts: Mapping[str, str]) -> Iterable[Listing]:
    """Yield apk's packages: `P:` names one, `F:` a directory, `R:` a file in it."""
    for database in _APK:
        package, folder, paths = "", "", list[str]()
        for line in texts.get(database, "").split("\n"):
            key, value = line[:2], line[2:]
            if key == "P:":
                if package:
                    yield package, paths
                package, folder, paths = value, "", []
            elif key == "F:":
                folder = f"{value}/" if value else ""
            elif key == "R:":
                paths.append(folder + value)
        if package:
            yield package, paths


def _dpkg(texts: Mapping[str, str]) -> Iterable[Listing]:
    """Yield dpkg's packages: a `<package>[:<architecture>].list` has a path a line."""
    for database, listed in texts.items():
        if database.startswith(_DPKG):
            package = basename(database).removesuffix(".list").partition(":")[0]
            yield package, map(_relative, listed.split("\n"))


def _distroless(texts: Mapping[str, str]) -> Iterable[Listing]:
    """Yield packages of distroless images: `<any name>`, a control file, and `<any name>.md5sums`.

    Checksums are of regular files; who owns a symbolic link is not recorded there.
    """
    for database, sums in texts.items():
        name = database.removesuffix(".md5sums")
        if database.startswith(_DISTROLESS) and name != database:
            told = _PACKAGE.search(texts.get(name, ""))
            package = told[1] if told else basename(name)
            lines = (line.partition("  ")[2] for line in sums.split("\n"))
            yield package, [_relative(path) for path in lines]


def _diversions(texts: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Yield what dpkg diverts: a path, where it is instead, and the package that has it so."""
    lines = texts.get(_DIVERSIONS, "").split("\n")
    for path, to, by in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
        yield _relative(path), _relative(to), by


def _relative(path: str) -> str:
    """Return a path as the inventory has it: `/bin/ls` and `./bin/ls` are `bin/ls`."""
    return path.removeprefix("./").lstrip("/")
