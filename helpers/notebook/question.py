"""What makes a method a question of a notebook: it returns an answer as a notebook shows it."""

import html
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from helpers.answers.answer import Answer
from helpers.notebook.display import Setting, ShownAnswer
from helpers.text import i18n
from helpers.text.html import without_math


class Asked(Protocol):
    """What questions are asked of: it has a language, and what answers are shown with."""

    language: str

    @property
    def _setting(self) -> Setting: ...


A = TypeVar("A", bound=Asked)
P = ParamSpec("P")


def question(
    across: str = "",
) -> Callable[[Callable[Concatenate[A, P], Answer]], Callable[Concatenate[A, P], ShownAnswer]]:
    """Make a method that returns an answer one that returns it as a notebook shows it.

    `across` names the attribute that holds the images it is about, or what it is shown with, if
    these are not its own.
    """

    def decorated(
        ask: Callable[Concatenate[A, P], Answer],
    ) -> Callable[Concatenate[A, P], ShownAnswer]:
        @wraps(ask)
        def asked(images: A, /, *args: P.args, **kwargs: P.kwargs) -> ShownAnswer:
            with i18n.speaking(images.language):
                answer = ask(images, *args, **kwargs)
                about = getattr(images, across) if across else images
                setting = about if isinstance(about, Setting) else about._setting
                return ShownAnswer(answer, setting)

        asked.__annotations__["return"] = ShownAnswer
        return asked

    return decorated


def questions(images: object) -> str:
    """Return all questions of what is asked as an HTML table, under what it is."""
    rows = [
        f"<tr><td><code>{name}()</code></td><td>{html.escape(method.__doc__ or '')}</td></tr>"
        for kind in reversed(type(images).__mro__)
        for name, method in vars(kind).items()
        if hasattr(method, "__wrapped__")
    ]
    return without_math(f"<p>{html.escape(repr(images))}</p><table>{''.join(rows)}</table>")
