"""Which package that the scanner knows a file belongs to."""

import pytest

from helpers.images import package_files
from helpers.studies.load import load_files, load_study
from tests.conftest import file, files_of, packages_of, program

OPENSSL = {"package": "openssl"}
EXPRESS = {
    "package": "express",
    "package_class": "lang-pkgs",
    "place": "app",
    "package_path": "app/node_modules/express/package.json",
}


INNER = EXPRESS | {
    "package": "debug",
    "package_path": "app/node_modules/express/node_modules/debug/package.json",
}
CFFI = EXPRESS | {
    "package": "cffi",
    "package_path": "app/packages/cffi-1.17.1.dist-info/METADATA",
}
NUMPY = EXPRESS | {"package": "NumPy-Ext", "package_path": "site/NumPy_Ext-1.0.dist-info/METADATA"}
MODULE = EXPRESS | {"package": "go.x", "package_path": "usr/bin/server"}


@pytest.mark.parametrize(
    ("path", "by_database", "packages", "found"),
    [
        ("usr/bin/openssl", "openssl", [OPENSSL], "openssl"),
        ("usr/bin/x", "not-listed", [OPENSSL], None),
        ("usr/bin/x", "removed", [], "removed"),
        ("usr/bin/x", "removed", [EXPRESS], None),
        ("app/node_modules/express/x.js", "openssl", [OPENSSL, EXPRESS], "openssl"),
        ("app/node_modules/express/lib/router.js", None, [EXPRESS], "express"),
        ("app/node_modules/express/package.json", None, [EXPRESS], "express"),
        ("app/node_modules/express-session/index.js", None, [EXPRESS], None),
        ("app/node_modules/.package-lock.json", None, [EXPRESS], None),
        ("app/node_modules/express/node_modules/debug/x.js", None, [EXPRESS, INNER], "debug"),
        ("app/node_modules/express/node_modules/ms/x.js", None, [EXPRESS, INNER], "express"),
        ("app/packages/cffi/api.py", None, [CFFI], "cffi"),
        ("app/packages/cffi-1.17.1.dist-info/RECORD", None, [CFFI], "cffi"),
        ("app/packages/_cffi_backend.cpython-313-x86_64-linux-gnu.so", None, [CFFI], "cffi"),
        ("app/packages/cffi.libs/libffi.so.8", None, [CFFI], "cffi"),
        ("app/packages/_other.cpython-313-x86_64-linux-gnu.so", None, [CFFI], None),
        ("app/packages/_cffi.py", None, [CFFI], None),
        ("site/numpy_ext/core/x.so", None, [NUMPY], "NumPy-Ext"),
        ("site/other/x.so", None, [NUMPY], None),
        ("usr/bin/server", None, [MODULE], "go.x"),
        ("usr/bin/server2", None, [MODULE], None),
    ],
)
def test_whose_a_file_is(
    path: str, by_database: str | None, packages: list[dict], found: str | None
) -> None:
    listed = files_of(file(path, package=by_database))
    owner = package_files.known(listed, packages_of(*packages))["package"].iloc[0]
    assert (None if owner != owner else owner) == found


def test_a_package_is_as_large_as_its_files_each_at_its_place() -> None:
    twice = [
        {**EXPRESS, "package": "ms", "package_path": f"{at}/node_modules/ms/package.json"}
        for at in ("app", "app/node_modules/debug")
    ]
    files = files_of(
        program("usr/bin/openssl", 100, package="openssl"),
        file("app/node_modules/ms/index.js", 7),
        file("app/node_modules/debug/node_modules/ms/index.js", 30),
    )
    table = package_files.sized(packages_of(OPENSSL, *twice, {"package": "empty"}), files)
    assert table["size_bytes"].tolist() == [100, 7, 30, 0]
    assert package_files.largest(packages_of(OPENSSL, *twice), files)["size_bytes"].tolist() == [
        100,
        30,
        7,
    ]


def test_all_that_the_rebuilt_images_packages_own_is_counted_once() -> None:
    study, files = load_study("rebuilt-2026"), load_files("rebuilt-2026")
    sizes = package_files.sized(study.packages, files)
    owned = package_files.known(files, study.packages)["package"].notna()
    assert sizes["size_bytes"].sum() == files[owned]["size_bytes"].sum()
