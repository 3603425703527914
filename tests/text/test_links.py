"""Pages of vulnerabilities and packages: an id or a purl of an exact form, or no page."""

import pytest

from helpers.text import links


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("CVE-2021-44228", "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"),
        ("GHSA-jfh8-c2jp-5v3q", "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q"),
        ("DLA-3152-1", "https://security-tracker.debian.org/tracker/DLA-3152-1"),
        ("TEMP-0841856-B18BAF", "https://security-tracker.debian.org/tracker/TEMP-0841856-B18BAF"),
        ("RHSA-2022:0001", "https://access.redhat.com/errata/RHSA-2022%3A0001"),
    ],
)
def test_a_vulnerability_has_the_page_of_who_names_it(name: str, page: str) -> None:
    assert links.of_vulnerability(name) == page
    assert links.is_public(page)


@pytest.mark.parametrize(
    ("purl", "page"),
    [
        ("pkg:npm/%40babel/core@7.1.0", "https://www.npmjs.com/package/@babel/core"),
        (
            "pkg:apk/alpine/libstdc%2B%2B@9.3?distro=3.11.2",
            "https://pkgs.alpinelinux.org/packages?name=libstdc%2B%2B",
        ),
        ("pkg:deb/debian/libc6@1:2.31-13?arch=amd64", "https://packages.debian.org/libc6"),
        ("pkg:deb/ubuntu/libc6@2.31", "https://packages.ubuntu.com/libc6"),
        ("pkg:pypi/redis@3.5.3", "https://pypi.org/project/redis/"),
        ("pkg:golang/golang.org/x/text@v0.3.0", "https://pkg.go.dev/golang.org/x/text"),
        (
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
            "https://central.sonatype.com/artifact/org.apache.logging.log4j/log4j-core",
        ),
    ],
)
def test_a_package_has_the_page_of_its_registry(purl: str, page: str) -> None:
    assert links.of_package(purl) == page
    assert links.is_public(page)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "CVE-2021-1",
            "CVE-2021-44228/../x",
            "CVE-2021-44228\n",
            " CVE-2021-44228",
            "cve-2021-44228",
        ),
        *(
            "CVE-٢٠٢١-44228",
            'CVE-2021-44228"onclick=',
            "https://evil.example/CVE-2021-44228",
            "",
            None,
        ),
        *("pkg:npm/../evil@1", "pkg:npm/%2e%2e%2fevil", "pkg:npm/a/b", "pkg:npm/a%00b", "pkg:npm/"),
        *(
            "pkg:npm/a?b\n",
            "pkg:npm/a%22onclick",
            "pkg:evil/a@1",
            "javascript:alert(1)",
            "pkg:npm/à",
        ),
        *("pkg:golang/localhost/x", "pkg:golang/example.com/../x", "pkg:deb/evil/libc6@1"),
    ],
)
def test_of_another_form_there_is_no_page(text: str | None) -> None:
    assert links.of_vulnerability(text) == ""
    assert links.of_package(text) == ""


@pytest.mark.parametrize(
    "address",
    [
        *("https://evil.example/", "http://nvd.nist.gov/x", "https://nvd.nist.gov.evil.example/x"),
        *(
            "https://nvd.nist.gov@evil.example/",
            "https://nvd.nist.gov/x y",
            "https://nvd.nist.gov/\\",
        ),
        *("javascript:alert(1)", "//nvd.nist.gov/x", "https://nvd.nist.gov/x\n", "#here"),
    ],
)
def test_an_address_of_another_site_or_letter_is_none_of_them(address: str) -> None:
    assert not links.is_public(address)
