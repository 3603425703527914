"""Executables and vulnerabilities: what a package that has some brings along, and what is needed.

The blog post says that each executable brings its vulnerabilities along. Here each finding is held
beside the executables and libraries of its package, and beside what the app's own process loads.
"""

from typing import Any

import pandas as pd

from helpers import escape, lenses, tools
from helpers.frames import UNKNOWN_COUNT
from helpers.lenses import Lens
from helpers.needs import COULD_GO, UNSEEN
from helpers.words import listed, name, number

STAYS, GOES = "stays", "could go, at most"


def counted(findings: pd.DataFrame, needed: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return what a lens counts, each with what its package installed and whether it could go.

    The columns of `findings`, then `executables, libraries, need, part`. A vulnerability in several
    packages could go only if all of these could.
    """
    seen = lenses.apply(findings, lens._replace(counted=lenses.FINDINGS))
    keys = ["variant", "package", "package_path"]
    one = needed.drop(columns="place").drop_duplicates(keys)
    both = seen.merge(one, on=keys, how="left", validate="many_to_one")
    both = both.assign(need=both["need"].fillna(UNSEEN), part=both["need"].map({COULD_GO: GOES}))
    both = both.assign(part=both["part"].fillna(STAYS)).set_axis(seen.index)
    # What stays comes first, and so is what is kept of several.
    ordered = both.sort_values("part", key=lambda part: part.eq(GOES), kind="stable")
    return lenses.distinct(ordered, lens.counted).sort_index()


def by_package(table: pd.DataFrame) -> pd.DataFrame:
    """Return the packages that what is counted sits in, and what each installed, most first."""
    keys = ["variant", "package", "place", "need", "executables", "libraries"]
    sums = table.groupby(keys, sort=False, dropna=False).size().rename("count").reset_index()
    return sums.sort_values("count", ascending=False, kind="stable", ignore_index=True)


def totals(
    table: pd.DataFrame, needed: pd.DataFrame, files: pd.DataFrame, images: pd.DataFrame
) -> pd.DataFrame:
    """Return vulnerabilities beside executables: one row an image.

    `variant, status, executables, libraries, binaries, count, stays, could_go`. Counts are NA where
    an image was not scanned; numbers of files, and what could go, where files are not known.
    """
    counts = tools.binaries(files).set_index("variant")
    by_part = table.groupby(["variant", "part"]).size()
    rows: list[tuple[Any, ...]] = []
    for image in images.drop_duplicates("variant").itertuples():
        has_files = image.variant in counts.index
        numbers = tuple(counts.loc[image.variant]) if has_files else (pd.NA, pd.NA)
        stays, goes = (int(by_part.get((image.variant, part), 0)) for part in (STAYS, GOES))
        own = needed[needed["variant"].eq(image.variant)]
        seen = has_files and not own["need"].eq(UNSEEN).all()
        count: Any = pd.NA if image.status in UNKNOWN_COUNT else stays + goes
        split = (stays, goes) if seen and pd.notna(count) else (pd.NA, pd.NA)
        rows.append((image.variant, image.status, *numbers, sum(numbers), count, *split))
    columns = ["variant", "status", "executables", "libraries", "binaries", "count"]
    table_ = pd.DataFrame(rows, columns=[*columns, "stays", "could_go"])
    return table_.astype(
        dict.fromkeys(columns[:2], "str") | dict.fromkeys(table_.columns[2:], "Int64")
    )


def split(table: pd.DataFrame) -> pd.DataFrame:
    """Return `totals` as `variant, part, count, status`: for the chart."""
    seen = table.dropna(subset="stays")
    parts = [
        seen.assign(part=part, count=seen[column])
        for part, column in ((STAYS, "stays"), (GOES, "could_go"))
    ]
    return pd.concat(parts)[["variant", "part", "count", "status"]].sort_index(kind="stable")


def headline(table: pd.DataFrame, what: str) -> str:
    """Return what is counted of each image, beside the number of its executables and libraries."""
    seen = table.dropna(subset=["binaries", "count"]).sort_values("binaries", kind="stable")
    told = [
        f"{escape.short(r.variant, 22)} {r.binaries:,} and {r.count:,}" for r in seen.itertuples()
    ]
    some = told if len(told) <= 2 else [told[0], "…", told[-1]]
    return f"Executables and libraries, and {what}: {listed(some) or 'not known'}"


def sentence(table: pd.DataFrame, each: pd.DataFrame, what: str) -> str:
    """Return whether more executables go with more that is counted, and what has none at all.

    `table` are `totals`, `each` what they add up, as `counted` returns it.
    """
    seen = table.dropna(subset=["binaries", "count"])
    if len(seen) < 2:
        return "The files of two images are not known, so executables are held beside nothing."
    lines = []
    for row in seen.itertuples():
        own = each[each["variant"].eq(row.variant)].dropna(subset="executables")
        without = int((own["executables"].eq(0) & own["libraries"].eq(0)).sum())
        lines.append(
            f"- {name(row.variant)}: {row.count:,} ({what}) beside "
            f"{number(row.executables, 'executable')} and {row.libraries:,} shared libraries; "
            f"{without:,} of them in packages that installed neither"
        )
    both, alone = (_agreement(seen, column) for column in ("binaries", "executables"))
    note = (
        f"Of two images, the one with more executables and libraries has more in {both}; the one "
        f"with more executables alone in {alone}. A few images show no rule, and what belongs to "
        "no package is counted among the files and in no total."
    )
    return "\n".join([*lines, "", note])


def slimmer_headline(table: pd.DataFrame, what: str) -> str:
    """Return for the image that has most to lose how much of what is counted could go."""
    seen = table.dropna(subset="could_go").sort_values("could_go", ascending=False, kind="stable")
    if seen.empty:
        return "What a slimmer image would lose is not known"
    row = seen.iloc[0]
    if not row["could_go"]:
        return f"Slimmer images: what the apps load has all of the {what}"
    told = f"at most {row['could_go']:,} of {row['count']:,} could go"
    return f"Slimmer images, {what}: in {escape.short(row['variant'], 26)} {told}"


def slimmer(table: pd.DataFrame, what: str) -> str:
    """Return what could go at most if an image held only what its app loads, as a list."""
    lines = []
    for row in table.itertuples():
        if pd.isna(row.could_go):
            told = "what its app loads is not known"
        elif not row.could_go:
            told = f"none of {row.count:,} could go: all sit in what the app loads, or is"
        else:
            told = (
                f"**at most {row.could_go:,} of {row.count:,} could go** with packages of which "
                f"the app's process loads nothing; {row.stays:,} stay"
            )
        lines.append(f"- {name(row.variant)}: {told}")
    note = (
        f"Counted: {what}. An upper bound: started without a shell and without an installer of "
        "packages, a process still may open libraries, files and programs only while it runs, "
        "which cannot be seen from outside. Packages without a program in them stay."
    )
    return "\n".join([*lines, "", note])


def _agreement(table: pd.DataFrame, column: str) -> str:
    """Return in how many of the pairs that differ in a column the larger one has a larger count."""
    numbers = list(zip(table[column], table["count"], strict=True))
    pairs = [(a, b) for n, a in enumerate(numbers) for b in numbers[n + 1 :] if a[0] != b[0]]
    agree = sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in pairs)
    return f"{agree} of {number(len(pairs), 'pair')}"
