"""The files of an image: what is there, how large, whose, and from which layer.

Made of an archive in one pass over its layers; stored as one JSON row a line, compressed.
"""

import gzip
import zlib
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from helpers.errors import ArchiveInvalid
from helpers.images import etc_passwd, known_programs, layer, package_db
from helpers.images.archive import Archive
from helpers.images.layer import shown
from helpers.images.overlay import HARDLINK, MAX_PATH, Overlay

FORMAT = 1

MAX_STORED = 2**30
"""Most bytes of a stored inventory when decompressed."""

AGAIN = "Capture it again, with --fresh"

_OF_THE_SYSTEM = frozenset({"perl"})
"""Interpreters that distributions have for scripts of their own."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Size = Annotated[int, Meta(ge=0, le=2**40)]
"""Bytes of a file: at most so many that those of all files are a number of 64 bits."""


class File(Struct, array_like=True, frozen=True, gc=False):
    r"""A path of the merged file system, without a leading slash; bytes not UTF-8 are like `\xff`.

    Of several names of one file the first has its size; the others are of kind `hardlink`, with 0
    bytes and the first as target. `mode` has the permission bits with setuid, setgid and sticky.
    `elf`, `elf_interpreter` and `needed` are as in `elf.Elf`. `layer` is where the content is from,
    counted from 0; `package` owns it, `None` if none is known to. `version` is what a program of
    the table of tools tells of itself.
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

    `docker history` has the former, and mostly adds the lengths of symbolic links.
    """

    diff_id: str
    file_bytes: int
    tar_bytes: int
    entries: int


class Inventory(NamedTuple):
    """The files of an image, sorted by path, and the sizes of its layers, from the lowest.

    `passwd` and `group` are the contents of these files in `/etc`; they are not stored.
    """

    files: list[File]
    layers: list[LayerSize]
    passwd: bytes = b""
    group: bytes = b""


def take(archive: Archive) -> Inventory:
    """Return the inventory of an image. Raises `ArchiveInvalid` for what no image should be."""
    overlay = Overlay()
    sizes: list[LayerSize] = []
    budget = layer.Budget()
    for number, told in enumerate(archive.layers):
        entries, tar_bytes = layer.read(archive, number, budget)
        # Of several entries with one path the last is what engines leave.
        regular = {path: node.size for path, node in entries if node.kind == "file"}
        sizes.append(LayerSize(told.diff_id, sum(regular.values()), tar_bytes, len(entries)))

        def fail(path: str, problem: str, number: int = number) -> ArchiveInvalid:
            return layer.invalid(archive, archive.layers[number], path, problem)

        overlay.add(number, entries, fail)
    wanted = (etc_passwd.PASSWD, etc_passwd.GROUP)
    kept = {path: node.content or b"" for path, node in overlay.walk() if path in wanted}
    return Inventory(_files(archive, overlay), sizes, *(kept.get(path, b"") for path in wanted))


def runtime(files: Iterable[File]) -> str:
    """Return the language runtime of an image and its version, as its program tells them.

    Of several it is the largest that no OS package owns, else the largest that is not there for the
    system's own use; empty if none tells. What may be an OS package's may be for the system's use.
    """
    files = list(files)
    kept = unread(files)
    told = [
        (file.package is None, file.size_bytes, f"{tool.name} {file.version}")
        for file in files
        if file.version
        and (tool := known_programs.named(file.path))
        and tool.kind == known_programs.INTERPRETER
        and not ((file.package or kept) and tool.name in _OF_THE_SYSTEM)
    ]
    return max(told, default=(False, 0, ""))[2]


def unread(files: Sequence[File]) -> str:
    """Return whose package database is in an image without its list of files being read, if so.

    Which OS package a file is of is not known then.
    """
    if any(file.package for file in files):
        return ""
    return package_db.unread(file.path for file in files if file.kind != "dir")


def write(path: str | PathLike[str], files: list[File]) -> None:
    """Write the files of an inventory: a header, then a row a line; equal files, equal bytes."""
    header = {"format": FORMAT, "files": len(files)}
    text = msgspec.json.Encoder().encode_lines([header, *files])
    Path(path).write_bytes(gzip.compress(text, 9, mtime=0))


def read(path: str | PathLike[str]) -> list[File]:
    """Return the files of an inventory as written. Raises `ArchiveInvalid` if it is not whole."""
    try:
        with gzip.open(path) as file:
            text = file.read(MAX_STORED + 1)
        if len(text) > MAX_STORED:
            raise ArchiveInvalid(path, f"an inventory of more than {MAX_STORED:,} bytes", AGAIN)
        head, _, rows = text.partition(b"\n")
        header = msgspec.json.decode(head, type=_Header)
        if header.format != FORMAT:
            raise ArchiveInvalid(path, f"an inventory of unknown format {header.format}", AGAIN)
        if header.files > layer.MAX_ENTRIES:
            raise ArchiveInvalid(path, f"an inventory of {header.files:,} files", AGAIN)
        files = msgspec.json.Decoder(File).decode_lines(rows)
    except OSError as error:
        problem = f"no inventory that can be read ({error.strerror or error})"
        raise ArchiveInvalid(path, problem, AGAIN) from error
    except (EOFError, zlib.error, ValueError, RecursionError) as error:
        raise ArchiveInvalid(path, f"a damaged inventory ({error})", AGAIN) from error
    if len(files) != header.files:
        raise ArchiveInvalid(path, f"{len(files):,} of {header.files:,} files, cut off", AGAIN)
    return files


class _Header(Struct):
    format: int
    files: int


def _files(archive: Archive, overlay: Overlay) -> list[File]:
    """Return the rows of a merged file system."""
    found = sorted((shown(path), path, node) for path, node in overlay.walk())
    links = {path: node.target for _, path, node in found if node.kind == "symlink"}
    databases = {path: node.content for _, path, node in found if node.content is not None}
    owned = package_db.owners(databases, links)
    first: dict[int, str] = {}
    files: list[File] = []
    for text, path, node in found:
        if len(path) > MAX_PATH:
            raise layer.invalid(
                archive, archive.layers[node.layer], path, "a path that is too long"
            )
        kind, size, target = node.kind, node.size, shown(node.target)
        if kind == "file" and (before := first.setdefault(id(node), text)) != text:
            kind, size, target = HARDLINK, 0, before
        package = owned.get(path) if kind != "dir" else None
        kind_of, loader, needed = node.elf or ("", "", ())
        files.append(
            File(
                text,
                kind,
                size,
                node.mode,
                node.uid,
                node.gid,
                node.layer,
                shown(package) if package else None,
                target,
                kind_of,
                loader,
                needed,
                node.version,
            )
        )
    return files
