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


def owner(path: str, *packages: dict, **fields) -> str | None:
    found = package_files.known(files_of(file(path, **fields)), packages_of(*packages))
    told = found["package"].iloc[0]
    return None if told != told else told


def test_an_os_package_owns_what_its_database_says() -> None:
    assert owner("usr/bin/openssl", OPENSSL, package="openssl") == "openssl"


def test_a_package_that_the_scanner_does_not_list_is_none_that_it_knows() -> None:
    assert owner("usr/bin/x", OPENSSL, package="removed") is None


def test_without_any_list_of_packages_the_database_counts() -> None:
    assert owner("usr/bin/x", package="removed") == "removed"
    assert owner("usr/bin/x", EXPRESS, package="removed") is None, "it lists, but not that"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("app/node_modules/express/lib/router.js", "express"),
        ("app/node_modules/express/package.json", "express"),
        ("app/node_modules/express-session/index.js", None),
        ("app/node_modules/.package-lock.json", None),
        ("app/index.js", None),
    ],
)
def test_a_node_package_owns_its_folder(path: str, found: str | None) -> None:
    assert owner(path, EXPRESS) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("cffi/api.py", "cffi"),
        ("cffi-1.17.1.dist-info/RECORD", "cffi"),
        ("_cffi_backend.cpython-313-x86_64-linux-gnu.so", "cffi"),
        ("cffi.libs/libffi.so.8", "cffi"),
        ("_other.cpython-313-x86_64-linux-gnu.so", None),
        ("_cffi.py", None),
    ],
)
def test_a_python_package_owns_its_folder_and_what_is_compiled_beside_it(path, found) -> None:
    cffi = EXPRESS | {
        "package": "cffi",
        "package_path": "app/packages/cffi-1.17.1.dist-info/METADATA",
    }
    assert owner(f"app/packages/{path}", cffi) == found


def test_what_an_os_package_owns_is_no_language_packages_wherever_it_is() -> None:
    inside = file("app/node_modules/express/x.js", package="openssl")
    found = package_files.known(files_of(inside), packages_of(OPENSSL, EXPRESS))
    assert found["package"].tolist() == ["openssl"]
    assert found["place"].isna().all()


def test_a_package_within_another_owns_its_own_folder() -> None:
    inner = {
        **EXPRESS,
        "package": "debug",
        "package_path": "app/node_modules/express/node_modules/debug/package.json",
    }
    assert owner("app/node_modules/express/node_modules/debug/src/x.js", EXPRESS, inner) == "debug"
    assert owner("app/node_modules/express/node_modules/ms/x.js", EXPRESS, inner) == "express"


def test_a_python_package_owns_the_folder_beside_its_description() -> None:
    site = "usr/lib/python3/site-packages"
    numpy = {
        "package": "NumPy-Ext",
        "package_class": "lang-pkgs",
        "package_path": f"{site}/NumPy_Ext-1.0.dist-info/METADATA",
    }
    assert owner(f"{site}/numpy_ext/core/x.so", numpy) == "NumPy-Ext"
    assert owner(f"{site}/NumPy_Ext-1.0.dist-info/RECORD", numpy) == "NumPy-Ext"
    assert owner(f"{site}/other/x.so", numpy) is None


def test_a_program_that_packages_were_compiled_into_is_known() -> None:
    module = {"package": "go.x", "package_class": "lang-pkgs", "package_path": "usr/bin/server"}
    assert owner("usr/bin/server", module) == "go.x"
    assert owner("usr/bin/server2", module) is None


def test_images_are_not_mixed_up() -> None:
    files = files_of(file("usr/bin/x", package="openssl"))
    of_another = packages_of({"package": "zlib"}, variant="other")
    assert package_files.known(files, of_another)["package"].tolist() == ["openssl"]
    assert package_files.known(files.iloc[:0], of_another).empty


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


def test_without_files_no_package_has_a_size() -> None:
    assert package_files.sized(packages_of(OPENSSL), files_of())["size_bytes"].isna().all()
    assert package_files.largest(packages_of(OPENSSL), files_of()).empty


def test_all_that_the_rebuilt_images_packages_own_is_counted_once() -> None:
    study, files = load_study("rebuilt-2026"), load_files("rebuilt-2026")
    sizes = package_files.sized(study.packages, files)
    owned = package_files.known(files, study.packages)["package"].notna()
    assert sizes["size_bytes"].sum() == files[owned]["size_bytes"].sum()
