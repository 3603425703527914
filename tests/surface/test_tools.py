"""Which tools are in an image: by what they are, not by what their names promise."""

import pandas as pd
import pytest

from helpers.images.known_programs import OS_INSTALLER, SHELL
from helpers.studies.load import load_study
from helpers.surface import tools
from tests.conftest import file, files_of, link, packages_of, program


def found(*files) -> list[tuple[str, str, str]]:
    table = tools.found(files_of(*files))
    return list(zip(table["tool"], table["path"], table["what"], strict=True))


BUSYBOX = program("bin/busybox", version="1.37.0")


def test_busyboxs_links_are_what_they_are_called() -> None:
    links = [link("bin/sh", "/bin/busybox"), link("usr/bin/wget", "../../bin/busybox")]
    assert found(BUSYBOX, *links, link("bin/true", "busybox")) == [
        ("busybox", "bin/busybox", "program"),
        ("sh", "bin/sh", "link to bin/busybox"),
        ("wget", "usr/bin/wget", "link to bin/busybox"),
    ]


def test_also_where_no_path_looks() -> None:
    distroless = [program("busybox/busybox"), link("busybox/sh", "busybox")]
    assert ("sh", "busybox/sh", "link to busybox/busybox") in found(*distroless)


def test_a_hard_link_is_another_name_of_its_program() -> None:
    other = program("bin/sh", 0, kind="hardlink", target="bin/busybox")
    assert found(BUSYBOX, other)[1] == ("sh", "bin/sh", "other name of bin/busybox")


def test_a_program_is_one_anywhere_and_a_version_at_its_end_is_no_matter() -> None:
    assert found(program("nodejs/bin/node")) == [("node", "nodejs/bin/node", "program")]
    assert found(program("opt/x/python3.13")) == [("python", "opt/x/python3.13", "program")]
    assert found(program("opt/x/curl", elf="static")) == [("curl", "opt/x/curl", "program")]


def test_a_script_is_one_among_commands_only() -> None:
    script = {"mode": 0o755}
    assert found(file("usr/local/bin/npm", **script))[0][2] == "script"
    assert found(file("usr/share/doc/curl", **script)) == []
    assert found(file("usr/share/completions/curl", **script)) == []


def test_what_nobody_may_execute_is_no_tool() -> None:
    assert found(file("bin/sh"), program("bin/bash", mode=0o644)) == []
    assert found(file("bin/sh", kind="dir", mode=0o755), file("bin/nc", kind="fifo")) == []


def test_a_library_by_the_name_of_a_tool_is_none() -> None:
    assert found(file("usr/lib/ruby", mode=0o755, elf="shared")) == []


@pytest.mark.parametrize("target", ["nowhere", "sh", "/../etc", "../bin/sh2", "data"])
def test_a_link_that_leads_to_nothing_that_runs_is_no_tool(target: str) -> None:
    assert found(link("bin/sh", target), link("bin/sh2", "sh"), file("bin/data")) == []


def test_a_link_is_followed_through_others_and_through_linked_folders() -> None:
    files = [
        link("bin", "usr/bin"),
        link("usr/bin/awk", "/etc/alternatives/awk"),
        link("etc/alternatives/awk", "/bin/mawk"),
        program("usr/bin/mawk"),
    ]
    assert found(*files) == [
        ("awk", "usr/bin/awk", "link to usr/bin/mawk"),
        ("mawk", "usr/bin/mawk", "program"),
    ]


def test_a_links_target_is_of_its_own_image() -> None:
    files = pd.concat(
        [files_of(link("bin/sh", "dash")), files_of(program("bin/dash"), variant="b")]
    )
    assert tools.found(files)["variant"].tolist() == ["b"]


def test_where_files_are_not_known_packages_named_so_are_what_there_is() -> None:
    table = tools.of_packages(load_study("blog-2022").packages)
    assert tools.names(table, "nodejs-alpine", [SHELL, OS_INSTALLER]) == {"busybox", "apk-tools"}
    assert tools.names(table, "nodejs-distroless", [SHELL, OS_INSTALLER]) == frozenset()
    modules = packages_of({"package": "npm", "package_class": "lang-pkgs"})
    assert tools.of_packages(modules).empty, "a module is no tool"


def test_executables_and_libraries_are_counted_by_kind_each_once() -> None:
    elves = ["executable", "static", "executable", "shared", "object", ""]
    files = [file(f"bin/{n}", mode=0o755, elf=elf) for n, elf in enumerate(elves)]
    table = tools.binaries(files_of(*files, program("bin/other", kind="hardlink", target="bin/0")))
    assert table.iloc[0].tolist() == ["app", 3, 1]
    assert tools.binaries(files_of()).empty


def test_packages_are_those_of_the_variant_that_is_asked_for() -> None:
    two = packages_of({"package": "musl"}, {"package": None})
    assert tools.packages(two, "app") == {"musl"}
    assert tools.packages(two, "other") == frozenset()
