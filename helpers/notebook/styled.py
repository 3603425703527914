"""What answers are shown with, and what a wrong name is told."""

import copy
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from helpers.charts.look import DEFAULT, Look
from helpers.text import i18n
from helpers.text.i18n import ENGLISH

Language = Literal["en", "ko"]
Theme = Literal["light", "dark"]


class Styled:
    """Base of what answers are about: their language, look and folder."""

    language: str = ENGLISH
    look: Look = DEFAULT
    _folder: Path | None = None

    def style(
        self,
        language: Language | str | None = None,
        theme: Theme | str | None = None,
        transparent: bool | None = None,
        save_to: str | Path | None = None,
    ) -> Self:
        """Return the same images, whose answers are shown in another way.

        What is not given stays as it is.

        Parameters
        ----------
        language : 'en' or 'ko', optional
            of figures, tables and sentences
        theme : 'light' or 'dark', optional
            of figures
        transparent : bool, optional
            whether figures have a transparent background
        save_to : str or Path, optional
            a folder into which each answer writes its figures and tables

        Raises
        ------
        ParameterInvalid
            for an unknown language or theme

        Examples
        --------
        >>> from helpers import Comparison
        >>> c = Comparison("blog-2022").style(theme="dark")

        """
        other = copy.copy(self)
        with i18n.speaking(other.language if language is None else language):
            other.language = language or other.language
        look = other.look
        other.look = Look(
            look.theme if theme is None else theme,
            look.transparent if transparent is None else transparent,
        )
        if save_to:
            other._folder = Path(save_to).expanduser()
        return other

    def _known(self) -> Iterator[str]:
        """Yield the names that a user may have meant."""
        yield from (name for name in dir(type(self)) if not name.startswith("_"))

    def __getattr__(self, name: str) -> Any:
        # Python comes here, too, if a property raises: its own error says more.
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)
        about = f"{type(self).__name__!r} has no attribute {name!r}"
        if name.startswith("_"):
            raise AttributeError(about)
        # The last part counts: `c.waterfall` is `c.sizes.waterfall`.
        known = {each.rpartition(".")[2]: each for each in self._known()}
        near = difflib.get_close_matches(name, known, n=1)
        advice = f". Did you mean: {known[near[0]]!r}?" if near else ""
        # Without a name of its own, Python adds the same advice once more.
        raise AttributeError(about + advice, name="", obj=None)
