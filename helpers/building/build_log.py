"""A builder's output in one form, whichever builds, without values."""

import re
from typing import NamedTuple

from helpers.building.build_values import Values
from helpers.images import redact
from helpers.text import escape

STEP, PART, TEXT, ERROR, IMAGE = "step", "part", "text", "error", "image"

_ESCAPE_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Colours and other sequences for terminals."""


class Line(NamedTuple):
    """A line of a builder's output, of one of the parts that a build has.

    Its text is the instruction of a `step`, the name of another `part`, the `text` that a program
    printed, an `error`, or the id of the `image` that was built. `where` is a step's number of
    how many, after the name of its stage.
    """

    kind: str
    text: str
    part: str = ""
    where: str = ""


class Step(NamedTuple):
    """One step of a build: its number, the number of all steps, and its instruction."""

    number: int
    total: int
    instruction: str


class Log:
    """The output of a builder, line by line. Whatever is returned has no values."""

    def __init__(self, values: Values) -> None:
        self.image = ""
        self.step = Step(0, 0, "reading the Dockerfile")
        self.values = values
        self._lines: list[Line] = []
        self._parts: dict[str, Line] = {}
        self._totals: dict[str, int] = {}

    def add(self, line: Line) -> bool:
        """Add a line; return whether a step begins with it."""
        if line.kind == IMAGE:
            self.image = line.text
            return False
        line = line._replace(text=escape.plain(_ESCAPE_SEQUENCES.sub("", line.text)))
        if not line.text.strip():
            return False
        self._lines.append(line)
        is_new = line.kind in (STEP, PART) and line.part not in self._parts
        if is_new:
            self._parts[line.part] = line
        if line.kind != STEP or not is_new:
            return False
        stage, _, numbers = line.where.rpartition(" ")
        self._totals[stage] = int(numbers.partition("/")[2])
        number = self.step.number + 1
        total = max(sum(self._totals.values()), number)
        self.step = Step(number, total, self._shown(line))
        return True

    def lines(self) -> list[str]:
        """Return all lines, steps with their numbers."""
        return [
            f"[{line.where}] {self._shown(line)}" if line.where else self._shown(line)
            for line in self._lines
        ]

    def failure(self) -> tuple[str, list[str]]:
        """Return what of the build failed, and its lines, else the builder's last word."""
        errors = [line for line in self._lines if line.kind == ERROR]
        part = next((line.part for line in errors if line.part in self._parts), "")
        if not part:
            return "the build failed", [self._shown(line) for line in errors[-1:]]
        name = self._parts[part]
        is_step = name.kind == STEP
        what = f"step {name.where} failed: " if is_step else ""
        what += self._shown(name).removeprefix("[internal] ") + ("" if is_step else " failed")
        of_part = (line for line in self._lines if line.part == part)
        return what, [self._shown(line) for line in of_part if line.kind in (TEXT, ERROR)]

    def _shown(self, line: Line) -> str:
        redacted = redact.instruction if line.kind == STEP else redact.prose
        return redacted(line.text, self.values.secrets)
