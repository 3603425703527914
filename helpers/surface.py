"""What an attacker finds in an image: one property a row, one image a column, and the evidence.

Nothing here is called good or bad: it is there, or not, or was not measured.
"""

from typing import Any

import pandas as pd

from helpers import escape, linking, tools
from helpers.properties import FIRST_LOOK, FOUND, NO_PACKAGE, NONE, UNKNOWN, Seen, questions
from helpers.words import listed, name, number


def surface(
    grouped: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the matrix of properties, and the evidence of each of its cells.

    The matrix: `property, variant, state, value, count`, one row a cell, in the order that is
    shown; `count` is NA for what is not counted. The evidence: `property, variant, what, detail`, a
    row for each path (or word) that a cell counts. `grouped` are `groups.grouped`; an image without
    files has the tools that its packages are named after, and is not measured in all else.
    """
    by_files, by_packages = tools.found(grouped), tools.of_packages(packages)
    libcs = linking.libc(grouped, images).set_index("variant")
    lacking = linking.unloadable(grouped)
    cells: list[tuple[Any, ...]] = []
    evidence: list[tuple[str, ...]] = []
    for image in images.drop_duplicates("variant").itertuples():
        own = grouped[grouped["variant"].eq(image.variant)]
        table = by_packages if own.empty else by_files
        seen = Seen(
            image,
            own,
            table[table["variant"].eq(image.variant)],
            tools.packages(packages, image.variant),
            libcs.loc[image.variant],
            lacking[lacking["variant"].eq(image.variant)],
        )
        for title, ask in questions().items():
            cell = ask(seen)
            cells.append((title, image.variant, cell.state, cell.value, cell.counted))
            evidence += [(title, image.variant, *told) for told in cell.evidence]
    matrix = pd.DataFrame(cells, columns=["property", "variant", "state", "value", "count"])
    order = {title: place for place, title in enumerate(questions())}
    matrix = matrix.sort_values("property", key=lambda c: c.map(order), kind="stable")
    matrix = matrix.astype({**dict.fromkeys(matrix, "str"), "count": "Int64"})
    behind = pd.DataFrame(evidence, columns=["property", "variant", "what", "detail"])
    return matrix.reset_index(drop=True), behind.astype("str")


def wide(matrix: pd.DataFrame, evidence: pd.DataFrame, shown: int = 2) -> pd.DataFrame:
    """Return the matrix as a table for readers: a row a property, a column a variant.

    Each cell has its value and the first of its evidence in parentheses.
    """
    paths = evidence.groupby(["property", "variant"], sort=False)["what"].agg(list)
    keys = zip(matrix["property"], matrix["variant"], strict=True)
    behind = [_few(paths.get(key, []), shown) for key in keys]
    told = matrix.assign(
        cell=[
            # A package that a tool is named after is no more evidence than its name.
            f"{value} ({few})" if few and not value.startswith(few) else value
            for value, few in zip(matrix["value"], behind, strict=True)
        ]
    )
    table = told.pivot_table(
        index="property", columns="variant", values="cell", aggfunc="first", sort=False
    )
    return table.reindex(columns=list(dict.fromkeys(matrix["variant"]))).reset_index()


def first(evidence: pd.DataFrame, most: int = 25) -> pd.DataFrame:
    """Return the first rows of evidence of each cell, and how many more there are."""
    keys = ["property", "variant"]
    kept = evidence[evidence.groupby(keys, sort=False).cumcount().lt(most)]
    sizes = evidence.groupby(keys, sort=False).size()
    more = [
        (*key, f"and {count - most:,} more", "all of them are in the table's CSV")
        for key, count in sizes[sizes.gt(most)].items()
    ]
    rest = pd.DataFrame(more, columns=list(evidence.columns), dtype="str")
    return pd.concat([kept, rest], ignore_index=True).sort_values(
        keys,
        key=lambda column: column.map({v: n for n, v in enumerate(evidence[column.name].unique())}),
        kind="stable",
    )


def headline(matrix: pd.DataFrame) -> str:
    """Return in how many of the images that were measured the first things to look for are."""
    told, of = [], ""
    for title in FIRST_LOOK:
        own = matrix[matrix["property"].eq(title) & matrix["state"].ne(UNKNOWN)]
        if len(own):
            whole = f" of {number(len(own), 'image')}"
            told.append(f"{title} in {own['state'].eq(FOUND).sum()}{'' if whole == of else whole}")
            of = whole
    by = " by packages" if matrix["state"].eq(NO_PACKAGE).any() else ""
    return f"What an attacker finds{by}: {listed(told) or 'not measured'}"


def sentence(matrix: pd.DataFrame) -> str:
    """Return what each image has none of, and what was not measured, as a list."""
    lines = []
    for variant, own in matrix.groupby("variant", sort=False):
        by = {state: list(some["property"]) for state, some in own.groupby("state")}
        told = [f"none: {listed(by[NONE])}"] if NONE in by else []
        if NO_PACKAGE in by:
            lacking = listed(by[NO_PACKAGE])
            told.append(f"no package by such a name, so perhaps none: {lacking}")
        counted = own[own["state"].eq(FOUND)].dropna(subset="count")
        if len(counted) and NO_PACKAGE not in by:
            most = counted.sort_values("count", ascending=False, kind="stable").head(3)
            told.append("most: " + listed(f"{r.property} {r.count:,}" for r in most.itertuples()))
        if UNKNOWN in by:
            told.append(f"not measured: {listed(by[UNKNOWN])}")
        lines.append(f"- {name(variant)}: {listed(told, '; ')}")
    note = (
        "What is there can be used once somebody is in; what is not there does not keep anybody "
        "out, and an interpreter can do what most tools do. Tools are counted by name: many names "
        "may be one program. Whether any of it can be reached was not tried."
    )
    return "\n".join([*lines, "", note])


def learned(matrix: pd.DataFrame) -> str:
    """Return which properties were measured in every image, in some, and in none."""
    known = ~matrix["state"].isin([UNKNOWN, NO_PACKAGE])
    by = known.groupby(matrix["property"], sort=False)
    none = list(by.any()[lambda any_: ~any_].index)
    some = list((by.any() & ~by.all())[lambda part: part].index)
    text = f"Measured in every image: {by.all().sum()} of {number(len(by), 'property')}."
    if some:
        text += f" In some only: {listed(some)}."
    if none:
        text += f" In none: {listed(none)}."
    return (
        f"{text} Not looked at: tools under another name, capabilities of files, private keys "
        "and other secrets, and whether anything of it can be reached or was ever used."
    )


def _few(paths: list[str], shown: int) -> str:
    told = [escape.short(path, 36) for path in paths[:shown]]
    more = [f"and {len(paths) - shown:,} more"] if len(paths) > shown else []
    return listed([*told, *more])
