import msgspec
import pandas as pd
import pytest

from helpers.scans import package_list
from helpers.scans.trivy_schema import Package, Report

ONE, OTHER = {"Name": "a", "Version": "1", "Release": "2"}, {"Name": "b", "Version": "3"}


@pytest.mark.parametrize(
    ("package", "version"),
    [
        (Package(version="1.2"), "1.2"),
        (Package(version="1.2", release="3"), "1.2-3"),
        (Package(version="1.2", release="3", epoch=1), "1:1.2-3"),
        (Package(), None),
    ],
)
def test_the_version_of_a_package(package: Package, version: str | None) -> None:
    assert package_list.version(package) == version


def digest(kind: str = "debian", **lists: object) -> tuple[str | None, bool]:
    result = {"Target": "x", "Type": kind, **lists}
    return package_list.digest(msgspec.convert({"Results": [result]}, Report))


def test_equal_lists_of_packages_have_equal_digests() -> None:
    made = [
        digest(Packages=[ONE, OTHER]),
        digest(Packages=[ONE]),
        digest(Packages=[OTHER, {**ONE, "Release": "3"}]),
        digest("alpine", Packages=[ONE, OTHER]),
    ]
    assert len({*made}) == len(made)
    assert digest(Packages=[OTHER, ONE, ONE]) == made[0]
    assert all(is_known for _, is_known in made)


def test_without_a_list_the_packages_with_findings_stand_for_it() -> None:
    found = {"VulnerabilityID": "CVE-1", "PkgName": "a", "InstalledVersion": "1-2"}
    assert digest(Vulnerabilities=[found]) == (digest(Packages=[ONE])[0], False)
    assert digest() == (None, False)
    assert digest(Packages=[]) == (None, True)


def test_a_hash_is_of_all_columns_and_of_no_type() -> None:
    names = pd.Series(["a", "ab", "a", None])
    versions = pd.Series(["bc", "c", "bc", "bc"])
    hashed = package_list.hashes(names, versions)
    assert len({*hashed}) == 3
    typed = package_list.hashes(names.astype("category"), versions.astype("str"))
    assert (hashed == typed).all()
