"""Frames as tables for readers: text, figures and days in words and units, all escaped.

Headings, codes and messages are in the current language; frames and their files are English.
"""

import html
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from helpers.frames import SCANNED
from helpers.text import escape, links
from helpers.text.i18n import msg, t, told, word
from helpers.text.units import MB

CODES = {"build log"} | set(
    "because captured change claim component counted elf end evidence family files found_by "
    "group image kind lacks lens libc measured need only_in origin owners part place problem "
    "property published published_by rated reason report scale severity severity_after "
    "severity_before severity_source smoke source state status told_by value verdict weighed "
    "why why_broken why_not".split()
)
"""Columns whose cells are codes, besides severities of several scanners; others hold messages,
which translate themselves, or names from reports, which are never translated."""

ABOUT = ("variant", "image", "property", "capture", "study", "status")
"""Columns that identify a row; a table's rows are named by the first one it has."""

MISSING = {"epss": msg("not scored"), "kev_added_at": "—"}
"""Texts for missing cells of some columns; others say "not measured"."""

HEADINGS = {
    "advisories_until": "advisories end",
    "after": "count after",
    "age_days": "days since build",
    "alone": "in no other package",
    "at": "date",
    "at_least": "lasted longer",
    "baseline": "compared with",
    "because": "the other scanner",
    "before": "count before",
    "binaries": "executables and libraries",
    "blind": "unfixed ones not listed",
    "both": "scored in both",
    "built_after_end": "built after its base ended",
    "by_cve": "share: CVE ids",
    "by_id": "share: ids",
    "by_package": "share: packages",
    "by_vulnerability": "share: vulnerabilities",
    "bytes": "size",
    "candidate": "can be chosen",
    "carried": "in all images",
    "cvss_score": "CVSS score",
    "days_older": "first is older (days)",
    "db_updated_at": "database date",
    "earlier_model": "EPSS model before",
    "elf": "file type",
    "end": "outcome",
    "end_bytes": "size after",
    "ended": "past support",
    "epss": "EPSS",
    "exploited_unfixed": "exploited, without a fix",
    "ecosystem": "kind of package",
    "first_fewer": "pairs with fewer on the first",
    "first_fixable": "first: fixable",
    "first_tool": "first tool",
    "first_total": "first: all",
    "first_with_all_fixes": "first: left after all fixes",
    "fixable_difference": "difference: fixable",
    "fixable_of_base": "fixable, from the base image",
    "fixed": "has a fix",
    "found_in": "images with findings",
    "from_at": "open from",
    "from_base": "from the base image",
    "front": "unbeaten in size and count",
    "given": "specified as",
    "greatest": "highest",
    "gross_bytes": "added plus removed",
    "headers": "headers only",
    "hidden_bytes": "hidden by later layers",
    "is_likely": "likely now",
    "judged_by": "advisories from",
    "in_both": "found by both",
    "kev_added_at": "in KEV since",
    "known_binaries": "executables and libraries scanned",
    "known_exploited": "known to be exploited",
    "known_share": "share scanned",
    "largest_bytes": "largest change",
    "largest_unknown": "largest file not scanned",
    "later_model": "EPSS model after",
    "least": "lowest",
    "libc": "C library",
    "mean_share": "mean",
    "median_share": "median",
    "mixed": "scanned differently",
    "most_libraries": "packages with most libraries",
    "name_version": "name and version",
    "need": "needed by the app",
    "next": "runner-up",
    "next_score": "score of the runner-up",
    "no_fix_exploited": "ids exploited, without a fix",
    "no_program": "in packages without programs",
    "none_shared": "images that share none",
    "normalised": "normalised package URL",
    "not_linked": "not linked by the app",
    "not_there": "not available",
    "not_observable": "lists no unfixed ones",
    "observed_change": "observed difference",
    "observed_now": "observed count",
    "on_it": "images on it",
    "on_it_by": "images on it, known by",
    "one_only": "not in the other",
    "only_first": "only the first",
    "only_second": "only the second",
    "os": "operating system",
    "os_end_of_life": "OS support ends",
    "os_ended_days": "days past OS support",
    "os_eol": "past support when scanned",
    "os_family": "operating system",
    "other_version": "in another version",
    "other": "other C library",
    "paired_median": "median with a pair",
    "partial": "database incomplete",
    "past_end": "scanned past support",
    "past_support": "past support since",
    "place": "part of the image",
    "position": "layer number",
    "purl": "package URL",
    "purls": "package URLs",
    "re_rated": "re-rated",
    "rewritten": "written otherwise in the other",
    "runtime_end_of_life": "runtime support ends",
    "runtime_ended_days": "days past runtime support",
    "same": "in the other",
    "second_fewer": "pairs with fewer on the second",
    "second_fixable": "second: fixable",
    "second_tool": "second tool",
    "second_total": "second: all",
    "second_with_all_fixes": "second: left after all fixes",
    "serious": "HIGH or CRITICAL",
    "ships": "can be shipped",
    "shown_bytes": "visible",
    "size_of_binaries_bytes": "size of executables and libraries",
    "size_of_known_bytes": "size scanned",
    "spelled": "same name and version",
    "start_bytes": "size before",
    "static": "statically linked",
    "stays": "needed by the app",
    "there": "available",
    "told_by": "compared by",
    "type_name": "type and name",
    "unfixed": "without a fix",
    "unfixed_serious": "HIGH or CRITICAL, without a fix",
    "unknown_to_db": "unknown to the database",
    "unpaired_median": "median without a pair",
    "unscored": "without an EPSS score",
    "until_at": "open until",
    "upper": "upper quartile",
    "was_likely": "likely then",
    "weighed": "criteria",
    "who": "update in",
    "why_broken": "why it looks broken",
    "with_all_fixes": "difference after all fixes",
}
"""Headings of columns whose names are unclear; others use their names."""

PURL = "purl"
"""A hidden column: cells of `package` link to that page instead."""

_WORDS = 'class="words" style="text-align: left"'
_FIGURE = 'class="figure" style="text-align: right"'


class Measured(NamedTuple):
    """The measured part of a table, which may be empty, and what it omits, in words.

    The table's file has all columns and rows.
    """

    frame: pd.DataFrame
    left_out: str


def to_html(frame: pd.DataFrame, whole: pd.DataFrame | None = None) -> str:
    """Return a table for readers: text to the left, figures and days to the right, all escaped.

    Alignment is written twice: as a style for JupyterLab, which aligns everything right, and as a
    class for the report, which drops styles. Cells with units, days or levels have a sort key.
    Columns and rows that were not measured are named below the table.
    """
    if frame.empty:
        return f"<p>{t('Nothing to list.')}</p>"
    frame, left_out = measured(frame, whole)
    note = f"<p>{html.escape(left_out)}</p>" if left_out else ""
    if frame.empty:
        return note
    pages = _pages(frame)
    frame = _listed(frame)
    kinds = [_FIGURE if _is_figure(frame[name]) else _WORDS for name in frame]
    headings = [html.escape(_heading(name)) for name in frame]
    lines = [_row("th", headings, [f'scope="col" {kind}' for kind in kinds])]
    shown = readable(frame, named=False).map(lambda cell: html.escape(str(cell)))
    for name, addresses in pages.items():
        shown[name] = list(map(_link, shown[name], addresses))
    orders = pd.DataFrame({name: _order(frame[name]) for name in frame})
    for cells, order in zip(
        shown.itertuples(index=False), orders.itertuples(index=False), strict=True
    ):
        sorts = [f"{kind}{by}" for kind, by in zip(kinds, order, strict=True)]
        lines.append(_row("td", cells, sorts))
    head, *body = lines
    return f"<table><thead>{head}</thead><tbody>\n{''.join(body)}</tbody></table>{note}"


def measured(frame: pd.DataFrame, whole: pd.DataFrame | None = None) -> Measured:
    """Return a table without the columns and rows in which nothing was measured.

    `whole` is the complete table if `frame` is only its first rows.
    """
    every = frame if whole is None else whole
    lost = [name for name in frame if frame[name].isna().all() and name != PURL]
    lost = [name for name in lost if name not in every or every[name].isna().all()]
    kept = frame.drop(columns=lost)
    parts = [t("Not measured: {columns}.", columns=", ".join(map(_heading, lost)))] if lost else []
    values = kept.drop(columns=[name for name in (*ABOUT, PURL) if name in kept])
    if values.columns.empty:
        return Measured(kept.iloc[:0] if lost else kept, "".join(parts))
    naming = next((name for name in ABOUT if name in kept), None)
    if naming is None or len(every) > len(frame):
        return Measured(kept, "".join(parts))
    # A row stays if another row of its name has a value.
    has_some = values.notna().any(axis=1).groupby(kept[naming]).transform("any")
    if not has_some.all():
        rows = kept[~has_some].drop_duplicates(naming)
        parts.append(t("Not measured: {columns}.", columns=", ".join(_names(rows, naming))))
    return Measured(kept[has_some], " ".join(parts))


def readable(frame: pd.DataFrame, named: bool = True) -> pd.DataFrame:
    """Return a frame as text for readers; with `named`, with headings in words."""
    frame = _listed(frame)
    shown = frame.apply(_readable).astype(object).where(frame.notna(), t("not measured"))
    for name in MISSING.keys() & {*frame.columns}:
        shown[name] = shown[name].where(frame[name].notna(), word(MISSING[name]))
    return shown.rename(columns=_heading) if named else shown


def words() -> dict[str, Any]:
    """Return the texts around a table, mostly for DataTables, in the current language."""
    return {
        "scroll": t("scroll →"),
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


def _row(tag: str, cells: Iterable[str], kinds: Iterable[str]) -> str:
    """Return a row of cells, which are HTML."""
    parts = [f"<{tag} {kind}>{cell}</{tag}>" for cell, kind in zip(cells, kinds, strict=True)]
    return f"<tr>{''.join(parts)}</tr>\n"


def _listed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the shown columns: packages have links instead of purls."""
    return frame.drop(columns=PURL) if {PURL, "package"} <= set(frame) else frame


def _pages(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the link addresses of some columns' cells; empty for no link."""
    found = {}
    if "vulnerability_id" in frame:
        found["vulnerability_id"] = list(map(links.of_vulnerability, frame["vulnerability_id"]))
    if {PURL, "package"} <= set(frame):
        found["package"] = list(map(links.of_package, frame[PURL]))
    return found


def _link(text: str, address: str) -> str:
    """Return a cell's HTML as a link that sends no referrer."""
    if not address:
        return text
    return f'<a href="{html.escape(address)}" rel="noreferrer noopener" target="_blank">{text}</a>'


def _names(rows: pd.DataFrame, naming: str) -> list[str]:
    """Return the names of rows, with their status unless scanned."""
    names = [_text(name, naming in CODES) for name in rows[naming]]
    status = rows.get("status", pd.Series(SCANNED, rows.index))
    return [
        name if code == SCANNED else f"{name} ({word(code)})"
        for name, code in zip(names, status, strict=True)
    ]


def _order(column: pd.Series) -> pd.Series:
    """Return a cell's sort key as an attribute; empty if its text is the key."""
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
    # The name may be a variant's, and its cells words.
    is_number = pd.api.types.is_numeric_dtype(column.dtype)
    if name.endswith("bytes") and is_number:
        sign = "+" if "difference" in name else ""
        return column.map(lambda size: _size(size, sign), na_action="ignore")
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: t("yes"), False: t("no")})
    if name.endswith("share") and is_number:
        return column.map("{:.0%}".format, na_action="ignore")
    if name == "epss":
        # As precise as FIRST publishes it, so that 0.001 is not shown as 0.
        return column.map("{:.5f}".format, na_action="ignore")
    if pd.api.types.is_float_dtype(column.dtype):
        return column.map("{:,.2f}".format, na_action="ignore")
    if is_number:
        return column.map("{:,}".format, na_action="ignore")
    is_code = name in CODES or name.endswith("severity")
    return column.map(lambda cell: _text(cell, is_code), na_action="ignore")


def _text(cell: object, is_code: bool) -> str:
    """Return a cell of text, translated if it is the kit's own."""
    text = str(told(cell))
    return escape.plain(word(text) if is_code else text) or "—"


def _size(size: int, sign: str) -> str:
    """Return a size in MB, or in bytes if that would be 0.0 MB."""
    small = size and abs(size) < MB / 20
    return t("{size} bytes", size=f"{size:{sign},}") if small else f"{size / MB:{sign},.1f} MB"


def _heading(name: object) -> str:
    """Return a column's heading in the current language."""
    text = str(name)
    words_ = text.removesuffix("_bytes").removesuffix("_at").replace("_", " ")
    return escape.plain(word(HEADINGS.get(text, words_)))
