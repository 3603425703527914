"""What an attacker finds in an image: one property a row, one image a column, and the evidence.

A property is present, absent or not measured; nothing here is called good or bad.
"""

from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import FOUND, NO_PACKAGE, PLAIN, UNKNOWN, Cell, Matrix
from helpers.answers.talk import SURFACE, Talk
from helpers.images.known_programs import OS_INSTALLER, SHELL
from helpers.surface import checks, tools
from helpers.surface.checks import FIRST_LOOK, LIBC, PLURALS, SETUID, STARTS_AS, WORLD_WRITABLE
from helpers.text import escape
from helpers.text.i18n import Listing, Message, msg, t, told, word
from helpers.text.rich import Text, listed, number, paragraph

UNSCANNED = msg("executables not scanned")
"""A row that only the figure has: what the scanner did not look at."""

_DRAWN = (
    (msg("Ways in"), [PLURALS[kind] for kind in (SHELL, OS_INSTALLER, "network tool")]),
    (msg("Privileges"), [STARTS_AS, SETUID, WORLD_WRITABLE]),
    (msg("Programs"), [LIBC, UNSCANNED]),
)
"""Properties that the figure shows, by heading: as many as can be read from the back row. The table
has all."""

_WIDTH = 36
"""Characters of a path that are shown in a cell."""


def surface(
    grouped: pd.DataFrame,
    images: pd.DataFrame,
    packages: pd.DataFrame,
    libcs: pd.DataFrame,
    lacking: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the matrix of properties, and the evidence of each of its cells.

    The matrix: `property, variant, state, value, count`, one row a cell, in the order that is
    shown; `count` is NA for what is not counted. The evidence: `property, variant, what, detail`, a
    row for each path (or word) that a cell counts. `value`, `what` and `detail` may be messages.
    `grouped` are `file_groups.grouped`, `libcs` and `lacking` those of `dynamic_linking`. An image
    without files has the tools that its packages are named after, and is not measured in all else.
    """
    by_files, by_packages = tools.found(grouped), tools.of_packages(packages)
    libcs = libcs.set_index("variant")
    cells: list[tuple[Any, ...]] = []
    evidence: list[tuple[str, ...]] = []
    for row in images.drop_duplicates("variant").itertuples():
        files = grouped[grouped["variant"].eq(row.variant)]
        found = by_packages if files.empty else by_files
        image = checks.Image(
            row,
            files,
            found[found["variant"].eq(row.variant)],
            tools.packages(packages, row.variant),
            libcs.loc[row.variant],
            lacking[lacking["variant"].eq(row.variant)],
        )
        for title, ask in checks.questions().items():
            cell = ask(image)
            cells.append((title, row.variant, cell.state, cell.value, cell.counted))
            evidence += [(title, row.variant, *behind) for behind in cell.evidence]
    matrix = _typed(cells, ["property", "variant", "state", "value", "count"])
    order = {title: place for place, title in enumerate(checks.questions())}
    matrix = matrix.sort_values("property", key=lambda c: c.map(order), kind="stable")
    behind = _typed(evidence, ["property", "variant", "what", "detail"])
    return matrix.astype({"count": "Int64"}).reset_index(drop=True), behind


def wide(matrix: pd.DataFrame, evidence: pd.DataFrame, shown: int = 2) -> pd.DataFrame:
    """Return the matrix as a table for readers: a row a property, a column a variant.

    Each cell has its value and the first of its evidence in parentheses; NA: not measured.
    """
    paths = evidence.groupby(["property", "variant"], sort=False)["what"].agg(list)
    cells = {
        (row.property, row.variant): pd.NA
        if row.state == row.value == UNKNOWN
        else _cell(row.value, paths.get((row.property, row.variant), []), shown)
        for row in matrix.itertuples()
    }
    properties = list(dict.fromkeys(matrix["property"]))
    variants = list(dict.fromkeys(matrix["variant"]))
    rows = [[cells[title, variant] for variant in variants] for title in properties]
    table = pd.DataFrame(rows, columns=variants, dtype=object)
    table.insert(0, "property", pd.Series(properties, dtype="str"))
    return table


def first(evidence: pd.DataFrame, most: int = 25) -> pd.DataFrame:
    """Return the first rows of evidence of each cell, and how many more there are."""
    keys = ["property", "variant"]
    kept = evidence[evidence.groupby(keys, sort=False).cumcount().lt(most)]
    sizes = evidence.groupby(keys, sort=False).size()
    rest = Message("the CSV file has all")
    more = [
        (*key, Message("and {count:,} more", count=count - most), rest)
        for key, count in sizes[sizes.gt(most)].items()
    ]
    table = pd.concat([kept, _typed(more, list(evidence.columns))], ignore_index=True)
    orders = {key: {v: at for at, v in enumerate(evidence[key].unique())} for key in keys}
    return table.sort_values(keys, key=lambda c: c.map(orders[str(c.name)]), kind="stable")


def answer(matrix: pd.DataFrame, evidence: pd.DataFrame, coverage: pd.DataFrame) -> Answer:
    """Answer which properties each image has, of `surface`.

    The table has all properties, the figure the first to look for. `coverage` is that of
    `scan_coverage`.
    """
    return Answer(
        "attack-surface",
        _title(matrix),
        _text(matrix),
        wide(matrix, evidence),
        _chart(matrix, coverage),
        _measured(matrix),
        role=SUMMARY,
        by_scanner=False,
        lacks=_lacks(matrix),
        talks=(_talk(matrix),),
    )


def evidence_answer(matrix: pd.DataFrame, evidence: pd.DataFrame) -> Answer:
    """Answer where each property was found, of `surface`."""
    name_, shown = "attack-surface-evidence", first(evidence)
    return Answer(name_, table=evidence, searchable=True, shown=shown, lacks=_lacks(matrix))


def limits_answer() -> Answer:
    """Answer what was not checked."""
    text = t(
        "Not checked: tools under another name, file capabilities, private keys and other secrets, "
        "and whether an attacker can reach any of it."
    )
    return Answer("attack-surface-limits", text=paragraph(text))


def _measured(matrix: pd.DataFrame) -> str:
    """Return what was looked at: files, or, where none are known, the names of packages."""
    if matrix[matrix["property"].eq(SETUID)]["state"].ne(UNKNOWN).any():
        return t("tools by name, files by kind and mode")
    return t("tools by package name")


def _lacks(matrix: pd.DataFrame) -> str:
    """Return why no image was measured; empty if one was."""
    if matrix["state"].eq(UNKNOWN).all():
        return t("No image has a list of files or packages.")
    return ""


def _title(matrix: pd.DataFrame) -> str:
    """Return in how many of the images that were measured the first things to look for are."""
    found = _first_look(matrix) or t("not measured")
    return t("What an attacker finds: {found}", found=found)


def _first_look(matrix: pd.DataFrame) -> str:
    """Return in how many images each of the first things to look for is; empty: not measured."""
    measured = matrix[matrix["state"].ne(UNKNOWN)]
    parts, images = [], 0
    for title in FIRST_LOOK:
        states = measured[measured["property"].eq(title)]["state"]
        if states.empty:
            continue
        values = {"property": word(title), "found": states.eq(FOUND).sum()}
        if len(states) == images:
            parts.append(t("{property} in {found}", **values) if images else "")
        else:
            images = len(states)
            whole = number(images, "image")
            parts.append(t("{property} in {found} of {images}", images=whole, **values))
    return listed(filter(None, parts)).plain


def _talk(matrix: pd.DataFrame) -> Talk:
    """Return what is said of the matrix."""
    spoken = (
        t("Each column is an image. Each row helps somebody who has already got in."),
        *_by_package(matrix),
        t("A missing tool keeps nobody out, and a present one may be out of reach."),
    )
    return Talk(SURFACE, spoken=spoken)


def _text(matrix: pd.DataFrame) -> Text:
    """Return how to read the matrix."""
    note = t(
        "An attacker who is already in can use what is there. Tools are counted by name, and one "
        "program may have several names."
    )
    return paragraph(" ".join([note, *_by_package(matrix)]))


def _by_package(matrix: pd.DataFrame) -> list[str]:
    """Return what packages do not say, if they were asked."""
    if matrix["state"].eq(NO_PACKAGE).any():
        return [t("Without a list of files, only tools that are packages are found.")]
    return []


def _chart(matrix: pd.DataFrame, coverage: pd.DataFrame) -> Matrix:
    """Return some properties as a chart, without those that no image was measured in."""
    cells = {
        (row.property, row.variant): Cell(
            row.state,
            told(row.value),
            None if pd.isna(row.count) else int(row.count),
            # What a message says of a value is in the table.
            str(told(getattr(row.value, "values", {}).get("value", ""))),
        )
        for row in matrix.itertuples()
    }
    cells |= {
        (UNSCANNED, row.variant): _unscanned(row.known_share, row.gap)
        for row in coverage.itertuples()
    }
    drawn = Matrix([], list(dict.fromkeys(matrix["variant"])), [])
    for heading, titles in _DRAWN:
        for title in titles:
            row = [cells[title, variant] for variant in drawn.columns]
            if any(cell.state not in (UNKNOWN, NO_PACKAGE) for cell in row):
                drawn.groups.append(word(heading))
                drawn.rows.append(word(title))
                drawn.cells.append(row)
    return drawn


def _unscanned(known_share: Any, gap: str) -> Cell:
    """Return the share of the executable bytes that the scanner did not look at, or at most."""
    if pd.isna(known_share):
        return Cell(UNKNOWN, word(UNKNOWN))
    share = f"{1 - known_share:.0%}"
    if gap:
        share = t("at most {share}", share=share)
    return Cell(PLAIN, t("{share} of the bytes", share=share), None, share)


def _cell(value: str, behind: list[str], shown: int) -> str:
    """Return a value with the first of what is behind it."""
    first_ = Listing(map(_short, behind[:shown]))
    more = len(behind) - shown
    if more > 0:
        return Message(
            "{value} ({first}, and {count} more)", value=value, first=first_, count=f"{more:,}"
        )
    # A package that a tool is named after is no more evidence than its name.
    if not first_ or value.startswith(first_):
        return value
    return Message("{value} ({first})", value=value, first=first_)


def _short(text: str) -> str:
    """Return a path as far as there is room for it, and a message as it is if there is."""
    short = escape.short(text, _WIDTH)
    return text if isinstance(text, Message) and text == short else short


def _typed(rows: list[Any], columns: list[str]) -> pd.DataFrame:
    """Return rows as a frame; columns that may have messages stay objects."""
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    texts = [column for column in columns if column in ("property", "variant", "state")]
    return table.astype(dict.fromkeys(texts, "str"))
