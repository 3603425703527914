"""Versions of packages in order, each by the rules of its ecosystem, and the first that fixes."""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

_SCHEMES = (
    {"alpine": "apk", "wolfi": "apk", "chainguard": "apk"}
    | {"debian": "deb", "ubuntu": "deb"}
    | dict.fromkeys(("node-pkg", "npm", "yarn", "pnpm"), "npm")
    | dict.fromkeys(("python-pkg", "pip", "pipenv", "poetry", "uv"), "pypi")
    | dict.fromkeys(("gemspec", "bundler"), "gem")
    | dict.fromkeys(("jar", "pom"), "maven")
    | dict.fromkeys(("gobinary", "gomod"), "golang")
    | dict.fromkeys(("rustbinary", "cargo"), "cargo")
    | dict.fromkeys(("redhat", "centos", "rocky", "alma", "amazon", "oracle", "fedora"), "rpm")
)
"""Types of purls by Trivy's types of packages: reports before Trivy 0.47 have no purl."""


def scheme(purl: object, package_type: object) -> str:
    """Return the rules that a package's versions follow: its purl's type; empty if unknown.

    >>> scheme("pkg:deb/debian/apt@3.0.4", "debian"), scheme(None, "alpine")
    ('deb', 'apk')
    """
    if isinstance(purl, str) and purl.startswith("pkg:"):
        return purl.removeprefix("pkg:").partition("/")[0]
    return _SCHEMES.get(str(package_type), "")


def first_that_fixes(installed: str, fixes: Sequence[str], scheme: str) -> str:
    """Return the lowest version above the installed one that fixes all; empty if none is found.

    `fixes` has the fixed versions of each vulnerability, as a scanner joins them with commas: one
    for each release line that got a fix. A line without a fix of its own has none.

    >>> first_that_fixes("4.17.2", ["4.19.2, 5.0.0-beta.3", "4.20.0, 5.0.0"], "npm")
    '4.20.0'
    >>> first_that_fixes("1.1.1d-r2", ["1.1.1g-r0", "1.1.1l-r0"], "apk")
    '1.1.1l-r0'
    """
    # univers takes 0.2 s to import, which only who asks should wait for.
    from univers.version_range import RANGE_CLASS_BY_SCHEMES

    rules = RANGE_CLASS_BY_SCHEMES.get(scheme)
    order = rules and rules.version_class
    if order is None:
        given = {*fixes}
        return given.pop() if len(given) == 1 and "," not in fixes[0] else ""
    try:
        each = [[order(version) for version in _listed(fix)] for fix in fixes]
        least = order(installed)
        found = sorted(version for fix in each for version in fix if version > least)
    except (ValueError, TypeError, AttributeError):
        # A version that its ecosystem does not allow: InvalidVersion is a ValueError.
        return ""
    return next((str(v) for v in found if all(_is_fixed(v, fix) for fix in each)), "")


def _listed(fix: str) -> list[str]:
    """Return the versions that a scanner joins; old advisories of npm write `>=` before them."""
    parts = (part.strip() for part in fix.split(","))
    return [part.lstrip("> =") for part in parts if not part.startswith("<")]


def _is_fixed(version: Any, fixes: Sequence[Any]) -> bool:
    """Return whether a version has a fix: at least the newest of the lines that are closest."""
    shared = [_shared(str(version), str(fix)) for fix in fixes]
    return all(
        version >= fix for fix, count in zip(fixes, shared, strict=True) if count == max(shared)
    )


def _shared(one: str, other: str) -> int:
    """Return how many leading numbers two versions share."""
    pairs = zip(re.findall(r"\d+", one), re.findall(r"\d+", other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
