"""Duplicates: images with the same packages."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, bullets, number, say

NO_LISTS = msg("No scan lists the packages of its image.")
SEVERAL = msg("The package lists are of different tools, so equal ones cannot be told.")

_SHOWN = 3
"""Names of a group in the table."""


def groups(images: pd.DataFrame) -> pd.DataFrame:
    """Return groups of images with the same packages: `package_list, images, family, names`.

    The largest first; only those of two or more. `names` are the first names.
    Lists that were not in a scan are left out: equal findings do not make equal packages.
    """
    found = (
        _listed(images)
        .groupby("package_list")
        .agg(
            images=("variant", "size"),
            family=("family", "first"),
            names=("name", lambda names: ", ".join(sorted(names)[:_SHOWN])),
        )
    )
    found = found[found["images"].gt(1)].reset_index()
    return found.sort_values(["images", "names"], ascending=[False, True], ignore_index=True)


def answer(images: pd.DataFrame) -> Answer:
    """Answer which images have the same packages. `images` has each image once."""
    table = groups(images)
    listed = _listed(images)
    if listed.empty or listed["scanner"].nunique() > 1:
        lacks = word(SEVERAL if len(listed) else NO_LISTS)
        return Answer("repeats", table=table, by_scanner=False, lacks=lacks)
    lines: list[Phrase | str] = []
    if unnamed := int((images["image_id"].isna() & images["digest"].isna()).sum()):
        lines.append(
            say("{images} without an id: each counts as one.", images=number(unnamed, "image"))
        )
    if without := len(images) - len(_listed(images)):
        lines.append(
            say("{images} without a package list in the scan.", images=number(without, "image"))
        )
    title = t(
        "{part:,} of {images} have the same packages as another image",
        part=int(table["images"].sum()),
        images=number(len(images), "image"),
    )
    return Answer("repeats", title, bullets(lines), table, by_scanner=False)


def _listed(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images whose package list was in their scan."""
    known = images["packages_known"].fillna(False).astype(bool)
    return images[known].dropna(subset="package_list")
