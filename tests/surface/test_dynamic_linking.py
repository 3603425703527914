"""C libraries by loader, what programs lack, and what they load: all told without running any."""

import pytest

from helpers.surface import dynamic_linking
from tests.conftest import file, files_of, image_of, link, program

GLIBC_LOADER, MUSL_LOADER = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"
MUSL = (
    file("lib/ld-musl-x86_64.so.1", elf="shared"),
    program("bin/busybox", elf_interpreter=MUSL_LOADER, needed=("libc.musl-x86_64.so.1",)),
    link("lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1"),
)
GLIBC = (
    link("lib64", "usr/lib64"),
    link("lib", "usr/lib"),
    file("usr/lib/ld-linux-x86-64.so.2", elf="shared"),
    link("usr/lib64/ld-linux-x86-64.so.2", "../lib/ld-linux-x86-64.so.2"),
    file("usr/lib/libc.so.6", elf="shared", elf_interpreter=GLIBC_LOADER),
    program("usr/bin/node", 9, elf_interpreter=GLIBC_LOADER, needed=("libc.so.6",)),
)


def addon(*needed: str):
    return file("app/x.node", 5, elf="shared", needed=needed)


SHARED = {"elf": "shared"}
DANGLING = link("lib/libx.so.1", "libx.so.1.2.3")
COMPAT = (
    program("usr/glibc-compat/bin/java", elf_interpreter=GLIBC_LOADER, needed=("libc.so.6",)),
    file("lib64/ld-linux-x86-64.so.2", **SHARED),
    file("usr/glibc-compat/lib/libc.so.6", **SHARED),
)
PYTHON = program(
    "usr/local/bin/python3",
    needed=("$ORIGIN/../lib/libpython3.so.1.0", "${ORIGIN}/../lib/gone.so"),
)
NO_LIBRARY, OTHER_LIBC = dynamic_linking.NO_LIBRARY, dynamic_linking.OTHER_LIBC


@pytest.mark.parametrize(
    ("files", "lacks", "problem"),
    [
        # Everything is there.
        (MUSL, None, ""),
        (GLIBC, None, ""),
        # An add-on for glibc in an image of musl, and the other way round. Musl's loader takes
        # itself for libc, so some may only fail later.
        ((*MUSL, addon("libc.so.6", "ld-linux-x86-64.so.2")), "libc.so.6, ld-linux-x86-64.so.2",
         NO_LIBRARY),
        ((*MUSL, addon("libc.so.6")), "libc.so.6", OTHER_LIBC),
        ((*MUSL, addon("libm.so.6", "libdl.so.2")), "libm.so.6, libdl.so.2", OTHER_LIBC),
        ((*MUSL, addon("libcrypto.so.3")), "libcrypto.so.3", NO_LIBRARY),
        ((*GLIBC, addon("libc.musl-x86_64.so.1")), "libc.musl-x86_64.so.1", NO_LIBRARY),
        # Plain libc.so is musl's own name; in glibc's images it is a script.
        ((*MUSL, addon("libc.so")), None, ""),
        ((*GLIBC, addon("libc.so")), "libc.so", NO_LIBRARY),
        ((*GLIBC, file("usr/lib/libc.so"), addon("libc.so")), "libc.so", NO_LIBRARY),
        ((*GLIBC, file("opt/musl/libc.so", **SHARED), addon("libc.so")), "", OTHER_LIBC),
        # With glibc's names at hand it may still fail, with its loader nothing is of another one.
        ((*MUSL, file("lib/libc.so.6", **SHARED), addon("libc.so.6")), "", OTHER_LIBC),
        ((*MUSL, *COMPAT, addon("libc.so.6")), None, ""),
        # A program without its loader.
        ((*MUSL, program("opt/tool", elf_interpreter=GLIBC_LOADER)), GLIBC_LOADER,
         dynamic_linking.NO_LOADER),
        # A link that leads nowhere is no library.
        ((*MUSL, DANGLING, addon("libx.so.1")), "libx.so.1", NO_LIBRARY),
        ((*MUSL, DANGLING, file("lib/libx.so.1.2.3", **SHARED), addon("libx.so.1")), None, ""),
        # A library named with a path has to be there; it may begin with the file's own folder.
        ((*MUSL, file("opt/libx.so", **SHARED), addon("/opt/libx.so")), None, ""),
        ((*MUSL, file("opt/libx.so", **SHARED), addon("/usr/libx.so")), "/usr/libx.so", NO_LIBRARY),
        ((file("usr/local/lib/libpython3.so.1.0", **SHARED), PYTHON), "${ORIGIN}/../lib/gone.so",
         NO_LIBRARY),
        # Kernel modules and static programs ask for nothing.
        ((*MUSL, file("lib/modules/x.ko", elf="object", needed=("nothing.so",))), None, ""),
        ((*MUSL, program("bin/s", elf="static")), None, ""),
        # What is for another processor is not for this image.
        ((*GLIBC, addon("libc.so.6", "ld-linux-aarch64.so.1")), None, ""),
        ((*GLIBC, addon("libgone.so", "ld-linux-x86-64.so.2")), "libgone.so", NO_LIBRARY),
    ],
)  # fmt: skip
def test_what_asks_for_something_that_is_not_there(files, lacks, problem: str) -> None:
    table = dynamic_linking.unloadable(files_of(*files))
    found = zip(table["lacks"].fillna(""), table["problem"], strict=True)
    assert [*found] == ([] if lacks is None else [(lacks, problem)])


def test_the_largest_comes_first() -> None:
    large = file("app/y.node", 9_000_000, elf="shared", needed=("z.so",))
    table = dynamic_linking.unloadable(files_of(*MUSL, addon("libx.so.1"), large))
    assert table["path"].tolist() == ["app/y.node", "app/x.node"]


STATIC = program("bin/static", elf="static")
NAMED = {"kind": "hardlink", "target": "bin/busybox", "elf_interpreter": MUSL_LOADER}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((*MUSL, STATIC), [1, 0, 0, 1, "musl"]),
        ((program("bin/x", elf_interpreter="/lib/ld-uClibc.so.0"),), [0, 0, 1, 0, "other"]),
        ((STATIC,), [0, 0, 0, 1, "static"]),
        ((file("etc/x"),), [0, 0, 0, 0, ""]),
        # A library that names a loader is no program, and another name of one counts once.
        (GLIBC, [0, 1, 0, 0, "glibc"]),
        ((*MUSL, program("bin/sh", 0, **NAMED)), [1, 0, 0, 0, "musl"]),
    ],
)
def test_an_image_is_of_the_library_that_most_of_its_programs_ask_for(files, expected) -> None:
    table = dynamic_linking.libc(files_of(*files), image_of())
    assert table.iloc[0].tolist() == ["app", *expected]


def test_without_files_nothing_is_known() -> None:
    table = dynamic_linking.libc(files_of(), image_of())
    assert table.drop(columns="variant").isna().all(axis=None)
    missing = dynamic_linking.unloadable(files_of())
    assert missing.empty


def test_what_a_program_loads_is_followed_through_links_and_libraries() -> None:
    files = files_of(
        *GLIBC,
        file("usr/lib/libz.so.1.3", elf="shared", needed=("libc.so.6",)),
        link("usr/lib/libz.so.1", "libz.so.1.3"),
        program("usr/bin/gzip", elf_interpreter=GLIBC_LOADER, needed=("libz.so.1",)),
        file("usr/lib/libother.so", elf="shared"),
    )
    assert dynamic_linking.closure(files, ["usr/bin/gzip"]) == {
        "usr/bin/gzip",
        "usr/lib/ld-linux-x86-64.so.2",
        "usr/lib/libz.so.1.3",
        "usr/lib/libc.so.6",
    }
    assert dynamic_linking.closure(files, ["bin/nothing"]) == frozenset()


def test_libraries_that_need_each_other_and_links_in_a_loop_come_to_an_end() -> None:
    files = files_of(
        program("bin/x", needed=("liba.so", "libloop.so")),
        file("lib/liba.so", elf="shared", needed=("libb.so",)),
        file("lib/libb.so", elf="shared", needed=("liba.so",)),
        link("lib/libloop.so", "libloop2.so"),
        link("lib/libloop2.so", "libloop.so"),
    )
    assert dynamic_linking.closure(files, ["bin/x"]) == {"bin/x", "lib/liba.so", "lib/libb.so"}
    assert dynamic_linking.unloadable(files)["lacks"].tolist() == ["libloop.so"]
