"""What a builder said: kept without values of environment variables and build arguments."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from helpers.capture.daemon import Daemon
from helpers.images import redact
from helpers.images.dockerfile import assigned, fill

_STEP = re.compile(r"^Step (\d+)/(\d+) : (.*)")
_IMAGE = re.compile(r"^ ---> ([0-9a-f]{12,64})$")
"""What the classic builder says of the image that a step is based on, or became."""

_TRIGGERS = "# Executing "
"""How it begins to say that a base has triggers."""


class Step(NamedTuple):
    """One step of a build: its number, of how many, and its instruction."""

    number: int
    of: int
    instruction: str


class BuildLog:
    """What a builder says, as it says it; whatever is given out is without values.

    A value may become known only after it was said, so that lines are kept here as they came, and
    nowhere else.
    """

    def __init__(self, daemon: Daemon, arguments: Mapping[str, str]) -> None:
        self.step = Step(0, 0, "reading the Dockerfile")
        self._daemon = daemon
        self._arguments = arguments
        self._known: dict[str, str] = {}
        self.secrets: set[str] = set()
        self._lines: list[str] = []
        self._begin = 0
        self._base = ""
        self._learn(arguments.items())

    def add(self, line: str) -> bool:
        """Add a line; return whether a step begins with it."""
        self._lines.append(line)
        found = _STEP.match(line)
        if found:
            word, _, rest = found[3].partition(" ")
            self._learn_from(word.upper(), rest)
            instruction = redact.instruction(found[3], self.secrets)
            self.step = Step(int(found[1]), int(found[2]), instruction)
            self._begin = len(self._lines)
            if word.upper() == "FROM":
                named = [word for word in rest.split() if not word.startswith("--")]
                self._base = fill(named[0].strip("\"'"), self._known) if named else ""
        elif line.startswith(_TRIGGERS):
            # Of a base with triggers, the builder does not say which image it is.
            self._learn_of(self._daemon.find(self._base) if self._base else None)
        elif image := _IMAGE.match(line):
            self._learn_of(self._daemon.find(image[1]))
        return found is not None

    def lines(self) -> list[str]:
        """Return all lines."""
        return [self._told(line) for line in self._lines]

    def last(self) -> list[str]:
        """Return the lines of the last step."""
        return [self._told(line) for line in self._lines[self._begin :]]

    def _told(self, line: str) -> str:
        told = redact.instruction if _STEP.match(line) else redact.prose
        return told(line, self.secrets)

    def _learn_of(self, image: Mapping[str, Any] | None) -> None:
        """Learn the values in an image's environment, and those that it would set in others."""
        config = (image or {}).get("Config") or {}
        self._learn(text.partition("=")[::2] for text in config.get("Env") or [])
        for instruction in config.get("OnBuild") or []:
            word, _, rest = instruction.partition(" ")
            self._learn_from(word.upper(), rest)

    def _learn_from(self, word: str, rest: str) -> None:
        """Learn the values that an instruction sets, also where they are made of others."""
        if word == "ONBUILD":
            word, _, rest = rest.strip().partition(" ")
        if word not in ("ENV", "ARG"):
            return
        for name, value in assigned(rest, word):
            told = self._arguments.get(name, value) if word == "ARG" else value
            if told is not None:
                self._learn([(name, told)])
                self._learn([(name, fill(told, self._known))])

    def _learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        for name, value in pairs:
            self._known[name] = value
            self.secrets.update(redact.values([f"{name}={value}"]))
