"""Where two images differ in size: named steps from one total to the other."""

from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import REST, STEP, TOTAL, Step, Waterfall
from helpers.answers.talk import SIZE, Talk
from helpers.errors import ParameterInvalid
from helpers.sizes import file_groups
from helpers.sizes.image_sizes import (
    SIZE_NAMES,
    UNPACKED,
    difference,
    differences,
    in_megabytes,
    known_baseline,
    known_size,
)
from helpers.text import escape, titles
from helpers.text.i18n import Message, msg, t, told, word
from helpers.text.rich import Text, number, paragraph, say
from helpers.text.titles import first_fitting, is_whole
from helpers.text.units import MB, megabytes, signed

MOST_NAMED = 10
"""Steps that are named at most: more do not fit on a slide that is read from the back row."""

SMALL = 0.005
"""Share of the larger image from which on a change has a step of its own, up to `MOST_NAMED` steps.
Smaller changes are put together by group, or, where a group's changes do not come to that share
either, with those of other groups."""

ROOM = 46
"""Characters of a step's name on a figure; where it is longer, one package of a side is named."""

EVERYTHING = msg("everything else")

_COLUMNS = [
    *("label", "part", "kind", "start_bytes", "end_bytes", "difference_bytes"),
    *("gross_bytes", "largest_bytes", "changes"),
]


def bars(parts: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return the steps from the size of one image to that of another, of `file_groups.sizes`.

    `label, part, kind, start_bytes, end_bytes, difference_bytes, gross_bytes, largest_bytes,
    changes`: the total of the first, the largest changes by name, what is left of each group, and
    the total of the second. `part` is a short label; both may be messages. `gross_bytes` are a
    step's changes by their absolute values, so that up and down do not cancel out, `largest_bytes`
    the largest of them, and `changes` their number. Empty if the files of one are not known.
    """
    sides = [parts[parts["variant"].eq(variant)] for variant in (first, second)]
    if any(side.empty for side in sides):
        return _frame([])
    start, end = (int(side["size_bytes"].sum()) for side in sides)
    small = SMALL * max(start, end)
    changes = _changes(*sides)
    is_large = changes["difference"].abs().ge(small)
    is_named = is_large & (pd.Series(range(len(changes)), changes.index) < MOST_NAMED)
    rows = [_step(change) for change in changes[is_named].itertuples()]
    left = changes[~is_named]
    sums = left.groupby("group", observed=True)["difference"].transform(lambda d: d.abs().sum())
    for group, some in left[sums.ge(small)].groupby("group", sort=False, observed=True):
        rows.append(_together(str(group), some))
    if len(some := left[sums.lt(small)]):
        rows.append(_together(EVERYTHING, some))
    table: list[tuple[object, ...]] = [(first, first, TOTAL, 0, start, start, start, start, 0)]
    at = start
    for label, part, kind, change, *gross in rows:
        table.append((label, part, kind, at, at + change, change, *gross))
        at += change
    assert at == end, "steps add up"
    return _frame([*table, (second, second, TOTAL, 0, end, end, end, end, 0)])


def start(parts: pd.DataFrame, differences: pd.DataFrame) -> str:
    """Return the image that steps begin at.

    That is the baseline of `image_sizes.differences` if its files are known, else the smallest
    image whose files are; empty if there is none.
    """
    totals = parts.groupby("variant", sort=False)["size_bytes"].sum()
    named = differences["baseline"].dropna()
    if len(named) and named.iloc[0] in totals:
        return str(named.iloc[0])
    return str(totals.idxmin()) if len(totals) else ""


def farthest(parts: pd.DataFrame, images: pd.DataFrame, baseline: str, wanted: str = "") -> str:
    """Return the image to go to from a baseline: the wanted one, else the farthest; empty: none.

    The farthest is one of those with the baseline's runtime, if there are some: then the difference
    is that of the bases, and not of two runtimes. Raises `ParameterInvalid` for one whose files are
    not known.
    """
    totals = parts.groupby("variant", sort=False)["size_bytes"].sum()
    if wanted and wanted not in totals:
        known = ", ".join(totals.index) or "none"
        raise ParameterInvalid(f"against {wanted!r}: no list of its files; choose one of: {known}")
    if wanted or baseline not in totals:
        return wanted
    apart = (totals - totals[baseline]).abs().drop(baseline)
    runtimes = images.drop_duplicates("variant").set_index("variant")["runtime"]
    alike = runtimes.index[runtimes.eq(runtimes.get(baseline)).fillna(False)]
    apart = apart[apart.index.isin(alike)] if apart.index.isin(alike).any() else apart
    return str(apart.idxmax()) if len(apart) else ""


def answer(
    sizes: pd.DataFrame,
    parts: pd.DataFrame,
    images: pd.DataFrame,
    preferred: str,
    size: str = "",
    baseline: str = "",
    against: str = "",
) -> Answer:
    """Answer where the difference between two images' sizes comes from.

    `size` and `baseline` are those of `image_sizes.difference_answer`; `against` is the other
    image, by default the farthest with the same runtime. Raises `ParameterInvalid` for one whose
    files are not known.
    """
    size = known_size(sizes, size)
    apart = differences(sizes, size, known_baseline(sizes, size, baseline, preferred))
    first = start(parts, apart)
    second = farthest(parts, images, first, against)
    return bars_answer(bars(parts, first, second))._replace(variants=(first, second))


def bars_answer(table: pd.DataFrame) -> Answer:
    """Answer where the difference between two images' sizes comes from, of `bars`."""
    counted, shown = word(SIZE_NAMES[UNPACKED]), table.drop(columns="part")
    text = _text(table)
    if table.empty:
        return Answer("size-steps", "", text, shown, None, counted, role=SLIDE, lacks=text.plain)
    drawn = [
        Step(
            told(row.label),
            told(row.part),
            row.kind,
            float(row.start_bytes / MB),
            float(row.end_bytes / MB),
        )
        for row in table.itertuples()
    ]
    chart = Waterfall(drawn, in_megabytes(SIZE_NAMES[UNPACKED]))
    return Answer(
        "size-steps",
        _title(table),
        text,
        shown,
        chart,
        counted,
        role=SLIDE,
        by_scanner=False,
        talks=(_talk(table),),
    )


def _title(table: pd.DataFrame) -> str:
    """Return the totals and the largest steps."""
    first, second = table.iloc[0], table.iloc[-1]
    names = [escape.short(side["label"], 20) for side in (first, second)]
    totals = f"{megabytes(first['end_bytes'])} → {megabytes(second['end_bytes'])} MB"
    largest = [
        f"{escape.short(told(step.part), 30)}: {signed(step.difference_bytes)}"
        for step in table[table["kind"].eq(STEP)].head(2).itertuples()
    ]
    head, found = f"{' → '.join(names)}, {totals}", list(filter(is_whole, largest))
    some = (found[:count] for count in range(len(found), 0, -1))
    return first_fitting([*(f"{head}; {', '.join(steps)}" for steps in some), head])


def _talk(table: pd.DataFrame) -> Talk:
    first, second = table.iloc[0], table.iloc[-1]
    pair = {"first": escape.plain(first["label"]), "second": escape.plain(second["label"])}
    spoken = (
        t("We go step by step from {first} to {second}.", **pair),
        t("This compares only these two images, and only their bytes."),
    )
    return Talk(SIZE, _headline(first, second), spoken=spoken)


def _headline(first: pd.Series, second: pd.Series) -> str:
    """Return how far apart the two are."""
    return t(
        "{second} against {first}: {difference}",
        second=titles.name(second["label"]),
        first=titles.name(first["label"]),
        difference=difference(second["end_bytes"] - first["end_bytes"]),
    )


def _text(table: pd.DataFrame) -> Text:
    """Return how much has no step of its own."""
    if table.empty:
        return paragraph(t("Steps need two images whose files are known."))
    rest = table[table["kind"].eq(REST)]
    if rest.empty:
        return Text()
    return paragraph(
        say(
            "{changes} of at most {largest} MB each share steps.",
            changes=number(int(rest["changes"].sum()), "change"),
            largest=megabytes(rest["largest_bytes"].max()),
        )
    )


def _changes(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of two images that differ in bytes, the largest difference first."""
    keys = ["group", "component"]
    columns = [*keys, "size_bytes", "what"]
    both = first[columns].merge(
        second[columns], on=keys, how="outer", suffixes=("_first", "_second"), validate="one_to_one"
    )
    sizes = both[["size_bytes_first", "size_bytes_second"]].fillna(0).astype("int64")
    both = both.assign(difference=sizes["size_bytes_second"] - sizes["size_bytes_first"])
    both[["what_first", "what_second"]] = both[["what_first", "what_second"]].fillna("")
    changed = both[both["difference"].ne(0)]
    return changed.sort_values("difference", key=abs, ascending=False, kind="stable")


def _step(change: Any) -> tuple[Any, ...]:
    """Return a change that has a step of its own."""
    part, label = _named(change)
    size = abs(change.difference)
    return label, part, STEP, change.difference, size, size, 1


def _together(part: str, changes: pd.DataFrame) -> tuple[Any, ...]:
    """Return changes that share a step; a single one has its name."""
    if len(changes) == 1:
        return _step(next(changes.itertuples()))
    sizes, group = changes["difference"].abs(), Message(part)
    label = Message("{group}: {count} smaller changes", group=group, count=f"{len(changes):,}")
    return label, group, REST, changes["difference"].sum(), sizes.sum(), sizes.max(), len(changes)


def _named(change: Any) -> tuple[str, str]:
    """Return the short and the long name of a change: what it is made of, if that differs."""
    part = str(change.component)
    path, cell = f"/{part}", file_groups.component_cell(part)
    if change.group == file_groups.UNOWNED:
        return path, Message("{path} (unowned)", path=path)
    if change.group == file_groups.OWNER_UNKNOWN:
        return path, Message("{path} (owner not known)", path=path)
    if change.group == file_groups.CACHES:
        return cell, cell
    first, second = change.what_first, change.what_second
    if first != second and all(side.startswith(f"{part} ") for side in (first, second)):
        # "node 8.17.0 → 24.19.0" needs its name once.
        second = second.removeprefix(f"{part} ")
    for most in (2, 1):
        contents = " → ".join(dict.fromkeys(_few(side, most) for side in (first, second) if side))
        if len(f"{part}: {contents}") <= ROOM:
            break
    if contents in ("", part):
        return cell, cell
    if contents.startswith(f"{part} "):
        return contents, contents
    return cell, Message("{component}: {packages}", component=cell, packages=contents)


def _few(names: str, most: int) -> str:
    some = names.split(", ")
    return ", ".join(some[:most]) + (" …" if len(some) > most else "")


def _frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    types = {"kind": "str", **dict.fromkeys(_COLUMNS[3:], "Int64")}
    return pd.DataFrame(rows, columns=_COLUMNS, dtype=object).astype(types)
