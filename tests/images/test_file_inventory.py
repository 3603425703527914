"""What is in an image: as its layers merge, as Docker itself tells it, and not for hostile ones."""

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import hypothesis.strategies as st
import pytest
from docker.errors import ImageNotFound
from hypothesis import HealthCheck, given, settings

from helpers.capture.daemon import Daemon
from helpers.errors import ArchiveInvalid
from helpers.images import compression, file_inventory, layer
from helpers.images.archive import gzip_size, open_archive
from helpers.images.file_inventory import File, Inventory
from helpers.images.tar import MAX_HEADER
from tests.conftest import unless_live
from tests.support.image_archives import (
    Entry,
    Layout,
    docker_save,
    elf,
    entry,
    file,
    folder,
    gzipped,
    hardlink,
    opaque,
    symlink,
    tar,
    whiteout,
)


def take(path: Path) -> Inventory:
    """The inventory of an archive that is opened and closed for that."""
    with open_archive(path) as archive:
        return file_inventory.take(archive)


def taken(tmp_path: Path, *layers: tuple[Entry, ...]) -> dict[str, File]:
    """The files of an image whose layers have these entries, by path."""
    files = take(docker_save(tmp_path / "app.tar", *[tar(*entries) for entries in layers])).files
    assert [f.path for f in files] == sorted({f.path for f in files})
    return {f.path: f for f in files}


def refused(tmp_path: Path, *layers: bytes) -> str:
    """Why an image is refused; it is told of which file, and what to do."""
    path = docker_save(tmp_path / "app.tar", *layers)
    with pytest.raises(ArchiveInvalid) as told:
        take(path)
    assert told.value.path == str(path)
    assert told.value.remedy
    return told.value.problem


# What a file is told to be


def test_a_file_has_what_its_entry_says(tmp_path: Path) -> None:
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


def test_elf_files_are_described_and_others_are_not(tmp_path: Path) -> None:
    program = elf(3, "/lib/ld-musl-x86_64.so.1", ("libc.so",), pie=True)
    files = taken(tmp_path, (file("app", program), file("script", b"#!/bin/sh\n" * 99)))
    assert (files["app"].elf, files["app"].elf_interpreter, files["app"].needed) == (
        "executable", "/lib/ld-musl-x86_64.so.1", ("libc.so",),
    )  # fmt: skip
    assert files["script"].elf == ""
    assert files["app"].size_bytes == len(program)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_may_be_long_or_not_utf8_or_have_control_characters(
    tmp_path: Path, form: int
) -> None:
    long, strange, control = "d/" * 200 + "f", "caf\udce9", "a\nb\x1b[31m"
    path = docker_save(tmp_path / "a.tar", tar(file(long), file(strange), file(control), form=form))
    files = take(path).files
    assert {f.path for f in files if f.kind == "file"} == {long, "caf\\xe9", control}


def test_of_several_names_of_a_file_the_first_has_its_size(tmp_path: Path) -> None:
    files = taken(
        tmp_path, (file("m", b"123", mode=0o600), hardlink("z", "m"), hardlink("a", "./z"))
    )
    assert [(f.path, f.kind, f.size_bytes, f.target, f.mode) for f in files.values()] == [
        ("a", "file", 3, "", 0o600),
        ("m", "hardlink", 0, "a", 0o600),
        ("z", "hardlink", 0, "a", 0o600),
    ]  # fmt: skip


def test_layers_have_the_sizes_of_their_files_and_of_their_tars(tmp_path: Path) -> None:
    one = tar(folder("d"), file("d/a", b"1" * 700), hardlink("d/b", "d/a"), symlink("s", "d/a"))
    two = tar(file("d/a", b"2"), whiteout("s"))
    layout = Layout()
    for path in (
        docker_save(tmp_path / "a", one, two),
        layout.tar(tmp_path / "b", layout.image(one, two)),
    ):
        sizes = take(path).layers
        assert [(size.file_bytes, size.tar_bytes, size.entries) for size in sizes] == [
            (700, len(one), 4), (1, len(two), 2),
        ]  # fmt: skip


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


def test_a_whiteout_hides_what_lower_layers_have_wherever_it_stands(tmp_path: Path) -> None:
    lower = (file("d/a", b"1"), file("d/b", b"1"), file("e/f/g"), file("top"))
    for upper in (
        (whiteout("d/a"), whiteout("e"), whiteout("top"), file("d/a", b"22"), file("e/new")),
        (file("d/a", b"22"), file("e/new"), whiteout("top"), whiteout("e"), whiteout("d/a")),
    ):
        files = taken(tmp_path, lower, upper)
        assert set(files) == {"d", "d/a", "d/b", "e", "e/new"}
        assert (files["d/a"].size_bytes, files["d/a"].layer, files["d/b"].layer) == (2, 1, 0)


def test_an_opaque_directory_hides_only_what_is_lower(tmp_path: Path) -> None:
    lower = (folder("d", mode=0o700), file("d/old"), file("d/sub/old"), file("other"))
    for upper in (
        (folder("d", mode=0o750), opaque("d"), file("d/new")),
        (folder("d", mode=0o750), file("d/new"), opaque("d")),
    ):
        files = taken(tmp_path, lower, upper)
        assert set(files) == {"d", "d/new", "other"}
        assert files["d"].mode == 0o750
    assert set(taken(tmp_path, lower, (opaque(""), file("new")))) == {"new"}
    assert set(taken(tmp_path, lower, (opaque("none"), whiteout("no/ne")))) == set(
        taken(tmp_path, lower)
    )


def test_a_directory_over_a_directory_merges_and_anything_else_replaces(tmp_path: Path) -> None:
    lower = (folder("d", mode=0o700), file("d/a"), file("f"), symlink("s", "d"))
    merged = taken(tmp_path, lower, (folder("d", mode=0o711, uid=5), file("d/b")))
    assert set(merged) == {"d", "d/a", "d/b", "f", "s"}
    assert (merged["d"].mode, merged["d"].uid, merged["d"].layer) == (0o711, 5, 1)
    replaced = taken(tmp_path, lower, (file("d", b"1"), folder("f"), file("s/x")))
    assert {p: f.kind for p, f in replaced.items()} == {
        "d": "file", "f": "dir", "s": "dir", "s/x": "file",
    }  # fmt: skip


def test_within_a_layer_a_link_to_a_directory_is_followed_inside_of_the_image(
    tmp_path: Path,
) -> None:
    files = taken(
        tmp_path,
        (symlink("lib", "usr/lib"), symlink("up", "/../../etc"), file("lib/x"), file("up/passwd")),
    )
    assert {p for p, f in files.items() if f.kind == "file"} == {"usr/lib/x", "etc/passwd"}


def test_a_hard_link_outlives_its_first_name(tmp_path: Path) -> None:
    lower = (file("a", b"123", mode=0o600), hardlink("b", "a"))
    for upper in ((whiteout("a"),), (file("a", b"other"),)):
        files = taken(tmp_path, lower, upper)
        assert (files["b"].kind, files["b"].size_bytes, files["b"].mode) == ("file", 3, 0o600)
    linked = taken(tmp_path, lower, (hardlink("c", "/b"),))
    assert [f.target for f in linked.values()] == ["", "a", "a"], "to a file of a lower layer"


def test_metadata_of_aufs_is_no_file(tmp_path: Path) -> None:
    upper = (file(".wh..wh.aufs"), folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", b"1"))
    assert set(taken(tmp_path, (file("a"),), upper)) == {"a"}


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
STEPS = st.tuples(
    st.sampled_from(["file", "file", "dir", "symlink", "hardlink", "whiteout", "opaque"]),
    PATHS,
    PATHS,
    st.integers(0, 99),
)


def made(kind: str, path: str, target: str, size: int) -> Entry:
    """The entry that a step is."""
    match kind:
        case "file":
            return file(path, b"x" * size)
        case "dir":
            return folder(path, mode=size)
        case "symlink":
            return symlink(path, "x")
        case "hardlink":
            return hardlink(path, target)
        case "whiteout":
            return whiteout(path)
    return opaque(path)


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


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
    for path, told in sorted(expected.items()):
        if told[0] == "file" and told in first:
            assert (files[path].kind, files[path].target) == ("hardlink", first[told])
            assert files[path].size_bytes == 0
            continue
        first[told] = path
        assert files[path].kind == told[0]
        if told[0] == "file":
            assert (files[path].size_bytes, files[path].layer) == (told[2], told[1][0])
        elif told[0] == "dir":
            assert files[path].mode == told[1]


# What no image should be


def pax(name: str = "f", **fields: str) -> bytes:
    made = file(name, b"1234")
    made[0].pax_headers = fields
    return tar(made)


def sparse() -> bytes:
    return tar(entry("disk", tarfile.GNUTYPE_SPARSE), form=tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (tar(file("a/../../etc/passwd")), "leads out of the image: 'a/../../etc/passwd'"),
        (tar(file("..")), "leads out of the image"),
        (tar(hardlink("a", "../../etc/passwd")), "leads out of the image"),
        (tar(file("/etc/passwd")), "an absolute path: '/etc/passwd'"),
        (tar(file("./")), "a root that is no directory"),
        (tar(file("x/" * 2049)), "a path of more than 4,096 bytes"),
        (tar(symlink("x", "y" * 4097)), "a path of more than 4,096 bytes"),
        (pax(path="a\0b"), "a NUL in a name"),
        (pax(size="-5"), "a negative size"),
        (pax(uid=str(2**70)), "an owner that cannot be"),
        (pax(size=str(10**12)), "cut off inside 'f'"),
        (pax(**{"GNU.sparse.map": "0,4", "GNU.sparse.size": "4000"}), "a sparse file"),
        (sparse(), "a sparse file"),
        (pax(comment="x" * (MAX_HEADER + 1)), "a header of more than 1,048,576 bytes"),
        (pax(comment="1" * 200_000), "a number of more than 255 digits"),
        (tar(entry("v", b"V")), "an entry of unknown type b'V'"),
        (tar(hardlink("a", "b")), "a hard link to nothing (b): 'a'"),
        (tar(folder("b"), hardlink("a", "b")), "a hard link to a directory (b): 'a'"),
        (tar(symlink("a", "b"), symlink("b", "a"), file("a/x")), "below a loop of symbolic links"),
        (tar(whiteout("a/")), "a whiteout of nothing"),
        (tar(whiteout("a/..")), "a whiteout of nothing"),
        (b"no tar at all" * 999, "layer 1 of 1 is damaged"),
        (tar(file("a"))[:512] + b"\1" * 512 + tar(file("b")), "damaged at byte 512"),
        (tar(file("a", b"1" * 2000))[:1024], "cut off"),
    ],
)  # fmt: skip
def test_a_hostile_layer_is_refused_by_name(tmp_path: Path, content: bytes, problem: str) -> None:
    told = refused(tmp_path, content)
    assert problem in told
    assert "layer 1 of 1" in told


def test_a_layer_may_be_empty_or_have_more_after_its_end(tmp_path: Path) -> None:
    whole = tar(file("a"))
    for content, files in ((b"", 0), (tar(), 0), (whole[:512], 1), (whole + b"\0" * 99, 1)):
        told = take(docker_save(tmp_path / "a.tar", content))
        assert len(told.files) == files
        assert told.layers[0].tar_bytes == len(content)


def test_headers_in_headers_without_end_are_refused(tmp_path: Path) -> None:
    nested = b"".join(
        tarfile.TarInfo.create_pax_global_header({"comment": "x"})
        for _ in range(900)
    )  # fmt: skip
    assert "layer 1 of 1 is damaged" in refused(tmp_path, nested + tar(file("a")))


@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        ("MAX_ENTRIES", "more than 2 entries"),
        ("MAX_NAMES", "names of 2 bytes"),
        ("MAX_UNPACKED", "more than 2 bytes unpacked"),
    ],
)
def test_an_image_has_limits_over_all_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, problem: str
) -> None:
    monkeypatch.setattr(layer, limit, 2)
    layers = tar(file("a")), tar(file("b")), tar(file("c"))
    assert problem in refused(tmp_path, *layers)


def test_a_package_database_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "MAX_DATABASE", 2)
    assert "a package database of 3 bytes" in refused(
        tmp_path, tar(file("lib/apk/db/installed", b"123"))
    )


def test_a_file_that_cannot_be_so_large_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    head = tar(file("zeros"))[:512]
    info = tarfile.TarInfo("zeros")
    info.size = 10**10
    bomb = info.tobuf(tarfile.GNU_FORMAT) + head
    layout = Layout()
    path = layout.tar(tmp_path / "a.tar", layout.image(bomb))
    with pytest.raises(
        ArchiveInvalid, match=r"10,000,000,000 bytes, too many .* a decompression bomb: 'zeros'"
    ):
        take(path)


def test_a_bomb_is_one_whatever_its_entries_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "BOMB_BYTES", 10**6)
    layout = Layout()
    path = layout.tar(tmp_path / "a.tar", layout.image(tar(*[file("a", b"\0" * 10**5)] * 99)))
    with pytest.raises(ArchiveInvalid, match="compressed to less than a 200th"):
        take(path)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    flips=st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=200)), max_size=3)
)
def test_any_layer_is_taken_or_refused(tmp_path: Path, flips: list[tuple[int, bytes]]) -> None:
    made = file("p" * 120, elf(3, "/lib/ld.so", ("a",)))
    content = bytearray(tar(made, hardlink("x", "p" * 120), whiteout("y"), symlink("s", "t")))
    for at, new in flips:
        content[at : at + len(new)] = new
    path = docker_save(tmp_path / "a.tar", bytes(content))
    try:
        take(path)
    except ArchiveInvalid as error:
        assert "layer 1 of 1" in error.problem


# How it is stored


def rows(count: int) -> list[File]:
    return [
        File(f"app/node_modules/package-{n // 40}/lib/module-{n}.js", "file", n * 7919 % 9973,
             0o644, 0, 0, 3, "nodejs" if n % 3 else None)
        for n in range(count)
    ]  # fmt: skip


def test_what_is_stored_is_read_again_and_always_the_same_bytes(tmp_path: Path) -> None:
    files = [*rows(3), File("l", "hardlink", 0, 0, 0, 0, 0, None, "a", "shared", "/ld", ("x", "y"))]
    one, two = tmp_path / "one.gz", tmp_path / "two.gz"
    for path in (one, two):
        file_inventory.write(path, files)
        assert file_inventory.read(path) == files
    assert one.read_bytes() == two.read_bytes()
    file_inventory.write(one, [])
    assert file_inventory.read(one) == []


def test_a_large_inventory_is_small_when_stored(tmp_path: Path) -> None:
    file_inventory.write(tmp_path / "files.gz", rows(100_000))
    assert (tmp_path / "files.gz").stat().st_size < 2_000_000
    assert len(file_inventory.read(tmp_path / "files.gz")) == 100_000


def test_a_stored_inventory_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "files.gz"
    file_inventory.write(path, rows(50))
    whole = path.read_bytes()
    for content in (
        b"",
        b"text",
        whole[:-1],
        whole[: len(whole) // 2],
        whole[:40] + b"\0\0\0" + whole[43:],
        gzipped(b""),
        gzipped(b"{}"),
        gzipped(b'{"format":2,"files":0}\n'),
        gzipped(b'{"format":1,"files":2}\n["a","file",0,0,0,0,0]\n'),
        gzipped(b'{"format":1,"files":1}\n["a","file",-1,0,0,0,0]\n'),
        gzipped(b'{"format":1,"files":1}\n' + b"[" * 10**5),
        gzipped(b'{"format":1,"files":1}\n["\xff"]\n'),
    ):
        path.write_bytes(content)
        with pytest.raises(ArchiveInvalid, match=r"files\.gz: .*Capture it again"):
            file_inventory.read(path)
    with pytest.raises(ArchiveInvalid, match="Capture it again"):
        file_inventory.read(tmp_path / "none.gz")


# As Docker itself tells it

ADDED = {".dockerenv", "dev", "dev/console", "dev/pts", "dev/shm", "proc", "sys", "etc",
         "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"}  # fmt: skip
"""What Docker puts into every container."""

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


class Told(NamedTuple):
    """What a daemon tells of an image, and the image saved."""

    saved: Path
    image_id: str
    exported: bytes
    history: list[int]


def image(client: docker.DockerClient, name: str) -> Any:
    """An image of the daemon; the test is skipped if it is not there."""
    try:
        return client.images.get(name)
    except ImageNotFound:
        unless_live(f"the daemon has no image {name}")


@pytest.fixture(scope="module")
def told(
    client: docker.DockerClient, standins: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    built, _ = client.images.build(
        fileobj=io.BytesIO(DOCKERFILE.encode()), tag="invtest/merged", rm=True, forcerm=True
    )
    container = client.containers.create(built, ["none"])
    try:
        path = tmp_path_factory.mktemp("told") / "merged.tar"
        with path.open("wb") as file:
            file.writelines(built.save(named=True))
        history = [step["Size"] for step in built.history()][::-1]
        yield Told(path, built.id, b"".join(container.export()), history)
    finally:
        container.remove()
        client.images.remove("invtest/merged")


def as_exported(content: bytes) -> dict[str, tuple[Any, ...]]:
    """What `docker export` has at each path, with all names of one file."""
    kinds = {value: key for key, value in {
        "file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE,
        "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE,
    }.items()}  # fmt: skip
    found: dict[str, tuple[Any, ...]] = {}
    names: dict[str, list[str]] = {}
    with tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape") as exported:
        for info in exported:
            path = layer.shown(info.name.strip("/"))
            first = layer.shown(info.linkname) if info.islnk() else path
            names.setdefault(first, []).append(path)
            if not info.islnk():
                found[path] = (
                    kinds[info.type], info.size, info.mode, info.uid, info.gid, info.linkname,
                )  # fmt: skip
    return {
        name: (*found[first], sorted(of)) for first, of in names.items() for name in of
        if name and name not in ADDED
    }  # fmt: skip


def as_taken(files: list[File]) -> dict[str, tuple[Any, ...]]:
    """The same of an inventory."""
    names: dict[str, list[str]] = {}
    for f in files:
        names.setdefault(f.target if f.kind == "hardlink" else f.path, []).append(f.path)
    return {
        name: (f.kind, f.size_bytes, f.mode, f.uid, f.gid, f.target, sorted(names[f.path]))
        for f in files
        if f.kind != "hardlink"
        for name in names[f.path]
        if name not in ADDED
    }


def test_files_are_those_of_docker_export(told: Told) -> None:
    taken, exported = as_taken(take(told.saved).files), as_exported(told.exported)
    assert set(taken) == set(exported)
    assert {path: taken[path] for path in taken if taken[path] != exported[path]} == {}
    assert len(taken) > 4000
    assert exported["opt/a/two"][2:5] == (0o644, 33, 44)


def test_layers_have_the_sizes_of_docker_history(told: Told) -> None:
    with open_archive(told.saved) as archive:
        assert archive.image_id == told.image_id
        sizes = file_inventory.take(archive).layers
        links = [
            sum(len(e.node.target) for e in entries if e.node.kind == "symlink")
            for entries, _ in (
                layer.read(archive, number, layer.Budget()) for number in range(len(sizes))
            )
        ]
    assert sum(links) > 0
    # Docker also counts the lengths of symbolic links, unless BuildKit ran what made them.
    told_bytes = [size.file_bytes + length for size, length in zip(sizes, links, strict=True)]
    assert told_bytes == told.history


@pytest.mark.parametrize("form", ["oci-archive", "oci", "docker-archive"])
def test_what_skopeo_writes_gives_the_same_inventory(told: Told, tmp_path: Path, form: str) -> None:
    if not shutil.which("skopeo"):
        unless_live("skopeo is not installed")
    copied = tmp_path / "copied"
    subprocess.run(
        ["skopeo", "copy", "--quiet", "--dest-compress-level=1", f"docker-archive:{told.saved}",
         f"{form}:{copied}:app:1"],
        check=True,
    )  # fmt: skip
    with open_archive(copied) as archive:
        # For OCI skopeo writes the config anew.
        assert (archive.image_id == told.image_id) == (form == "docker-archive")
        assert file_inventory.take(archive) == take(told.saved)
        if form != "docker-archive":
            assert [gzip_size(archive, layer) for layer in archive.layers] == [
                layer.compressed_bytes for layer in archive.layers
            ]


@pytest.mark.parametrize(
    "name",
    [
        *(BASE, "rebuilt/alpine:3.23", "rebuilt/node-alpine:24", "rebuilt/node-debian:24"),
        *("node:8", "gcr.io/distroless/nodejs", "gcr.io/distroless/nodejs24-debian13"),
    ],
)
def test_every_base_has_the_files_of_docker_export_and_its_layers_their_tars_sums(
    daemon: Daemon, standins: list[str], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "image.tar"
    daemon.save(name, path)
    taken = take(path)
    assert as_taken(taken.files) == as_exported(b"".join(daemon.export(name)))
    with open_archive(path) as archive:
        for size, told in zip(taken.layers, archive.layers, strict=True):
            with archive.open_layer(told) as stream:
                content = stream.read()
            with tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape") as layer_tar:
                assert size.file_bytes == sum(info.size for info in layer_tar if info.isreg())
            assert size.tar_bytes == len(content)


def dpkg(said: str) -> dict[str, set[str]]:
    """The packages of each path by what `dpkg --search` says: `a:amd64, b: /path`."""
    lines = (line.partition(": /") for line in said.splitlines() if not line.startswith("diver"))
    return {path: {re.sub(":.*", "", p) for p in of.split(", ")} for of, _, path in lines}


def apk(said: str) -> dict[str, set[str]]:
    """The same of `apk info --who-owns`: `/path is owned by musl-1.2.5-r9`."""
    found = re.findall(r"^/(.+) is owned by (.+)-[^-]+-r\d+$", said, re.MULTILINE)
    return {path: {package} for path, package in found}


@pytest.mark.parametrize(
    ("name", "command", "parse"),
    [
        (BASE, ["dpkg", "--search"], dpkg),
        ("rebuilt/node-alpine:24", ["apk", "info", "--who-owns"], apk),
    ],
)
def test_packages_own_what_their_manager_says(
    client: docker.DockerClient,
    standins: list[str],
    tmp_path: Path,
    name: str,
    command: list[str],
    parse: Callable[[str], dict[str, set[str]]],
) -> None:
    path = tmp_path / "image.tar"
    with path.open("wb") as file:
        file.writelines(image(client, name).save())
    files = [
        f
        for f in take(path).files
        if f.kind != "dir" and f.path not in ADDED and not re.search(r"[*?\[\\]", f.path)
    ]
    # A link is not asked of apk, which answers with the owner of what it leads to.
    asked = [f for f in files if command[0] != "apk" or f.kind != "symlink"]
    owned_here, unowned = ([f for f in asked if bool(f.package) == is_] for is_ in (True, False))
    asked = owned_here[:: len(owned_here) // 800 + 1] + unowned[:: len(unowned) // 500 + 1]
    assert len(asked) >= 500
    ran = client.containers.create(name, [*command, *[f"/{f.path}" for f in asked]])
    try:
        ran.start()
        ran.wait()
        owned = parse(ran.logs(stderr=False).decode())
    finally:
        ran.remove(force=True)
    assert len(owned) > (500 if command[0] == "dpkg" else 50)
    assert {f.path: {f.package} for f in asked if f.package} == owned
