"""Shells, package managers and C libraries, told by the files of an image."""

import pytest

from helpers import tools
from helpers.frames import make
from helpers.load import load_files
from helpers.tools import Binaries, Libc


@pytest.fixture(scope="module")
def rebuilt():
    return load_files("rebuilt-2026")


def files(*rows: tuple, variant: str = "app"):
    """Files of one image: path, kind, whether it may be executed, ELF kind and loader."""
    names = ["path", "kind", "executable", "elf", "elf_interpreter"]
    full = [(*row, *[None] * (5 - len(row))) for row in rows]
    columns = dict(zip(names, map(list, zip(*full, strict=True)), strict=True))
    return make("files", {"variant": [variant] * len(rows), **columns})


def test_busybox_is_called_by_the_names_of_its_links() -> None:
    found = files(
        ("bin/busybox", "file", True), ("bin/sh", "symlink", False), ("sbin/apk", "hardlink", True)
    )
    assert tools.commands(found, "app") == {"busybox", "sh", "apk"}


@pytest.mark.parametrize("folder", "bin sbin usr/bin usr/sbin usr/local/bin usr/local/sbin".split())
def test_a_command_is_what_is_in_a_folder_where_a_path_looks(folder: str) -> None:
    assert tools.commands(files((f"{folder}/tool", "file", True)), "app") == {"tool"}


@pytest.mark.parametrize(
    "path",
    ["opt/bin/tool", "usr/lib/tool", "bin/sub/tool", "tool", "nodejs/bin/node", "usr/lbin/x"],
)
def test_elsewhere_it_is_not_found_by_its_name(path: str) -> None:
    assert tools.commands(files((path, "file", True)), "app") == frozenset()


def test_what_nobody_may_execute_is_no_command() -> None:
    found = files(("bin/readme", "file", False), ("bin/folder", "dir", False))
    assert tools.commands(found, "app") == frozenset()


def test_files_that_are_not_known_are_not_none() -> None:
    found = files(("bin/sh", "file", True), variant="other")
    for asked in (tools.commands, tools.binaries, tools.libc):
        assert asked(found, "app") is None


def test_executables_and_libraries_are_counted_by_kind() -> None:
    elves = ["executable", "static", "executable", "shared", "object", None]
    found = files(*((f"bin/{n}", "file", True, elf) for n, elf in enumerate(elves)))
    assert tools.binaries(found, "app") == Binaries(executables=3, libraries=1)


def test_the_c_library_is_that_of_the_loaders_that_executables_ask_for() -> None:
    loaders = [
        "/lib/ld-musl-x86_64.so.1",
        "/lib/ld-musl-aarch64.so.1",
        "/lib64/ld-linux-x86-64.so.2",
        "/lib/ld-other.so",
        None,
    ]
    found = files(*((f"bin/{n}", "file", True, "shared", at) for n, at in enumerate(loaders)))
    assert tools.libc(found, "app") == Libc(musl=2, glibc=1)


def test_the_rebuilt_images_have_the_tools_of_their_base_and_distroless_has_none(rebuilt) -> None:
    wanted = tools.SHELLS | tools.PACKAGE_MANAGERS | tools.INSTALLERS
    found = {
        variant: (tools.commands(rebuilt, variant) or frozenset()) & wanted
        for variant in rebuilt["variant"].unique()
    }
    assert found == {
        "node-24-debian": {"apt", "apt-get", "bash", "dash", "dpkg", "npm", "npx", "sh"},
        "node-24-alpine": {"apk", "ash", "busybox", "npm", "npx", "sh"},
        "node-24-distroless": frozenset(),
        "node-8-distroless": frozenset(),
    }


def test_the_rebuilt_images_have_the_c_library_of_their_base(rebuilt) -> None:
    assert tools.libc(rebuilt, "node-24-debian") == Libc(musl=0, glibc=282)
    assert tools.libc(rebuilt, "node-24-alpine") == Libc(musl=8, glibc=0)
    assert tools.binaries(rebuilt, "node-24-distroless") == Binaries(1, 283)


def test_packages_are_those_of_the_variant_that_is_asked_for() -> None:
    names = {"variant": ["a", "a", "b"], "package": ["musl", None, "libc6"]}
    assert tools.packages(make("packages", names), "a") == {"musl"}
