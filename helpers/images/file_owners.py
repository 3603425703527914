"""Which OS package owns each file of an image, by its own database or by its scanner's report.

Capture reads the databases of apk, dpkg, distroless images and Chisel into the inventory. RPM's is
read by Trivy, whose report lists the files of each package since 0.47, but not of all: `_unlisted`.
"""

from collections import Counter
from typing import NamedTuple

import msgspec

from helpers.images import file_inventory, package_db
from helpers.images.file_inventory import File
from helpers.images.overlay import MAX_PATH
from helpers.scans import trivy
from helpers.scans.trivy_schema import Package, Report

_OS_CLASS = "os-pkgs"

_KEYS = "gpg-pubkey"
"""RPM's name for a key, which it keeps as a package without files."""

_NAMED = 3
"""Names that are kept of packages whose files are not listed."""


class Owned(NamedTuple):
    """The files of an image with their packages, and whose those without one may be all the same.

    `maybe_of` is as in the frame `files`; empty if there is nobody who may own them.
    """

    files: list[File]
    maybe_of: str


def needs_report(inventory: list[File]) -> bool:
    """Return whether `of` can learn from a report of Trivy's who owns the files of an image."""
    return bool(file_inventory.unread(inventory))


def of(inventory: list[File], report: Report | None = None) -> Owned:
    """Return the files of an image with their OS packages.

    Where the inventory has no package of any file, though the image has a package database, the
    packages are those that the report lists a path for. Raises `msgspec.MsgspecError` if such a
    list is none of paths.
    """
    manager = file_inventory.unread(inventory)
    if not manager:
        return Owned(inventory, "")
    listed = _listed(report)
    unlisted = _unlisted(listed)
    links = {file.path: file.target for file in inventory if file.kind == "symlink"}
    listings = [
        (package.name, [path for path in paths if len(path) <= MAX_PATH])
        for package, paths in listed
        if package.name and package.name not in unlisted
    ]
    owners = package_db.listed(listings, links)
    files = [
        msgspec.structs.replace(file, package=owners[file.path])
        if file.kind != "dir" and file.path in owners
        else file
        for file in inventory
    ]
    if not any(file.package for file in files):
        return Owned(inventory, manager)
    return Owned(files, ", ".join([*unlisted[:_NAMED], *(["…"] if len(unlisted) > _NAMED else [])]))


def _listed(report: Report | None) -> list[tuple[Package, list[str]]]:
    """Return the OS packages that a report lists, and the files that it lists of each."""
    results = (report and report.results) or []
    return [
        (package, trivy.installed_files(package))
        for result in results
        if result.result_class == _OS_CLASS
        for package in result.packages or []
    ]


def _unlisted(listed: list[tuple[Package, list[str]]]) -> list[str]:
    """Return the packages whose files a report does not list, or not all of them.

    A package may have none. But Trivy lists files only for vendors that it knows (`osVendors` in
    its `pkg/fanal/analyzer/pkg/rpm/rpm.go`), so the vendor of one without files tells. Of a package
    for two architectures Trivy 0.76 lists the files of one, twice.
    """
    vendors = {package.maintainer for package, paths in listed if paths}
    others = {package.name for package, _ in listed if package.maintainer not in vendors}
    lists = Counter((p.name, p.version, p.release, *paths) for p, paths in listed if paths)
    twice = {name for (name, *_), count in lists.items() if count > 1}
    return sorted(name for name in twice | others - {_KEYS} if name)
