"""A fleet in time: what each day's scans count, and where a change comes from."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from helpers.answers.answer import Answer
from helpers.changes import engine, identity, scans
from helpers.changes.between import counted
from helpers.changes.causes import IMAGE
from helpers.changes.scans import Scans
from helpers.errors import EvidenceLacking, ParameterInvalid
from helpers.fleet.engine import Engine
from helpers.fleet.partition import Partition, Reduction
from helpers.frames import SEVERITIES, Frames
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, bullets, listed, number, paragraph, say
from helpers.vulnerabilities.lenses import Lens

SAME, REBUILT, UNKNOWN = msg("same image"), msg("rebuilt"), msg("not known if rebuilt")
CAME, WENT = msg("came"), msg("went")
SEVERAL = msg(
    "The scans are of different scanners, so what changed from one to the next is not known."
)
ONE_DAY = msg("All scans are of one day, so nothing is known of changes.")

_LEVELS = [*reversed(SEVERITIES)]
_SUMS = ["count", "fixable", *_LEVELS]


class Drift(NamedTuple):
    """Where a difference comes from, and why: frames as `between` says."""

    parts: pd.DataFrame
    causes: pd.DataFrame


def by_day(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return the newest scan of each reference and day, as `dated` does."""
    return dated(scanned).drop_duplicates(["key", "day"], keep="last")


def dated(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return the scans that counted something on a known day, oldest first.

    Of several scanners none is taken. `scanned` is `tally.images`. Added are `key`, the reference:
    a name and its architecture; and `day`, as a text.
    """
    known = scanned[scanned["count"].notna() & scanned["scanned_at"].notna()]
    if known["scanner"].nunique() > 1:
        # What another scanner finds is no change.
        known = known.iloc[:0]
    known = known.assign(
        day=known["scanned_at"].dt.strftime("%Y-%m-%d").astype("object"),
        architecture=known["architecture"].astype("object").fillna(""),
    )
    known["key"] = known["name"].astype("str") + " " + known["architecture"].astype("str")
    return known.sort_values(["scanned_at", "variant"], kind="stable", ignore_index=True)


def lacks(scanned: pd.DataFrame) -> str:
    """Return why nothing is known of changes."""
    return word(SEVERAL if scanned["scanner"].nunique() > 1 else ONE_DAY)


def days(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return what each day's scans count: `day, images, findings, count, fixable`, severities."""
    rows = by_day(scanned).rename(columns={"found": "findings"})
    groups = rows.groupby("day", sort=True)
    table = groups[["findings", *_SUMS]].sum(min_count=1, skipna=False).astype("Int64")
    table.insert(0, "images", groups.size().astype("Int64"))
    return table.reset_index()


def days_answer(scanned: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what each day's scans count."""
    table = days(scanned)
    if len(table) < 2:
        return Answer("days", table=table, counted=lens.label, lacks=lacks(scanned))
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


def between(scanned: pd.DataFrame, reducer: Engine, earlier: str, later: str) -> Drift:
    """Return where the difference between two days comes from.

    `parts` has one row a `part`: `part, images, before, after, change, fixable_change`, the change
    of each severity, and how many findings `appeared`, `gone` and `re_rated` (NA: the reference is
    there on one day alone, or only counts are known). A part is images of which the reference
    stands for the same image on both days, by `changes.identity`; rebuilt ones; ones of which
    neither is known; and references that are there on one day. `causes` has how many `findings`
    changed for which `reason` of `changes`, by `part`.
    """
    rows = by_day(scanned)
    first, second = (rows[rows["day"].eq(day)] for day in (earlier, later))
    both = first.merge(
        second, on="key", how="outer", suffixes=("", "_later"), indicator=True, sort=True
    )
    try:
        pairs, changes = _changes(pd.concat([first, second]), reducer, earlier, later)
        is_other = both["key"].map(pairs.set_index("variant")[IMAGE].astype("object"))
    except EvidenceLacking:
        changes = None
        there = first.merge(second[["key"]], on="key")["key"]
        sides = (each.set_index("key").loc[there].reset_index() for each in (first, second))
        is_other = both["key"].map((~identical(*sides)).set_axis(there).astype("object"))
    part = is_other.map({False: SAME, True: REBUILT}).astype("object").fillna(UNKNOWN)
    part = part.mask(both["_merge"].eq("left_only"), WENT).mask(
        both["_merge"].eq("right_only"), CAME
    )
    change = {
        # A reference that is not there has 0; what was not counted is not known.
        column: both[f"{column}_later"].mask(both["_merge"].eq("left_only"), 0)
        - both[column].mask(both["_merge"].eq("right_only"), 0)
        for column in _SUMS
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
    sums = table.groupby("part", sort=False).sum(min_count=1, skipna=False).astype("Int64")
    order = [each for each in (SAME, REBUILT, UNKNOWN, CAME, WENT) if each in sums.index]
    if changes is None:
        unknown = dict.fromkeys(("appeared", "gone", "re_rated"), pd.NA)
        parts = sums.loc[order].assign(**unknown).rename_axis("part").reset_index()
        return Drift(parts, pd.DataFrame(columns=["part", "reason", "findings"]))
    changes = changes.assign(part=changes["variant"].map(dict(zip(both["key"], part, strict=True))))
    kinds = [engine.APPEARED, engine.GONE, engine.RERATED]
    moved = counted(changes, ["part"], kinds).set_index("part").astype("Int64")
    moved = moved.reindex(order).fillna(0)
    moved.loc[moved.index.isin([CAME, WENT])] = pd.NA
    parts = sums.loc[order].join(moved).rename_axis("part").reset_index()
    causes = changes.groupby(["part", "reason"], sort=False).size().rename("findings")
    return Drift(parts, causes.reset_index())


def identical(first: pd.DataFrame, second: pd.DataFrame) -> pd.Series:
    """Return whether scans of one reference are of one image, by what is known without packages.

    Both have the same rows, with the `key` of the reference. As `changes.identity` decides it.
    """
    sides = [
        each.assign(artifact=each["key"], listed=pd.array([None] * len(each), dtype="str"))
        for each in (first, second)
    ]
    return identity.compared(*sides)["same"]


def _changes(
    rows: pd.DataFrame, reducer: Engine, earlier: str, later: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs of scans of two days, and what changed in each, as `changes.engine`."""
    names = dict(zip(rows["variant"], zip(rows["key"], rows["day"], strict=True), strict=True))
    kept = scans.together(reducer.kept(_scans(names)))
    known = kept.scans.sort_values(["variant", "capture"], ignore_index=True)
    pairs = engine.pairs(known)
    _, changes = engine.changed(kept, known, pairs, every=False)
    changes = changes[changes["change"].ne(engine.HIDDEN)]
    return pairs, changes.join(pairs[["variant"]], on="step")


def _scans(names: Mapping[str, tuple[str, str]]) -> Reduction:
    """Return the reduction to scans as `changes` needs them: named by reference and day."""
    return Reduction(partial(_named, names=names), scans.NEEDS)


def _named(part: Partition, names: Mapping[str, tuple[str, str]]) -> Scans:
    made = {}
    for name in Frames._fields:
        frame = getattr(part, name)
        frame = frame[frame["variant"].isin(names)].reset_index(drop=True)
        to = [names[variant] for variant in frame["variant"]]
        made[name] = frame.assign(
            variant=pd.array([key for key, _ in to], dtype="str"),
            capture=pd.array([day for _, day in to], dtype="str"),
        )
    # A reference names an image here, whatever a report calls it.
    made["images"] = made["images"].assign(artifact=made["images"]["variant"])
    return scans.kept(Frames(**made))


def answer(
    scanned: pd.DataFrame, reducer: Engine, lens: Lens, earlier: str = "", later: str = ""
) -> Answer:
    """Answer what changed from one day to another, in which images, and why.

    Empty: the first and the last day. Raises `ParameterInvalid` for a day without scans.
    """
    there = days(scanned)["day"].tolist()
    for day in filter(None, (earlier, later)):
        if day not in there:
            raise ParameterInvalid(f"no scans of {day!r}; there are some of {', '.join(there)}")
    if len(there) < 2:
        return Answer("drift", counted=lens.label, lacks=lacks(scanned))
    first, last = earlier or there[0], later or there[-1]
    table, causes = between(scanned, reducer, first, last)
    total = int(table["change"].sum())
    still: Any = table[table["part"].isin([SAME])]["change"].sum()
    title = t(
        "{counted}: {total} from {earlier} to {later}",
        counted=lens.label,
        total=f"{total:+,}",
        earlier=first,
        later=last,
    )
    if table["part"].isin([SAME, REBUILT]).any():
        title += t(", {still} of it in unchanged images", still=f"{int(still):+,}")
    text = say(
        "An image is the same if its id or packages are, or, without these, the time it was "
        "built. What changes in {images} that stayed the same is the database's doing, or the "
        "scanner's.",
        images=number(int(table[table["part"].isin([SAME])]["images"].sum()), "image"),
    )
    lines = [
        _line(row, causes[causes["part"].eq(row.part)])
        for row in table.dropna(subset="appeared").itertuples()
    ]
    return Answer("drift", title, paragraph(text) + bullets(lines), table, counted=lens.label)


def _line(row: Any, causes: pd.DataFrame) -> Phrase:
    return say(
        "{part}: {appeared} appeared, {gone:,} went, {re_rated:,} re-rated (cause: {causes})",
        part=word(row.part),
        appeared=number(int(row.appeared), "finding"),
        gone=int(row.gone),
        re_rated=int(row.re_rated),
        causes=listed(
            say("{reason} {count:,}", reason=word(cause.reason), count=cause.findings)
            for cause in causes.sort_values("findings", ascending=False).itertuples()
        ),
    )
