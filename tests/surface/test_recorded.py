"""The matrix of properties of the recorded images, cell by cell.

Each value was looked up by other means in the images that the evidence is of: their files and modes
with `find` or in what `docker export` gives, ELF files with readelf, tools by trying every name of
`tools.csv` on the PATH, certificates by what is in them, shells and users in containers. The names
in a cell are those that were found there, in the order of their paths.
"""

import pandas as pd
import pytest

from helpers import Comparison

VARIANTS = ("node-24-debian", "node-24-alpine", "node-24-distroless", "node-8-distroless")

IN_BUSYBOX = (
    "netstat, ping, ping6, arp, ifconfig, ip, route, getent, nc, nslookup, pscan, ssl_client, "
    "traceroute, traceroute6, wget, whois, arping, brctl"
)
LOOKING = "fuser, hexdump, lsof, nsenter, pmap, scanelf, strings, unshare, xxd, chroot"
ALL_OF_THE_APP = "330 of 330"

EXPECTED = {
    # property: what it is in node-24-debian, -alpine, -distroless and in node-8-distroless
    "shells": ("bash, dash, rbash, sh", "ash, busybox, sh", "none", "none"),
    "package managers": ("apt, apt-get, dpkg", "apk", "none", "none"),
    "app installers": ("npm, npx", "npm, npx", "none", "none"),
    "interpreters": ("awk, mawk, nawk, perl, node", "awk, node", "node", "node"),
    "network tools": ("getent, apt-helper", IN_BUSYBOX, "none", "none"),
    "debugging tools": ("nsenter, unshare, chroot", LOOKING, "none", "none"),
    "compilers": ("none", "none", "none", "none"),
    "shell that starts": ("/bin/sh", "/bin/sh", "none", "none"),
    "starts as": ("root", "root", "root", "root"),
    "setuid or setgid files": ("11", "none", "none", "none"),
    "paths anybody may write": (
        "3 (3 sticky)",
        "2 (2 sticky)",
        "3 (3 sticky)",
        "3 (3 sticky)",
    ),
    "app files its user may change": (ALL_OF_THE_APP,) * 4,
    "executables (ELF)": ("279", "8", "1", "1"),
    "shared libraries (ELF)": ("377", "12", "283", "283"),
    "certificates": ("none", "1", "1", "1"),
    "C library": ("glibc", "musl", "glibc", "glibc"),
    "ELF files that lack something": ("none", "none", "none", "none"),
}

PATHS = {
    # What is behind some of them: all paths of a cell.
    ("setuid or setgid files", "node-24-debian"): {
        *("usr/bin/chage", "usr/bin/chfn", "usr/bin/chsh", "usr/bin/expiry", "usr/bin/gpasswd"),
        *("usr/bin/mount", "usr/bin/newgrp", "usr/bin/passwd", "usr/bin/su", "usr/bin/umount"),
        "usr/sbin/unix_chkpwd",
    },
    ("paths anybody may write", "node-24-debian"): {"run/lock", "tmp", "var/tmp"},
    ("paths anybody may write", "node-24-alpine"): {"tmp", "var/tmp"},
    ("paths anybody may write", "node-24-distroless"): {"tmp", "var/lock", "var/tmp"},
    ("paths anybody may write", "node-8-distroless"): {"tmp", "var/lock", "var/tmp"},
    ("executables (ELF)", "node-24-distroless"): {"nodejs/bin/node"},
    ("executables (ELF)", "node-8-distroless"): {"nodejs/bin/node"},
    ("interpreters", "node-24-distroless"): {"nodejs/bin/node"},
    ("interpreters", "node-24-alpine"): {"usr/bin/awk", "usr/local/bin/node"},
    ("certificates", "node-24-alpine"): {"etc/ssl/certs/ca-certificates.crt"},
    ("certificates", "node-24-distroless"): {"etc/ssl/certs/ca-certificates.crt"},
    ("certificates", "node-8-distroless"): {"etc/ssl/certs/ca-certificates.crt"},
}


@pytest.fixture(scope="module")
def recorded() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The matrix and its evidence."""
    return Comparison("rebuilt-2026")._surface


def test_each_property_has_the_value_that_was_found_by_other_means(recorded) -> None:
    rows = recorded[0].groupby("property", sort=False)["value"].agg(tuple)
    assert list(dict.fromkeys(recorded[0]["variant"])) == list(VARIANTS)
    assert rows.to_dict() == EXPECTED
    assert set(recorded[0]["state"]) == {"found", "none", "plain"}


def test_the_paths_behind_a_value_are_those_that_were_found(recorded) -> None:
    paths = recorded[1].groupby(["property", "variant"])["what"].agg(list)
    assert {key: set(paths[key]) for key in PATHS} == PATHS
    assert all(len(paths[key]) == len(PATHS[key]) for key in PATHS)
