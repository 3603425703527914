"""Coverage: what of an image belongs to packages, so that the scanner can know it."""

import pandas as pd
import pytest

from helpers.frames import Frames, make
from helpers.studies.load import load_files, load_study
from helpers.surface import scan_coverage
from tests.conftest import file, files_of, image_of, packages_of, program


@pytest.fixture(scope="module")
def rebuilt() -> Frames:
    return load_study("rebuilt-2026")


@pytest.fixture
def images() -> pd.DataFrame:
    return image_of(runtime="node 24.19.0")


def installed(*names: str) -> pd.DataFrame:
    return packages_of(*({"package": name} for name in names))


def test_node_is_the_largest_that_no_package_owns_in_every_rebuilt_image(rebuilt: Frames) -> None:
    files = load_files("rebuilt-2026")
    table = scan_coverage.coverage(files, rebuilt.images, rebuilt.packages).set_index("variant")
    assert table["largest_unknown"].to_dict() == {
        "node-24-debian": "usr/local/bin/node",
        "node-24-alpine": "usr/local/bin/node",
        "node-24-distroless": "nodejs/bin/node",
        "node-8-distroless": "nodejs/bin/node",
    }
    assert table["known_share"].round(2).tolist() == [0.35, 0.06, 0.16, 0.41]
    assert table.loc["node-24-debian", ["binaries", "known_binaries"]].tolist() == [656, 655]
    dark = scan_coverage.dark_answer(files, rebuilt.packages).table
    first = dark.drop_duplicates("variant")
    assert first["path"].tolist() == table["largest_unknown"].tolist()
    assert first["version"].tolist() == ["24.19.0", "24.19.0", "24.19.0", "8.17.0"]
    assert len(dark) == 6


def test_beside_every_total_stands_how_much_was_looked_at(rebuilt: Frames) -> None:
    files = load_files("rebuilt-2026")
    table = scan_coverage.coverage(files, rebuilt.images, rebuilt.packages)
    assert scan_coverage.mark(table) == "executable bytes scanned: 6 to 41%"
    brief = scan_coverage.brief_answer(table)
    assert (brief.table, brief.chart) == (None, None)
    assert "node-24-debian 35%, node-24-alpine 6%" in brief.text.plain


def test_executables_and_libraries_count_by_their_bytes_and_nothing_else_does(images) -> None:
    found = files_of(
        program("bin/sh", 100, package="dash"),
        program("bin/dash", 0, kind="hardlink", target="bin/sh", package="dash"),
        file("lib/libc.so", 200, elf="shared", package="libc6"),
        program("bin/small", 50, elf="static"),
        program("opt/node", 650, version="24.1.0"),
        file("boot/module.ko", 9_000, elf="object"),
        file("core", 9_000, elf="other"),
        file("etc/passwd", 9_000),
    )
    table = scan_coverage.coverage(found, images, installed("dash", "libc6"))
    assert table.iloc[0].tolist() == ["app", 4, 2, 1000, 300, 0.3, "opt/node", "24.1.0", ""]
    answer = scan_coverage.answer(table, images, installed())
    assert answer.table["size_bytes"].tolist() == [300, 700]
    assert [part.key for part in answer.chart.series] == ["in packages", "outside every package"]
    assert scan_coverage.dark(found, installed("dash", "libc6"))["path"].tolist() == [
        "opt/node",
        "bin/small",
    ]


@pytest.mark.parametrize(
    ("status", "share"),
    [("scanned", None), ("no-os", 0.0)],
)
def test_where_no_owner_is_known_the_share_is_not_unless_no_system_was_looked_at(
    status: str, share: float | None
) -> None:
    found = files_of(program("bin/a"), file("usr/lib/sysimage/rpm/rpmdb.sqlite"))
    table = scan_coverage.coverage(found, image_of(status=status), installed("a"))
    assert table["gap"].ne("").all()
    assert [None if pd.isna(each) else each for each in table["known_share"]] == [share]


def test_an_addon_of_a_package_that_the_scanner_lists_is_known(images) -> None:
    path = "app/node_modules/bcrypt/package.json"
    bcrypt = {"package": "bcrypt", "package_class": "lang-pkgs", "package_path": path}
    found = files_of(file("app/node_modules/bcrypt/build/bcrypt.node", 10, elf="shared"))
    assert scan_coverage.coverage(found, images, packages_of(bcrypt))["known_share"].tolist() == [
        1.0
    ]
    assert scan_coverage.coverage(found, images, installed("libc6"))["known_share"].tolist() == [
        0.0
    ]


def test_the_same_image_in_two_captures_is_told_apart() -> None:
    images = pd.concat([image_of(capture="1"), image_of(capture="2")], ignore_index=True)
    files = pd.concat(
        [
            files_of(program("bin/a", 10, package="a"), capture="1"),
            files_of(program("bin/b", 10), capture="2"),
        ],
        ignore_index=True,
    )
    table = scan_coverage.coverage(files, images, make("packages", {}))
    assert table["known_share"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("runtime", "names", "listed"),
    [
        ("Node.js 24.19.0", ["nodejs"], True),
        ("Node.js 24.19.0", ["nodejs-doc"], False),
        ("Node.js 24.19.0", ["nodejs24"], True),
        ("Python 3.12", ["python3.12"], True),
        ("Python 3.12", ["python2.7"], False),
        ("PHP 8.4.1", ["php8.4-cli"], True),
        ("Python 3.12", ["libpython3"], False),
        ("Python 3.13.5", ["python3.13-minimal"], True),
        ("Java 21.0.13", ["openjdk-21-jre-headless"], True),
        ("Java 21.0.13", ["java-21-openjdk-headless"], True),
        ("Java 21.0.13", ["java-common"], False),
        ("Go 1.24.4", ["stdlib"], True),
        ("Ruby 3.3", ["ruby"], True),
    ],
)
def test_a_runtime_that_no_package_brings_is_named(images, runtime, names, listed: bool) -> None:
    text = scan_coverage.runtimes_not_counted(images.assign(runtime=runtime), installed(*names))
    assert ("not a package in app" in text.plain) == (not listed)


def test_nothing_is_said_of_a_runtime_that_is_not_known_or_of_packages_that_are_not(images) -> None:
    assert not scan_coverage.runtimes_not_counted(images.assign(runtime=None), installed("libc6"))
    assert not scan_coverage.runtimes_not_counted(images, installed())


@pytest.mark.parametrize("status", ["failed", "missing", "not-looked"])
def test_of_an_image_that_was_not_scanned_nothing_was_looked_at_that_is_known(status: str) -> None:
    found = files_of(program("bin/bash", 10, package="bash"))
    table = scan_coverage.coverage(found, image_of(status=status), packages_of())
    assert table["known_share"].isna().all()
