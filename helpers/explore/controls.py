"""The widgets of the explore notebook on which a study, its variants and a lens are chosen."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as widgets

from helpers.errors import StudyInvalid
from helpers.explore.selection import Choice
from helpers.frames import PLACES, SEVERITIES
from helpers.studies.study import Study, names, open_study
from helpers.text.i18n import msg, t, word
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import Lens

_SCALES = {lenses.SCANNER: msg("the scanner's"), lenses.NVD: msg("NVD's")}

_WIDTH = "15.8rem"


class Controls:
    """Widgets, one a question; `choice` is what they say. A change calls `on_choice`."""

    def __init__(
        self, study: Study, on_study: Callable[[], None], on_choice: Callable[[], None]
    ) -> None:
        self._quiet = False
        self.study = _dropdown(t("study"), [(name, name) for name in recorded()], study.name)
        self.capture = _dropdown(t("capture"), [])
        self.variants = _list(t("variants"))
        levels = [(word(level), level) for level in reversed(SEVERITIES)]
        self.severities = _list(t("severities"), levels)
        self.counted = _dropdown(
            t("lens: count"),
            [(word(lenses.NAMES[counted, False]), counted) for counted in lenses.COUNTED],
        )
        self.scale = _dropdown(
            t("severities are"), [(word(name), scale) for scale, name in _SCALES.items()]
        )
        places = [
            (t("everywhere"), ""),
            *((word(lenses.PLACE_NAMES[place]), place) for place in PLACES),
        ]
        self.place = _dropdown(t("packages in"), places)
        self.package = widgets.Text(placeholder=t("a part of its name"), **_style(t("package")))
        self.known_by = widgets.DatePicker(**_style(t("published by")))
        self.fixable = widgets.Checkbox(
            description=t("only what has a fix"),
            indent=False,
            layout=widgets.Layout(width=_WIDTH),
        )
        self.study.observe(lambda _: self._call(on_study), "value")
        self.capture.observe(lambda _: self._call(on_study), "value")
        for widget in self._asked:
            widget.observe(lambda _: self._call(on_choice), "value")

    @property
    def _asked(self) -> tuple[Any, ...]:
        lens = (self.counted, self.fixable, self.scale, self.place, self.known_by)
        return (self.variants, self.severities, self.package, *lens)

    @property
    def choice(self) -> Choice:
        """Return what is chosen."""
        known_by = str(self.known_by.value or "")
        lens = Lens(
            self.counted.value, self.fixable.value, self.scale.value, known_by, self.place.value
        )
        package = self.package.value.strip()
        return Choice(self.variants.value, lens, self.severities.value, package)

    def return_to(self, study: str, capture: str) -> None:
        """Choose what was chosen before."""
        self._quiet = True
        self.study.value, self.capture.value = study, capture
        self._quiet = False

    def offer_captures(self, study: Study, capture: str) -> None:
        """Offer a study's captures, with one chosen, and the study's day."""
        self._quiet = True
        self.capture.options = study.captures()
        self.capture.value = study.facts(capture).capture
        self.known_by.value = study.known_by
        self._quiet = False

    def offer_variants(self, variants: Iterable[str], also: Iterable[str] = ()) -> None:
        """Offer variants, all of them chosen, or those that are and those that come in addition."""
        self._quiet = True
        offered, chosen = [*variants], {*self.variants.value, *also}
        self.variants.options = offered
        kept = [name for name in offered if name in chosen] if also else offered
        self.variants.value = kept or offered
        self.variants.rows = min(max(len(offered), 3), len(SEVERITIES))
        self._quiet = False

    @property
    def box(self) -> widgets.Widget:
        """Return all of them, in as many columns as there is room for."""
        parts = [
            (self.study, self.capture, self.known_by, self.package),
            (self.counted, self.scale, self.place, self.fixable),
            (self.variants, self.severities),
        ]
        flow = widgets.Layout(flex_flow="row wrap", grid_gap="0.2rem 1rem")
        return widgets.Box([widgets.VBox(part) for part in parts], layout=flow)

    def _call(self, callback: Callable[[], None]) -> None:
        if not self._quiet:
            callback()


def recorded() -> list[str]:
    """Return the names of the studies that have a capture and can be read."""
    return [name for name in names() if _has_capture(name)]


def _has_capture(name: str) -> bool:
    try:
        return bool(open_study(name).captures())
    except StudyInvalid:
        return False


def _style(description: str) -> dict[str, Any]:
    """Return how a widget looks, with what it asks."""
    return {
        "description": description,
        "style": {"description_width": "6rem"},
        "layout": widgets.Layout(width=_WIDTH),
    }


def _dropdown(description: str, options: Any, value: str | None = None) -> widgets.Dropdown:
    return widgets.Dropdown(
        options=options, **({"value": value} if value else {}), **_style(description)
    )


def _list(description: str, offered: Sequence[tuple[str, str]] = ()) -> widgets.SelectMultiple:
    tip = t("with Ctrl or Shift several; none is all of them")
    return widgets.SelectMultiple(
        options=offered,
        value=[value for _, value in offered],
        rows=len(SEVERITIES),
        tooltip=tip,
        **_style(description),
    )
