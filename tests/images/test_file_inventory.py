"""The files of an image: as layers merge, as Docker itself exports them; hostile ones refused."""

import io
import re
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import hypothesis.strategies as st
import pytest
from hypothesis import given

from helpers import compressed
from helpers.containers.daemon import Daemon
from helpers.errors import ArchiveInvalid
from helpers.images import file_inventory, layer
from helpers.images.archive import open_archive
from helpers.images.file_inventory import File, Inventory
from helpers.images.tar import MAX_HEADER
from tests.support.image_archives import (
    Entry,
    Layout,
    docker_save,
    elf,
    entry,
    file,
    flipped,
    folder,
    gzipped,
    hardlink,
    opaque,
    symlink,
    tar,
    whiteout,
)


def take(path: Path) -> Inventory:
    with open_archive(path) as archive:
        return file_inventory.take(archive)


def taken(tmp_path: Path, *layers: tuple[Entry, ...]) -> dict[str, File]:
    """The files by path of an image whose layers have these entries."""
    files = take(docker_save(tmp_path / "app.tar", *[tar(*entries) for entries in layers])).files
    assert [f.path for f in files] == sorted({f.path for f in files})
    return {f.path: f for f in files}


def refused(path: Path, *layers: bytes) -> str:
    """The problem with an archive, or with one of these layers; it names the file and a remedy."""
    if layers:
        path = docker_save(path / "app.tar", *layers)
    with pytest.raises(ArchiveInvalid) as caught:
        take(path)
    assert caught.value.path == str(path)
    assert caught.value.remedy
    return caught.value.problem


# What an inventory has of a file


def test_a_file_has_the_attributes_of_its_entry(tmp_path: Path) -> None:
    files = taken(
        tmp_path,
        (
            folder("./"),
            folder("usr/", mode=0o1777, uid=1, gid=2),
            file("./usr/su", b"12345", mode=0o4755, uid=33, gid=70000),
            symlink("bin", "usr/bin"),
            entry("dev/null", tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3),
            entry("dev/sda", tarfile.BLKTYPE),
            entry("run/pipe", tarfile.FIFOTYPE),
        ),
    )
    assert files["usr"] == File("usr", "dir", 0, 0o1777, 1, 2, 0)
    assert files["usr/su"] == File("usr/su", "file", 5, 0o4755, 33, 70000, 0)
    assert (files["bin"].kind, files["bin"].target) == ("symlink", "usr/bin")
    assert {f.path: f.kind for f in files.values() if f.path.startswith(("dev", "run"))} == {
        "dev": "dir", "dev/null": "char", "dev/sda": "block", "run": "dir", "run/pipe": "fifo",
    }  # fmt: skip
    assert files["dev"] == File("dev", "dir", 0, 0o755, 0, 0, 0), "a parent without an entry"


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_may_be_long_not_utf8_or_control_characters(tmp_path: Path, form: int) -> None:
    long, strange, control = "d/" * 200 + "f", "caf\udce9", "a\nb\x1b[31m"
    path = docker_save(tmp_path / "a.tar", tar(file(long), file(strange), file(control), form=form))
    files = take(path).files
    assert {f.path for f in files if f.kind == "file"} == {long, "caf\\xe9", control}


def test_the_first_of_several_names_has_the_size(tmp_path: Path) -> None:
    files = taken(
        tmp_path, (file("m", b"123", mode=0o600), hardlink("z", "m"), hardlink("a", "./z"))
    )
    assert [(f.path, f.kind, f.size_bytes, f.target, f.mode) for f in files.values()] == [
        ("a", "file", 3, "", 0o600),
        ("m", "hardlink", 0, "a", 0o600),
        ("z", "hardlink", 0, "a", 0o600),
    ]  # fmt: skip


def test_layers_have_the_sizes_of_their_files_and_tars(tmp_path: Path) -> None:
    one = tar(folder("d"), file("d/a", b"1" * 700), hardlink("d/b", "d/a"), symlink("s", "d/a"))
    two = tar(file("d/a", b"2"), whiteout("s"))
    layout = Layout()
    gzipped_layers = layout.tar(tmp_path / "b", layout.image(one, two))
    for path in (docker_save(tmp_path / "a", one, two), gzipped_layers):
        sizes = [size[1:] for size in take(path).layers]
        assert sizes == [(700, len(one), 4), (1, len(two), 2)]


def test_packages_own_files_by_the_databases_of_the_merged_image(tmp_path: Path) -> None:
    listed = "var/lib/dpkg/info/{}.list"
    files = taken(
        tmp_path,
        (
            symlink("bin", "usr/bin"),
            file("usr/bin/ls"),
            file("usr/bin/old"),
            file(listed.format("coreutils:amd64"), b"/usr\n/usr/bin\n/bin/ls\n"),
            file(listed.format("gone"), b"/usr/bin/old\n"),
            file("lib/apk/db/installed", b"P:first\nF:usr/bin\nR:old\n"),
        ),
        (whiteout(listed.format("gone")), file("lib/apk/db/installed", b"P:second\nF:app\nR:x\n")),
        (file("app/x"),),
    )
    owned = {f.path: f.package for f in files.values() if f.package}
    assert owned == {"usr/bin/ls": "coreutils", "app/x": "second"}


# How layers merge


def test_a_link_of_the_same_layer_is_followed_within_the_image(tmp_path: Path) -> None:
    links = (symlink("lib", "usr/lib"), symlink("up", "/../../etc"))
    files = taken(tmp_path, (*links, file("lib/x"), file("up/passwd")))
    assert {p for p, f in files.items() if f.kind == "file"} == {"usr/lib/x", "etc/passwd"}
    replaced = taken(tmp_path, links, (file("lib/x"),))
    assert (replaced["lib"].kind, set(replaced)) == ("dir", {"lib", "lib/x", "up"})


def test_an_opaque_folder_hides_lower_layers_only(tmp_path: Path) -> None:
    lower = (file("d/old"), file("top"))
    assert set(taken(tmp_path, lower, (file("d/new"), opaque("d")))) == {"d", "d/new", "top"}
    assert set(taken(tmp_path, lower, (file("new"), opaque("")))) == {"new"}, "the root"


def test_metadata_of_aufs_is_no_file(tmp_path: Path) -> None:
    upper = (file(".wh..wh.aufs"), folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", b"1"))
    assert set(taken(tmp_path, (file("a"),), upper)) == {"a"}


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
KINDS = ["file", "file", "dir", "symlink", "hardlink", "whiteout", "opaque"]
STEPS = st.tuples(st.sampled_from(KINDS), PATHS, PATHS, st.integers(0, 99))


def made(kind: str, path: str, target: str, size: int) -> Entry:
    """The entry of a step."""
    if kind == "file":
        return file(path, b"x" * size)
    if kind == "dir":
        return folder(path, mode=size)
    if kind in ("whiteout", "opaque"):
        return whiteout(path) if kind == "whiteout" else opaque(path)
    return symlink(path, "x") if kind == "symlink" else hardlink(path, target)


def naive(layers: list[list[tuple[str, str, str, int]]]) -> dict[str, Any] | None:
    """The merged files as a plain dict of paths; `None` if a hard link is to nothing."""
    found: dict[str, Any] = {}

    def drop(path: str, itself: bool = True) -> None:
        for other in list(found):
            if other.startswith(f"{path}/") or (itself and other == path):
                del found[other]

    for number, steps in enumerate(layers):
        for kind, path, _, _ in steps:
            if kind in ("whiteout", "opaque"):
                drop(path, itself=kind == "whiteout")
        for step, (kind, path, target, size) in enumerate(steps):
            if kind in ("whiteout", "opaque"):
                continue
            parts = path.split("/")
            for depth in range(1, len(parts)):
                above = "/".join(parts[:depth])
                if found.get(above, ("",))[0] != "dir":
                    found[above] = ("dir", 0o755)
            if kind == "hardlink":
                new = found.get(target)
                if new is None or new[0] == "dir":
                    return None
            elif kind == "dir":
                new = ("dir", size)
            else:
                new = (kind, (number, step), size)
            if kind != "dir" or found.get(path, ("",))[0] != "dir":
                drop(path)
            found[path] = new
    return found


@given(layers=st.lists(st.lists(STEPS, max_size=8), min_size=1, max_size=4))
def test_random_layers_merge_as_in_a_plain_dict(
    tmp_path: Path, layers: list[list[tuple[str, str, str, int]]]
) -> None:
    # Links are only called `l`, so that none is on the way to another path.
    layers = [
        [(k, f"{p}/l" if k == "symlink" else p, t, n) for k, p, t, n in steps] for steps in layers
    ]
    tars = [tuple(made(*step) for step in steps) for steps in layers]
    expected = naive(layers)
    if expected is None:
        assert "a hard link to" in refused(tmp_path, *[tar(*entries) for entries in tars])
        return
    files = taken(tmp_path, *tars)
    assert set(files) == set(expected)
    first: dict[Any, str] = {}
    for path, node in sorted(expected.items()):
        found = files[path]
        if node[0] == "file" and node in first:
            assert (found.kind, found.target, found.size_bytes) == ("hardlink", first[node], 0)
            continue
        first[node] = path
        assert found.kind == node[0]
        if node[0] == "file":
            assert (found.size_bytes, found.layer) == (node[2], node[1][0])
        elif node[0] == "dir":
            assert found.mode == node[1]


# What no image should be


def pax(**fields: str) -> bytes:
    return tar(file("f", b"1234", pax_headers=fields))


GLOBAL_HEADER = tarfile.TarInfo.create_pax_global_header({"comment": "x"})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (tar(file("a/../../etc/passwd")), "leads out of the image: 'a/../../etc/passwd'"),
        (tar(file("..")), "leads out of the image"),
        (tar(hardlink("a", "../../etc/passwd")), "leads out of the image"),
        (tar(file("/etc/passwd")), "an absolute path: '/etc/passwd'"),
        (tar(file("./")), "a root that is not a directory"),
        (tar(file("x/" * 2049)), "a path of more than 4,096 bytes"),
        (tar(symlink("x", "y" * 4097)), "a path of more than 4,096 bytes"),
        (pax(path="a\0b"), "a NUL in a name"),
        (pax(uid=str(2**70)), "an invalid owner"),
        (pax(size=str(10**12)), "cut off inside 'f'"),
        (pax(**{"GNU.sparse.map": "0,4", "GNU.sparse.size": "4000"}), "a sparse file"),
        (tar(entry("disk", tarfile.GNUTYPE_SPARSE), form=tarfile.GNU_FORMAT), "a sparse file"),
        (pax(comment="x" * (MAX_HEADER + 1)), "a header of more than 1,048,576 bytes"),
        (pax(comment="1" * 200_000), "a number of more than 255 digits"),
        (tar(entry("v", b"V")), "an entry of unknown type b'V'"),
        (tar(hardlink("a", "b")), "a hard link to nothing (b): 'a'"),
        (tar(folder("b"), hardlink("a", "b")), "a hard link to a directory (b): 'a'"),
        (tar(symlink("a", "b"), symlink("b", "a"), file("a/x")), "below a loop of symbolic links"),
        (tar(hardlink("a", "b\udcff")), "a hard link to nothing (b\\xff): 'a'"),
        (tar(hardlink("a", "b" * 4000)), f"a hard link to nothing ({'b' * 100}"),
        (tar(whiteout("a/")), "a whiteout of nothing"),
        (tar(whiteout("a/..")), "a whiteout of nothing"),
        (b"no tar at all" * 999, "layer 1 of 1 is damaged"),
        (GLOBAL_HEADER * 900 + tar(file("a")), "layer 1 of 1 is damaged"),
        (tar(file("a"))[:512] + b"\1" * 512 + tar(file("b")), "damaged at byte 512"),
        (tar(file("a", b"1" * 2000))[:1024], "cut off"),
    ],
)  # fmt: skip
def test_a_hostile_layer_is_refused_by_name(tmp_path: Path, content: bytes, problem: str) -> None:
    found = refused(tmp_path, content)
    assert problem in found
    assert "layer 1 of 1" in found


def of_links(entries: int) -> bytes:
    """Entries below a chain of as many links as are followed, each to a place far down."""
    down = "/".join("d" * 2000)
    chain = [symlink(f"l{n}", f"{down}/{'../' * 2000}l{n - 1}"[-4000:]) for n in range(1, 40)]
    return tar(folder("l0"), *chain, *(file(f"l39/{n}") for n in range(entries)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (tar(*(file(f"{n}/" + "a/" * 2000 + "f") for n in range(300))), "only part of a path"),
        (of_links(2000), "paths and links of more than 16,777,216 parts"),
    ],
)
def test_what_a_few_names_make_has_a_limit(tmp_path: Path, content: bytes, problem: str) -> None:
    before = time.process_time()
    assert problem in refused(tmp_path, content)
    assert time.process_time() - before < 20


@pytest.mark.parametrize("before", [b"", tar(file("a"))[:512]])
def test_an_entry_of_negative_size_hides_nothing(tmp_path: Path, before: bytes) -> None:
    """Newer versions of tarfile have an error of their own for it, and lose the entry."""
    found = refused(tmp_path, before + pax(size="-5"))
    assert "a negative size" in found or "damaged at byte" in found


def test_a_layer_may_be_empty_or_have_more_after_its_end(tmp_path: Path) -> None:
    whole = tar(file("a"))
    for content, files in ((b"", 0), (tar(), 0), (whole[:512], 1), (whole + b"\0" * 99, 1)):
        inventory = take(docker_save(tmp_path / "a.tar", content))
        assert len(inventory.files) == files
        assert inventory.layers[0].tar_bytes == len(content)


@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        ("MAX_ENTRIES", "more than 2 entries"),
        ("MAX_NAMES", "names of 2 letters"),
        ("MAX_DATABASE", "a package database of 3 bytes"),
    ],
)
def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, problem: str) -> None:
    monkeypatch.setattr(layer, limit, 2)
    names = ("a", "b", "lib/apk/db/installed")
    assert problem in refused(tmp_path, *[tar(file(name, b"123")) for name in names])


@given(
    flips=st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=200)), max_size=3)
)
def test_any_layer_is_taken_or_refused(tmp_path: Path, flips: list[tuple[int, bytes]]) -> None:
    program = file("p" * 120, elf(3, "/lib/ld.so", ("a",)))
    content = tar(program, hardlink("x", "p" * 120), whiteout("y"), symlink("s", "t"))
    path = docker_save(tmp_path / "a.tar", flipped(content, flips))
    try:
        take(path)
    except ArchiveInvalid as error:
        assert "layer 1 of 1" in error.problem


# How it is stored


def test_a_stored_inventory_is_read_again_and_has_the_same_bytes(tmp_path: Path) -> None:
    app = File("app/a.js", "file", 7919, 0o644, 0, 0, 3, "nodejs")
    files = [app, File("l", "hardlink", 0, 0, 0, 0, 0, None, "a", "shared", "/ld", ("x", "y"))]
    one, two = tmp_path / "one.gz", tmp_path / "two.gz"
    for path in (one, two):
        file_inventory.write(path, files)
        assert file_inventory.read(path) == files
    assert one.read_bytes() == two.read_bytes()
    file_inventory.write(one, [])
    assert file_inventory.read(one) == []


def test_a_damaged_inventory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "files.gz"
    names = [f"app/{n * 7919 % 9973}" for n in range(50)]
    file_inventory.write(path, [File(name, "file", 1, 0o644, 0, 0, 0) for name in names])
    whole = path.read_bytes()
    header = b'{"format":1,"files":%d}\n'
    number = b'["a","file",%d,%d,%d,0,0]\n'
    for content in (
        *(b"", b"text", whole[:-1], whole[: len(whole) // 2], flipped(whole, [(40, b"\0\0\0")])),
        gzipped(b""),
        gzipped(b"{}"),
        gzipped(b'{"format":2,"files":0}\n'),
        gzipped(header % 2 + number % (0, 0, 0)),
        *(
            gzipped(header % 1 + number % numbers)
            for numbers in ((-1, 0, 0), (2**41, 0, 0), (2**80, 0, 0), (0, -1, 0), (0, 0, 2**63))
        ),
        gzipped(header % 1 + b"[" * 10**5),
        gzipped(header % 1 + b'["\xff"]\n'),
    ):
        path.write_bytes(content)
        with pytest.raises(ArchiveInvalid, match=r"files\.gz: .*Capture it again"):
            file_inventory.read(path)
    with pytest.raises(ArchiveInvalid, match="Capture it again"):
        file_inventory.read(tmp_path / "none.gz")


# Compared with Docker

ADDED = {".dockerenv", "dev", "dev/console", "dev/pts", "dev/shm", "proc", "sys", "etc",
         "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"}  # fmt: skip
"""What Docker puts into every container."""

MERGED = "invtest/merged"
BASE = "debian:trixie"
DOCKERFILE = f"""
FROM {BASE}
RUN mkdir -p /opt/a /opt/b/sub && echo one > /opt/a/one && ln /opt/a/one /opt/a/two \\
 && ln -s ../a/one /opt/b/link && echo x > /opt/b/sub/x && mkfifo /opt/fifo \\
 && printf 'caf\\351' > "/opt/$(printf 'caf\\351')" \\
 && cp /bin/true /opt/suid && chmod 4755 /opt/suid
RUN rm /opt/a/one && rm -rf /opt/b && mkdir /opt/b && echo new > /opt/b/new \\
 && chown 33:44 /opt/a/two && rm -rf /usr/share/man && echo file > /usr/share/man \\
 && chmod 1777 /opt && rm /usr/bin/false && mv /usr/share/doc/bash /usr/share/doc/moved
"""
"""Of everything that a layer can do to lower ones."""


@pytest.fixture(scope="module")
def merged(client: docker.DockerClient, standins: list[str]) -> Iterator[str]:
    """The id of an image of the Dockerfile."""
    dockerfile = io.BytesIO(DOCKERFILE.encode())
    built, _ = client.images.build(fileobj=dockerfile, tag=MERGED, rm=True, forcerm=True)
    yield built.id
    client.images.remove(MERGED)


def as_exported(content: bytes) -> dict[str, tuple[Any, ...]]:
    """What `docker export` has at each path, with all names of one file."""
    kinds = {
        tarfile.REGTYPE: "file", tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink",
        tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo",
    }  # fmt: skip
    files: dict[str, tuple[Any, ...]] = {}
    names: dict[str, list[str]] = {}
    with tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape") as exported:
        for info in exported:
            path = layer.shown(info.name.strip("/"))
            first = layer.shown(info.linkname) if info.islnk() else path
            names.setdefault(first, []).append(path)
            if not info.islnk():
                owner = (info.uid, info.gid)
                files[path] = (kinds[info.type], info.size, info.mode, *owner, info.linkname)
    return by_name(files, names)


def as_taken(files: list[File]) -> dict[str, tuple[Any, ...]]:
    """The same of an inventory."""
    names: dict[str, list[str]] = {}
    for f in files:
        names.setdefault(f.target if f.kind == "hardlink" else f.path, []).append(f.path)
    found = {
        f.path: (f.kind, f.size_bytes, f.mode, f.uid, f.gid, f.target)
        for f in files
        if f.kind != "hardlink"
    }
    return by_name(found, names)


def by_name(
    files: dict[str, tuple[Any, ...]], names: dict[str, list[str]]
) -> dict[str, tuple[Any, ...]]:
    return {
        name: (*files[first], sorted(all_names))
        for first, all_names in names.items()
        for name in all_names
        if name and name not in ADDED
    }


@pytest.mark.parametrize(
    "name",
    [
        *(MERGED, BASE, "rebuilt/alpine:3.23", "rebuilt/node-alpine:24", "rebuilt/node-debian:24"),
        *("node:8", "gcr.io/distroless/nodejs", "gcr.io/distroless/nodejs24-debian13"),
    ],
)
def test_files_are_those_of_docker_export(
    daemon: Daemon, merged: str, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "image.tar"
    daemon.save(name, path)
    taken, exported = as_taken(take(path).files), as_exported(b"".join(daemon.export(name)))
    assert set(taken) == set(exported)
    assert {path: taken[path] for path in taken if taken[path] != exported[path]} == {}


def dpkg(output: str) -> dict[str, set[str]]:
    """The packages of each path by `dpkg --search`: `a:amd64, b: /path`."""
    lines = (line.partition(": /") for line in output.splitlines() if not line.startswith("diver"))
    return {path: {re.sub(":.*", "", p) for p in listed.split(", ")} for listed, _, path in lines}


def apk(output: str) -> dict[str, set[str]]:
    """The same by `apk info --who-owns`: `/path is owned by musl-1.2.5-r9`."""
    found = re.findall(r"^/(.+) is owned by (.+)-[^-]+-r\d+$", output, re.MULTILINE)
    return {path: {package} for path, package in found}


@pytest.mark.parametrize(
    ("name", "command", "parse"),
    [
        (BASE, ["dpkg", "--search"], dpkg),
        ("rebuilt/node-alpine:24", ["apk", "info", "--who-owns"], apk),
    ],
)
def test_owners_are_those_of_the_package_manager(
    daemon: Daemon,
    client: docker.DockerClient,
    standins: list[str],
    tmp_path: Path,
    name: str,
    command: list[str],
    parse: Callable[[str], dict[str, set[str]]],
) -> None:
    path = tmp_path / "image.tar"
    daemon.save(name, path)
    # apk answers for a link with the owner of its target.
    asked = [
        f
        for f in take(path).files
        if f.kind not in ("dir", "symlink" if parse is apk else "")
        and f.path not in ADDED
        and not re.search(r"[*?\[\\]", f.path)
    ]
    owned, unowned = ([f for f in asked if bool(f.package) == is_owned] for is_owned in (1, 0))
    asked = owned[:: len(owned) // 800 + 1] + unowned[:: len(unowned) // 500 + 1]
    assert len(asked) >= 500
    ran = client.containers.create(name, [*command, *[f"/{f.path}" for f in asked]])
    try:
        ran.start()
        ran.wait()
        expected = parse(ran.logs(stderr=False).decode())
    finally:
        ran.remove(force=True)
    assert len(expected) > (500 if parse is dpkg else 50)
    assert {f.path: {f.package} for f in asked if f.package} == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            entry("zeros", tarfile.REGTYPE, size=10**10)[0].tobuf() + bytes(512),
            "10,000,000,000 bytes, too large for the layer: a decompression bomb: 'zeros'",
        ),
        (tar(*[file("a", b"\0" * 10**5)] * 99), "expands to more than"),
    ],
)
def test_a_compressed_layer_may_be_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, problem: str
) -> None:
    """A file that cannot be so large is refused before it is unpacked."""
    monkeypatch.setattr(compressed, "BOMB_BYTES", 10**6)
    layout = Layout()
    path = layout.tar(tmp_path / "a.tar", layout.image(content))
    assert problem in refused(path)
