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


def addon(*needed: str, path: str = "app/x.node"):
    return file(path, 5, elf="shared", needed=needed)


def lacking(*files) -> list[tuple]:
    table = dynamic_linking.unloadable(files_of(*files))
    lacks = table["lacks"].fillna("")
    return list(zip(table["path"], lacks, table["problem"], strict=True))


def test_an_image_is_of_the_library_that_most_of_its_programs_ask_for() -> None:
    static = program("bin/static", elf="static")
    table = dynamic_linking.libc(files_of(*MUSL, static), image_of())
    assert table.iloc[0].tolist() == ["app", 1, 0, 0, 1, "musl"]
    other = program("bin/x", elf_interpreter="/lib/ld-uClibc.so.0")
    assert dynamic_linking.libc(files_of(other), image_of()).iloc[0].tolist()[1:] == [
        0,
        0,
        1,
        0,
        "other",
    ]
    assert dynamic_linking.libc(files_of(static), image_of())["libc"].tolist() == ["static"]
    assert dynamic_linking.libc(files_of(file("etc/x")), image_of())["libc"].tolist() == [""]


def test_a_library_that_names_a_loader_is_no_program() -> None:
    table = dynamic_linking.libc(files_of(*GLIBC), image_of())
    assert table[["musl", "glibc"]].iloc[0].tolist() == [0, 1]


def test_without_files_nothing_is_known() -> None:
    table = dynamic_linking.libc(files_of(), image_of())
    assert table.drop(columns="variant").isna().all(axis=None)
    missing = dynamic_linking.unloadable(files_of())
    assert missing.empty
    text = dynamic_linking.libc_answer(table, missing).text.plain
    assert text == "• app: its files are not known, so neither is what its programs ask for"


@pytest.mark.parametrize("whole", [MUSL, GLIBC])
def test_an_image_in_which_everything_is_there_lacks_nothing(whole) -> None:
    assert lacking(*whole) == []


def test_an_addon_built_for_glibc_lacks_its_loader_in_a_musl_image() -> None:
    needed = ("libc.so.6", "ld-linux-x86-64.so.2")
    assert lacking(*MUSL, addon(*needed)) == [
        ("app/x.node", "libc.so.6, ld-linux-x86-64.so.2", dynamic_linking.NO_LIBRARY)
    ]


def test_musls_loader_takes_itself_for_libc_so_the_addon_may_only_fail_later() -> None:
    for needed in (("libc.so.6",), ("libm.so.6", "libpthread.so.0", "libdl.so.2")):
        assert lacking(*MUSL, addon(*needed)) == [
            ("app/x.node", ", ".join(needed), dynamic_linking.OTHER_LIBC)
        ]
    assert lacking(*MUSL, addon("libcrypto.so.3"))[0][2] == dynamic_linking.NO_LIBRARY


def test_plain_libc_so_is_musls_own_name() -> None:
    assert lacking(*MUSL, addon("libc.so")) == []
    assert lacking(*GLIBC, addon("libc.so")) == [
        ("app/x.node", "libc.so", dynamic_linking.NO_LIBRARY)
    ]
    script = file("usr/lib/libc.so")
    assert lacking(*GLIBC, script, addon("libc.so"))[0][2] == dynamic_linking.NO_LIBRARY, (
        "no library"
    )
    both = file("opt/musl/libc.so", elf="shared")
    assert lacking(*GLIBC, both, addon("libc.so"))[0][2] == dynamic_linking.OTHER_LIBC


def test_another_name_of_a_program_counts_once() -> None:
    other = program("bin/sh", 0, kind="hardlink", target="bin/busybox", elf_interpreter=MUSL_LOADER)
    assert dynamic_linking.libc(files_of(*MUSL, other), image_of())["musl"].tolist() == [1]


def test_an_addon_built_for_musl_lacks_its_library_in_a_glibc_image() -> None:
    assert lacking(*GLIBC, addon("libc.musl-x86_64.so.1")) == [
        ("app/x.node", "libc.musl-x86_64.so.1", dynamic_linking.NO_LIBRARY)
    ]


def test_with_glibcs_names_at_hand_in_a_musl_image_it_may_still_fail() -> None:
    compat = file("lib/ld-linux-x86-64.so.2", elf="shared")
    libc = file("lib/libc.so.6", elf="shared")
    assert lacking(*MUSL, compat, libc, addon("libc.so.6")) == [
        ("app/x.node", "", dynamic_linking.OTHER_LIBC)
    ]


def test_a_program_without_its_loader_cannot_be_started() -> None:
    tool = program("opt/tool", elf_interpreter=GLIBC_LOADER, needed=("libc.so.6",))
    assert lacking(*MUSL, tool) == [
        ("opt/tool", f"{GLIBC_LOADER}, libc.so.6", dynamic_linking.NO_LOADER)
    ]


def test_a_link_that_leads_nowhere_is_no_library() -> None:
    dangling = link("lib/libx.so.1", "libx.so.1.2.3")
    assert lacking(*MUSL, dangling, addon("libx.so.1"))[0][1] == "libx.so.1"
    there = file("lib/libx.so.1.2.3", elf="shared")
    assert lacking(*MUSL, dangling, there, addon("libx.so.1")) == []


def test_a_library_named_with_a_path_has_to_be_at_that_path() -> None:
    there = file("opt/libx.so", elf="shared")
    assert lacking(*MUSL, there, addon("/opt/libx.so")) == []
    assert lacking(*MUSL, there, addon("/usr/libx.so"))[0][1] == "/usr/libx.so"


def test_such_a_path_may_begin_with_the_folder_of_the_file() -> None:
    library = file("usr/local/lib/libpython3.13.so.1.0", elf="shared")
    needed = ("$ORIGIN/../lib/libpython3.13.so.1.0", "${ORIGIN}/../lib/gone.so")
    python = program("usr/local/bin/python3.13", needed=needed)
    assert [row[1] for row in lacking(library, python)] == [needed[1]]


def test_kernel_modules_and_static_programs_ask_for_nothing() -> None:
    module = file("lib/modules/x.ko", elf="object", needed=("nothing.so",))
    assert lacking(*MUSL, module, program("bin/s", elf="static")) == []


def test_the_largest_comes_first_and_the_answer_names_it() -> None:
    small, large = addon("libx.so.1"), file("app/y.node", 9_000_000, elf="shared", needed=("z.so",))
    files = files_of(*MUSL, small, large)
    table = dynamic_linking.unloadable(files)
    assert table["path"].tolist() == ["app/y.node", "app/x.node"]
    text = dynamic_linking.libc_answer(dynamic_linking.libc(files, image_of()), table).text.plain
    assert text.startswith(
        "• app: musl (programs: 1 for musl); 2 files cannot be loaded, or may fail when used; "
        "first app/y.node (9.0 MB), which asks for z.so: a library"
    )
    assert len(dynamic_linking.unloadable_answer(table, files).shown) == 2


def test_with_glibcs_loader_at_hand_too_nothing_of_it_is_of_another_library() -> None:
    compat = (
        program("usr/glibc-compat/bin/java", elf_interpreter=GLIBC_LOADER, needed=("libc.so.6",)),
        file("lib64/ld-linux-x86-64.so.2", elf="shared"),
        file("usr/glibc-compat/lib/libc.so.6", elf="shared"),
    )
    assert lacking(*MUSL, *compat, addon("libc.so.6")) == []


def test_what_is_for_another_processor_is_not_for_this_image() -> None:
    arm = addon("libc.so.6", "ld-linux-aarch64.so.1", path="app/prebuilds/linux-arm64/x.node")
    assert lacking(*GLIBC, arm) == []
    own = addon("libgone.so", "ld-linux-x86-64.so.2")
    assert len(lacking(*GLIBC, own)) == 1


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
