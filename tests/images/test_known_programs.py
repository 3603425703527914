"""The table of tools, and the versions that their programs tell."""

import csv
import re

import pytest

from helpers import paths
from helpers.images import known_programs
from helpers.images.file_inventory import File, runtime


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


def test_the_kinds_come_in_the_order_of_the_table() -> None:
    assert known_programs.kinds()[:4] == [
        "shell",
        "package manager",
        "app installer",
        "interpreter",
    ]


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
    ],
)
def test_a_version_is_read_where_the_table_has_a_pattern(
    path: str, content: bytes, version: str
) -> None:
    assert known_programs.version(path, content) == version


def program(path: str, size: int, version: str = "", package: str | None = None) -> File:
    return File(path, "file", size, 0o755, 0, 0, 0, package, elf="executable", version=version)


def test_the_runtime_is_the_largest_interpreter_that_no_package_owns() -> None:
    perl = program("usr/bin/perl", 900, "5.40.1", "perl-base")
    node = program("usr/local/bin/node", 500, "24.19.0")
    small = program("opt/x/node", 50, "18.0.0")
    assert runtime([perl, node, small]) == "node 24.19.0"
    owned = program("usr/bin/node", 400, "22.0.0", "nodejs")
    assert runtime([owned, perl]) == "node 22.0.0"


def test_a_distributions_perl_is_no_runtime_and_another_perl_is_one() -> None:
    perl = program("usr/bin/perl", 900, "5.40.1", "perl-base")
    assert runtime([perl]) == ""
    assert runtime([perl, program("usr/local/bin/perl", 5, "5.42.0")]) == "perl 5.42.0"


def test_a_shell_is_no_runtime_and_without_a_version_there_is_none() -> None:
    assert runtime([program("bin/bash", 900, "5.2.37"), program("bin/node", 5)]) == ""
    assert runtime([]) == ""
