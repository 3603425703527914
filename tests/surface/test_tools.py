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


SCRIPT = {"mode": 0o755}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # A link to a program of many commands is one also where no path looks.
        (
            [program("busybox/busybox"), link("busybox/sh", "busybox")],
            [
                ("busybox", "busybox/busybox", "program"),
                ("sh", "busybox/sh", "link to busybox/busybox"),
            ],
        ),
        # A hard link is anlink to its program.
        (
            [BUSYBOX, program("bin/sh", 0, kind="hardlink", target="bin/busybox")],
            [("busybox", "bin/busybox", "program"), ("sh", "bin/sh", "link to bin/busybox")],
        ),
        # A program is one anywhere, and a version at its end is no matter.
        ([program("nodejs/bin/node")], [("node", "nodejs/bin/node", "program")]),
        ([program("opt/x/python3.13")], [("python", "opt/x/python3.13", "program")]),
        ([program("opt/x/curl", elf="static")], [("curl", "opt/x/curl", "program")]),
        # A script is one among commands only.
        ([file("usr/local/bin/npm", **SCRIPT)], [("npm", "usr/local/bin/npm", "script")]),
        ([file("usr/share/doc/curl", **SCRIPT), file("share/completions/curl", **SCRIPT)], []),
        # What nobody may execute, and a library, is none.
        ([file("bin/sh"), program("bin/bash", mode=0o644)], []),
        ([file("bin/sh", kind="dir", mode=0o755), file("bin/nc", kind="fifo")], []),
        ([file("usr/lib/ruby", mode=0o755, elf="shared")], []),
        # A link is followed through others and through linked folders.
        (
            [
                link("bin", "usr/bin"),
                link("usr/bin/awk", "/etc/alternatives/awk"),
                link("etc/alternatives/awk", "/bin/mawk"),
                program("usr/bin/mawk"),
            ],
            [
                ("awk", "usr/bin/awk", "link to usr/bin/mawk"),
                ("mawk", "usr/bin/mawk", "program"),
            ],
        ),
        # A link that leads to nothing that runs is none.
        *(
            ([link("bin/sh", target), link("bin/sh2", "sh"), file("bin/data")], [])
            for target in ("nowhere", "sh", "/../etc", "../bin/sh2", "data")
        ),
    ],
)
def test_what_is_a_tool(files, expected) -> None:
    assert found(*files) == expected


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
