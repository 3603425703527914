"""What there is in a fleet: images, their bases and ages, and what was not scanned."""

from datetime import date
from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import Bars
from helpers.comparability import end_of_life
from helpers.fleet import bars, image_table
from helpers.frames import NO_OS
from helpers.text.i18n import t, told, word
from helpers.text.rich import (
    Phrase,
    Text,
    bullets,
    code,
    listed,
    number,
    paragraph,
    phrase,
    say,
    share,
)

_NAMED = 3
"""Names of images that stand beside the reason why they were not measured."""


def families(images: pd.DataFrame) -> pd.DataFrame:
    """Return what there is of each base family: one row a family, that of most images first.

    Images of no known system come last.

    `family, images, repositories, measured, found_in, age_days, end_of_life, past_end,
    unknown_to_db`: images of which vulnerabilities were looked for, and those with any finding; the
    median age at the scan; the day on which support ends (NA: not known), and how many images were
    scanned after it; whether nothing was found in any, so that the database may not know the
    family.
    """
    age = (images["scanned_at"] - images["created_at"]).dt.days
    # A scan before its image is built has a wrong clock.
    age = age.where(age.ge(0))
    ends = _ends(images)
    past = images["scanned_at"].dt.tz_localize(None).gt(pd.to_datetime(ends)).fillna(False)
    rows = images.assign(
        age=age,
        end_of_life=ends,
        past_end=past,
        any=images["found"].fillna(0).gt(0) & images["measured"],
    )
    table = rows.groupby("family").agg(
        images=("variant", "size"),
        repositories=("repository", "nunique"),
        measured=("measured", "sum"),
        found_in=("any", "sum"),
        age_days=("age", "median"),
        end_of_life=("end_of_life", "first"),
        past_end=("past_end", "sum"),
        unknown_to_db=("unknown_to_db", "any"),
    )
    whole = dict.fromkeys(["images", "repositories", "measured", "found_in", "past_end"], "Int64")
    table = table.reset_index().astype({**whole, "age_days": "Float64"})
    table.loc[table["measured"].eq(0), "found_in"] = pd.NA
    table.loc[table["end_of_life"].isna(), "past_end"] = pd.NA
    table["last"] = table["family"].eq(image_table.NO_FAMILY)
    order = ["last", "images", "family"]
    table = table.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return table.drop(columns="last")


def _ends(images: pd.DataFrame) -> pd.Series:
    """Return the day on which support of each image's operating system ends, if it is known."""
    releases = images[["os_family", "os_version"]].astype("object")
    days: dict[tuple[object, object], date | None] = {}
    for key in set(releases.itertuples(index=False, name=None)):
        known = all(isinstance(part, str) for part in key)
        days[key] = end_of_life.end_of_life(*key) if known else None
    found = [days[key] for key in releases.itertuples(index=False, name=None)]
    return pd.Series(found, index=images.index, dtype="object")


def failures(images: pd.DataFrame) -> pd.DataFrame:
    """Return why images were not measured, the most frequent reason first.

    `status, reason, images, first`: how many images, and a tuple of the names of some.
    """
    lost = images[~images["measured"]]
    reason = lost["reason"].astype("object").where(lost["reason"].notna(), None)
    alike = lost.assign(reason=reason).groupby(["status", "reason"], dropna=False)["name"]
    counts = alike.agg(images="size", first=lambda names: tuple(names.head(_NAMED)))
    table = counts.astype({"images": "Int64", "first": object}).reset_index()
    return table.sort_values("images", ascending=False, kind="stable", ignore_index=True)


def answer(scanned: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer what there is. `scanned` has every scan, `images` each image once."""
    table = families(images)
    if images.empty:
        return Answer("fleet-images", table=table, lacks=t("There are no images."))
    return Answer(
        "fleet-images",
        _title(images),
        _once(scanned, images) + _lost(images),
        table,
        _chart(table),
        t("images"),
        role=SUMMARY if images["measured"].any() else "",
        by_scanner=False,
    )


def _title(images: pd.DataFrame) -> str:
    return t(
        "{images} of {repositories} on {families}; {measured} measured",
        images=number(len(images), "image"),
        repositories=number(images["repository"].nunique(), "repository"),
        families=number(images["family"].nunique(), "base family"),
        measured=share(int(images["measured"].sum()), len(images)),
    )


def _once(scanned: pd.DataFrame, images: pd.DataFrame) -> Text:
    """Return which scan counts of an image that has several."""
    text = Text()
    if again := len(scanned) - len(images):
        text += paragraph(
            say(
                "Each image counts once, with its newest usable scan; {scans} left out.",
                scans=number(again, "other scan"),
            )
        )
    if passed := int(images["passed_over"].gt(0).sum()):
        text += paragraph(
            say(
                "**An older scan counts for {images}**: the newer one failed, looked for something "
                "else or found nothing.",
                images=number(passed, "image"),
            )
        )
    return text


def _lost(images: pd.DataFrame) -> Text:
    """Return why images were not measured, in how many of them."""
    lines: list[Phrase | str] = []
    for row in failures(images).head(bars.MOST).itertuples():
        if row.status == NO_OS:
            reason = t("operating system or its packages not recognised, so zero is not clean")
        else:
            reason = t("no reason is recorded") if pd.isna(row.reason) else str(told(row.reason))
        head = say("{images} not measured: ", images=number(row.images, "image"))
        lines.append(head + phrase(reason) + _named(row))
    return bullets(lines)


def _named(row: Any) -> Phrase:
    """Return the names of the images of a reason, or of the first."""
    more = ", …" if len(row.first) < row.images else ""
    return phrase(" (") + listed(code(each) for each in row.first) + phrase(f"{more})")


def _chart(table: pd.DataFrame) -> Bars:
    """Return how many images are on each family."""
    shown = table.head(bars.MOST)
    ends = [
        f"{row.images:,}"
        + (t("; the database may not know it") if row.unknown_to_db else "")
        + (
            t("; {count:,} not measured", count=row.images - row.measured)
            if row.measured < row.images
            else ""
        )
        for row in shown.itertuples()
    ]
    names = map(word, shown["family"])
    return bars.of(names, shown["images"], ends, t("images"), t("number of images"))
