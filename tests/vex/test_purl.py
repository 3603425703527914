"""Package URLs: which of a statement's is about which package."""

import pytest

from helpers.vex import purl

TAR = "pkg:deb/debian/tar@1.35%2Bdfsg-3.1?arch=amd64&distro=debian-13.7"


@pytest.mark.parametrize(
    ("stated", "is_about"),
    [
        (TAR, True),
        ("pkg:deb/debian/tar", True),
        ("pkg:deb/debian/tar@1.35%2Bdfsg-3.1", True),
        ("pkg:deb/debian/tar@1.35+dfsg-3.1?distro=debian-13.7", True),
        ("pkg:DEB/Debian/Tar", True),
        ("pkg:deb/debian/tar@1.34", False),
        ("pkg:deb/debian/tar?os_version=13", False),
        ("pkg:deb/debian/tar?distro=debian-12", False),
        ("pkg:deb/ubuntu/tar", False),
        ("pkg:deb/debian/tar-scripts", False),
        ("pkg:apk/debian/tar", False),
        ("[ERROR] CVE type  not mapped", False),
        ("", False),
    ],
)
def test_what_a_statement_leaves_open_matches(stated: str, is_about: bool) -> None:
    assert purl.matches(stated, TAR) == is_about


def test_a_version_that_a_package_lacks_does_not_match() -> None:
    assert not purl.matches(TAR, "pkg:deb/debian/tar")
