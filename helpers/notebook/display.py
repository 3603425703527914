"""Show answers in a notebook as figure, text and table, and save their files."""

import base64
import html
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from helpers.answers import columns
from helpers.answers.answer import FIGURE, SEARCHABLE, TABLE, TEXT, Answer, encoded, message
from helpers.answers.chart_data import Bars, Chart, Waterfall, why_empty
from helpers.charts.look import Look
from helpers.comparability import confounders, scan_consistency, scanner_releases
from helpers.frames import UNKNOWN_COUNT
from helpers.notebook import tables
from helpers.text import escape, i18n
from helpers.text import html as html_text
from helpers.text.escape import ANSWER, STATIC
from helpers.text.i18n import ENGLISH, t, word
from helpers.text.rich import AND, Text, paragraph, strong
from helpers.text.titles import begun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN_PIXELS = 960
"""Width of a figure in a notebook; it has more pixels for dense screens."""

PLAIN_ROWS = 300
"""Maximum rows of a searchable table in a report; its file has all."""

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""Data and metadata of an output, by MIME type."""


def _unlike(images: pd.DataFrame) -> Sequence[str]:
    """Return how images differ, and whether they were scanned differently."""
    return [
        confounders.mark(confounders.confounders(images)),
        scan_consistency.mark(images),
        scanner_releases.mark(images),
    ]


class Setting(NamedTuple):
    """The setting of an answer: study, images, language and look.

    For footers, `coverage` returns how much of the images was scanned, `lens_evidence` other
    evidence of a count, and `unlike` how the images differ. Answers write their files into
    `folder`. `captures` names captures that the frame does not; `of` replaces the study's name.
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
    """An answer in a notebook: shows figure, text and table, and has their data.

    An empty figure is replaced by a text with the reason.
    """

    why_empty: str
    """Why the figure is empty; empty if it is not."""

    _first_searchable = ""

    def __init__(self, answer: Answer, setting: Setting) -> None:
        self.setting = setting
        self._picture: Picture | None = None
        if answer.table is not None:
            # The user may change this frame, and later answers may share it.
            answer = answer._replace(table=answer.table.copy(deep=False))
        with i18n.speaking(setting.language):
            answer = answer._replace(title=message(answer))
            self.why_empty = why_empty(answer.chart)
            if self.why_empty:
                text = answer.text + paragraph(self.why_empty)
                answer = answer._replace(title="", text=text)
            elif answer.title and answer.chart is None and not answer.talks:
                # Neither a figure nor a slide shows it.
                answer = answer._replace(text=paragraph(strong(answer.title)) + answer.text)
            self.answer = answer
            if setting.folder:
                self.save(setting.folder)

    def __repr__(self) -> str:
        return f"<answer {self.name!r}: {self.title or self.text.plain.partition(chr(10))[0]}>"

    @property
    def name(self) -> str:
        """Return the name of the answer's files."""
        return self.answer.name

    @property
    def title(self) -> str:
        """Return the message in one line; without a figure or slide it also begins the text."""
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
    def columns(self) -> pd.DataFrame:
        """Return one row a column of the table: `column, dtype, meaning`, with its unit."""
        return columns.described(self.table)

    @property
    def chart(self) -> Chart | None:
        """Return the figure's data; `None` for an answer without a figure."""
        return None if self.why_empty else self.answer.chart

    @cached_property
    def subtitle(self) -> str:
        """What the figure shows, and under which conditions."""
        with i18n.speaking(self.setting.language):
            return subtitle(self.answer, self.setting)

    @cached_property
    def footer(self) -> str:
        """The provenance of the numbers, on one line."""
        with i18n.speaking(self.setting.language):
            return footer(self.answer, self.setting)

    def figure(self, title: str = "") -> Picture:
        """Return the figure, with another title if given.

        Raises `ValueError` if the answer has none; it says why.
        """
        self._charted()
        if self._picture is not None and not title:
            return self._picture
        # Imported late: only drawing needs matplotlib.
        from helpers.charts import figure

        shown = title or self.title
        with i18n.speaking(self.setting.language):
            picture = Picture(figure.png(self._drawn(shown)), shown)
        if not title:
            self._picture = picture
        return picture

    @property
    def caption(self) -> str:
        """What stands below the title and at the foot of the figure, as two lines of text."""
        return f"{self.subtitle}\n{self.footer}" if self.chart else ""

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the figure without its words on axes, by default matplotlib's current ones.

        Return the axes. Letters are as large as they have room for. Title and caption are the
        user's to set: `ax.set_title(answer.title)`. Raises `ValueError` as `figure` does.
        """
        chart = self._charted()
        # Imported late: only drawing needs matplotlib.
        from helpers.charts import frame_charts, theme

        if ax is None:
            from matplotlib import pyplot as plt

            ax = plt.gca()
        with i18n.speaking(self.setting.language):
            frame_charts.draw(chart, ax)
        theme.dress_axes(ax, self.setting.look)
        return ax

    def save(self, folder: str | Path) -> list[Path]:
        """Write `figures/NAME.png`, `figures/NAME.svg` and `tables/NAME.csv` into a folder.

        Return the files' paths: none of a figure or a table that the answer does not have.
        Numbers are not rounded.
        """
        with i18n.speaking(self.setting.language):
            return [*self._save(Path(folder).expanduser())]

    def outputs(self) -> list[Bundle]:
        """Return what a notebook shows: a bundle each for figure, text and table."""
        with i18n.speaking(self.setting.language):
            table = SEARCHABLE if self._is_searchable else TABLE
            kinds = {FIGURE: self._figure(), TEXT: self._text(), table: self._table()}
            parts = {kind: bundle for kind, bundle in kinds.items() if bundle}
            (data, metadata), *rest = parts.values() or [({"text/plain": ""}, {})]
            footer, said = (self.footer, self.subtitle) if self.chart else ("", "")
            record = encoded(self.answer, footer, [*parts], said)
            return [({**data, ANSWER: record}, metadata), *rest]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for data, metadata in self.outputs():
            display(data, metadata=metadata, raw=True)

    def _charted(self) -> Chart:
        if self.chart is None:
            why = self.why_empty or self.text.plain.partition("\n")[0]
            raise ValueError(f"the answer {self.name!r} has no figure{why and f': {why}'}")
        return self.chart

    def _drawn(self, title: str) -> "Figure":
        from helpers.charts import figure

        return figure.figure(
            self._charted(), title, self.footer, self.setting.look, subtitle=self.subtitle
        )

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
            # Text or reason say more than an empty table.
            return None
        if self._is_searchable:
            return self._searchable(rows), {}
        text = tables.to_html(rows, table)
        if self.chart:
            summary = html.escape(t("Data: {name}", name=self.name))
            text = f"<details><summary>{summary}</summary>{text}</details>"
        return _data(text, tables.readable(rows.head(PLAIN_ROWS)).to_string(max_rows=20)), {}

    def _searchable(self, rows: pd.DataFrame) -> dict[str, str]:
        """Return a searchable table from itables, and its first rows as a plain table."""
        # Imported late: only searchable tables need it.
        from itables import options, to_html_datatable
        from itables.javascript import generate_init_offline_itables_html

        # The library is a megabyte, so a notebook has it once, with its first table.
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
        """Return how many rows are shown, if not all, and where all are."""
        rows, file = len(self.table), f"tables/{self.name}.csv"
        if shown >= rows:
            return ""
        more = t(
            "{shown:,} of {rows:,} rows; a run saves all in {file}.",
            shown=shown,
            rows=rows,
            file=file,
        )
        return f"<p>{more}</p>"

    def _save(self, folder: Path) -> Iterator[Path]:
        if self.chart:
            from helpers.charts import figure

            drawn = self._drawn(self.title)
            self._picture = Picture(figure.png(drawn), self.title)
            yield _write(folder / "figures" / f"{self.name}.png", self._picture.png)
            yield _write(folder / "figures" / f"{self.name}.svg", figure.svg(drawn))
        if self.answer.table is not None:
            text = escape.csv_frame(self.answer.table).to_csv(index=False, lineterminator="\n")
            yield _write(folder / "tables" / f"{self.name}.csv", text.encode())


def _data(text: str, plain: str) -> dict[str, Any]:
    """Return HTML, and a plain text as fallback."""
    return {"text/html": html_text.without_math(text), "text/plain": plain}


def subtitle(answer: Answer, setting: Setting) -> str:
    """Return what a figure shows and under which conditions, on one line.

    What is counted or measured, its captures, and how much of the images a scanner looked at.
    """
    images = _images(answer, setting)
    # Charts without an axis do not say what they measure.
    match answer.chart:
        case Bars(axis=axis) | Waterfall(across=axis):
            pass
        case _:
            axis = ""
    parts = [axis or word(answer.counted)]
    named = images["capture"][images["capture"].ne("")]
    if setting.captures or named.nunique() == 1:
        parts.append(t("capture {captures}", captures=setting.captures or _distinct(named)))
    elif len(named):
        parts.append(t("captures {captures}", captures=_distinct(named)))
    if answer.by_scanner and answer.counted:
        parts.append(setting.coverage())
    return escape.plain(begun(" · ".join(filter(None, parts))))


def footer(answer: Answer, setting: Setting) -> str:
    """Return where a figure's numbers come from, on one line.

    The study; of what a scanner counted what else the count rests on, scanner, database and scan
    date; then where else it comes from, what makes the images unlike, and whether they were not
    scanned alike.
    """
    images = _images(answer, setting)
    parts = [setting.of or t("study {study}", study=setting.study)]
    if answer.by_scanner:
        parts += _scanned(answer, setting, images)
    parts += [word(answer.source), *setting.unlike(images)]
    return escape.plain(" · ".join(filter(None, parts)))


def _images(answer: Answer, setting: Setting) -> pd.DataFrame:
    """Return the images that an answer is about."""
    images = setting.images
    return images[images["variant"].isin(answer.variants)] if answer.variants else images


def _scanned(answer: Answer, setting: Setting, images: pd.DataFrame) -> Iterator[str]:
    """Yield with which scanner and database, and when, something was counted."""
    yield _scanners(images)
    day = _times(images["db_updated_at"])
    scanned_images = images[~images["status"].isin(UNKNOWN_COUNT)]
    if not day or scanned_images["db_updated_at"].isna().any():
        day = word(AND).join(filter(None, (day, t("unknown date"))))
    is_partial = images["db_coverage"].str.startswith("partial").any()
    yield t("partial DB of {day}", day=day) if is_partial else t("DB of {day}", day=day)
    scanned = _distinct(images["scanned_at"].dt.strftime("%Y-%m-%d"))
    if scanned and scanned != day:
        yield t("scanned {days}", days=scanned)
    if answer.counted:
        yield setting.lens_evidence()


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
"""A footer names only the first and the last of more days, captures or scanners."""


def _distinct(values: pd.Series) -> str:
    found = sorted(values.dropna().astype("str").unique())
    if len(found) > _MANY:
        return t("{first} to {last} ({count:,})", first=found[0], last=found[-1], count=len(found))
    return word(AND).join(found)


def _times(times: pd.Series) -> str:
    """Return the times of databases, or the day for midnight."""
    return _distinct(times.dt.strftime("%Y-%m-%d %H:%M UTC").str.removesuffix(" 00:00 UTC"))


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
