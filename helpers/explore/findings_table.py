"""The explore notebook's table of findings: searched, sorted, filtered by a part, downloaded."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import pandas as pd

from helpers.explore.parts import Part
from helpers.frames import SEVERITIES
from helpers.notebook import tables
from helpers.text import escape
from helpers.text.i18n import t, word

MOST_ROWS = 5_000
"""Rows that go to the browser; of more the first, which are the most severe."""

PLAIN_ROWS = 50
"""Rows of the plain table, where no widget can be."""

COLUMNS = [
    *("variant", "severity", "vulnerability_id", "package", "installed_version"),
    *("fixed_version", "status", "published_at", "place", "cvss_score"),
]
"""Columns of the table, which has room for few."""

IF_KNOWN = ["epss", "kev_added_at", "suppressed"]
"""Columns that it has if they say something of any row."""

ALL = -1
"""The number of no part: the rows of all."""


class Finder:
    """Shows rows of findings; `part` is the number of the part of the picture that they are of."""

    def __init__(self) -> None:
        # Only who shows such a table pays for the library.
        from itables.widget import ITable

        self.all = pd.DataFrame()
        self.rows = self.all
        self._parts: Sequence[Part] = ()
        self._listing: pd.DataFrame | None = None
        self.part = widgets.Dropdown(
            options=[("", ALL)],
            description=t("show"),
            style={"description_width": "3rem"},
            layout=widgets.Layout(width="22rem"),
        )
        self.clear = widgets.Button(
            description=t("✕ clear"), disabled=True, layout=widgets.Layout(width="auto")
        )
        self.clear.on_click(lambda _: self.choose(ALL))
        self._status = widgets.HTML()
        self.table = ITable(_shown(pd.DataFrame(columns=COLUMNS), COLUMNS), **_options(""))
        self.chooser = widgets.Box(
            [self.part, self.clear, self._status],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center"),
        )
        self.box = widgets.Box(
            [self.table], layout=widgets.Layout(width="100%", overflow="auto", display="block")
        )

    def offer(
        self, rows: pd.DataFrame, parts: Sequence[Part], listing: pd.DataFrame | None
    ) -> None:
        """Take rows of findings, all of them, and offer the parts of a picture to choose from.

        `listing` is that of the overlap, if it is shown. `fill` shows them.
        """
        self.all = self.rows = rows
        self._parts, self._listing = parts, listing
        offered = [(part.label, number) for number, part in enumerate(parts)]
        with self.part.hold_trait_notifications():
            self.part.options = [(t("all"), ALL), *offered]
            self.part.value = ALL

    def choose(self, number: int) -> None:
        """Take the rows of one part; without one, all. `fill` shows them."""
        self.part.value = number
        part = self.chosen
        self.rows = part.rows(self.all, self._listing) if part else self.all

    @property
    def _columns(self) -> list[str]:
        """Return the columns that there are: the same for every part of the rows."""
        return COLUMNS + [name for name in IF_KNOWN if _says_something(self.all.get(name))]

    @property
    def chosen(self) -> Part | None:
        """Return the part that the rows are of, if they are of one."""
        return None if self.part.value == ALL else self._parts[self.part.value]

    def fill(self, name: str) -> None:
        """Show the rows, the most severe first; a downloaded file has the name."""
        counts = {"rows": len(self.rows), "all": len(self.all)}
        if len(self.rows) > MOST_ROWS:
            counts = {"rows": MOST_ROWS, "all": len(self.rows)}
        text = t("{rows:,} of {all:,} rows", **counts)
        self._status.value = f'<span role="status">{text}</span>'
        self.clear.disabled = self.chosen is None
        self.table.update(_shown(self.rows.head(MOST_ROWS), self._columns), **_options(name))

    def plain(self) -> str:
        """Return the first rows as a plain table: for a copy that ran headless, and a web page."""
        every = _chosen(self.all, self._columns)
        first = _chosen(self.rows.head(PLAIN_ROWS), self._columns)
        counts = {"rows": len(first), "all": len(self.rows)}
        return f"{tables.to_html(first, every)}<p>{t('{rows:,} of {all:,} rows', **counts)}</p>"


def _says_something(column: pd.Series | None) -> bool:
    """Return whether any cell of a column is there, and is not false."""
    if column is None or column.empty:
        return False
    is_flag = pd.api.types.is_bool_dtype(column.dtype)
    return bool(column.fillna(False).any() if is_flag else column.notna().any())


def _chosen(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns that have room; a finding without a fix says so."""
    shown = rows[columns]
    shown = shown.assign(fixed_version=shown["fixed_version"].fillna(t("no fix")))
    # Otherwise the heading would be that of what others published.
    return shown.rename(columns={"published_at": "published_on"})


def _shown(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return rows as they are in the table, and in what is downloaded of it: inert in both."""
    read = escape.csv_frame(tables.readable(_chosen(rows, columns)))
    place = columns.index("severity")
    # A category is sorted by its rank and not by its letters.
    levels = pd.CategoricalDtype([word(level) for level in SEVERITIES], ordered=True)
    return read.assign(**{read.columns[place]: read.iloc[:, place].astype(levels)})


def _options(name: str) -> dict[str, Any]:
    """Return how the table is shown. Nothing in it is markup."""
    bare = {"footer": False}
    return {
        "allow_html": False,
        "maxBytes": 0,
        "showIndex": False,
        "autoWidth": False,
        "text_in_header_can_be_selected": False,
        "column_filters": "footer",
        # The footer is where columns are searched: no row of the table.
        "buttons": [
            {"extend": "csvHtml5", "text": t("Download CSV"), "filename": name, **bare},
            {"extend": "copyHtml5", "text": t("Copy"), "title": None, **bare},
        ],
        "layout": {"topStart": "buttons", "topEnd": "search", "bottomStart": "info"},
        "language": tables.words(),
    }
