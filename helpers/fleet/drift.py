"""A fleet in time: what each day's scans count, and where a change comes from."""

from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.errors import ParameterInvalid
from helpers.frames import SEVERITIES
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number, paragraph, say
from helpers.vulnerabilities.lenses import Lens

SAME, REBUILT, UNKNOWN = msg("same image"), msg("rebuilt"), msg("not known if rebuilt")
CAME, WENT = msg("came"), msg("went")
ONE_DAY = msg("All scans are of one day, so nothing is known of changes.")

_LEVELS = [*reversed(SEVERITIES)]
_SUMS = ["count", "fixable", *_LEVELS]


def by_day(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return the scans that counted something, the newest of each reference and day: with `day`.

    `scanned` is `tally.images`. A reference is a name for one architecture; `day` is a text.
    """
    known = scanned[scanned["count"].notna() & scanned["scanned_at"].notna()]
    known = known.assign(
        day=known["scanned_at"].dt.strftime("%Y-%m-%d").astype("object"),
        architecture=known["architecture"].astype("object").fillna(""),
    )
    order = known.sort_values(["scanned_at", "variant"], kind="stable")
    return order.drop_duplicates(["name", "architecture", "day"], keep="last")


def days(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return what each day's scans count: `day, images, findings, count, fixable`, severities."""
    rows = by_day(scanned).rename(columns={"found": "findings"})
    groups = rows.groupby("day", sort=True)
    table = groups[["findings", *_SUMS]].sum().astype("Int64")
    table.insert(0, "images", groups.size().astype("Int64"))
    return table.reset_index()


def days_answer(scanned: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what each day's scans count."""
    table = days(scanned)
    if len(table) < 2:
        return Answer("days", table=table, counted=lens.label, lacks=word(ONE_DAY))
    first, last = table.iloc[0], table.iloc[-1]
    title = t(
        "{counted}: {before} on {earlier}, {after} on {later}",
        counted=lens.label,
        before=f"{int(first['count']):,}",
        earlier=first["day"],
        after=f"{int(last['count']):,}",
        later=last["day"],
    )
    return Answer("days", title, table=table, counted=lens.label)


def between(scanned: pd.DataFrame, earlier: str, later: str) -> pd.DataFrame:
    """Return where the difference between two days comes from: one row a `part`.

    `part, images, before, after, change, fixable_change`, and the change of each
    severity. A part is images of which the reference stands for the same image on both days, by
    image id or else by the time it was built; rebuilt ones; ones of which neither is known; and
    references that are only there on one day.
    """
    rows = by_day(scanned)
    key = ["name", "architecture"]
    both = rows[rows["day"].eq(earlier)].merge(
        rows[rows["day"].eq(later)], on=key, how="outer", suffixes=("", "_later"), indicator=True
    )
    part = both["_merge"].map({"left_only": WENT, "right_only": CAME}).astype("object")
    is_both = both["_merge"].eq("both")
    part = part.where(~is_both, UNKNOWN)
    # By the id where both have one; the time it was built is a sign where not.
    for column in ("created_at", "image_id"):
        known = is_both & both[column].notna() & both[f"{column}_later"].notna()
        same = both[column].eq(both[f"{column}_later"]).fillna(False)
        part = part.mask(known & same, SAME).mask(known & ~same, REBUILT)
    change = {
        column: both[f"{column}_later"].fillna(0) - both[column].fillna(0) for column in _SUMS
    }
    table = pd.DataFrame(
        {
            "part": part,
            "images": 1,
            "before": both["count"].fillna(0),
            "after": both["count_later"].fillna(0),
            "change": change["count"],
            "fixable_change": change["fixable"],
            **{level: change[level] for level in _LEVELS},
        }
    )
    sums = table.groupby("part", sort=False).sum().astype("Int64")
    order = [each for each in (SAME, REBUILT, UNKNOWN, CAME, WENT) if each in sums.index]
    return sums.loc[order].rename_axis("part").reset_index()


def answer(scanned: pd.DataFrame, lens: Lens, earlier: str = "", later: str = "") -> Answer:
    """Answer what changed from one day to another, and in which images.

    Empty: the first and the last day. Raises `ParameterInvalid` for a day without scans.
    """
    there = days(scanned)["day"].tolist()
    for day in filter(None, (earlier, later)):
        if day not in there:
            raise ParameterInvalid(f"no scans of {day!r}; there are some of {', '.join(there)}")
    if len(there) < 2:
        return Answer("drift", counted=lens.label, lacks=word(ONE_DAY))
    first, last = earlier or there[0], later or there[-1]
    table = between(scanned, first, last)
    total = int(table["change"].sum())
    still: Any = table[table["part"].isin([SAME])]["change"].sum()
    title = t(
        "{counted}: {total} from {earlier} to {later}, {still} of it in unchanged images",
        counted=lens.label,
        total=f"{total:+,}",
        earlier=first,
        later=last,
        still=f"{int(still):+,}",
    )
    text = say(
        "An image is the same if its id is, or, without ids, the time it was built. What changes "
        "in {images} that stayed the same is the database's doing, or the scanner's.",
        images=number(int(table[table["part"].isin([SAME])]["images"].sum()), "image"),
    )
    return Answer("drift", title, paragraph(text), table, counted=lens.label)
