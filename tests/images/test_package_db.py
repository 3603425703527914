"""Which package owns a path, by the package databases and links of an image."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from helpers.images.package_db import is_database, owners, real_path, unread

DATABASES = (
    "lib/apk/db/installed",
    "var/lib/dpkg/info/a.list",
    "var/lib/dpkg/diversions",
    "var/lib/dpkg/status.d/a",
    "var/lib/dpkg/status.d/a.md5sums",
)

APK = b"""C:Q1abc=
P:musl
V:1.2.5-r9
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1abc=
R:libc.musl-x86_64.so.1

P:busybox
F:
R:linuxrc
F:bin
R:busybox
F:etc/network/if-up.d
"""


def test_apk_lists_files_by_directory() -> None:
    assert owners({"lib/apk/db/installed": APK}, {}) == {
        "lib/ld-musl-x86_64.so.1": "musl",
        "lib/libc.musl-x86_64.so.1": "musl",
        "linuxrc": "busybox",
        "bin/busybox": "busybox",
    }
    assert owners({"usr/lib/apk/db/installed": APK}, {})["bin/busybox"] == "busybox"


def test_dpkg_lists_a_file_a_package_whatever_its_architecture() -> None:
    owned = owners(
        {
            "var/lib/dpkg/info/libc6:amd64.list": b"/.\n/usr\n/usr/lib/libc.so.6\n",
            "var/lib/dpkg/info/bash.list": b"/usr/bin/bash\n/usr/share/d\xc3\xa9j\xe0\n",
        },
        {},
    )
    assert owned["usr/lib/libc.so.6"] == "libc6"
    assert owned["usr/bin/bash"] == "bash"
    assert owned["usr/share/d\u00e9j\udce0"] == "bash", "as tarfile has bytes that are not UTF-8"


def test_the_file_at_the_end_of_links_is_owned() -> None:
    listed = {"var/lib/dpkg/info/a.list": b"/bin/ls\n/lib64/x/y\n/bin\n"}
    links = {"bin": "usr/bin", "lib64": "/usr/lib/64", "usr/lib/64": "../share"}
    assert owners(listed, links) == {"usr/bin/ls": "a", "usr/share/x/y": "a", "bin": "a"}


def test_a_diverted_path_belongs_to_the_diverting_package_and_others_move() -> None:
    listed = {
        "var/lib/dpkg/info/dash.list": b"/bin/sh\n",
        "var/lib/dpkg/info/bash.list": b"/bin/sh\n/usr/bin/bash\n/usr/bin/local\n",
        "var/lib/dpkg/diversions": (
            b"/usr/bin/sh\n/usr/bin/sh.distrib\ndash\n/usr/bin/local\n/usr/bin/local.moved\n:\n"
        ),
    }
    assert owners(listed, {"bin": "usr/bin"}) == {
        "usr/bin/sh": "dash",
        "usr/bin/sh.distrib": "bash",
        "usr/bin/bash": "bash",
        "usr/bin/local.moved": "bash",
    }


def test_distroless_packages_have_a_control_file_and_checksums_under_any_name() -> None:
    folder = "var/lib/dpkg/status.d/"
    listed = {
        f"{folder}bGliYzY": b"Package: libc6\nVersion: 2.41\nDescription: x\n Package: no\n",
        f"{folder}bGliYzY.md5sums": b"0123456789abcdef0123456789abcdef  ./usr/lib/libc.so.6\n",
        f"{folder}tzdata.md5sums": b"0123456789abcdef0123456789abcdef  usr/share/a  b\n",
    }
    assert owners(listed, {}) == {"usr/lib/libc.so.6": "libc6", "usr/share/a  b": "tzdata"}


def test_links_never_lead_out_of_the_image_or_into_a_loop() -> None:
    links = {"a": "b", "b": "a", "up": "../../../etc", "self": "self", "deep": "deep/deep"}
    assert real_path("up/passwd", links.get) == "etc/passwd"
    assert real_path("../../x/./y//z/..", links.get) == "x/y"
    for path in ("a/x", "self", "deep/x"):
        assert real_path(path, links.get) is None
    assert owners({"var/lib/dpkg/info/p.list": b"/a/x\n/b\n"}, links) == {"b": "p"}


WORDS = st.sampled_from(
    [b"P:", b"F:", b"R:", b"a", b"/", b"\n", b"..", b"\xff", b"  ", b"Package:"]
)


@given(
    st.dictionaries(st.sampled_from(DATABASES), st.lists(WORDS, max_size=30).map(b"".join)),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from(["a", "b", "..", "/a/b", "a/a"])),
)
def test_any_database_gives_paths_within_the_image(
    databases: dict[str, bytes], links: dict[str, str]
) -> None:
    for path in owners(databases, links):
        assert not path.startswith("/")
        assert ".." not in path.split("/")[:-1]


STORE = "9f8z1k2m3n4p5q6r7s8v9w0x1y2z3a4b"


@pytest.mark.parametrize(
    ("path", "manager"),
    [
        ("var/lib/rpm/Packages", "RPM"),
        ("var/lib/rpm/rpmdb.sqlite", "RPM"),
        ("usr/lib/sysimage/rpm/Packages.db", "RPM"),
        ("usr/share/rpm/rpmdb.sqlite", "RPM"),
        ("var/lib/rpmmanifest/container-manifest-2", "rpmmanifest"),
        ("var/lib/pacman/local/bash-5.2-1/files", "pacman"),
        ("var/db/pkg/app-shells/bash-5.2/CONTENTS", "Portage"),
        (f"nix/store/{STORE}-bash-5.2/bin/bash", "Nix"),
        (f"gnu/store/{STORE}-bash-5.2/bin/bash", "Guix"),
        ("usr/lib/opkg/status", "opkg"),
        ("var/lib/opkg/info/base-files.control", "opkg"),
        ("var/db/xbps/pkgdb-0.38.plist", "XBPS"),
        ("var/lib/chisel/manifest.wall", "Chisel"),
        ("var/lib/dpkg/status", "dpkg"),
        ("var/lib/dpkg/status.d/base", "dpkg"),
        ("var/lib/rpm/.rpm.lock", ""),
        ("usr/lib/rpm/macros", ""),
        ("srv/copy/var/lib/rpm/Packages", ""),
        ("nix/store/.links/x", ""),
        ("var/lib/dpkg/alternatives/vi", ""),
        ("usr/bin/bash", ""),
    ],
)
def test_databases_that_are_not_read_are_known_by_their_path(path: str, manager: str) -> None:
    assert unread(["etc/passwd", path]) == manager
    assert not (manager and is_database(path)) or manager in ("dpkg", "Chisel")


@pytest.mark.parametrize("lists", ["info/base-files.list", "status.d/base.md5sums"])
def test_dpkgs_database_is_read_if_it_has_lists(lists: str) -> None:
    paths = ["var/lib/dpkg/status", "var/lib/dpkg/status.d/base"]
    assert unread([*paths, f"var/lib/dpkg/{lists}"]) == unread([]) == ""
    assert unread([*paths, f"var/lib/dpkg/{lists}", "var/lib/rpm/Packages"]) == "RPM"
    assert unread([*paths, "var/lib/rpm/Packages"]) == "RPM", "one of several"
