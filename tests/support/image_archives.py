"""Image archives, ELF files and RPM databases made by hand, as the tools write them."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import sqlite3
import struct
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd as zstandard
else:
    from backports import zstd as zstandard

LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

Entry = tuple[tarfile.TarInfo, bytes]


def entry(
    name: str, kind: bytes, content: bytes = b"", target: str = "", **attributes: Any
) -> Entry:
    """An entry of a tar."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def file(name: str, content: bytes = b"", **attributes: Any) -> Entry:
    return entry(name, tarfile.REGTYPE, content, **attributes)


def folder(name: str, **attributes: Any) -> Entry:
    return entry(name, tarfile.DIRTYPE, **{"mode": 0o755, **attributes})


def symlink(name: str, target: str) -> Entry:
    return entry(name, tarfile.SYMTYPE, target=target)


def hardlink(name: str, target: str) -> Entry:
    return entry(name, tarfile.LNKTYPE, target=target)


def whiteout(path: str) -> Entry:
    above, slash, name = path.rpartition("/")
    return file(f"{above}{slash}.wh.{name}")


def opaque(path: str) -> Entry:
    return file(f"{path}/.wh..wh..opq" if path else ".wh..wh..opq")


def tar(*entries: Entry, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of any entries, also of those that no tar should have."""
    written = io.BytesIO()
    options = {"format": form, "encoding": "utf-8", "errors": "surrogateescape"}
    with tarfile.open(fileobj=written, mode="w", **options) as made:
        for info, content in entries:
            made.addfile(info, io.BytesIO(content))
    return written.getvalue()


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def plain(content: bytes) -> bytes:
    return content


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def zstd(content: bytes) -> bytes:
    checked = {zstandard.CompressionParameter.checksum_flag: 1}
    return zstandard.compress(content, options=checked)


def xz(content: bytes) -> bytes:
    return lzma.compress(content, preset=1)


def bzip2(content: bytes) -> bytes:
    return bz2.compress(content)


def flipped(content: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    """Bytes of which those at some places are changed."""
    changed = bytearray(content)
    for at, new in changes:
        changed[at : at + len(new)] = new
    return bytes(changed)


def config_of(layers: tuple[bytes, ...], **fields: Any) -> bytes:
    """The config of an image with these layers, given as tars."""
    rootfs = {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs, **fields}
    return json.dumps(config).encode()


def docker_save(path: Path, *layers: bytes, tags: tuple[str, ...] = ("app:1",)) -> Path:
    """What `docker save` writes since Docker 25 (but for its index.json)."""
    blobs = {f"blobs/sha256/{digest(blob)[7:]}": blob for blob in (*layers, config_of(layers))}
    names = [f"blobs/sha256/{digest(layer)[7:]}" for layer in layers]
    saved = {"Config": list(blobs)[-1], "RepoTags": list(tags), "Layers": names}
    return written(path, {**blobs, "manifest.json": json.dumps([saved]).encode()})


def old_docker_save(path: Path, *layers: bytes) -> Path:
    """What `docker save` wrote before: a folder a layer, and links between equal ones."""
    entries: list[Entry] = []
    names = [f"{number:064x}/layer.tar" for number in range(len(layers))]
    first: dict[bytes, str] = {}
    for name, layer in zip(names, layers, strict=True):
        equal = first.setdefault(layer, name)
        entries.append(folder(name.removesuffix("/layer.tar")))
        entries.append(file(name, layer) if equal == name else symlink(name, f"../{equal}"))
    config = config_of(layers)
    saved = {"Config": f"{digest(config)[7:]}.json", "RepoTags": None, "Layers": names}
    entries.append(file(saved["Config"], config))
    entries.append(file("manifest.json", json.dumps([saved]).encode()))
    path.write_bytes(tar(*entries))
    return path


def written(path: Path, files: dict[str, bytes]) -> Path:
    """A tar of files."""
    path.write_bytes(tar(*[file(name, content) for name, content in files.items()]))
    return path


class Layout:
    """An OCI layout that is being made: of one image, or of several for an index."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def add(self, content: bytes, kind: str, **fields: Any) -> dict[str, Any]:
        """Adds a blob and returns its descriptor."""
        self.files[f"blobs/sha256/{digest(content)[7:]}"] = content
        return {"mediaType": kind, "digest": digest(content), "size": len(content), **fields}

    def image(self, *layers: bytes, compress: Any = gzipped, **fields: Any) -> dict[str, Any]:
        """Adds an image; its layers' media type says gzip, whatever they are."""
        manifest = {
            "schemaVersion": 2,
            "config": self.add(config_of(layers), "application/vnd.oci.image.config.v1+json"),
            "layers": [self.add(compress(layer), f"{LAYER}+gzip") for layer in layers],
        }
        return self.add(json.dumps(manifest).encode(), MANIFEST, **fields)

    def index(self, *descriptors: dict[str, Any]) -> dict[str, Any]:
        """Adds an index of images."""
        return self.add(json.dumps({"manifests": list(descriptors)}).encode(), INDEX)

    def files_for(self, *descriptors: dict[str, Any]) -> dict[str, bytes]:
        return {**self.files, "index.json": json.dumps({"manifests": list(descriptors)}).encode()}

    def tar(self, path: Path, *descriptors: dict[str, Any]) -> Path:
        return written(path, self.files_for(*descriptors))

    def folder(self, path: Path, *descriptors: dict[str, Any]) -> Path:
        for name, content in self.files_for(*descriptors).items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        return path


def on_platform(architecture: str, os: str = "linux", variant: str = "") -> dict[str, Any]:
    named = {"architecture": architecture, "os": os}
    return {"platform": named | ({"variant": variant} if variant else {})}


def elf(
    file_type: int = 3,
    interpreter: str = "",
    needed: tuple[str, ...] = (),
    soname: str = "",
    pie: bool = False,
    wide: bool = True,
    order: str = "<",
) -> bytes:
    """An ELF file with no code at all."""
    head_size, segment_size = (64, 56) if wide else (52, 32)
    strings, offsets = b"\0", {}
    for name in dict.fromkeys((*needed, soname)):
        offsets[name] = len(strings)
        strings += name.encode() + b"\0"
    loader = interpreter.encode() + b"\0"
    strings_at = head_size + 3 * segment_size
    loader_at = strings_at + len(strings)
    tags_at = loader_at + len(loader)
    base = 0x400000
    tags = [(1, offsets[name]) for name in needed] + [(14, offsets[soname])] * bool(soname)
    tags += [(5, base + strings_at), *[(0x6FFFFFFB, 0x08000000)] * pie, (0, 0)]
    dynamic = b"".join(struct.pack(f"{order}{'QQ' if wide else 'II'}", *tag) for tag in tags)
    end = tags_at + len(dynamic)
    segments = [(1, 0, end), (2, tags_at, len(dynamic))]
    segments += [(3, loader_at, len(loader))] if interpreter else [(0, 0, 0)]
    table = b"".join(
        struct.pack(f"{order}IIQQQQQQ", kind, 4, at, base + at, 0, size, size, 1)
        if wide
        else struct.pack(f"{order}IIIIIIII", kind, at, base + at, 0, size, size, 4, 1)
        for kind, at, size in segments
    )
    start = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    form = "HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"
    rest = struct.pack(
        order + form, file_type, 62, 1, 0, head_size, 0, 0, head_size, segment_size, 3, 0, 0, 0
    )
    return start + rest + table + strings + loader + dynamic


def rpm_database(*names: str) -> bytes:
    """An RPM database in SQLite as scanners read it: a header of each package, version 1.0-1."""
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        # Not every build of Python has `Connection.serialize`.
        _write_rpm_database(file.name, names)
        return file.read()


def _write_rpm_database(path: str, names: tuple[str, ...]) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
    for name in names:
        # Tags of rpm's `rpmtag.h`: name, version, release, license, architecture, source package.
        tags = {1000: name, 1001: "1.0", 1002: "1", 1014: "MIT", 1022: "x86_64"}
        tags[1044] = f"{name}-1.0-1.src.rpm"
        index = store = b""
        for tag, text in tags.items():
            index += struct.pack(">iIiI", tag, 6, len(store), 1)
            store += text.encode() + b"\0"
        header = struct.pack(">II", len(tags), len(store)) + index + store
        database.execute("INSERT INTO Packages (blob) VALUES (?)", (header,))
    database.commit()
    database.close()
