"""What is kept of parts, against a plain loop over the JSON of the real reports."""

from collections import Counter, defaultdict
from statistics import median

import numpy as np
import pandas as pd
import pytest

from helpers import frames
from helpers.errors import ParameterInvalid
from helpers.fleet import distributions, image_table, spread, tally
from helpers.fleet.partition import Partition
from helpers.vulnerabilities.lenses import Lens, Own
from tests.support import fleet_frames as fleets


def found(report):
    return [
        one for result in report.get("Results", []) for one in result.get("Vulnerabilities", [])
    ]


@pytest.fixture
def real_parts(shared):
    return fleets.real(shared)[0]


@pytest.fixture
def real_reports(shared):
    return fleets.real(shared)[1]


@pytest.fixture
def images(real_parts):
    return image_table.once(fleets.reduced(real_parts, tally.images()))


def test_counts_of_each_image_and_quartiles_of_each_family(real_reports, images):
    by_name = images.set_index("name")
    assert len(by_name) == len(real_reports) == 297
    counts = defaultdict(list)
    for report in real_reports:
        (name,) = report["Metadata"]["RepoTags"]
        assert by_name.loc[name, "count"] == len(found(report))
        assert by_name.loc[name, "fixable"] == sum("FixedVersion" in one for one in found(report))
        system = report["Metadata"]["OS"]
        if system["Family"] == "debian":
            slim = " slim" if "slim" in name else ""
            counts[f"debian {system['Name'].split('.')[0]}{slim}"].append(len(found(report)))
    table = distributions.quartiles(images).set_index("family")
    for family, values in counts.items():
        if len(values) >= distributions.FEW:
            row = table.loc[family]
            assert (row["images"], row["least"], row["greatest"]) == (
                len(values), min(values), max(values),
            )  # fmt: skip
            assert row["median"] == median(values)
            assert row["lower"] == np.percentile(values, 25)
    assert images["measured"].sum() == sum(map(len, counts.values())) == 224


def test_in_how_many_images_each_vulnerability_is(real_reports, real_parts):
    ids, packages = Counter(), Counter()
    for report in real_reports:
        ids.update({one["VulnerabilityID"] for one in found(report)})
        packages.update({(one["VulnerabilityID"], one["PkgName"]) for one in found(report)})
    table = tally.together(fleets.reduced(real_parts, tally.occurrences()))
    assert dict(zip(table["vulnerability_id"], table["images"], strict=True)) == ids
    assert table["images"].is_monotonic_decreasing
    in_packages = tally.together(fleets.reduced(real_parts, tally.in_packages()))
    updates = spread.updates(in_packages)
    # These reports are of SBOMs and name no source packages.
    most = Counter()
    for (_, package), count in packages.items():
        most[package] += count
    assert dict(zip(updates["source_package"], updates["fixes"], strict=True)) == most


def test_a_second_scan_of_an_image_is_in_no_count(real_parts):
    reduction = tally.occurrences(without=real_parts[0].images["variant"])
    less = tally.together(fleets.reduced(real_parts, reduction))
    others = tally.together(fleets.reduced(real_parts[1:], tally.occurrences()))
    pd.testing.assert_frame_equal(less, others)


@pytest.mark.parametrize(
    "lens",
    [
        Lens("vulnerabilities"),
        Lens(fixable=True, rated_by="nvd", severities=("HIGH", "CRITICAL")),
        Lens(place="os", package="linux"),
        Lens(known_by="2018-01-01"),
    ],
)
def test_a_lens_works_with_the_columns_that_it_asks_for(lens, real_parts):
    table = fleets.reduced(real_parts[:1], tally.images(lens))
    whole = tally.images(lens).of(real_parts[0])
    pd.testing.assert_frame_equal(table, whole)
    assert table["count"].sum() > 0
    assert len(fleets.reduced(real_parts[:1], tally.occurrences(lens)))


def test_an_own_lens_sees_every_column_and_a_wrong_one_is_refused():
    own = Lens(own=(Own(lambda findings: findings["epss"].gt(0.1), "own"),))
    assert list(tally.images(own).columns["findings"]) == frames.columns("findings")
    with pytest.raises(ParameterInvalid):
        tally.images(Lens("bugs"))


def part(**tables):
    made = {
        name: frames.make(name, {c: [row.get(c) for row in rows] for c in frames.columns(name)})
        for name, rows in tables.items()
    }
    rest = {name: frames.make(name, {}) for name in Partition._fields if name not in made}
    return Partition(**made, **rest)


def test_a_vulnerability_in_two_packages_of_an_image_is_in_one_image():
    usual = {"variant": "a", "capture": "", "scanner": "trivy", "suppressed": False}
    rows = [
        usual | {"vulnerability_id": "CVE-1", "package": "x", "severity": "LOW"},
        usual
        | {"vulnerability_id": "CVE-1", "package": "y", "source_package": "s", "severity": "HIGH"}
        | {"fixed_version": "2"},
        usual | {"vulnerability_id": None, "package": "x", "severity": "LOW"},
        usual | {"variant": "b", "vulnerability_id": "CVE-1", "package": "x", "severity": "LOW"},
    ]
    parts = [part(findings=rows[:3]), part(findings=rows[3:])]
    table = tally.together(fleets.reduced(parts, tally.occurrences()))
    assert table.to_dict("records") == [
        {"vulnerability_id": "CVE-1", "severity": "HIGH", "images": 2, "fixable": 1}
    ]
    by_package = tally.together(fleets.reduced(parts, tally.in_packages()))
    assert by_package["source_package"].tolist() == ["x", "s"]
    assert by_package["named"].tolist() == [0, 1]
    assert spread.updates(by_package).to_dict("records") == [
        {"source_package": "s", "vulnerabilities": 1, "images": 1, "fixes": 1, "alone": 0}
        | {"headers": False}
    ]


def test_each_package_list_once_and_only_of_scans_that_list_packages():
    fleet = [
        {"variant": "a", "capture": "", "package_list": "1", "packages_known": True},
        {"variant": "b", "capture": "", "package_list": "1", "packages_known": True},
        {"variant": "c", "capture": "", "package_list": "2", "packages_known": False},
    ]
    packages = [
        {"variant": v, "capture": "", "package": p, "version": "1", "package_type": "debian"}
        for v, p in (("a", "x"), ("a", "x"), ("a", "y"), ("b", "y"), ("b", "x"), ("c", "z"))
    ]
    table = fleets.reduced([part(fleet=fleet, packages=packages)], tally.package_lists())
    assert table[["package_list", "size"]].to_numpy().tolist() == [["1", 2]]
    assert len(np.frombuffer(table["items"][0], np.uint64)) == 2
