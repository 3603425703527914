"""Package URLs: https://github.com/package-url/purl-spec"""

from functools import lru_cache

from packageurl import PackageURL

_IMAGES = ("oci", "docker")
"""Types of container images."""


@lru_cache(2**14)
def parse(text: str) -> PackageURL | None:
    """Return the parts of a package URL; `None` for another text."""
    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None


def package(text: str) -> tuple[str, ...]:
    """Return of which package a package URL is, whatever version; another text is its own.

    Only URLs of one package can match.
    """
    found = parse(text)
    return _name(found) if found else (text,)


def is_image(text: str) -> bool:
    """Return whether a package URL is one of a container image."""
    return text.lower().startswith(tuple(f"pkg:{kind}/" for kind in _IMAGES))


@lru_cache(2**14)
def matches(general: str, specific: str) -> bool:
    """Return whether a statement's package URL is about a package's, as Trivy decides it.

    Without a version it is about every version; qualifiers that it has the package's has, too. See
    `PurlMatches` in https://github.com/openvex/go-vex/blob/main/pkg/vex/vex.go

    >>> matches("pkg:deb/debian/tar", "pkg:deb/debian/tar@1.35?arch=amd64")
    True
    >>> matches("pkg:deb/debian/tar?os_version=13", "pkg:deb/debian/tar@1.35?arch=amd64")
    False
    """
    if general == specific:
        return True
    wanted, found = parse(general), parse(specific)
    if wanted is None or found is None or _name(wanted) != _name(found):
        return False
    if wanted.version and wanted.version != found.version:
        return False
    return dict(wanted.qualifiers or {}).items() <= dict(found.qualifiers or {}).items()


def _name(purl: PackageURL) -> tuple[str, str, str]:
    # Which types of package URLs ignore case depends on the version of the library.
    return purl.type.lower(), (purl.namespace or "").lower(), purl.name.lower()
