"""What a notebook shows: figures, tables and sentences, and their files where a folder is named."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from helpers import paths
from helpers.charts import chart_data, look, rendering
from helpers.comparability import confounders, scan_consistency
from helpers.notebook import tables
from helpers.text import escape
from helpers.text.escape import FIGURE, STATIC
from helpers.text.i18n import msg, room, t, word, wrap
from helpers.text.markdown import AND, listed

SHOWN_PIXELS = 960
"""Width of a figure in a notebook; it has more pixels, so that it is sharp on a dense screen."""

TITLE_WIDTH = 58
"""Columns of the title, in English, that fit on a line of a figure."""

FOOTER_WIDTH = 124
"""Columns of the footer, in English, that fit on a line of a figure."""

_FOOTER_SIZE = 14

PLAIN_ROWS = 300
"""Rows of a searchable table in a report, at most; its file has all."""


class Searchable:
    """A table that itables makes searchable, and the beginning of it as a plain one."""

    def __init__(self, shown: pd.DataFrame, rows: int, file: str, with_library: bool) -> None:
        self.plain = tables.to_html(shown.head(PLAIN_ROWS)) + _more(PLAIN_ROWS, rows, file)
        self.frame = tables.readable(shown)
        self.note = _more(len(shown), rows, file)
        self.with_library = with_library

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        # Only who shows such a table pays for the library.
        from itables import options, to_html_datatable
        from itables.javascript import generate_init_offline_itables_html

        library = ""
        if self.with_library:
            library = generate_init_offline_itables_html(options.dt_bundle)
        table = to_html_datatable(
            self.frame,
            connected=False,
            allow_html=False,
            # All rows, and not only as many as fit into 64 kB.
            maxBytes=0,
            showIndex=False,
            language=tables.words(),
            layout={"topStart": "pageLength", "topEnd": "search"},
        )
        return {"text/html": library + table + self.note, STATIC: self.plain}


class Shown:
    """A figure: its picture, its message as alternative text, and what slides need of it.

    That is its `name` (of its files), `title`, `lens` and `footer`, its `chart` as `native` has it,
    and `between` which shares of the height, from below, the picture is without title and footer.
    """

    def __init__(self, png: bytes, title: str, told: dict[str, Any]) -> None:
        self.png, self.alt, self.told = png, title, told

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data = {"image/png": base64.b64encode(self.png).decode(), FIGURE: self.told}
        shown = {"width": SHOWN_PIXELS, "alt": self.alt}
        return {**data, "text/plain": self.alt}, {"image/png": shown}


class Exhibits:
    """Shows frames of one study; with a folder it also leaves `figures/` and `tables/` in it.

    With `quick`, pictures have half the pixels: they are soon followed by others.
    """

    _first_searchable = ""

    def __init__(
        self,
        study: str,
        images: pd.DataFrame,
        save_to: str = "",
        lens: str = "",
        seen: str = "",
        quick: bool = False,
    ) -> None:
        self.study = study
        self.images = images
        self.lens = lens
        self.seen = seen
        self.quick = quick
        self.folder = Path(save_to).expanduser() if save_to else None

    def figure(
        self,
        name: str,
        chart: Callable[..., Axes],
        frame: pd.DataFrame,
        title: str,
        source: str = "",
        lens: str | None = None,
        without: str = "",
        of_scan: bool = True,
        **options: Any,
    ) -> Shown | Markdown:
        """Return a chart of a frame as a picture; save it as PNG and SVG, the frame as CSV.

        `title` says what the figure shows and is its alternative text; `options` go to the chart;
        `source` adds to the footer where numbers come from elsewhere than the scanner; `lens` says
        what is counted, if not what all of the exhibits count; `without` is said in place of a
        chart of a frame without rows; `of_scan` is false for what no scanner counted.
        """
        if without and frame.empty:
            return self.say(word(without))
        with mpl.rc_context(look.settings(), fname=paths.STYLE):
            figure = Figure()
            axes = chart(frame, figure.subplots(), **options)
            head = figure.suptitle(_wrapped(title), x=0.012, ha="left")
            counted = word(self.lens if lens is None else lens)
            seen = self.seen if of_scan else ""
            told = footer(self.study, self.images, source, counted, seen)
            foot = _place_footer(figure, told)
            rendering.lay_out(figure)
            # Before anything is drawn: a format has letters of its own width and height.
            between = [_share(foot, "y1"), _share(head, "y0")]
            look.dress(figure)
            data = chart_data.encoded(chart_data.read(chart, frame, axes, options))
            png = rendering.quick(figure) if self.quick else rendering.png(figure)
            if self.folder:
                _write(self.folder / "figures" / f"{name}.png", png)
                _write(self.folder / "figures" / f"{name}.svg", rendering.svg(figure))
                self._save(name, frame)
        about = {"name": name, "title": title, "lens": counted, "footer": " ".join(told.split())}
        return Shown(png, title, {**about, "chart": data, "between": between})

    def table(self, name: str, frame: pd.DataFrame) -> HTML:
        """Return a frame as a table for readers; save it as CSV, unrounded, for programs."""
        if self.folder:
            self._save(name, frame)
        return HTML(tables.to_html(frame))

    def searchable(
        self, name: str, frame: pd.DataFrame, shown: pd.DataFrame | None = None
    ) -> Searchable:
        """Return a frame as a table that can be searched and sorted; save it as CSV.

        `shown` is what is in the table if that is not all that is in the file. The table works
        offline. Where scripts do not run, as in the report, it is the beginning of a plain one.
        """
        told = frame if shown is None else shown
        if self.folder:
            self._save(name, frame)
        # The library is a megabyte: a notebook holds it once, with the table that was first.
        Exhibits._first_searchable = Exhibits._first_searchable or name
        first = name == Exhibits._first_searchable
        return Searchable(told, len(frame), f"tables/{name}.csv", first)

    @staticmethod
    def say(sentence: str) -> Markdown:
        """Return a computed sentence."""
        return Markdown(sentence)

    def _save(self, name: str, frame: pd.DataFrame) -> None:
        assert self.folder is not None
        text = escape.csv_frame(frame).to_csv(index=False, lineterminator="\n")
        _write(self.folder / "tables" / f"{name}.csv", text.encode())


def _more(shown: int, rows: int, file: str) -> str:
    """Return how many of a table's rows are shown, if not all, and where all are."""
    if shown >= rows:
        return ""
    told = t(
        "{shown:,} of {rows:,} rows; a run's {file} has all.", shown=shown, rows=rows, file=file
    )
    return f"<p>{told}</p>"


def footer(
    study: str, images: pd.DataFrame, source: str = "", lens: str = "", seen: str = ""
) -> str:
    """Return where a figure's numbers come from: study, capture, lens, scanner, DB and scan date.

    `source` is where else they come from, `seen` how much of the images was looked at. It also says
    what makes the images unlike, and whether they were not scanned alike. Several lines where one
    is too short.
    """
    parts = [t("study {study}", study=study)]
    if captures := _distinct(images["capture"][images["capture"].ne("")]):
        parts.append(t("capture {captures}", captures=captures))
    if lens:
        parts.append(t("lens: {lens}", lens=word(lens)))
        parts.append(seen)
    parts.append(_scanners(images))
    of = _times(images["db_updated_at"]) or word(msg("unknown date"))
    is_partial = images["db_coverage"].str.startswith("partial").any()
    parts.append(t("partial DB of {day}", day=of) if is_partial else t("DB of {day}", day=of))
    if scanned := _days(images["scanned_at"]):
        parts.append(t("scanned {days}", days=scanned))
    parts += [
        word(source),
        confounders.mark(confounders.confounders(images)),
        scan_consistency.mark(images),
    ]
    text = escape.plain(" · ".join(filter(None, parts)))
    return "\n".join(wrap(text, room(FOOTER_WIDTH)))


def _share(text: Text, edge: str) -> float:
    """Return how high up an edge of a text is, as a share of its figure's height."""
    figure = text.get_figure(root=True)
    assert figure is not None
    return float(getattr(text.get_window_extent(), edge) / figure.bbox.height)


def _place_footer(figure: Figure, text: str) -> Text:
    told = figure.text(0.012, 0.012, text, size=_FOOTER_SIZE, color="#666666")
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    height = 0.025 + 0.028 * (1 + text.count("\n"))
    engine.set(rect=(0, height, 1, 1 - height))
    return told


def _scanners(images: pd.DataFrame) -> str:
    known = images[["scanner", "scanner_version"]].dropna(subset="scanner").drop_duplicates()
    told = [
        t("{scanner} of unknown version", scanner=row.scanner.capitalize())
        if pd.isna(row.scanner_version)
        else f"{row.scanner.capitalize()} {row.scanner_version}"
        for row in known.itertuples()
    ]
    return listed(sorted(told), AND) or word(msg("no scanner"))


def _wrapped(title: str) -> str:
    """Return a title on two lines at most; a slide has no room for a third."""
    lines = wrap(escape.plain(title), room(TITLE_WIDTH))
    return "\n".join(lines[:2]) + (" …" if len(lines) > 2 else "")


def _distinct(values: pd.Series) -> str:
    return listed(sorted(values.dropna().astype("str").unique()), AND)


def _times(times: pd.Series) -> str:
    """Return the times of databases, of which there are several a day; for midnight the day."""
    return _distinct(times.dt.strftime("%Y-%m-%d %H:%M UTC").str.removesuffix(" 00:00 UTC"))


def _days(times: pd.Series) -> str:
    return _distinct(times.dt.strftime("%Y-%m-%d"))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
