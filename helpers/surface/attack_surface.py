"""What an attacker finds in an image: one property a row, one image a column, and the evidence.

Nothing here is called good or bad: it is there, or not, or was not measured.
"""

from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import FOUND, NO_PACKAGE, NONE, PLAIN, UNKNOWN, Cell, Matrix
from helpers.answers.talk import SURFACE, Talk, named
from helpers.images.known_programs import OS_INSTALLER, SHELL
from helpers.surface import checks, tools
from helpers.surface.checks import FIRST_LOOK, LIBC, PLURALS, SETUID, STARTS_AS, WORLD_WRITABLE
from helpers.text import escape
from helpers.text.i18n import Listing, Message, msg, t, told, word
from helpers.text.rich import Phrase, Text, bullets, listed, name, number, paragraph, say

UNSCANNED = msg("executables not scanned")
"""A row that only the figure has: what the scanner did not look at."""

_DRAWN = (
    (msg("Ways in"), [PLURALS[kind] for kind in (SHELL, OS_INSTALLER, "network tool")]),
    (msg("Privileges"), [STARTS_AS, SETUID, WORLD_WRITABLE]),
    (msg("Programs"), [LIBC, UNSCANNED]),
)
"""Properties that have a row on the figure, by the heading that they stand under: as many as can be
read from the back row. The table has all."""

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
    rest = Message("all of them are in the table's CSV")
    more = [
        (*key, Message("and {count:,} more", count=count - most), rest)
        for key, count in sizes[sizes.gt(most)].items()
    ]
    table = pd.concat([kept, _typed(more, list(evidence.columns))], ignore_index=True)
    orders = {key: {v: at for at, v in enumerate(evidence[key].unique())} for key in keys}
    return table.sort_values(keys, key=lambda c: c.map(orders[str(c.name)]), kind="stable")


def answer(matrix: pd.DataFrame, evidence: pd.DataFrame, coverage: pd.DataFrame) -> Answer:
    """Answer what is there of each property in each image, of `surface`.

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
    """Answer where each of these is, of `surface`."""
    name_, shown = "attack-surface-evidence", first(evidence)
    return Answer(name_, table=evidence, searchable=True, shown=shown, lacks=_lacks(matrix))


def limits_answer(matrix: pd.DataFrame) -> Answer:
    """Answer which properties were measured in every image, in some, and in none."""
    known = ~matrix["state"].isin([UNKNOWN, NO_PACKAGE])
    by_property = known.groupby(matrix["property"], sort=False)
    every, some = by_property.all(), by_property.any()
    text = say(
        "Measured in every image: {count} of {properties}.",
        count=every.sum(),
        properties=number(len(every), "property"),
    )
    if partly := _words(every.index[some & ~every]):
        text += " " + say("In some only: {properties}.", properties=partly)
    if none := _words(every.index[~some]):
        text += " " + say("In none: {properties}.", properties=none)
    text += " " + say(
        "Not looked at: tools under another name, capabilities of files, private keys and "
        "other secrets, and whether anything of it can be reached or was ever used."
    )
    return Answer("attack-surface-limits", text=paragraph(text))


def _measured(matrix: pd.DataFrame) -> str:
    """Return what was looked at: files, or, where none are known, the names of packages."""
    has_files = matrix[matrix["property"].eq(SETUID)]["state"].ne(UNKNOWN)
    if has_files.all():
        return t("tools by name, files by kind and mode")
    if has_files.any():
        return t("tools by name or by package, files by kind and mode")
    return t("tools by the names of packages")


def _lacks(matrix: pd.DataFrame) -> str:
    """Return why nothing was measured of any image; empty if something was."""
    if matrix["state"].eq(UNKNOWN).all():
        return t("Neither the files nor the packages of any image are known here.")
    return ""


def _title(matrix: pd.DataFrame) -> str:
    """Return in how many of the images that were measured the first things to look for are."""
    found = _first_look(matrix) or t("not measured")
    if matrix["state"].eq(NO_PACKAGE).any():
        return t("What an attacker finds, by package lists: {found}", found=found)
    return t("What an attacker finds: {found}", found=found)


def _looked_for(matrix: pd.DataFrame) -> dict[str, tuple[pd.Series, int]]:
    """Return of the first things to look for which images have each, and of how many measured."""
    measured = matrix[matrix["state"].ne(UNKNOWN)]
    cells = {title: measured[measured["property"].eq(title)] for title in FIRST_LOOK}
    return {
        title: (rows["variant"][rows["state"].eq(FOUND)], len(rows))
        for title, rows in cells.items()
        if len(rows)
    }


def _first_look(matrix: pd.DataFrame) -> str:
    """Return the same as a list; empty if nothing was measured."""
    parts, images = [], 0
    for title, (having, count) in _looked_for(matrix).items():
        values = {"property": word(title), "found": len(having)}
        if count == images:
            parts.append(t("{property} in {found}", **values))
        else:
            images = count
            whole = number(images, "image")
            parts.append(t("{property} in {found} of {images}", images=whole, **values))
    return listed(parts).plain


def _talk(matrix: pd.DataFrame) -> Talk:
    """Return what is told of the first things to look for: how many images have them, and which."""
    found = [
        t("There are {property} in {images}.", property=word(title), images=named(having))
        if len(having)
        else t("There are no {property} in any image.", property=word(title))
        for title, (having, _) in _looked_for(matrix).items()
    ]
    is_by_package = matrix["state"].eq(NO_PACKAGE).any()
    note = t("Only package lists were read, so a tool that came without a package is not seen.")
    headline = ""
    if found:
        headline = t("There are {found}", found=_first_look(matrix))
        if is_by_package:
            headline = t("By package lists there are {found}", found=_first_look(matrix))
    spoken = (
        t("Each column is an image, each row something that helps whoever has already got in."),
        *found,
        *([note] if is_by_package else []),
        t("What is not there keeps nobody out, and what is there may never be reached."),
    )
    return Talk(SURFACE, headline, spoken=spoken)


def _text(matrix: pd.DataFrame) -> Text:
    """Return what each image has none of, and what was not measured."""
    lines = []
    for variant, cells in matrix.groupby("variant", sort=False):
        by_state = {state: _words(some["property"]) for state, some in cells.groupby("state")}
        parts = []
        if NONE in by_state:
            parts.append(say("none: {properties}", properties=by_state[NONE]))
        if NO_PACKAGE in by_state:
            parts.append(
                say(
                    "no package by such a name, so perhaps none: {properties}",
                    properties=by_state[NO_PACKAGE],
                )
            )
        counted = cells[cells["state"].eq(FOUND)].dropna(subset="count")
        if len(counted) and NO_PACKAGE not in by_state:
            most = counted.sort_values("count", ascending=False, kind="stable").head(3)
            counts = listed(f"{word(row.property)} {row.count:,}" for row in most.itertuples())
            parts.append(say("most: {counts}", counts=counts))
        if UNKNOWN in by_state:
            parts.append(say("not measured: {properties}", properties=by_state[UNKNOWN]))
        lines.append(name(variant) + ": " + listed(parts, "; "))
    note = t(
        "What is there can be used once somebody is in; what is not there does not keep anybody "
        "out, and an interpreter can do what most tools do. Tools are counted by name: many names "
        "may be one program. Whether any of it can be reached was not tried."
    )
    return bullets(lines) + paragraph(note)


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


def _words(properties: Any) -> Phrase:
    return listed(map(word, properties))


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
