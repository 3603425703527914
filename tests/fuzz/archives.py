"""Archives of images, their layers, configs, package databases and programs."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from helpers import frames
from helpers.capture import new_study
from helpers.images import elf as elf_file
from helpers.images import (
    etc_passwd,
    file_inventory,
    file_owners,
    image_rows,
    known_programs,
    metadata,
    package_db,
)
from helpers.images.archive import open_archive
from tests.fuzz import mutations
from tests.fuzz.kind import Kind, plain_json, same, tried
from tests.fuzz.mutations import TEXTS
from tests.support import image_archives
from tests.support.image_archives import (
    Entry,
    Layout,
    digest,
    elf,
    file,
    folder,
    gzipped,
    hardlink,
    opaque,
    plain,
    symlink,
    tar,
    whiteout,
    zstandard,
    zstd,
)

_APK = """P:musl
V:1.2.5-r0
F:lib
R:libc.so
a:0:0:755
R:ld-musl-x86_64.so.1

P:busybox
F:
F:bin
R:busybox
R:sh
"""
_DPKG = "/.\n/usr\n/usr/bin\n/usr/bin/ls\n/bin/cat\n/usr/share/doc/coreutils/copyright"
_DIVERSIONS = "/usr/bin/ls\n/usr/bin/ls.distrib\nother\n/bin/sh\n/bin/sh.distrib\ndash\n"
_STATUS = "Package: libc6\nVersion: 2.41\nArchitecture: amd64\n"
_SUMS = "0123456789abcdef0123456789abcdef  usr/lib/libc.so.6\n" * 2
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n"
_GROUP = "root:x:0:\nnode:x:1001:\nstaff:x:50:node,root\n"
_CHISEL = "\n".join(
    json.dumps({"kind": "path", "path": path, "slices": ["libc6_libs"]})
    for path in ("/usr/lib/libc.so.6", "/usr/lib/x")
)
_GO = b"\xff Go buildinf:" + b"\x08\x02" + bytes(16) + b"\x08go1.24.4" + bytes(64)

_DATABASES = {
    "lib/apk/db/installed": _APK,
    "var/lib/dpkg/info/coreutils.list": _DPKG,
    "var/lib/dpkg/info/dash:amd64.list": "/bin/sh\n/usr/bin/dash\n",
    "var/lib/dpkg/diversions": _DIVERSIONS,
    "var/lib/dpkg/status.d/libc6": _STATUS,
    "var/lib/dpkg/status.d/libc6.md5sums": _SUMS,
    "var/lib/dpkg/status": _STATUS,
    "etc/passwd": _PASSWD,
    "etc/group": _GROUP,
    "etc/os-release": 'ID=debian\nVERSION_ID="13"\n',
}
_NAMES = (
    *("bin", "usr/bin", "usr/bin/ls", "lib/libc.so", "app", "app/a.js", "etc", ".", "./app//b", ""),
    *("/abs", "../up", "a/../b", "usr/lib/sysimage/rpm/rpmdb.sqlite", ".wh.app", "app/.wh.a.js"),
    *("app/.wh..wh..opq", ".wh.", ".wh..wh.aufs", "d/" * 60 + "x", "\udcff", "é", "usr/bin/node"),
)


@cache
def _first() -> tuple[Entry, ...]:
    return (
        folder("usr"),
        folder("usr/bin", mode=0o1777),
        symlink("bin", "usr/bin"),
        file("usr/bin/ls", elf(interpreter="/lib/ld.so", needed=("libc.so.6",)), mode=0o4755),
        file("usr/bin/node", elf(pie=True) + b"node.js/v24.19.0" + _GO, mode=0o755),
        file("usr/lib/libc.so.6", elf(soname="libc.so.6")),
        *(file(name, text.encode()) for name, text in _DATABASES.items()),
        file("var/lib/chisel/manifest.wall", zstd(_CHISEL.encode())),
        file("app/a.js", b"x" * 100, uid=1000, gid=1000),
        symlink("lib", "/usr/lib"),
    )


@cache
def _second() -> tuple[Entry, ...]:
    return (
        whiteout("app/a.js"),
        opaque("usr/share"),
        folder("app"),
        file("app/b.js", b"y"),
        hardlink("app/c.js", "app/b.js"),
        symlink("app/loop", "loop"),
        image_archives.entry("dev/null", tarfile.CHRTYPE),
        file("opt/x/y/z", b"z" * 600),
    )


def _entries(random: Random, seeds: Sequence[Sequence[Entry]]) -> list[Entry]:
    """Return the entries of a layer, some of them others."""
    made = [*random.choice(seeds)]
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        at = random.randrange(len(made) or 1)
        if not made:
            break
        info, content = made[at]
        changed = tarfile.TarInfo(info.name)
        for name in ("type", "linkname", "size", "mode", "uid", "gid"):
            setattr(changed, name, getattr(info, name))
        match random.randrange(9):
            case 0:
                made.insert(random.randint(0, len(made)), made[at])
                continue
            case 1:
                made.pop(at)
                continue
            case 2:
                changed.name = random.choice((*_NAMES, *TEXTS[20:40]))
            case 3:
                changed.linkname = random.choice((*_NAMES, *TEXTS[:40], info.name))
            case 4:
                kinds = b"0123456\0" if random.random() < 0.8 else b"789LKSxgAV"
                changed.type = bytes([random.choice(kinds)])
            case 5:
                field = random.choice(("mode", "uid", "gid"))
                setattr(changed, field, random.choice((0, 0o7777, 2**31, 2**32 - 1, 2**33, -1)))
            case 6:
                changed.pax_headers = {
                    random.choice(
                        ("size", "uid", "path", "linkpath", "mtime", "x", "hdrcharset")
                    ): (random.choice((*TEXTS[:50], "10", "-5", "0.5")))
                }
            case _:
                # A database's lines rather than a program's bytes.
                is_text = info.name in _DATABASES
                content = (
                    mutations.of_lines(random, [content.decode()])
                    if is_text
                    else mutations.content(random, content)
                )
                changed.size = len(content)
        if not changed.isreg() and changed.type not in (b"\0", b"7"):
            changed.size, content = 0, b""
        made[at] = (changed, content)
    return made


def _layer(random: Random) -> bytes:
    """Return the tar of a layer, seldom a damaged one."""
    form = random.choice((tarfile.PAX_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))
    try:
        made = tar(*_entries(random, (_first(), _second())), form=form)
    except (ValueError, UnicodeError, OverflowError):
        # What tarfile does not write.
        made = tar(*_second())
    return mutations.content(random, made) if random.random() < 0.1 else made


@cache
def _config() -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-11-01T00:00:00.123456789Z",
        "config": {
            "User": "node:staff",
            "Env": ["PATH=/bin", "TOKEN=s3cret-value"],
            "Cmd": ["node", "--token=s3cret-value", "a.js"],
            "Entrypoint": None,
            "ExposedPorts": {"8080/tcp": {}},
            "Labels": {"a": "b"},
            "WorkingDir": "/app",
            "Volumes": {"/data": {}},
        },
        "history": [
            {"created_by": "/bin/sh -c #(nop)  ENV TOKEN=s3cret-value", "empty_layer": True},
            {"created_by": "RUN |1 A=b /bin/sh -c npm i", "created": "2026-11-01T00:00:00Z"},
            {"created_by": "COPY . ."},
        ],
        "rootfs": {"type": "layers", "diff_ids": []},
    }


def _json(random: Random, document: Any) -> bytes:
    """Return a document as JSON, sometimes a mutant."""
    if random.random() < 0.7:
        return json.dumps(document).encode()
    return mutations.written(random, mutations.document(random, document))


def _archive(random: Random) -> bytes:
    """Return an archive as `docker save` or an OCI layout has it."""
    layers = [_layer(random) for _ in range(random.choice((1, 2, 2, 3)))]
    compress = random.choice((plain, plain, gzipped, zstd))
    config = {**_config(), "rootfs": {"diff_ids": [digest(layer) for layer in layers]}}
    made = _json(random, config)
    if random.random() < 0.5:
        files = _saved(random, [compress(layer) for layer in layers], made)
    else:
        files = _layout(random, [compress(layer) for layer in layers], made)
    if random.random() < 0.05:
        files.pop(random.choice([*files]))
    content = tar(*(file(name, blob) for name, blob in files.items()))
    if random.random() < 0.1:
        content = random.choice((gzipped, zstd, image_archives.xz, image_archives.bzip2))(content)
    return mutations.content(random, content) if random.random() < 0.08 else content


def _saved(random: Random, layers: list[bytes], config: bytes) -> dict[str, bytes]:
    blobs = {f"blobs/sha256/{digest(blob)[7:]}": blob for blob in (*layers, config)}
    names = [f"blobs/sha256/{digest(layer)[7:]}" for layer in layers]
    saved = [{"Config": [*blobs][-1], "RepoTags": ["app:1"], "Layers": names}]
    return {**blobs, "manifest.json": _json(random, saved)}


def _layout(random: Random, layers: list[bytes], config: bytes) -> dict[str, bytes]:
    layout = Layout()
    manifest = {
        "schemaVersion": 2,
        "config": layout.add(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [layout.add(layer, image_archives.LAYER) for layer in layers],
    }
    named = {"annotations": {"org.opencontainers.image.ref.name": "app:1"}}
    on = image_archives.on_platform("amd64")
    described = layout.add(_json(random, manifest), image_archives.MANIFEST, **on, **named)
    if random.random() < 0.3:
        attestation = {**described, **image_archives.on_platform("unknown", "unknown")}
        described = layout.index(described, attestation)
    index = _json(random, {"manifests": [described]})
    return {**layout.files, "index.json": index}


def _check_archive(path: Path, random: Random) -> None:
    # What a user names is first recognised.
    tried(path.name, lambda: new_study.kind(str(path)))
    with open_archive(path) as archive:
        inventory = file_inventory.take(archive)
        sizes = [layer.compressed_bytes or 1 for layer in archive.layers]
        command = metadata.command(archive.config)
        image = metadata.describe(
            path,
            archive.image_id,
            archive.config,
            [(layer.diff_id, layer.file_bytes, layer.tar_bytes) for layer in inventory.layers],
            ("archive", sizes),
            runtime=file_inventory.runtime(inventory.files, command),
            accounts=(inventory.passwd, inventory.group),
            file_paths={f"/{file.path}" for file in inventory.files},
        )
    counted, merged = _counts(path)
    read = [(layer.entries, layer.file_bytes, layer.tar_bytes) for layer in inventory.layers]
    same("entries and bytes of layers", read, counted)
    names = [each.path for each in inventory.files]
    if merged is not None:
        same("paths", names, sorted(merged))
    _check_kept(path, image, inventory.files)


def _check_kept(path: Path, image: metadata.Image, files: list[file_inventory.File]) -> None:
    """Check that evidence is read as it was written, and that frames take it."""
    kept = path.with_name("image.json"), path.with_name("files.jsonl.gz")
    metadata.write(kept[0], image)
    same("image.json", metadata.read(kept[0], metadata.Image), image)
    file_inventory.write(kept[1], files)
    same("files.jsonl.gz", file_inventory.read(kept[1]), files)
    columns = image_rows.files("one", "", file_owners.of(files))
    same("rows of files", len(frames.make("files", columns)), len(files))
    frames.make("layers", image_rows.layers("one", "", image))
    frames.make("images", {name: [value] for name, value in image_rows.measured(image).items()})


def _counts(path: Path) -> tuple[list[tuple[int, int, int]], set[str] | None]:
    """Count entries, bytes of files and of the tar of each layer, and merge them, by `tarfile`.

    `None` for paths where a link or a mark of an old engine makes that hard.
    """
    with tarfile.open(fileobj=io.BytesIO(_unpacked(path.read_bytes()))) as archive:
        blobs = {info.name: info for info in archive.getmembers()}

        def content(name: str) -> bytes:
            opened = archive.extractfile(blobs[name])
            assert opened
            return opened.read()

        layers = [_unpacked(content(name)) for name in _layer_names(content, blobs)]
    counts, merged = [], set[str]()
    is_known = True
    for layer in layers:
        with tarfile.open(
            fileobj=io.BytesIO(layer), errors="surrogateescape", encoding="utf-8"
        ) as read:
            members = [(_clean(info.name), info) for info in read.getmembers()]
        members = [(name, info) for name, info in members if name]
        regular = {name: info.size for name, info in members if info.isreg()}
        counts.append((len(members), sum(regular.values()), len(layer)))
        is_known = is_known and _merge(merged, members)
    return counts, {_printed(name.rstrip("/")) for name in merged} if is_known else None


def _printed(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _layer_names(content: Any, blobs: Any) -> list[str]:
    if "manifest.json" in blobs:
        [image] = plain_json(content("manifest.json"))
        return image.get("Layers") or []
    described = plain_json(content("index.json"))["manifests"][-1]
    manifest = plain_json(content(_blob(described)))
    if manifest.get("manifests"):
        [described, *_] = manifest["manifests"]
        manifest = plain_json(content(_blob(described)))
    return [_blob(layer) for layer in manifest.get("layers") or []]


def _blob(described: dict[str, Any]) -> str:
    return f"blobs/{described['digest'].replace(':', '/')}"


def _unpacked(content: bytes) -> bytes:
    """What a file holds; of xz also what is there before it is cut, behind the end of the tar."""
    if content.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(content)
    readers = {b"\x1f\x8b": gzip, b"\x28\xb5\x2f\xfd": zstandard, b"BZh": bz2}
    for magic, reader in readers.items():
        if content.startswith(magic):
            return reader.decompress(content)  # type: ignore[attr-defined]
    return content


def _clean(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _merge(merged: set[str], members: list[tuple[str, tarfile.TarInfo]]) -> bool:
    """Put a layer's paths on those of lower ones, folders with a slash at their end."""
    links = {name for name, info in members if info.issym() or info.islnk()}
    for name, _ in members:
        above, _, last = name.rpartition("/")
        if last == ".wh..wh..opq":
            _remove(merged, f"{above}/" if above else "")
        elif "/.wh..wh." in f"/{name}":
            return False
        elif last.startswith(".wh."):
            hidden = f"{above}/{last[4:]}" if above else last[4:]
            merged.discard(hidden)
            _remove(merged, f"{hidden}/", itself=True)
    for name, info in members:
        if name.rpartition("/")[2].startswith(".wh."):
            continue
        parents = [name[:at] for at, letter in enumerate(name) if letter == "/"]
        if links & {*parents}:
            return False
        for parent in parents:
            merged.discard(parent)
            merged.add(f"{parent}/")
        if info.isdir():
            merged.discard(name)
            merged.add(f"{name}/")
        else:
            _remove(merged, f"{name}/", itself=True)
            merged.add(name)
    return True


def _remove(merged: set[str], folder: str, itself: bool = False) -> None:
    merged -= {name for name in merged if name.startswith(folder) and (itself or name != folder)}


def _check_package_db(path: Path, random: Random) -> None:
    """Check who owns files by apk's and dpkg's lists, against a plain loop over their lines."""
    content = path.read_bytes()
    name = random.choice([*_DATABASES, "var/lib/chisel/manifest.wall"])
    links = random.choice(({}, {"bin": "usr/bin", "usr/bin": "/bin", "lib": "lib"}))
    owned = package_db.owners({name: content}, links)
    package_db.unread(owned)
    if links or not name.endswith((".list", "installed")):
        return
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    counted: dict[str, str] = {}
    package, above = "", ""
    for line in lines:
        if name.endswith(".list"):
            counted[line] = name
        elif line.startswith("P:"):
            package, above = line[2:], ""
        elif line.startswith("F:"):
            above = line[2:]
        elif line.startswith("R:") and package:
            counted[f"{above}/{line[2:]}"] = package
    if all(".." not in line and "//" not in line and "/./" not in line for line in lines):
        paths = {_clean(listed) for listed in counted}
        same("owned", {_clean(listed) for listed in owned} | {""}, paths | {""})


def _check_passwd(path: Path, random: Random) -> None:
    named = random.choice(("node", "node:staff", "0", "1000:50", "4294967296", *TEXTS[:40]))
    content = path.read_bytes()
    user = etc_passwd.resolve(
        named, *random.choice(((content, b""), (b"", content), (content,) * 2))
    )
    if user:
        metadata_of = {"user_id": [user.uid], "group_ids": [" ".join(map(str, user.gids))]}
        frames.make("images", metadata_of)


def _check_elf(path: Path, random: Random) -> None:
    content = path.read_bytes()
    found = elf_file.describe(content)
    version = known_programs.version(random.choice(("usr/bin/node", "usr/bin/python3.13")), content)
    file_row = file_inventory.File("x", "file", len(content), 0o755, 0, 0, 0)
    if found:
        file_row = file_inventory.File(
            *("x", "file", len(content), 0o755, 0, 0, 0, None, "", *found, version)
        )
    kept = path.with_name("files.jsonl.gz")
    file_inventory.write(kept, [file_row])
    same("files.jsonl.gz", file_inventory.read(kept), [file_row])


def _elf(random: Random) -> bytes:
    seed = elf(
        random.choice((1, 2, 3, 4)),
        random.choice(("", "/lib64/ld-linux.so.2")),
        random.choice(((), ("libc.so.6", "libm.so.6"))),
        random.choice(("", "libx.so.1")),
        pie=random.random() < 0.5,
        wide=random.random() < 0.7,
        order=random.choice("<>"),
    )
    seed += random.choice((b"", _GO, b"node.js/v24.19.0", b"\x003.13.5\x00"))
    for _ in range(random.choice((1, 1, 2, 3))):
        seed = mutations.content(random, seed)
    return seed


def _check_config(path: Path, random: Random) -> None:
    """Check an image's config alone: what is described of it, and how it is started."""
    config = path.read_bytes()
    saved = [{"Config": "config.json", "RepoTags": ["app:1"], "Layers": []}]
    files = {"config.json": config, "manifest.json": json.dumps(saved).encode()}
    archive = image_archives.written(path.with_name("input.json.tar"), files)
    with open_archive(archive) as opened:
        raw = opened.config
    known = random.choice(({}, {"RepoTags": None, "RepoDigests": ["a@b"]}))
    image = metadata.describe(path, "sha256:1", raw, [], ("gzip", []), known, runtime="node 1")
    if not _is_odd(raw):
        texts = (image.entrypoint, image.command, image.environment, image.layers)
        same("a secret is left", "s3cret-value" in f"{texts}", False)
    metadata.command(raw)
    metadata.port(image.ports)
    _check_kept(path, image, [])


def _is_odd(config: dict[str, Any]) -> bool:
    """Return whether a config does not name the secret as a variable any more."""
    start = config.get("config")
    listed = start.get("Env") if isinstance(start, dict) else None
    return not isinstance(listed, list) or "TOKEN=s3cret-value" not in listed


KINDS = {
    "archive": Kind(_archive, _check_archive, "input.tar", weight=3),
    "config": Kind(lambda random: mutations.of_json(random, [_config()]), _check_config),
    "package-db": Kind(
        lambda random: mutations.of_lines(random, [*_DATABASES.values(), _CHISEL]),
        _check_package_db,
    ),
    "passwd": Kind(lambda random: mutations.of_lines(random, [_PASSWD, _GROUP]), _check_passwd),
    "elf": Kind(_elf, _check_elf),
}
