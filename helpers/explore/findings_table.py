"""The explore notebook's table of findings: searched, sorted, filtered by a bar, downloaded."""

from typing import Any

import ipywidgets as widgets
import pandas as pd

from helpers.explore import selection
from helpers.explore.clickable_figure import Bar
from helpers.frames import SEVERITIES
from helpers.notebook import tables
from helpers.text import escape
from helpers.text.i18n import t, word

MOST_ROWS = 5_000
"""Rows that go to the browser; of more the first, which are the most severe."""

PLAIN_ROWS = 50
"""Rows of the plain table, where no widget can be."""

EVERY: tuple[()] = ()


class Finder:
    """Shows rows of findings; `bar` is the bar of the breakdown that they are of, if any."""

    def __init__(self) -> None:
        # Only who shows such a table pays for the library.
        from itables.widget import ITable

        self._rows = pd.DataFrame()
        self._picked = self._rows
        self.bar = widgets.Dropdown(
            options=[("", EVERY)],
            description=t("only the bar"),
            style={"description_width": "6rem"},
            layout=widgets.Layout(width="30rem"),
        )
        self.clear = widgets.Button(description=t("✕ clear"), disabled=True)
        self.clear.on_click(lambda _: self.choose())
        self._status = widgets.HTML()
        self.table = ITable(_shown(pd.DataFrame(columns=selection.COLUMNS)), **_options())
        self._box = widgets.VBox(
            [widgets.Box([self.bar, self.clear, self._status]), self.table],
            layout=widgets.Layout(width="100%", overflow="auto"),
        )

    @property
    def rows(self) -> pd.DataFrame:
        """Return the findings that are in the table."""
        return self._picked

    def show(self, rows: pd.DataFrame, bars: list[Bar]) -> None:
        """Show rows of findings, all of them, and offer bars to choose from."""
        self._rows = rows
        offered = [(bar.label, (bar.variant, bar.severity)) for bar in bars]
        with self.bar.hold_trait_notifications():
            self.bar.options = [(t("all bars"), EVERY), *offered]
            self.bar.value = EVERY
        self._fill()

    def choose(self, variant: str = "", severity: str = "") -> None:
        """Show the rows of one bar; without one, all."""
        wanted = (variant, severity) if variant else EVERY
        if any(wanted == value for _, value in self.bar.options):
            self.bar.value = wanted
        self._fill()

    def _fill(self) -> None:
        variant, severity = self.bar.value or ("", "")
        self._picked = selection.picked(self._rows, variant, severity)
        counts = {"rows": len(self._picked), "all": len(self._rows)}
        text = t("{rows:,} of {all:,} rows", **counts)
        if len(self._picked) > MOST_ROWS:
            text = t("the first {most:,} of {rows:,} rows", most=MOST_ROWS, **counts)
        self._status.value = f'<span role="status">{text}</span>'
        self.clear.disabled = not variant
        self.table.update(_shown(self._picked.head(MOST_ROWS)), **_options())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        # The plain table is for where no widget can be: a copy that ran headless, a web page.
        first = _columns(self._picked.head(PLAIN_ROWS))
        counts = {"rows": len(first), "all": len(self._picked)}
        more = f"<p>{t('{rows:,} of {all:,} rows', **counts)}</p>"
        data: dict[str, Any] = self._box._repr_mimebundle_(**kwargs)
        return {**data, "text/html": tables.to_html(first) + more}


def _columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that have room; a finding without a fix says so."""
    shown = rows[selection.COLUMNS]
    shown = shown.assign(fixed_version=shown["fixed_version"].fillna(t("no fix")))
    # Otherwise the heading would be that of what others published.
    return shown.rename(columns={"published_at": "published_on"})


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows as they are in the table, and in what is downloaded of it: inert in both."""
    read = escape.csv_frame(tables.readable(_columns(rows)))
    place = selection.COLUMNS.index("severity")
    # A category is sorted by its rank and not by its letters.
    levels = pd.CategoricalDtype([word(level) for level in SEVERITIES], ordered=True)
    return read.assign(**{read.columns[place]: read.iloc[:, place].astype(levels)})


def _options() -> dict[str, Any]:
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
            {"extend": "csvHtml5", "text": t("Download CSV"), "filename": "findings", **bare},
            {"extend": "copyHtml5", "text": t("Copy"), "title": None, **bare},
        ],
        "layout": {"topStart": "buttons", "topEnd": "search", "bottomStart": "info"},
        "language": tables.words(),
    }
