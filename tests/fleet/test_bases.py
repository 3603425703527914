import numpy as np
import pandas as pd
import pytest

from helpers.fleet import bases, image_table
from helpers.vulnerabilities.lenses import PLAIN
from tests.support import fleet_frames as fleets


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


def found(images, packages=None):
    table = bases.found(images, lists() if packages is None else packages)
    short = [
        [value.partition("@")[0] if isinstance(value, str) else None for value in row]
        for row in table.itertuples(index=False)
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
    table = bases.brought(images, bases.found(images, lists())).set_index("name")
    assert table["on_it"].to_dict() == {"app:1": 0, "app:2": 0, "debian:12": 3, "node:1": 2}
    assert table["added"].to_dict() == {"app:1": 5, "app:2": 6, "debian:12": 10, "node:1": 20}
    assert table["carried"].to_dict() == {"app:1": 5, "app:2": 6, "debian:12": 40, "node:1": 60}
    assert table["removed"].to_dict() == {"app:1": 35, "app:2": 36, "debian:12": 40, "node:1": 60}
    # Once in each image all that is carried is all that is counted.
    assert table["carried"].sum() == table["count"].sum()
    known = bases.found(images, lists())
    assert bases.answer(images, known, PLAIN).title.startswith("node:1 brings the most: 20")
    assert bases.rebuild_answer(images, known, PLAIN).title.startswith("Rebuilding node:1 removes")


def test_the_largest_list_that_is_wholly_in_another_against_a_plain_loop():
    rng = np.random.default_rng(1)
    made = [
        np.unique(rng.integers(0, 12, rng.integers(0, 9)).astype(np.uint64)) for _ in range(150)
    ]
    for place, largest in enumerate(bases.contained(made)):
        items = set(made[place].tolist())
        inside = [len(other) for other in made if set(other.tolist()) < items and len(other)]
        if largest is None:
            assert not inside
        else:
            assert set(made[largest].tolist()) < items
            assert len(made[largest]) == max(inside)


def test_thousands_of_lists_are_quick():
    rng = np.random.default_rng(2)
    systems = [rng.integers(0, 2**60, 200).astype(np.uint64) for _ in range(20)]
    made = [
        np.unique(np.concatenate([systems[n % 20], rng.integers(0, 2**60, 40).astype(np.uint64)]))
        for n in range(3000)
    ]
    largest = bases.contained([*systems, *made])
    assert largest[:20] == [None] * 20
    assert largest[20:] == [n % 20 for n in range(3000)]


@pytest.mark.parametrize("rows", [[], [image("a:1", None, status="failed")], [image("a:1", 0)]])
def test_without_bases_or_counts_nothing_is_claimed(rows):
    images = image_table.once(fleets.images(*rows))
    known = bases.found(images, lists())
    assert bases.answer(images, known, PLAIN).lacks
    rebuild = bases.rebuild_answer(images, known, PLAIN)
    assert rebuild.lacks or rebuild.text
    assert not rebuild.title
