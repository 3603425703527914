"""What an attacker finds in an image: one property a row, one image a column, and the evidence.

Nothing here is called good or bad: it is there, or not, or was not measured.
"""

from typing import Any

import pandas as pd

from helpers.surface import checks, dynamic_linking, tools
from helpers.surface.checks import FIRST_LOOK, FOUND, NO_PACKAGE, NONE, UNKNOWN, Seen, questions
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, number

SOME, AND_MORE = msg("{value} ({first})"), msg("{value} ({first}, and {count} more)")
"""A cell for readers: its value, and the first of its evidence."""


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
    libcs = dynamic_linking.libc(grouped, images).set_index("variant")
    lacking = dynamic_linking.unloadable(grouped)
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
    cells = zip(matrix["value"], (paths.get(key, []) for key in keys), strict=True)
    told = matrix.assign(cell=[_cell(value, behind, shown) for value, behind in cells])
    table = told.pivot_table(
        index="property", columns="variant", values="cell", aggfunc="first", sort=False
    )
    return table.reindex(columns=list(dict.fromkeys(matrix["variant"]))).reset_index()


def said(cell: str) -> str:
    """Return a cell of `wide` in the language that is spoken."""
    return checks.said(cell, (AND_MORE, SOME))


def first(evidence: pd.DataFrame, most: int = 25) -> pd.DataFrame:
    """Return the first rows of evidence of each cell, and how many more there are."""
    keys = ["property", "variant"]
    kept = evidence[evidence.groupby(keys, sort=False).cumcount().lt(most)]
    sizes = evidence.groupby(keys, sort=False).size()
    more = [
        (*key, t("and {count:,} more", count=count - most), t("all of them are in the table's CSV"))
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
    told, of = [], 0
    for title in FIRST_LOOK:
        own = matrix[matrix["property"].eq(title) & matrix["state"].ne(UNKNOWN)]
        if len(own):
            fields = {"property": word(title), "found": own["state"].eq(FOUND).sum()}
            if len(own) == of:
                told.append(t("{property} in {found}", **fields))
            else:
                images_ = number(len(own), "image")
                told.append(t("{property} in {found} of {images}", images=images_, **fields))
            of = len(own)
    found = listed(told) or t("not measured")
    if matrix["state"].eq(NO_PACKAGE).any():
        return t("What an attacker finds by packages: {found}", found=found)
    return t("What an attacker finds: {found}", found=found)


def sentence(matrix: pd.DataFrame) -> str:
    """Return what each image has none of, and what was not measured, as a list."""
    lines = []
    for variant, own in matrix.groupby("variant", sort=False):
        by = {s: listed(map(word, some["property"])) for s, some in own.groupby("state")}
        told = [t("none: {properties}", properties=by[NONE])] if NONE in by else []
        if NO_PACKAGE in by:
            lacking = by[NO_PACKAGE]
            told.append(
                t("no package by such a name, so perhaps none: {properties}", properties=lacking)
            )
        counted = own[own["state"].eq(FOUND)].dropna(subset="count")
        if len(counted) and NO_PACKAGE not in by:
            most = counted.sort_values("count", ascending=False, kind="stable").head(3)
            counts = listed(f"{word(r.property)} {r.count:,}" for r in most.itertuples())
            told.append(t("most: {counts}", counts=counts))
        if UNKNOWN in by:
            told.append(t("not measured: {properties}", properties=by[UNKNOWN]))
        lines.append(f"- {name(variant)}: {listed(told, '; ')}")
    note = t(
        "What is there can be used once somebody is in; what is not there does not keep anybody "
        "out, and an interpreter can do what most tools do. Tools are counted by name: many names "
        "may be one program. Whether any of it can be reached was not tried."
    )
    return "\n".join([*lines, "", note])


def learned(matrix: pd.DataFrame) -> str:
    """Return which properties were measured in every image, in some, and in none."""
    known = ~matrix["state"].isin([UNKNOWN, NO_PACKAGE])
    by = known.groupby(matrix["property"], sort=False)
    none = listed(map(word, by.any()[lambda any_: ~any_].index))
    some = listed(map(word, (by.any() & ~by.all())[lambda part: part].index))
    properties_ = number(len(by), "property")
    told = [
        t(
            "Measured in every image: {count} of {properties}.",
            count=by.all().sum(),
            properties=properties_,
        )
    ]
    if some:
        told.append(t("In some only: {properties}.", properties=some))
    if none:
        told.append(t("In none: {properties}.", properties=none))
    told.append(
        t(
            "Not looked at: tools under another name, capabilities of files, private keys and "
            "other secrets, and whether anything of it can be reached or was ever used."
        )
    )
    return " ".join(told)


def _cell(value: str, behind: list[str], shown: int) -> str:
    """Return a value with the first of what is behind it."""
    first = ", ".join(escape.short(path, 36) for path in behind[:shown])
    more = len(behind) - shown
    if more > 0:
        return AND_MORE.format(value=value, first=first, count=f"{more:,}")
    # A package that a tool is named after is no more evidence than its name.
    return SOME.format(value=value, first=first) if first and not value.startswith(first) else value
