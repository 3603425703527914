"""What a gate says, as a short text for a terminal: what decides first."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from helpers.gate import accounting, judgement, words
from helpers.gate.judgement import FAIL, Judgement
from helpers.text import escape
from helpers.text.i18n import columns, t, told

_FAILING, _OTHERS = 20, 5
"""Findings that are listed: of those that fail, and of the others that the image brought."""

_PAIRS = 20
"""Images that are shown."""

_WIDTHS = (8, 19, 41)
"""Of severity, vulnerability, and package with its version: a line has at most 100 columns."""


def text(judgements: Sequence[Judgement]) -> str:
    """Return the table: for each image its verdict, what decides it, and how the totals moved."""
    ordered = sorted(judgements, key=lambda each: each.verdict != FAIL)
    lines = []
    for place, each in enumerate(ordered[:_PAIRS]):
        lines += [*([""] if place else []), *_image(each)]
    if (left := len(ordered) - _PAIRS) > 0:
        lines += ["", t("… and {count:,} more images", count=left)]
    return "\n".join(lines) + "\n"


def _image(found: Judgement) -> Iterator[str]:
    name = found.pair.name
    yield (f"{escape.short(name, 40)}: " if name else "") + judgement.headline(found)
    yield from _listed(found.failing, "!", _FAILING)
    others = found.brought[~found.brought["fails"]]
    yield from _listed(others, " ", _OTHERS)
    yield from filter(None, [judgement.origins(found)])
    yield ""
    yield from _account(found)
    yield from words.sizes(found.pair)
    for note in found.notes:
        yield t("Note: {note}", note=escape.plain(told(note.text)))


def _listed(findings: pd.DataFrame, mark: str, most: int) -> Iterator[str]:
    """Yield lines of the first findings, and how many more there are."""
    for row in findings.head(most).itertuples():
        yield _finding(row, mark)
    if len(findings) > most:
        yield f"  {t('… and {count:,} more', count=len(findings) - most)}"


def _finding(row: Any, mark: str) -> str:
    package = f"{words.text(row.package, 22)} {words.text(row.version_after, 18)}"
    cells = (row.severity, words.text(row.vulnerability_id, 19), package)
    aligned = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    fix = words.text(row.fixed_version, 20, t("no fix")).ljust(20)
    return " ".join([mark, *aligned, fix, words.text(row.place, 5)])


def _account(found: Judgement) -> Iterator[str]:
    rows = accounting.rows(found)
    widths = [max(columns(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        first = row[0] + " " * (widths[0] - columns(row[0]))
        counts = (" " * (w - columns(c)) + c for c, w in zip(row[1:], widths[1:], strict=True))
        yield "  ".join([first, *counts]).rstrip()
