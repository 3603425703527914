"""Images whose packages are in a database of which no list of files is read: nothing is made up."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import frames
from helpers.capture.session import capture
from helpers.charts import stacks
from helpers.images import file_inventory
from helpers.images.archive import open_archive
from helpers.images.file_inventory import File
from helpers.sizes import file_groups, waterfall
from helpers.sizes.file_groups import APP, OS, RUNTIME, UNTOLD
from helpers.studies import contents, package_files
from helpers.studies.load import load_files, load_study
from helpers.studies.study import open_study
from helpers.surface import app_process, attack_surface, exposure, scan_coverage
from helpers.surface.app_process import UNSEEN
from helpers.text import i18n
from helpers.vulnerabilities.lenses import FINDINGS, Lens
from tests.conftest import file, files_of, image_of, layers_of, packages_of, program
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


def test_whose_database_it_is_that_is_not_read_is_told_by_its_path(files, listed) -> None:
    assert package_files.unread(files) == {"app": "RPM"}
    assert file_inventory.unread(listed) == "RPM"
    assert files["package"].isna().all()


def test_an_image_with_a_list_that_is_read_is_not_such_a_one(files) -> None:
    """Debian's with the tool rpm in it, say, or one with no package manager at all."""
    both = pd.concat([files, files_of(program("bin/dash", package="dash"))], ignore_index=True)
    assert package_files.unread(both) == {}
    assert package_files.unread(files_of(program("server"))) == {}
    assert package_files.unread(files_of()) == {}


def test_images_are_not_mixed_up(files) -> None:
    other = files_of(program("bin/dash", 10, package="dash"), variant="debian")
    both = pd.concat([other, files], ignore_index=True)
    assert package_files.unread(both) == {"app": "RPM"}
    listed = pd.concat(
        [packages_of({"package": "dash"}, variant="debian"), packages_of(*LISTED)],
        ignore_index=True,
    )
    told = pd.concat([image_of("debian"), image_of()], ignore_index=True)
    table = scan_coverage.coverage(both, told, listed)
    assert table["known_share"].isna().tolist() == [False, True]
    assert scan_coverage.mark(table) == (
        "the scanner looked at 100% of the executable bytes, of 1 not known"
    )
    assert scan_coverage.headline(table) == (
        "Binaries of no package: debian 0.0 of 0.0 MB, app not known"
    )


# What is recorded of it


@pytest.mark.usefixtures("trivy_on_path")
def test_whose_the_files_are_is_missing_from_what_is_captured(
    shared: Path, data: Path, tmp_path: Path
) -> None:
    """The scanner reads RPM's database, and lists its packages; the kit does not."""
    system = b'ID="rhel"\nVERSION_ID="9.4"\nNAME="Red Hat Enterprise Linux"\n'
    layer = images.tar(
        images.file("etc/os-release", system),
        images.file("etc/redhat-release", b"Red Hat Enterprise Linux release 9.4 (Plow)\n"),
        images.file("var/lib/rpm/rpmdb.sqlite", images.rpm_database("bash", "glibc")),
        images.file("usr/bin/bash", images.elf(), mode=0o755),
    )
    archive = images.docker_save(tmp_path / "ubi.tar", layer)
    (data / "studies/mine").mkdir()
    told = 'title = "t"\nquestion = "q?"\nabout = "a"\n[[variants]]\nname = "ubi"\n'
    (data / "studies/mine/study.toml").write_text(f'{told}archive = "{archive}"\n')
    assert capture("mine", db=shared / "vulndb").failures == {}
    study = open_study("mine")
    why = "no list of files in RPM's database is read"
    parts = contents.parts(study, study.facts()).iloc[0]
    assert parts[["files", "owners"]].tolist() == ["yes", f"no: {why}"]
    assert "- owners: none of 1 variants" in contents.learned(study, study.facts())
    with i18n.speaking("ko"):
        parts = contents.parts(study, study.facts()).iloc[0]
    assert parts["owners"] == "아니요: RPM 데이터베이스의 파일 목록을 읽지 않음"
    loaded = load_study("mine")
    assert loaded.packages["package"].tolist() == ["bash", "glibc"]
    covered = scan_coverage.coverage(load_files("mine"), loaded.images, loaded.packages)
    assert covered[["known_share", "known_binaries"]].isna().all(axis=None)
    assert capture("mine", db=shared / "vulndb").unchanged, "it is whole all the same"


# How much the scanner looked at


def test_how_much_the_scanner_looked_at_is_not_known_and_why(files, app, packages) -> None:
    table = scan_coverage.coverage(files, app, packages)
    (row,) = table.itertuples()
    assert (row.binaries, row.size_of_binaries_bytes, row.unread) == (6, 15 * MB + 25, "RPM")
    unknown = ["known_binaries", "size_of_known_bytes", "known_share", "largest_unknown", "version"]
    assert table[unknown].isna().all(axis=None)
    said = scan_coverage.sentence(table, app, packages).splitlines()[0]
    assert said == (
        "- **app**: who owns its files is not known, for no list of files in RPM's database is "
        "read, so neither is how much of it the scanner looked at"
    )
    assert scan_coverage.brief(table).endswith("looked at: **app** not known.")
    assert scan_coverage.mark(table) == "share of executable bytes looked at: not known"
    assert scan_coverage.headline(table) == "Binaries of no package: not known"


def test_no_file_of_it_is_listed_as_being_of_no_package(files, packages) -> None:
    assert scan_coverage.dark(files, packages).empty


def test_its_bytes_are_drawn_and_as_of_packages_or_not(files, app, packages) -> None:
    parts = scan_coverage.parts(scan_coverage.coverage(files, app, packages))
    drawn = parts[parts["size_bytes"].gt(0)]
    assert drawn["part"].tolist() == ["of packages or not: not known"]
    assert set(parts["part"]) <= set(stacks.COVERED)


def test_a_scanner_that_knows_no_such_system_looked_at_none_of_its_packages(files) -> None:
    """That is known, and that its files are of no package still is not."""
    app = image_of(status="no-os")
    table = scan_coverage.coverage(files, app, packages_of(SHARP))
    assert table["known_share"].round(3).tolist() == [0.067]
    parts = scan_coverage.parts(table).set_index("part")["size_bytes"]
    assert parts.to_dict() == {"of packages": MB, "of packages or not: not known": 14 * MB + 25}
    assert scan_coverage.headline(table) == "Binaries of no package: not known"


# What packages weigh


def test_what_an_os_package_weighs_is_not_known_and_what_others_do_is(files, app, packages) -> None:
    table = package_files.weighed(packages, files).set_index("package")["size_bytes"]
    assert table[["bash", "glibc", "nodejs"]].isna().all()
    assert table["sharp"] == MB + 2
    assert package_files.largest(packages, files)["package"].tolist() == ["sharp"]
    assert package_files.sentence(files, app).splitlines()[2] == (
        "- **app**: which of its files are an OS package's is not known, for no list of files in "
        "RPM's database is read, so neither is what these packages weigh"
    )


def test_where_lists_are_read_each_package_has_its_weight() -> None:
    said = package_files.sentence(files_of(program("bin/dash", package="dash")), image_of())
    assert said == "Each package weighs what its files do; what has no file there is not listed."
    assert package_files.sentence(files_of(), image_of()).endswith(
        "**app**: its files are not known"
    )


# What the bytes are


def test_what_no_path_tells_is_of_nobody_that_is_known_and_not_of_nobody(files, app) -> None:
    grouped = file_groups.grouped(files, LAYERS, app)
    told = grouped.set_index("path")["group"]
    assert told["usr/bin/bash"] == UNTOLD
    assert told["usr/bin/perl"] == UNTOLD, "dnf may have brought it, on top of the base as well"
    assert told["usr/bin/node"] == RUNTIME
    assert told["usr/lib/sysimage/rpm/rpmdb.sqlite"] == OS
    assert told[f"{APP_FOLDER}/index.js"] == APP
    parts = file_groups.sizes(grouped, LAYERS)
    assert "unowned" not in set(parts["group"].astype(str))
    by = file_groups.by_group(parts).set_index("group")["size_bytes"]
    assert list(by.index) == list(file_groups.GROUPS)
    assert by[UNTOLD] == 10 * MB + 9
    said = file_groups.sentence(parts, app)
    assert "owner not known 10.0 MB" in said
    assert said.endswith(
        "which of these bytes are OS packages', the app's or nobody's is not known."
    )
    largest = file_groups.largest(grouped, 1)
    assert largest["path"].tolist() == ["usr/bin/perl"]
    assert largest["package"].isna().all()


def test_a_step_to_it_does_not_call_its_files_unowned(files, app) -> None:
    both = pd.concat([files, files_of(file("etc/x", 5), variant="other")], ignore_index=True)
    layers = pd.concat([LAYERS, layers_of((5, "x", True), variant="other")], ignore_index=True)
    told = pd.concat([app, image_of("other")], ignore_index=True)
    table = waterfall.steps(
        file_groups.sizes(file_groups.grouped(both, layers, told), layers), "other", "app"
    )
    assert "/usr/bin (owner not known)" in table["label"].tolist()
    assert table["label"].str.contains("unowned").sum() == 0
    with i18n.speaking("ko"):
        assert waterfall.said("/usr/bin (owner not known)") == "/usr/bin (소속을 알 수 없음)"


def test_which_files_are_the_apps_is_not_measured_where_its_folder_is_not_known(files, app) -> None:
    def cell(image: pd.DataFrame) -> str:
        grouped = file_groups.grouped(files, LAYERS, image)
        matrix, _ = attack_surface.surface(grouped, image, packages_of(*LISTED))
        return matrix.set_index("property").loc["app files its user may change", "state"]

    assert cell(app) == "none"
    assert cell(app.assign(working_directory="/")) == "not measured"


# What the app needs, and what could go


def test_of_no_package_is_it_said_that_it_has_no_program_or_could_go(files, app, packages) -> None:
    table = app_process.needs(file_groups.grouped(files, LAYERS, app), app, packages).set_index(
        "package"
    )
    of_os = table.loc[["bash", "glibc", "nodejs"]]
    assert of_os[["executables", "libraries"]].isna().all(axis=None)
    assert of_os["need"].tolist() == [UNSEEN] * 3
    assert table.loc["sharp", ["libraries", "need"]].tolist() == [1, app_process.APP]


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
    assert exposure.split(totals).empty
    assert totals["most_libraries"].tolist() == [""], "that of sharp is the most that is known of"
    assert exposure.slimmer(totals, "findings").startswith(
        "- **app**: which program its command starts is not known, or who owns its files"
    )
    twice = pd.concat([totals, totals.assign(variant="b")], ignore_index=True)
    assert exposure.sentence(twice, each, "findings").startswith(
        "- **app**: 2 beside 2 executables and 4 shared libraries; how many of them are in "
        "packages without an ELF file is not known"
    )


def test_what_may_be_there_for_the_systems_own_use_is_no_runtime(listed: list[File]) -> None:
    assert file_inventory.runtime(listed) == "node 24.1.0", "and not perl, which is larger"
    without = [file for file in listed if file.path != "usr/bin/node"]
    assert file_inventory.runtime(without) == ""
    own = [program("usr/local/bin/perl", version="5.40.1")]
    assert file_inventory.runtime(own) == "perl 5.40.1", "where nothing else could have brought it"


def test_it_is_said_in_korean(files, app, packages) -> None:
    with i18n.speaking("ko"):
        table = scan_coverage.coverage(files, app, packages)
        said = scan_coverage.sentence(table, app, packages).splitlines()[0]
        weights = package_files.sentence(files, app)
    assert said.startswith("- **app**: RPM 데이터베이스의 파일 목록을 읽지 않아")
    assert "OS 패키지의 크기도 알 수 없음" in weights
