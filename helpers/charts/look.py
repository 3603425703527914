"""How figures look: a light or dark theme, a ground or none."""

from msgspec import Struct

from helpers.errors import ParameterInvalid

LIGHT, DARK = "light", "dark"
THEMES = (LIGHT, DARK)

PAPER = {LIGHT: "#FFFFFF", DARK: "#16181B"}
"""Grounds of figures, and of the slides that they stand on."""


class Look(Struct, frozen=True):
    """A theme, and whether the background of figures is transparent.

    Raises `ParameterInvalid` for an unknown theme.
    """

    theme: str = LIGHT
    transparent: bool = False

    def __post_init__(self) -> None:
        if self.theme not in THEMES:
            raise ParameterInvalid(f"theme {self.theme!r} is not one of {', '.join(THEMES)}")


DEFAULT = Look()
