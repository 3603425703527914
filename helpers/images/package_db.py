"""Which package owns a file, by an image's package databases: apk's, dpkg's, distroless, Chisel's.

File lists of other package managers are not read; `unread` names the manager. Paths have no
leading slash. A database may list a file below a symbolic link (`bin/ls`, where `bin` leads to
`usr/bin`); the file at the end of the link (`usr/bin/ls`) is owned.
"""

import io
import re
from collections.abc import Callable, Iterable, Mapping
from posixpath import basename, split

import msgspec

from helpers import compressed
from helpers.errors import ArchiveInvalid

MAX_LINKS = 40
"""Maximum symbolic links in one path, as in Linux."""

MAX_STEPS = 2**23
"""Maximum parts of folders and links' targets looked up in total; long paths count several times.

An image of 100,000 folders takes a tenth of it.
"""

_LONG = 128
"""Paths up to this length are looked up as fast as short ones."""

_APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_DPKG, _DIVERSIONS, _DISTROLESS = (
    "var/lib/dpkg/info/", "var/lib/dpkg/diversions", "var/lib/dpkg/status.d/"
)  # fmt: skip
_CHISEL = "var/lib/chisel/manifest.wall"
_LISTS = re.compile(r"var/lib/dpkg/(?:info/[^/]+\.list|status\.d/[^/]+\.md5sums)$")
_UNREAD = {
    "RPM": r"(?:usr/lib/sysimage|usr/share|var/lib)/rpm/(?:Packages(?:\.db)?|rpmdb\.sqlite)$",
    "rpmmanifest": r"var/lib/rpmmanifest/container-manifest-[12]$",
    "pacman": r"var/lib/pacman/local/[^/]+/",
    "Portage": r"var/db/pkg/[^/]+/[^/]+/",
    "Nix": r"nix/store/[0-9a-z]{32}-",
    "Guix": r"gnu/store/[0-9a-z]{32}-",
    "opkg": r"(?:usr/lib|var/lib)/opkg/(?:status$|info/)",
    "XBPS": r"var/db/xbps/pkgdb-[^/]*\.plist$",
    "Chisel": re.escape(_CHISEL) + "$",
    "dpkg": r"var/lib/dpkg/status(?:$|\.d/)",
}
"""Databases whose file lists are not read, by package manager; dpkg's and Chisel's are, if any."""

_ROOTS = ("usr/", "var/", "nix/", "gnu/")
_DATABASES = re.compile("|".join(f"(?P<{name}>{form})" for name, form in _UNREAD.items()))
_PACKAGE = re.compile(r"^Package:[ \t]*(\S+)", re.MULTILINE)

_REBUILD = "Rebuild the image, or give its SBOM instead"

MAX_LISTED = 2_000_000
"""Maximum paths in the databases of an image, including empty lines."""

_MAX_MANIFEST = 2**23
"""Maximum bytes of Chisel's decompressed manifest; a path takes about 200."""

Listing = tuple[str, Iterable[str]]
"""A package and the paths that its database lists."""


class _ChiselLine(msgspec.Struct):
    """A line of Chisel's manifest: a path and its slices, or something else."""

    kind: str = ""
    path: str = ""
    slices: tuple[str, ...] = ()


def is_database(path: str) -> bool:
    """Return whether `owners` needs the content of a path."""
    if path.startswith(_DPKG):
        return path.endswith(".list")
    return path in (*_APK, _DIVERSIONS, _CHISEL) or path.startswith(_DISTROLESS)


def unread(paths: Iterable[str]) -> str:
    """Return the package manager whose database exists but is not read; empty for none.

    `paths` are the files of an image in which no file has a known owner.

    >>> unread(["usr/bin/bash", "usr/lib/sysimage/rpm/rpmdb.sqlite"]), unread(["usr/bin/bash"])
    ('RPM', '')
    """
    candidates = [path for path in paths if path.startswith(_ROOTS)]
    managers = {str(db.lastgroup) for path in candidates if (db := _DATABASES.match(path))}
    if any(map(_LISTS.match, candidates)):
        # Its lists are read, but contain none of the files.
        managers -= {"dpkg"}
    return next((manager for manager in _UNREAD if manager in managers), "")


def owners(databases: Mapping[str, bytes], links: Mapping[str, str]) -> dict[str, str]:
    """Return the package of each listed path, with links resolved.

    `databases` are contents by path, `links` targets of symbolic links by path. A listed directory
    has any of the packages that list it.
    """
    # Bytes that are not UTF-8 are kept, as tarfile keeps them in names.
    texts = {
        path: content.decode("utf-8", "surrogateescape")
        for path, content in sorted(databases.items())
        if path != _CHISEL
    }
    chisel = _chisel(databases.get(_CHISEL, b""))
    listings = [*_apk(texts), *_dpkg(texts), *_distroless(texts), *chisel]
    return listed(listings, links, _diversions(texts))


def listed(
    listings: Iterable[Listing],
    links: Mapping[str, str],
    diversions: Iterable[tuple[str, str, str]] = (),
) -> dict[str, str]:
    """Return the package of each path that is listed, as `owners` does.

    The last of several packages that list a path counts. Raises `ArchiveInvalid` for more than
    `MAX_LISTED`, and for links that take more than `MAX_STEPS` to follow.
    """
    folders: dict[str, str | None] = {}
    steps = 0

    def link(path: str) -> str | None:
        nonlocal steps
        steps += 1 + len(path) // _LONG
        if steps > MAX_STEPS:
            problem = f"links to follow of more than {MAX_STEPS:,} parts"
            raise ArchiveInvalid("the package database", problem, _REBUILD)
        return links.get(path)

    def real(path: str) -> str:
        """Return a path with links in its folder resolved; empty for a loop."""
        folder, name = split(path.removeprefix("./").lstrip("/"))
        if folder not in folders:
            folders[folder] = real_path(folder, link)
        found = folders[folder]
        return "" if found is None else f"{found}/{name}" if found else name

    diverted = {real(path): (real(to), by) for path, to, by in diversions}
    owned: dict[str, str] = {}
    left = MAX_LISTED
    for package, paths in listings:
        for path in map(real, paths):
            left -= 1
            if left < 0:
                problem = f"more than {MAX_LISTED:,} paths"
                raise ArchiveInvalid("the package database", problem, _REBUILD)
            to, by = diverted.get(path, (path, package))
            # The diverting package's file stays; all others move.
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
    """Yield dpkg's packages: `<package>[:<architecture>].list` has one path per line."""
    for database, listed in texts.items():
        if database.startswith(_DPKG):
            package = basename(database).removesuffix(".list").partition(":")[0]
            yield package, listed.split("\n")


def _distroless(texts: Mapping[str, str]) -> Iterable[Listing]:
    """Yield the packages of distroless images: a control file `NAME` and its `NAME.md5sums`.

    Only regular files have checksums; the owner of a symbolic link is not recorded.
    """
    for database, sums in texts.items():
        name = database.removesuffix(".md5sums")
        if database.startswith(_DISTROLESS) and name != database:
            named = _PACKAGE.search(texts.get(name, ""))
            paths = (line.partition("  ")[2] for line in sums.split("\n"))
            yield named[1] if named else basename(name), paths


def _chisel(manifest: bytes) -> Iterable[Listing]:
    """Yield the paths of Chisel's manifest: JSON lines compressed with zstd; none if it is damaged.

    The slices of a path (`libc6_libs`) name its package, whose name has no underscore:
    https://documentation.ubuntu.com/chisel/en/latest/reference/manifest
    """
    decode = msgspec.json.Decoder(_ChiselLine).decode

    def damaged(problem: str) -> ArchiveInvalid:
        return ArchiveInvalid(_CHISEL, problem, "")

    try:
        with compressed.unpack(io.BytesIO(manifest), _MAX_MANIFEST, damaged) as text:
            # Line by line, as lines without a path take much memory.
            listed = [found for found in map(decode, text) if found.kind == "path" and found.slices]
    except (ArchiveInvalid, ValueError, RecursionError):
        return
    for line in listed:
        yield line.slices[0].partition("_")[0], [line.path]


def _diversions(texts: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Return dpkg's diversions: a path, where it moves to, and the package that diverts it."""
    lines = texts.get(_DIVERSIONS, "").split("\n")
    return zip(lines[::3], lines[1::3], lines[2::3], strict=False)
