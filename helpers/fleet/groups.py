"""Which pairs are of the same packages, so that they say no more together than one of them.

Images of several repositories are often built on one image: what is found in that is found in all.
So repositories are in one group if images of theirs have the same packages, or are built on the
same image other than an operating system's own, or one on the other: connected components.
"""

from collections.abc import Mapping

import pandas as pd

from helpers.fleet import image_table

Packages = Mapping[str, tuple[str, ...]]
"""What stands for an image's own packages, and for those of the image that it is built on."""


def packages(images: pd.DataFrame, bases: pd.DataFrame) -> Packages:
    """Return of each image, by variant, what is equal where packages are; `bases.found` are bases.

    That is the package list of itself and of its base, or the base where no list is known. A list
    that was made of findings says nothing of packages. Images of which neither is known are not
    there.
    """
    known = images["packages_known"].fillna(False).astype(bool)
    lists = images["package_list"].astype("object").where(known)
    has_list = lists.notna()
    by_list = dict(zip(images["variant"][has_list], lists[has_list], strict=True))
    system = {*images[image_table.is_system(images)]["variant"]}
    based = bases.dropna(subset="base")
    found = {variant: (own,) for variant, own in by_list.items()}
    for variant, base in zip(based["variant"], based["base"], strict=True):
        below = (by_list.get(base, base),) if base not in system else ()
        found[variant] = (*found.get(variant, (variant,)), *below)
    return found


def of(pairs: pd.DataFrame, packages: Packages) -> pd.Series:
    """Return the group of each pair's repository, by the images of these pairs alone."""
    above: dict[str, str] = {}
    columns = ("repository", "first_variant", "second_variant")
    for repository, *variants in zip(*(pairs[column] for column in columns), strict=True):
        # Of one image no two apps differ, whatever is known of its packages.
        for key in (key for variant in variants for key in packages.get(variant, (variant,))):
            # A repository and a list of packages cannot be mistaken for one another.
            above[_top(above, f"packages {key}")] = _top(above, repository)
    return pairs["repository"].map(lambda repository: _top(above, repository)).astype("object")


def alone(images: pd.DataFrame, packages: Packages) -> pd.Series:
    """Return the group of each image's repository, by these images alone."""
    same = {"first_variant": images["variant"], "second_variant": images["variant"]}
    return of(images[["repository"]].assign(**same), packages)


def _top(above: dict[str, str], one: str) -> str:
    """Return what stands for all that one is connected with; the way to it gets shorter."""
    while (higher := above.get(one, one)) != one:
        above[one] = above.get(higher, higher)
        one = higher
    return one
