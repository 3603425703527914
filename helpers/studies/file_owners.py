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
    packages are those that the report lists a path for.
    """
    manager = file_inventory.unread(inventory)
    if not manager:
        return Owned(inventory, "")
    listed = _listed(report)
    if not any(package.installed_files for package in listed):
        return Owned(inventory, manager)
    links = {file.path: file.target for file in inventory if file.kind == "symlink"}
    unlisted = _unlisted(listed)
    listings = [
        (package.name, [path for path in package.installed_files or () if len(path) <= MAX_PATH])
        for package in listed
        if package.name and package.name not in unlisted
    ]
    owners = package_db.listed(listings, links)
    files = [
        msgspec.structs.replace(file, package=owners[file.path])
        if file.kind != "dir" and file.path in owners
        else file
        for file in inventory
    ]
    return Owned(files, ", ".join([*unlisted[:_NAMED], *(["…"] if len(unlisted) > _NAMED else [])]))


def _listed(report: Report | None) -> list[Package]:
    """Return the OS packages that a report lists."""
    results = (report and report.results) or []
    return [
        package
        for result in results
        if result.result_class == _OS_CLASS
        for package in result.packages or []
    ]


def _unlisted(packages: list[Package]) -> list[str]:
    """Return the packages whose files a report does not list, or not all of them.

    A package may have none. But Trivy lists files only for vendors that it knows (`osVendors` in
    its `pkg/fanal/analyzer/pkg/rpm/rpm.go`), so the vendor of one without files tells. Of a package
    for two architectures Trivy 0.76 lists the files of one, twice.
    """
    vendors = {package.maintainer for package in packages if package.installed_files}
    lists = Counter(
        (package.name, package.version, package.release, *package.installed_files)
        for package in packages
        if package.installed_files
    )
    twice = {name for (name, *_), count in lists.items() if count > 1}
    others = {package.name for package in packages if package.maintainer not in vendors}
    return sorted(name for name in twice | others - {_KEYS} if name)
