"""Which package owns a file, by an image's package databases: apk's, dpkg's and distroless images'.

The file lists of other package managers are not read; `unread` names the manager. Paths have no
leading slash. A database may list a file below a symbolic link (`bin/ls`, where `bin` leads to
`usr/bin`); the file at the end of the link (`usr/bin/ls`) is owned.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from posixpath import basename, split

MAX_LINKS = 40
"""Most symbolic links in one path, as in Linux."""

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
"""Databases whose file lists are not read, by package manager; dpkg's may be without lists."""

_ROOTS = ("usr/", "var/", "nix/", "gnu/")
_DATABASES = re.compile("|".join(f"(?P<{name}>{form})" for name, form in _UNREAD.items()))
_PACKAGE = re.compile(r"^Package:[ \t]*(\S+)", re.MULTILINE)

Listing = tuple[str, Iterable[str]]
"""A package and the paths that its database lists."""


def is_database(path: str) -> bool:
    """Return whether `owners` needs the content of a path."""
    if path.startswith(_DPKG):
        return path.endswith(".list")
    return path in _APK or path == _DIVERSIONS or path.startswith(_DISTROLESS)


def unread(paths: Iterable[str]) -> str:
    """Return the package manager whose database is in an image but is not read; empty for none.

    `paths` are the files of an image in which no file has a known owner.

    >>> unread(["usr/bin/bash", "usr/lib/sysimage/rpm/rpmdb.sqlite"]), unread(["usr/bin/bash"])
    ('RPM', '')
    """
    candidates = [path for path in paths if path.startswith(_ROOTS)]
    managers = {str(db.lastgroup) for path in candidates if (db := _DATABASES.match(path))}
    if any(map(_LISTS.match, candidates)):
        # Its lists are read, but own none of the files.
        managers -= {"dpkg"}
    return next((manager for manager in _UNREAD if manager in managers), "")


def owners(databases: Mapping[str, bytes], links: Mapping[str, str]) -> dict[str, str]:
    """Return the package of each listed path, with links on the way to it resolved.

    `databases` are contents by path, `links` targets of symbolic links by path. A listed directory
    has any one of the packages that list it.
    """
    # Bytes that are not UTF-8 are kept, as tarfile keeps them in names.
    texts = {
        path: content.decode("utf-8", "surrogateescape")
        for path, content in sorted(databases.items())
    }
    folders: dict[str, str | None] = {}

    def real(path: str) -> str:
        """Return a path with links in its folder resolved; empty for a loop."""
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
            # The file of the diverting package stays; those of all others move.
            owned[path if by == package else to] = package
    owned.pop("", None)
    return owned


def real_path(path: str, link: Callable[[str], str | None]) -> str | None:
    """Return a path with symbolic links followed within the image; `None` for a loop.

    `link` returns the target of the link at a path, `None` if it is not a link.
    """
    resolved: list[str] = []
    ahead = path.split("/")[::-1]
    left = MAX_LINKS
    while ahead:
        part = ahead.pop()
        if part == "..":
            del resolved[-1:]
        elif part not in ("", "."):
            resolved.append(part)
            target = link("/".join(resolved))
            if target is not None:
                left -= 1
                if left < 0:
                    return None
                del resolved[0 if target.startswith("/") else -1 :]
                ahead += target.split("/")[::-1]
    return "/".join(resolved)


def _apk(texts: Mapping[str, str]) -> Iterable[Listing]:
    """Yield apk's packages: `P:` is a package, `F:` a directory, `R:` a file in it."""
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
    """Yield dpkg's packages: `<package>[:<architecture>].list` has one path a line."""
    for database, listed in texts.items():
        if database.startswith(_DPKG):
            package = basename(database).removesuffix(".list").partition(":")[0]
            yield package, map(_relative, listed.split("\n"))


def _distroless(texts: Mapping[str, str]) -> Iterable[Listing]:
    """Yield the packages of distroless images: a control file `NAME` and its `NAME.md5sums`.

    Only regular files have checksums; the owner of a symbolic link is not recorded.
    """
    for database, sums in texts.items():
        name = database.removesuffix(".md5sums")
        if database.startswith(_DISTROLESS) and name != database:
            named = _PACKAGE.search(texts.get(name, ""))
            paths = (line.partition("  ")[2] for line in sums.split("\n"))
            yield named[1] if named else basename(name), map(_relative, paths)


def _diversions(texts: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Yield dpkg's diversions: a path, where it moves to, and the package that diverts it."""
    lines = texts.get(_DIVERSIONS, "").split("\n")
    for path, to, by in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
        yield _relative(path), _relative(to), by


def _relative(path: str) -> str:
    """Return `/bin/ls` and `./bin/ls` as `bin/ls`."""
    return path.removeprefix("./").lstrip("/")
