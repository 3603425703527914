"""Where the difference between two images' sizes is: named steps from one total to the other."""

from typing import Any

import pandas as pd

from helpers.errors import ParameterInvalid
from helpers.sizes import file_groups
from helpers.sizes.image_sizes import MB
from helpers.text import escape, i18n
from helpers.text.i18n import msg, t
from helpers.text.markdown import name, number

MOST_NAMED = 10
"""Steps that are named at most: more do not fit on a slide that is read from the back row."""

SMALL = 0.005
"""Share of the larger image from which on a change has a step of its own, as far as there are no
more than `MOST_NAMED`. What is smaller is put together by its group, or, where the group's changes
do not come to that share either, with those of other groups: never more than two names for that."""

ROOM = 46
"""Characters of a step's name on a figure; where it is longer, one package of a side is named."""

TOTAL, STEP, REST = msg("total"), msg("step"), msg("rest")

EVERYTHING = msg("everything else")
ONE, SEVERAL = msg("{group}: {count} smaller change"), msg("{group}: {count} smaller changes")
UNOWNED, UNTOLD = msg("{path} (unowned)"), msg("{path} (owner not known)")
MADE_OF = msg("{component}: {packages}")
FORMS = (*file_groups.GROUPS, EVERYTHING, ONE, SEVERAL, UNOWNED, UNTOLD, MADE_OF)
"""Phrases that a step's name is made of, beside the names of groups' parts."""

COLUMNS = ("label", "part", "kind", "start_bytes", "end_bytes", "difference_bytes")
_GROSS = ("gross_bytes", "largest_bytes", "changes")


def steps(parts: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return the steps from the size of one image to that of another, of `groups.sizes`.

    `label, part, kind, start_bytes, end_bytes, difference_bytes, gross_bytes, largest_bytes,
    changes`: the total of the first, the largest changes by name, what is left of each group, and
    the total of the second. `part` is a short label. `gross_bytes` are a step's changes by their
    absolute values, so that up and down do not cancel out, `largest_bytes` the largest of them,
    and `changes` their number. Empty if the files of one are not known.
    """
    sides = [parts[parts["variant"].eq(variant)] for variant in (first, second)]
    if any(side.empty for side in sides):
        return _frame([])
    start, end = (int(side["size_bytes"].sum()) for side in sides)
    small = SMALL * max(start, end)
    changes = _changes(*sides)
    own = changes["difference"].abs().ge(small) & (
        pd.Series(range(len(changes)), changes.index) < MOST_NAMED
    )
    rows = [_step(change) for change in changes[own].itertuples()]
    rest = changes[~own]
    by_group = rest.groupby("group", observed=True)["difference"].transform(lambda d: d.abs().sum())
    for group, some in rest[by_group.ge(small)].groupby("group", sort=False, observed=True):
        if len(some) == 1:
            rows += [_step(change) for change in some.itertuples()]
            continue
        rows.append(_rest(str(group), some))
    some = rest[by_group.lt(small)]
    if len(some) == 1:
        rows += [_step(change) for change in some.itertuples()]
    elif len(some):
        rows.append(_rest(EVERYTHING, some))
    table: list[tuple[object, ...]] = [(first, first, TOTAL, 0, start, start, start, start, 0)]
    at = start
    for label, part, kind, difference, *told in rows:
        table.append((label, part, kind, at, at + difference, difference, *told))
        at += difference
    assert at == end, "steps add up"
    return _frame([*table, (second, second, TOTAL, 0, end, end, end, end, 0)])


def said(label: str) -> str:
    """Return a step's label, or its short one, in the language that is spoken."""
    return i18n.said(label, (*file_groups.components(), *FORMS))


def start(parts: pd.DataFrame, differences: pd.DataFrame) -> str:
    """Return the image that steps begin at: the baseline of `sizes.differences`, if it has files.

    Else it is the smallest that has; empty if none has.
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
        raise ParameterInvalid(f"against {wanted!r}: its files are not known; known of: {known}")
    if wanted or baseline not in totals:
        return wanted
    apart = (totals - totals[baseline]).abs().drop(baseline)
    runtimes = images.drop_duplicates("variant").set_index("variant")["runtime"]
    alike = runtimes.index[runtimes.eq(runtimes.get(baseline)).fillna(False)]
    apart = apart[apart.index.isin(alike)] if apart.index.isin(alike).any() else apart
    return str(apart.idxmax()) if len(apart) else ""


def headline(table: pd.DataFrame) -> str:
    """Return the totals and the largest steps."""
    if table.empty:
        return t("Where a difference of sizes comes from is not known")
    first, second = table.iloc[0], table.iloc[-1]
    moved = f"{_mb(first['end_bytes'])} → {_mb(second['end_bytes'])} MB"
    told = table[table["kind"].eq(STEP)].head(2)
    largest = [
        f"{escape.short(said(s.part), 30)}: {_signed(s.difference_bytes)}"
        for s in told.itertuples()
    ]
    names = [escape.short(side["label"], 20) for side in (first, second)]
    return f"{' → '.join(names)}, {moved}; {', '.join(largest) or t('no step by name')}"


def sentence(table: pd.DataFrame) -> str:
    """Return what the steps come to, and how much of it has no name of its own."""
    if table.empty:
        return t(
            "The files of two images are not known, so where their difference is, is not either."
        )
    first, second = table.iloc[0], table.iloc[-1]
    inner = table[~table["kind"].eq(TOTAL)]
    pair = {"first": name(first["label"]), "second": name(second["label"])}
    if inner.empty:
        return t("{first} and {second} do not differ in any part.", **pair)
    # Also within a step of several changes.
    up = (inner["gross_bytes"] + inner["difference_bytes"]).sum() // 2
    down = up - inner["gross_bytes"].sum()
    text = t(
        "From {first} to {second} it is {apart} MB: {up} and {down} MB, in steps that add up to "
        "the byte. A change of {small:.1%} of the larger image has a step of its own, up to "
        "{most} of them.",
        apart=_signed(second["end_bytes"] - first["end_bytes"]),
        up=_signed(up),
        down=_signed(down),
        small=SMALL,
        most=MOST_NAMED,
        **pair,
    )
    rest = inner[inner["kind"].eq(REST)]
    if rest.empty:
        return text
    unnamed = t(
        "{changes} without a step of their own, none larger than {largest} MB, come to {unnamed} "
        "of the {whole} MB that moved (up and down added, so that nothing cancels out).",
        changes=number(int(rest["changes"].sum()), "change"),
        largest=_mb(rest["largest_bytes"].max()),
        unnamed=_mb(rest["gross_bytes"].sum()),
        whole=_mb(inner["gross_bytes"].sum()),
    )
    return f"{text} {unnamed}"


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


def _rest(part: str, changes: pd.DataFrame) -> tuple[Any, ...]:
    """Return changes that share a step."""
    sizes = changes["difference"].abs()
    label = (ONE if len(changes) == 1 else SEVERAL).format(group=part, count=f"{len(changes):,}")
    return label, part, REST, changes["difference"].sum(), sizes.sum(), sizes.max(), len(changes)


def _named(change: Any) -> tuple[str, str]:
    """Return the short and the long name of a change: what it is made of, if that differs."""
    part = str(change.component)
    if form := {file_groups.UNOWNED: UNOWNED, file_groups.UNTOLD: UNTOLD}.get(change.group):
        return f"/{part}", form.format(path=f"/{part}")
    if change.group == file_groups.CACHES:
        return part, part
    first, second = change.what_first, change.what_second
    if first != second and all(side.startswith(f"{part} ") for side in (first, second)):
        # "node 8.17.0 → 24.19.0" needs its name once.
        second = second.removeprefix(f"{part} ")
    for most in (2, 1):
        told = " → ".join(dict.fromkeys(_few(side, most) for side in (first, second) if side))
        if len(f"{part}: {told}") <= ROOM:
            break
    if told in ("", part):
        return part, part
    if told.startswith(f"{part} "):
        return told, told
    return part, MADE_OF.format(component=part, packages=told)


def _few(names: str, most: int) -> str:
    some = names.split(", ")
    return ", ".join(some[:most]) + (" …" if len(some) > most else "")


def _mb(size: int) -> str:
    return f"{size / MB:,.1f}"


def _signed(size: int) -> str:
    return f"{size / MB:+,.1f}".replace("-", "−")


def _frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    columns = [*COLUMNS, *_GROSS]
    counts = dict.fromkeys(columns[3:], "Int64")
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[:3], "str") | counts)
