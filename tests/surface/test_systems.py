"""What is known of images of each operating system: a real Trivy reports what a real rpm wrote.

`tests/support/systems.py` says which parts are real.
"""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import paths
from helpers.capture.session import capture
from helpers.frames import NO_OS, SCANNED
from helpers.images import package_files
from helpers.notebook.comparison import Comparison
from helpers.sizes import file_groups
from helpers.studies import contents
from helpers.studies.study import open_study
from helpers.surface.app_process import UNSEEN
from tests.support import systems
from tests.support.live import unless_live
from tests.support.systems import FILES, LIBRARY, PROGRAM, SYSTEMS, System

TOOL, PROGRAM_BYTES, LIBRARY_BYTES = (
    "usr/local/bin/tool",
    PROGRAM.stat().st_size,
    LIBRARY.stat().st_size,
)
STUDY = "systems"
NODESOURCE = "NodeSource"


def install(folder: Path, system: System, *more: Path) -> Path:
    """A root of a system with its own packages and more."""
    packages = folder.parent / f"{folder.name}-packages"
    packages.mkdir()
    own = [systems.package(packages, name, files, system.vendor) for name, files in FILES.items()]
    return systems.root(folder, system, *own, *more)


def third_party(folder: Path) -> Path:
    """Rocky with Node.js of a vendor that Trivy does not know."""
    folder.mkdir()
    node = systems.package(folder.parent, "nodejs", {"/usr/bin/node": PROGRAM}, NODESOURCE)
    return install(folder, SYSTEMS["rocky"], node)


def multilib(folder: Path) -> Path:
    """Rocky with a library for two architectures, which share a file."""
    folder.mkdir()
    shared = {"/usr/share/doc/bz/README": Path("/etc/debian_version")}
    vendor = SYSTEMS["rocky"].vendor
    wide = systems.package(folder.parent, "bz", {"/lib64/libbz.so": LIBRARY, **shared}, vendor)
    narrow = {"/usr/lib/libbz.so": LIBRARY, **shared}
    other = systems.package(folder.parent, "bz", narrow, vendor, "i686")
    return install(folder, SYSTEMS["rocky"], wide, other)


def centos(folder: Path) -> Path:
    """CentOS 8's real database, called Alma's: the offline DB has nothing of Red Hat's."""
    if not systems.CENTOS_8.is_dir():
        unless_live("golang-github-knqyf263-go-rpmdb-dev is not installed")
    for path in ("usr/bin/bash", "usr/lib64/libz.so.1.2.11", TOOL):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROGRAM, folder / path)
    (folder / "var/lib/rpm").mkdir(parents=True)
    shutil.copy(systems.CENTOS_8 / "Packages", folder / "var/lib/rpm")
    (folder / "etc").mkdir()
    (folder / "etc/os-release").write_text(SYSTEMS["alma"].os_release.replace("9.4", "8.5"))
    (folder / "etc/redhat-release").write_text("AlmaLinux release 8.5 (Arctic Sphynx)\n")
    return folder


def fedora(folder: Path) -> Path:
    """A system of which Trivy has no advisories, and so lists no packages."""
    release = 'ID=fedora\nVERSION_ID=41\nNAME="Fedora Linux"\n'
    folder.mkdir()
    return install(folder, System("fedora", release, "Fedora Project", "usr/lib/sysimage/rpm"))


def distroless_azure(folder: Path) -> Path:
    """Azure Linux without a database: a list of packages, by rpm in Microsoft's form."""
    folder.mkdir()
    install(folder, SYSTEMS["azurelinux"])
    fields = (
        *("NAME", "VERSION}-%{RELEASE", "INSTALLTIME", "BUILDTIME", "VENDOR", "EPOCH"),
        *("SIZE", "ARCH", "EPOCHNUM", "SOURCERPM"),
    )
    form = "\\t".join(f"%{{{field}}}" for field in fields) + "\\n"
    manifest = systems.run("rpm", "--root", folder, "--dbpath", "/var/lib/rpm", "-qa", "--qf", form)
    shutil.rmtree(folder / "var/lib/rpm")
    (folder / "var/lib/rpmmanifest").mkdir()
    (folder / "var/lib/rpmmanifest/container-manifest-2").write_text(manifest)
    return folder


def chiselled(folder: Path) -> Path:
    """Ubuntu cut by Chisel. Its manifest is made here; the files are Debian's."""
    for path, source in (
        ("usr/bin/true", PROGRAM),
        ("usr/lib/libz.so.1", LIBRARY),
        (TOOL, PROGRAM),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / path)
    (folder / "lib").symlink_to("usr/lib")
    listed = {"usr/bin/true": "coreutils", "lib/libz.so.1": "zlib1g"}
    (folder / "var/lib/chisel").mkdir(parents=True)
    (folder / "var/lib/chisel/manifest.wall").write_bytes(systems.chisel_manifest(listed))
    (folder / "etc").mkdir()
    (folder / "etc/os-release").write_text('ID=ubuntu\nVERSION_ID="24.04"\nNAME="Ubuntu"\n')
    (folder / "etc/lsb-release").write_text("DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\n")
    return folder


def distroless(folder: Path) -> Path:
    """Debian's zlib as in a distroless image: its real control file and checksums, a file each."""
    status = folder / "var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    control = subprocess.run(["dpkg-query", "-s", "zlib1g"], capture_output=True, check=True)
    (status / "zlib1g").write_bytes(control.stdout)
    sums = next(Path("/var/lib/dpkg/info").glob("zlib1g:*.md5sums")).read_text()
    (status / "zlib1g.md5sums").write_text(sums)
    library = next(line.split("  ")[1] for line in sums.splitlines() if "libz.so" in line)
    for path, source in ((library, LIBRARY), (TOOL, PROGRAM)):
        (folder / path).parent.mkdir(parents=True)
        shutil.copy(source, folder / path)
    (folder / "etc").mkdir()
    (folder / "etc/os-release").write_text('ID=debian\nVERSION_ID="13"\nNAME="Debian"\n')
    (folder / "etc/debian_version").write_text("13.1\n")
    return folder


def scratch(folder: Path) -> Path:
    """One static Go program and nothing else: Trivy's own."""
    folder.mkdir()
    program = shutil.which("trivy", path=str(Path(sys.executable).parent)) or shutil.which("trivy")
    assert program
    shutil.copy(program, folder / "app")
    return folder


ROOTS = {
    "third-party": third_party,
    "multilib": multilib,
    "centos": centos,
    "fedora": fedora,
    "distroless-azure": distroless_azure,
    "chiselled": chiselled,
    "distroless": distroless,
    "scratch": scratch,
}


@pytest.fixture(scope="module")
def captured(
    shared: Path, trivy_on_path: None, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A data folder with one capture of all systems, made by the kit with a real Trivy."""
    folder = tmp_path_factory.mktemp("systems")
    made = {name: make(folder / name) for name, make in ROOTS.items()}
    for name, system in SYSTEMS.items():
        (folder / name).mkdir()
        made[name] = install(folder / name, system)
    study = folder / "data/studies" / STUDY
    study.mkdir(parents=True)
    (folder / "data/cache").symlink_to(cache)
    text = 'title = "t"\nquestion = "q?"\nabout = "a"\n'
    for name, root in made.items():
        archive = systems.archive(folder / f"{name}.tar", root)
        text += f'[[variants]]\nname = "{name}"\narchive = "{archive}"\n'
    (study / "study.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(folder / "data"))
        assert capture(STUDY, db=shared / "vulndb").failures == {}
        yield folder / "data"


@pytest.fixture(scope="module")
def systems_(captured: Path) -> Comparison:
    return Comparison(STUDY)


def owners(compared: Comparison, variant: str) -> dict[str, Any]:
    """The package of each ELF file of an image; `None` for none."""
    files = compared.files[compared.files["variant"].eq(variant)].dropna(subset="elf")
    packages = files["package"].astype(object).where(files["package"].notna(), None)
    return dict(zip(files["path"], packages, strict=True))


def row(frame: pd.DataFrame, variant: str) -> Any:
    return next(frame[frame["variant"].eq(variant)].itertuples())


def sizes(compared: Comparison, variant: str) -> dict[str, int]:
    """The bytes of each package of an image; packages of which that is not known are missing."""
    table = package_files.sized(compared.packages, compared.files)
    known = table[table["variant"].eq(variant)].dropna(subset="size_bytes")
    return dict(zip(known["package"], known["size_bytes"], strict=True))


def gap(compared: Comparison, variant: str) -> str:
    return str(package_files.gaps(compared.files).get(variant, ""))


@pytest.mark.parametrize("name", SYSTEMS)
def test_all_is_known_of_a_system_of_rpm_packages(systems_: Comparison, name: str) -> None:
    """Its database is SQLite's or ndb's; files are below links, and one package is empty."""
    image = row(systems_.images, name)
    assert (image.os_family, image.status, image.packages) == (SYSTEMS[name].family, SCANNED, 3)
    true, libz, tool = "usr/bin/true", "usr/lib64/libz.so.1", TOOL
    assert owners(systems_, name) == {true: "coreutils", libz: "zlib", tool: None}
    listed = sizes(systems_, name)
    assert listed == {
        "coreutils": PROGRAM_BYTES,
        "zlib": LIBRARY_BYTES + Path("/etc/debian_version").stat().st_size,
        "basesystem": 0,
    }
    covered = row(systems_.coverage, name)
    known = PROGRAM_BYTES + LIBRARY_BYTES
    assert covered.known_share == pytest.approx(known / (known + PROGRAM_BYTES))
    assert (covered.largest_unknown, covered.gap) == (TOOL, "")
    assert gap(systems_, name) == ""
    assert len(systems_.layers[systems_.layers["variant"].eq(name)]) == 1


def test_what_a_vendor_that_trivy_does_not_know_brought_is_in_doubt(systems_: Comparison) -> None:
    """The rest is known all the same, and the share that was looked at is a lower bound."""
    name = "third-party"
    owned = owners(systems_, name)
    assert (owned["usr/bin/true"], owned["usr/bin/node"]) == ("coreutils", None)
    assert gap(systems_, name).endswith("(nodejs)")
    listed = sizes(systems_, name)
    assert listed["coreutils"] == PROGRAM_BYTES
    assert "nodejs" not in listed, "not known, and not zero"
    covered = row(systems_.coverage, name)
    known = PROGRAM_BYTES + LIBRARY_BYTES
    assert covered.known_share == pytest.approx(known / (known + 2 * PROGRAM_BYTES))
    text = systems_.surface.coverage_in_brief().text.plain
    assert f"{name} at least {covered.known_share:.0%}" in text
    assert name not in set(systems_.surface.not_scanned().table["variant"])
    groups = systems_.sizes.parts().table.query("variant == @name")["group"]
    assert file_groups.OWNER_UNKNOWN in set(groups.astype(str))
    needs = systems_._needed[systems_._needed["variant"].eq(name)].set_index("package")
    assert needs["need"].eq(UNSEEN).to_dict() == dict.fromkeys(needs.index, True)
    assert needs["executables"].dropna().to_dict() == {"coreutils": 1, "zlib": 0}


def test_doubt_about_one_image_takes_nothing_from_the_others(systems_: Comparison) -> None:
    in_doubt = {"third-party", "multilib", "fedora", "distroless-azure"}
    assert set(package_files.gaps(systems_.files)) == in_doubt
    parts = systems_.sizes.parts().table
    unknown = parts[parts["group"].astype(str).eq(file_groups.OWNER_UNKNOWN)]
    assert set(unknown["variant"]) == in_doubt
    assert set(systems_.coverage.dropna(subset="known_share")["variant"]) >= {
        *SYSTEMS, "third-party", "distroless", "chiselled", "scratch"
    }  # fmt: skip
    told = contents.parts(open_study(STUDY), open_study(STUDY).facts("")).set_index("variant")
    assert told["owners"].eq(contents.YES).sum() == len(told) - len(in_doubt)
    assert str(told.loc["third-party", "owners"]).startswith("in part: ")


TRUE, LIBZ = "usr/bin/true", "usr/lib/libz.so.1"
ALMOST = LIBRARY_BYTES / (LIBRARY_BYTES + PROGRAM_BYTES)
"""All but a tool of no package."""


@pytest.mark.parametrize(
    ("name", "status", "packages", "owned", "share", "why"),
    [
        # A real database of CentOS 8, in Berkeley DB; its empty packages and its key are no doubt.
        ("centos", SCANNED, 518, {"usr/bin/bash": "bash", "usr/lib64/libz.so.1.2.11": "zlib"},
         2 / 3, ""),
        # Trivy has no advisories of Fedora, and so lists no packages.
        ("fedora", NO_OS, None, {}, 0, "Trivy"),
        # Packages without any list of files.
        ("distroless-azure", SCANNED, 3, {}, None, "rpmmanifest"),
        # Ubuntu by Chisel has owners, and was not looked at: Trivy finds no package in it.
        ("chiselled", NO_OS, None, {TRUE: "coreutils", LIBZ: "zlib1g"}, 0, ""),
        # Trivy 0.76 lists the files of one architecture twice: the other's would look unowned.
        ("multilib", SCANNED, 5, {TRUE: "coreutils", "usr/lib64/libz.so.1": "zlib"}, ..., "(bz)"),
        # A distroless image has a file a package.
        ("distroless", SCANNED, 1, ..., ALMOST, ""),
    ],
)  # fmt: skip
def test_what_is_known_of_a_system(
    systems_: Comparison, name: str, status: str, packages: Any, owned: Any, share: Any, why: str
) -> None:
    image, covered = row(systems_.images, name), row(systems_.coverage, name).known_share
    assert image.status == status
    assert packages is None or image.packages == packages
    found = {path: package for path, package in owners(systems_, name).items() if package}
    assert found == owned if owned is not ... else set(found.values()) == {"zlib1g"}
    if share is not ...:
        assert pd.isna(covered) if share is None else covered == pytest.approx(share)
    assert why in gap(systems_, name)
    assert bool(why) == bool(gap(systems_, name))


def test_a_static_go_program_is_looked_at_by_its_modules(systems_: Comparison) -> None:
    image = row(systems_.images, "scratch")
    assert (image.status, pd.isna(image.os_family)) == (NO_OS, True)
    assert image.packages > 300
    modules = systems_.packages[systems_.packages["variant"].eq("scratch")]
    assert set(modules["package_path"]) == {"app"}
    assert row(systems_.coverage, "scratch").known_share == 1
    # The bytes of one module in a program are not those of another, and cannot be told apart.
    main = "github.com/aquasecurity/trivy"
    files = systems_.files[systems_.files["variant"].eq("scratch")]
    assert sizes(systems_, "scratch") == {main: files["size_bytes"].sum()}


def test_a_report_without_lists_of_files_leaves_owners_unknown(
    captured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Trivy before 0.47 wrote it: the lists are taken out of a real report."""
    data = tmp_path / "data"
    shutil.copytree(captured / "studies", data / "studies")
    monkeypatch.setenv("KIT_DATA", str(data))
    facts = open_study(STUDY).facts("")
    path = paths.reports(paths.evidence(STUDY, facts.capture, "rocky"))["trivy"]
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as file:
        report = json.load(file)
    for result in report["Results"]:
        for package in result["Packages"]:
            package.pop("InstalledFiles", None)
    with opened(path, "wt") as file:
        json.dump(report, file)
    compared = Comparison(STUDY)
    assert "Trivy 0.47 or later" in gap(compared, "rocky")
    assert sizes(compared, "rocky") == {}
    assert pd.isna(row(compared.coverage, "rocky").known_share)
    assert row(compared.coverage, "alma").known_share > 0, "another image"
