"""Images that stand in no pair of bases, and why."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.fleet import image_table, pairs
from helpers.text.i18n import msg, t, word
from helpers.text.rich import bullets, number, say

NOT_MEASURED = msg("not measured")
NO_APP = msg("no app known: no tag, no label")
NO_BASE = msg("no base known")
NOT_NEWEST = msg("not known to be the app's newest on this base")
ARCHITECTURE = msg("the app's image on another base has another architecture")
ONE_BASE = msg("the app is on this base alone")

COLUMNS = ["variant", "name", "app", "family", "unpaired_because"]


def found(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images that `pairs.found` pairs with nothing, one row an app: `COLUMNS`.

    `unpaired_because` is the first reason that holds, in the order of this module.
    """
    places = image_table.placed(images)
    places = places.assign(architecture=places["architecture"].astype("object").fillna(""))
    paired = pairs.found(images)
    there = {
        place
        for side in ("first", "second")
        for place in zip(paired["app"], paired[f"{side}_variant"], strict=True)
    }
    is_paired = [place in there for place in zip(places["app"], places["variant"], strict=True)]
    newest = pairs.newest(places)
    is_counted = places["variant"].isin(image_table.counted(images)["variant"])
    is_newest = places.index.isin(newest.index)
    # Of which other bases an app has an image that counts, whatever its architecture is.
    bases = newest.groupby("app")["family"].nunique()
    reason = pd.Series(ONE_BASE, places.index, dtype="object")
    reason = reason.mask(places["app"].map(bases).fillna(0).gt(1), ARCHITECTURE)
    reason = reason.mask(~is_newest, NOT_NEWEST)
    reason = reason.mask(places["family"].eq(image_table.NO_FAMILY), NO_BASE)
    reason = reason.mask(places["app"].isna(), NO_APP)
    reason = reason.mask(~is_counted, NOT_MEASURED)
    table = places.assign(unpaired_because=reason)[[not each for each in is_paired]]
    return table[COLUMNS].sort_values(["unpaired_because", "name", "app"], ignore_index=True)


def answer(images: pd.DataFrame) -> Answer:
    """Answer which images are in no pair of bases, and why. `images` has each image once."""
    table = found(images)
    title = t(
        "{part:,} of {images} in no pair of bases",
        part=table["variant"].nunique(),
        images=number(images["variant"].nunique(), "image"),
    )
    counts = table.groupby("unpaired_because")["variant"].nunique().sort_values(ascending=False)
    lines = [
        say("{images}: {why}.", images=number(int(count), "image"), why=word(why))
        for why, count in counts.items()
    ]
    return Answer("unpaired", title, bullets(lines), table, by_scanner=False, searchable=True)
