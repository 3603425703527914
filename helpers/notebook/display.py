"""How an answer shows itself in a notebook: figure, text and table, and its files."""

import base64
import html
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers.answers.answer import FIGURE, SEARCHABLE, TABLE, TEXT, Answer, encoded
from helpers.answers.chart_data import Chart, why_empty
from helpers.charts.look import Look
from helpers.comparability import confounders, scan_consistency, scanner_releases
from helpers.frames import UNKNOWN_COUNT
from helpers.notebook import tables
from helpers.text import escape, i18n
from helpers.text import html as html_text
from helpers.text.escape import ANSWER, STATIC
from helpers.text.i18n import ENGLISH, t, word
from helpers.text.rich import AND, Text, paragraph

SHOWN_PIXELS = 960
"""Width of a figure in a notebook; it has more pixels, so that it is sharp on a dense screen."""

PLAIN_ROWS = 300
"""Rows of a searchable table in a report, at most; its file has all."""

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""Data and metadata of an output, by MIME type."""


def _unlike(images: pd.DataFrame) -> Sequence[str]:
    """Return what makes images unlike, and whether they were not scanned alike."""
    return [
        confounders.mark(confounders.confounders(images)),
        scan_consistency.mark(images),
        scanner_releases.mark(images),
    ]


class Setting(NamedTuple):
    """What an answer is shown with: its study, the images it is about, a language and a look.

    For footers, `coverage` returns how much of the images the scanner looked at, and
    `lens_evidence` what a count rests on besides; `unlike` returns what marks images that are not
    alike. Files of answers are written into a `folder`. `captures` names them if the frame does
    not; `of` says what they are of, if that is no study.
    """

    study: str
    images: pd.DataFrame
    coverage: Callable[[], str] = str
    language: str = ENGLISH
    look: Look = Look()
    folder: Path | None = None
    captures: str = ""
    lens_evidence: Callable[[], str] = str
    of: str = ""
    unlike: Callable[[pd.DataFrame], Sequence[str]] = _unlike


class Picture:
    """A figure as a picture; its alternative text is its title."""

    def __init__(self, png: bytes, title: str) -> None:
        self.png, self.title = png, title

    def __repr__(self) -> str:
        return f"<Picture {self.title!r}>"

    def save(self, path: str | Path) -> None:
        """Write the picture as a PNG file."""
        Path(path).write_bytes(self.png)

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.title}
        return data, {"image/png": {"width": SHOWN_PIXELS, "alt": self.title}}


class ShownAnswer:
    """An answer in a notebook: it shows figure, text and table, and goes on as data.

    In place of a figure that would be empty, its text says why.
    """

    why_empty: str
    """Why a figure would be empty; empty if it would not be."""

    _first_searchable = ""

    def __init__(self, answer: Answer, setting: Setting) -> None:
        self.setting = setting
        self._picture: Picture | None = None
        if answer.table is not None:
            # Later answers may be of the same frame, and this one is the user's to change.
            answer = answer._replace(table=answer.table.copy(deep=False))
        with i18n.speaking(setting.language):
            self.why_empty = why_empty(answer.chart)
            if self.why_empty:
                text = answer.text + paragraph(self.why_empty)
                answer = answer._replace(title="", text=text)
            self.answer = answer
            if setting.folder:
                self._save(setting.folder)

    def __repr__(self) -> str:
        return f"<answer {self.name!r}: {self.title or self.text.plain.partition(chr(10))[0]}>"

    @property
    def name(self) -> str:
        """Return the name of the answer's files."""
        return self.answer.name

    @property
    def title(self) -> str:
        """Return the message in one line; empty for an answer without a figure."""
        return self.answer.title

    @property
    def text(self) -> Text:
        """Return what the answer means, as structured text."""
        return self.answer.text

    @property
    def table(self) -> pd.DataFrame:
        """Return the frame behind the answer, empty if there is none."""
        return pd.DataFrame() if self.answer.table is None else self.answer.table

    @property
    def chart(self) -> Chart | None:
        """Return what is drawn, as data; `None` for an answer without a figure."""
        return None if self.why_empty else self.answer.chart

    @cached_property
    def footer(self) -> str:
        """Where the numbers come from, on one line."""
        with i18n.speaking(self.setting.language):
            return footer(self.answer, self.setting)

    def figure(self, title: str = "") -> Picture:
        """Return the figure, under another title if one is given.

        Raises `ValueError` if the answer has none; it says why.
        """
        if self.chart is None:
            why = f": {self.why_empty}" if self.why_empty else ""
            raise ValueError(f"the answer {self.name!r} has no figure{why}")
        if self._picture is not None and not title:
            return self._picture
        # Only who draws waits for matplotlib.
        from helpers.charts import figure

        shown = title or self.title
        with i18n.speaking(self.setting.language):
            drawn = figure.figure(self.chart, shown, self.footer, self.setting.look)
            picture = Picture(figure.png(drawn), shown)
        if not title:
            self._picture = picture
        return picture

    def outputs(self) -> list[Bundle]:
        """Return what a notebook shows: a bundle each for figure, text and table."""
        with i18n.speaking(self.setting.language):
            table = SEARCHABLE if self._is_searchable else TABLE
            kinds = {FIGURE: self._figure(), TEXT: self._text(), table: self._table()}
            parts = {kind: bundle for kind, bundle in kinds.items() if bundle}
            (data, metadata), *rest = parts.values() or [({"text/plain": ""}, {})]
            record = encoded(self.answer, self.footer if self.chart else "", [*parts])
            return [({**data, ANSWER: record}, metadata), *rest]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for data, metadata in self.outputs():
            display(data, metadata=metadata, raw=True)

    def _figure(self) -> Bundle | None:
        return self.figure()._repr_mimebundle_() if self.chart else None

    def _text(self) -> Bundle | None:
        text = self.answer.text
        if not text and self.answer.lacks:
            text = paragraph(self.answer.lacks)
        if not text:
            return None
        return _data(html_text.of_text(text), text.plain), {}

    @property
    def _is_searchable(self) -> bool:
        return self.answer.searchable and len(self.table) > 0

    def _table(self) -> Bundle | None:
        table, shown = self.answer.table, self.answer.shown
        if table is None:
            return None
        rows = table if shown is None else shown
        if rows.empty and (self.answer.text or self.answer.lacks):
            # That there is nothing to list says less than they do.
            return None
        if self._is_searchable:
            return self._searchable(rows), {}
        text = tables.to_html(rows, table)
        if self.chart:
            summary = html.escape(t("Data: {name}", name=self.name))
            text = f"<details><summary>{summary}</summary>{text}</details>"
        return _data(text, tables.readable(rows.head(PLAIN_ROWS)).to_string(max_rows=20)), {}

    def _searchable(self, rows: pd.DataFrame) -> dict[str, str]:
        """Return a table that itables makes searchable, and the beginning of it as a plain one."""
        # Only who shows such a table pays for the library.
        from itables import options, to_html_datatable
        from itables.javascript import generate_init_offline_itables_html

        # The library is a megabyte: a notebook holds it once, with the table that was first.
        first = ShownAnswer._first_searchable = ShownAnswer._first_searchable or self.name
        library = (
            generate_init_offline_itables_html(options.dt_bundle) if first == self.name else ""
        )
        kept, left_out = tables.measured(rows, self.table)
        table = to_html_datatable(
            tables.readable(kept),
            connected=False,
            allow_html=False,
            # All rows, and not only as many as fit into 64 kB.
            maxBytes=0,
            showIndex=False,
            language=tables.words(),
            layout={"topStart": "pageLength", "topEnd": "search"},
        )
        plain = tables.to_html(rows.head(PLAIN_ROWS), self.table)
        text = f"{table}<p>{html.escape(left_out)}</p>{self._more(len(rows))}"
        static = plain + self._more(min(len(rows), PLAIN_ROWS))
        return {**_data(library + text, self.name), STATIC: static}

    def _more(self, shown: int) -> str:
        """Return how many of a table's rows are shown, if not all, and where all are."""
        rows, file = len(self.table), f"tables/{self.name}.csv"
        if shown >= rows:
            return ""
        more = t(
            "{shown:,} of {rows:,} rows; a run's {file} has all.", shown=shown, rows=rows, file=file
        )
        return f"<p>{more}</p>"

    def _save(self, folder: Path) -> None:
        """Write the answer's figure as PNG and SVG, and its table, unrounded, as CSV."""
        if self.chart:
            from helpers.charts import figure

            drawn = figure.figure(self.chart, self.title, self.footer, self.setting.look)
            self._picture = Picture(figure.png(drawn), self.title)
            _write(folder / "figures" / f"{self.name}.png", self._picture.png)
            _write(folder / "figures" / f"{self.name}.svg", figure.svg(drawn))
        if self.answer.table is not None:
            text = escape.csv_frame(self.answer.table).to_csv(index=False, lineterminator="\n")
            _write(folder / "tables" / f"{self.name}.csv", text.encode())


def _data(text: str, plain: str) -> dict[str, Any]:
    """Return HTML, and a text for where it is not shown."""
    return {"text/html": html_text.without_math(text), "text/plain": plain}


def footer(answer: Answer, setting: Setting) -> str:
    """Return where a figure's numbers come from, on one line.

    Study and capture; of what a scanner counted the lens, share looked at, what else the count
    rests on, scanner, database and scan date, of all else what was measured; then where else it
    comes from, what makes the images unlike, and whether they were not scanned alike.
    """
    images = setting.images
    if answer.variants:
        images = images[images["variant"].isin(answer.variants)]
    parts = [setting.of or t("study {study}", study=setting.study)]
    named = images["capture"][images["capture"].ne("")]
    if setting.captures or named.nunique() == 1:
        parts.append(t("capture {captures}", captures=setting.captures or _distinct(named)))
    elif len(named):
        parts.append(t("captures {captures}", captures=_distinct(named)))
    if answer.by_scanner:
        parts += _scanned(answer, setting, images)
    else:
        parts.append(word(answer.counted))
    parts += [word(answer.source), *setting.unlike(images)]
    return escape.plain(" · ".join(filter(None, parts)))


def _scanned(answer: Answer, setting: Setting, images: pd.DataFrame) -> Iterator[str]:
    """Yield what was counted, with which scanner and database, and when."""
    if answer.counted:
        yield t("lens: {lens}", lens=word(answer.counted))
        yield setting.coverage()
        yield setting.lens_evidence()
    yield _scanners(images)
    day = _times(images["db_updated_at"])
    scanned_images = images[~images["status"].isin(UNKNOWN_COUNT)]
    lost = int(scanned_images["db_updated_at"].isna().sum())
    if lost and lost < len(scanned_images):
        day += t(", of {count} not known", count=lost)
    is_partial = images["db_coverage"].str.startswith("partial").any()
    if day:
        yield t("partial DB of {day}", day=day) if is_partial else t("DB of {day}", day=day)
    else:
        yield t("partial DB of unknown date") if is_partial else t("DB of unknown date")
    if scanned := _distinct(images["scanned_at"].dt.strftime("%Y-%m-%d")):
        yield t("scanned {days}", days=scanned)


def _scanners(images: pd.DataFrame) -> str:
    known = images[["scanner", "scanner_version"]].dropna(subset="scanner").drop_duplicates()
    named = [
        t("{scanner} of unknown version", scanner=row.scanner.capitalize())
        if pd.isna(row.scanner_version)
        else f"{row.scanner.capitalize()} {escape.short(row.scanner_version, 40)}"
        for row in known.itertuples()
    ]
    return _distinct(pd.Series(named, dtype="str")) or t("no scanner")


_MANY = 4
"""Days, captures or scanners of which a footer names only the first and the last."""


def _distinct(values: pd.Series) -> str:
    found = sorted(values.dropna().astype("str").unique())
    if len(found) > _MANY:
        return t("{first} to {last} ({count:,})", first=found[0], last=found[-1], count=len(found))
    return word(AND).join(found)


def _times(times: pd.Series) -> str:
    """Return the times of databases, of which there are several a day; for midnight the day."""
    return _distinct(times.dt.strftime("%Y-%m-%d %H:%M UTC").str.removesuffix(" 00:00 UTC"))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
