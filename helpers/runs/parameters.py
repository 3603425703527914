"""Notebook parameters: which a notebook declares, and whether given values are valid."""

import difflib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers.errors import ParameterInvalid

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Parameter(NamedTuple):
    """One line of a notebook's parameters cell; without choices any value of its type fits."""

    name: str
    type: str
    help: str
    choices: tuple[str, ...]
    least: float | None = None


def of_notebook(path: Path) -> dict[str, Parameter]:
    """Return the parameters that a notebook declares, as papermill sees them.

    Help that begins with `one of a, b` is a choice, with `0 or more` a number from there on.
    """
    import papermill

    found = {}
    for name, declared in papermill.inspect_notebook(path).items():
        text = str(declared["help"])
        listed = text.removeprefix("one of ").split(";")[0] if text.startswith("one of ") else ""
        choices = tuple(word.strip() for word in listed.split(",")) if listed else ()
        if choices and declared["default"] == '""':
            choices = ("", *choices)
        least = 0.0 if text.startswith("0 or more") else None
        found[name] = Parameter(name, str(declared["inferred_type_name"]), text, choices, least)
    return found


def check(given: Mapping[str, Any], notebooks: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """Return the given values by notebook, each as the type that the notebook declares.

    Raises `ParameterInvalid` for an unknown name, and for a value that is not of the type or not
    one of the choices.
    """
    declared = {path: of_notebook(path) for path in notebooks}
    known = sorted({name for parameters in declared.values() for name in parameters})
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ParameterInvalid(f"no notebook has a parameter {name!r}; {hint}")
    return {
        path: {name: _value(parameters[name], given[name]) for name in given if name in parameters}
        for path, parameters in declared.items()
    }


def _value(parameter: Parameter, value: Any) -> Any:
    typed = _typed(parameter, value)
    if parameter.choices and typed not in parameter.choices:
        choices = ", ".join(word or '""' for word in parameter.choices)
        raise ParameterInvalid(f"parameter {parameter.name!r}: {value!r} is none of {choices}")
    if parameter.least is not None and not parameter.least <= typed < math.inf:
        raise ParameterInvalid(
            f"parameter {parameter.name!r}: {value!r} is no number of {parameter.least:g} or more"
        )
    return typed


def _typed(parameter: Parameter, value: Any) -> Any:
    """Return a value as the type a parameter declares."""
    match parameter.type, value:
        case "str", str():
            return value
        case "bool", bool():
            return value
        case "bool", str() if value.lower() in _WORDS:
            return _WORDS[value.lower()]
        case "int", int() if not isinstance(value, bool):
            return value
        case "float", int() | float() if not isinstance(value, bool):
            return float(value)
        case "list[str]", list() if all(isinstance(item, str) for item in value):
            return value
        case "list[str]", str():
            return [item.strip() for item in value.split(",") if item.strip()]
        case "int" | "float", str():
            try:
                return int(value) if parameter.type == "int" else float(value)
            except ValueError:
                pass
    raise ParameterInvalid(
        f"parameter {parameter.name!r}: {value!r} is not {parameter.type} ({parameter.help})"
    )
