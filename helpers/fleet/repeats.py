"""Images that repeat one another: the same image by several names, and the same packages."""

from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.text.i18n import t
from helpers.text.rich import Phrase, bullets, name, number, paragraph, say

_SHOWN = 3
"""Names of a group that are told one by one."""


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


def answer(scanned: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer which images repeat one another. `scanned` has all scans, `images` each image once."""
    table = groups(images)
    known = _listed(images)
    lists = int(known["package_list"].nunique())
    lines: list[Phrase | str] = []
    if again := len(scanned) - len(images):
        scans = number(again, "scan")
        lines.append(
            say(
                "{scans} of an image that is there already, by its image id: left out.", scans=scans
            )
        )
    unnamed = int(images["image_id"].isna().sum())
    if unnamed:
        lines.append(
            say("{images} without an id: each counts as one.", images=number(unnamed, "image"))
        )
    if without := len(images) - len(known):
        lines.append(
            say("{images} without a package list in the scan.", images=number(without, "image"))
        )
    largest = [
        say(
            "{images} with the same packages: {names}",
            images=number(row.images, "image"),
            names=_names(row),
        )
        for row in table.head(_MOST).itertuples()
    ]
    text = bullets([*lines, *largest])
    if lists and not len(table):
        text += paragraph(t("No two images have the same packages."))
    return Answer(
        "repeats", _title(len(scanned), len(images), lists), text, table, by_scanner=False
    )


_MOST = 5
"""Groups that are told one by one."""


def _listed(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images whose package list was in their scan."""
    known = images["packages_known"].fillna(False).astype(bool)
    return images[known].dropna(subset="package_list")


def _names(row: Any) -> Phrase:
    more = row.images - _SHOWN
    return name(row.names) + (t(" and {count:,} more", count=more) if more > 0 else "")


def _title(scans: int, images: int, lists: int) -> str:
    values = {"scans": number(scans, "scan"), "images": number(images, "image")}
    if not lists:
        return t("{scans} of {images}; no package lists are known", **values)
    return t(
        "{scans} of {images} with {lists}",
        lists=number(lists, "distinct package list"),
        **values,
    )
