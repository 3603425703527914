"""Coverage: what of an image belongs to packages, so that the scanner can know it."""

import pytest

from helpers import coverage
from helpers.frames import Frames, make
from helpers.load import load_files, load_study


@pytest.fixture(scope="module")
def rebuilt() -> Frames:
    return load_study("rebuilt-2026")


@pytest.fixture
def images():
    return make("images", {"variant": ["app"], "runtime": ["node 24.19.0"]})


def files(*rows: tuple):
    """Files of one image: path, bytes, kind of ELF file and the package that owns it."""
    names = ["path", "size_bytes", "elf", "package"]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return make("files", {"variant": ["app"] * len(rows), **columns})


def installed(*names: str):
    return make("packages", {"variant": ["app"] * len(names), "package": list(names)})


def told(found, images, packages=None) -> str:
    packages = installed("libc6") if packages is None else packages
    return coverage.sentence(coverage.coverage(found, images), images, packages).split("\n")[0]


def test_node_is_the_largest_that_no_package_owns_in_every_rebuilt_image(rebuilt: Frames) -> None:
    table = coverage.coverage(load_files("rebuilt-2026"), rebuilt.images).set_index("variant")
    assert table["largest_unowned"].to_dict() == {
        "node-24-debian": "usr/local/bin/node",
        "node-24-alpine": "usr/local/bin/node",
        "node-24-distroless": "nodejs/bin/node",
        "node-8-distroless": "nodejs/bin/node",
    }
    assert table["owned_share"].round(2).tolist() == [0.35, 0.06, 0.16, 0.41]
    assert table.loc["node-24-debian", ["binaries", "owned_binaries"]].tolist() == [657, 656]
    said = coverage.sentence(table.reset_index(), rebuilt.images, rebuilt.packages)
    assert said.startswith(
        "- **node-24-debian**: the scanner knows the packages of **35% of the executable bytes** "
        "(656 of 657 files, 68.4 of 194.4 MB); largest of the rest: usr/local/bin/node; "
        "node 24.19.0 is no package there, so its own vulnerabilities are not counted\n"
    )


def test_a_study_without_files_has_no_numbers_and_says_so(blog: Frames) -> None:
    table = coverage.coverage(load_files("blog-2022"), blog.images)
    assert table["variant"].tolist() == blog.images["variant"].tolist()
    assert table.drop(columns="variant").isna().all(axis=None)
    assert coverage.sentence(table, blog.images, blog.packages).startswith(
        "- **nodejs-alpine**: its files are not known, so neither is how much of it the scanner "
        "looked at; node 8.17.0 is no package there"
    )


def test_executables_and_libraries_count_by_their_bytes_and_nothing_else_does(images) -> None:
    found = files(
        ("bin/sh", 100, "executable", "dash"),
        ("lib/libc.so", 200, "shared", "libc6"),
        ("bin/small", 50, "static", None),
        ("opt/node", 650, "executable", None),
        ("boot/module.ko", 9_000, "object", None),
        ("etc/passwd", 9_000, None, None),
    )
    (row,) = coverage.coverage(found, images).itertuples(index=False)
    assert row == ("app", 4, 2, 1000, 300, 0.3, "opt/node")


def test_an_image_that_packages_own_entirely_has_no_rest(images) -> None:
    found = files(("bin/sh", 1_000_000, "executable", "dash"))
    (row,) = coverage.coverage(found, images).itertuples()
    assert (row.owned_share, row.largest_unowned) == (1.0, "")
    assert told(found, images, installed("nodejs")) == (
        "- **app**: the scanner knows the packages of **100% of the executable bytes** "
        "(1 of 1 file, 1.0 of 1.0 MB)"
    )


def test_an_image_without_executables_has_no_share(images) -> None:
    found = files(("etc/passwd", 10, None, None))
    assert coverage.coverage(found, images)["owned_share"].isna().all()
    assert told(found, images).startswith("- **app**: it holds no executables or libraries; node")


@pytest.mark.parametrize(
    ("runtime", "names", "listed"),
    [
        ("node 24.19.0", ["nodejs"], True),
        ("node 24.19.0", ["node"], True),
        ("node 24.19.0", ["nodejs-doc"], False),
        ("Python 3.12", ["python3"], True),
        ("python 3.12", ["libpython3"], False),
        ("ruby 3.3", ["ruby"], True),
        ("ruby 3.3", ["perl"], False),
    ],
)
def test_a_runtime_that_no_package_brings_is_named(images, runtime, names, listed: bool) -> None:
    found = files(("bin/sh", 1, "executable", "dash"))
    said = told(found, images.assign(runtime=runtime), installed(*names))
    assert (f"{runtime} is no package there" in said) == (not listed)


def test_nothing_is_said_of_a_runtime_that_is_not_known_or_of_packages_that_are_not(images) -> None:
    found = files(("bin/sh", 1, "executable", "dash"))
    assert "is no package" not in told(found, images.assign(runtime=None))
    assert "is no package" not in told(found, images, installed())


def test_a_path_is_no_markup(images) -> None:
    assert "opt/\\*x\\*" in told(files(("opt/*x*", 1, "executable", None)), images)
