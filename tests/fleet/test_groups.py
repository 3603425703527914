import pandas as pd

from helpers.fleet import groups, image_table
from tests.support import fleet_frames as fleets


def found(**base_of):
    return pd.DataFrame({"variant": [*base_of], "base": [*base_of.values()]}, dtype="str")


def table(*rows):
    """Images of a variant, a package list, and whether that was in the scan."""
    return image_table.once(
        fleets.images(
            *(
                {"name": name, "variant": name, "package_list": packages, "packages_known": known}
                for name, packages, known in rows
            )
        )
    )


def pairs(*rows):
    return pd.DataFrame(rows, columns=["repository", "first_variant", "second_variant"])


def sizes(pairs, packages):
    return sorted(groups.of(pairs, packages).value_counts().tolist())


def test_what_stands_for_the_packages_of_an_image():
    images = table(
        *(("maven", "m", True), ("openjdk", "o", True), ("debian", "d", True)),
        *(("tool", "t", False), ("built", None, False)),
    )
    bases = found(maven="openjdk", openjdk="debian", built="tool")
    assert groups.packages(images, bases) == {
        "maven": ("m", "o"),
        # What the operating system has is in most: that alone makes no group.
        "openjdk": ("o",),
        "debian": ("d",),
        # A list that was made of findings is none.
        "built": ("built", "tool"),
    }


def test_groups_are_connected_through_the_images_of_both_sides():
    rows = pairs(("a", "a8", "a9"), ("b", "b8", "b9"), ("c", "c8", "c9"), ("d", "d8", "d9"))
    packages = {"a8": ("one",), "b8": ("two", "one"), "b9": ("three",), "c9": ("four", "three")}
    assert sizes(rows, packages) == [1, 3]
    # Without the one that connects them two share nothing.
    assert sizes(rows.drop(index=1), packages) == [1, 1, 1]
    assert sizes(rows, {}) == [1, 1, 1, 1]
    assert sizes(rows[::-1], packages) == [1, 3]


def test_images_on_one_that_is_in_no_pair_are_one_group():
    rows = pairs(("a", "a8", "a9"), ("b", "b8", "b9"))
    images = table(*((variant, variant, True) for variant in ("a8", "a9", "b8", "b9", "base")))
    assert sizes(rows, groups.packages(images, found(a8="base", b8="base"))) == [2]
