"""What the explore notebook shows: widgets, and pictures and a table that follow them at once."""

import html
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from helpers.answers.answer import Answer
from helpers.answers.chart import why_empty
from helpers.charts import figure
from helpers.charts.look import LIGHT, Look
from helpers.comparability import confounders, scan_consistency
from helpers.errors import KitError
from helpers.explore import selection, upload
from helpers.explore.clickable_figure import Bar, Picture, bars
from helpers.explore.controls import Controls
from helpers.explore.findings_table import Finder
from helpers.explore.selection import View
from helpers.explore.upload import Dropzone
from helpers.frames import Frames
from helpers.notebook import tables
from helpers.notebook.display import Setting, footer
from helpers.studies import load
from helpers.studies.study import open_study
from helpers.surface import scan_coverage
from helpers.text import i18n
from helpers.text.i18n import ENGLISH, t
from helpers.vulnerabilities import counting, growth, overlap
from helpers.vulnerabilities.lenses import VULNERABILITIES

_ALERT = "alert"
"""The role of a text that says what failed."""


class Panel:
    """Shows a study: `controls` to choose on, and what follows them.

    `breakdown`, `table`, `overlap` and `growth` each show in a cell of their own; `frames` are the
    study's capture and the user's reports, `view` what is shown of them. The notebook's kernel
    speaks the language from then on. Raises `StudyInvalid` for a study that does not exist or has
    no capture, `ParameterInvalid` and `FontMissing`.
    """

    def __init__(self, study: str, language: str = ENGLISH, theme: str = LIGHT) -> None:
        self._look = Look(theme)
        i18n.use(language)
        i18n.fonts()
        self._study = open_study(study)
        self._study.facts()
        self._reports: dict[str, Frames] = {}
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
        self.forget.on_click(lambda _: self._forget_reports())
        self.errors, self.marks, self.about = widgets.HTML(), widgets.HTML(), widgets.HTML()
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
        return _Controls([self.choose.box, row, self.errors, self.marks, self.about])

    def _open(self) -> None:
        """Open the chosen study and capture; if that fails, say so and keep everything."""
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
        """Join the user's reports to the study's, and show what is chosen of both."""
        names: list[str] = self._loaded.images["variant"].tolist()
        reports = []
        for name, frames in self._reports.items():
            variant = upload.variant(name, names)
            reports.append(Frames(*(part.assign(variant=variant) for part in frames)))
            names.append(variant)
        self.frames: Frames = selection.joined(self._loaded, reports)
        self.forget.disabled = not reports
        self.choose.offer_variants(names, new)
        self._refresh()

    def _refresh(self) -> None:
        """Show what is chosen: figures, table and images."""
        try:
            view = selection.view(self.frames, self.choose.choice)
        except KitError as error:
            self._refuse(error)
            return
        self.view: View = view
        setting = self._setting(view)
        breakdown, *others = self._answers(view)
        buttons = self._show(self.breakdown, breakdown, setting)
        self.table.show(view.rows, buttons)
        marks = scan_consistency.mark(view.images), view.left_out, view.off_curve
        self.marks.value = _as_text("\n".join(filter(None, marks)), "note")
        images = counting.overview(view.images).drop(columns="capture")
        self.about.value = f'<div class="kit-table">{tables.to_html(images)}</div>'
        # They are further down: what is looked at first comes first.
        for picture, answer in zip((self.overlap, self.growth), others, strict=True):
            self._show(picture, answer, setting)

    def _answers(self, view: View) -> list[Answer]:
        """Return what breakdown, overlap and growth show of a view."""
        choice = self.choose.choice
        named = [name for name in view.images["variant"] if name in self._reports]
        reports = t("own reports: {names}", names=", ".join(named)) if named else ""
        source = " · ".join(filter(None, (reports, view.left_out)))
        distinct = choice._replace(lens=choice.lens._replace(counted=VULNERABILITIES)).label
        undated = choice._replace(lens=choice.lens._replace(known_by="")).label
        ends = confounders.ends(confounders.confounders(view.images))
        events, complete = self._study.events, self._study.known_by
        return [
            Answer("explore", title, chart=chart, counted=counted, source=source)
            for title, chart, counted in (
                (view.title, counting.severity_bars(view.counts, choice.label), choice.label),
                (overlap.headline(view.listing), overlap.chart(view.listing, distinct), distinct),
                (
                    growth.headline(view.curve, choice.lens),
                    growth.chart(view.curve, ends, undated, events, complete),
                    undated,
                ),
            )
        ]

    def _setting(self, view: View) -> Setting:
        """Return what footers need of the images that are shown."""
        packages = self.frames.packages
        packages = packages[packages["variant"].isin(view.images["variant"])]
        mark = scan_coverage.mark(scan_coverage.coverage(self._files, view.images, packages))
        return Setting(self._study.name, view.images, lambda: mark)

    def _show(self, picture: Picture, answer: Answer, setting: Setting) -> list[Bar]:
        """Show an answer's figure, or why there is none; return the bars of a breakdown.

        The picture has half the pixels: others soon follow it.
        """
        assert answer.chart is not None
        if why := why_empty(answer.chart):
            picture.explain(why)
            return []
        drawn = figure.figure(answer.chart, answer.title, footer(answer, setting), self._look)
        buttons = bars(answer.chart, drawn)
        picture.show(figure.quick(drawn), answer.title, buttons)
        return buttons

    def _press(self, _: Any) -> None:
        variant, severity = self.breakdown.pressed or ("", "")
        self.table.choose(variant, severity)

    def _choose_bar(self, _: Any) -> None:
        self.breakdown.pressed = [*self.table.bar.value]

    def _take(self, name: str, file: Path) -> None:
        """Let a report that was dropped join the comparison, or say why it cannot."""
        try:
            frames = upload.read(name, file, self.frames.images["variant"])
        except KitError as error:
            self._refuse(error)
            return
        variant = str(frames.images["variant"].iloc[0])
        self._reports[variant] = frames
        self._join(variant)

    def _take_path(self, change: dict[str, Any]) -> None:
        if given := str(change["new"]).strip():
            self._take(given, Path(given).expanduser())
            self.path.value = ""

    def _forget_reports(self) -> None:
        self._reports.clear()
        self._forgive()
        self._join()

    def _refuse(self, error: KitError) -> None:
        """Say what failed, beside what failed before."""
        self._refused.append(str(error))
        self.errors.value = _as_text("\n".join(self._refused), _ALERT)

    def _forgive(self) -> None:
        """Forget what failed."""
        self._refused.clear()
        self.errors.value = ""


def _as_text(text: str, role: str) -> str:
    """Return a text, which may be anything, as text of a role; nothing for none.

    An alert is bold and has a bar beside it: red is the colour of HIGH alone.
    """
    lines = html.escape(text).replace("\n", "<br>")
    style = "overflow-wrap: anywhere"
    if role == _ALERT:
        style += "; font-weight: bold; border-left: 5px solid; padding-left: 0.6em"
    return f'<div role="{role}" style="{style}">{lines}</div>' if text else ""


class _Controls(widgets.VBox):  # type: ignore[misc]
    """Widgets, the last of which is a table of the images, which shows where no widget can be."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        data: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/html": self.children[-1].value}
