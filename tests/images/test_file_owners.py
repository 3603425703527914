"""Which package owns a file by a report's lists; `tests/surface/test_systems.py` has real ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from helpers import paths
from helpers.errors import ReportInvalid
from helpers.images import file_inventory, file_owners
from helpers.images.file_inventory import File
from helpers.images.file_owners import Owned
from helpers.scans import reports
from helpers.studies import load
from tests import conftest
from tests.conftest import file

DATABASE = file("usr/lib/sysimage/rpm/rpmdb.sqlite")
LINK = File("bin", "symlink", 0, 0o777, 0, 0, 0, target="usr/bin")


def report(*packages: tuple[str, Any], vendor: str = "V") -> bytes:
    """A report that lists files of packages."""
    listed = [{"Name": n, "InstalledFiles": paths, "Maintainer": vendor} for n, paths in packages]
    result = {"Target": "app (rocky 9.4)", "Class": "os-pkgs", "Type": "rocky", "Packages": listed}
    return json.dumps(conftest.trivy(Results=[result])).encode()


def owned(text: bytes, *files: File) -> Owned:
    return file_owners.of([DATABASE, LINK, *files], reports.parse(text, "report.json"))


def test_paths_are_with_or_without_a_slash_and_below_links() -> None:
    listed = ["/bin/a", "usr/bin/b", "./usr/bin/c", "/usr/bin", "/usr/bin/gone"]
    names = ["usr/bin/a", "usr/bin/b", "usr/bin/c", "usr/bin/d"]
    folder = File("usr/bin", "dir", 0, 0o755, 0, 0, 0)
    found = owned(report(("p", listed)), *map(file, names), folder)
    assert {f.path for f in found.files if f.package == "p"} == {*names[:3]}
    assert found.maybe_of == ""


def test_a_package_for_two_architectures_is_one_whose_files_are_not_all_listed() -> None:
    twice = ("zlib", ["/usr/lib/z"])
    text = report(twice, twice, ("p", ["/usr/bin/a"]))
    found = owned(text, file("usr/lib/z"), file("usr/lib64/z"), file("usr/bin/a"))
    assert [f.package for f in found.files if f.package] == ["p"]
    assert found.maybe_of == "zlib"


def test_paths_that_no_image_can_have_cost_nothing() -> None:
    """Resolving a million folders one in another would take hours."""
    long = "/".join("a" * 1_000_000)
    assert owned(report(("p", [long, "/../../etc/x", ""])), file("etc/x")).files[-1].package == "p"


@pytest.mark.parametrize("wrong", [5, "usr/bin/a", [1], {"a": "b"}])
def test_a_list_that_is_none_of_paths_is_told_with_its_file(wrong: Any, tmp_path: Path) -> None:
    file_inventory.write(tmp_path / paths.FILES, [DATABASE])
    (tmp_path / "trivy.json").write_bytes(report(("p", wrong)))
    assert paths.reports(tmp_path)["trivy"] == tmp_path / "trivy.json"
    with pytest.raises(ReportInvalid, match=r"trivy\.json: a Trivy report with a field of"):
        load.owned(tmp_path)


def test_only_where_no_database_is_read_the_report_counts(tmp_path: Path) -> None:
    """On Debian with the tool rpm, say, whose database is empty."""
    found = owned(report(("p", ["/usr/bin/a"])), file("usr/bin/a"), file("x", package="dash"))
    assert [f.package for f in found.files if f.package] == ["dash"]
