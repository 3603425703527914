"""What the explore notebook shows: controls, and a picture and a table that follow them at once."""

import asyncio
import base64
import html
import re
import threading
from collections.abc import Iterator
from itertools import count
from operator import attrgetter
from typing import Any

import ipywidgets as widgets

from helpers.charts import figure
from helpers.charts.look import LIGHT
from helpers.comparability import scan_consistency, scanner_releases
from helpers.errors import KitError, ParameterInvalid
from helpers.explore import choice as choices
from helpers.explore import controls, left_out
from helpers.explore.choice import ASKED, GROWTH, OVERLAP, PICTURES, Choice
from helpers.explore.clickable_figure import Picture
from helpers.explore.controls import Controls
from helpers.explore.findings_table import Finder
from helpers.explore.keep import File, Keep
from helpers.explore.own_reports import OwnReports
from helpers.explore.parts import Part, parts
from helpers.notebook import tables
from helpers.notebook.comparison import Comparison
from helpers.notebook.display import ShownAnswer
from helpers.studies import origin
from helpers.studies.origin import Origin
from helpers.studies.study import open_study
from helpers.text import escape, i18n
from helpers.text.html import without_math
from helpers.text.i18n import ENGLISH, t, word
from helpers.vulnerabilities import counting, growth, lenses
from helpers.vulnerabilities.lenses import EVER, PLAIN

_ALERT, _NOTE = "alert", "note"
"""Roles of texts: what failed, and what to bear in mind."""

_WAIT, _PAUSE = 0.01, 0.002
"""Seconds that a change waits for another one, and that each step leaves for one to arrive."""

_TALL = 5.6
"""Height of the picture in inches: its title and footer stand beside it."""

_OWN_DAY = "own"
"""Stands for the day of a study that is not opened yet."""

_MOST_STEPS = 200
"""Changes that can be taken back."""


class Panel:
    """Shows the images of a study, as chosen beside it.

    `comparison` is what is shown as a `Comparison`, `answer` the picture's answer, `findings` the
    findings that are counted, of the part that is pressed if one is. `view` is what to begin with,
    as a copied parameter has it. The notebook's kernel speaks the language from then on. Raises
    `StudyInvalid` for a study that does not exist or has no capture, and `ParameterInvalid`.
    """

    choice: Choice
    comparison: Comparison
    answer: ShownAnswer

    def __init__(
        self, study: str, language: str = ENGLISH, theme: str = LIGHT, view: str = ""
    ) -> None:
        i18n.use(language)
        self._opening: dict[str, Any] = {"language": language, "theme": theme}
        self._origins: dict[str, Origin] = {}
        self._joined: tuple[Origin, ...] = ()
        self._history: list[Choice] = []
        self._first: Choice | None = None
        self._offered: Comparison | None = None
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._changes, self._is_due, self._is_kept = 0, False, False
        self._is_quiet = False
        self._following: asyncio.Task[None] | None = None
        self._pressed = -1
        self._refused: list[str] = []
        opened = open_study(study)
        opened.facts()
        self.choice = choices.from_text(study, view, str(opened.known_by or ""))
        self._names: list[str] = []
        self.choose = Controls(opened, self._change)
        self.show = widgets.ToggleButtons(
            options=[(word(asks), name) for name, asks in PICTURES.items()],
            style={"button_width": "auto"},
        )
        self.undo = controls.button(t("↶ Undo"), self._undo)
        self.reset = controls.button(t("Reset"), self._reset)
        self.picture, self.table = Picture(), Finder()
        self.errors, self.marks, self.about = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.own = OwnReports(
            lambda: self._change(is_kept=False), self._refuse, self._forget_reports
        )
        self.keep = Keep(
            {kind: kind.upper() for kind in ("png", "svg", "csv")},
            self._file,
        )
        self._go(self.choice, is_kept=False)
        self._first = self.choice
        self.reset.disabled = True
        self.show.observe(lambda _: self._show_other(), "value")
        self.picture.observe(lambda _: self._press(self.picture.pressed), "pressed")
        self.table.part.observe(lambda _: self._press(self.table.part.value), "value")

    @property
    def findings(self) -> Any:
        """Return the findings that are counted, of the part that is pressed if one is: a frame."""
        with self._lock:
            self._settle()
            return self.table.rows.copy()

    @property
    def code(self) -> str:
        """Return the lines of Python that make this view in a notebook."""
        chosen, study = self.choice, self.comparison.study
        style = {k: v for k, v in self._opening.items() if v not in (ENGLISH, LIGHT)}
        pressed = self.table.chosen
        return choices.code(
            chosen,
            str(study.known_by or ""),
            [*self.own.reports],
            pressed.code if pressed else (),
            mixed=any(self._unlike),
            **style,
        )

    @property
    def parameters(self) -> str:
        """Return the lines of a parameters cell that opens this view again."""
        study = self.comparison.study
        view = choices.as_text(self.choice, str(study.known_by or ""))
        given = {"study": study.name, **self._opening, "view": view}
        return "\n".join(f"{name}: str = {value!r}" for name, value in given.items())

    # What is chosen.

    def _show_other(self) -> None:
        if not self._is_quiet:
            self._change()

    def _change(self, is_kept: bool = True) -> None:
        """Show what is chosen, a moment later: of several quick changes the last is drawn.

        If one of them `is_kept`, what they lead to can be taken back.
        """
        # Before the lock: a thread that has it must not set back what was chosen in another one.
        self._changes = next(self._numbers)
        with self._lock:
            change = self._changes
            self.picture.busy = self._is_due = True
            self._is_kept = self._is_kept or is_kept
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._settle()
            return
        self._following = loop.create_task(self._follow(change))

    async def _follow(self, change: int) -> None:
        """Show what is chosen, step by step, unless something else has been chosen since.

        A kernel may handle one message in one thread, and the next one in another.
        """
        await asyncio.sleep(_WAIT)
        steps: Iterator[None] | None = None
        while True:
            with self._lock:
                if change != self._changes:
                    return
                try:
                    steps = steps or self._steps(
                        self._wanted(), with_new=True, is_kept=self._is_kept
                    )
                    next(steps)
                except StopIteration:
                    return
                except Exception as error:
                    # Nobody awaits it: an error of the kit's own would be seen by nobody.
                    self._say(f"{type(error).__name__}: {error}")
                    self.picture.busy = False
                    raise
            await asyncio.sleep(_PAUSE)

    def _settle(self) -> None:
        """Show at once what is chosen, if that is not shown yet."""
        with self._lock:
            self._changes = next(self._numbers)
            if self._is_due:
                self._go(self._wanted(), with_new=True, is_kept=self._is_kept)

    def _wanted(self) -> Choice:
        """Return what the controls say."""
        wanted = self.choose.choice(self.show.value)
        if wanted.study == self.choice.study:
            return wanted
        # What was chosen of the images and days of another study does not hold of this one's.
        lens = wanted.lens._replace(known_by=_OWN_DAY)
        return Choice(wanted.study, "", lens=lens, show=wanted.show)

    def _go(self, wanted: Choice, *, with_new: bool = False, is_kept: bool = True) -> None:
        """Show a choice at once, as `_steps` does."""
        with self._lock:
            for _ in self._steps(wanted, with_new=with_new, is_kept=is_kept):
                pass

    def _steps(
        self, wanted: Choice, *, with_new: bool = False, is_kept: bool = True
    ) -> Iterator[None]:
        """Show a choice, in steps. If that fails, say so and keep what was shown.

        Images that come in addition are chosen `with_new`; a choice that `is_kept` can be taken
        back. It may be given up between steps: nothing is half shown.
        """
        began = self._changes
        try:
            base = self._base(wanted)
            if not wanted.capture:
                wanted = wanted._replace(capture=base.capture)
            if wanted.lens.known_by == _OWN_DAY:
                lens = wanted.lens._replace(known_by=str(base.study.known_by or ""))
                wanted = wanted._replace(lens=lens)
            names = base.images["variant"].tolist()
            if wanted.variants is not None:
                chosen = {*wanted.variants}
                for name in chosen.difference(names, self._names):
                    self._refuse(ParameterInvalid(f"image {name!r} is not here"))
                new = {*names}.difference(self._names) if with_new else set()
                kept = tuple(name for name in names if name in chosen | new)
                # If what was chosen is gone, all is looked at.
                is_all = len(kept) == len(names) or (chosen and not kept)
                wanted = wanted._replace(variants=None if is_all else kept)
            compared = base if wanted.variants is None else base.only(*wanted.variants)
            compared = compared.under(wanted.lens)
            answer = attrgetter(ASKED[wanted.show])(compared)()
        except KitError as error:
            if self._offered is None:
                raise
            self._refuse(error)
            self._set_to(self.choice, began)
            self.picture.busy = self._is_due = self._is_kept = False
            return
        yield
        drawn, why = None, _why_none(compared, wanted.show) or answer.why_empty
        if answer.chart is not None and not why:
            drawn = figure.figure(
                answer.chart,
                look=compared.look,
                tall=_TALL,
                is_quick=True,
                subtitle=answer.subtitle,
            )
            yield
        png = figure.quick(drawn) if drawn else b""
        shown = parts(answer.chart, drawn, growth.days(wanted.lens)) if drawn else []
        if is_kept and self.choice != wanted:
            self._history = [*self._history[1 - _MOST_STEPS :], self.choice]
            self._forgive()
        self.choice, self._names = wanted, names
        self._is_due = self._is_kept = False
        self.comparison, self.answer = compared, answer
        self._pressed = -1
        title, footer = (answer.title, answer.footer) if drawn else (why, "")
        self.picture.show(png, title, footer, shown)
        yield
        self._offer(shown)
        self._set_to(wanted, began)
        yield
        self._fill()

    def _base(self, wanted: Choice) -> Comparison:
        """Return all images that a choice is made from. What was loaded before is not loaded again.

        Raises `StudyInvalid` and `ReportInvalid`.
        """
        base = Comparison(wanted.study, wanted.capture, mixed=True).style(**self._opening)
        first = self._origins.setdefault(f"{base.study.name}/{base.capture}", base.origin)
        for name in wanted.beside:
            if name not in self._origins:
                self._origins[name] = origin.named(name)
        beside = (self._origins[name] for name in wanted.beside)
        origins = (first, *beside, *self.own.reports.values())
        if origins != self._joined:
            found = base.of_origins(*origins)
            # It is computed once, for all that is chosen of these images.
            _ = found.coverage
            self._joined, self._all = origins, found
        return self._all

    def _set_to(self, chosen: Choice, began: int) -> None:
        """Show a choice on the controls, unless they have changed since it `began` to be shown."""
        if self._offered is not self._all:
            self._offered = self._all
            self.choose.offer(self._all.study, self._names)
            images = counting.overview(self._all.images).drop(columns="capture")
            self.about.value = f'<div class="kit-table">{tables.to_html(images)}</div>'
        if began != self._changes:
            return
        self.choose.set_to(chosen)
        self._is_quiet = True
        self.show.value = chosen.show
        self._is_quiet = False
        self.undo.disabled = not self._history
        self.reset.disabled = chosen == self._first
        self.own.forget.disabled = not self.own.reports

    def _undo(self) -> None:
        self._settle()
        if self._history:
            *self._history, last = self._history
            self._go(last, is_kept=False)

    def _reset(self) -> None:
        self._settle()
        if self._first:
            self._go(self._first)

    # What is shown.

    def _offer(self, shown: list[Part]) -> None:
        """Offer the rows of what is chosen, by the parts of the picture, and say what is unlike."""
        compared = self.comparison
        if self.choice.show == GROWTH:
            # Its axis is the day, so it counts whatever the day.
            compared = compared.where(known_by=EVER)
        counted = compared.counted_findings.sort_values(
            ["severity", "vulnerability_id", "variant", "package"],
            ascending=[False, True, True, True],
        )
        self.table.offer(counted, shown, compared.listing if self.choice.show == OVERLAP else None)
        marks = [*self._unlike, *left_out.notes(self.comparison, self.choice.show == GROWTH)]
        self.marks.value = _as_text("\n".join(filter(None, marks)), _NOTE)

    @property
    def _unlike(self) -> list[str]:
        """Return what makes counts of these images unlike: other databases, or other scores."""
        images, lens = self.comparison.images, self.comparison.lens
        scores = scan_consistency.scores_mark(images) if lens.epss else ""
        return [scan_consistency.mark(images), scanner_releases.mark(images), scores]

    def _press(self, number: int) -> None:
        """Show the rows of a part of the picture."""
        with self._lock:
            # A part of a picture that is no more is no part of this one.
            if number < len(self.picture.parts) and number != self._pressed:
                self._pressed = number
                self.table.choose(number)
                self.picture.pressed = number
                self._fill()

    def _fill(self) -> None:
        self.table.fill(f"{self._named}.findings")
        self.keep.texts = [
            [t("Copy code"), t("Code"), self.code],
            [t("Copy parameters"), t("Parameters"), self.parameters],
        ]

    # What is kept.

    @property
    def _named(self) -> str:
        """Return what is shown as the name of a file."""
        chosen, lens = self.choice, self.comparison.lens
        words = [chosen.study, chosen.capture, *chosen.beside, *self.own.reports]
        words.append(lens.counted)
        for name, value in lenses.changed(lens._replace(counted=PLAIN.counted)).items():
            match value:
                case bool():
                    words.append(name)
                case float():
                    words.append(f"{name}-{value:g}")
                case tuple():
                    words += value
                case _:
                    words.append(value)
        words += chosen.variants or ()
        name = "_".join(re.sub(r"[^\w.-]+", "-", w).strip("-.") for w in words if w)
        return name[:120]

    def _file(self, kind: str) -> File | None:
        """Return the picture or its numbers as a file, named after what it shows."""
        self._settle()
        name, answer = f"{self._named}.{self.choice.show}.{kind}", self.answer
        if kind == "csv":
            text = escape.csv_frame(answer.table).to_csv(index=False, lineterminator="\n")
            return File(name, "text/csv", text.encode())
        if answer.chart is None:
            return None
        drawn = figure.figure(
            answer.chart,
            answer.title,
            answer.footer,
            self.comparison.look,
            subtitle=answer.subtitle,
        )
        if kind == "svg":
            return File(name, "image/svg+xml", figure.svg(drawn))
        return File(name, "image/png", figure.png(drawn))

    # Reports of a user's own, and what failed.

    def _forget_reports(self) -> None:
        self._settle()
        self._forgive()
        self._go(self.choice, is_kept=False)

    def _refuse(self, error: KitError) -> None:
        """Say what failed, beside what failed before."""
        self._say(str(error))

    def _say(self, what: str) -> None:
        self._refused.append(what)
        self.errors.value = _as_text("\n".join(self._refused), _ALERT)

    def _forgive(self) -> None:
        """Forget what failed."""
        self._refused.clear()
        self.errors.value = ""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        data: dict[str, Any] = self.box._repr_mimebundle_(**kwargs)
        # For where no widget can be: a copy that ran headless, a web page.
        png = base64.b64encode(self.picture.png).decode()
        picture = f'<img src="data:image/png;base64,{png}" alt="{html.escape(self.picture.alt)}">'
        title, footer = (
            f"<p>{html.escape(t)}</p>" for t in (self.picture.alt, self.picture.footer)
        )
        plain = (
            title
            + (picture + footer if png else "")
            + self.marks.value
            + self.table.plain()
            + self.about.value
        )
        return {**data, "text/html": without_math(plain), "text/plain": self.picture.alt}

    @property
    def box(self) -> widgets.Widget:
        """Return all of it: controls beside the picture, the table below both."""
        steps = widgets.HBox([self.undo, self.reset])
        groups = [controls.folded(title, group) for title, group in self.choose.groups.items()]
        left = widgets.VBox(
            [
                steps,
                *groups,
                controls.folded(t("Own reports"), self.own.box, is_open=False),
                controls.folded(t("Keep it"), self.keep, is_open=False),
            ],
            layout=widgets.Layout(flex=f"0 0 {controls.WIDTH}", width=controls.WIDTH),
        )
        right = widgets.VBox(
            [self.show, self.errors, self.marks, self.picture, self.table.chooser],
            layout=widgets.Layout(flex="1 1 0", min_width="20rem"),
        )
        both = widgets.HBox([left, right], layout=widgets.Layout(align_items="flex-start"))
        found = widgets.VBox([both, self.table.box, self.about])
        found.add_class("kit-panel")
        return found


def _why_none(compared: Comparison, show: str) -> str:
    """Return why there is no picture of so few images; empty if there can be one."""
    if compared.images.empty:
        return t("Choose an image.")
    if show == OVERLAP and len(compared.images) < 2:
        return t("Overlap: needs two scanned variants")
    return ""


def _as_text(text: str, role: str) -> str:
    """Return a text, which may be anything, as text of a role; nothing for none."""
    if not text:
        return ""
    lines = "<br>".join(html.escape(escape.plain(line)) for line in text.split("\n"))
    return f'<div role="{role}" class="kit-{role}">⚠ {lines}</div>'
