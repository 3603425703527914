"""The table of tools, and the versions that their programs tell."""

import csv
import platform
import re
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from helpers import paths
from helpers.images import known_programs
from helpers.images.file_inventory import File, runtime
from tests.support.live import unless_live


def test_each_line_of_the_table_is_whole_and_no_name_stands_twice() -> None:
    with paths.TOOLS.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(known_programs.table()) == len({line["name"] for line in lines})
    for line in lines:
        assert line["name"], line
        assert line["kind"], line
        assert line["about"], line
        if line["version"]:
            assert re.compile(line["version"].encode()).groups == 1, line


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("bin/sh", "shell"),
        ("usr/bin/python3.13", "interpreter"),
        ("usr/bin/perl5.40.1", "interpreter"),
        ("usr/bin/gcc-14", "compiler"),
        ("nc.openbsd", "network tool"),
        ("sbin/apk", "package manager"),
        ("usr/local/bin/npm", "app installer"),
        ("usr/bin/true", None),
        ("usr/bin/shred", None),
        ("sh/readme", None),
        ("", None),
    ],
)
def test_a_tool_is_told_by_its_name_whatever_version_follows(path: str, kind: str | None) -> None:
    found = known_programs.named(path)
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("path", "content", "version"),
    [
        ("usr/local/bin/node", b"\0node.js/v24.19.0\0", "24.19.0"),
        ("bin/busybox", b"BusyBox v1.37.0 (2025-08-05)", "1.37.0"),
        ("bin/bash", b"@(#)Bash version 5.2.37(1) release GNU", "5.2.37"),
        ("usr/bin/perl", b"\0v5.40.1\0v5.40.0\0", "5.40.1"),
        ("usr/bin/php8.4", b"X-Powered-By: PHP/8.4.28", "8.4.28"),
        ("usr/bin/openssl", b"OpenSSL 3.5.9 29 Sep 2026", "3.5.9"),
        ("usr/local/bin/node", b"nothing of the kind", ""),
        ("bin/true", b"node.js/v24.19.0", ""),
        ("bin/sh", b"BusyBox v1.37.0", ""),
        # Of several numbers it is the one that the file's name begins.
        ("usr/lib/libpython3.13.so.1.0", b"\x003.0.16\0 \x003.13.5+\0 \x003.2.0\0", "3.13.5"),
        ("usr/bin/python3.13", b"\x003.2.0\0", ""),
        ("usr/lib/jvm/x/bin/java", b"\x000-b1\0 \x0021.0.13.1+2-1-deb13u1-Debian\0", "21.0.13.1"),
        ("opt/java/openjdk/bin/java", b"\x001.8.0_412-b08\0", "1.8.0_412"),
        ("app", b"\xff Go buildinf:\x08\2" + bytes(16) + b"\x08go1.24.4\7", "go1.24.4"),
        ("usr/bin/app", b"go1.24.4", ""),
    ],
)
def test_a_version_is_read_where_the_table_has_a_pattern(
    path: str, content: bytes, version: str
) -> None:
    assert known_programs.version(path, content) == version


@pytest.mark.skipif(sys.platform != "linux", reason="programs of images are those of Linux")
def test_this_python_and_a_program_of_go_tell_their_versions() -> None:
    program, library = Path(sys.executable).resolve(), sysconfig.get_config_var("INSTSONAME")
    # A build may have been moved from where it was made; without a library all is in the program.
    folders = (Path(sysconfig.get_config_var("LIBDIR")), program.parent.parent / "lib")
    libraries = [folder / library for folder in folders if library.endswith(".so.1.0")]
    at = next((path for path in libraries if path.is_file()), program)
    assert known_programs.version(str(at), at.read_bytes()) == platform.python_version()
    skopeo = Path(shutil.which("skopeo") or "")
    if not skopeo.is_file():
        unless_live("there is no skopeo, a program that Go compiled")
    assert re.fullmatch(r"go1\.\d+\.\d+", known_programs.version("any", skopeo.read_bytes()))


def program(path: str, size: int, version: str = "", package: str | None = None) -> File:
    return File(path, "file", size, 0o755, 0, 0, 0, package, elf="executable", version=version)


def test_the_runtime_is_the_largest_interpreter_that_no_package_owns() -> None:
    perl = program("usr/bin/perl", 900, "5.40.1", "perl-base")
    node = program("usr/local/bin/node", 500, "24.19.0")
    small = program("opt/x/node", 50, "18.0.0")
    assert runtime([perl, node, small]) == "node 24.19.0"
    owned = program("usr/bin/node", 400, "22.0.0", "nodejs")
    assert runtime([owned, perl]) == "node 22.0.0"


def test_go_is_the_runtime_of_what_it_compiled_if_that_is_what_starts() -> None:
    app, go = program("app/server", 500, "go1.24.4"), program("usr/local/bin/gosu", 9, "go1.18.2")
    python = program("usr/bin/python3.13", 900, "3.13.5", "python3.13-minimal")
    assert runtime([app, python], ["/app/server", "--port", "80"]) == "go 1.24.4"
    assert runtime([app, python], ["tini", "--", "./server"]) == "go 1.24.4"
    assert runtime([go, python], ["gosu", "app", "python3", "-m", "app"]) == "python 3.13.5"
    assert runtime([go], ["redis-server"]) == ""
