"""BuildKit's output, without the values of environment variables and build arguments."""

import re
from collections.abc import Sequence

from helpers.building.build_log import Step
from helpers.building.build_values import Values
from helpers.images import redact
from helpers.images.instructions import Instruction
from helpers.images.variables import could_be
from helpers.text import escape

_LINE = re.compile(r"#(?P<part>\d+) (?:(?P<time>\d+\.\d+) )?(?P<text>.*)", re.DOTALL)
"""A line of one of the parts that a build has; with a time it is what a program printed."""

_STEP = re.compile(r"\[(?P<where>(?:.* )?(?P<number>\d+)/(?P<total>\d+))\] (?P<text>.*)")
_DOWNLOAD = re.compile(r"sha256:\S+ .*")
_ERROR = "ERROR: "
_STATUS = re.compile(r"(?:DONE|CACHED|CANCELED|\.\.\.|ERROR:)")
_QUOTED = re.compile(r'"[^"]*"')


class BuildKitLog:
    """The output of `docker buildx build --progress plain`, line by line, without values.

    BuildKit makes several steps at once and fills in the variables in their names. Here a step has
    the name that it has in the Dockerfile; `instructions` are its instructions, and those that
    bases give to builds on them. The excerpt of the Dockerfile after an error is left out.
    """

    def __init__(self, values: Values, instructions: Sequence[Instruction]) -> None:
        self.step = Step(0, 0, "reading the Dockerfile")
        self.values = values
        self._instructions = instructions
        self._lines: list[str] = []
        self._names: dict[str, str] = {}
        self._totals: dict[str, int] = {}
        self._outputs: dict[str, list[str]] = {}
        self._failed = self._error = ""

    def add(self, line: str) -> bool:
        """Add a line; return whether a step begins with it."""
        found = _LINE.fullmatch(line)
        if not found:
            if line.startswith(_ERROR):
                self._error = self._unquoted(self._failed, line)
                self._lines.append(self._error)
            elif not self._lines:
                # What keeps it from starting.
                self._error = self._error or line
            return False
        part, text = found["part"], found["text"]
        if found["time"]:
            # A program may write over its line several times.
            *before, text = map(escape.plain, text.rstrip("\r").split("\r"))
            before = [line for line in before if line.strip()]
            self._lines += [f"#{part} {line}" for line in before]
            self._outputs.setdefault(part, []).extend([*before, text])
        elif step := _STEP.fullmatch(text):
            return self._begin(part, step)
        elif text.startswith(_ERROR):
            self._failed = self._failed or part
            text = self._unquoted(part, text)
            self._outputs.setdefault(part, []).append(text)
        elif _DOWNLOAD.fullmatch(text):
            return False
        elif not _STATUS.match(text):
            self._names.setdefault(part, text)
        self._lines.append(f"#{part} {text}")
        return False

    def lines(self) -> list[str]:
        """Return all lines."""
        return [redact.prose(line, self.values.secrets) for line in self._lines]

    def last(self) -> list[str]:
        """Return the lines of the part that failed, else the builder's last word."""
        last = self._outputs[self._failed] if self._failed else [self._error]
        return [redact.prose(line, self.values.secrets) for line in last]

    def failure(self) -> str:
        """Return the step or the other part of the build that failed."""
        name = self._names.get(self._failed, "")
        step = _STEP.fullmatch(name)
        text = f"step {step['where']} failed: {step['text']}" if step else "the build failed"
        if name and not step:
            text = f"{name.removeprefix('[internal] ')} failed"
        return redact.prose(text, self.values.secrets)

    def _begin(self, part: str, step: re.Match[str]) -> bool:
        """Add the first line of a step, or of its output after that of others."""
        is_new = part not in self._names
        if is_new:
            where = step["where"]
            text = self._as_written(step["text"])
            self._names[part] = f"[{where}] {text}"
            self._totals[where.rpartition(" ")[0]] = int(step["total"])
            text = redact.prose(text, self.values.secrets)
            total = max(sum(self._totals.values()), self.step.number + 1)
            self.step = Step(self.step.number + 1, total, text)
        self._lines.append(f"#{part} {self._names[part]}")
        return is_new

    def _as_written(self, text: str) -> str:
        """Return a step's instruction as it is in the Dockerfile; its word alone if it is not."""
        word, _, rest = text.partition(" ")
        if word == "FROM":
            return text
        shown = _spaced(rest)
        alike = [
            source
            for source in map(Instruction.unwrapped, self._instructions)
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

    def _unquoted(self, part: str, error: str) -> str:
        """Return an error without what it quotes, if that may be a value."""
        # An error of no part is about the text of the Dockerfile.
        name = self._names.get(part, "$")
        return _QUOTED.sub('"…"', error) if "$" in name or redact.HIDDEN in name else error


def _spaced(text: str) -> str:
    return " ".join(text.split())
