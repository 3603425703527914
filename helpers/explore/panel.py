"""What the explore notebook shows: widgets, and pictures and a table that follow them at once."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
from matplotlib.axes import Axes

from helpers.charts import bar_charts, growth_curves, upset
from helpers.comparability import confounders, scan_consistency
from helpers.errors import KitError
from helpers.explore import selection, upload
from helpers.explore.clickable_figure import Picture, bars
from helpers.explore.controls import Controls
from helpers.explore.findings_table import Finder
from helpers.explore.selection import View
from helpers.explore.upload import Dropzone
from helpers.frames import Frames
from helpers.notebook import tables
from helpers.notebook.display import Exhibits, Shown
from helpers.studies import load
from helpers.studies.study import open_study
from helpers.surface import scan_coverage
from helpers.text.i18n import t
from helpers.vulnerabilities import counting, growth, overlap


class Panel:
    """Shows a study: `controls` to choose on, and what follows them.

    `breakdown`, `table`, `overlap` and `growth` each show in a cell of their own; `frames` are the
    study's capture and the own reports, `view` what is shown of them. Raises `StudyInvalid` for a
    study that is not there or of which nothing was recorded.
    """

    def __init__(self, study: str) -> None:
        self._study = open_study(study)
        self._study.facts()
        self._own: dict[str, Frames] = {}
        self._capture = ""
        self.choose = Controls(self._study, self._open, self._refresh)
        self.drop = Dropzone(
            t("Drop Trivy or Grype reports here (JSON, also gzipped), or choose files"), self._take
        )
        self.path = widgets.Text(
            placeholder=t("or the path of one on this machine, and Enter"),
            continuous_update=False,
            layout=widgets.Layout(width="26rem"),
        )
        self.path.observe(self._take_path, "value")
        self.forget = widgets.Button(
            description=t("Remove own reports"),
            disabled=True,
            layout=widgets.Layout(width="auto"),
        )
        self.forget.on_click(lambda _: self._forget_own())
        self.said, self.marks, self.about = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._refused: list[str] = []
        self.breakdown, self.overlap, self.growth = Picture(), Picture(), Picture()
        self.table = Finder()
        self.breakdown.observe(self._press, "pressed")
        self.table.bar.observe(self._choose_bar, "value")
        self._open()

    @property
    def controls(self) -> widgets.Widget:
        """Return the widgets to choose on, and the images that are compared."""
        row = widgets.Box(
            [self.drop, self.path, self.forget],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center"),
        )
        return _Controls([self.choose.box, row, self.said, self.marks, self.about])

    def _open(self) -> None:
        """Open the study and capture that are chosen; if they cannot be, say so and keep all."""
        wanted = self.choose.study.value
        same = wanted == self._study.name
        capture = (self.choose.capture.value or "") if same else ""
        try:
            study = open_study(wanted)
            loaded = load.load_study(study.name, capture)
            files = load.load_files(study.name, capture)
        except KitError as error:
            self.choose.return_to(self._study.name, self._capture)
            self._refuse(error)
            return
        self._forgive()
        self._study, self._loaded, self._files = study, loaded, files
        if not same or not capture:
            self.choose.offer_captures(study, capture)
        self._capture = self.choose.capture.value
        self._join()

    def _join(self, *new: str) -> None:
        """Join own reports to the study's, and show what is chosen of both."""
        taken: list[str] = self._loaded.images["variant"].tolist()
        own = []
        for name, one in self._own.items():
            told = upload.variant(name, taken)
            own.append(Frames(*(part.assign(variant=told) for part in one)))
            taken.append(told)
        self.frames: Frames = selection.joined(self._loaded, own)
        self.forget.disabled = not own
        self.choose.offer_variants(taken, new)
        self._refresh()

    def _refresh(self) -> None:
        """Show what is chosen: figures, table and images."""
        choice = self.choose.choice
        try:
            view = selection.view(self.frames, choice)
        except KitError as error:
            self._refuse(error)
            return
        self.view: View = view
        own = [name for name in view.images["variant"] if name in self._own]
        of_own = t("own reports: {names}", names=", ".join(own)) if own else ""
        source = " · ".join(filter(None, (of_own, view.left_out)))
        packages = self.frames.packages
        of = packages["variant"].isin(view.images["variant"])
        seen = scan_coverage.mark(scan_coverage.coverage(self._files, view.images, packages[of]))
        show = Exhibits(self._study.name, view.images, "", choice.label, seen, quick=True)
        axes: list[Axes] = []

        def draw(counts: pd.DataFrame, ax: Axes, **options: Any) -> Axes:
            axes.append(bar_charts.severity_breakdown(counts, ax, **options))
            return ax

        picture = _figure(show, draw, view.counts, view.title, source, counted=choice.label)
        drawn = bars(axes[0], view.counts)
        self.breakdown.show(picture, drawn)
        self.table.show(view.rows, drawn)
        marks = scan_consistency.mark(view.images), view.left_out, view.off_curve
        self.marks.value = _as_text("\n".join(filter(None, marks)), "note", "inherit")
        told = counting.overview(view.images).drop(columns="capture")
        self.about.value = f'<div class="kit-table">{tables.to_html(told)}</div>'
        # They are further down: what is looked at first comes first.
        self._draw_others(show, view, source)

    def _draw_others(self, show: Exhibits, view: View, source: str) -> None:
        choice = self.choose.choice
        what = choice._replace(lens=choice.lens._replace(counted="vulnerabilities")).label
        shared, named = overlap.combinations(view.listing), overlap.variants(view.listing)
        title = overlap.headline(view.listing)
        options: dict[str, Any] = {"variants": named, "counted": what, "lens": what}
        self.overlap.show(_figure(show, upset.overlap, shared, title, source, **options))
        what = choice._replace(lens=choice.lens._replace(known_by="")).label
        options = {
            "ends": confounders.ends(confounders.confounders(view.images)),
            "events": self._study.events,
            "complete": self._study.known_by,
            "counted": what,
            "lens": what,
        }
        title = growth.headline(view.curve, choice.lens)
        self.growth.show(_figure(show, growth_curves.growth, view.curve, title, source, **options))

    def _press(self, _: Any) -> None:
        variant, severity = self.breakdown.pressed or ("", "")
        self.table.choose(variant, severity)

    def _choose_bar(self, _: Any) -> None:
        self.breakdown.pressed = [*self.table.bar.value]

    def _take(self, name: str, file: Path) -> None:
        """Let a report that was dropped join the comparison, or say why it cannot."""
        try:
            found = upload.read(name, file, self.frames.images["variant"])
        except KitError as error:
            self._refuse(error)
            return
        told = str(found.images["variant"].iloc[0])
        self._own[told] = found
        self._join(told)

    def _take_path(self, change: dict[str, Any]) -> None:
        if given := str(change["new"]).strip():
            self._take(given, Path(given).expanduser())
            self.path.value = ""

    def _forget_own(self) -> None:
        self._own.clear()
        self._forgive()
        self._join()

    def _refuse(self, error: KitError) -> None:
        """Say what could not be done, beside what was refused before."""
        self._refused.append(str(error))
        self.said.value = _as_text("\n".join(self._refused), "alert", "#a3160b")

    def _forgive(self) -> None:
        """Say no more what was refused."""
        self._refused.clear()
        self.said.value = ""


def _as_text(text: str, role: str, colour: str) -> str:
    """Return a text, which may be anything, as text of a role and a colour; nothing for none."""
    lines = html.escape(text).replace("\n", "<br>")
    style = f"color: {colour}; overflow-wrap: anywhere"
    return f'<div role="{role}" style="{style}">{lines}</div>' if text else ""


class _Controls(widgets.VBox):  # type: ignore[misc]
    """Widgets, the last of which is a table of the images, which shows where no widget can be."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        data: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/html": self.children[-1].value}


def _figure(
    show: Exhibits,
    chart: Callable[..., Axes],
    frame: pd.DataFrame,
    title: str,
    source: str,
    **options: Any,
) -> Shown:
    shown = show.figure("explore", chart, frame, title, source, **options)
    assert isinstance(shown, Shown)
    return shown
