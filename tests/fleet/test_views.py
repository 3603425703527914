"""Scans of one image by different tools are found, and how far they agree is counted."""

import json

import pandas as pd
import pytest

from helpers import Fleet
from helpers.fleet import views
from helpers.fleet.list_agreement import KEYS, NAME, NORMALISED, PURL
from tests.scans.test_sbom import CYCLONEDX, SPDX, SYFT

JANUARY, FEBRUARY = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01")

ROW = {"scanned_at": pd.NaT, "architecture": None, "image_id": None, "digest": None}


def seen(*rows):
    made = [
        {**ROW, "variant": f"v{n}", "file": f"in/{n}.json", **row} for n, row in enumerate(rows)
    ]
    found = views.found(pd.DataFrame(made))
    return {*found.groupby("image")["variant"].agg(" ".join)}


def scan(scanner, name="x", **fields):
    return {"scanner": scanner, "name": name, **fields}


@pytest.mark.parametrize(
    ("rows", "images"),
    [
        ([scan("trivy", image_id="1"), scan("syft", "y", image_id="1")], {"v1 v0"}),
        ([scan("trivy", image_id="1"), scan("syft", image_id="2")], set()),
        ([scan("trivy", digest="d"), scan("syft", "y", digest="d")], {"v1 v0"}),
        ([scan("trivy", digest="d", architecture="amd64"),
          scan("syft", digest="d", architecture="arm64")], set()),
        ([scan("trivy", image_id="1", digest="d"), scan("syft", digest="d"),
          scan("grype", image_id="1")], {"v2 v1 v0"}),
        ([scan("trivy"), scan("syft")], {"v1 v0"}),
        ([scan("trivy"), scan("syft", image_id="1")], set()),
        ([scan("trivy", "a.trivy", file="in/a.trivy.json"),
          scan("syft", image_id="1", file="in/a.syft.json")], {"v1 v0"}),
        ([scan("trivy", "a.trivy", file="in/a.trivy.json"),
          scan("syft", image_id="1", file="out/a.syft.json")], set()),
        ([scan("trivy", image_id="1", scanned_at=JANUARY),
          scan("trivy", image_id="1", scanned_at=FEBRUARY), scan("syft", image_id="1")],
         {"v2 v1"}),
        ([scan("trivy", scanned_at=JANUARY), scan("syft")], {"v1 v0"}),
        ([scan("trivy", scanned_at=JANUARY), scan("syft", scanned_at=FEBRUARY)], set()),
        ([scan("trivy", "."), scan("syft", ".")], set()),
        ([scan("trivy", digest="d", architecture="amd64"), scan("syft", digest="d")], {"v1 v0"}),
        ([scan("trivy", "a", file="in/a.json"), scan("syft", image_id="1", file="in/a.cdx.json"),
          scan("grype", image_id="2", file="in/a.spdx.json")], set()),
        ([scan("trivy", "x", digest="d"), scan("trivy", "y", digest="d"),
          scan("syft", "x", digest="d"), scan("syft", "y", digest="d")], {"v2 v0", "v3 v1"}),
        ([scan("trivy"), scan("trivy")], set()),
    ],
    ids=[
        "one id", "two ids", "one digest", "another architecture", "by way of a third",
        "names alone", "a name beside an id", "files side by side", "files apart", "the newest",
        "a day not known", "other days", "a folder", "no architecture", "beside two images",
        "two names", "one tool",
    ],
)  # fmt: skip
def test_scans_of_one_image(rows, images):
    assert seen(*rows) == images


def test_documents_of_one_image_are_views_of_it(read, opened, tmp_path):
    old = json.loads(json.dumps(SYFT))
    old["artifacts"][1] |= {"purl": "pkg:alpine/musl@1.2.4-r2"}
    for name, made in (("a", CYCLONEDX), ("b", old)):
        (tmp_path / "scans").mkdir(exist_ok=True)
        (tmp_path / "scans" / f"{name}.json").write_text(json.dumps(made))
    f = Fleet(str(tmp_path / "scans"), scheduler=opened.client.scheduler.address)
    table = f.lists().table.set_index("told_by")
    assert table.loc[PURL, ["images", "median_share"]].tolist() == [1, 1 / 3]
    assert table.loc[[NORMALISED, NAME], "median_share"].tolist() == [1, 1]
    why = f.list_ecosystems().table.set_index("ecosystem")
    assert why.loc["apk", ["purls", "same", "rewritten"]].tolist() == [2, 0, 2]
    assert f.counts["count"].isna().all()


def test_epochs_and_groups_are_written_alike(opened, tmp_path):
    lists = {
        "trivy": [
            "pkg:deb/debian/zlib1g@1.2?epoch=1",
            "pkg:npm/%40babel/core@7",
            "pkg:deb/d/a%2B@1",
        ],
        "syft": ["pkg:deb/debian/zlib1g@1:1.2", "pkg:npm/%40babel/core@7", "pkg:deb/d/a+@1"],
    }
    for tool, urls in lists.items():
        made = json.loads(json.dumps(CYCLONEDX))
        made["metadata"]["tools"]["components"][0]["name"] = tool
        made["components"] = [{"type": "library", "name": "x", "purl": url} for url in urls]
        (tmp_path / f"{tool}.json").write_text(json.dumps(made))
    named = json.loads(json.dumps(CYCLONEDX))
    named["metadata"]["tools"]["components"][0]["name"] = "tern"
    named["components"] = [
        {"type": "library", "name": name} for name in ("zlib1g", "@babel/core", "a+")
    ]
    (tmp_path / "tern.json").write_text(json.dumps(named))
    f = Fleet(str(tmp_path), name="w", scheduler=opened.client.scheduler.address)
    table = rows_of(f.lists().table, "trivy", "syft")
    assert table.loc[[PURL, NORMALISED, NAME], "median_share"].tolist() == [1 / 5, 1, 1]
    assert rows_of(f.lists().table, "trivy", "tern").loc[NAME, "median_share"] == 1


def test_equal_files_that_name_no_image_are_two_images(opened, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"results": [], "experimental_config": {}})
        )
    f = Fleet(str(tmp_path), name="e", scheduler=opened.client.scheduler.address)
    assert len(f.scanned) == 2
    assert f.fleet["digest"].compute().nunique() == 1


def test_a_list_without_package_urls_is_not_comparable_by_them(opened, tmp_path):
    tern = json.loads(json.dumps(SPDX))
    tern["creationInfo"]["creators"] = ["Tool: tern-2.11.0"]
    for package in tern["packages"]:
        package.pop("externalRefs", None)
    for name, made in (("a", CYCLONEDX), ("b", tern)):
        (tmp_path / f"{name}.json").write_text(json.dumps(made))
    f = Fleet(str(tmp_path), name="t", scheduler=opened.client.scheduler.address)
    table = f.lists().table.set_index("told_by")
    assert table.loc[PURL, ["images", "not_comparable"]].tolist() == [0, 1]
    assert pd.isna(table.loc[PURL, "median_share"])
    by_name = table.loc[KEYS["name_version"]]
    assert (by_name["images"], by_name["not_comparable"], by_name["median_share"]) == (1, 0, 1)


def test_sbom_tools_agree_as_was_counted_by_others(opened_fleet, shared):
    wanted = json.loads((shared / "anchors/sbom-tools/expected.json").read_text())
    f = opened_fleet("sbom-tools")
    table = f.lists().table
    names = {
        "name+version": "name_version",
        "type+name": "type_name",
        "purl": "purl",
        "name": "name",
    }
    for pair, facts in wanted["pairs of tools"].items():
        tools = {*pair.split(" and ")}
        rows = table[
            [
                {*each} == tools
                for each in zip(table["first_tool"], table["second_tool"], strict=True)
            ]
        ]
        rows = rows.set_index("told_by")
        if "tern" in tools:
            # Its documents have packages, and no package URL: that is not an agreement of 0.
            assert {*rows["not_comparable"]} == {facts["digests"]}
            assert {*rows["images"]} == {0}
            continue
        assert {*rows["images"]} == {facts["digests"]}
        assert rows.loc[PURL, "none_shared"] == facts["J purl = 0"]
        for theirs, ours in names.items():
            row = rows.loc[KEYS[ours]]
            assert round(row["median_share"], 4) == facts[f"median J {theirs}"]
            # The source takes a version with a slash in it for a name.
            assert abs(row["mean_share"] - facts[f"mean J {theirs}"]) < 3e-4
    assert round(rows_of(table, "trivy", "syft").loc[NORMALISED, "median_share"], 3) == 0.945


def rows_of(table, first, second):
    is_pair = table["first_tool"].eq(first) & table["second_tool"].eq(second)
    return table[is_pair].set_index("told_by")


def test_scanners_agree_as_was_counted_by_others(opened_fleet, shared):
    wanted = json.loads((shared / "anchors/scanner-agreement/expected.json").read_text())
    f = opened_fleet("scanner-agreement")
    table = f.scanners().table
    assert len(table) == 9
    for row in table.to_dict("records"):
        tools = [row["first_tool"], row["second_tool"]]
        image, names = (
            row["variant"].partition("@")[0],
            [each.removesuffix("-scanner") for each in tools],
        )
        facts = wanted[image]
        pair = next(each for each in facts if {*each.split(" and ")} == {*names})
        facts = facts[pair]
        assert [row["in_both"], row["only_first"], row["only_second"]] == [
            facts["both"], *(facts[f"only {name}"] for name in names),
        ]  # fmt: skip
        assert [round(row[by], 4) for by in ("by_id", "by_vulnerability", "by_cve")] == [
            facts[f"jaccard {by}"] for by in ("by the id alone", "by id or alias", "of CVE ids")
        ]
    # Each image counts once, whoever scanned it; what another scanner counts is no change.
    mixed = opened_fleet("scanner-agreement", mixed=True)
    assert len(mixed.counts) == 3
    assert "different scanners" in mixed.steps().answer.lacks
    assert "different scanners" in mixed.drift().answer.lacks
    why = f.scanner_reasons().table
    assert why["vulnerabilities"].sum() == table[["only_first", "only_second"]].sum().sum()
