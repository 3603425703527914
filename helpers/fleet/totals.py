"""Totals of a fleet: what a published headline is a mean or a sum of."""

from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.fleet import bootstrap, image_table
from helpers.frames import SEVERITIES
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number, paragraph, say
from helpers.vulnerabilities.lenses import Lens

ALL = msg("all images")

_LEVELS = [*reversed(SEVERITIES)]
COLUMNS = [
    *("family", "images", "entries", "findings", "count", "fixable", *_LEVELS),
    *("per_image", "per_image_low", "per_image_high", "median", "fixable_per_image"),
    *("per_entry", "fixable_per_entry"),
]


def table(images: pd.DataFrame) -> pd.DataFrame:
    """Return the totals of each group of images, and of all: the frame has `COLUMNS`.

    `family` is the group that labels say, or else the base. `images` are distinct and counted;
    `findings` are theirs, whatever the lens; `count` is what the lens counts. `per_image` is the
    mean, `per_image_low` to `per_image_high` its interval at 95 % (`bootstrap.ratio` over images),
    NA where there are too few. `entries` are apps on a base, of which one image may be several, and
    those of no known system are there, too: `per_entry` and `fixable_per_entry` are the means of a
    list of apps, as such headlines are made.
    """
    placed = image_table.placed(images)
    known = placed[placed["count"].notna()]
    by_label = known["group"].notna().any()
    group = known["group"].fillna(known["family"]) if by_label else known["family"]
    known = known.assign(by=group)
    rows = [_row(name, part) for name, part in known.groupby("by", sort=True)]
    if len(rows) > 1:
        rows.append(_row(ALL, known))
    whole = [*COLUMNS[1:6], *_LEVELS]
    types = {**dict.fromkeys(whole, "Int64"), **dict.fromkeys(COLUMNS[-7:], "Float64")}
    return pd.DataFrame(rows, columns=COLUMNS).astype(types)


def _row(name: str, entries: pd.DataFrame) -> tuple[Any, ...]:
    once = image_table.counted(entries.drop_duplicates("variant"))
    counts = once["count"].astype("float64")
    _, low, high, *_ = bootstrap.ratio(counts.to_numpy(), counts.mul(0).add(1).to_numpy())
    sums = (
        # Of which some are not known, the sum is not.
        once[column].sum(min_count=1, skipna=False)
        for column in ("found", "count", "fixable", *_LEVELS)
    )
    return (
        *(name, len(once), len(entries), *sums, counts.mean(), low, high, counts.median()),
        once["fixable"].astype("float64").mean(),
        *(entries[column].astype("float64").mean() for column in ("count", "fixable")),
    )


def answer(images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how much there is in all, by group and severity, with means and medians."""
    found = table(images)
    if found.empty:
        lacks = word(image_table.NONE_COUNTED)
        return Answer("severity", table=found, counted=lens.label, lacks=lacks)
    last = found.iloc[-1]
    if pd.isna(last["count"]):
        lacks = word(image_table.NONE_COUNTED)
        return Answer("severity", table=found, counted=lens.label, lacks=lacks)
    title = t(
        "{count} {counted} in {images}",
        count=f"{int(last['count']):,}",
        counted=lens.label,
        images=number(int(last["images"]), "image"),
    )
    if pd.notna(last["fixable"]):
        title += t("; {fixable:,} have a fix", fixable=int(last["fixable"]))
    text = say(
        "Each image counts once. The mean per entry counts an image once for each app that it is "
        "listed as, and images without a known system, as published lists do."
    )
    return Answer("severity", title, paragraph(text), found, counted=lens.label)
