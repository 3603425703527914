"""Frames as tables for readers: text, figures and days in words and units, all escaped.

Headings, codes and messages are told in the language that is spoken; frames and their files are
English whatever that is.
"""

import html
from collections.abc import Iterable
from typing import Any

import pandas as pd

from helpers.text import escape
from helpers.text.i18n import t, told, word
from helpers.text.units import MB

CODES = {"build log"} | set(
    "captured change claim component counted elf evidence files found_by group image kind lacks "
    "lens libc measured need only_in origin owners part place problem property published "
    "published_by rated reason report scale severity severity_after severity_before "
    "severity_source smoke source state status value verdict weighed why why_not".split()
)
"""Columns whose cells are codes, and so are severities of several scanners; all others hold
messages, which know how they are told, or names out of reports, which are never translated."""

_WORDS = 'class="words" style="text-align: left"'
_FIGURE = 'class="figure" style="text-align: right"'


def to_html(frame: pd.DataFrame) -> str:
    """Return a table for readers: text to the left, figures and days to the right, all escaped.

    The alignment is written twice: as a style for JupyterLab, which aligns all to the right, and as
    a class for the report, which drops styles. What is written in units, days or levels also has
    what it is sorted by.
    """
    if frame.empty:
        return f"<p>{t('Nothing to list.')}</p>"
    kinds = [_FIGURE if _is_figure(frame[name]) else _WORDS for name in frame]
    lines = [_row("th", map(_heading, frame), [f'scope="col" {kind}' for kind in kinds])]
    shown = readable(frame, named=False)
    orders = pd.DataFrame({name: _order(frame[name]) for name in frame})
    for cells, order in zip(
        shown.itertuples(index=False), orders.itertuples(index=False), strict=True
    ):
        sorts = [f"{kind}{by}" for kind, by in zip(kinds, order, strict=True)]
        lines.append(_row("td", cells, sorts))
    head, *body = lines
    return f"<table><thead>{head}</thead><tbody>\n{''.join(body)}</tbody></table>"


def readable(frame: pd.DataFrame, named: bool = True) -> pd.DataFrame:
    """Return a frame as text for readers; with `named`, its columns' names as words too."""
    shown = frame.apply(_readable).astype(object).where(frame.notna(), t("not measured"))
    return shown.rename(columns=_heading) if named else shown


def words() -> dict[str, Any]:
    """Return what DataTables says around a table, in the language that is spoken."""
    return {
        "search": t("Search"),
        "info": t("_START_ to _END_ of _TOTAL_ rows"),
        "infoEmpty": t("no rows"),
        "infoFiltered": t("(found in _MAX_)"),
        "lengthMenu": t("_MENU_ rows a page"),
        "emptyTable": t("Nothing to list."),
        "zeroRecords": t("Nothing found."),
        "paginate": {"first": "«", "previous": "‹", "next": "›", "last": "»"},
        "aria": {
            "orderable": t(": click to sort"),
            "orderableReverse": t(": click to sort the other way"),
            "orderableRemove": t(": click not to sort"),
            "paginate": {
                "first": t("First page"),
                "previous": t("Previous page"),
                "next": t("Next page"),
                "last": t("Last page"),
                "number": t("Page "),
            },
        },
    }


def _row(tag: str, cells: Iterable[object], kinds: Iterable[str]) -> str:
    parts = [
        f"<{tag} {kind}>{html.escape(str(cell))}</{tag}>"
        for cell, kind in zip(cells, kinds, strict=True)
    ]
    return f"<tr>{''.join(parts)}</tr>\n"


def _order(column: pd.Series) -> pd.Series:
    """Return what a cell is sorted by, as an attribute; empty where that is its text."""
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        by = column.cat.codes.astype("Int64")
    elif _is_figure(column):
        days = pd.api.types.is_datetime64_any_dtype(column.dtype)
        by = column.dt.strftime("%Y%m%d%H%M%S") if days else column
    else:
        return pd.Series("", index=column.index)
    return ' data-order="' + by.astype("str").where(by.notna(), "") + '"'


def _is_figure(column: pd.Series) -> bool:
    kinds = pd.api.types
    return not kinds.is_bool_dtype(column.dtype) and (
        kinds.is_numeric_dtype(column.dtype) or kinds.is_datetime64_any_dtype(column.dtype)
    )


def _readable(column: pd.Series) -> pd.Series:
    """Return a column as text: bytes as MB, times as days, numbers with thousands marked."""
    name = str(column.name)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.dt.strftime("%Y-%m-%d")
    # The name may be a variant's, and the column hold words.
    is_number = pd.api.types.is_numeric_dtype(column.dtype)
    if name.endswith("bytes") and is_number:
        sign = "+" if "difference" in name else ""
        return column.map(lambda size: _size(size, sign), na_action="ignore")
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: t("yes"), False: t("no")})
    if name.endswith("share") and is_number:
        return column.map("{:.0%}".format, na_action="ignore")
    if pd.api.types.is_float_dtype(column.dtype):
        return column.map("{:,.2f}".format, na_action="ignore")
    if is_number:
        return column.map("{:,}".format, na_action="ignore")
    is_code = name in CODES or name.endswith("severity")
    return column.map(lambda cell: _text(cell, is_code), na_action="ignore")


def _text(cell: object, is_code: bool) -> str:
    """Return a cell of text in the language that is spoken, if it is the kit's own."""
    text = str(told(cell))
    return escape.plain(word(text) if is_code else text) or "—"


def _size(size: int, sign: str) -> str:
    """Return a size in MB, or in bytes if it is some and would be 0.0."""
    small = size and abs(size) < MB / 20
    return t("{size} bytes", size=f"{size:{sign},}") if small else f"{size / MB:{sign},.1f} MB"


def _heading(name: object) -> str:
    """Return a column's name as words, in the language that is spoken."""
    words_ = str(name).removesuffix("_bytes").removesuffix("_at").replace("_", " ")
    named = {
        "bytes": "size",
        "db updated": "DB of",
        "os eol": "past end of life when scanned",
        "known share": "looked at",
    }
    return escape.plain(word(named.get(words_, words_)))
