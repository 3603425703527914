"""Images of other systems than Debian and Alpine, made from real packages and real databases.

RPM packages are built by rpmbuild and installed by rpm, which writes the database; programs in them
are this machine's. Only os-release, vendors and names of packages are those of the systems.
"""

import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

from tests.support import image_archives as images
from tests.support.live import unless_live

PROGRAM, LIBRARY = Path("/usr/bin/true"), next(Path("/usr/lib").glob("*/libz.so.1")).resolve()
"""An executable and a library of this machine, for what packages bring."""

CENTOS_8 = Path(
    "/usr/share/gocode/src/github.com/knqyf263/go-rpmdb/pkg/testdata/centos8-modularitylabel"
)
"""CentOS 8's database of 518 packages, in Debian's golang-github-knqyf263-go-rpmdb-dev."""


class System(NamedTuple):
    """A system of RPM packages: what it says of itself, who its packages are from, its database."""

    family: str
    os_release: str
    vendor: str
    database: str = "var/lib/rpm"
    backend: str = "sqlite"
    release: tuple[str, str] = ("", "")


SYSTEMS = {
    "alma": System(
        "alma",
        'ID="almalinux"\nVERSION_ID="9.4"\nNAME="AlmaLinux"\n',
        "AlmaLinux",
        release=("redhat-release", "AlmaLinux release 9.4 (Seafoam Ocelot)\n"),
    ),
    "rocky": System(
        "rocky",
        'ID="rocky"\nVERSION_ID="9.4"\nNAME="Rocky Linux"\n',
        "Rocky Enterprise Software Foundation",
        release=("rocky-release", "Rocky Linux release 9.4 (Blue Onyx)\n"),
    ),
    "oracle": System(
        "oracle",
        'ID="ol"\nVERSION_ID="9.4"\nNAME="Oracle Linux Server"\n',
        "Oracle America",
        release=("oracle-release", "Oracle Linux Server release 9.4\n"),
    ),
    "amazon": System(
        "amazon",
        'ID="amzn"\nVERSION_ID="2023"\nNAME="Amazon Linux"\n',
        "Amazon Linux",
        release=("system-release", "Amazon Linux release 2023.6.20241010 (Amazon Linux)\n"),
    ),
    "suse": System(
        "sles",
        'ID="sles"\nVERSION_ID="15.6"\nNAME="SLES"\n',
        "SUSE LLC <https://www.suse.com/>",
        "usr/lib/sysimage/rpm",
        "ndb",
    ),
    "opensuse": System(
        "opensuse-leap",
        'ID="opensuse-leap"\nVERSION_ID="15.6"\nNAME="openSUSE Leap"\n',
        "openSUSE",
        "usr/lib/sysimage/rpm",
        "ndb",
    ),
    "photon": System(
        "photon",
        'ID=photon\nVERSION_ID=5.0\nNAME="VMware Photon OS"\n',
        "VMware, Inc.",
        "usr/lib/sysimage/rpm",
        release=("photon-release", "VMware Photon OS 5.0\n"),
    ),
    "azurelinux": System(
        "azurelinux",
        'ID=azurelinux\nVERSION_ID="3.0"\nNAME="Microsoft Azure Linux"\n',
        "Microsoft Corporation",
        release=("azurelinux-release", "Microsoft Azure Linux 3.0.20240727\n"),
    ),
}
"""Where each has its database, and in which form: https://rpm.org, `_dbpath` and `_db_backend`."""

FILES = {
    "coreutils": {"/bin/true": PROGRAM},
    "zlib": {
        "/lib64/libz.so.1": LIBRARY,
        "/usr/share/doc/zlib/README": Path("/etc/debian_version"),
    },
    "basesystem": {},
}
"""What the packages of a system bring, below links that lead to `/usr`."""


def root(folder: Path, system: System, *packages: Path) -> Path:
    """A root with packages installed, a link to each folder of `/usr`, and a file of no package."""
    for name in ("bin", "lib64"):
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")
    (folder / "etc").mkdir()
    (folder / "etc/os-release").write_text(system.os_release)
    name, text = system.release
    if name:
        (folder / "etc" / name).write_text(text)
    backend = ["--define", f"_db_backend {system.backend}"]
    options = ["--root", folder, "--dbpath", f"/{system.database}", *backend]
    run("rpm", *options, "--install", "--nodeps", "--nosignature", "--ignorearch", *packages)
    if system.database != "var/lib/rpm":
        (folder / "var/lib").mkdir(parents=True, exist_ok=True)
        (folder / "var/lib/rpm").symlink_to(f"../../{system.database}")
    (folder / "usr/local/bin").mkdir(parents=True)
    shutil.copy(PROGRAM, folder / "usr/local/bin/tool")
    return folder


def package(
    folder: Path, name: str, files: dict[str, Path], vendor: str, architecture: str = "x86_64"
) -> Path:
    """An RPM package with files of this machine."""
    top = folder / f"{name}.{architecture}.{len(vendor)}"
    listed = ["%files"]
    install = ["%install", "mkdir -p %{buildroot}"]
    for path, source in files.items():
        install.append(f"install -D {source} %{{buildroot}}{path}")
        listed.append(path)
    spec = folder / f"{name}.spec"
    head = f"Name: {name}\nVersion: 1.0\nRelease: 1\nSummary: x\nLicense: MIT\n"
    head += f"Vendor: {vendor}\n" if vendor else ""
    spec.write_text("\n".join([head, "%description", "x", *install, *listed, ""]))
    settings = [f"_topdir {top}", "debug_package %{nil}", "_build_id_links none"]
    defined = [word for setting in settings for word in ("--define", setting)]
    run("rpmbuild", "-bb", "--quiet", "--target", architecture, *defined, spec)
    return next((top / "RPMS").rglob("*.rpm"))


def run(*command: object) -> str:
    """What a command prints. RPM's tools may be missing, as on a machine without Debian's rpm."""
    if not shutil.which(str(command[0])):
        unless_live(f"{command[0]} is not installed (Debian's package rpm)")
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def archive(path: Path, folder: Path) -> Path:
    """An image archive of a root, in one layer."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as made:
        for inside in sorted(folder.iterdir()):
            made.add(inside, inside.name)
    return images.docker_save(path, content.getvalue())


def chisel_manifest(paths: dict[str, str]) -> bytes:
    """Chisel's manifest of paths by package, as its documentation says: zstd, one JSON a line."""
    lines: list[dict[str, object]] = [
        {"kind": "package", "name": name, "version": "1"} for name in set(paths.values())
    ]
    lines += [
        {"kind": "path", "path": f"/{path}", "mode": "0755", "slices": [f"{name}_bins"], "size": 1}
        for path, name in paths.items()
    ]
    head = {"jsonwall": "1.0", "schema": "1.0", "count": len(lines) + 1}
    return images.zstd("\n".join(map(json.dumps, [head, *lines])).encode() + b"\n")
