"""What a Dockerfile needs: its base images and its builder."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

import msgspec

from helpers.images import instructions
from helpers.images.instructions import Instruction
from helpers.images.variables import assigned, fill

_ONLY_BUILDKIT = {
    "RUN": {"mount", "network", "security", "device"},
    "COPY": {"link", "chmod", "parents", "exclude"},
    "ADD": {"link", "chmod", "checksum", "keep-git-dir", "exclude", "unpack"},
}
"""Options that only BuildKit understands: https://docs.docker.com/reference/dockerfile/"""

_AUTOMATIC = re.compile(r"(?:TARGET|BUILD)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)")
"""Arguments that BuildKit fills in and the classic builder leaves empty:
https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope"""

_GIT = re.compile(
    r"(?:git|ssh)://|[\w-]+@[\w.-]+:|https?://[^?#]+\.git(?:[?#]|$)", re.IGNORECASE | re.ASCII
)
"""Git repositories; the classic builder would download their address as a file:
https://docs.docker.com/reference/dockerfile/#adding-files-from-a-git-repository"""

_OFFICIAL = re.compile(r"(?:docker\.io/)?docker/dockerfile(?::(?:latest|1(?:\.(\d+)(?:\.\d+)?)?))?")
"""Docker's own frontend, in its stable versions: https://hub.docker.com/r/docker/dockerfile"""

_EMBEDDED = {23: 4, 24: 5, 25: 6, 26: 7, 27: 8, 28: 14, 29: 19}
"""The version 1.N of the frontend in each major version of the Docker engine, from its BuildKit:
https://github.com/moby/buildkit/releases and vendor.mod of https://github.com/moby/moby"""

_YES = ("", "1", "t", "true")
"""Values that turn a mount's option on."""


class Stage(NamedTuple):
    """One stage: its image (or stage) and platform, filled in, its name and instructions."""

    image: str
    platform: str
    name: str
    instructions: list[Instruction]


def needs_buildkit(text: str, arguments: Mapping[str, str] | None = None) -> str | None:
    r"""Return what only BuildKit understands in a Dockerfile, or `None`.

    An automatic argument counts unless it has a value, in `arguments` or before the first `FROM`.

    >>> needs_buildkit("FROM a\nRUN --mount=type=cache,target=/x npm install\n")
    'RUN --mount'
    >>> needs_buildkit("FROM a\nRUN echo --mount of <<olives\n") is None
    True
    """
    if "syntax" in instructions.directives(text):
        return "a line `# syntax=`"
    found = instructions.read(text)
    known = _global_arguments(found, arguments or {}) | dict(arguments or {})
    for instruction in map(Instruction.unwrapped, found):
        word = instruction.word
        if automatic := _automatic(instruction, known):
            return f"the automatic argument {automatic}"
        for name, _ in instruction.options():
            if name in _ONLY_BUILDKIT.get(word, ()):
                return f"{word} --{name}"
        if word == "ADD" and any(map(_GIT.match, _sources(instruction.arguments()))):
            return "ADD of a Git repository"
        if instruction.documents:
            return f"a here-document after {word}"
    return None


def frontend(text: str, engine: str) -> str:
    """Return the frontend that `# syntax=` names; empty if a Docker `engine` has it already.

    The engine's own frontend needs no registry and does not change.

    >>> frontend("# syntax=docker/dockerfile:1", "26.1.5")
    ''
    >>> frontend("# syntax=docker/dockerfile:1.9", "26.1.5")
    'docker/dockerfile:1.9'
    """
    named = instructions.directives(text).get("syntax", "").partition(" ")[0]
    major = re.match(r"\d+", engine)
    versions = [v for of, v in _EMBEDDED.items() if major and of <= int(major[0])]
    official = _OFFICIAL.fullmatch(named)
    is_covered = official and versions and int(official[1] or 0) <= max(versions)
    return "" if is_covered else named


def required_secret(text: str) -> str | None:
    r"""Return the first required mount of a secret or an SSH agent.

    >>> required_secret("FROM a\nRUN --mount=type=secret,id=x,required cat /run/secrets/x")
    '--mount=type=secret,id=x,required'
    """
    for mount, fields in _mounts(instructions.read(text)):
        if fields.get("type") in ("secret", "ssh") and fields.get("required", "no").lower() in _YES:
            return f"--mount={mount}"
    return None


def automatic(machine: str, platform: str = "") -> dict[str, str]:
    """Return the arguments that BuildKit fills in, for a machine and a platform.

    >>> found = automatic("linux/amd64", "linux/arm/v7")
    >>> found["BUILDARCH"], found["TARGETARCH"], found["TARGETVARIANT"]
    ('amd64', 'arm', 'v7')
    """
    values: dict[str, str] = {}
    for side, name in (("BUILD", machine), ("TARGET", platform or machine)):
        system, architecture, variant = [*name.split("/"), "", ""][:3]
        values |= {f"{side}PLATFORM": name, f"{side}OS": system, f"{side}ARCH": architecture}
        values[f"{side}VARIANT"] = variant
    return values


def stages(
    text: str,
    target: str = "",
    arguments: Mapping[str, str] | None = None,
    filled: Mapping[str, str] | None = None,
) -> list[Stage]:
    """Return the stages of a Dockerfile up to stage `target`, or all.

    `arguments` are given to the build, `filled` are those that BuildKit fills in (`automatic`).
    """
    found, parts = instructions.read(text), list[Stage]()
    known = {**(filled or {}), **_global_arguments(found, arguments or {})}
    for instruction in found:
        if instruction.word != "FROM":
            if parts:
                parts[-1].instructions.append(instruction)
            continue
        if target and parts and parts[-1].name.lower() == target.lower():
            break
        image, *rest = instruction.arguments().split() or [""]
        is_named = len(rest) > 1 and rest[0].upper() == "AS"
        platform = fill(dict(instruction.options()).get("platform", ""), known)
        name = rest[1] if is_named else ""
        parts.append(Stage(fill(image.strip("\"'"), known), platform, name, []))
    return parts


def final_base(found: Sequence[Stage]) -> str:
    r"""Return the base image of the last of some stages; empty for none.

    A stage on another stage has that stage's base.

    >>> final_base(stages("FROM node:8 as build\nFROM distroless/nodejs\nCOPY --from=build a b\n"))
    'distroless/nodejs'
    >>> final_base(stages("ARG V=1\nFROM x:$V AS a\nFROM a", arguments={"V": "2"}))
    'x:2'
    """
    bases: dict[str, str] = {}
    base = ""
    for stage in found:
        base = bases[stage.name.lower()] = bases.get(stage.image.lower(), stage.image)
    return base


def bases(found: Sequence[Stage]) -> dict[str, str]:
    """Return the images of stages' `FROM`, with the last platform of each."""
    images: dict[str, str] = {}
    names: set[str] = set()
    for stage in found:
        if stage.image.lower() not in names:
            images[stage.image] = stage.platform
        names.add(stage.name.lower())
    return images


def images(found: Sequence[Stage]) -> set[str]:
    r"""Return the images that stages are built on, copy from or mount.

    >>> sorted(images(stages("FROM a AS b\nFROM c:1\nCOPY --from=b x x\nCOPY --from=d x x")))
    ['a', 'c:1', 'd']
    """
    names = {stage.name.lower() for stage in found}
    used = set()
    for stage in found:
        for instruction in map(Instruction.unwrapped, stage.instructions):
            if instruction.word == "COPY":
                used.add(dict(instruction.options()).get("from", ""))
        used |= {fields.get("from", "") for _, fields in _mounts(stage.instructions)}
    others = {n for n in used if n and not n.isdecimal() and n.lower() not in names}
    return set(bases(found)) | others


def _global_arguments(found: Sequence[Instruction], given: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments before the first `FROM` that have a value, given or by default.

    Given automatic arguments need no declaration.
    """
    known = {name: value for name, value in given.items() if _AUTOMATIC.fullmatch(name)}
    for instruction in takewhile(lambda one: one.word != "FROM", found):
        for name, value in assigned(instruction.rest, "ARG") if instruction.word == "ARG" else ():
            if name in given:
                known[name] = given[name]
            elif value is not None:
                known[name] = fill(value, known)
    return known


def _mounts(found: Sequence[Instruction]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the mounts of RUN instructions: the text and the fields of each."""
    for instruction in map(Instruction.unwrapped, found):
        for name, value in instruction.options() if instruction.word == "RUN" else ():
            if name == "mount":
                fields = (field.strip('"').partition("=") for field in value.split(","))
                yield value, {key.lower(): content for key, _, content in fields}


def _sources(rest: str) -> list[str]:
    """Return the sources of a COPY or ADD: all words, or strings of a JSON list, but the last.

    >>> _sources("a b /c"), _sources('["a b", "/c"]')
    (['a', 'b'], ['a b'])
    """
    try:
        return msgspec.json.decode(rest, type=list[str])[:-1]
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return rest.split()[:-1]


def _automatic(instruction: Instruction, known: Collection[str]) -> str | None:
    """Return the automatic argument that a FROM uses or an ARG declares, unless it is `known`."""
    names: list[str] = []
    if instruction.word == "FROM":
        names = re.findall(r"\$\{?(\w+)", instruction.rest)
    if instruction.word == "ARG":
        names = [name for name, value in assigned(instruction.rest, "ARG") if value is None]
    return next((n for n in names if _AUTOMATIC.fullmatch(n) and n not in known), None)
