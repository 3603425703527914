"""The files of an image: kind, size, owner and layer of each.

The inventory is made in one pass over an archive's layers, and stored as compressed JSON lines.
"""

import gzip
from collections.abc import Iterable, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from posixpath import basename
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from helpers import compressed
from helpers.errors import ArchiveInvalid
from helpers.images import etc_passwd, known_programs, layer, package_db
from helpers.images.archive import Archive
from helpers.images.layer import shown
from helpers.images.overlay import HARDLINK, MAX_PATH, Overlay

FORMAT = 1

MAX_STORED = 2**29
"""Most bytes of a stored inventory, decompressed."""

MAX_LISTED = 2**23
"""Most libraries that all files of an inventory need, commas in names included."""

_COLUMNS = 13

AGAIN = "Capture it again, with --fresh"

_SYSTEM_INTERPRETERS = frozenset({"perl"})
"""Interpreters that distributions install for their own scripts."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Size = Annotated[int, Meta(ge=0, le=2**40)]
"""Bytes of a file; the limit keeps the sum of all files within 64 bits."""


class File(Struct, array_like=True, frozen=True, gc=False):
    r"""A path of the merged file system, without a leading slash; bytes not UTF-8 are like `\xff`.

    Of several names of one file the first has its size; the others are of kind `hardlink`, with 0
    bytes and the first as target. `mode` has the permission bits with setuid, setgid and sticky.
    `elf`, `elf_interpreter` and `needed` are those of `elf.Elf`. `layer` holds the content, counted
    from 0; `package` owns the file, `None` if unknown; `version` is the one that a known program
    has in its bytes, or that of the Go that compiled it, as in `go1.24.4`.
    """

    path: str
    kind: str
    size_bytes: Size
    mode: Count
    uid: Count
    gid: Count
    layer: Count
    package: str | None = None
    target: str = ""
    elf: str = ""
    elf_interpreter: str = ""
    needed: tuple[str, ...] = ()
    version: str = ""


class LayerSize(NamedTuple):
    """A layer's sizes: of its regular files, each inode once, and of its whole tar.

    `docker history` shows the former, and usually adds the lengths of symbolic links.
    """

    diff_id: str
    file_bytes: int
    tar_bytes: int
    entries: int


class Inventory(NamedTuple):
    """The files of an image, sorted by path, and the sizes of its layers, from the lowest.

    `passwd` and `group` are the contents of `/etc/passwd` and `/etc/group`; they are not stored.
    """

    files: list[File]
    layers: list[LayerSize]
    passwd: bytes = b""
    group: bytes = b""


def take(archive: Archive) -> Inventory:
    """Return the inventory of an image. Raises `ArchiveInvalid` if it is damaged or hostile."""
    overlay = Overlay()
    sizes: list[LayerSize] = []
    budget = layer.Budget()
    for number, archived in enumerate(archive.layers):
        entries, tar_bytes = layer.read(archive, number, budget)
        # Of several entries with one path, engines keep the last.
        regular = {path: node.size for path, node in entries if node.kind == "file"}
        sizes.append(LayerSize(archived.diff_id, sum(regular.values()), tar_bytes, len(entries)))
        overlay.add(number, entries, partial(layer.invalid, archive, archived))
    accounts = dict.fromkeys((etc_passwd.PASSWD, etc_passwd.GROUP), b"")
    accounts |= {path: node.content or b"" for path, node in overlay.walk() if path in accounts}
    return Inventory(_files(archive, overlay), sizes, *accounts.values())


def runtime(files: Iterable[File], command: Iterable[str] = ()) -> str:
    """Return the language runtime of an image and its version, read from its program.

    It is Go if the image's `command` names what Go compiled, and no interpreter. Else it is of
    several interpreters the largest that no OS package owns, else the largest that the operating
    system does not need for itself; empty for none. An unknown owner may be an OS package.
    """
    files = list(files)
    if go := _started_go(files, " ".join(command).split()):
        return f"{known_programs.GO} {go.removeprefix(known_programs.GO)}"
    unknown_owners = unread(files)
    found = [
        (file.package is None, file.size_bytes, f"{tool.name} {file.version}")
        for file in files
        if file.version
        and (tool := known_programs.named(file.path))
        and tool.kind == known_programs.INTERPRETER
        and not ((file.package or unknown_owners) and tool.name in _SYSTEM_INTERPRETERS)
    ]
    return max(found, default=(False, 0, ""))[2]


def _started_go(files: list[File], words: list[str]) -> str:
    """Return the version of Go that compiled what the words of a command name; empty if none."""
    tools = map(known_programs.named, words)
    if any(tool and tool.kind == known_programs.INTERPRETER for tool in tools):
        return ""
    names = set(map(basename, words))
    return next(
        (
            file.version
            for file in files
            if file.version.startswith(known_programs.GO) and basename(file.path) in names
        ),
        "",
    )


def unread(files: Sequence[File]) -> str:
    """Return the package manager whose file lists are not read, so that owners are unknown.

    Empty if owners are known, or if the image has no package database.
    """
    if any(file.package for file in files):
        return ""
    return package_db.unread(file.path for file in files if file.kind != "dir")


def write(path: str | PathLike[str], files: list[File]) -> None:
    """Store an inventory: a header, then one row a line. Equal files give equal bytes."""
    header = {"format": FORMAT, "files": len(files)}
    text = msgspec.json.Encoder().encode_lines([header, *files])
    Path(path).write_bytes(gzip.compress(text, 9, mtime=0))


def read(path: str | PathLike[str]) -> list[File]:
    """Return the files of a stored inventory. Raises `ArchiveInvalid` if it is damaged."""
    try:
        with Path(path).open("rb") as file:
            text = compressed.unzipped(
                file,
                MAX_STORED,
                lambda problem: ArchiveInvalid(path, f"an inventory: {problem}", AGAIN),
            )
        end = text.find(b"\n") + 1
        header = msgspec.json.decode(text[:end], type=_Header)
        if header.format != FORMAT:
            raise ArchiveInvalid(path, f"an inventory of unknown format {header.format}", AGAIN)
        if header.files > layer.MAX_ENTRIES:
            raise ArchiveInvalid(path, f"an inventory of {header.files:,} files", AGAIN)
        lines = text.count(b"\n") - 1
        if lines > header.files:
            raise ArchiveInvalid(path, f"{lines:,} lines for {header.files:,} files", AGAIN)
        if text.count(b",") > MAX_LISTED + _COLUMNS * header.files:
            raise ArchiveInvalid(path, f"more than {MAX_LISTED:,} libraries", AGAIN)
        files = msgspec.json.Decoder(File).decode_lines(memoryview(text)[end:])
    except OSError as error:
        problem = f"an inventory that cannot be read ({error.strerror or error})"
        raise ArchiveInvalid(path, problem, AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise ArchiveInvalid(path, f"a damaged inventory ({error})", AGAIN) from error
    if len(files) != header.files:
        raise ArchiveInvalid(path, f"cut off after {len(files):,} of {header.files:,} files", AGAIN)
    return files


class _Header(Struct):
    format: int
    files: int


def _files(archive: Archive, overlay: Overlay) -> list[File]:
    """Return the rows of a merged file system, sorted by path."""
    nodes = sorted((shown(path), path, node) for path, node in overlay.walk())
    links = {path: node.target for _, path, node in nodes if node.kind == "symlink"}
    databases = {path: node.content for _, path, node in nodes if node.content is not None}
    owners = package_db.owners(databases, links)
    first_names: dict[int, str] = {}
    files: list[File] = []
    for name, path, node in nodes:
        if len(path) > MAX_PATH:
            problem = f"a path of more than {MAX_PATH:,} bytes"
            raise layer.invalid(archive, archive.layers[node.layer], path, problem)
        kind, size, target = node.kind, node.size, shown(node.target)
        if kind == "file" and (first := first_names.setdefault(id(node), name)) != name:
            kind, size, target = HARDLINK, 0, first
        package = owners.get(path) if kind != "dir" else None
        elf_kind, loader, needed = node.elf or ("", "", ())
        files.append(
            File(
                name,
                kind,
                size,
                node.mode,
                node.uid,
                node.gid,
                node.layer,
                shown(package) if package else None,
                target,
                elf_kind,
                loader,
                needed,
                node.version,
            )
        )
    return files
