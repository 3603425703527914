"""What to update: one row a package, the lowest version that fixes all, and who can do it."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from helpers.comparability import confounders
from helpers.frames import make
from helpers.studies.load import load_reports
from helpers.verdict import updates
from helpers.verdict.decision import decide
from helpers.verdict.tradeoff import WEIGHTS
from tests.conftest import finding, trivy
from tests.verdict.made import VULNERABILITIES

TODAY = date(2026, 12, 1)


def npm(number: int, fixed: str, package: str = "express", **more: object) -> dict[str, object]:
    purl = {"PURL": f"pkg:npm/{package}@4.17.2"}
    return finding(
        number, PkgName=package, InstalledVersion="4.17.2", FixedVersion=fixed, PkgIdentifier=purl
    ) | {"PkgPath": f"app/node_modules/{package}/package.json", **more}


def loaded(folder: Path, *found: dict[str, object], kind: str = "node-pkg") -> tuple:
    report = trivy(*found)
    report["Results"][0] |= {"Class": "lang-pkgs", "Type": kind, "Target": "Node.js"}
    path = folder / "app.json"
    path.write_text(json.dumps(report))
    return load_reports([path])


def test_a_row_has_the_lowest_version_that_fixes_all_of_a_package(tmp_path: Path) -> None:
    frames = loaded(
        tmp_path,
        npm(1, "4.19.2, 5.0.0-beta.3", Severity="MEDIUM"),
        npm(2, "4.20.0, 5.0.0", Severity="HIGH"),
        npm(3, "", Severity="CRITICAL"),
        npm(4, "no-version", "send"),
    )
    table = updates.table(frames.findings, frames.packages, VULNERABILITIES)
    rows = table.set_index("package")
    assert [*rows.index] == ["express", "send"], "the more urgent first"
    assert rows.loc["express", "first_fixed_version"] == "4.20.0"
    assert rows.loc["express", "severity"] == "HIGH", "what has no fix is not updated"
    assert rows.loc["express", "vulnerabilities"] == 2
    assert pd.isna(rows.loc["send", "first_fixed_version"]), "no order is guessed"


@pytest.mark.parametrize(
    ("place", "from_base", "kind", "who"),
    [
        ("app", False, "node-pkg", updates.APP),
        ("tools", True, "node-pkg", updates.TOOLS),
        ("os", True, "debian", updates.BASE),
        ("os", pd.NA, "debian", updates.BASE),
        ("os", False, "debian", updates.ADDED),
        ("app", True, "binary", updates.RUNTIME),
    ],
)
def test_who_can_update_a_package(
    tmp_path: Path, place: str, from_base: object, kind: str, who: str
) -> None:
    frames = loaded(tmp_path, npm(1, "4.19.2"))
    flag = pd.array([from_base], dtype="boolean")
    found = frames.findings.assign(place=place, from_base=flag, package_type=kind)
    table = updates.table(found, frames.packages, VULNERABILITIES)
    assert table["who"].tolist() == [who]


def test_a_base_past_its_support_is_to_be_replaced(tmp_path: Path) -> None:
    frames = loaded(tmp_path, npm(1, "4.19.2"))
    base = {"base": "node:8-alpine", "runtime": "node 8.17.0", "os_family": "alpine"}
    images = frames.images.assign(**base, os_version="3.11.2")
    frames = frames._replace(images=images)
    decision = decide(frames, make("published", {}), "", VULNERABILITIES, WEIGHTS, TODAY)
    support = confounders.confounders(images, TODAY)
    told = updates.answer(
        frames.findings, images, frames.packages, support, decision, TODAY
    ).text.plain
    assert "FROM node:8-alpine" in told
    assert "2019-12-31" in told
    assert "26 until 2029-04-30" in told
