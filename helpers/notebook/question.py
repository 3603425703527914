"""Questions: functions of frames that `Comparison` and `Fleet` call with their images."""

import difflib
import html
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from helpers.answers.answer import Answer
from helpers.notebook.display import Setting, ShownAnswer
from helpers.text import i18n
from helpers.text.html import without_math


class Question(NamedTuple):
    """The question, its subject, and what the function needs."""

    asks: str
    subject: str
    needs: tuple[str, ...]


class Asked(ABC):
    """Base of classes with questions; the class body is the registry."""

    language: str
    questions: ClassVar[dict[str, Question]] = {}
    """The questions by method name, in the order of the notebooks."""

    def __init_subclass__(cls) -> None:
        found = {name: each for name, each in vars(cls).items() if hasattr(each, "question")}
        for name, method in found.items():
            method.__name__, method.__qualname__ = name, f"{cls.__name__}.{name}"
            method.__module__ = cls.__module__
        cls.questions = cls.questions | {name: each.question for name, each in found.items()}

    @property
    @abstractmethod
    def _setting(self) -> Setting:
        """The setting of answers about these images."""

    def __getattr__(self, name: str) -> Any:
        # Python comes here, too, if a property raises: its own error says more.
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)
        about = f"{type(self).__name__!r} has no attribute {name!r}"
        if name.startswith("_"):
            raise AttributeError(about)
        known = [each for each in dir(type(self)) if not each.startswith("_")]
        near = difflib.get_close_matches(name, known, n=1)
        raise AttributeError(f"{about}. Did you mean: {near[0]!r}?" if near else about)

    def _repr_html_(self) -> str:
        """Return all questions as a table, below the object's description."""
        rows = [
            f"<tr><td><code>{name}()</code></td><td>{html.escape(each.asks)}</td></tr>"
            for name, each in self.questions.items()
        ]
        return without_math(f"<p>{html.escape(repr(self))}</p><table>{''.join(rows)}</table>")


Function = Callable[..., Answer]
Method = Callable[..., ShownAnswer]


def asked(subject: str, shown: str = "") -> Callable[[Function], Method]:
    """Return a decorator that makes a question of a method."""
    return lambda method: question(method.__doc__ or "", method, shown=shown, subject=subject)


def question(
    asks: str, function: Function, *, of: str = "", shown: str = "", subject: str = ""
) -> Method:
    """Return a method that calls a function and returns its answer for a notebook.

    Parameters without a default are taken from attributes of that name, optionally with a leading
    underscore; `self` is the object itself. Parameters with a default become the method's. `of`
    names the attribute that has the needed attributes, `shown` the one that is, or has, the
    setting. The subject is the function's package by default.
    """
    parameters = inspect.signature(function).parameters.values()
    needs = tuple(each.name for each in parameters if each.default is each.empty)
    choices = inspect.Signature([each for each in parameters if each.default is not each.empty])
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = choices.replace(
        parameters=[own, *choices.parameters.values()], return_annotation=ShownAnswer
    )

    def method(self: Asked, /, *args: Any, **kwargs: Any) -> ShownAnswer:
        chosen = choices.bind(*args, **kwargs).arguments
        with i18n.speaking(self.language):
            source = getattr(self, of) if of else self
            answer = function(**{name: _need(source, name) for name in needs}, **chosen)
            about = getattr(self, shown) if shown else self
            setting = about if isinstance(about, Setting) else about._setting
            return ShownAnswer(answer, setting)

    more = (inspect.getdoc(function) or "").partition("\n\n")[2]
    method.__doc__ = f"{asks}\n\n{more}" if more else asks
    package = subject or function.__module__.split(".")[1]
    vars(method).update(
        question=Question(asks, package, needs), __signature__=signature, __wrapped__=function
    )
    return method


def _need(source: object, name: str) -> Any:
    """Return an attribute that a function needs; its name may be that of a question."""
    if name == "self":
        return source
    private = f"_{name}"
    return getattr(source, private if hasattr(type(source), private) else name)
