"""Images whose packages are in a database of which no list of files is read: nothing is made up."""

from typing import Any

import pandas as pd
import pytest

from helpers import frames
from helpers.images import file_inventory
from helpers.images.archive import open_archive
from helpers.images.file_inventory import File
from helpers.sizes import file_groups
from helpers.sizes.file_groups import APP, OS, OWNER_UNKNOWN, RUNTIME
from helpers.surface import app_process, attack_surface, dynamic_linking, exposure, scan_coverage
from helpers.vulnerabilities.lenses import Lens
from helpers.vulnerabilities.once import FINDINGS
from tests.conftest import files_of, image_of, layers_of, packages_of, program
from tests.support import image_archives as images

MB = 1_000_000
APP_FOLDER = "opt/app-root/src"
SHARP = {
    "package": "sharp",
    "package_class": "lang-pkgs",
    "place": "app",
    "package_path": f"{APP_FOLDER}/node_modules/sharp/package.json",
}
LISTED = [{"package": "bash"}, {"package": "glibc"}, {"package": "nodejs"}, SHARP]
"""What Trivy lists of such an image: its RPM packages, and what npm installed."""

LAYERS = layers_of((100 * MB, "base", True), (10 * MB, "dnf install, and the app", False))


def padded(size: int, **elf: Any) -> bytes:
    """An ELF file of so many bytes."""
    begun = images.elf(**elf)
    return begun + bytes(size - len(begun))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> list[File]:
    """The inventory of an image of RPM packages and an app of Node.js: its archive taken apart."""
    loader = "/lib64/ld-linux-x86-64.so.2"
    base = images.tar(
        images.file("usr/lib/sysimage/rpm/rpmdb.sqlite", images.rpm_database("bash", "glibc")),
        images.symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm"),
        images.symlink("lib64", "usr/lib64"),
        images.file("usr/lib64/ld-linux-x86-64.so.2", padded(MB, soname="ld.so")),
        images.file("usr/lib64/libc.so.6", padded(2 * MB, soname="libc.so.6")),
        images.file("usr/bin/bash", padded(MB, interpreter=loader), mode=0o755),
    )
    above = images.tar(
        images.file(
            "usr/bin/node",
            padded(4 * MB, interpreter=loader, needed=("libc.so.6",)) + b"node.js/v24.1.0\0",
            mode=0o755,
        ),
        images.file("usr/bin/perl", padded(6 * MB) + b"\0v5.40.1\0", mode=0o755),
        images.file(f"{APP_FOLDER}/index.js", b"1"),
        images.file(f"{APP_FOLDER}/node_modules/sharp/package.json", b"{}"),
        images.file(f"{APP_FOLDER}/node_modules/sharp/sharp.node", padded(MB, soname="sharp")),
    )
    path = images.docker_save(tmp_path_factory.mktemp("rpm") / "app.tar", base, above)
    with open_archive(path) as archive:
        return file_inventory.take(archive).files


@pytest.fixture(scope="module")
def files(listed: list[File]) -> pd.DataFrame:
    return files_of(*listed)


@pytest.fixture
def packages() -> pd.DataFrame:
    return packages_of(*LISTED)


@pytest.fixture
def app() -> pd.DataFrame:
    return image_of(
        runtime="node 24.1.0",
        command="node index.js",
        working_directory=f"/{APP_FOLDER}",
        user="1001",
        user_id=1001,
        group_ids="0",
    )


def test_an_unread_package_database_is_recognised_by_its_path(files, listed) -> None:
    assert set(files["maybe_of"][files["kind"].ne("dir")]) == {"RPM"}
    assert file_inventory.unread(listed) == "RPM"
    assert files["package"].isna().all()


def test_how_much_the_scanner_looked_at_is_not_known_and_why(files, app, packages) -> None:
    table = scan_coverage.coverage(files, app, packages)
    (row,) = table.itertuples()
    assert (row.binaries, row.size_of_binaries_bytes) == (6, 15 * MB + 25)
    assert table[["known_binaries", "known_share", "largest_unknown"]].isna().all(axis=None)
    answer = scan_coverage.answer(table, app, packages)
    assert [part.key for part in answer.chart.series] == ["not known"]
    assert scan_coverage.dark(files, packages).empty, "of no package none is known to be"


def test_a_file_that_no_path_pattern_fits_has_an_unknown_owner_and_is_not_unowned(
    files, app
) -> None:
    grouped = file_groups.grouped(files, LAYERS, app)
    groups = grouped.set_index("path")["group"]
    assert groups["usr/bin/bash"] == OWNER_UNKNOWN
    assert groups["usr/bin/perl"] == OWNER_UNKNOWN, "dnf may have brought it, on top of the base"
    assert groups["usr/bin/node"] == RUNTIME
    assert groups["usr/lib/sysimage/rpm/rpmdb.sqlite"] == OS
    assert groups[f"{APP_FOLDER}/index.js"] == APP
    parts = file_groups.sizes(grouped, LAYERS)
    assert "unowned" not in set(parts["group"].astype(str))
    answer = file_groups.answer(parts)
    by_group = answer.table.set_index("group")["size_bytes"]
    assert list(by_group.index) == list(file_groups.GROUPS)
    assert by_group[OWNER_UNKNOWN] == 10 * MB + 9
    largest = file_groups.largest(grouped, 1)
    assert largest["path"].tolist() == ["usr/bin/perl"]
    assert largest["package"].isna().all()


def test_which_files_are_the_apps_is_not_measured_where_its_folder_is_not_known(files, app) -> None:
    def cell(image: pd.DataFrame) -> str:
        grouped = file_groups.grouped(files, LAYERS, image)
        libcs, lacking = dynamic_linking.libc(grouped, image), dynamic_linking.unloadable(grouped)
        packages = packages_of(*LISTED)
        matrix, _ = attack_surface.surface(grouped, image, packages, libcs, lacking)
        return matrix.set_index("property").loc["app files its user may change", "state"]

    assert cell(app) == "none"
    assert cell(app.assign(working_directory="/")) == "not measured"


def test_what_a_slimmer_image_would_lose_is_not_known(files, app, packages) -> None:
    columns = {
        "vulnerability_id": ["CVE-1", "CVE-2"],
        "package": ["bash", "sharp"],
        "package_path": [None, SHARP["package_path"]],
        "variant": ["app"] * 2,
        "capture": [""] * 2,
        "severity": ["HIGH"] * 2,
    }
    needed = app_process.needs(file_groups.grouped(files, LAYERS, app), app, packages)
    each = exposure.counted(frames.make("findings", columns), needed, Lens(FINDINGS))
    totals = exposure.totals(each, needed, files, app)
    assert totals[["binaries", "count"]].iloc[0].tolist() == [6, 2]
    assert totals[["stays", "no_program", "not_linked"]].isna().all(axis=None)
    assert totals["most_libraries"].tolist() == [""], "sharp's are the most only of what is known"
    slimmer = exposure.slimmer_answer(totals, Lens(FINDINGS))
    assert slimmer.chart is None


def test_an_interpreter_that_the_system_may_have_brought_is_no_runtime(listed: list[File]) -> None:
    assert file_inventory.runtime(listed) == "node 24.1.0", "and not perl, which is larger"
    without = [file for file in listed if file.path != "usr/bin/node"]
    assert file_inventory.runtime(without) == ""
    own = [program("usr/local/bin/perl", version="5.40.1")]
    assert file_inventory.runtime(own) == "perl 5.40.1", "where nothing else could have brought it"
