"""Values of environment variables and build arguments, which must not be in a build's output."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from helpers.images import instructions, redact
from helpers.images.dockerfile import Stage
from helpers.images.instructions import Instruction
from helpers.images.variables import assigned, fill


class Values:
    """The values that a build sets, of which `secrets` must not be shown.

    `arguments` are given to the build, `filled` are those that the builder fills in and no secret.
    """

    def __init__(self, arguments: Mapping[str, str], filled: Mapping[str, str]) -> None:
        self.secrets: set[str] = set()
        self._arguments = arguments
        self._defaults = dict(filled)
        self._known: dict[str, str] = {}
        self._learn(arguments.items())

    def learn(
        self, text: str, stages: Sequence[Stage], images: Mapping[str, Mapping[str, Any] | None]
    ) -> list[Instruction]:
        """Learn what a Dockerfile sets; return the instructions of its stages and their triggers.

        `images` are those that stages begin with, as the daemon has them. A stage sees what the
        stage sets that it is built on, and of arguments before all stages those that it declares.
        """
        for instruction in takewhile(lambda one: one.word != "FROM", instructions.read(text)):
            self._learn_instruction(instruction)
        self._defaults |= self._known
        by_stage: dict[str, dict[str, str]] = {}
        found = []
        for stage in stages:
            self._known = dict(by_stage.get(stage.image.lower(), {}))
            self.learn_image(images.get(stage.image))
            for instruction in stage.instructions:
                self._learn_instruction(instruction)
            by_stage[stage.name.lower()] = self._known
            found += [*_triggers(images.get(stage.image)), *stage.instructions]
        return found

    def learn_image(self, image: Mapping[str, Any] | None) -> None:
        """Learn the values in an image's environment, and those that its triggers set."""
        config = (image or {}).get("Config") or {}
        self._learn(text.partition("=")[::2] for text in config.get("Env") or [])
        for instruction in _triggers(image):
            self._learn_instruction(instruction)

    def _learn_instruction(self, instruction: Instruction) -> None:
        """Learn the values that an instruction sets, also those composed of other values."""
        word, rest, _ = instruction.unwrapped()
        if word not in ("ENV", "ARG"):
            return
        for name, default in assigned(rest, word):
            value = self._arguments.get(name, default) if word == "ARG" else default
            if value is not None:
                self._learn([(name, value)])
                self._learn([(name, fill(value, self._known))])
            elif name in self._defaults:
                self._known[name] = self._defaults[name]

    def _learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        for name, value in pairs:
            self._known[name] = value
            self.secrets.update(redact.values([f"{name}={value}"]))


def _triggers(image: Mapping[str, Any] | None) -> list[Instruction]:
    """Return the instructions that an image gives to the builds on it (`ONBUILD`)."""
    texts = ((image or {}).get("Config") or {}).get("OnBuild") or []
    return [instruction for text in texts for instruction in instructions.read(text)]
