"""What a rebuild, or an update of packages that images share, really takes away."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import paths
from helpers.fleet import bases, image_table, tally
from helpers.vulnerabilities import once
from helpers.vulnerabilities.lenses import Lens
from tests.cases import made
from tests.support import fleets

SSL = ("openssl 3.0.1", "libc 2.36")


def shared(engine: fleets.Here, lens: Lens) -> pd.DataFrame:
    """The images that others are built on or share packages of, by name."""
    images = image_table.once(engine.reduced(tally.images(lens)))
    lists = engine.reduced(tally.package_lists())
    found = bases.found(images, lists)
    reached = bases.rebuilds(images, found, lists)
    found = bases.with_removed(found, engine.reduced(tally.removed(lens, reached)))
    return bases.shared(images, found, "removed").set_index("name")


def removed(folder: Path, lens: str, **reports: dict[str, Any]) -> dict[str, int]:
    """What is removed by a rebuild of each image that others are on, of reports by name."""
    (folder / "scans").mkdir()
    for number, (name, report) in enumerate(reports.items(), start=1):
        report["ArtifactName"] = f"{name}:1"
        report["Metadata"]["ImageID"] = f"sha256:{number:064}"
        (folder / "scans" / f"{name}.json").write_text(json.dumps(report))
    return dict(shared(fleets.read_here(folder / "scans", folder / "parts"), Lens(lens))["removed"])


@pytest.mark.parametrize(("lens", "expected"), [("vulnerabilities", 5), ("findings", 6)])
def test_what_is_also_in_a_package_outside_the_shared_ones_stays(
    tmp_path: Path, lens: str, expected: int
) -> None:
    both = made.findings(3, fix="3.0.2")
    # The second is in a package of the app's own, too: it is still there after the update.
    again = made.finding(2, "curl", "8.0", "8.1")
    base = made.report(*both, packages=SSL)
    app = made.report(*both, again, packages=(*SSL, "curl 8.0"))
    assert removed(tmp_path, lens, base=base, app=app) == {"base:1": expected}


@pytest.mark.parametrize(("lens", "expected"), [("vulnerabilities", 2), ("findings", 4)])
def test_what_has_no_fix_in_one_of_the_shared_packages_stays(
    tmp_path: Path, lens: str, expected: int
) -> None:
    found = [*made.findings(2, fix="3.0.2"), made.finding(1, "libc", "2.36")]
    base, app = (made.report(*found, packages=(*SSL, *more)) for more in ((), ("curl 8.0",)))
    assert removed(tmp_path, lens, base=base, app=app) == {"base:1": expected}


@pytest.mark.parametrize("is_listed", [True, False])
def test_of_a_base_only_what_is_in_its_layers_goes(tmp_path: Path, is_listed: bool) -> None:
    low, high = f"sha256:{1:064}", f"sha256:{2:064}"
    of_base = [made.finding(n, fix="3.0.2", Layer={"DiffID": low}) for n in (1, 2, 3)]
    own = [made.finding(n, "curl", "8.0", "8.1", Layer={"DiffID": high}) for n in (1, 4)]
    base = made.report(*of_base, packages=SSL)
    app = made.report(*of_base, *own, packages=(*SSL, "curl 8.0"))
    base["Metadata"]["DiffIDs"], app["Metadata"]["DiffIDs"] = [low], [low, high]
    if not is_listed:
        for report in (base, app):
            del report["Results"][0]["Packages"]
    # Three in the base; of these the first is in the app's own curl, too, which has one more.
    assert removed(tmp_path, "vulnerabilities", base=base, app=app) == {"base:1": 5}


def _version(package: dict[str, Any]) -> str:
    epoch = f"{package['Epoch']}:" if package.get("Epoch") else ""
    release = f"-{package['Release']}" if package.get("Release") else ""
    return f"{epoch}{package.get('Version')}{release}"


@pytest.mark.slow
@pytest.mark.parametrize("lens", [once.VULNERABILITIES, once.FINDINGS])
def test_a_plain_loop_over_the_recorded_fleet_counts_the_same(tmp_path: Path, lens: str) -> None:
    folder = paths.ROOT / "data" / "fleets" / "official-2018"
    images: dict[str, tuple[set[Any], list[Any]]] = {}
    for line in (folder / "images.jsonl").read_text().splitlines():
        row = json.loads(line)
        results = json.loads(gzip.decompress((folder / row["scan"]).read_bytes()))["Results"]
        listed = {
            (result["Type"], package["Name"], _version(package))
            for result in results
            for package in result.get("Packages", [])
        }
        found = [
            (
                one["VulnerabilityID"],
                (result["Type"], one["PkgName"], one["InstalledVersion"]),
                "FixedVersion" in one,
            )
            for result in results
            for one in result.get("Vulnerabilities", [])
        ]
        images[row["image"]] = listed, found

    def gone(name: str) -> int:
        update, total = images[name][0], 0
        for listed, found in images.values():
            if update <= listed:
                stay = {id for id, package, fix in found if package not in update or not fix}
                ids = {id for id, _, _ in found} - stay
                goes = sum(package in update and fix for _, package, fix in found)
                total += goes if lens == once.FINDINGS else len(ids)
        return total

    table = shared(fleets.read_here(folder, tmp_path / "parts"), Lens(lens))
    assert len(table) == 67
    assert {name: gone(name) for name in table.index} == dict(table["removed"])
    if lens == once.VULNERABILITIES:
        assert table.loc["tomcat:7-jre8-slim", "removed"] == 2135
