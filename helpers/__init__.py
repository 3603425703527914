"""Compares images of an app on several bases; `Comparison` and `Fleet` are what notebooks take."""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Only who asks for it waits for what it imports.
    if name == "Comparison":
        from helpers.notebook.comparison import Comparison

        return Comparison
    if name == "Fleet":
        from helpers.fleet.fleet import Fleet

        return Fleet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
