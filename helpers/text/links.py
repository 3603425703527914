"""Public pages of vulnerabilities and packages, made of ids and names of an exact form only."""

import re
from urllib.parse import quote, unquote

_VULNERABILITIES = {
    r"CVE-[0-9]{4}-[0-9]{4,8}": "https://nvd.nist.gov/vuln/detail/{}",
    r"GHSA(-[23456789cfghjmpqrvwx]{4}){3}": "https://github.com/advisories/{}",
    r"(DSA|DLA)-[0-9]{1,5}-[0-9]{1,2}": "https://security-tracker.debian.org/tracker/{}",
    r"TEMP-[0-9]{7}-[0-9A-F]{6}": "https://security-tracker.debian.org/tracker/{}",
    r"USN-[0-9]{1,5}-[0-9]{1,2}": "https://ubuntu.com/security/notices/{}",
    r"RH[SBE]A-[0-9]{4}:[0-9]{4,5}": "https://access.redhat.com/errata/{}",
    r"GO-[0-9]{4}-[0-9]{4}": "https://pkg.go.dev/vuln/{}",
    r"RUSTSEC-[0-9]{4}-[0-9]{4}": "https://rustsec.org/advisories/{}.html",
    r"PYSEC-[0-9]{4}-[0-9]{1,5}": "https://osv.dev/vulnerability/{}",
}
"""Forms of ids, and the page of each."""

_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PACKAGES = {
    "apk/alpine": (r"[a-z0-9][a-z0-9.+_-]*", "https://pkgs.alpinelinux.org/packages?name={name}"),
    "cargo": (_NAME, "https://crates.io/crates/{name}"),
    "composer": (rf"{_NAME}/{_NAME}", "https://packagist.org/packages/{name}"),
    "deb/debian": (r"[a-z0-9][a-z0-9.+-]*", "https://packages.debian.org/{name}"),
    "deb/ubuntu": (r"[a-z0-9][a-z0-9.+-]*", "https://packages.ubuntu.com/{name}"),
    "gem": (_NAME, "https://rubygems.org/gems/{name}"),
    "golang": (rf"[a-z0-9-]+(\.[a-z0-9-]+)+(/{_NAME})*", "https://pkg.go.dev/{name}"),
    "maven": (rf"{_NAME}/{_NAME}", "https://central.sonatype.com/artifact/{name}"),
    "npm": (rf"(@{_NAME}/)?{_NAME}", "https://www.npmjs.com/package/{name}"),
    "nuget": (_NAME, "https://www.nuget.org/packages/{name}"),
    "pypi": (_NAME, "https://pypi.org/project/{name}/"),
}
"""Kinds of packages by the beginning of their purl: the form of their names, and their page."""

_PURL = re.compile(r"pkg:(?P<path>[A-Za-z0-9%/._~+-]+)(?:[@?#][!-~]*)?")

_PAGES = [*_VULNERABILITIES.values(), *(page for _, page in _PACKAGES.values())]
_SITES = "|".join(sorted({re.escape(page.split("/")[2]) for page in _PAGES}))
_ADDRESS = re.compile(rf"https://({_SITES})/[A-Za-z0-9@%/.?=&:_~+-]+")


def of_vulnerability(name: object) -> str:
    """Return the address of the page of a vulnerability's id; empty for an unknown form.

    >>> of_vulnerability("CVE-2021-44228"), of_vulnerability("CVE-2021-1/../x")
    ('https://nvd.nist.gov/vuln/detail/CVE-2021-44228', '')
    """
    for form, page in _VULNERABILITIES.items():
        if isinstance(name, str) and re.fullmatch(form, name):
            return page.format(quote(name))
    return ""


def of_package(purl: object) -> str:
    """Return the address of the page of a package by its purl; empty for an unknown form.

    See https://github.com/package-url/purl-spec for the types of packages.

    >>> of_package("pkg:npm/%40babel/core@7.1.0"), of_package("pkg:deb/debian/libc6@2.31-1")
    ('https://www.npmjs.com/package/@babel/core', 'https://packages.debian.org/libc6')
    """
    found = _PURL.fullmatch(purl) if isinstance(purl, str) else None
    path = unquote(found["path"]) if found else ""
    for kind, (form, page) in _PACKAGES.items():
        name = path.removeprefix(f"{kind}/")
        if name != path and re.fullmatch(form, name):
            return page.format(name=quote(name, safe="/@"))
    return ""


def is_public(address: str) -> bool:
    """Return whether an address is one of those that are made here, by its site and its letters."""
    return bool(_ADDRESS.fullmatch(address))
