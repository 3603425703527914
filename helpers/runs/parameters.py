"""Notebook parameters: which a notebook declares, and whether given values are valid."""

import contextlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from helpers import own_file
from helpers.errors import NotebookInvalid, ParameterInvalid, choose
from helpers.studies.study import NEWEST, Study, recorded

SET_BY_RUN = ("study", "scans", "name", "scheduler", "save_to")

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

_LINE = re.compile(
    r"(?P<name>\w+): (?P<type>[\w\[\]]+) = (?P<default>.+?)(?:  # (?P<help>.*))?", re.ASCII
)
_KIND = re.compile(r"an? (day|variant|capture|study|folder|view|place|name|address)\b")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EVER = "ever"

_TYPES: dict[str, Any] = {
    "str": str,
    "bool": bool,
    "int": int,
    "float": float,
    "list[str]": list[str],
}
_TOLD = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "list[str]": "texts with commas between them",
}


class Parameter(NamedTuple):
    """One line of a notebook's parameters cell.

    `default` is as written there. A `kind` is `day`, `variant`, `capture`, `study` or `folder`, or
    what the notebook itself checks: `view`, `place`, `name` or `address`. A parameter of no kind,
    without choices and without a least value takes any value of its type; `most` is the greatest
    one.
    """

    name: str
    type: str
    default: str
    help: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    kind: str = ""
    most: float | None = None


class _Metadata(Struct):
    tags: list[str] | None = None


class Cell(Struct):
    """One cell of a notebook."""

    cell_type: str
    source: list[str] | str
    metadata: _Metadata


class _Notebook(Struct):
    cells: list[Cell]


def cells(path: Path) -> list[Cell]:
    """Return the cells of a notebook. Raises `NotebookInvalid`."""
    remedy = "Pass a notebook; to restore the kit's: git checkout notebooks"
    found = own_file.read(path, _Notebook, NotebookInvalid, remedy)
    if found is None:
        raise NotebookInvalid(path, "no such notebook", remedy)
    return found.cells


def of_notebook(path: Path) -> dict[str, Parameter]:
    """Return the parameters that a notebook declares, in order, as papermill sees them.

    Help that begins with `one of a, b` is a choice, with `0 or more` a number from there on, with
    `0 to 1` one of these, with `a day`, `a variant`, `a capture`, `a study` or `a folder` the name
    of one.
    """
    found: dict[str, Parameter] = {}
    for cell in cells(path):
        if "parameters" in (cell.metadata.tags or []):
            found |= _declared("".join(cell.source))
    return found


def as_declared(executed: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a kernel's parameters, each as the type that their cell declares.

    Of the `executed` sources, the last one that has only declarations is that cell. Names of
    variants, captures and studies are not checked. Raises `ParameterInvalid` as `check` does.
    """
    found: dict[str, Parameter] = {}
    for source in executed:
        declared = _declared(source)
        if declared and len(declared) == len(source.strip().splitlines()):
            found = declared
    return {
        name: (_typed if name in SET_BY_RUN else _value)(each, values[name])
        for name, each in found.items()
        if each.type in _TYPES and name in values
    }


def of_run(
    study: Study, given: Mapping[str, Any], notebooks: Sequence[Path]
) -> dict[Path, dict[str, Any]]:
    """Return the parameters of each notebook for a run over a study, as `check` does.

    Raises `ParameterInvalid`, also for what the run sets itself, and `StudyInvalid` if the study
    has no capture yet, unless the run makes one.
    """
    for name in SET_BY_RUN:
        if name in given:
            raise ParameterInvalid(f"parameter {name!r} is set by the run itself; leave it out")
    there = {"variant": study.names(), "study": recorded()}
    if given.get("source") != "live":
        study.facts(str(given.get("capture", "")))
        there["capture"] = study.captures()
    values = check(given, notebooks, there)
    for path, typed in values.items():
        own = {"study": study.name, "save_to": "."}
        typed |= {name: own[name] for name in own if name in of_notebook(path)}
    return values


def check(
    given: Mapping[str, Any],
    notebooks: Sequence[Path],
    there: Mapping[str, Sequence[str]] | None = None,
) -> dict[Path, dict[str, Any]]:
    """Return the given values by notebook, each as the type that the notebook declares.

    `there` has the names that there are of a kind; names of other kinds are not checked. Raises
    `ParameterInvalid` for an unknown name, and for a value that is not of the type, not one of the
    choices, no day or no folder.
    """
    declared = {path: of_notebook(path) for path in notebooks}
    known = sorted({name for parameters in declared.values() for name in parameters})
    for name in given:
        if name not in known:
            raise ParameterInvalid(f"no notebook has a parameter {name!r}; {choose(name, known)}")
    return {
        path: {
            name: _value(parameters[name], given[name], there or {})
            for name in given
            if name in parameters
        }
        for path, parameters in declared.items()
    }


def described(notebooks: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Yield the parameters that a user may give a run, each once: name, and help with default."""
    declared: dict[str, list[Parameter]] = {}
    for path in notebooks:
        for name, parameter in of_notebook(path).items():
            declared.setdefault(name, []).append(parameter)
    for name in sorted(declared.keys() - set(SET_BY_RUN)):
        first = declared[name][0]
        is_bare = not first.choices and first.least is None and first.type in _TOLD
        text = f"{_TOLD[first.type]}; {first.help}" if is_bare else first.help
        defaults = dict.fromkeys(parameter.default.strip("\"'") for parameter in declared[name])
        shown = " or ".join(filter(None, defaults))
        if first.type == "bool":
            shown = shown.lower()
        yield name, f"{text}  [default: {shown}]" if shown else text


def _declared(source: str) -> dict[str, Parameter]:
    """Return the parameters that a cell's lines declare."""
    lines = filter(None, map(_LINE.fullmatch, source.splitlines()))
    return {line["name"]: _parameter(**line.groupdict(default="")) for line in lines}


def _parameter(name: str, type: str, default: str, help: str) -> Parameter:
    listed = help.removeprefix("one of ").split(";")[0] if help.startswith("one of ") else ""
    choices = tuple(word.strip() for word in listed.split(",")) if listed else ()
    if choices and default == '""':
        choices = ("", *choices)
    kind = _KIND.match(help)
    least = 0.0 if help.startswith(("0 or more", "0 to 1")) else None
    most = 1.0 if help.startswith("0 to 1") else None
    return Parameter(name, type, default, help, choices, least, kind[1] if kind else "", most)


def _value(
    parameter: Parameter, value: Any, there: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Any:
    typed = _typed(parameter, value)
    told = f"parameter {parameter.name!r}: {value!r}"
    if typed == "" and (parameter.default == '""' or parameter.kind == "capture"):
        return typed
    choices = parameter.choices or there.get(parameter.kind)
    if choices and parameter.kind == "capture" and NEWEST in parameter.help:
        choices = (NEWEST, *choices)
    if choices is not None and typed not in choices:
        names = ", ".join(choice or '""' for choice in choices)
        raise ParameterInvalid(f"{told} is not one of {names}")
    if parameter.kind == "day":
        has_ever = f"{_EVER}:" in parameter.help
        if not _is_day(typed) and not (has_ever and typed == _EVER):
            more = f", or {_EVER!r}" if has_ever else ""
            raise ParameterInvalid(f"{told} is not a date; write it as 2022-02-28{more}")
    if parameter.kind == "folder":
        folder = Path(typed).expanduser()
        if not folder.is_dir():
            raise ParameterInvalid(f"{told} is not a folder")
        # A kernel has another working directory.
        return str(folder.resolve())
    if parameter.least is not None and not parameter.least <= typed < math.inf:
        raise ParameterInvalid(f"{told} must be {parameter.least:g} or more")
    if parameter.most is not None and typed > parameter.most:
        raise ParameterInvalid(f"{told} must be at most {parameter.most:g}")
    return typed


def _is_day(text: str) -> bool:
    try:
        # It knows other forms, too.
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _typed(parameter: Parameter, value: Any) -> Any:
    """Return a value as the type a parameter declares."""
    read: Any = value
    if isinstance(value, str):
        match parameter.type:
            case "bool":
                read = _WORDS.get(value.lower(), value)
            case "int" | "float":
                with contextlib.suppress(ValueError):
                    read = int(value) if parameter.type == "int" else float(value)
            case "list[str]":
                read = [item.strip() for item in value.split(",") if item.strip()]
    try:
        return msgspec.convert(read, _TYPES[parameter.type])
    except msgspec.ValidationError as error:
        raise ParameterInvalid(
            f"parameter {parameter.name!r}: {value!r} is not {parameter.type} ({parameter.help})"
        ) from error
