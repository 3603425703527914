"""Builds a recipe with BuildKit, on bases that the daemon has."""

import re
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from helpers import whole
from helpers.building import buildx
from helpers.building.build_log import ERROR, IMAGE, PART, STEP, TEXT, Line
from helpers.containers.daemon import Daemon
from helpers.errors import BuildFailed
from helpers.images import dockerfile, instructions, redact
from helpers.images.instructions import Instruction
from helpers.images.variables import could_be
from helpers.studies.study import Recipe

_LINE = re.compile(r"#(?P<part>\d+) (?:(?P<time>\d+\.\d+) )?(?P<text>.*)", re.DOTALL)
"""A line of one of the parts that a build has; with a time it is what a program printed."""

_STEP = re.compile(r"\[(?P<where>(?:.* )?\d+/\d+)\] (?P<text>.*)")
_ERROR = "ERROR: "
_STATUS = re.compile(r"DONE|CACHED|CANCELED|\.\.\.|sha256:\S+ ")
_QUOTED = re.compile(r'"[^"]*"')


def check(name: str, text: str, feature: str) -> None:
    """Raise `BuildFailed` if a Dockerfile cannot be built: there is no buildx, or no secret."""
    if not buildx.version():
        raise BuildFailed(
            f"{name}: {feature} needs BuildKit, and docker buildx is not installed. "
            f"{buildx.INSTALL}"
        )
    if mount := dockerfile.required_secret(text):
        raise BuildFailed(
            f"{name}: RUN {mount} needs a secret, and the kit passes none. Build it yourself "
            "(docker buildx build --load --tag NAME .) and set its variant's source to "
            'image = "NAME"'
        )


def build(
    daemon: Daemon,
    recipe: Recipe,
    path: Path,
    context: Path,
    tag: str,
    steps: Sequence[Instruction],
) -> Generator[Line, None, None]:
    """Build the Dockerfile at a path; yield BuildKit's lines, and the image if it did not fail.

    `steps` are the Dockerfile's instructions, and those that bases give to builds on them. Without
    a frontend that only a registry has, the line `# syntax=` is left out, so that the frontend in
    the engine is used.
    """
    engine = daemon.engine()["engine"]
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    with whole.temporary_folder("build") as folder:
        scratch = Path(folder)
        named = instructions.directives(text).get("syntax")
        if named and not dockerfile.frontend(text, engine):
            yield Line(TEXT, f"The frontend in Docker {engine} is used, no image {named}")
            path = _without_syntax(path, text, scratch)
        facts = scratch / "facts.json"
        arguments = ["--file", str(path), "--tag", tag, "--metadata-file", str(facts)]
        if recipe.target:
            arguments += ["--target", recipe.target]
        if recipe.platform:
            arguments += ["--platform", recipe.platform]
        for name, value in recipe.build_args.items():
            arguments += ["--build-arg", f"{name}={value}"]
        yield from _read(buildx.build([*arguments, str(context)], daemon.socket, scratch), steps)
        # It is written at the end of a build that did not fail.
        if facts.exists():
            image = msgspec.json.decode(facts.read_bytes())["containerimage.digest"]
            yield Line(IMAGE, str(image))


def _without_syntax(path: Path, text: str, folder: Path) -> Path:
    """Return a copy of a Dockerfile without the line `# syntax=`, beside its own ignore file."""
    copy = folder / path.name
    copy.write_text(instructions.without_directive(text, "syntax"), encoding="utf-8")
    ignored = path.with_name(f"{path.name}.dockerignore")
    if ignored.is_file():
        shutil.copy(ignored, folder)
    return copy


def _read(output: Iterable[str], steps: Sequence[Instruction]) -> Iterator[Line]:
    """Yield the lines of `docker buildx build --progress plain`.

    The excerpt of the Dockerfile after an error, progress, and what is done are left out.
    """
    names: dict[str, str] = {}
    failed, is_begun = "", False
    for line in output:
        found = _LINE.fullmatch(line)
        if not found:
            # The first one says what keeps it from starting.
            if line.startswith(_ERROR) or not is_begun:
                yield Line(ERROR, _unquoted(line, names.get(failed, "$")))
            is_begun = True
            continue
        is_begun, part, text = True, found["part"], found["text"]
        if found["time"]:
            # A program may write over its line several times.
            yield from (Line(TEXT, one, part) for one in text.split("\r"))
        elif step := _STEP.fullmatch(text):
            # Of several at once, each has its name again before its next line.
            names.setdefault(part, _as_written(step["text"], steps))
            yield Line(STEP, names[part], part, step["where"])
        elif text.startswith(_ERROR):
            failed = failed or part
            yield Line(ERROR, _unquoted(text, names.get(part, "$")), part)
        elif not _STATUS.match(text):
            names.setdefault(part, text)
            yield Line(PART, text, part)


def _as_written(text: str, steps: Sequence[Instruction]) -> str:
    """Return a step's instruction as it is in the Dockerfile; its word alone if it is not.

    BuildKit fills in the variables in the names of its steps.
    """
    word, _, rest = text.partition(" ")
    if word == "FROM":
        return text
    shown = _spaced(rest)
    alike = [
        source
        for source in map(Instruction.unwrapped, steps)
        if source.word == word
        and (
            could_be(shown, _spaced(source.rest))
            # BuildKit shows the start of a here-document.
            or (source.documents and could_be(shown, f"{_spaced(source.rest)} ($document)"))
        )
    ]
    # Of several the one with the fewest variables is the most like it.
    best = min(alike, key=lambda source: source.rest.count("$"), default=None)
    return f"{word} {_spaced(best.rest)}" if best else f"{word} {redact.HIDDEN}"


def _unquoted(error: str, name: str) -> str:
    """Return an error of a part of that name without what it quotes, if that may be a value."""
    return _QUOTED.sub('"…"', error) if "$" in name or redact.HIDDEN in name else error


def _spaced(text: str) -> str:
    return " ".join(text.split())
