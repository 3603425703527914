"""The entries of one layer, read from its tar and checked; nothing is unpacked.

Entries that no container engine would unpack, or that would falsify sizes, are rejected by name.
"""

import tarfile
from typing import NamedTuple

from helpers.compressed import CHUNK
from helpers.errors import ArchiveInvalid
from helpers.images import elf, etc_passwd, known_programs, package_db
from helpers.images.archive import Archive, Layer
from helpers.images.overlay import HARDLINK, MAX_PATH, Entry, Node, folder
from helpers.images.tar import TarStream

MAX_ENTRIES = 500_000
MAX_NAMES = 2**26
MAX_DATABASES = 2**27
"""Maximum entries of an image, letters of their names and of needed libraries' names, and bytes of
its package databases."""

MAX_DATABASE = 2**25
"""Maximum bytes of one file of a package database."""

MAX_ELF = 2**29
"""Maximum bytes read from one program."""

MAX_QUOTED = 200
"""Most letters of a name that an error quotes."""

REBUILD = "Rebuild the image, or give its SBOM instead"

_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.LNKTYPE: HARDLINK,
    tarfile.SYMTYPE: "symlink",
    tarfile.DIRTYPE: "dir",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
    tarfile.FIFOTYPE: "fifo",
}
_MIN_ELF = 52
_MAX_ID = 2**32 - 1


class Budget:
    """The remaining limits of an image, shared by all of its layers."""

    def __init__(self) -> None:
        self.entries = MAX_ENTRIES
        self.names = MAX_NAMES
        self.databases = MAX_DATABASES

    def take_names(self, *names: str) -> bool:
        """Subtract names; return whether enough was left."""
        self.names -= sum(map(len, names))
        return self.names >= 0


class Entries(NamedTuple):
    """A layer's entries in the order of its tar, with whiteouts, and the tar's length in bytes."""

    entries: list[Entry]
    tar_bytes: int


def read(archive: Archive, number: int, budget: Budget) -> Entries:
    """Return the entries of a layer, counted from 0, and subtract them from the budget.

    Raises `ArchiveInvalid` if the layer is damaged or hostile.
    """
    layer = archive.layers[number]
    entries: list[Entry] = []

    def fail(problem: str) -> ArchiveInvalid:
        return archive.invalid(f"{layer.name} is damaged or hostile: {problem}")

    with archive.open_layer(layer) as stream:
        tar = TarStream(stream, fail)
        for info in tar:
            budget.entries -= 1
            if not budget.take_names(info.name, info.linkname) or budget.entries < 0:
                raise _too_many(archive)
            path = _checked(archive, layer, info)
            if path or not info.isdir():
                entries.append(Entry(path, _node(archive, number, tar, info, path, budget)))
        # Bytes after the end mark hold no entries, but count for the DiffID.
        while tar.content(CHUNK):
            pass
    return Entries(entries, tar.tell())


def invalid(archive: Archive, layer: Layer, path: str, problem: str) -> ArchiveInvalid:
    """Return the error of a problem with an entry of a layer."""
    # The problem may quote another name of the archive.
    problem = shown(problem)[:MAX_QUOTED]
    return archive.invalid(f"{layer.name} has {problem}: {shown(path)[:MAX_QUOTED]!r}", REBUILD)


def _too_many(archive: Archive) -> ArchiveInvalid:
    problem = f"more than {MAX_ENTRIES:,} entries, or names of {MAX_NAMES:,} letters"
    return archive.invalid(problem, "Leave it out, or give its SBOM instead")


def shown(path: str) -> str:
    r"""Return a path as text, with bytes that are not UTF-8 as `\xff`."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _checked(archive: Archive, layer: Layer, info: tarfile.TarInfo) -> str:
    """Return an entry's path, empty for the root. Raises `ArchiveInvalid` for a hostile entry."""
    path = info.name.strip("/")
    parts = path.split("/")
    if "." in parts or "" in parts:
        parts = [part for part in parts if part not in ("", ".")]
        path = "/".join(parts)
    problem = ""
    if info.name.startswith("/") and path:
        problem = "an absolute path"
    elif ".." in parts or (info.islnk() and ".." in info.linkname.split("/")):
        problem = "a path that leads out of the image"
    elif "\0" in info.name or "\0" in info.linkname:
        problem = "a NUL in a name"
    elif any(len(name) > MAX_PATH // 4 and len(name.encode("utf-8", "surrogateescape")) > MAX_PATH
             for name in (info.name, info.linkname)):  # fmt: skip
        problem = f"a path of more than {MAX_PATH:,} bytes"
    elif info.issparse():
        problem = "a sparse file, whose size is unknown"
    elif info.type not in _KINDS:
        problem = f"an entry of unknown type {info.type!r}"
    elif not path and not info.isdir():
        problem = "a root that is not a directory"
    elif not (0 <= info.uid <= _MAX_ID and 0 <= info.gid <= _MAX_ID):
        problem = "an invalid owner"
    elif info.isreg() and info.offset_data + info.size > layer.unpacked_limit:
        if layer.compressed_bytes is None:
            raise archive.invalid(f"{layer.name} is cut off inside {shown(path)[:200]!r}")
        problem = f"a file of {info.size:,} bytes, too large for the layer: a decompression bomb"
    if problem:
        raise invalid(archive, layer, info.name, problem)
    return path


def _node(
    archive: Archive,
    number: int,
    tar: TarStream,
    info: tarfile.TarInfo,
    path: str,
    budget: Budget,
) -> Node:
    """Return the node of an entry."""
    kind = _KINDS[info.type]
    mode = info.mode & 0o7777
    if kind == "dir":
        return folder(number, mode, info.uid, info.gid)
    if kind == HARDLINK:
        target = "/".join(part for part in info.linkname.split("/") if part not in ("", "."))
        return Node(kind, number, target=target)
    if kind != "file":
        target = info.linkname if kind == "symlink" else ""
        return Node(kind, number, 0, mode, info.uid, info.gid, target)
    node = Node(kind, number, info.size, mode, info.uid, info.gid)
    if package_db.is_database(path) or path in (etc_passwd.PASSWD, etc_passwd.GROUP):
        budget.databases -= info.size
        if info.size > MAX_DATABASE or budget.databases < 0:
            problem = f"a package database of {info.size:,} bytes"
            raise invalid(archive, archive.layers[number], path, problem)
        node.content = tar.content(info.size)
    elif info.size >= _MIN_ELF and (head := tar.content(len(elf.MAGIC))) == elf.MAGIC:
        content = head + tar.content(min(info.size, MAX_ELF) - len(head))
        node.elf, node.version = elf.describe(content), known_programs.version(path, content)
        if node.elf and not budget.take_names(node.elf.interpreter, *node.elf.needed):
            raise _too_many(archive)
    return node
