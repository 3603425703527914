"""The builder's output, without the values of environment variables and build arguments."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from helpers.capture.daemon import Daemon
from helpers.images import redact
from helpers.images.dockerfile import assigned, fill

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
        self.secrets: set[str] = set()
        self._daemon = daemon
        self._arguments = arguments
        self._values: dict[str, str] = {}
        self._lines: list[str] = []
        self._step_start = 0
        self._base = ""
        self._learn(arguments.items())

    def add(self, line: str) -> bool:
        """Add a line; return whether a step begins with it."""
        self._lines.append(line)
        begins_step = _STEP.match(line)
        if begins_step:
            number, total, text = begins_step.groups()
            word, _, rest = text.partition(" ")
            self._learn_from_instruction(word, rest)
            self.step = Step(int(number), int(total), redact.instruction(text, self.secrets))
            self._step_start = len(self._lines)
            if word.upper() == "FROM":
                names = [word for word in rest.split() if not word.startswith("--")]
                self._base = fill(names[0].strip("\"'"), self._values) if names else ""
        elif line.startswith(_TRIGGERS):
            # For a base with triggers the builder does not print the image's id.
            self._learn_from_image(self._daemon.find(self._base) if self._base else None)
        elif image := _IMAGE.match(line):
            self._learn_from_image(self._daemon.find(image[1]))
        return begins_step is not None

    def lines(self) -> list[str]:
        """Return all lines."""
        return [self._redacted(line) for line in self._lines]

    def last(self) -> list[str]:
        """Return the lines of the last step."""
        return [self._redacted(line) for line in self._lines[self._step_start :]]

    def _redacted(self, line: str) -> str:
        redacted = redact.instruction if _STEP.match(line) else redact.prose
        return redacted(line, self.secrets)

    def _learn_from_image(self, image: Mapping[str, Any] | None) -> None:
        """Learn the values in an image's environment, and those that its triggers set."""
        config = (image or {}).get("Config") or {}
        self._learn(text.partition("=")[::2] for text in config.get("Env") or [])
        for instruction in config.get("OnBuild") or []:
            word, _, rest = instruction.partition(" ")
            self._learn_from_instruction(word, rest)

    def _learn_from_instruction(self, word: str, rest: str) -> None:
        """Learn the values that an instruction sets, also those composed of other values."""
        if word.upper() == "ONBUILD":
            word, _, rest = rest.strip().partition(" ")
        if (word := word.upper()) not in ("ENV", "ARG"):
            return
        for name, default in assigned(rest, word):
            value = self._arguments.get(name, default) if word == "ARG" else default
            if value is not None:
                self._learn([(name, value)])
                self._learn([(name, fill(value, self._values))])

    def _learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        for name, value in pairs:
            self._values[name] = value
            self.secrets.update(redact.values([f"{name}={value}"]))
