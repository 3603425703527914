import gzip
import json

import numpy as np
import pandas as pd

from helpers import paths
from helpers.fleet import bases, image_table, tally
from helpers.vulnerabilities.lenses import PLAIN
from tests.support import fleet_frames as fleets
from tests.support.fleets import Here


def lists(**found):
    """Package lists by name, each of some letters."""
    rows = []
    for name, items in found.items():
        hashes = np.array(sorted(ord(item) for item in items), dtype=np.uint64)
        rows.append((name, len(items), hashes.tobytes()))
    return pd.DataFrame(rows, columns=["package_list", "size", "items"])


def image(name, count, layers=None, packages=None, **more):
    known = {"package_list": packages, "packages_known": packages is not None}
    return {"name": name, "count": count, "fixable": count, "diff_ids": layers, **known, **more}


def rebuilt(images, packages=None):
    """What images have of others, as if all that is fixable in one were gone from all it reaches.

    `tests/cases/test_rebuild.py` has what of it really goes.
    """
    packages = lists() if packages is None else packages
    known = bases.found(images, packages)
    fixable = images.set_index("variant")["fixable"]
    of = bases.rebuilds(images, known, packages).of
    rows = [(base, min(fixable[base], fixable[variant])) for variant in of for base in of[variant]]
    return bases.with_removed(known, pd.DataFrame(rows, columns=["variant", "removed"]))


def found(images, packages=None):
    table = bases.found(images, lists() if packages is None else packages)
    short = [
        [value.partition("@")[0] if isinstance(value, str) else None for value in row]
        for row in table[["variant", "base", "found_by"]].itertuples(index=False)
    ]
    return {variant: (base, found_by) for variant, base, found_by in short}


def test_a_base_is_the_image_with_the_most_of_the_lowest_layers():
    images = image_table.once(
        fleets.images(
            image("debian:12", 1, "a"),
            image("node:1", 2, "a b"),
            image("app:1", 3, "a b c"),
            # Begins alike, but its layer is another one.
            image("other:1", 3, "ab c"),
            image("alone:1", 3, "x y"),
            image("unknown:1", 3),
        )
    )
    known = found(images)
    assert known["app:1"] == ("node:1", "layers")
    assert known["node:1"] == ("debian:12", "layers")
    assert {known[name][0] for name in ("debian:12", "other:1", "alone:1", "unknown:1")} == {None}


def test_where_layers_say_nothing_package_lists_do():
    packages = lists(system="abc", node="abcd", app="abcdef", newer="abxdef")
    images = image_table.once(
        fleets.images(
            # Created later than a copy of it, but the system's own image.
            image("debian:12", 1, packages="system", created_at="2026-02-01"),
            image("copy:1", 1, packages="system", created_at="2025-01-01"),
            image("node:1", 2, packages="node"),
            image("app:1", 3, packages="app"),
            image("app:2", 3, packages="app"),
            image("newer:1", 3, packages="newer"),
        )
    )
    known = found(images, packages)
    assert known["node:1"] == ("debian:12", "packages")
    assert known["copy:1"] == ("debian:12", "packages")
    assert known["app:1"] == known["app:2"] == ("node:1", "packages")
    assert known["newer:1"][0] is None


def test_an_image_that_removes_packages_is_no_base_of_its_base():
    packages = lists(base="abc", app="ab")
    images = image_table.once(
        fleets.images(
            image("base:1", 3, "a", "base"),
            image("app:1", 2, "a b", "app"),
        )
    )
    known = found(images, packages)
    assert known == {"base:1": (None, None), "app:1": ("base:1", "layers")}
    assert brought(images, packages)["added"].to_dict() == {"app:1": 0, "base:1": 3}


def test_what_a_base_brings_is_counted_once_and_a_rebuild_in_every_image_on_it():
    images = image_table.once(
        fleets.images(
            image("debian:12", 10, "a"),
            image("node:1", 30, "a b", fixable=20),
            image("app:1", 35, "a b c"),
            image("app:2", 36, "a b d"),
            image("lost:1", None, "a b e", status="failed"),
        )
    )
    table = brought(images, lists())
    assert table["on_it"].to_dict() == {"app:1": 0, "app:2": 0, "debian:12": 3, "node:1": 2}
    assert table["added"].to_dict() == {"app:1": 5, "app:2": 6, "debian:12": 10, "node:1": 20}
    assert table["carried"].to_dict() == {"app:1": 5, "app:2": 6, "debian:12": 40, "node:1": 60}
    assert table["removed"].dropna().to_dict() == {"debian:12": 40, "node:1": 60}
    # Once in each image all that is carried is all that is counted.
    assert table["carried"].sum() == table["count"].sum()
    known = rebuilt(images)
    assert (
        bases.answer(images, known, PLAIN).title == "Most come from node:1: 20 in each of 3 images"
    )
    assert bases.rebuild_answer(images, known, PLAIN).title.startswith("Updating node:1 fixes")


def test_the_lists_that_are_wholly_in_another_against_a_plain_loop():
    rng = np.random.default_rng(1)
    made = [
        np.unique(rng.integers(0, 12, rng.integers(0, 9)).astype(np.uint64)) for _ in range(150)
    ]
    for place, within in enumerate(bases.contained(made)):
        items = set(made[place].tolist())
        inside = {n for n, other in enumerate(made) if set(other.tolist()) < items and len(other)}
        assert set(within) == inside
        sizes = [len(made[other]) for other in within]
        assert sizes == sorted(sizes, reverse=True)


def brought(images, packages):
    return bases.brought(images, rebuilt(images, packages)).set_index("name")


def test_images_with_one_list_are_one_row_and_all_of_them_count():
    images = image_table.once(
        fleets.images(
            *(image(f"{name}:1", 10, packages="same") for name in ("a", "b", "other")),
            image("c:1", 15, packages="more"),
            image("other:2", 20, packages="else"),
            image("lost:1", None, packages="same", status="failed"),
        )
    )
    table = brought(images, lists(same="abc", more="abcd", **{"else": "xyz"}))
    # The repository `other` has one more list, so it stands for the first.
    assert table["on_it"].to_dict() == {"c:1": 0, "other:1": 3, "other:2": 0}
    assert table["removed"].dropna().to_dict() == {"other:1": 40}


def test_images_of_the_real_fleet_with_all_packages_of_one_by_their_raw_json(read):
    folder = paths.ROOT / "data" / "fleets" / "official-2018"
    packages = {}
    for line in (folder / "images.jsonl").read_text().splitlines():
        row = json.loads(line)
        report = json.loads(gzip.decompress((folder / row["scan"]).read_bytes()))
        packages[row["image"]] = {
            (result["Type"], package["Name"], package.get("Version"))
            for result in report["Results"]
            for package in result.get("Packages", [])
        }
    engine_ = Here(read(folder).store)
    images = image_table.once(engine_.reduced(tally.images()))
    table = bases.found(images, engine_.reduced(tally.package_lists()))
    found = dict(zip(images["name"], table["sharing"], strict=True))
    counted = {*image_table.counted(images)["name"]}
    for name in ("neo4j:3.0.0", "ruby:2.2-jessie", "golang:1.8-jessie", "haproxy:1.5.19"):
        assert found[name] == sum(packages[name] <= packages[other] for other in counted)
    assert found["neo4j:3.0.0"] == 59
