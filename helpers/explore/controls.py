"""The widgets of the explore notebook on which images and a lens are chosen, folded by group."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from helpers.errors import StudyInvalid
from helpers.explore.choice import SEVERITY, Choice
from helpers.frames import SEVERITIES
from helpers.studies.landmarks import MOST, landmarks
from helpers.studies.study import Study, names, open_study
from helpers.text.i18n import t, word
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import FIELDS, PLAIN, Lens

_FIRST = (
    *("counted", "fixable", "exploited", "epss", "severities", "package", "known_by", "place"),
    *("severity", "suppressed"),
)
"""The fields of a lens in the order of their widgets; any other comes after them."""

WIDTH = "17rem"
"""Width of the column of controls: room for a picture beside it in a window of 1280 pixels."""

_WIDTH = "16.2rem"


class Controls:
    """Widgets, one a question; `choice` is what they say. A change calls `on_change`."""

    def __init__(self, study: Study, on_change: Callable[[], None]) -> None:
        self._quiet = False
        self._on_change = on_change
        self.study = _dropdown(t("study"), [(name, name) for name in recorded()], study.name)
        self.capture = _dropdown(t("capture"), [])
        # Of many captures a slider finds a day faster; it sets the list, which is then hidden.
        self.day = widgets.SelectionSlider(
            options=[study.name], continuous_update=False, **_style(t("capture"))
        )
        self.beside = _list(t("beside"), rows=3)
        self.variants = _list(t("variants"))
        self.lens = {name: _of_field(name) for name in sorted(FIELDS, key=_place)}
        for widget in (*self._images, *self.lens.values()):
            widget.observe(lambda _: self._call(), "value")
        self.capture.observe(lambda _: self._follow(), "value")
        self.day.observe(lambda _: self._slide(), "value")

    @property
    def _images(self) -> tuple[Any, ...]:
        return self.study, self.capture, self.beside, self.variants

    def choice(self, show: str = SEVERITY) -> Choice:
        """Return what is chosen, for a picture to show."""
        every = {name for _, name in self.variants.options}
        chosen = self.variants.value
        return Choice(
            self.study.value,
            self.capture.value or "",
            self.beside.value,
            None if every == {*chosen} else chosen,
            Lens(**{name: _said(name, widget.value) for name, widget in self.lens.items()}),
            show,
        )

    def offer(self, study: Study, variants: Sequence[str]) -> None:
        """Offer a study's captures, those of others, and variants."""
        self._quiet = True
        self._offer_captures(study.captures())
        # Clear first: the page fails on a selected value that is not among the new options.
        self.beside.value = self.variants.value = ()
        self.beside.options = [(name, name) for name in others(study)]
        self.beside.layout.display = None if self.beside.options else "none"
        self.variants.options = [(name, name) for name in variants]
        self.variants.rows = min(max(len(variants), 2), len(SEVERITIES))
        self._quiet = False

    def _offer_captures(self, captures: Sequence[str]) -> None:
        """Offer captures: a few as a list, many on a slider."""
        self.capture.options = captures
        is_long = len(captures) > MOST
        # A slider has to have something to choose.
        self.day.options = captures if is_long else [self.study.value]
        self.capture.layout.display = "none" if is_long else None
        self.day.layout.display = None if is_long else "none"
        self._follow()

    def _follow(self) -> None:
        """Show the chosen capture on the slider."""
        if self.capture.value in self.day.options:
            self.day.value = self.capture.value

    def _slide(self) -> None:
        """Choose the capture that the slider is at."""
        if not self._quiet and self.day.value in self.capture.options:
            self.capture.value = self.day.value

    def set_to(self, choice: Choice) -> None:
        """Show a choice of what is offered."""
        self._quiet = True
        self.study.value, self.capture.value = choice.study, choice.capture
        # A view may name a capture of many that is not offered.
        offered = {name for _, name in self.beside.options}
        self.beside.options += tuple((n, n) for n in choice.beside if n not in offered)
        self.beside.value = choice.beside
        variants = [name for _, name in self.variants.options]
        wanted = variants if choice.variants is None else choice.variants
        self.variants.value = tuple(name for name in variants if name in wanted)
        for name, widget in self.lens.items():
            value = getattr(choice.lens, name)
            widget.value = lenses.as_day(value) if FIELDS[name].is_day else value
        self._quiet = False

    @property
    def groups(self) -> dict[str, widgets.Widget]:
        """Return the widgets by what they ask."""
        return {
            t("What is compared"): widgets.VBox(
                [self.study, self.capture, self.day, self.beside, self.variants]
            ),
            t("What counts"): widgets.VBox([*self.lens.values()]),
        }

    def _call(self) -> None:
        if not self._quiet:
            self._on_change()


def button(words: str, act: Callable[[], None]) -> widgets.Button:
    """Return a button that does something, and cannot be pressed yet."""
    made = widgets.Button(description=words, disabled=True, layout=widgets.Layout(width="auto"))
    made.on_click(lambda _: act())
    return made


def folded(title: str, content: widgets.Widget, is_open: bool = True) -> widgets.Widget:
    """Return a widget below a button that folds it."""
    button = widgets.ToggleButton(value=is_open, layout=widgets.Layout(width="100%", margin="0"))
    button.add_class("kit-fold")

    def fold(_: Any = None) -> None:
        button.description = f"{'▾' if button.value else '▸'} {title}"
        content.layout.display = None if button.value else "none"

    button.observe(fold, "value")
    fold()
    return widgets.VBox([button, content])


def recorded() -> list[str]:
    """Return the names of the studies that have a capture and can be read."""
    return [name for name in names() if _captures(name)]


def others(study: Study) -> list[str]:
    """Return the study's captures and the newest of each other study, as `study/capture`.

    Of many captures, those that stand for all.
    """
    captures = landmarks(study.captures(), [study.facts().capture])
    own = [f"{study.name}/{capture}" for capture in captures]
    newest = [f"{name}/{_captures(name)[-1]}" for name in recorded() if name != study.name]
    return (own if len(own) > 1 else []) + newest


def _captures(name: str) -> list[str]:
    try:
        return open_study(name).captures()
    except StudyInvalid:
        return []


def _place(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _of_field(name: str) -> Any:
    """Return the widget of a field of a lens."""
    field = FIELDS[name]
    asks, hint = word(field.asks), word(field.hint)
    options = [(word(words), value) for value, words in (field.values or {}).items()]
    match getattr(PLAIN, name):
        case bool():
            layout = widgets.Layout(width=_WIDTH)
            return widgets.Checkbox(description=asks, indent=False, layout=layout)
        case float():
            return widgets.BoundedFloatText(min=0, max=1, step=0.05, tooltip=hint, **_style(asks))
        case tuple():
            # The worst first, as the figures have them.
            return _list(asks, options[::-1])
    if field.is_day:
        return widgets.DatePicker(**_style(asks))
    return _dropdown(asks, options) if options else widgets.Text(placeholder=hint, **_style(asks))


def _said(name: str, value: Any) -> Any:
    """Return what the widget of a field says, as a lens has it."""
    match getattr(PLAIN, name):
        case tuple():
            return tuple(level for level in FIELDS[name].values or () if level in value)
        case str():
            return str(value or "").strip()
    return value


def _style(description: str) -> dict[str, Any]:
    """Return how a widget looks, with what it asks."""
    return {
        "description": description,
        "style": {"description_width": "5.6rem"},
        "layout": widgets.Layout(width=_WIDTH),
    }


def _dropdown(description: str, options: Any, value: str | None = None) -> widgets.Dropdown:
    return widgets.Dropdown(
        options=options, **({"value": value} if value else {}), **_style(description)
    )


def _list(
    description: str, offered: Sequence[tuple[str, str]] = (), rows: int = len(SEVERITIES)
) -> widgets.SelectMultiple:
    return widgets.SelectMultiple(
        options=offered,
        value=[value for _, value in offered],
        rows=rows,
        tooltip=t("several with Ctrl or Shift"),
        **_style(description),
    )
