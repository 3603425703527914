"""Questions: functions of frames that a subject or a `Fleet` calls with its images."""

import html
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal, NamedTuple

from helpers.answers import columns
from helpers.answers.answer import Answer
from helpers.errors import EvidenceLacking
from helpers.notebook.display import Setting, ShownAnswer
from helpers.notebook.styled import Styled
from helpers.sizes.image_sizes import SIZES
from helpers.text import i18n
from helpers.text.html import without_math


class Question(NamedTuple):
    """The question, and what its function needs."""

    asks: str
    needs: tuple[str, ...]


class Asked(Styled, ABC):
    """Base of classes with questions; the class body is the registry."""

    questions: ClassVar[dict[str, Question]] = {}
    """The questions by method name, in the order of the notebooks."""

    example: ClassVar[str]
    """An expression that makes one, for docstrings."""

    def __init_subclass__(cls) -> None:
        found = {name: each for name, each in vars(cls).items() if hasattr(each, "question")}
        for name, method in found.items():
            method.__name__, method.__qualname__ = name, f"{cls.__name__}.{name}"
            method.__module__ = cls.__module__
            method.__doc__ = _docstring(method, f"{cls.__name__.lower()}.{name}", cls.example)
        cls.questions = cls.questions | {name: each.question for name, each in found.items()}

    @property
    @abstractmethod
    def _setting(self) -> Setting:
        """The setting of answers about these images."""

    @property
    def _source(self) -> object:
        """What functions take their needs from."""
        return self

    def _repr_html_(self) -> str:
        """Return all questions as a table, below the object's description."""
        return listed(repr(self), questions(self.questions))


def questions(of: dict[str, Question], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Return a row for each question: its call and what it asks."""
    return [(f"{prefix}{name}()", each.asks) for name, each in of.items()]


def listed(about: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return rows of code and text as a table in HTML, below a description."""
    cells = (
        f"<tr><td><code>{html.escape(c)}</code></td><td>{html.escape(t)}</td>" for c, t in rows
    )
    return without_math(f"<p>{html.escape(about)}</p><table>{'</tr>'.join(cells)}</tr></table>")


class _Parameter(NamedTuple):
    """What a parameter of questions is, and what it may be if that is a choice."""

    text: str
    choices: tuple[str, ...] = ()


_PARAMETERS = {
    "size": _Parameter("which size; by default the first that is known of every image", SIZES),
    "baseline": _Parameter("the image that the others are compared with; by default the study's"),
    "against": _Parameter("the image that the steps lead to; by default the farthest one"),
    "earlier": _Parameter("a capture; by default the first"),
    "later": _Parameter("a capture; by default the last"),
    "least": _Parameter("the EPSS score, 0 to 1, from which on exploitation is called likely"),
    "most": _Parameter("how many are shown; the table has all"),
    "beside": _Parameter("a study of matched images; by default the one that the study names"),
}
"""The parameters of questions, by name."""

_RAISES = re.compile(r"Raises\s+`(\w+)`\s+(.+?)\.(?:\s|$)", re.DOTALL)

Function = Callable[..., Answer]
Method = Callable[..., ShownAnswer]


def asked(shown: str = "") -> Callable[[Function], Method]:
    """Return a decorator that makes a question of a method; its docstring is what it asks."""
    return lambda method: question((method.__doc__ or "").partition("\n")[0], method, shown=shown)


def question(asks: str, function: Function, *, of: str = "", shown: str = "") -> Method:
    """Return a method that calls a function and returns its answer for a notebook.

    Parameters without a default are taken from attributes of that name, optionally with a leading
    underscore; `self` is the object itself. Parameters with a default become the method's: a text
    that is empty by default is `None` there. `of` names the attribute that has the needed
    attributes, `shown` the one that is, or has, the setting.
    """
    parameters = inspect.signature(function).parameters.values()
    needs = tuple(each.name for each in parameters if each.default is each.empty)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    choices = [_choice(each) for each in parameters if each.default is not each.empty]
    chosen_of = inspect.Signature(choices)
    signature = inspect.Signature([own, *choices], return_annotation=ShownAnswer)

    def method(self: Asked, /, *args: Any, **kwargs: Any) -> ShownAnswer:
        bound = chosen_of.bind(*args, **kwargs).arguments
        chosen = {name: value for name, value in bound.items() if value is not None}
        with i18n.speaking(self.language):
            source = getattr(self._source, of) if of else self._source
            try:
                values = {name: self if name == "self" else _need(source, name) for name in needs}
                answer = function(**values, **chosen)
            except EvidenceLacking as error:
                answer = Answer(method.__name__.replace("_", "-"), lacks=str(error))
            about = getattr(self._source, shown) if shown else self
            setting = about if isinstance(about, Setting) else about._setting
            return ShownAnswer(answer, setting)

    vars(method).update(
        question=Question(asks, needs), __signature__=signature, __wrapped__=function
    )
    return method


def _choice(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return a function's parameter as users have it: an empty text is `None`."""
    if parameter.default != "":
        return parameter
    values = _PARAMETERS[parameter.name].choices
    kind: Any = Literal[values] if values else str
    return parameter.replace(default=None, annotation=kind | None)


def _docstring(method: Any, called: str, example: str) -> str:
    """Return the docstring of a question: what it asks, its parameters, its table and errors."""
    lines = [method.question.asks]
    choices = [*method.__signature__.parameters.values()][1:]
    if choices:
        lines += _headed("Parameters")
    for each in choices:
        text, values = _PARAMETERS[each.name]
        kind = " or ".join(map(repr, values)) or type(each.default or "").__name__
        lines += [f"{each.name} : {kind}, optional", f"    {text}"]
    lines += [*_headed("Returns"), "ShownAnswer"]
    known = columns.meanings()
    if table := columns.of_tables().get(called):
        lines += ["    Its `table` has these columns:", ""]
        lines += [f"    {column} : {known[column]}" for column in table]
    else:
        lines += ["    It has a text, and no table."]
    if raises := _RAISES.search(inspect.getdoc(method.__wrapped__) or ""):
        lines += [*_headed("Raises"), raises[1], f"    {' '.join(raises[2].split())}"]
    call = f"{example}.{called.partition('.')[2]}()"
    lines += [*_headed("Examples"), f">>> from helpers import {example.partition('(')[0]}"]
    lines += [f">>> answer = {call}"]
    return "\n".join(lines)


def _headed(heading: str) -> list[str]:
    return ["", heading, "-" * len(heading)]


def _need(source: object, name: str) -> Any:
    """Return an attribute that a function needs; its name may be that of a question."""
    private = f"_{name}"
    return getattr(source, private if hasattr(type(source), private) else name)
