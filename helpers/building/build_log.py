"""The classic builder's output, without the values of environment variables and arguments."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from helpers.building.build_values import Values
from helpers.containers.daemon import Daemon
from helpers.images import redact
from helpers.images.instructions import Instruction

_STEP = re.compile(r"^Step (\d+)/(\d+) : (.*)")
_IMAGE = re.compile(r"^ ---> ([0-9a-f]{12,64})$")
"""The classic builder's line about the image that a step starts from or makes."""

_TRIGGERS = "# Executing "
"""Start of the classic builder's line about a base with triggers (`ONBUILD`)."""


class Step(NamedTuple):
    """One step of a build: its number, the number of all steps, and its instruction."""

    number: int
    total: int
    instruction: str


class BuildLog:
    """The output of a builder, line by line. Whatever is returned has no values.

    The builder may print a value before it is known, so raw lines stay here and are redacted when
    they are asked for.
    """

    def __init__(self, daemon: Daemon, arguments: Mapping[str, str]) -> None:
        self.step = Step(0, 0, "reading the Dockerfile")
        self.values = Values(arguments)
        self._daemon = daemon
        self._lines: list[str] = []
        self._step_start = 0
        self._base = ""

    def add(self, line: str) -> bool:
        """Add a line; return whether a step begins with it."""
        self._lines.append(line)
        begins_step = _STEP.match(line)
        if begins_step:
            number, total, text = begins_step.groups()
            word, _, rest = text.partition(" ")
            instruction = Instruction(word.upper(), rest)
            self.values.learn_instruction(instruction)
            if instruction.word == "FROM":
                image = instruction.arguments().partition(" ")[0].strip("\"'")
                self._base = self.values.fill(image)
            text = redact.instruction(text, self.values.secrets)
            self.step = Step(int(number), int(total), text)
            self._step_start = len(self._lines)
        elif line.startswith(_TRIGGERS):
            # For a base with triggers the builder does not print the image's id.
            self.values.learn_image(self._daemon.find(self._base) if self._base else None)
        elif image_id := _IMAGE.match(line):
            self.values.learn_image(self._daemon.find(image_id[1]))
        return begins_step is not None

    def lines(self) -> list[str]:
        """Return all lines."""
        return [self._redacted(line) for line in self._lines]

    def last(self) -> list[str]:
        """Return the lines of the last step."""
        return [self._redacted(line) for line in self._lines[self._step_start :]]

    def failure(self) -> str:
        """Return the step that failed."""
        number, total, instruction = self.step
        return f"step {number}/{total} failed: {instruction}"

    def _redacted(self, line: str) -> str:
        redacted = redact.instruction if _STEP.match(line) else redact.prose
        return redacted(line, self.values.secrets)
